//! Measures the gateway beside its peers; `cargo xtask bench edge` builds everything and runs it.

use anyhow::Result;
use clap::Parser;
use davy_suite::bench::edge::{self, Options};
use davy_suite::bench::flat;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Parser)]
struct Cli {
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    /// Measured windows of ten seconds
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u16).range(1..=360))]
    windows: u16,
    /// Seconds before the first window
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(0..=3600))]
    warm_up: u64,
    /// One part alone
    #[arg(long)]
    part: Option<Part>,
    /// A folder on the disk to measure on
    #[arg(long)]
    dir: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// At 1 Hz, beside the peers
    Beside,
    /// Alone, one bus polled twenty times a second
    Often,
    /// Alone, twenty of them
    FlatOut,
}

#[tokio::main]
async fn main() -> Result<()> {
    let cli = Cli::parse();
    let options = Options {
        warm_up: Duration::from_secs(cli.warm_up),
        window: Duration::from_secs(10),
        windows: usize::from(cli.windows),
        dir: cli.dir,
    };
    let is_asked = |part| cli.part.is_none_or(|only| only == part);
    let mut figures = Vec::new();
    if is_asked(Part::Beside) {
        figures.extend(edge::run(&options).await?);
    }
    if is_asked(Part::Often) {
        figures.extend(flat::run(&options, flat::OFTEN).await?);
    }
    if is_asked(Part::FlatOut) {
        figures.extend(flat::run(&options, flat::FLAT_OUT).await?);
    }
    for figure in figures {
        if cli.json {
            println!("{}", figure.json());
        } else {
            println!("{figure}");
        }
    }
    Ok(())
}
