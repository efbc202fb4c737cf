//! What operations cost: CPU of the provider's process, as a ratio to floors measured in the same run.
//!
//! `cargo bench` measures decisions, the endpoints and JSON sign-in (`cargo bench -- decisions` the first alone); `cargo bench -- crowd` fills a database with a million people and
//! compares it to a small one. `SQLite` or `PostgreSQL` behind it measures that engine alone. With `BONAFIDE_TEST_POSTGRES` set on PostgreSQL too. `BENCH_SECONDS` (3) is the time for each
//! operation. CPU, not latency: on a machine that others use too it is by far the steadiest figure.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a bench stops where something is not as it expects"
)]
#![expect(clippy::disallowed_methods, reason = "a bench measures real time and stands outside")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

mod clocks;
mod crowd;
mod decisions;
mod endpoints;
mod floor;
mod http;
mod load;
mod people;
mod provider;
mod report;
mod traces;

use std::{env, time::Duration};

fn main() {
    if let Ok(file) = env::var(floor::FLOOR) {
        return floor::serve_floor(&file);
    }
    let seconds = env::var("BENCH_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(3.0);
    let time = Duration::from_secs_f64(seconds);
    let mut engines = vec![("SQLite", None)];
    if let Ok(url) = env::var("BONAFIDE_TEST_POSTGRES") {
        engines.push(("PostgreSQL", Some(url)));
    }
    // `cargo bench` itself adds `--bench`.
    let mut wanted: Vec<String> = env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    if wanted.iter().any(|wanted| engines.iter().any(|(name, _)| name == wanted)) {
        engines.retain(|(name, _)| wanted.iter().any(|wanted| wanted == name));
        wanted.retain(|wanted| !["SQLite", "PostgreSQL"].contains(&wanted.as_str()));
    }
    let is_wanted = |name: &str| wanted.iter().any(|wanted| wanted == name);
    let signature = clocks::signature_ms(time);
    let hash = clocks::hash_ms();
    println!("floors, ms of CPU: an RSA-2048 signature {signature:.4}, an Argon2id hash (64 MiB, t=3, p=1) {hash:.1}");
    let decision = (wanted.is_empty() || is_wanted("decisions")).then(|| decisions::measure(signature, time));
    for (name, postgres) in &engines {
        if let Some(alone) = decision {
            decisions::measure_endpoint(name, postgres.as_deref(), signature, alone, time);
        }
        if wanted.is_empty() || is_wanted("endpoints") {
            endpoints::measure(name, postgres.as_deref(), signature, time);
        }
        if wanted.is_empty() || is_wanted("traces") {
            traces::measure(name, postgres.as_deref(), time);
        }
        if wanted.is_empty() || is_wanted("people") {
            people::measure(name, postgres.as_deref(), signature, hash, time);
        }
        if is_wanted("crowd") {
            crowd::measure(name, postgres.as_deref(), time);
        }
    }
}
