//! Signing keys from the command line, beside a running server.

use std::fs;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use openssl::{pkey::Private, rsa::Rsa};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{
    engines::{client_credentials, published, replace, service, started_by, within_a_second},
    support::{Answer, Application, Binary, Engine, Listen, Place},
};

/// The RS256 key in this state.
async fn state(place: &Place, wanted: &str) -> String {
    let keys: Vec<Value> = place.cli(&["key", "list", "--json"]).await.json();
    let ours = keys.iter().filter(|key| key["alg"] == "RS256");
    let mut found = ours.filter(|key| key["state"] == wanted).map(|key| key["kid"].as_str().expect("a kid"));
    let kid = found.next().unwrap_or_else(|| panic!("no {wanted} key: {keys:#?}")).to_owned();
    assert!(wanted == "retired" || wanted == "previous" || found.next().is_none(), "{keys:#?}");
    kid
}

/// The key that a token says it was signed with.
fn signed_by(answer: &Answer) -> String {
    let token = answer.json::<Value>()["access_token"].as_str().expect("a token").to_owned();
    let head = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').next().expect("a head")).expect("base64");
    serde_json::from_slice::<Value>(&head).expect("JSON")["kid"].as_str().expect("a kid").to_owned()
}

async fn signs_with(binary: &Binary, client: &Application, kid: &str) -> bool {
    signed_by(&client_credentials(&binary.wire(), client).await.expect_status(200)) == kid
}

/// RFC 7638 §3: the digest of the required members, sorted, without white space.
fn thumbprint(key: &Value) -> String {
    let canonical = format!(r#"{{"e":{},"kty":"RSA","n":{}}}"#, key["e"], key["n"]);
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(canonical))
}

each_engine!(rotation_waits_for_the_published_key_and_reaches_running_servers);
async fn rotation_waits_for_the_published_key_and_reaches_running_servers(engine: Engine) {
    let binary = Binary::start(engine).await;
    let client = binary.application(&service()).await;
    let (current, next) = (state(&binary, "current").await, state(&binary, "next").await);
    assert!(signs_with(&binary, &client, &current).await);
    assert_eq!(published(&binary.wire()).await, [current.clone(), next.clone()].into());
    let keys: Value = binary.wire().get("/jwks").await.json();
    for key in keys["keys"].as_array().expect("keys").iter().filter(|key| key["alg"] == "RS256") {
        assert_eq!(key["kid"], thumbprint(key));
        assert_eq!((&key["use"], &key["alg"], &key["kty"]), (&"sig".into(), &"RS256".into(), &"RSA".into()));
        for private in ["d", "p", "q", "dp", "dq", "qi"] {
            assert!(key.get(private).is_none(), "{private}");
        }
    }

    // The keys of a prepared place may be older than that by now.
    let now = chrono::Utc::now().timestamp_millis();
    crate::engines::run(&binary, &format!("UPDATE signing_keys SET published_at = {now}")).await;
    let before = binary.dump().await;
    let refused = binary.cli(&["key", "rotate"]).await.expect_code(1);
    assert!(refused.stderr.contains("--now") && refused.stderr.contains("10m"), "{refused}");
    binary.dump().await.expect_same_as(&before);

    let said: Value = binary.cli(&["key", "rotate", "--now", "--json"]).await.json();
    assert_eq!(said, serde_json::json!({"kid": next, "state": "current"}));
    within_a_second("the rotated key signs", || signs_with(&binary, &client, &next)).await;
    let fresh = state(&binary, "next").await;
    assert_eq!(state(&binary, "previous").await, current);
    assert_eq!(published(&binary.wire()).await, [current, next, fresh].into());
}

each_engine!(a_next_key_that_has_been_published_for_ten_minutes_is_promoted);
async fn a_next_key_that_has_been_published_for_ten_minutes_is_promoted(engine: Engine) {
    let place = Place::prepared(engine, &[]).await;
    let next = state(&place, "next").await;
    let published = |ago: i64| {
        let at = chrono::Utc::now().timestamp_millis() - ago;
        format!("UPDATE signing_keys SET published_at = {at}")
    };
    crate::engines::run(&place, &published(570_000)).await;
    place.cli(&["key", "rotate"]).await.expect_code(1);
    crate::engines::run(&place, &published(601_000)).await;
    place.cli(&["key", "rotate"]).await.expect_success();
    assert_eq!(state(&place, "current").await, next);
}

