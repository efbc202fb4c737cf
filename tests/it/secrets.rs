//! Secrets stay where they belong: not in logs, not in the database, not guessable.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bonafide::platform::random::{Random, SystemRandom};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{
    engines::{sign_in, within_a_second},
    support::{Answer, Binary, Engine, Flow, web_application},
};

/// What must not be found anywhere, by what it is.
#[derive(Default)]
struct Secrets(BTreeMap<String, BTreeSet<String>>);

impl Secrets {
    fn add(&mut self, what: &str, secret: &str) {
        assert!(secret.len() >= 8, "{what} is too short to be looked for: {secret}");
        self.0.entry(what.to_owned()).or_default().insert(secret.to_owned());
    }

    fn add_page(&mut self, answer: &Answer) {
        for form in answer.forms() {
            if let Some(token) = form.value("csrf") {
                self.add("form token", token);
            }
        }
    }

    fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|(what, all)| all.iter().map(move |secret| (what.as_str(), secret.as_str())))
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Does everything that there is to do, well and badly; the secrets that were used. `refresh_token` is the one good at the end.
async fn use_everything(binary: &Binary) -> (Secrets, String) {
    let mut secrets = Secrets::default();
    let wire = binary.wire();
    let person = binary.person("ada").await;
    let application = binary.application(&web_application()).await;
    secrets.add("password", &person.password);
    secrets.add("client secret", application.secret());
    secrets.add("Basic credentials", &BASE64_STANDARD.encode(format!("{}:{}", application.id, application.secret())));

    let flow = Flow::new(&application);
    secrets.add("code verifier", &flow.verifier);
    let mut browser = binary.browser();
    let page = flow.open(&mut browser).await.expect_status(200);
    secrets.add_page(&page);
    let wrong = "a wrong password 99";
    secrets.add("wrong password", wrong);
    let typed = [("username", person.username.as_str()), ("password", wrong)];
    let again = browser.submit(&page.form("/sign-in"), Some("sign-in"), &typed).await.expect_status(422);
    secrets.add_page(&again);
    let reply = flow.sign_in(&mut browser, &person).await;
    secrets.add("code", reply.code());
    for cookie in browser.cookies() {
        secrets.add("cookie", cookie.value());
    }
    let tokens = flow.exchange(&wire, reply.code()).await.expect_tokens();
    let fresh = flow.refresh(&wire, &tokens.refresh_token()).await.expect_tokens();
    for tokens in [&tokens, &fresh] {
        secrets.add("access token", &tokens.access_token());
        secrets.add("refresh token", &tokens.refresh_token());
        secrets.add("ID token", &tokens.id_token());
    }
    let userinfo = wire.call(reqwest::Method::GET, "/userinfo").bearer(&fresh.access_token()).send().await;
    assert_eq!(userinfo.expect_status(200).json::<Value>()["sub"], person.id.as_str());
    // Opaque tokens, asked after and given back, rightly and by somebody else.
    let opaque = bonafide::clients::Draft { token_format: Some("opaque".to_owned()), ..web_application() };
    let opaque = binary.application(&opaque).await;
    secrets.add("client secret", opaque.secret());
    let asked = Flow::new(&opaque).path();
    within_a_second("another new client", || async { wire.get(&asked).await.status == 303 }).await;
    let given = Flow::new(&opaque).tokens(&wire, &mut browser, &person).await;
    for token in [given.access_token(), given.refresh_token()] {
        for (path, client) in [("/introspect", &opaque), ("/revoke", &application), ("/revoke", &opaque)] {
            client.post(wire.call(reqwest::Method::POST, path), &[("token", &token)]).await.expect_status(200);
        }
        secrets.add("opaque token", &token);
    }
    // A provider that is declared, and whoever shows a token that it has not made.
    let secret = "our-secret-at-another-provider";
    secrets.add("client secret there", secret);
    let declared = format!("issuer = 'https://op.example'\nclient_id = 'ours'\nclient_secret = '{secret}'");
    binary.cli_with_input(&["provider", "set", "op", "-"], &declared).await.expect_success();
    let shown = serde_json::json!({"provider": "nobody", "idToken": "somebodys-id-token-elsewhere"});
    secrets.add("foreign ID token", "somebodys-id-token-elsewhere");
    wire.call(reqwest::Method::POST, "/auth/oAuthlogin").json(&shown).send().await.expect_status(401);
    // An API key, its successor, used and asked after, and one that nobody has made.
    let created = ["api-key", "create", "--user", "ada", "--name", "laptop", "--scope", "account", "--json"];
    let created: Value = binary.cli(&created).await.json();
    let id = created["id"].as_str().expect("its id");
    let rotated = binary.cli(&["api-key", "rotate", id, "--overlap", "1h", "--quiet"]).await.expect_success();
    let keys = [created["key"].as_str().expect("a key"), rotated.stdout.trim()];
    for (key, status) in [(keys[0], 200), (keys[1], 200), ("bfk_somebodys-secret-that-is-no-key-of-ours-at-all0", 401)]
    {
        wire.call(reqwest::Method::GET, "/auth/me").bearer(key).send().await.expect_status(status);
        for path in ["/introspect", "/revoke"] {
            application.post(wire.call(reqwest::Method::POST, path), &[("token", key)]).await.expect_status(200);
        }
        secrets.add("API key", key);
    }
    // A client's second secret.
    let rotate = ["client", "rotate-secret", &opaque.id, "--overlap", "1h", "--quiet"];
    secrets.add("client secret", binary.cli(&rotate).await.expect_success().stdout.trim());
    // A code that is replayed, a token that is none, a secret that is wrong, a person who signs up, one who signs out.
    flow.exchange(&wire, "bfc_not-a-code-but-somebodys-secret").await.0.expect_error(400, "invalid_grant");
    secrets.add("guessed code", "bfc_not-a-code-but-somebodys-secret");
    wire.call(reqwest::Method::GET, "/userinfo").bearer("somebodys-other-secret").send().await.expect_status(401);
    secrets.add("foreign token", "somebodys-other-secret");
    let impostor = application.with_auth(crate::support::ClientAuth::Post("a-secret-of-another-client".to_owned()));
    let refused = impostor.post(wire.call(reqwest::Method::POST, "/token"), &[("grant_type", "refresh_token")]).await;
    refused.expect_error(401, "invalid_client");
    secrets.add("wrong client secret", "a-secret-of-another-client");
    let mut other = binary.browser();
    let page = other.get("/sign-up").await.expect_status(200);
    let typed = [("email", "grace@example.org"), ("name", "Grace"), ("password", "copper lantern 77 fjord")];
    let signed_up = other.submit(&page.form("/sign-up"), Some("sign-up"), &typed).await;
    assert!(signed_up.status.is_redirection(), "{signed_up:#?}");
    secrets.add("password of a new account", "copper lantern 77 fjord");
    secrets.add_page(&page);
    let mut third = binary.browser();
    sign_in(&mut third, "grace@example.org", "copper lantern 77 fjord").await.expect_status(303);
    for cookie in other.cookies().chain(third.cookies()) {
        secrets.add("cookie", cookie.value());
    }
    let hinted = format!("/logout?id_token_hint={}", fresh.id_token());
    let cookies: Vec<_> = browser.cookies().map(|cookie| cookie.stripped().to_string()).collect();
    wire.call(reqwest::Method::GET, &hinted).header("cookie", cookies.join("; ")).send().await;
    let offline = fresh.refresh_token();
    let still = flow.refresh(&wire, &offline).await.expect_tokens();
    secrets.add("refresh token", &still.refresh_token());
    secrets.add("access token", &still.access_token());
    (secrets, still.refresh_token())
}

