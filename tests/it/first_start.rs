//! The very first start: who is made administrator, and what the files look like.

use std::{
    fs,
    io::Read as _,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::Value;

use crate::{
    engines::{replace, sign_in, started_by, until_ready},
    support::{Binary, Browser, Engine, Listen, Place, Wire},
};

const EMAIL: &str = "root@example.org";
const PASSWORD: &str = "plum violin 42 harbour";

async fn people(place: &Place) -> Vec<Value> {
    place.cli(&["user", "list", "--json"]).await.json()
}

each_engine!(lg_21_the_administrator_of_the_settings_is_made_once);
async fn lg_21_the_administrator_of_the_settings_is_made_once(engine: Engine) {
    let settings = [("bootstrap.admin_email", EMAIL), ("bootstrap.admin_password", PASSWORD)];
    let mut binary = Binary::first_start(engine, &settings).await;
    let made = people(&binary).await;
    assert_eq!(made.len(), 1, "{made:#?}");
    assert_eq!((made[0]["email"].as_str(), &made[0]["roles"]), (Some(EMAIL), &serde_json::json!(["admin"])));
    sign_in(&mut binary.browser(), EMAIL, PASSWORD).await.expect_status(303);
    sign_in(&mut binary.browser(), EMAIL, "another password 1").await.expect_status(422);
    assert!(!format!("{}{}", binary.stdout(), binary.stderr()).contains(PASSWORD));

    // Later the settings do nothing: neither for the one they made, nor for another.
    let other = "quiet otter 17 lantern";
    binary.place().cli_with_input(&["user", "set-password", EMAIL, "--password-stdin"], other).await.expect_success();
    binary.terminate().await;
    let mut changed = binary.place().settings(Listen::AsSet);
    replace(&mut changed, "bootstrap.admin_email", "intruder@example.org");
    let child = started_by(&["nice", "-n", "0"], binary.place().command(&changed).arg("serve"));
    until_ready(binary.setting("management.listen")).await;
    sign_in(&mut binary.browser(), EMAIL, other).await.expect_status(303);
    sign_in(&mut binary.browser(), EMAIL, PASSWORD).await.expect_status(422);
    sign_in(&mut binary.browser(), "intruder@example.org", PASSWORD).await.expect_status(422);
    drop(child);
    assert_eq!(people(&binary).await.len(), 1);
}

each_engine!(lg_21_without_a_terminal_nobody_is_made);
async fn lg_21_without_a_terminal_nobody_is_made(engine: Engine) {
    let binary = Binary::first_start(engine, &[]).await;
    binary.expect_log("bonafide user create").await;
    assert_eq!(people(&binary).await, Vec::<Value>::new());
    for guess in ["admin", "password", "bonafide", ""] {
        assert_ne!(sign_in(&mut binary.browser(), "admin", guess).await.status.as_u16(), 303);
    }
}

#[tokio::test]
async fn lg_21_a_weak_first_password_is_refused() {
    for weak in ["secret", "password", "bonafide"] {
        let settings = [("bootstrap.admin_email", EMAIL), ("bootstrap.admin_password", weak)];
        let place = Place::empty(Engine::Sqlite, &settings).await;
        let output = place.cli(&["serve"]).await;
        assert!(!output.status.success() && output.stderr.contains("bootstrap"), "{output}");
        assert_eq!(people(&place).await, Vec::<Value>::new());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_terminal_the_one_time_password_is_shown_and_works() {
    let place = Place::empty(Engine::Sqlite, &[]).await;
    let command = place.command(&place.settings(Listen::AsSet));
    let program = command.get_program().to_str().expect("its name").to_owned();
    let mut script = Command::new("script");
    script.args(["-qefc", &format!("exec {program} serve"), "/dev/null"]).env_clear().current_dir(place.path());
    script.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("script");
    let (said, mut from) = (Arc::new(Mutex::new(String::new())), child.stdout.take().expect("its output"));
    let to = Arc::clone(&said);
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(length @ 1..) = from.read(&mut bytes) {
            to.lock().expect("the text").push_str(&String::from_utf8_lossy(&bytes[..length]));
        }
    });
    until_ready(place.setting("management.listen")).await;
    let mut password = None;
    for _ in 0..300 {
        let text = said.lock().expect("the text").clone();
        password =
            text.split("with the password ").nth(1).and_then(|rest| rest.split_whitespace().next()).map(str::to_owned);
        if password.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let text = said.lock().expect("the text").clone();
    let password = password.unwrap_or_else(|| panic!("no password: {text}"));
    assert!(password.len() >= 16, "{text}");
    assert_eq!(text.matches(&password).count(), 1, "shown once: {text}");
    let email = people(&place).await[0]["email"].as_str().expect("an address").to_owned();
    assert!(text.contains(&email), "{text}");
    let wire = Wire::new(place.issuer(), place.setting("listen"));
    sign_in(&mut Browser::new(wire), &email, &password).await.expect_status(303);
    let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id())).expect("its children");
    for id in children.split_whitespace() {
        Command::new("kill").args(["-s", "TERM", id]).status().expect("kill");
    }
    child.wait().expect("its end");
}

/// OP-03: whatever the umask, nobody else reads keys or database.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn op_03_files_are_private_under_any_umask() {
    let place = Place::empty(Engine::Sqlite, &[]).await;
    let mut settings = place.settings(Listen::AsSet);
    let (data, keys) = (place.path().join("own-data"), place.path().join("own-keys"));
    replace(&mut settings, "database.url", &format!("sqlite://{}", data.join("bonafide.db").display()));
    replace(&mut settings, "keys.dir", &keys.display().to_string());
    let child = started_by(&["sh", "-c", "umask 000; exec \"$0\" \"$@\""], place.command(&settings).arg("serve"));
    until_ready(place.setting("management.listen")).await;
    let mode = |path: &Path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    for folder in [&data, &keys] {
        assert_eq!(mode(folder), 0o700, "{}", folder.display());
        let files: Vec<_> =
            fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
        assert!(!files.is_empty());
        for file in files {
            assert_eq!(mode(&file), 0o600, "{}", file.display());
        }
    }
    assert!(data.join("bonafide.db-wal").exists() && keys.join("master.key").exists());
    drop(child);
}
