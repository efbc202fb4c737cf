//! JSON sign-in, refresh and `me`, as front ends call them.

use std::{thread, time::Duration};

use serde_json::json;

use super::http::{Connection, get, post_json};
use super::load::{CONNECTIONS, Cost, closed_loop};
use super::provider::{PASSWORD, Place, Provider, drop_database};
use super::report::{Row, print_table};

/// A front end with a person's tokens.
pub(crate) struct FrontEnd {
    connection: Connection,
    /// The number of the person who signs in next.
    next: u64,
    access_token: String,
    refresh_token: String,
}

impl FrontEnd {
    /// Front ends whose first people are those with these numbers, all signed in at once.
    pub(crate) fn signed_in(provider: &Provider, numbers: impl Iterator<Item = u64>) -> Vec<Self> {
        let open = |number| {
            let connection = Connection::open(provider.address);
            let mut one = Self { connection, next: number, access_token: String::new(), refresh_token: String::new() };
            one.sign_in(&email(number));
            one
        };
        thread::scope(|threads| {
            let opening: Vec<_> = numbers.map(|number| threads.spawn(move || open(number))).collect();
            opening.into_iter().map(|thread| thread.join().expect("a front end")).collect()
        })
    }

    fn sign_in(&mut self, email: &str) {
        let request = post_json("/auth/login", "", &json!({ "email": email, "password": PASSWORD }));
        let reply = self.connection.send(&request).expect(200);
        self.access_token = reply.member("accessToken");
        self.refresh_token = reply.member("refreshToken");
    }

    fn refresh(&mut self) {
        let bearer = format!("authorization: Refresh {}\r\n", self.refresh_token);
        let reply = self.connection.send(&post_json("/auth/refresh", &bearer, &json!({}))).expect(200);
        self.refresh_token = reply.member("refreshToken");
    }

    fn me(&mut self) {
        let bearer = format!("authorization: Bearer {}\r\n", self.access_token);
        self.connection.send(&get("/auth/me", &bearer)).expect(200);
    }
}

/// Everybody signs in again and again: each time as another of so many people, spread over all of them.
pub(crate) fn sign_ins(
    processes: (u32, Option<&str>),
    time: Duration,
    front_ends: &mut [FrontEnd],
    people: u64,
) -> Cost {
    closed_loop(processes, time, front_ends, |front_end: &mut FrontEnd| {
        front_end.next = (front_end.next + 7919 * CONNECTIONS as u64) % people;
        front_end.sign_in(&email(front_end.next));
        true
    })
}

pub(crate) fn refreshes(processes: (u32, Option<&str>), time: Duration, front_ends: &mut [FrontEnd]) -> Cost {
    closed_loop(processes, time, front_ends, |front_end: &mut FrontEnd| {
        front_end.refresh();
        true
    })
}

pub(crate) fn email(number: u64) -> String {
    format!("user{number}@example.org")
}

pub(crate) fn measure(engine: &str, postgres: Option<&str>, signature: f64, hash: f64, time: Duration) {
    let place = Place::new(postgres);
    place.cli(&["user", "create", "--email", &email(0), "--verified", "--password-stdin", "--json"], PASSWORD);
    let provider = place.start();
    let database = place.database.clone();
    let processes = (provider.child.id(), database.as_deref());
    let mut front_ends = FrontEnd::signed_in(&provider, std::iter::repeat_n(0, CONNECTIONS));

    let mut rows = Vec::new();
    // A refresh at /auth/refresh signs one token: an access token, no ID token.
    let floor = ("one signature", signature);
    let cost = refreshes(processes, time, &mut front_ends);
    rows.push(Row {
        what: "/auth/refresh",
        cost,
        floor: ("two signatures", signature * 2.0),
        gate: Some(1.7),
        goal: Some(1.4),
    });
    let cost = closed_loop(processes, time, &mut front_ends, |front_end: &mut FrontEnd| {
        front_end.me();
        true
    });
    rows.push(Row { what: "GET /auth/me", cost, floor, gate: None, goal: None });
    // A hash takes long: few of them in the time of the others.
    let cost = sign_ins(processes, time * 4, &mut front_ends, 1);
    rows.push(Row { what: "JSON sign-in", cost, floor: ("one hash", hash), gate: Some(1.1), goal: None });
    print_table(engine, &rows);
    drop(provider);
    drop_database(postgres, database.as_deref());
}
