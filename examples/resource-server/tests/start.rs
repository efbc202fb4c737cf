//! The program says what it is not told. (What it does beside a provider, `tests/it/resource_server.rs` of the main package tries.)
#![expect(clippy::expect_used, reason = "a test says what it expects by stopping when it is not so")]

use std::process::{Command, Output};

fn start(variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_resource-server"));
    command.env_clear().envs(variables.iter().copied()).output().expect("the program")
}

#[test]
fn it_names_what_is_missing() {
    for (variables, told) in [
        (&[][..], "not set: ISSUER, AUDIENCE, CLIENT_ID, CLIENT_SECRET (API_KEY does instead of a client)"),
        (&[("ISSUER", "http://localhost:9"), ("API_KEY", "bfk_x")], "not set: AUDIENCE"),
        (&[("ISSUER", "http://localhost:9"), ("AUDIENCE", "a"), ("CLIENT_ID", "x")], "not set: CLIENT_SECRET"),
        (&[("ISSUER", ""), ("AUDIENCE", "a"), ("API_KEY", "bfk_x")], "not set: ISSUER"),
    ] {
        let output = start(variables);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), format!("resource-server: {told}\n"));
    }
}

#[test]
fn it_names_an_address_that_is_no_address() {
    let output =
        start(&[("ISSUER", "http://localhost:9"), ("AUDIENCE", "a"), ("API_KEY", "bfk_x"), ("LISTEN", "nowhere")]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("nowhere"), "{output:?}");
}
