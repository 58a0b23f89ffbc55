//! `davy-cloud`: the collector and its commands.

use std::process::ExitCode;

fn main() -> ExitCode {
    davy_cloud::command_line::main()
}