each_engine!(op_01_no_secret_is_logged);
/// OP-01: the most talkative log there is holds none of them.
async fn op_01_no_secret_is_logged(engine: Engine) {
    let mut binary = Binary::with(engine, &[("log.level", "trace")]).await;
    let (secrets, _) = use_everything(&binary).await;
    binary.wire().get("/jwks").await.expect_status(200);
    binary.terminate().await;
    let said = format!("{}{}", binary.stdout(), binary.stderr());
    // The control: every request is told of.
    let answered = said.lines().filter(|line| line.contains("\"answered\"")).count();
    assert!(answered >= 15 && said.contains("/userinfo"), "the log is not talkative: {said}");
    let found: Vec<_> = secrets
        .iter()
        .filter_map(|(what, secret)| {
            let line = said.lines().find(|line| line.contains(secret))?;
            Some(format!("{what} in: {line:.600}"))
        })
        .collect();
    assert!(found.is_empty(), "{found:#?}");
    let url = binary.setting("database.url");
    if let Some(password) = url::Url::parse(url).ok().and_then(|url| url.password().map(str::to_owned)) {
        assert!(!said.contains(&password), "the database's password");
    }
}

each_engine!(op_02_rf_11_tj_24_no_secret_is_stored);
/// OP-02, RF-11, TJ-24: tables hold hashes and sealed bytes, and on SQLite neither do its files.
async fn op_02_rf_11_tj_24_no_secret_is_stored(engine: Engine) {
    let binary = Binary::start(engine).await;
    let (secrets, refresh_token) = use_everything(&binary).await;
    let dump = binary.dump_tables(&[]).await;
    let mut text = String::new();
    for (table, rows) in &*dump {
        for row in rows {
            let _ = writeln!(text, "{table}: {row}");
        }
    }
    let lower = text.to_lowercase();
    // The controls: what is stored is found, and so is a hash.
    assert!(text.contains("grace@example.org"), "{text}");
    assert!(lower.contains(&hex(&Sha256::digest(&refresh_token))), "{text}");

    let mut files = Vec::new();
    if engine == Engine::Sqlite {
        for entry in std::fs::read_dir(binary.path().join("data")).expect("its folder") {
            files.extend(std::fs::read(entry.expect("a file").path()).expect("its bytes"));
        }
        assert!(files.windows(17).any(|bytes| bytes == b"grace@example.org"));
    }
    for (what, secret) in secrets.iter() {
        assert!(!text.contains(secret), "{what} is stored");
        assert!(!lower.contains(&hex(secret.as_bytes())), "{what} is stored as bytes");
        assert!(!files.windows(secret.len()).any(|bytes| bytes == secret.as_bytes()), "{what} is in the file");
    }
    assert!(!text.contains("PRIVATE KEY") && !lower.contains(&hex(b"PRIVATE KEY")), "a signing key is not sealed");
}

