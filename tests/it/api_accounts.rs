//! The JSON API for people: accounts, sign-in, refresh, logout, as the documents' front ends call it. Holes of the documents have
//! their numbers in the names of the tests that look for them.

use bonafide::identity::AccountChange;
use chrono::DateTime;
use reqwest::Method;
use serde_json::{Value, json};

use crate::mail::server_with_mail;
use crate::support::{
    Answer, Engine, Person, TestServer, at_once,
    made::{self},
};

pub(crate) const PASSWORD: &str = "plum violin 42 harbour";

pub(crate) async fn post(server: &TestServer, path: &str, body: &Value) -> Answer {
    server.call(Method::POST, path).json(body).send().await
}

pub(crate) async fn get(server: &TestServer, path: &str, token: &str) -> Answer {
    server.call(Method::GET, path).bearer(token).send().await
}

/// Signs in as the documents' front end does; the tokens.
pub(crate) async fn login(server: &TestServer, person: &Person) -> Value {
    let body = json!({"email": person.email, "password": person.password});
    post(server, "/auth/login", &body).await.expect_status(200).json()
}

pub(crate) fn text<'v>(value: &'v Value, member: &str) -> &'v str {
    value[member].as_str().unwrap_or_else(|| panic!("no text {member} in {value}"))
}

/// A problem document with this status, and nothing of the inside in it.
#[track_caller]
pub(crate) fn expect_problem(answer: Answer, status: u16) -> Value {
    let answer = answer.expect_status(status);
    assert_eq!(answer.header("content-type"), "application/problem+json", "{answer:#?}");
    assert_eq!(answer.header("cache-control"), "no-store", "{answer:#?}");
    let problem: Value = answer.json();
    assert_eq!(problem["status"], status, "{answer:#?}");
    assert!(problem["message"].is_string() && problem["title"].is_string(), "{answer:#?}");
    assert!(problem["errors"].is_object(), "{answer:#?}");
    for word in ["line 1", "SELECT", "sqlx", "serde", "struct", "src/"] {
        assert!(!answer.body.contains(word), "{word}: {answer:#?}");
    }
    problem
}

#[track_caller]
pub(crate) fn expect_code(answer: Answer, status: u16, code: &str) -> Value {
    let problem = expect_problem(answer, status);
    assert_eq!(problem["code"], code, "{problem}");
    problem
}

pub(crate) async fn refresh(server: &TestServer, token: &str) -> Answer {
    server.call(Method::POST, "/auth/refresh").header("authorization", format!("Refresh {token}")).send().await
}

pub(crate) async fn refreshed(server: &TestServer, token: &str) -> Value {
    refresh(server, token).await.expect_status(200).json()
}