each_engine!(a_retired_key_is_unpublished_and_its_tokens_end);
async fn a_retired_key_is_unpublished_and_its_tokens_end(engine: Engine) {
    let binary = Binary::start(engine).await;
    let person = binary.person("ada").await;
    let application = binary.application(&crate::support::web_application()).await;
    let flow = crate::support::Flow::new(&application);
    let tokens = flow.tokens(&binary.wire(), &mut binary.browser(), &person).await;
    let token = tokens.access_token();
    let userinfo = || async { binary.wire().call(reqwest::Method::GET, "/userinfo").bearer(&token).send().await };

    let old = state(&binary, "current").await;
    let refused = binary.cli(&["key", "retire", &old]).await.expect_code(1);
    assert!(refused.stderr.contains("bonafide key rotate"), "{refused}");
    binary.cli(&["key", "rotate", "--now"]).await.expect_success();
    within_a_second("the old key stays published", || async { published(&binary.wire()).await.len() == 3 }).await;
    userinfo().await.expect_status(200);

    let said: Value = binary.cli(&["key", "retire", &old, "--json"]).await.json();
    assert_eq!(said, serde_json::json!({"kid": old, "state": "retired"}));
    within_a_second("the key is gone", || async { !published(&binary.wire()).await.contains(&old) }).await;
    userinfo().await.expect_status(401);
    let unknown = binary.cli(&["key", "retire", "nobody"]).await.expect_code(1);
    assert!(unknown.stderr.contains("bonafide key list"), "{unknown}");
}

/// A private key as a file of this format.
fn pem(key: &Rsa<Private>, pkcs8: bool) -> Vec<u8> {
    if pkcs8 {
        openssl::pkey::PKey::from_rsa(key.clone()).expect("a key").private_key_to_pem_pkcs8().expect("PEM")
    } else {
        key.private_key_to_pem().expect("PEM")
    }
}

each_engine!(an_imported_key_is_published_and_then_signs);
async fn an_imported_key_is_published_and_then_signs(engine: Engine) {
    let binary = Binary::start(engine).await;
    let client = binary.application(&service()).await;
    let file = binary.path().join("own.pem");
    let import = || async { binary.cli(&["key", "import", &file.display().to_string(), "--json"]).await };
    for pkcs8 in [true, false] {
        let key = Rsa::generate(2048).expect("a key");
        fs::write(&file, pem(&key, pkcs8)).expect("writing");
        let public = serde_json::json!({
            "e": BASE64_URL_SAFE_NO_PAD.encode(key.e().to_vec()),
            "n": BASE64_URL_SAFE_NO_PAD.encode(key.n().to_vec()),
        });
        let kid = thumbprint(&public);
        assert_eq!(import().await.json::<Value>(), serde_json::json!({"kid": kid, "state": "next"}));
        within_a_second("the imported key is published", || async { published(&binary.wire()).await.contains(&kid) })
            .await;
        assert!(!signs_with(&binary, &client, &kid).await, "a key that was published a moment ago does not sign");
        let again = import().await.expect_code(1);
        assert!(again.stderr.contains(&kid), "{again}");
        binary.cli(&["key", "rotate", "--now"]).await.expect_success();
        within_a_second("the imported key signs", || signs_with(&binary, &client, &kid)).await;
    }

    let before = binary.dump().await;
    fs::write(&file, pem(&Rsa::generate(1024).expect("a key"), true)).expect("writing");
    let short = import().await.expect_code(1);
    assert!(short.stderr.contains("2048"), "{short}");
    fs::write(&file, "-----BEGIN NONSENSE-----").expect("writing");
    import().await.expect_code(1);
    let missing = binary.cli(&["key", "import", "nowhere.pem"]).await.expect_code(1);
    assert!(missing.stderr.contains("nowhere.pem"), "{missing}");
    binary.dump().await.expect_same_as(&before);
}

each_engine!(a_node_with_another_master_key_refuses_to_start);
async fn a_node_with_another_master_key_refuses_to_start(engine: Engine) {
    let place = Place::prepared(engine, &[]).await;
    let mut settings = place.settings(Listen::AsSet);
    replace(&mut settings, "keys.dir", &place.path().join("other-keys").display().to_string());
    let before = place.dump().await;
    let output = place.command(&settings).arg("serve").output().expect("the program");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("master key") && said.contains("keys.dir"), "{said}");
    place.dump().await.expect_same_as(&before);
    assert!(!place.path().join("other-keys").exists(), "no other master key is made");
    // The right one still opens them.
    let child = started_by(&["nice", "-n", "0"], place.command(&place.settings(Listen::AsSet)).arg("serve"));
    crate::engines::until_ready(place.setting("management.listen")).await;
    drop(child);
}
