//! Flat cost: what refresh and sign-in cost with a million people and five million spent refresh tokens, against ten thousand
//! people and fifty thousand tokens in the same database.

use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend};

use super::load::{CONNECTIONS, Cost};
use super::people::{FrontEnd, email, refreshes, sign_ins};
use super::provider::{PASSWORD, Place, drop_database};

const FEW: u64 = 10_000;
const MANY: u64 = 1_000_000;
/// Spent refresh tokens of each person's grant.
const SPENT: u64 = 5;
const ROUNDS: usize = 3;

pub(crate) fn measure(engine: &str, postgres: Option<&str>, time: Duration) {
    let place = Place::new(postgres);
    // User 0 is made by the program; the others are copies of their row.
    place.cli(&["user", "create", "--email", &email(0), "--verified", "--password-stdin", "--json"], PASSWORD);
    drop(place.start());
    fill(&place, 1, FEW);
    let few = costs(&place, FEW, time);
    let began = Instant::now();
    fill(&place, FEW, MANY);
    println!("\n{engine}: filled in {:.0} s", began.elapsed().as_secs_f64());
    let many = costs(&place, MANY, time);

    println!("{:<16} {:>12} {:>12} {:>7} {:>6}  verdict", "ms of CPU", FEW, MANY, "ratio", "gate");
    for (what, few, many) in [("/auth/refresh", &few.0, &many.0), ("JSON sign-in", &few.1, &many.1)] {
        let all = |cost: &Cost| cost.ms + cost.database_ms;
        let ratio = all(many) / all(few);
        let verdict = if ratio > 1.2 { "ABOVE THE GATE" } else { "good" };
        println!("{what:<16} {:>12.4} {:>12.4} {ratio:>7.2} {:>6.2}  {verdict}", all(few), all(many), 1.2);
    }
    drop_database(postgres, place.database.as_deref());
}

/// What a refresh and a sign-in cost now: the median round, database included.
fn costs(place: &Place, people: u64, time: Duration) -> (Cost, Cost) {
    let provider = place.start();
    let processes = (provider.child.id(), place.database.as_deref());
    let numbers = (0..CONNECTIONS as u64).map(|number| number * (people / CONNECTIONS as u64));
    let mut front_ends = FrontEnd::signed_in(&provider, numbers);
    // Cold pages are read once; what is compared is the cost of every day.
    refreshes(processes, time, &mut front_ends);
    let refresh = median(|| refreshes(processes, time, &mut front_ends));
    let sign_in = median(|| sign_ins(processes, time * 4, &mut front_ends, people));
    (refresh, sign_in)
}

fn median(measure: impl FnMut() -> Cost) -> Cost {
    let mut rounds: Vec<Cost> = std::iter::repeat_with(measure).take(ROUNDS).collect();
    rounds.sort_by(|a, b| (a.ms + a.database_ms).total_cmp(&(b.ms + b.database_ms)));
    rounds.swap_remove(ROUNDS / 2)
}

/// Makes the people from one number up to another, each with a grant and the spent tokens of it.
fn fill(place: &Place, from: u64, to: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let database = sea_orm::Database::connect(&place.settings["DATABASE__URL"]).await.expect("the database");
        let mut first = from;
        while first < to {
            let last = (first + 50_000).min(to) - 1;
            fill_some(&database, first, last).await;
            first = last + 1;
        }
        let settle = if database.get_database_backend() == DbBackend::Postgres { "VACUUM ANALYZE" } else { "ANALYZE" };
        database.execute_unprepared(settle).await.expect(settle);
        database.close().await.expect("closing");
    });
}

async fn fill_some(database: &DatabaseConnection, first: u64, last: u64) {
    let postgres = database.get_database_backend() == DbBackend::Postgres;
    let (numbers, spent, random) = if postgres {
        (
            format!("generate_series({first}, {last}) AS n(i)"),
            format!("generate_series(1, {SPENT}) AS k(j)"),
            "sha256((random()::text || n.i)::bytea)",
        )
    } else {
        let count = |name: &str, column: &str, from: u64, to: u64| {
            format!(
                "(WITH RECURSIVE {name}({column}) AS (SELECT {from} UNION ALL SELECT {column} + 1 FROM {name} WHERE {column} < {to}) \
                 SELECT {column} FROM {name}) AS {name}"
            )
        };
        (count("n", "i", first, last), count("k", "j", 1, SPENT), "randomblob(32)")
    };
    let id = |kind: u8| {
        if postgres {
            format!("('0000000{kind}-0000-7000-8000-' || lpad(to_hex(n.i), 12, '0'))::uuid")
        } else {
            format!("unhex('0000000{kind}000070008000' || printf('%012x', n.i))")
        }
    };
    let (user, grant) = (id(1), id(2));
    let statements = [
        "BEGIN".to_owned(),
        format!(
            "INSERT INTO users (id, email, email_canonical, name, password_hash, email_verified_at, created_at, updated_at) \
             SELECT {user}, 'user' || n.i || '@example.org', 'user' || n.i || '@example.org', 'User ' || n.i, u.password_hash, \
             u.email_verified_at, u.created_at, u.updated_at FROM {numbers} CROSS JOIN users u \
             WHERE u.email_canonical = '{}'",
            email(0)
        ),
        format!(
            "INSERT INTO grants (id, client_id, user_id, scope, auth_time, acr, amr, offline, token_hash, created_at, expires_at, ends_at) \
             SELECT {grant}, c.id, {user}, 'openid offline_access', u.created_at, '1', 'pwd', true, {random}, u.created_at, \
             u.created_at + 2592000000, u.created_at + 31536000000 FROM {numbers} CROSS JOIN users u \
             CROSS JOIN (SELECT id FROM clients LIMIT 1) c WHERE u.email_canonical = '{}'",
            email(0)
        ),
        format!(
            "INSERT INTO spent_refresh_tokens (hash, grant_id, spent_at) SELECT {}, {grant}, u.created_at \
             FROM {numbers} CROSS JOIN {spent} CROSS JOIN users u WHERE u.email_canonical = '{}'",
            if postgres { "sha256((random()::text || n.i || '-' || k.j)::bytea)" } else { "randomblob(32)" },
            email(0)
        ),
        "COMMIT".to_owned(),
    ];
    // One connection: the transaction is to be in one.
    database.execute_unprepared(&statements.join(";\n")).await.unwrap_or_else(|error| panic!("{error}"));
}