both_engines!(h2_2_signup_and_signin_answer_what_the_document_says_and_nothing_else);
async fn h2_2_signup_and_signin_answer_what_the_document_says_and_nothing_else(server: TestServer) {
    let new = json!({"username": "grace", "password": PASSWORD, "fullName": "Grace Hopper"});
    let made: Value = post(&server, "/auth/signup", &new).await.expect_status(200).json();
    assert_eq!((text(&made, "username"), text(&made, "fullName")), ("grace", "Grace Hopper"));
    assert_eq!(made.as_object().expect("an object").len(), 3, "{made}");
    assert!(uuid::Uuid::parse_str(text(&made, "id")).is_ok_and(|id| id.get_version_num() == 7), "{made}");

    let taken = post(&server, "/auth/signup", &new).await;
    let problem = expect_code(taken, 400, "username_taken");
    assert_eq!(problem["message"], "Username exists");

    let body = json!({"username": "grace", "password": PASSWORD});
    let answer = post(&server, "/auth/signin", &body).await.expect_status(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let signed_in: Value = answer.json();
    let mut members: Vec<_> = signed_in.as_object().expect("an object").keys().cloned().collect();
    members.sort();
    assert_eq!(members, ["accessToken", "expiresIn", "fullName", "id", "refreshToken", "username"]);
    // AP-14: no hash, whatever the endpoint.
    for path in ["/auth/me", "/users/profile", "/user/profile", &format!("/auth/{}", text(&made, "id"))] {
        let person = get(&server, path, text(&signed_in, "accessToken")).await.expect_status(200);
        assert!(!person.body.contains("argon2") && !person.body.contains("assword"), "{person:#?}");
    }

    let wrong = json!({"username": "grace", "password": "another violin 42"});
    let problem = expect_code(post(&server, "/auth/signin", &wrong).await, 400, "invalid_credentials");
    assert_eq!(problem["message"], "Invalid Login Credentials");
}

both_engines!(h2_1_h3_23_tokens_expire_and_say_when);
async fn h2_1_h3_23_tokens_expire_and_say_when(server: TestServer) {
    let ada = server.person("ada").await;
    let answer = login(&server, &ada).await;
    let tokens = &answer["backendTokens"];
    assert_eq!(answer["accessToken"], tokens["accessToken"]);
    assert_eq!(answer["refreshToken"], tokens["refreshToken"]);
    // H3-25: an instant in milliseconds, of the access token.
    let expires = tokens["expiresIn"].as_i64().expect("a number");
    let now = server.now().timestamp_millis();
    assert!((now + 890_000..=now + 900_000).contains(&expires), "{expires} at {now}");
    let token = text(&answer, "accessToken");
    get(&server, "/auth/me", token).await.expect_status(200);
    server.advance_seconds(901);
    expect_code(get(&server, "/auth/me", token).await, 401, "invalid_token");
    let fresh = refreshed(&server, text(&answer, "refreshToken")).await;
    assert!(fresh["expiresIn"].as_i64().expect("a number") > expires);
    get(&server, "/auth/me", text(&fresh, "accessToken")).await.expect_status(200);
}

both_engines!(a_person_is_what_the_contract_says);
async fn a_person_is_what_the_contract_says(server: TestServer) {
    let ada = server.person("ada").await;
    let answer = login(&server, &ada).await;
    let user = &answer["user"];
    assert_eq!((text(user, "id"), text(user, "email")), (ada.id.as_str(), ada.email.as_str()));
    assert_eq!((text(user, "name"), text(user, "fullName")), (ada.name.as_str(), ada.name.as_str()));
    assert_eq!(user["roles"], json!([]));
    assert_eq!(user["image"], Value::Null);
    for member in ["emailVerified", "created_at", "updated_at"] {
        let instant = text(user, member);
        assert!(DateTime::parse_from_rfc3339(instant).is_ok() && instant.ends_with('Z'), "{member} {instant}");
    }
    let me: Value = get(&server, "/auth/me", text(&answer, "accessToken")).await.expect_status(200).json();
    assert_eq!(&me, user);
}

both_engines!(h0_9_lg_01_every_refusal_of_a_sign_in_is_the_same);
async fn h0_9_lg_01_every_refusal_of_a_sign_in_is_the_same(server: TestServer) {
    let ada = server.person("ada").await;
    let off = server.person("olga").await;
    server.app().accounts.set_disabled("olga", true).await.expect("disabling");
    for path in ["/auth/login", "/auth/signin"] {
        let attempt = |username: &str, password: &str| {
            let (server, body) = (&server, json!({"username": username, "password": password}));
            async move { post(server, path, &body).await }
        };
        let wrong = attempt(&ada.username, "another violin 42").await;
        let unknown = attempt("nobody", PASSWORD).await;
        let disabled = attempt(&off.username, PASSWORD).await;
        let problem = expect_code(wrong.clone(), 400, "invalid_credentials");
        assert_eq!(problem["errors"], json!({}));
        for other in [unknown, disabled] {
            assert_eq!(other.said(), wrong.said());
            assert_eq!(other.status, wrong.status);
            assert!(other.headers.keys().eq(wrong.headers.keys()), "{other:#?}");
        }
        attempt(&ada.username, PASSWORD).await.expect_status(200);
    }
}

both_engines!(h0_8_lg_11_attempts_are_counted_and_a_success_clears_none);
/// H0-8, LG-05, LG-11: at the JSON door the attempts are counted with those of the page, and a success clears nothing.
async fn h0_8_lg_11_attempts_are_counted_and_a_success_clears_none(server: TestServer) {
    let (ada, eve) = (server.person("ada").await, server.person("eve").await);
    let wrong = json!({"email": ada.email, "password": "another violin 42"});
    for _ in 0..5 {
        expect_code(post(&server, "/auth/login", &wrong).await, 400, "invalid_credentials");
        login(&server, &eve).await;
    }
    let right = json!({"email": ada.email, "password": ada.password});
    for body in [&wrong, &right] {
        let answer = post(&server, "/auth/login", body).await;
        assert!(answer.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0), "{answer:#?}");
        expect_code(answer, 400, "throttled");
    }
    server.advance_seconds(15 * 60 + 1);
    login(&server, &ada).await;
}