/// TJ-24: 256 bits, URL-safe, never twice.
#[test]
fn tj_24_opaque_secrets_have_256_bits() {
    let random: &dyn Random = &SystemRandom;
    let mut seen = BTreeSet::new();
    for _ in 0..100_000 {
        let token = random.token("bfr_");
        let value = token.strip_prefix("bfr_").expect("its prefix").to_owned();
        assert_eq!(value.len(), 43, "{value}");
        assert!(value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{value}");
        assert!(seen.insert(value), "twice");
    }
    // Every character has to be possible at every place but the last, which holds four bits.
    for place in 0..42 {
        let here: BTreeSet<u8> = seen.iter().map(|value| value.as_bytes()[place]).collect();
        assert_eq!(here.len(), 64, "place {place}");
    }
}

each_engine!(tj_24_what_is_handed_out_has_256_bits);
async fn tj_24_what_is_handed_out_has_256_bits(engine: Engine) {
    let binary = Binary::start(engine).await;
    let person = binary.person("ada").await;
    let application = binary.application(&web_application()).await;
    let flow = Flow::new(&application);
    let mut browser = binary.browser();
    let reply = flow.sign_in(&mut browser, &person).await;
    let tokens = flow.exchange(&binary.wire(), reply.code()).await.expect_tokens();
    let refresh_token = tokens.refresh_token();
    for (prefix, secret) in [("bfc_", reply.code()), ("bfr_", &refresh_token), ("bfs_", application.secret())] {
        let random = secret.strip_prefix(prefix).unwrap_or_else(|| panic!("no {prefix}: {secret}"));
        assert!(random.len() >= 43, "{secret}");
    }
    for cookie in browser.cookies() {
        assert!(!cookie.value().contains(&person.id) && cookie.value().len() >= 22, "{cookie}");
    }
}
