//! `davy-plant`: runs the simulated plant, and tells a running one what goes wrong.

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};
use davy_plant::control::{Plant, router};
use davy_plant::{Kind, Options, Running, Wire, sites};
use serde_json::json;
use std::io::{IsTerminal as _, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};

#[derive(Parser)]
#[command(version, about = "The simulated plant of Davy")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the four sites until SIGINT or SIGTERM
    Run {
        #[arg(long, default_value = "127.0.0.1:42320")]
        control: SocketAddr,
        /// Where the serial lines' paths are made
        #[arg(long)]
        dir: PathBuf,
        /// Buses from here + 100, links to the city from + 200
        #[arg(long, default_value_t = 42000)]
        base_port: u16,
        /// The broker behind the sites' links to the city (default: base port + 310)
        #[arg(long)]
        broker: Option<SocketAddr>,
        /// Process seconds a real second
        #[arg(long, default_value_t = 1.0)]
        time_factor: f64,
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Starts a scenario and prints its id
    Scenario {
        kind: Kind,
        #[arg(long, default_value = "127.0.0.1:42320")]
        control: SocketAddr,
        #[arg(long)]
        site: String,
        #[arg(long)]
        point: Option<String>,
        /// Seconds until it ends by itself
        #[arg(long = "for")]
        for_s: Option<f64>,
    },
    /// Prints the plant's state as JSON
    Status {
        #[arg(long, default_value = "127.0.0.1:42320")]
        control: SocketAddr,
    },
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Run {
            control,
            dir,
            base_port,
            broker,
            time_factor,
            seed,
        } => {
            tracing_subscriber::fmt()
                .with_ansi(std::io::stderr().is_terminal())
                .with_writer(std::io::stderr)
                .init();
            let broker = broker.unwrap_or((Ipv4Addr::LOCALHOST, base_port + 310).into());
            if !time_factor.is_finite() || time_factor <= 0.0 {
                bail!("--time-factor must be above 0");
            }
            tokio::runtime::Runtime::new()?.block_on(run(
                control,
                dir,
                base_port,
                broker,
                time_factor,
                seed,
            ))
        }
        Command::Scenario {
            kind,
            control,
            site,
            point,
            for_s,
        } => {
            let wanted = json!({ "kind": kind, "site": site, "point": point, "for_s": for_s });
            println!(
                "{}",
                call(control, "POST", "/api/scenarios", &wanted.to_string())?
            );
            Ok(())
        }
        Command::Status { control } => {
            println!("{}", call(control, "GET", "/api/plant", "")?);
            Ok(())
        }
    }
}

async fn run(
    control: SocketAddr,
    dir: PathBuf,
    base_port: u16,
    broker: SocketAddr,
    time_factor: f64,
    seed: u64,
) -> Result<()> {
    std::fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let (mut bus_port, mut wan_port, mut running) = (base_port + 100, base_port + 200, Vec::new());
    for layout in sites::all() {
        let sockets = layout
            .buses
            .iter()
            .filter(|bus| !matches!(bus.wire, Wire::Pty { .. }))
            .count();
        let options = Options {
            dir: dir.clone(),
            first_port: Some(bus_port),
            wan: Some((Some(wan_port), broker)),
            time_factor,
            seed,
        };
        running.push(Running::start(layout, options).await?);
        (bus_port, wan_port) = (bus_port + sockets as u16, wan_port + 1);
    }
    let listener = tokio::net::TcpListener::bind(control).await;
    let listener = listener.with_context(|| format!("cannot listen at {control}"))?;
    tracing::info!(%control, "plant runs");
    let mut ended = signal(SignalKind::terminate())?;
    let until = async move {
        tokio::select! {
            _ = ended.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    };
    let serve = axum::serve(listener, router(Arc::new(Plant::new(running))));
    tokio::select! {
        result = serve => Ok(result?),
        () = until => Ok(()),
    }
}

/// One small HTTP/1.0 exchange with the plant's own control: no client library for two commands.
fn call(control: SocketAddr, method: &str, path: &str, body: &str) -> Result<String> {
    let mut socket = TcpStream::connect(control)
        .with_context(|| format!("no plant runs at {control}; start it with `davy-plant run`"))?;
    let length = body.len();
    write!(
        socket,
        "{method} {path} HTTP/1.0\r\nhost: {control}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .context("the control's answer is no HTTP")?;
    let good = head
        .split(' ')
        .nth(1)
        .is_some_and(|status| status.starts_with('2'));
    if !good {
        bail!("the plant refuses: {body}");
    }
    Ok(body.to_owned())
}