both_engines!(h0_11_h2_9_al_22_bodies_are_strict);
/// H0-11, LG-20, AL-22, H2-9: bodies are read by their types, and hold nothing else.
async fn h0_11_h2_9_al_22_bodies_are_strict(server: TestServer) {
    let good = json!({"email": "grace@example.org", "password": PASSWORD, "name": "Grace"});
    let before = server.dump().await;
    for (member, value) in [
        ("role", json!("admin")),
        ("roles", json!(["admin"])),
        ("id", json!("0193e4b0-0000-7000-8000-000000000000")),
        ("emailVerified", json!("2026-01-01T00:00:00Z")),
        ("isAdmin", json!(true)),
        ("passwordHash", json!("x")),
    ] {
        let mut body = good.clone();
        body[member] = value;
        let problem = expect_problem(post(&server, "/auth/register", &body).await, 400);
        assert!(problem["errors"][member].is_array(), "{problem}");
    }
    for email in [json!(["a@example.org", "b@example.org"]), json!({"a": 1}), Value::Null, json!(7)] {
        let mut body = good.clone();
        body["email"] = email;
        expect_problem(post(&server, "/auth/register", &body).await, 400);
        body.as_object_mut().expect("an object").remove("name");
        expect_problem(post(&server, "/auth/login", &body).await, 400);
    }
    let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(10));
    // IJ-08, IJ-09, IJ-20.
    for (body, status) in [
        (r#"{"email":"a@example.org","email":"b@example.org","password":"x"}"#, 400),
        (r#"{"email":"a@example.org"}"#, 400),
        (r#"{"email":1e400,"password":"x"}"#, 400),
        ("{}x", 400),
        ("", 400),
        (&deep, 400),
        (&"x".repeat(70_000), 413),
    ] {
        let call = server.call(Method::POST, "/auth/register").body("application/json", body);
        expect_problem(call.send().await, status);
    }
    let form = server.call(Method::POST, "/auth/register").body("text/plain", good.to_string());
    expect_problem(form.send().await, 415);
    server.dump().await.expect_same_as(&before);
    post(&server, "/auth/register", &good).await.expect_status(201);
}

both_engines!(what_a_sign_in_cannot_read_is_a_400_too);
/// The documents' front end takes every JSON answer of a sign-in but a 400 for a user.
async fn what_a_sign_in_cannot_read_is_a_400_too(server: TestServer) {
    let huge = "x".repeat(70_000);
    for (kind, body) in [("text/plain", "{}"), ("application/json", "nonsense"), ("application/json", huge.as_str())] {
        for path in ["/auth/login", "/auth/signin"] {
            let answer = server.call(Method::POST, path).body(kind, body).send().await;
            expect_code(answer, 400, "invalid_credentials");
        }
    }
}

both_engines!(h0_13_h2_4_register_does_not_tell_who_is_known);
/// H0-13, H2-4, LG-03: a known address is answered as an unknown one.
async fn h0_13_h2_4_register_does_not_tell_who_is_known(server: TestServer) {
    let ada = server.person("ada").await;
    let register = |email: &str| {
        let (server, body) = (&server, json!({"email": email, "password": PASSWORD, "name": "Somebody"}));
        async move { post(server, "/auth/register", &body).await.expect_status(201) }
    };
    let unknown = register("new@example.org").await;
    let before = server.dump().await;
    let known = register(&ada.email).await;
    server.dump().await.expect_same_as(&before);
    assert!(unknown.headers.keys().eq(known.headers.keys()), "{unknown:#?} {known:#?}");
    let (unknown, mut known): (Value, Value) = (unknown.json(), known.json());
    assert_eq!(known["email"], ada.email.as_str());
    known["email"] = json!("new@example.org");
    assert_eq!(unknown, known);
    assert!(unknown.get("id").is_none() && unknown["emailVerified"].is_null(), "{unknown}");
    // The known one is who they were.
    login(&server, &ada).await;
    post(&server, "/auth/login", &json!({"email": "new@example.org", "password": PASSWORD})).await.expect_status(200);
}

both_engines!(register_reveals_where_it_is_told_to with [("accounts.reveal_existing", "true")]);
async fn register_reveals_where_it_is_told_to(server: TestServer) {
    let body = json!({"email": "grace@example.org", "password": PASSWORD, "name": "Grace", "username": "grace"});
    let made: Value = post(&server, "/auth/register", &body).await.expect_status(201).json();
    assert!(made["id"].is_string(), "{made}");
    let again = json!({"email": "grace@example.org", "password": PASSWORD, "name": "Grace"});
    expect_problem(post(&server, "/auth/register", &again).await, 409);
}

both_engines!(nobody_signs_up_where_it_is_off with [("accounts.sign_up", "false")]);
async fn nobody_signs_up_where_it_is_off(server: TestServer) {
    let body = json!({"email": "grace@example.org", "password": PASSWORD, "name": "Grace"});
    expect_problem(post(&server, "/auth/register", &body).await, 404);
    let body = json!({"username": "grace", "password": PASSWORD, "fullName": "Grace"});
    expect_problem(post(&server, "/auth/signup", &body).await, 404);
}

both_engines!(al_21_sign_ups_of_one_name_race with [("limits.enabled", "false")]);
async fn al_21_sign_ups_of_one_name_race(server: TestServer) {
    let wire = server.wire();
    let answers = at_once(8, |n| {
        let call = wire.call(Method::POST, if n % 2 == 0 { "/auth/register" } else { "/auth/signup" });
        let body = if n % 2 == 0 {
            json!({"email": "race@example.org", "password": PASSWORD, "name": "Racer"})
        } else {
            json!({"username": "racer", "password": PASSWORD, "fullName": "Racer"})
        };
        call.json(&body).send()
    })
    .await;
    let registered = answers.iter().filter(|answer| answer.status == 201).count();
    let signed_up = answers.iter().filter(|answer| answer.status == 200).count();
    let refused = answers.iter().filter(|answer| answer.status == 400).count();
    assert_eq!((registered, signed_up, refused), (4, 1, 3), "{answers:#?}");
    let people = server.app().accounts.list().await.expect("everybody");
    assert_eq!(people.len(), 2, "{people:#?}");
}

both_engines!(h2_5_lg_22_passwords_names_and_addresses_have_rules);
/// H2-5, LG-22, LG-18, LG-19: the rules of the page hold here.
async fn h2_5_lg_22_passwords_names_and_addresses_have_rules(server: TestServer) {
    for (password, code) in
        [("short", "weak_password"), ("password1", "weak_password"), ("hopper2026", "weak_password")]
    {
        let body = json!({"username": "grace", "password": password, "fullName": "Grace Hopper"});
        let problem = expect_code(post(&server, "/auth/signup", &body).await, 400, code);
        assert!(problem["errors"]["password"].is_array(), "{problem}");
    }
    let long = json!({"username": "grace", "password": "x9".repeat(600), "fullName": "Grace Hopper"});
    expect_code(post(&server, "/auth/signup", &long).await, 400, "weak_password");
    for email in ["nonsense", "a@b@c.org", "victim@x.org,attacker@y.org", "", "a＠example.org"] {
        let body = json!({"email": email, "password": PASSWORD, "name": "Grace"});
        expect_code(post(&server, "/auth/register", &body).await, 400, "invalid_email");
    }
    for username in ["аdmin", "a b", ""] {
        let body = json!({"username": username, "password": PASSWORD, "fullName": "Grace Hopper"});
        let problem = expect_problem(post(&server, "/auth/signup", &body).await, 400);
        assert!(problem["errors"]["username"].is_array(), "{problem}");
    }
    let body = json!({"username": "grace", "password": PASSWORD, "fullName": "Grace Hopper"});
    post(&server, "/auth/signup", &body).await.expect_status(200);
    let shouted = json!({"username": "GRACE", "password": PASSWORD, "fullName": "Grace Hopper"});
    expect_code(post(&server, "/auth/signup", &shouted).await, 400, "username_taken");
}

both_engines!(accounts_can_be_for_some_domains_only with [("accounts.sign_up_domains", "example.com")]);
async fn accounts_can_be_for_some_domains_only(server: TestServer) {
    let ada = server.person("ada").await;
    let before = server.dump().await;
    let signup = |email: Option<&str>| {
        let mut body = json!({"username": "grace", "password": PASSWORD, "fullName": "Grace Hopper"});
        if let Some(email) = email {
            body["email"] = email.into();
        }
        body
    };
    let register = |email: &str| json!({"email": email, "password": PASSWORD, "name": "Grace"});
    for email in [&ada.email, "grace@example.org", "grace@a.example.com", "grace@example.com.org"] {
        for (path, body) in [("/auth/signup", signup(Some(email))), ("/auth/register", register(email))] {
            let problem = expect_code(post(&server, path, &body).await, 400, "invalid_email");
            let told = problem["errors"]["email"][0].as_str().expect("a sentence");
            assert!(told.contains("certain organisations only"), "{path} {email}: {problem}");
        }
    }
    // A username alone says nothing about where somebody belongs.
    for body in [signup(None), signup(Some(""))] {
        let problem = expect_code(post(&server, "/auth/signup", &body).await, 400, "invalid_email");
        assert!(problem["errors"]["email"].is_array(), "{problem}");
    }
    server.dump().await.expect_same_as(&before);
    post(&server, "/auth/signup", &signup(Some("grace@Example.com"))).await.expect_status(200);
    post(&server, "/auth/register", &register("other@example.com")).await.expect_status(201);
    assert_eq!(server.app().accounts.list().await.expect("everybody").len(), 3);
}

both_engines!(administrators_and_the_adapter_make_accounts_of_any_domain with
    [("accounts.sign_up_domains", "example.com"), ("adapter.secret", "nobody knows it, nobody guesses it")]);
async fn administrators_and_the_adapter_make_accounts_of_any_domain(server: TestServer) {
    let ada = server.person("ada").await;
    server.app().accounts.grant_role(&ada.id, "admin").await.expect("a role");
    let token = login(&server, &ada).await;
    let body = json!({"email": "grace@example.org", "password": PASSWORD, "name": "Grace"});
    let call = server.call(Method::POST, "/user/admin/register").bearer(text(&token, "accessToken")).json(&body);
    call.send().await.expect_status(201);
    let body = json!({"email": "eve@example.org", "name": "Eve", "emailVerified": null});
    let call = server.call(Method::POST, "/adapter/signup");
    call.header("x-auth-secret", "nobody knows it, nobody guesses it").json(&body).send().await.expect_status(200);
}

both_engines!(h3_7_al_22_people_change_what_is_theirs);
async fn h3_7_al_22_people_change_what_is_theirs(server: TestServer) {
    let ada = server.person("ada").await;
    let token = text(&login(&server, &ada).await, "accessToken").to_owned();
    let path = format!("/auth/{}", ada.id);
    let put = |body: Value| {
        let call = server.call(Method::PUT, &path).bearer(&token).json(&body);
        async move { call.send().await }
    };
    let before = server.dump().await;
    for member in ["role", "roles", "id", "email", "emailVerified", "username", "password", "created_at"] {
        let problem = expect_problem(put(json!({"name": "Ada King", member: "x"})).await, 400);
        assert!(problem["errors"][member].is_array(), "{problem}");
    }
    let problem = expect_problem(put(json!({"phoneNumber": "soon"})).await, 400);
    assert!(problem["errors"]["phoneNumber"].is_array(), "{problem}");
    expect_problem(put(json!({"name": "x".repeat(201)})).await, 400);
    expect_problem(put(json!({"name": "Ada", "fullName": "Eve"})).await, 400);
    server.dump().await.expect_same_as(&before);

    let change = json!({
        "fullName": "Ada King", "website": "https://ada.example", "phoneNumber": "+442079460000",
        "image": "https://ada.example/a.png", "address": {"country": "United Kingdom", "postalCode": "SW1"},
    });
    let person: Value = put(change).await.expect_status(200).json();
    assert_eq!((text(&person, "name"), text(&person, "image")), ("Ada King", "https://ada.example/a.png"));
    assert_eq!(person["address"], json!({"country": "United Kingdom", "postalCode": "SW1"}));
    assert_eq!(text(&person, "email"), ada.email);
    let person: Value = put(json!({"website": "", "name": "Ada"})).await.expect_status(200).json();
    assert!(person.get("website").is_none() && person["fullName"] == "Ada", "{person}");
    assert_eq!(text(&person, "phoneNumber"), "+442079460000");
}

both_engines!(h3_9_ap_12_the_list_is_paged);
/// H3-9, AP-03, AP-12: everybody only for administrators, and page by page.
async fn h3_9_ap_12_the_list_is_paged(server: TestServer) {
    let mut people = Vec::new();
    for username in ["ada", "bob", "cleo", "dan", "eve"] {
        people.push(server.person(username).await);
        server.advance_seconds(1);
    }
    server.app().accounts.grant_role("ada", "admin").await.expect("a role");
    let token = text(&login(&server, &people[0]).await, "accessToken").to_owned();
    let (mut path, mut seen) = ("/auth?limit=2".to_owned(), Vec::new());
    loop {
        let answer = get(&server, &path, &token).await.expect_status(200);
        let page: Vec<Value> = answer.json();
        assert!(page.len() <= 2);
        seen.extend(page.iter().map(|person| text(person, "id").to_owned()));
        let link = answer.header("link").to_owned();
        if link.is_empty() {
            break;
        }
        assert!(link.ends_with("rel=\"next\""), "{link}");
        link.split(['<', '>']).nth(1).expect("a link").clone_into(&mut path);
    }
    assert_eq!(seen, people.iter().map(|person| person.id.clone()).collect::<Vec<_>>());
    for query in [
        "limit=0",
        "limit=-1",
        "limit=1000000000",
        "limit=101",
        "limit=x",
        "after=x",
        "after='",
        "after=",
        "limit=",
        "limit=1&limit=2",
    ] {
        expect_problem(get(&server, &format!("/auth?{query}"), &token).await, 400);
    }
    get(&server, "/auth?limit=100", &token).await.expect_status(200);
}

both_engines!(h0_7_only_an_administrator_makes_another);
/// H0-7, LG-21: no secret makes an administrator, only another administrator does.
async fn h0_7_only_an_administrator_makes_another(server: TestServer) {
    let (boss, ada) = (server.person("boss").await, server.person("ada").await);
    server.app().accounts.grant_role("boss", "admin").await.expect("a role");
    let body = json!({"email": "two@example.org", "password": PASSWORD, "name": "Second"});
    let with_secret = json!({"email": "two@example.org", "password": PASSWORD, "name": "Second", "adminSecretKey": ""});
    let token = text(&login(&server, &ada).await, "accessToken").to_owned();
    let before = server.dump().await;
    for body in [&body, &with_secret] {
        expect_problem(post(&server, "/user/admin/register", body).await, 401);
        let call = server.call(Method::POST, "/user/admin/register").bearer(&token).json(body);
        expect_problem(call.send().await, 403);
    }
    server.dump().await.expect_same_as(&before);
    let token = text(&login(&server, &boss).await, "accessToken").to_owned();
    let register = |body: Value| {
        let call = server.call(Method::POST, "/user/admin/register").bearer(&token).json(&body);
        async move { call.send().await }
    };
    let made: Value = register(with_secret.clone()).await.expect_status(201).json();
    assert_eq!(made["roles"], json!(["admin"]));
    assert!(made["id"].is_string() && made["emailVerified"].is_null(), "{made}");
    expect_problem(register(with_secret).await, 409);
    let weak = json!({"email": "three@example.org", "password": "short"});
    expect_code(register(weak).await, 400, "weak_password");
}

/// The newest event of a kind, as the command line shows it.
async fn event(server: &TestServer, kind: &str) -> Value {
    let listed: Vec<Value> = server.place().cli(&["audit", "list", "--kind", kind, "--json"]).await.json();
    listed.into_iter().next().unwrap_or_else(|| panic!("no event {kind}"))
}

/// Stops unless an event says who did it, from where, and in which request.
#[track_caller]
fn expect_done_by(event: &Value, actor: &str, about: &str, answer: &Answer) {
    assert_eq!((text(event, "actor_id"), text(event, "user_id")), (actor, about), "{event}");
    assert_eq!((text(event, "address"), text(event, "request_id")), ("127.0.0.1", answer.header("x-request-id")));
}

both_engines!(h0_7_h3_9_what_is_changed_is_on_record_with_who_did_it);
/// H0-7, H3-9: who, about whom, from where, in which request.
async fn h0_7_h3_9_what_is_changed_is_on_record_with_who_did_it(server: TestServer) {
    let (boss, ada) = (server.person("boss").await, server.person("ada").await);
    server.app().accounts.grant_role("boss", "admin").await.expect("a role");
    let token = text(&login(&server, &boss).await, "accessToken").to_owned();
    let own = text(&login(&server, &ada).await, "accessToken").to_owned();
    for (token, actor, name) in [(&token, &boss.id, "Ada King"), (&own, &ada.id, "Augusta King")] {
        server.advance_seconds(1);
        let change = json!({"name": name});
        let call = server.call(Method::PUT, &format!("/auth/{}", ada.id)).bearer(token).json(&change);
        let answer = call.send().await.expect_status(200);
        expect_done_by(&event(&server, "user_changed").await, actor, &ada.id, &answer);
    }
    server.advance_seconds(1);
    let body = json!({"email": "two@example.org", "password": PASSWORD});
    let call = server.call(Method::POST, "/user/admin/register").bearer(&token).json(&body);
    let answer = call.send().await.expect_status(201);
    let made: Value = answer.json();
    for kind in ["user_created", "role_granted"] {
        expect_done_by(&event(&server, kind).await, &boss.id, text(&made, "id"), &answer);
    }
    let arguments = ["audit", "list", "--actor", "boss", "--json"];
    let listed: Vec<Value> = server.place().cli(&arguments).await.json();
    let mut kinds: Vec<&str> = listed.iter().map(|event| text(event, "kind")).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["role_granted", "user_changed", "user_created"]);
}

each_engine!(h3_15_an_end_of_grants_is_on_record_with_where_it_came_from);
async fn h3_15_an_end_of_grants_is_on_record_with_where_it_came_from(engine: Engine) {
    let (server, mailbox) = server_with_mail(engine, &[]).await;
    let ada = server.person("ada").await;
    login(&server, &ada).await;
    let kept = login(&server, &ada).await;
    let header = format!("Refresh {}", text(&kept, "refreshToken"));
    let answer = server.call(Method::POST, "/auth/logout").header("authorization", header).send().await;
    let ended = event(&server, "grant_ended").await;
    assert_eq!((&ended["detail"]["reason"], text(&ended, "client_id")), (&json!("revoked"), "credentials"));
    assert_eq!((text(&ended, "address"), text(&ended, "request_id")), ("127.0.0.1", answer.header("x-request-id")));

    server.advance_seconds(1);
    post(&server, "/auth/forgot-password", &json!({"email": ada.email})).await.expect_status(200);
    let path = format!("/auth/reset-password/{}", mailbox.nth(1).await.token());
    let answer = post(&server, &path, &json!({"newPassword": "granite 7 otter lamps"})).await.expect_status(200);
    let ended = event(&server, "grant_ended").await;
    assert_eq!((&ended["detail"]["reason"], text(&ended, "user_id")), (&json!("password_reset"), ada.id.as_str()));
    assert_eq!((text(&ended, "address"), text(&ended, "request_id")), ("127.0.0.1", answer.header("x-request-id")));
}

each_engine!(h0_13_h2_11_signup_with_an_address_is_mailed);
/// H0-13, H2-11, LG-03: an address that is given at sign-up is verified by mail, and tells nobody whether it was known.
async fn h0_13_h2_11_signup_with_an_address_is_mailed(engine: Engine) {
    let (server, mailbox) = server_with_mail(engine, &[]).await;
    let ada = server.person("ada").await;
    let sign_up = async |username: &str, email: &str| {
        let body = json!({"username": username, "password": PASSWORD, "fullName": "Grace Hopper", "email": email});
        post(&server, "/auth/signup", &body).await.expect_status(200)
    };
    let fresh = sign_up("grace", "grace@example.org").await;
    let mail = mailbox.nth(1).await;
    assert_eq!(mail.to, ["grace@example.org"]);
    let made: Value = fresh.json();
    assert_eq!(server.app().accounts.find("grace").await.expect("somebody").id.to_string(), text(&made, "id"));
    let path = format!("/auth/verify-email/{}", mail.token());
    post(&server, &path, &json!({})).await.expect_status(200);
    assert!(server.app().accounts.find("grace").await.expect("somebody").email_verified);

    let known = sign_up("mallory", &ada.email).await;
    assert!(fresh.headers.keys().eq(known.headers.keys()), "{known:#?}");
    let told: Value = known.json();
    assert_eq!((text(&told, "username"), text(&told, "fullName")), ("mallory", "Grace Hopper"));
    assert!(uuid::Uuid::parse_str(text(&told, "id")).is_ok_and(|id| id.get_version_num() == 7), "{told}");
    assert_ne!(text(&told, "id"), ada.id);
    assert_eq!(mailbox.nth(2).await.to, [ada.email.as_str()]);
    assert!(server.app().accounts.find("mallory").await.is_err(), "nobody is made");
    // Without an address nothing is mailed.
    let body = json!({"username": "bob", "password": PASSWORD, "fullName": "Bob"});
    post(&server, "/auth/signup", &body).await.expect_status(200);
    mailbox.expect_no_more_than(2).await;
}

each_engine!(h3_27_register_answers_the_id_where_it_may_and_no_secret);
/// H3-27, AP-14: with the mail in the same transaction, and without secrets; the id where existing accounts are no secret, also
/// for whoever has to open their mail first.
async fn h3_27_register_answers_the_id_where_it_may_and_no_secret(engine: Engine) {
    let settings = [("accounts.reveal_existing", "true"), ("accounts.require_verified_email", "true")];
    let (server, mailbox) = server_with_mail(engine, &settings).await;
    // H3-27: a relay that is not there takes nobody's account away.
    mailbox.refuse(1);
    let body = json!({"email": "grace@example.org", "password": PASSWORD, "name": "Grace", "companyName": "Navy"});
    let answer = post(&server, "/auth/register", &body).await.expect_status(201);
    assert!(!answer.body.contains("argon2") && !answer.body.contains(PASSWORD), "{answer:#?}");
    let made: Value = answer.json();
    let id = server.app().accounts.find("grace@example.org").await.expect("somebody").id.to_string();
    assert_eq!(
        (text(&made, "id"), text(&made, "companyName"), &made["emailVerified"]),
        (id.as_str(), "Navy", &Value::Null)
    );
    expect_problem(post(&server, "/auth/register", &body).await, 409);
    let credentials = json!({"email": "grace@example.org", "password": PASSWORD});
    expect_code(post(&server, "/auth/login", &credentials).await, 400, "invalid_email");
}

both_engines!(h3_21_tj_14_who_somebody_is_is_their_id);
/// H3-21, TJ-14: `sub` is a text that stays, whatever else of the person changes.
async fn h3_21_tj_14_who_somebody_is_is_their_id(server: TestServer) {
    let ada = server.person("ada").await;
    let subject = |answer: &Value| crate::support::Tokens::claims(text(answer, "accessToken"))["sub"].clone();
    let before = login(&server, &ada).await;
    assert_eq!(subject(&before), json!(ada.id));
    let change = AccountChange {
        name: Some("Augusta King".to_owned()),
        email: Some("king@example.org".to_owned()),
        email_verified: Some(true),
        ..AccountChange::default()
    };
    server.app().accounts.update("ada", change).await.expect("a change");
    let after = login(&server, &Person { email: "king@example.org".to_owned(), ..ada.clone() }).await;
    assert_eq!((subject(&after), text(&after["user"], "name")), (json!(ada.id), "Augusta King"));
}

both_engines!(json_sign_in_can_be_turned_off);
/// A disabled client turns JSON sign-in off; the front end hears a refusal.
async fn json_sign_in_can_be_turned_off(server: TestServer) {
    let ada = server.person("ada").await;
    let tokens = login(&server, &ada).await;
    made::disable_client(&server, "credentials").await;
    let body = json!({"email": ada.email, "password": ada.password});
    expect_problem(post(&server, "/auth/login", &body).await, 400);
    expect_code(refresh(&server, text(&tokens, "refreshToken")).await, 401, "invalid_token");
    expect_code(get(&server, "/auth/me", text(&tokens, "accessToken")).await, 401, "invalid_token");
}
