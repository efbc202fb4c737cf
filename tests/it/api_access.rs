//! Who may call: the whole route table, walked as nobody, as a person, as another person and as an administrator.

use bonafide::{
    access::{
        permission::BUILT_IN,
        roles::{By, NewRole},
    },
    audit::Source,
    http::{Access, table},
};
use reqwest::Method;
use serde_json::json;

use crate::{
    api_accounts::{expect_problem, get, login, text},
    support::TestServer,
};

/// What one caller gets at a route, whatever the method.
async fn statuses(server: &TestServer, path: &str, token: Option<&str>) -> Vec<(Method, u16)> {
    let mut seen = Vec::new();
    for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        let mut call = server.call(method.clone(), path).header("x-auth-secret", "nobody knows it, nobody guesses it");
        if let Some(token) = token {
            call = call.bearer(token);
        }
        if method != Method::GET {
            call = call.json(&json!({"unknown": true}));
        }
        seen.push((method, call.send().await.status.as_u16()));
    }
    seen
}

/// Declares a role, or declares it anew.
pub(crate) async fn declare(server: &TestServer, role: &str, permissions: &[&str]) {
    let permissions = Some(permissions.iter().map(|name| (*name).to_owned()).collect());
    let new = NewRole { permissions, ..NewRole::default() };
    server.app().roles.declare(&By::OPERATOR, role, new, &Source::default()).await.expect("a role");
}

/// The token of somebody of this name who holds the role of this name.
pub(crate) async fn holder(server: &TestServer, name: &str) -> String {
    let person = server.person(name).await;
    server.app().accounts.grant_role(name, name).await.expect("a role");
    text(&login(server, &person).await, "accessToken").to_owned()
}

both_engines!(ap_01_ap_06_h0_15_h1_8_every_route_answers_whom_it_declares
    with [("adapter.secret", "correct horse battery staple and more"), ("limits.enabled", "false")]);
/// AP-01, AP-02, AP-03, AP-06, H0-15, H1-8: a route answers whom it declares, and nobody else gets past its guard, by any method.
async fn ap_01_ap_06_h0_15_h1_8_every_route_answers_whom_it_declares(server: TestServer) {
    let (ada, eve, boss) = (server.person("ada").await, server.person("eve").await, server.person("boss").await);
    server.app().accounts.grant_role("boss", "admin").await.expect("a role");
    let mut tokens = Vec::new();
    for person in [&ada, &eve, &boss] {
        tokens.push(text(&login(&server, person).await, "accessToken").to_owned());
    }
    let [own, other, admin] = [&tokens[0], &tokens[1], &tokens[2]];
    // What somebody has asked for is there to be fetched.
    let asked = server.call(Method::POST, &format!("/auth/{}/exports", ada.id)).bearer(own).send().await;
    let export = text(&asked.expect_status(201).json(), "id").to_owned();
    let (only, but) = (holder(&server, "only").await, holder(&server, "but").await);
    let (mut users, mut permissions) = (0, 0);
    for route in table() {
        let path = route.path.replace("{id}", &ada.id).replace("{export}", &export);
        // What a row with a method says of others, another row says.
        let of_row = |mut statuses: Vec<(Method, u16)>| {
            statuses.retain(|(method, _)| route.method.as_ref().is_none_or(|own| own == method));
            statuses
        };
        let all = |statuses: &[(Method, u16)], wanted: u16| statuses.iter().all(|(_, status)| *status == wanted);
        let passes = |statuses: &[(Method, u16)]| statuses.iter().all(|(_, status)| ![401, 403].contains(status));
        let nobody = statuses(&server, &path, None).await;
        let by_other = of_row(statuses(&server, &path, Some(other)).await);
        if let Access::SelfOr(wanted) | Access::Permission(wanted) = route.access {
            let others = BUILT_IN.iter().map(|(name, _)| *name).filter(|name| *name != wanted).collect::<Vec<_>>();
            declare(&server, "only", &[wanted]).await;
            declare(&server, "but", &others).await;
            let by_only = of_row(statuses(&server, &path, Some(&only)).await);
            assert!(passes(&by_only), "{path} with {wanted} alone: {by_only:?}");
            let refused = if matches!(route.access, Access::SelfOr(_)) { 404 } else { 403 };
            let by_but = of_row(statuses(&server, &path, Some(&but)).await);
            assert!(all(&by_but, refused), "{path} with all but {wanted}: {by_but:?}");
        }
        match route.access {
            Access::User | Access::UserInPerson => {
                users += 1;
                assert!(all(&nobody, 401), "{path}: {nobody:?}");
                // Whoever is signed in gets past the guard, and the handler judges.
                assert!(passes(&by_other), "{path}: {by_other:?}");
                if !by_other.contains(&(Method::GET, 405)) {
                    get(&server, &path, own).await.expect_status(200);
                    get(&server, &path, admin).await.expect_status(200);
                }
            }
            Access::Oneself => {
                users += 1;
                assert!(all(&nobody, 401), "{path}: {nobody:?}");
                assert!(all(&by_other, 404), "{path}: {by_other:?}");
                // Not even who may do everything: they have ways of their own.
                let by_admin = of_row(statuses(&server, &path, Some(admin)).await);
                assert!(all(&by_admin, 404), "{path}: {by_admin:?}");
                let by_them = of_row(statuses(&server, &path, Some(own)).await);
                assert!(passes(&by_them), "{path}: {by_them:?}");
            }
            Access::SelfOr(_) => {
                users += 1;
                assert!(route.path.contains("{id}"), "{path} says whose it is");
                assert!(all(&nobody, 401), "{path}: {nobody:?}");
                // Of others nobody hears even whether they are there.
                assert!(all(&by_other, 404), "{path}: {by_other:?}");
                for token in [own, admin] {
                    let by_them = of_row(statuses(&server, &path, Some(token)).await);
                    assert!(passes(&by_them), "{path}: {by_them:?}");
                    if by_them.iter().any(|(method, status)| *method == Method::GET && *status != 405) {
                        get(&server, &path, token).await.expect_status(200);
                    }
                }
            }
            Access::Permission(_) | Access::Administrator => {
                permissions += 1;
                assert!(all(&nobody, 401), "{path}: {nobody:?}");
                assert!(all(&by_other, 403), "{path}: {by_other:?}");
                let by_admin = of_row(statuses(&server, &path, Some(admin)).await);
                assert!(passes(&by_admin), "{path}: {by_admin:?}");
            }
            Access::PermissionOrSecret(_) => {
                assert!(all(&nobody, 401), "{path}: {nobody:?}");
                assert!(all(&by_other, 403), "{path}: {by_other:?}");
                let by_admin = statuses(&server, &path, Some(admin)).await;
                assert!(by_admin.iter().all(|(_, status)| ![401, 403].contains(status)), "{path}: {by_admin:?}");
            }
            Access::AdapterSecret => {
                assert!(all(&nobody, 401), "{path}: {nobody:?}");
                let by_admin = statuses(&server, &path, Some(admin)).await;
                assert!(all(&by_admin, 401), "a token is no secret: {path}: {by_admin:?}");
            }
            Access::Public | Access::Client | Access::Token | Access::Browser | Access::Development => {
                assert!(nobody.iter().all(|(_, status)| *status < 500), "{path}: {nobody:?}");
            }
        }
    }
    assert!(users >= 6 && permissions >= 4, "the table has routes of both kinds: {users}, {permissions}");
    // AP-02: nothing of the other's was changed on the way.
    let me = get(&server, "/auth/me", own).await.expect_status(200);
    assert!(me.body.contains(&ada.name), "{me:#?}");
}

