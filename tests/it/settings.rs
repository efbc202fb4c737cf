//! Settings, with the real program: what does not do is refused in one line; what does is shown with where it came from.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt as _};

use bonafide::platform::settings::{Settings, Sources};
use serde_json::Value;

use crate::support::{CliOutput, Engine, Place, TestServer};

/// A refusal: exit code 2, nothing on stdout, one line that holds all of this.
#[track_caller]
fn expect_refusal(output: CliOutput, parts: &[&str]) {
    let output = output.expect_code(2);
    assert_eq!(output.stdout, "", "{output}");
    assert_eq!(output.stderr.trim_end().lines().count(), 1, "{output}");
    for part in parts {
        assert!(output.stderr.contains(part), "{part:?} is not in: {output}");
    }
}

#[tokio::test]
async fn what_does_not_do_is_refused_in_one_line() {
    let cases: [(&str, &str, &str, &str); 20] = [
        ("nope.nope", "1", "nope.nope", "no such setting"),
        ("http.max_body", "big", "http.max_body", "whole number"),
        ("limits.enabled", "yes", "limits.enabled", "true or false"),
        ("tokens.id_lifetime", "soon", "tokens.id_lifetime", "duration"),
        ("tokens.code_lifetime", "11m", "tokens.code_lifetime", "10m"),
        ("listen", "example", "listen", "localhost:PORT"),
        ("proxies.trusted", "10.0.0.0/8,10.0.0.0/99", "proxies.trusted", "IP address"),
        ("log.format", "colourful", "log.format", "colourful"),
        ("passwords.memory", "1024", "passwords.memory", "19456"),
        ("database.url", "mysql://u:hunter2@h/d", "database.url", "postgres://"),
        ("adapter.secret", "thirty-one characters are few..", "adapter.secret", "32"),
        ("adapter.secret", "", "adapter.secret", "empty"),
        ("storage.url", "ftp://pictures", "storage.url", "s3://"),
        ("storage.endpoint", "minio", "storage.endpoint", "URL"),
        ("credentials.client_id", "", "credentials.client_id", "client"),
        ("issuer", "http://id.example.com", "issuer", "https"),
        ("issuer", "https://id.example.com/auth", "issuer", "path"),
        ("issuer", "https://id.example.com/", "issuer", "trailing slash"),
        ("issuer", "id.example.com", "issuer", "URL"),
        ("issuer", "ftp://id.example.com", "issuer", "https"),
    ];
    for (name, value, setting, reason) in cases {
        let place = Place::prepared(Engine::Sqlite, &[(name, value)]).await;
        let variable = format!("BONAFIDE_{}", name.to_uppercase().replace('.', "__"));
        for arguments in [&["serve"][..], &[], &["user", "list", "--json"]] {
            let output = place.cli(arguments).await;
            assert!(!output.stderr.contains("hunter2"), "{output}");
            expect_refusal(output, &[&format!("setting {setting} "), &variable, reason]);
        }
    }
}

/// One that does, then what goes wrong with another value.
#[tokio::test]
async fn providers_that_cannot_be_meant_are_refused_by_name() {
    let corp = [
        ("providers.corp.issuer", "https://op.example.com"),
        ("providers.corp.client_id", "us"),
        ("providers.corp.client_secret", "hunter2"),
    ];
    let place = Place::prepared(Engine::Sqlite, &corp).await;
    place.cli(&["user", "list", "--json"]).await.expect_success();

    let cases = [
        ("providers.corp.colour", "red", "no such setting"),
        ("providers.corp.sign_up", "perhaps", "true or false"),
        ("providers.corp.preset", "bing", "google"),
        ("providers.corp.client_auth", "guess", "private_key_jwt"),
        ("providers.corp.client_id", "", "must be set"),
        ("providers.corp.client_secret", "", "must be set"),
        ("providers.corp.issuer", "", "must be set"),
        ("providers.corp.issuer", "http://localhost:1", "outgoing.allow"),
        ("providers.corp.issuer", "https://op.example.com/?tenant=a", "query"),
        ("providers.corp.scopes", "openid profile", "spaces"),
        ("providers.corp.scopes", "profile", "openid"),
        ("providers.corp.domains", "Example.com", "small letters"),
        ("providers.corp.profile_always", "shoe=size", "declared attribute"),
        ("providers.corp.profile_always", "=name", "picture=avatar_url"),
        ("providers.corp.roles", "staff=The Boss", "GROUP=ROLE"),
        ("providers.corp.assurance", "mfa", "amr:VALUE=ACR"),
        ("accounts.sign_up_domains", "@example.com", "example.com"),
    ];
    for (name, value, reason) in cases {
        let settings = [&corp[..], &[(name, value)]].concat();
        let place = Place::prepared(Engine::Sqlite, &settings).await;
        let variable = format!("BONAFIDE_{}", name.to_uppercase().replace('.', "__"));
        let output = place.cli(&["serve"]).await;
        assert!(!output.stderr.contains("hunter2"), "{output}");
        expect_refusal(output, &[&format!("setting {name} "), &variable, reason]);
    }

    // A name that cannot be, and one that would be in the way of our own pages.
    for name in ["my_corp", "link"] {
        let (id, auth) = (format!("providers.{name}.client_id"), format!("providers.{name}.client_auth"));
        let place = Place::prepared(Engine::Sqlite, &[(&id, "us"), (&auth, "none")]).await;
        expect_refusal(place.cli(&["serve"]).await, &[&format!("setting providers.{name} "), "name"]);
    }
}

