//! The `millrace` command; everything it does is in the library beside it.

use std::process::ExitCode;

fn main() -> ExitCode {
    millrace_local::run()
}
