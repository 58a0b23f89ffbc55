//! Runs seeds of the simulation: `cargo xtask simulate`.

use anyhow::{Result, bail};
use clap::Parser;
use davy_simulation::{Mutant, Plan, run};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

#[derive(Parser)]
#[command(about = "The whole system on a virtual clock, under every fault, by a seed")]
struct Options {
    /// How many seeds, from the first on
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first seed; alone, it is the only one
    #[arg(long)]
    seed: Option<u64>,
    /// Days that each lives
    #[arg(long, default_value_t = 0.5)]
    days: f64,
    /// Makes a deliberate mistake, which must be found: one of `Mutant`
    #[arg(long, value_enum)]
    mutant: Option<Mutant>,
    /// Tells each seed's account
    #[arg(long)]
    verbose: bool,
}

/// Progress is told after each so many seeds.
const TOLD_EVERY: u64 = 50;

#[derive(Default)]
struct Sum {
    passed: AtomicU64,
    happened: AtomicU64,
    steps: AtomicU64,
    events: AtomicU64,
    batches: AtomicU64,
    readings: AtomicU64,
    transitions: AtomicU64,
    lost: AtomicU64,
    restarts: AtomicU64,
    reloads: AtomicU64,
}

fn main() -> Result<()> {
    let options = Options::parse();
    if std::env::var_os("DAVY_LOG").is_some() {
        let filter = tracing_subscriber::EnvFilter::from_env("DAVY_LOG");
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            .init();
    }
    let first = options.seed.unwrap_or(1);
    let count = if options.seed.is_some() && std::env::args().all(|arg| !arg.starts_with("--seeds"))
    {
        1
    } else {
        options.seeds
    };
    let (next, failures, sum) = (
        AtomicU64::new(first),
        Mutex::new(Vec::new()),
        Sum::default(),
    );
    let begun = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Relaxed);
                    if seed >= first + count {
                        return;
                    }
                    one(seed, &options, &sum, &failures);
                }
            });
        }
    });
    let failures = failures
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    tell(count, &options, &sum, begun.elapsed().as_secs_f64());
    if !failures.is_empty() {
        bail!(
            "{} of {count} seeds failed:\n{}",
            failures.len(),
            failures.join("\n")
        );
    }
    Ok(())
}

fn one(seed: u64, options: &Options, sum: &Sum, failures: &Mutex<Vec<String>>) {
    let plan = Plan {
        seed,
        days: options.days,
        mutant: options.mutant,
    };
    match run(&plan) {
        Ok(account) => {
            let passed = sum.passed.fetch_add(1, Relaxed) + 1;
            if passed.is_multiple_of(TOLD_EVERY) {
                eprintln!("{passed} seeds passed");
            }
            if options.verbose {
                println!("seed {seed}: {account:?}");
            }
            for (of, more) in [
                (&sum.steps, account.steps),
                (&sum.events, account.events),
                (&sum.batches, account.batches),
                (&sum.readings, account.readings),
                (&sum.transitions, account.transitions),
                (&sum.lost, account.lost),
                (&sum.restarts, account.restarts),
                (&sum.reloads, account.reloads),
                (&sum.happened, account.happened),
            ] {
                of.fetch_add(more, Relaxed);
            }
        }
        Err(error) => {
            eprintln!("{error:#}");
            let mut failures = failures
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            failures.push(format!("{error:#}"));
        }
    }
}

fn tell(count: u64, options: &Options, sum: &Sum, seconds: f64) {
    let days = sum.passed.load(Relaxed) as f64 * options.days;
    println!(
        "{} of {count} seeds of {} days passed: {days:.1} days in {seconds:.1} s, {:.2} days a second, {} faults and acts",
        sum.passed.load(Relaxed),
        options.days,
        days / seconds,
        sum.happened.load(Relaxed),
    );
    println!(
        "{} steps, {} messages and events, {} batches, {} readings, {} transitions, {} batches lost and told, {} starts of gateways, {} changed site files",
        sum.steps.load(Relaxed),
        sum.events.load(Relaxed),
        sum.batches.load(Relaxed),
        sum.readings.load(Relaxed),
        sum.transitions.load(Relaxed),
        sum.lost.load(Relaxed),
        sum.restarts.load(Relaxed),
        sum.reloads.load(Relaxed),
    );
}
