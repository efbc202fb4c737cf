//! Passwords: which are taken (OWASP ASVS 5.0, 6.2), how they are kept, and how those of other programs come over.

use serde_json::{Value, json};

use crate::{
    api_accounts::{expect_problem, login, post},
    support::{Person, TestServer},
};

const PASSWORD: &str = "plum violin 42 harbour";
/// Of that password, made by libxcrypt and by Python's hashlib.
const IMPORTED: [(&str, &str); 4] = [
    ("bcrypt", "$2b$04$abcdefghijklmnopqrstuuqoBmfKThyF9gvVHnYSKVa9hKeth565y"),
    ("phc", "$pbkdf2-sha256$i=1000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$e4E5XjJyWq4VIvnfCwWtqaMMZBoxWLZyC+HrgVuMSDI"),
    (
        "sha512",
        "$pbkdf2-sha512$i=1000$MDEyMzQ1Njc4OWFiY2RlZg$AQ+pkgZT9PA4aOoRNgW0qmqn6KWmM0b5lckC+wT9UCjcUn7YXbSTdzwbk1JKrNo70WYxD3qtb+qCEKXzrFW89A",
    ),
    ("django", "pbkdf2_sha256$1000$0123456789abcdef$e4E5XjJyWq4VIvnfCwWtqaMMZBoxWLZyC+HrgVuMSDI="),
];
/// As this program makes them today.
const OURS: &str = "$argon2id$v=19$m=19456,t=1,p=1$";

/// The row of somebody, as the database has it.
async fn row(server: &TestServer, username: &str) -> String {
    let dump = server.dump_tables(&[]).await;
    let rows: Vec<&String> = dump["users"].iter().filter(|row| row.contains(username)).collect();
    assert_eq!(rows.len(), 1, "{rows:#?}");
    rows[0].clone()
}

async fn import(server: &TestServer, text: &str) -> crate::support::CliOutput {
    let file = server.place().path().join("people.toml");
    std::fs::write(&file, text).expect("writing");
    server.place().cli(&["user", "import", file.to_str().expect("a path"), "--json"]).await
}

fn attempt(username: &str, password: &str) -> Value {
    json!({"username": username, "password": password})
}

/// The names of events about somebody, newest first.
async fn events(server: &TestServer, who: &str) -> Vec<String> {
    let listed: Vec<Value> = server.place().cli(&["audit", "list", "--user", who, "--json"]).await.json();
    listed.iter().filter_map(|event| event["kind"].as_str().map(str::to_owned)).collect()
}

both_engines!(h2_6_lg_16_hashes_of_other_programs_are_good_for_one_sign_in);
/// H2-6, H0-1, LG-16: verified once, then replaced by ours.
async fn h2_6_lg_16_hashes_of_other_programs_are_good_for_one_sign_in(server: TestServer) {
    let people = IMPORTED.map(|(name, hash)| format!("[[user]]\nusername = '{name}'\npassword_hash = '{hash}'\n"));
    let people = people.concat();
    let report: Value = import(&server, &people).await.json();
    assert!(report.as_array().expect("a list").iter().all(|one| one["outcome"] == "created"), "{report}");
    for (name, hash) in IMPORTED {
        assert!(row(&server, name).await.contains(hash), "{name}");
        // Wrong is wrong as for anybody, and changes nothing.
        let wrong = post(&server, "/auth/login", &attempt(name, "plum violin 42 harbours")).await;
        let nobody = post(&server, "/auth/login", &attempt("nobody", PASSWORD)).await;
        assert_eq!((wrong.status, wrong.said()), (nobody.status, nobody.said()), "{name}");
        assert_eq!(expect_problem(wrong, 400)["code"], "invalid_credentials");
        assert!(row(&server, name).await.contains(hash), "{name}");

        post(&server, "/auth/login", &attempt(name, PASSWORD)).await.expect_status(200);
        let after = row(&server, name).await;
        assert!(after.contains(OURS) && !after.contains(hash), "{name}: {after}");
        assert_eq!(events(&server, name).await.iter().filter(|kind| *kind == "password_rehashed").count(), 1);
        post(&server, "/auth/login", &attempt(name, PASSWORD)).await.expect_status(200);
        assert_eq!(row(&server, name).await, after, "{name}: once");
    }
    // The same file again does not bring the old hashes back.
    let report: Value = import(&server, &people).await.json();
    assert!(report.as_array().expect("a list").iter().all(|one| one["outcome"] == "unchanged"), "{report}");
    assert!(row(&server, "bcrypt").await.contains(OURS));
    // Who is here without a password gets one.
    server.place().cli(&["user", "create", "--username", "later"]).await.expect_success();
    let later = format!("[[user]]\nusername = 'later'\npassword_hash = '{}'\n", IMPORTED[0].1);
    let report: Value = import(&server, &later).await.json();
    assert_eq!(report[0]["changed"], json!(["password_hash"]));
    post(&server, "/auth/login", &attempt("later", PASSWORD)).await.expect_status(200);
}

