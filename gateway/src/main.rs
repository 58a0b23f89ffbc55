//! `davy-gateway`: the edge daemon and its commands.

use std::process::ExitCode;

fn main() -> ExitCode {
    davy_gateway::command_line::main()
}