/// A file declares one, the environment gives it its secret; Google needs no file.
#[tokio::test]
async fn providers_come_from_everywhere_and_their_secrets_are_hidden() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = folder.path().join("secret");
    fs::write(&secret, "hunter2\n").expect("writing");
    let environment = [
        ("providers.google.client_id", "us.apps.example.com"),
        ("providers.google.client_secret_file", secret.to_str().expect("a path")),
        ("providers.corp.client_secret", "hunter2"),
        ("providers.corp.domains", "example.com, example.org"),
    ];
    let place = Place::prepared(Engine::Sqlite, &environment).await;
    let path = place.path().join("own.toml");
    let file = path.display().to_string();
    fs::write(&path, "[providers.corp]\nissuer = 'https://op.example.com'\nclient_id = 'us'\n").expect("writing");

    let arguments = ["--config", &file];
    let settings = config(&place, &arguments).await;
    let of = |name: &str| (settings[name].0.as_str(), settings[name].1.as_str());
    let variable = "environment BONAFIDE_PROVIDERS__GOOGLE__CLIENT_SECRET_FILE";
    assert_eq!(of("providers.google.client_secret"), ("[hidden]", variable));
    assert_eq!(of("providers.google.preset"), ("google", "default"));
    let variable = "environment BONAFIDE_PROVIDERS__CORP__CLIENT_SECRET";
    assert_eq!(of("providers.corp.client_secret"), ("[hidden]", variable));
    assert_eq!(of("providers.corp.issuer"), ("https://op.example.com", file.as_str()));
    assert_eq!(of("providers.corp.domains").0, r#"["example.com","example.org"]"#);
    let shown = place.cli(&["config", "--config", &file]).await.expect_success();
    assert!(!shown.to_string().contains("hunter2"), "{shown}");
    // Both are the program's to start with.
    place.cli(&["user", "list", "--config", &file]).await.expect_success();
}

/// With an explicit override an http issuer that is not loopback does.
#[tokio::test]
async fn an_insecure_issuer_needs_an_explicit_word() {
    let settings = [("issuer", "http://id.example.com"), ("allow_insecure_issuer", "true")];
    let place = Place::prepared(Engine::Sqlite, &settings).await;
    place.cli(&["user", "list", "--json"]).await.expect_success();
}

#[tokio::test]
async fn files_are_strict_and_named() {
    let place = Place::prepared(Engine::Sqlite, &[]).await;
    let path = place.path().join("own.toml");
    let file = path.display().to_string();
    let cases = [
        ("[database]\nuri = 'x'", "database.uri", "no such setting"),
        ("[http]\nmax_body = 'big'", "http.max_body", "must be a whole number, not a text"),
        ("[[http]]\nmax_body = 1", "http", "no such setting"),
        ("issuer = ", "syntax", "own.toml"),
    ];
    for (text, setting, reason) in cases {
        fs::write(&path, text).expect("writing");
        expect_refusal(place.cli(&["serve", "--config", &file]).await, &[setting, &file, reason]);
    }
    expect_refusal(
        place.cli(&["serve", "--config", "nowhere.toml"]).await,
        &["--config", "nowhere.toml", "No such file"],
    );
    expect_refusal(place.cli(&["serve", "--set", "nope=1"]).await, &["setting nope", "flag", "no such setting"]);
    expect_refusal(place.cli(&["serve", "--set", "nope"]).await, &["NAME=VALUE"]);
}