both_engines!(lg_15_an_import_brings_no_work_without_end);
/// LG-15: what one password may cost is bounded before it is stored.
async fn lg_15_an_import_brings_no_work_without_end(server: TestServer) {
    let before = server.dump().await;
    let (bcrypt, rest) = (IMPORTED[0].1, "$MDEyMzQ1Njc4OWFiY2RlZg$e4E5XjJyWq4VIvnfCwWtqQ");
    for (hash, hint) in [
        (bcrypt.replace("$04$", "$31$"), "cost of 4 to 14"),
        (format!("$pbkdf2-sha256$i=1000000000{rest}"), "iterations"),
        (
            "$argon2id$v=19$m=4194304,t=3,p=1$c29tZXNhbHRzb21l$UXVpdGUgYSBsb25nIGhhc2ggb2YgMzIgYnl0ZXM".to_owned(),
            "256 MiB",
        ),
        ("5f4dcc3b5aa765d61d8327deb882cf99".to_owned(), "neither"),
        ("plain text".to_owned(), "neither"),
    ] {
        let text = format!("[[user]]\nusername = 'eve'\npassword_hash = '{hash}'\n");
        let output = import(&server, &text).await.expect_code(1);
        assert!(output.stderr.contains(hint) && output.stderr.contains("nothing was imported"), "{hint}: {output}");
        assert!(output.stderr.contains("password_hash: "), "{output}");
    }
    let both = format!("[[user]]\nusername = 'eve'\npassword = '{PASSWORD}'\npassword_hash = '{bcrypt}'\n");
    import(&server, &both).await.expect_code(1);
    server.dump().await.expect_same_as(&before);
    let good = format!("[[user]]\nusername = 'eve'\npassword_hash = '{bcrypt}'\n");
    import(&server, &good).await.expect_success();
}

both_engines!(h0_16_h3_15_a_hash_of_other_parameters_is_replaced);
/// H0-16, H3-15: Argon2id, and with today's parameters after the next sign-in.
async fn h0_16_h3_15_a_hash_of_other_parameters_is_replaced(server: TestServer) {
    let older = ["--set", "passwords.memory=19456", "--set", "passwords.iterations=2"];
    let create = ["user", "create", "--username", "ada", "--password-stdin"];
    server.place().cli_with_input(&[&older[..], &create[..]].concat(), PASSWORD).await.expect_success();
    assert!(row(&server, "ada").await.contains("$argon2id$v=19$m=19456,t=2,p=1$"));
    expect_problem(post(&server, "/auth/login", &attempt("ada", "another violin 42")).await, 400);
    assert!(row(&server, "ada").await.contains("$argon2id$v=19$m=19456,t=2,p=1$"), "a wrong one changes nothing");
    post(&server, "/auth/login", &attempt("ada", PASSWORD)).await.expect_status(200);
    let after = row(&server, "ada").await;
    assert!(after.contains(OURS), "{after}");
    post(&server, "/auth/login", &attempt("ada", PASSWORD)).await.expect_status(200);
    assert_eq!(row(&server, "ada").await, after, "once");
    let new = json!({"username": "grace", "password": PASSWORD, "fullName": "Grace Hopper"});
    post(&server, "/auth/signup", &new).await.expect_status(200);
    assert!(row(&server, "grace").await.contains(OURS));
}

