//! The floor of HTTP: a bare axum handler that sends the same bytes and headers, in a process of its own.

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use super::http::{Connection, Reply, get};
use super::load::{CONNECTIONS, closed_loop};

pub(crate) const FLOOR: &str = "BONAFIDE_BENCH_FLOOR";

/// CPU of a bare axum handler, in a process of its own, that sends the same bytes and headers.
pub(crate) fn floor_ms(folder: &Path, path: &str, reply: &Reply, time: Duration) -> f64 {
    let file = folder.join("floor");
    let head: String =
        reply.head.lines().skip(1).filter(|line| !line.is_empty()).fold(String::new(), |head, line| head + line + "\n");
    fs::write(&file, [head.as_bytes(), b"\n", &reply.body].concat()).expect("writing");
    let mut child = Command::new(env::current_exe().expect("this program"))
        .env(FLOOR, &file)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the floor");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("its address");
    let address = line.trim().parse().expect("an address");
    let request = get(path, "");
    let mut connections: Vec<_> = (0..CONNECTIONS).map(|_| Connection::open(address)).collect();
    let cost = closed_loop((child.id(), None), time, &mut connections, |connection: &mut Connection| {
        connection.send(&request).expect(200);
        true
    });
    child.kill().expect("its end");
    child.wait().expect("its end");
    cost.ms
}

/// The floor's process: the answer that the file holds, to every request.
pub(crate) fn serve_floor(file: &str) {
    use axum::http::{HeaderMap, HeaderName, HeaderValue};
    let bytes = fs::read(file).expect("the answer");
    let end = bytes.windows(2).position(|pair| pair == b"\n\n").expect("an end of the head");
    let (head, body) =
        (String::from_utf8_lossy(&bytes[..end]).into_owned(), axum::body::Bytes::from(bytes[end + 2..].to_vec()));
    let headers: HeaderMap = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| !["date", "content-length"].contains(&name.to_ascii_lowercase().as_str()))
        .map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            (name, HeaderValue::from_str(value.trim()).expect("a value"))
        })
        .collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        println!("{}", listener.local_addr().expect("an address"));
        let answer = move || {
            let (headers, body) = (headers.clone(), body.clone());
            async move { (headers, body) }
        };
        let router = axum::Router::new().route("/{*path}", axum::routing::get(answer));
        axum::serve(listener, router).await.expect("serving");
    });
}