#[tokio::test]
async fn secrets_come_from_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("password");
    fs::write(&path, "hunter2hunter2\n").expect("writing");
    let file = path.display().to_string();
    let place = Place::prepared(Engine::Sqlite, &[("bootstrap.admin_password_file", &file)]).await;
    let settings = config(&place, &[]).await;
    assert_eq!(settings["bootstrap.admin_password"].0, "[hidden]");
    assert_eq!(settings["bootstrap.admin_password"].1, "environment BONAFIDE_BOOTSTRAP__ADMIN_PASSWORD_FILE");

    let place = Place::prepared(Engine::Sqlite, &[("bootstrap.admin_password_file", "/nowhere/password")]).await;
    let parts =
        ["bootstrap.admin_password", "BONAFIDE_BOOTSTRAP__ADMIN_PASSWORD_FILE", "/nowhere/password", "No such file"];
    expect_refusal(place.cli(&["serve"]).await, &parts);
}

/// Name → value and origin, as `bonafide config --json` shows them.
async fn config(place: &Place, arguments: &[&str]) -> BTreeMap<String, (String, String)> {
    let arguments = [&["config", "--json"], arguments].concat();
    let listed: Vec<Value> = place.cli(&arguments).await.json();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let value = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    listed.iter().map(|one| (text(&one["name"]), (value(&one["value"]), text(&one["origin"])))).collect()
}

#[tokio::test]
async fn config_shows_every_setting_its_origin_and_no_secret() {
    let secrets = [
        ("database.url", "postgres://u:hunter2@127.0.0.1:1/d"),
        ("bootstrap.admin_password", "hunter2hunter2"),
        ("proxies.trusted", "10.0.0.0/8, 192.168.0.0/16"),
        ("log.level", "error"),
    ];
    let place = Place::prepared(Engine::Sqlite, &secrets).await;
    let path = place.path().join("own.toml");
    let file = path.display().to_string();
    fs::write(&path, "[log]\nlevel = 'warn'\nformat = 'json'\n[tokens]\nrefresh_grace = '5s'\n").expect("writing");

    let settings = config(&place, &["--config", &file, "--set", "tokens.refresh_grace=7s"]).await;
    assert_eq!(settings["log.level"], ("error".to_owned(), "environment BONAFIDE_LOG__LEVEL".to_owned()));
    assert_eq!(settings["log.format"], ("json".to_owned(), file.clone()));
    assert_eq!(settings["tokens.refresh_grace"], ("7s".to_owned(), "flag".to_owned()));
    assert_eq!(settings["tokens.id_lifetime"], ("1h".to_owned(), "default".to_owned()));
    assert_eq!(settings["proxies.trusted"].0, r#"["10.0.0.0/8","192.168.0.0/16"]"#);
    for name in ["database.url", "bootstrap.admin_password"] {
        assert_eq!(settings[name].0, "[hidden]", "{name}");
    }
    let shown = place.cli(&["config"]).await.expect_success();
    assert!(!shown.to_string().contains("hunter2"), "{shown}");
    assert!(shown.stdout.contains("environment BONAFIDE_DATABASE__URL"), "{shown}");

    let documented: toml::Table = include_str!("../../config/bonafide.toml").parse().expect("TOML");
    let mut tables = vec![(String::new(), &documented)];
    while let Some((prefix, table)) = tables.pop() {
        for (name, value) in table {
            match value.as_table() {
                Some(inner) => tables.push((format!("{prefix}{name}."), inner)),
                None => assert!(settings.contains_key(&format!("{prefix}{name}")), "{prefix}{name}"),
            }
        }
    }
}

/// OP-03: a master key that others can read, or that is no key, is refused by name.
#[tokio::test]
async fn h0_5_op_03_a_key_file_that_does_not_do_is_refused() {
    let place = Place::prepared(Engine::Sqlite, &[]).await;
    place.cli(&["user", "list"]).await.expect_success();
    let key = place.path().join("keys/master.key");
    let name = key.display().to_string();
    for mode in [0o640, 0o604, 0o666] {
        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).expect("its mode");
        expect_refusal(place.cli(&["serve"]).await, &["keys.dir", &name, "readable by others", "chmod 600"]);
    }
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("its mode");
    // LG-21: no weak or missing key material.
    for content in [&b""[..], b"secret", &[7; 31]] {
        fs::write(&key, content).expect("writing");
        expect_refusal(place.cli(&["serve"]).await, &["keys.dir", &name, "32 bytes"]);
    }
    fs::remove_file(&key).expect("removing");
    fs::create_dir(&key).expect("a folder in its place");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o700)).expect("its mode");
    expect_refusal(place.cli(&["serve"]).await, &["keys.dir", &name, "directory"]);
}

