//! Measures polls on a serial line; `cargo xtask bench serial` builds everything and runs it.

use anyhow::Result;
use clap::Parser;
use davy_suite::bench::serial::{self, Options};
use std::path::PathBuf;
use std::time::Duration;

#[derive(Parser)]
struct Cli {
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    /// A folder for the gateway's data
    #[arg(long)]
    dir: PathBuf,
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    let options = Options {
        warm_up: Duration::from_secs(3),
        window: Duration::from_secs(20),
        dir: cli.dir,
    };
    for figure in serial::run(&options)? {
        if cli.json {
            println!("{}", figure.json());
        } else {
            println!("{figure}");
        }
    }
    Ok(())
}
