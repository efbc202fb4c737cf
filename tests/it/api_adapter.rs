//! The session adapter that the documents' NextAuth front end has, and signing in by a linked account.

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    api_accounts::{expect_problem, get, login, post, text},
    support::{Answer, TestServer, at_once},
};

const SECRET: &str = "correct horse battery staple and more";
const SETTINGS: [(&str, &str); 1] = [("adapter.secret", SECRET)];

/// A call as the adapter makes it.
async fn call(server: &TestServer, method: Method, path: &str, body: Option<Value>) -> Answer {
    let mut call = server.call(method, &format!("/adapter{path}")).header("x-auth-secret", SECRET);
    if let Some(body) = body {
        call = call.json(&body);
    }
    call.send().await
}

async fn ask(server: &TestServer, method: Method, path: &str, body: Option<Value>) -> Value {
    let answer = call(server, method, path, body).await.expect_status(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    answer.json()
}

async fn signed_up(server: &TestServer, email: &str) -> Value {
    let user =
        json!({"name": "Grace Hopper", "email": email, "image": "https://p.example/g.png", "emailVerified": null});
    ask(server, Method::POST, "/signup", Some(user)).await
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The user as the database has it: roles, verification and password.
async fn stored(server: &TestServer, email: &str) -> bonafide::identity::User {
    server.app().accounts.find(email).await.expect("a person")
}

both_engines!(h3_31_users_by_both_spellings with super::SETTINGS);
async fn h3_31_users_by_both_spellings(server: TestServer) {
    let user = signed_up(&server, "grace@example.org").await;
    let mut members: Vec<_> = user.as_object().expect("an object").keys().cloned().collect();
    members.sort();
    // H3-8, AP-14: the shape of NextAuth and nothing of ours.
    assert_eq!(members, ["email", "emailVerified", "id", "image", "name"]);
    assert_eq!((&user["emailVerified"], &user["image"]), (&Value::Null, &json!("https://p.example/g.png")));
    let id = text(&user, "id");
    assert!(uuid::Uuid::parse_str(id).is_ok_and(|id| id.get_version_num() == 7), "{user}");
    for path in [
        format!("/{id}"),
        format!("/get-user/{id}"),
        "/get-user-by-email?email=grace@example.org".to_owned(),
        "/get-user-by-email/?email=GRACE%40example.org".to_owned(),
    ] {
        assert_eq!(ask(&server, Method::GET, &path, None).await, user, "{path}");
    }
    for path in [
        "/1",
        "/get-user/0193e4b0-0000-7000-8000-000000000000",
        "/get-user-by-email?email=no@example.org",
        "/get-user-by-email",
        "/%ff",
    ] {
        assert_eq!(ask(&server, Method::GET, path, None).await, Value::Null, "{path}");
    }
    for (method, path, name) in
        [(Method::PATCH, "", "One"), (Method::PATCH, "/", "Two"), (Method::POST, "/update-user", "Three")]
    {
        let body = json!({"id": id, "name": name, "unknown": 1});
        assert_eq!(text(&ask(&server, method, path, Some(body)).await, "name"), name);
    }
    let nobody = json!({"id": "1", "name": "x"});
    assert_eq!(ask(&server, Method::PATCH, "/", Some(nobody)).await, Value::Null);
    let other = signed_up(&server, "other@example.org").await;
    for (path, user) in [(format!("/{id}"), &user), (format!("/delete-user/{}", text(&other, "id")), &other)] {
        assert_eq!(ask(&server, Method::DELETE, &path, None).await["email"], user["email"]);
        assert_eq!(ask(&server, Method::DELETE, &path, None).await, Value::Null);
    }
    assert_eq!(ask(&server, Method::GET, "/get-user-by-email?email=grace@example.org", None).await, Value::Null);
}

both_engines!(h3_3_ap_08_nothing_without_the_secret with super::SETTINGS);
/// H3-3, H3-4: every call needs the secret, once and exactly.
async fn h3_3_ap_08_nothing_without_the_secret(server: TestServer) {
    let ada = server.person("ada").await;
    let path = format!("/adapter/{}", ada.id);
    let before = server.dump().await;
    for shown in [
        vec![],
        vec![""],
        vec!["wrong"],
        vec![&SECRET[1..]],
        vec![SECRET, SECRET],
        vec!["correct horse battery staple and morf"],
    ] {
        for method in [Method::GET, Method::DELETE] {
            let mut call = server.call(method, &path);
            for secret in &shown {
                call = call.header("x-auth-secret", secret);
            }
            expect_problem(call.send().await, 401);
        }
    }
    server.dump().await.expect_same_as(&before);
    assert_eq!(ask(&server, Method::GET, &format!("/{}", ada.id), None).await["email"], ada.email.as_str());
}

both_engines!(h3_4_no_secret_no_adapter);
async fn h3_4_no_secret_no_adapter(server: TestServer) {
    let ada = server.person("ada").await;
    for path in ["/adapter", "/adapter/", &format!("/adapter/{}", ada.id), "/adapter/get-user-by-email?email=a@b.org"] {
        for secret in ["", SECRET] {
            let answer = server.call(Method::GET, path).header("x-auth-secret", secret).send().await;
            answer.expect_status(404);
        }
    }
    let body = json!({"email": ada.email, "provider": "google", "providerAccountId": "1"});
    let call = server.call(Method::POST, "/auth/oAuthlogin").header("x-auth-secret", "").json(&body);
    expect_problem(call.send().await, 401);
}

both_engines!(h3_6_al_17_a_word_of_the_adapter_is_kept_as_its_word with super::SETTINGS);
/// H3-6, H3-7, AL-17, AL-22: `emailVerified` is the adapter's word; ours needs a token that was used. Nothing else is taken over.
async fn h3_6_al_17_a_word_of_the_adapter_is_kept_as_its_word(server: TestServer) {
    let at = "2026-11-01T10:00:00.000Z";
    let new = json!({"email": "grace@example.org", "emailVerified": at, "role": "admin", "password": "x", "roles": ["admin"]});
    let user = ask(&server, Method::POST, "/signup", Some(new)).await;
    assert_eq!(text(&user, "emailVerified"), at);
    let kept = stored(&server, "grace@example.org").await;
    assert!(!kept.email_verified && kept.roles.is_empty(), "{kept:?}");
    // The word is about this address alone.
    let change = json!({"id": user["id"], "email": "hopper@example.org"});
    let changed = ask(&server, Method::PATCH, "/", Some(change)).await;
    assert_eq!((text(&changed, "email"), &changed["emailVerified"]), ("hopper@example.org", &Value::Null));

    // With a token that was used for the address, it counts.
    let token =
        json!({"identifier": "new@example.org", "token": "t1", "expires": instant(server.now() + Duration::hours(24))});
    ask(&server, Method::POST, "/create-verification-token", Some(token)).await;
    let shown = json!({"identifier": "new@example.org", "token": "t1"});
    assert!(ask(&server, Method::PATCH, "/use-verification-token", Some(shown)).await.is_object());
    let new = json!({"email": "new@example.org", "emailVerified": instant(server.now())});
    ask(&server, Method::POST, "/signup", Some(new)).await;
    assert!(stored(&server, "new@example.org").await.email_verified);
}

both_engines!(al_14_a_proven_address_ends_what_a_stranger_prepared with super::SETTINGS);
/// AL-14, AL-15: whoever made an account with somebody else's address loses it when its owner comes.
async fn al_14_a_proven_address_ends_what_a_stranger_prepared(server: TestServer) {
    let body = json!({"email": "victim@example.org", "password": "plum violin 42 harbour", "name": "Mallory"});
    post(&server, "/auth/register", &body).await.expect_status(201);
    let body = json!({"email": "victim@example.org", "password": "plum violin 42 harbour"});
    let tokens: Value = post(&server, "/auth/login", &body).await.expect_status(200).json();
    let token = json!({"identifier": "victim@example.org", "token": "t1", "expires": instant(server.now() + Duration::hours(24))});
    ask(&server, Method::POST, "/create-verification-token", Some(token)).await;
    let used = json!({"identifier": "victim@example.org", "token": "t1"});
    ask(&server, Method::POST, "/use-verification-token", Some(used.clone())).await;
    expect_problem(get(&server, "/auth/me", text(&tokens, "accessToken")).await, 401);
    expect_problem(post(&server, "/auth/login", &body).await, 400);
    assert!(stored(&server, "victim@example.org").await.email_verified);
    // Who had verified theirs keeps everything.
    let ada = server.person("ada").await;
    let token = json!({"identifier": ada.email, "token": "t2", "expires": instant(server.now() + Duration::hours(24))});
    ask(&server, Method::POST, "/create-verification-token", Some(token)).await;
    let used = json!({"identifier": ada.email, "token": "t2"});
    ask(&server, Method::POST, "/use-verification-token", Some(used)).await;
    login(&server, &ada).await;
}

both_engines!(h3_5_al_20_an_account_belongs_to_one_person with super::SETTINGS);
async fn h3_5_al_20_an_account_belongs_to_one_person(server: TestServer) {
    let (ada, eve) = (server.person("ada").await, server.person("eve").await);
    let account = |user: &str| json!({"userId": user, "type": "oauth", "provider": "google", "providerAccountId": "g/1 2", "access_token": "ya29"});
    let path = "/get-user-by-account/google/g%2F1%202";
    assert_eq!(ask(&server, Method::GET, path, None).await, Value::Null);
    for _ in 0..2 {
        let linked = ask(&server, Method::POST, "/link-account", Some(account(&ada.id))).await;
        assert_eq!((text(&linked, "userId"), text(&linked, "providerAccountId")), (ada.id.as_str(), "g/1 2"));
    }
    let before = server.dump().await;
    expect_problem(call(&server, Method::POST, "/link-account", Some(account(&eve.id))).await, 409);
    server.dump().await.expect_same_as(&before);
    let nobody = account("0193e4b0-0000-7000-8000-000000000000");
    assert_eq!(ask(&server, Method::POST, "/link-account", Some(nobody)).await, Value::Null);
    assert_eq!(text(&ask(&server, Method::GET, path, None).await, "id"), ada.id);
    // H3-13: what the provider gave is not kept.
    assert!(!server.dump_tables(&[]).await.values().flatten().any(|row| row.contains("ya29")));
    let path = "/unlink-account/google/g%2F1%202";
    assert_eq!(text(&ask(&server, Method::DELETE, path, None).await, "userId"), ada.id);
    assert_eq!(ask(&server, Method::DELETE, path, None).await, Value::Null);

    let wire = server.wire();
    let people = [ada.id.clone(), eve.id.clone()];
    let answers = at_once(8, |n| {
        let body = json!({"userId": people[n % 2], "type": "oauth", "provider": "google", "providerAccountId": "race"});
        wire.call(Method::POST, "/adapter/link-account").header("x-auth-secret", SECRET).json(&body).send()
    })
    .await;
    let count = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((count(200), count(409)), (4, 4), "{answers:#?}");
}

both_engines!(h3_28_al_19_the_last_way_in_stays with super::SETTINGS);
/// H3-28, AL-19: nobody is left without a way to sign in; of two last ones that go at once, one stays.
async fn h3_28_al_19_the_last_way_in_stays(server: TestServer) {
    let user = signed_up(&server, "grace@example.org").await;
    let link = async |provider: &str| {
        let body = json!({"userId": user["id"], "type": "oauth", "provider": provider, "providerAccountId": "g1"});
        ask(&server, Method::POST, "/link-account", Some(body)).await
    };
    link("google").await;
    let before = server.dump().await;
    expect_problem(call(&server, Method::DELETE, "/unlink-account/google/g1", None).await, 409);
    for nothing in ["/unlink-account/google/g2", "/unlink-account/github/g1"] {
        assert_eq!(ask(&server, Method::DELETE, nothing, None).await, Value::Null);
    }
    server.dump().await.expect_same_as(&before);
    // With another one it goes; then that is the last.
    for _ in 0..3 {
        link("google").await;
        link("github").await;
        let wire = server.wire();
        let answers = at_once(2, |n| {
            let path = format!("/adapter/unlink-account/{}/g1", ["google", "github"][n]);
            wire.call(Method::DELETE, &path).header("x-auth-secret", SECRET).send()
        })
        .await;
        let count = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
        assert_eq!((count(200), count(409)), (1, 1), "{answers:#?}");
    }
    // With a password the last link may go.
    server.app().accounts.set_password("grace@example.org", "plum violin 42 harbour").await.expect("a password");
    for provider in ["google", "github"] {
        call(&server, Method::DELETE, &format!("/unlink-account/{provider}/g1"), None).await.expect_status(200);
    }
}

both_engines!(h3_3_h3_5_an_administrator_is_beyond_the_adapter with super::SETTINGS);
/// H3-3, H3-5, AP-09: whoever has a front end's secret has none of the administrators' accounts by it.
async fn h3_3_h3_5_an_administrator_is_beyond_the_adapter(server: TestServer) {
    let (ada, boss) = (server.person("ada").await, server.person("boss").await);
    let link = |user: &str, account: &str| json!({"userId": user, "type": "oauth", "provider": "google", "providerAccountId": account});
    // Linked before it was an administrator's.
    ask(&server, Method::POST, "/link-account", Some(link(&boss.id, "old"))).await;
    let sign_in = async |email: &str, account: &str| {
        let body = json!({"email": email, "provider": "google", "providerAccountId": account});
        server.call(Method::POST, "/auth/oAuthlogin").header("x-auth-secret", SECRET).json(&body).send().await
    };
    sign_in(&boss.email, "old").await.expect_status(200);
    server.app().accounts.grant_role("boss", "admin").await.expect("a role");
    // An administrator whose address nobody has verified yet.
    let new = bonafide::identity::NewAccount {
        email: Some("second@example.org".to_owned()),
        password: Some("plum violin 42 harbour".to_owned()),
        roles: vec!["admin".to_owned()],
        ..Default::default()
    };
    server.app().accounts.create(new).await.expect("an administrator");
    let expires = instant(server.now() + Duration::hours(24));
    let token = json!({"identifier": "second@example.org", "token": "t1", "expires": expires});
    ask(&server, Method::POST, "/create-verification-token", Some(token)).await;

    let before = server.dump_tables(&["audit_events", "adapter_verification_tokens"]).await;
    for (method, path, body) in [
        (Method::PATCH, "/".to_owned(), Some(json!({"id": boss.id, "email": "mallory@example.org"}))),
        (Method::PATCH, "/".to_owned(), Some(json!({"id": boss.id, "name": "Mallory"}))),
        (Method::POST, "/update-user".to_owned(), Some(json!({"id": boss.id, "image": "https://m.example/p.png"}))),
        (Method::DELETE, format!("/{}", boss.id), None),
        (Method::DELETE, format!("/delete-user/{}", boss.id), None),
        (Method::POST, "/link-account".to_owned(), Some(link(&boss.id, "mallory"))),
        (Method::DELETE, "/unlink-account/google/old".to_owned(), None),
    ] {
        expect_problem(call(&server, method, &path, body).await, 409);
    }
    expect_problem(sign_in(&boss.email, "old").await, 401);
    let used = json!({"identifier": "second@example.org", "token": "t1"});
    ask(&server, Method::POST, "/use-verification-token", Some(used)).await;
    server.dump_tables(&["audit_events", "adapter_verification_tokens"]).await.expect_same_as(&before);
    let second = json!({"email": "second@example.org", "password": "plum violin 42 harbour"});
    post(&server, "/auth/login", &second).await.expect_status(200);
    // To read, and to say again what is so already, it may.
    assert_eq!(text(&ask(&server, Method::GET, &format!("/{}", boss.id), None).await, "id"), boss.id);
    let same = json!({"id": boss.id, "name": boss.name, "emailVerified": instant(server.now())});
    ask(&server, Method::PATCH, "/", Some(same)).await;

    // Everybody else's it changes as ever.
    let change = json!({"id": ada.id, "name": "Ada King"});
    assert_eq!(text(&ask(&server, Method::PATCH, "/", Some(change)).await, "name"), "Ada King");
    ask(&server, Method::POST, "/link-account", Some(link(&ada.id, "ada"))).await;
    sign_in(&ada.email, "ada").await.expect_status(200);
    assert_eq!(text(&ask(&server, Method::DELETE, &format!("/{}", ada.id), None).await, "id"), ada.id);
}

both_engines!(h3_31_sessions_live_and_end with super::SETTINGS);
async fn h3_31_sessions_live_and_end(server: TestServer) {
    let ada = server.person("ada").await;
    let expires = instant(server.now() + Duration::days(1));
    let open = |token: &str, user: &str| {
        let (server, body) = (&server, json!({"sessionToken": token, "userId": user, "expires": expires}));
        async move { ask(server, Method::POST, "/create-session", Some(body)).await }
    };
    let session = open("session one", &ada.id).await;
    assert_eq!(session, json!({"sessionToken": "session one", "userId": ada.id, "expires": expires}));
    assert_eq!(open("session two", "nobody").await, Value::Null);
    let both = ask(&server, Method::GET, "/get-session/session%20one", None).await;
    assert_eq!((&both["session"], text(&both["user"], "id")), (&session, ada.id.as_str()));
    assert_eq!(ask(&server, Method::GET, "/get-session/other", None).await, Value::Null);
    // H3-13, OP-02.
    assert!(!server.dump_tables(&[]).await.values().flatten().any(|row| row.contains("session one")));
    let later = instant(server.now() + Duration::days(2));
    for method in [Method::PATCH, Method::POST] {
        let change = json!({"sessionToken": "session one", "expires": later, "userId": "ignored"});
        let moved = ask(&server, method, "/update-session", Some(change)).await;
        assert_eq!((text(&moved, "expires"), text(&moved, "userId")), (later.as_str(), ada.id.as_str()));
    }
    server.advance(Duration::hours(36));
    assert!(ask(&server, Method::GET, "/get-session/session%20one", None).await.is_object());
    server.advance(Duration::hours(13));
    assert_eq!(ask(&server, Method::GET, "/get-session/session%20one", None).await, Value::Null);

    // Deletion is at once; disabling and a new password end all of them.
    let expires = instant(server.now() + Duration::days(1));
    for (token, end) in [("a", "delete"), ("b", "password"), ("c", "disable"), ("d", "person")] {
        let body = json!({"sessionToken": token, "userId": ada.id, "expires": expires});
        ask(&server, Method::POST, "/create-session", Some(body)).await;
        let path = format!("/get-session/{token}");
        assert!(ask(&server, Method::GET, &path, None).await.is_object(), "{end}");
        let accounts = &server.app().accounts;
        match end {
            "delete" => {
                let gone = ask(&server, Method::DELETE, "/delete-session/a", None).await;
                assert_eq!(text(&gone, "sessionToken"), "a");
                assert_eq!(ask(&server, Method::DELETE, "/delete-session/a", None).await, Value::Null);
            }
            "password" => drop(accounts.set_password("ada", "another violin 42").await.expect("a password")),
            "disable" => {
                accounts.set_disabled("ada", true).await.expect("disabling");
                accounts.set_disabled("ada", false).await.expect("enabling");
            }
            _ => drop(ask(&server, Method::DELETE, &format!("/{}", ada.id), None).await),
        }
        assert_eq!(ask(&server, Method::GET, &path, None).await, Value::Null, "{end}");
    }
}

both_engines!(h3_14_al_24_a_verification_token_is_used_once with super::SETTINGS);
async fn h3_14_al_24_a_verification_token_is_used_once(server: TestServer) {
    let keep = |token: &str, expires: DateTime<Utc>| {
        let body = json!({"identifier": "ada@example.org", "token": token, "expires": instant(expires)});
        let server = &server;
        async move { ask(server, Method::POST, "/create-verification-token", Some(body)).await }
    };
    let used = |identifier: &str, token: &str| {
        let (server, body) = (&server, json!({"identifier": identifier, "token": token}));
        async move { ask(server, Method::PATCH, "/use-verification-token", Some(body)).await }
    };
    let kept = keep("once", server.now() + Duration::hours(1)).await;
    assert_eq!(text(&kept, "identifier"), "ada@example.org");
    assert!(!server.dump_tables(&[]).await.values().flatten().any(|row| row.contains("once")));
    assert_eq!(used("eve@example.org", "once").await, Value::Null, "it is good for its address alone");
    assert_eq!(used("ada@example.org", "never").await, Value::Null);
    let wire = server.wire();
    let answers = at_once(8, |_| {
        let body = json!({"identifier": "ada@example.org", "token": "once"});
        let call = wire.call(Method::PATCH, "/adapter/use-verification-token").header("x-auth-secret", SECRET);
        call.json(&body).send()
    })
    .await;
    let answers: Vec<Value> = answers.into_iter().map(|answer| answer.expect_status(200).json()).collect();
    assert_eq!(answers.iter().filter(|answer| answer.is_object()).count(), 1, "{answers:#?}");
    assert!(answers.contains(&kept), "{answers:#?}");
    keep("late", server.now() + Duration::hours(1)).await;
    server.advance(Duration::hours(2));
    assert_eq!(used("ada@example.org", "late").await, Value::Null);
}

both_engines!(h3_1_al_18_an_address_alone_proves_nothing with super::SETTINGS);
/// H3-1, MX-10, AL-18: tokens only for an account that is linked to that very person, by who shows the secret.
async fn h3_1_al_18_an_address_alone_proves_nothing(server: TestServer) {
    let (ada, eve) = (server.person("ada").await, server.person("eve").await);
    let account = json!({"userId": ada.id, "type": "oauth", "provider": "google", "providerAccountId": "g1"});
    ask(&server, Method::POST, "/link-account", Some(account)).await;
    let good = json!({"email": ada.email, "provider": "google", "providerAccountId": "g1"});
    let sign_in = |secret: &str, body: &Value| {
        let call = server.call(Method::POST, "/auth/oAuthlogin").header("x-auth-secret", secret).json(body);
        async move { call.send().await }
    };
    let before = server.dump().await;
    for (secret, body) in [
        (SECRET, json!({"email": ada.email})),
        ("", good.clone()),
        ("wrong", good.clone()),
        (SECRET, json!({"email": eve.email, "provider": "google", "providerAccountId": "g1"})),
        (SECRET, json!({"email": ada.email, "provider": "google", "providerAccountId": "g2"})),
        (SECRET, json!({"email": ada.email, "provider": "github", "providerAccountId": "g1"})),
        (SECRET, json!({"email": ada.email, "provider": "google", "providerAccountId": "g1", "userId": eve.id})),
        (SECRET, json!({"email": ada.email, "provider": "google", "providerAccountId": "g1\u{0}"})),
        (SECRET, json!({"email": [ada.email], "provider": "google", "providerAccountId": "g1"})),
        (SECRET, json!("nonsense")),
    ] {
        expect_problem(sign_in(secret, &body).await, 401);
    }
    expect_problem(post(&server, "/auth/oAuthlogin", &good).await, 401);
    server.dump().await.expect_same_as(&before);

    let signed_in: Value = sign_in(SECRET, &good).await.expect_status(200).json();
    assert_eq!(text(&signed_in["user"], "id"), ada.id);
    assert!(signed_in["backendTokens"]["expiresIn"].is_i64(), "H3-25: {signed_in}");
    let me: Value = get(&server, "/auth/me", text(&signed_in, "accessToken")).await.expect_status(200).json();
    assert_eq!(text(&me, "id"), ada.id);
    server.app().accounts.set_disabled("ada", true).await.expect("disabling");
    expect_problem(sign_in(SECRET, &good).await, 401);
}

both_engines!(what_the_adapter_cannot_mean_is_refused with super::SETTINGS);
async fn what_the_adapter_cannot_mean_is_refused(server: TestServer) {
    let ada = server.person("ada").await;
    let before = server.dump().await;
    for (path, body, status) in [
        ("/signup", json!({"email": ada.email}), 409),
        ("/signup", json!({"name": "Nobody"}), 400),
        ("/signup", json!({"email": "nonsense"}), 400),
        ("/signup", json!({"email": "a@example.org", "emailVerified": "soon"}), 400),
        ("/update-user", json!({"name": "x"}), 400),
        ("/link-account", json!({"userId": ada.id, "provider": "a\u{0}b", "providerAccountId": "1"}), 400),
        ("/link-account", json!({"userId": ada.id, "provider": "", "providerAccountId": "1"}), 400),
        ("/create-session", json!({"sessionToken": "\u{0}", "userId": ada.id, "expires": instant(server.now())}), 400),
        (
            "/create-verification-token",
            json!({"identifier": "a\u{0}", "token": "x", "expires": instant(server.now())}),
            400,
        ),
        ("/use-verification-token", json!({"identifier": "a\u{0}", "token": "x"}), 400),
        ("/use-verification-token", json!(["a"]), 400),
    ] {
        expect_problem(call(&server, Method::POST, path, Some(body)).await, status);
    }
    server.dump().await.expect_same_as(&before);
    let text = server.call(Method::POST, "/adapter/signup").header("x-auth-secret", SECRET).body("text/plain", "{}");
    expect_problem(text.send().await, 415);
    signed_up(&server, "new@example.org").await;
}

both_engines!(what_has_expired_is_swept with super::SETTINGS);
async fn what_has_expired_is_swept(server: TestServer) {
    let ada = server.person("ada").await;
    let before = server.dump().await;
    let expires = instant(server.now() + Duration::hours(1));
    let body = json!({"sessionToken": "s", "userId": ada.id, "expires": expires});
    ask(&server, Method::POST, "/create-session", Some(body)).await;
    let body = json!({"identifier": "ada@example.org", "token": "t", "expires": expires});
    ask(&server, Method::POST, "/create-verification-token", Some(body)).await;
    server.advance(Duration::hours(3));
    bonafide::server::sweep_once(server.app()).await.expect("sweeping");
    server.dump().await.expect_same_as(&before);
}
