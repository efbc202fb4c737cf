//! The program: hands over to the command line.

use std::process::ExitCode;

/// glibc gives large blocks back after every use and takes them anew; this one keeps them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    bonafide::cli::main()
}
