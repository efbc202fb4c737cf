//! `cargo run -p migration -- create NAME`: a new, empty migration, named after today and the next number.

use std::path::Path;
use std::process::ExitCode;

const TEMPLATE: &str = include_str!("template.rs.txt");

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["create", name] => report(create(name)),
        _ => report(Err("usage: cargo run -p migration -- create NAME".to_owned())),
    }
}

fn report(outcome: Result<String, String>) -> ExitCode {
    match outcome {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(said) => {
            eprintln!("{said}");
            ExitCode::from(2)
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a file is named after the day it is made on, for people")]
fn today() -> String {
    chrono::Utc::now().format("%Y%m%d").to_string()
}

/// Writes the file and says which two lines of lib.rs make it run.
fn create(name: &str) -> Result<String, String> {
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') {
        return Err(format!("a migration's name has small letters, digits and underscores: {name:?}"));
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let taken = std::fs::read_dir(&folder)
        .map_err(|error| format!("{}: {error}", folder.display()))?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|file| file.starts_with("m2"))
        .count();
    let module = format!("m{}_{:06}_{name}", today(), taken + 1);
    let path = folder.join(format!("{module}.rs"));
    std::fs::write(&path, TEMPLATE).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(format!(
        "made {}\nadd to lib.rs: `mod {module};` and `Box::new({module}::Migration),` as the last of the list",
        path.display()
    ))
}
