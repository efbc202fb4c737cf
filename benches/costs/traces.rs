//! What traces cost: refused requests with and without them, and one that succeeds.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::http::{Connection, get, post};
use super::load::{CONNECTIONS, Cost, closed_loop};
use super::provider::{Place, Provider, drop_database};
use super::report::{Row, print_table};

/// Rounds that are measured in turn, so that whatever else the machine does hits both alike.
const ROUNDS: u32 = 10;

/// How long a node that has just started is left to itself, at least.
const SETTLING: Duration = Duration::from_secs(5);

/// What is asked: a name, the request, the status of the answer, and how much more it may cost with traces.
type Asked = (&'static str, Vec<u8>, u16, f64);

pub(crate) fn measure(engine: &str, postgres: Option<&str>, time: Duration) {
    let mut place = Place::new(postgres);
    let client = ["client", "create", "--name", "Bench", "--redirect-uri", "http://127.0.0.1:9/callback"];
    let grants = ["--grant", "authorization_code", "--grant", "client_credentials", "--json"];
    let client = place.cli(&[&client[..], &grants[..]].concat(), "");
    let (id, secret) =
        (client["client_id"].as_str().expect("an id"), client["client_secret"].as_str().expect("a secret"));
    let basic = format!("authorization: Basic {}\r\n", BASE64_STANDARD.encode(format!("{id}:{secret}")));
    let code = [
        ("grant_type", "authorization_code"),
        ("code", "bfc_unknown"),
        ("redirect_uri", "http://127.0.0.1:9/callback"),
        ("code_verifier", "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"),
    ];
    let authorize =
        format!("/authorize?response_type=code&client_id={id}&redirect_uri=https%3A%2F%2Fshop.example%2F&state=one");
    let asked: [Asked; 3] = [
        ("refused token", post("/token", &basic, &code), 400, 1.05),
        ("refused authorize", get(&authorize, ""), 400, 1.05),
        ("client_credentials", post("/token", &basic, &[("grant_type", "client_credentials")]), 200, 1.03),
    ];
    let mut start = |kept: &str| {
        place.settings.insert("TRACES__KEPT", kept.to_owned());
        place.settings.insert("LISTEN", free_address());
        place.settings.insert("MANAGEMENT__LISTEN", free_address());
        place.start()
    };
    let (without, with) = (start("0s"), start("24h"));
    let database = place.database.as_deref();
    // The one that starts first makes keys for a while.
    for node in [&without, &with] {
        cost(node, database, &asked[1].1, asked[1].2, time.max(SETTLING));
    }
    let mut rows = Vec::new();
    for (what, request, status, gate) in &asked {
        let (mut plain, mut traced) = (0.0, None::<Cost>);
        for _ in 0..ROUNDS {
            plain += cost(&without, database, request, *status, time / ROUNDS).ms / f64::from(ROUNDS);
            let one = cost(&with, database, request, *status, time / ROUNDS);
            let sum = traced.take().map_or((0.0, 0), |cost| (cost.ms, cost.operations));
            traced = Some(Cost { ms: sum.0 + one.ms / f64::from(ROUNDS), operations: sum.1 + one.operations, ..one });
        }
        let cost = traced.expect("a round");
        rows.push(Row { what, cost, floor: ("without traces", plain), gate: Some(*gate), goal: None });
    }
    print_table(engine, &rows);
    drop((without, with));
    drop_database(postgres, place.database.as_deref());
}

fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").to_string()
}

fn cost(provider: &Provider, database: Option<&str>, request: &[u8], status: u16, time: Duration) -> Cost {
    let mut connections: Vec<Connection> = (0..CONNECTIONS).map(|_| Connection::open(provider.address)).collect();
    closed_loop((provider.child.id(), database), time, &mut connections, |connection| {
        connection.send(request).expect(status);
        true
    })
}