both_engines!(h0_12_h2_12_h3_9_ap_02_others_are_as_missing_as_nobody);
/// AP-02: another's profile is as missing as one that is not there, and stays.
async fn h0_12_h2_12_h3_9_ap_02_others_are_as_missing_as_nobody(server: TestServer) {
    let (ada, eve) = (server.person("ada").await, server.person("eve").await);
    let token = text(&login(&server, &eve).await, "accessToken").to_owned();
    let before = server.dump().await;
    let mut answers = Vec::new();
    for id in [ada.id.as_str(), "0193e4b0-0000-7000-8000-000000000000", "1", "ME", "..%2fme", "%ff", "me;x"] {
        let path = format!("/auth/{id}");
        for method in [Method::GET, Method::PUT] {
            let call = server.call(method, &path).bearer(&token).json(&json!({"name": "Mallory"}));
            let answer = call.send().await;
            answers.push(answer.said());
            expect_problem(answer, 404);
        }
    }
    assert!(answers.iter().all(|body| *body == answers[0]), "{answers:#?}");
    server.dump().await.expect_same_as(&before);
    let path = format!("/auth/{}", eve.id);
    let call = server.call(Method::PUT, &path).bearer(&token).json(&json!({"name": "Eve Two"}));
    call.send().await.expect_status(200);
}

both_engines!(ap_04_ap_05_spellings_and_headers_change_nothing);
/// AP-04, AP-05: neither spellings of a path nor headers change who somebody is.
async fn ap_04_ap_05_spellings_and_headers_change_nothing(server: TestServer) {
    let (boss, eve) = (server.person("boss").await, server.person("eve").await);
    server.app().accounts.grant_role("boss", "admin").await.expect("a role");
    let token = text(&login(&server, &eve).await, "accessToken").to_owned();
    let doubled = format!("{}//auth", server.issuer());
    for path in ["/auth/", &doubled, "/AUTH", "/auth;x", "/auth/%2e%2e/auth", "/auth/me/../"] {
        let answer = get(&server, path, &token).await;
        assert!([403, 404].contains(&answer.status.as_u16()), "{path}: {answer:#?}");
        assert!(!answer.body.contains(&boss.email), "{answer:#?}");
    }
    for (name, value) in [
        ("x-original-url", "/auth/me"),
        ("x-rewrite-url", "/auth/me"),
        ("x-forwarded-uri", "/auth/me"),
        ("x-http-method-override", "PUT"),
        ("x-user-id", boss.id.as_str()),
        ("x_user_id", boss.id.as_str()),
        ("x-roles", "admin"),
    ] {
        let call = server.call(Method::GET, "/auth").bearer(&token).header(name, value);
        expect_problem(call.send().await, 403);
    }
    let admin = text(&login(&server, &boss).await, "accessToken").to_owned();
    get(&server, "/auth", &admin).await.expect_status(200);
}