both_engines!(h3_22_lg_24_who_has_no_password_has_no_password with [("adapter.secret", "correct horse battery staple and more")]);
/// H3-22, LG-24: somebody who came from another provider is refused as anybody is.
async fn h3_22_lg_24_who_has_no_password_has_no_password(server: TestServer) {
    let call = server.call(reqwest::Method::POST, "/adapter/signup");
    let call = call.header("x-auth-secret", "correct horse battery staple and more");
    call.json(&json!({"email": "grace@example.org", "name": "Grace"})).send().await.expect_status(200);
    let nobody = post(&server, "/auth/login", &json!({"email": "nobody@example.org", "password": PASSWORD})).await;
    for password in [PASSWORD, "", "null"] {
        let body = json!({"email": "grace@example.org", "password": password});
        let refused = post(&server, "/auth/login", &body).await;
        assert_eq!((refused.status, refused.said()), (nobody.status, nobody.said()), "{password:?}");
        expect_problem(refused, 400);
    }
    server.app().accounts.set_password("grace@example.org", PASSWORD).await.expect("a password");
    let body = json!({"email": "grace@example.org", "password": PASSWORD});
    post(&server, "/auth/login", &body).await.expect_status(200);
}

both_engines!(h2_5_lg_22_asvs_6_2_rules_of_passwords with [("limits.enabled", "false")]);
/// ASVS 5.0: 6.2.1 length, 6.2.4 and 6.2.12 common ones, 6.2.5 no composition, 6.2.8 exactly as typed, 6.2.9 long ones,
/// 6.2.10 no rotation, 6.2.11 words of the place and the person.
async fn h2_5_lg_22_asvs_6_2_rules_of_passwords(server: TestServer) {
    let long = "harbour otter lamp ".repeat(7);
    for (number, password) in [
        // Eight characters of one kind; spaces; any script; a phrase of 64, and the longest.
        "tpwqzknm",
        "83920174",
        "  x9 k  ",
        "пароль-длинный",
        &long[..64],
        &long[..128],
    ]
    .into_iter()
    .enumerate()
    {
        let username = format!("person{number}");
        let new = json!({"username": username, "password": password, "fullName": "Grace Hopper"});
        post(&server, "/auth/signup", &new).await.expect_status(200);
        post(&server, "/auth/login", &attempt(&username, password)).await.expect_status(200);
        for other in [
            password.to_uppercase(),
            format!("{password} "),
            password.trim().to_owned(),
            password.chars().skip(1).collect(),
        ] {
            if other != password && password.is_ascii() {
                expect_problem(post(&server, "/auth/login", &attempt(&username, &other)).await, 400);
            }
        }
    }
    for (password, why) in [
        ("tpwqzkn", "short"),
        (&format!("{}x", &long[..128]), "long"),
        ("iloveyou", "common"),
        ("Password1!", "common"),
        ("12345678", "common"),
        ("aaaaaaaaaaaa", "common"),
        ("bonafide2026", "the product"),
        ("localhost!", "the host"),
        ("GraceHopper1", "the person"),
        ("sysadmin-grace", "the username"),
    ] {
        let new = json!({"username": "sysadmin-grace", "password": password, "fullName": "Grace Hopper"});
        let problem = expect_problem(post(&server, "/auth/signup", &new).await, 400);
        assert_eq!(problem["code"], "weak_password", "{why}: {problem}");
        assert!(problem["errors"]["password"].is_array(), "{why}: {problem}");
    }
    // Years later it is as good: nobody is made to change it.
    server.advance(chrono::Duration::days(3 * 365));
    post(&server, "/auth/login", &attempt("person0", "tpwqzknm")).await.expect_status(200);
    // 6.2.6, 6.2.7: hidden as it is typed, and managers and the clipboard may fill it in.
    for path in ["/sign-in", "/sign-up"] {
        let page = server.browser().get(path).await.expect_status(200);
        let field = page.element("password");
        assert_eq!(field.attribute("type"), Some("password"), "{path}");
        assert!(["current-password", "new-password"].map(Some).contains(&field.attribute("autocomplete")), "{path}");
        assert!(field.attribute("maxlength").is_none() && !page.body.contains("onpaste"), "{path}");
    }
}

both_engines!(a_password_of_the_house_is_no_business_of_the_hash);
/// AP-14: neither hash nor password is in any answer about people.
async fn a_password_of_the_house_is_no_business_of_the_hash(server: TestServer) {
    let ada: Person = server.person("ada").await;
    let answer = login(&server, &ada).await;
    for secret in ["argon2", PASSWORD, "password_hash"] {
        assert!(!answer.to_string().contains(secret), "{answer}");
    }
    let shown = server.place().cli(&["user", "show", "ada", "--json"]).await.expect_success();
    assert!(!shown.stdout.contains("argon2"), "{shown}");
}