/// OP-06: without a word nobody outside this machine can reach anything, and health and metrics have a listener of their own.
#[test]
fn h2_10_op_06_defaults_listen_on_loopback_only() {
    let settings = Settings::load(&Sources::default()).expect("the defaults");
    let (front, management) = (settings.listen.addresses(), settings.management.listen.addresses());
    assert!(front.iter().chain(&management).all(|address| address.ip().is_loopback()), "{front:?} {management:?}");
    assert!(front.iter().all(|address| !management.contains(address)));
    assert_eq!(settings.issuer, "http://localhost:8080");
}

#[tokio::test]
async fn dev_refuses_other_listeners_than_loopback() {
    let place = Place::prepared(Engine::Sqlite, &[("listen", "0.0.0.0:0")]).await;
    expect_refusal(place.cli(&["serve", "--dev"]).await, &["--dev", "loopback"]);
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    let place = Place::prepared(Engine::Sqlite, &[("listen", &address)]).await;
    expect_refusal(place.cli(&["serve"]).await, &["listen", &address, "in use"]);
}

#[tokio::test]
async fn doctor_tells_health_from_faults() {
    let place = Place::prepared(Engine::Sqlite, &[]).await;
    let checks: Vec<Value> = place.cli(&["doctor", "--json"]).await.json();
    assert!(checks.iter().all(|check| check["ok"] == true), "{checks:#?}");
    for looked_at in ["settings", "issuer", "database", "schema", "keys", "clock"] {
        assert!(checks.iter().any(|check| check["check"] == looked_at), "{looked_at}: {checks:#?}");
    }
    let key = place.path().join("keys/master.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("its mode");
    let output = place.cli(&["doctor"]).await.expect_code(1);
    assert!(output.stdout.contains("FAULT") && output.stdout.contains("chmod 600"), "{output}");
}

/// A provider that is not there, or is another one, is a fault with its name.
#[tokio::test]
async fn doctor_looks_at_other_providers() {
    let upstream = TestServer::start(Engine::Sqlite).await;
    let issuer = upstream.issuer().to_owned();
    let port = issuer.rsplit_once(':').expect("a port").1;
    // The same, by a name that it does not go by.
    let alias = format!("http://127.0.0.1:{port}");
    let (elsewhere, realm) = ("http://localhost:1".to_owned(), format!("{issuer}/realm"));
    let allow = format!("localhost:{port},127.0.0.1:{port},localhost:1");
    for (issuer, fault) in [
        (&issuer, None),
        (&alias, Some(issuer.as_str())),
        (&realm, Some("404")),
        (&elsewhere, Some("refused")),
        (&"https://10.0.0.1".to_owned(), Some("outgoing.allow")),
    ] {
        let settings = [
            ("providers.corp.issuer", issuer.as_str()),
            ("providers.corp.client_id", "us"),
            ("providers.corp.client_auth", "private_key_jwt"),
            ("outgoing.allow", &allow),
            // Off: nobody asks.
            ("providers.old.issuer", "https://10.0.0.2"),
            ("providers.old.client_id", "us"),
            ("providers.old.client_auth", "none"),
            ("providers.old.enabled", "false"),
        ];
        let place = Place::prepared(Engine::Sqlite, &settings).await;
        let output = place.cli(&["doctor", "--json"]).await.expect_code(i32::from(fault.is_some()));
        let checks: Vec<Value> = serde_json::from_str(&output.stdout).expect("JSON");
        let found: Vec<_> = checks.iter().filter(|check| check["check"] == "provider").collect();
        assert_eq!(found.len(), 1, "{checks:#?}");
        assert_eq!(found[0]["ok"], fault.is_none(), "{checks:#?}");
        let said = found[0]["message"].as_str().expect("a text");
        assert!(said.contains("corp") && said.contains(fault.unwrap_or(issuer)), "{said}");
    }
}
