//! What people do with their own accounts by the JSON API: sessions, applications, password, address, profile, picture; and that
//! nobody does it with another's (AP-02, AP-20).

use bonafide::clients::Draft;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    api_accounts::{expect_problem, get, login, text},
    engines::lines,
    support::{
        Answer, Application, Engine, Flow, Person, Receiver, TestServer, Tokens, at_once,
        made::{self, SignedIn},
    },
};

pub(crate) const NEW: &str = "granite 7 otter lamps";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";

async fn call(server: &TestServer, token: &str, method: Method, path: &str, body: Option<&Value>) -> Answer {
    let call = server.call(method, path).bearer(token).header("user-agent", FIREFOX);
    match body {
        Some(body) => call.json(body).send().await,
        None => call.send().await,
    }
}

pub(crate) async fn delete(server: &TestServer, token: &str, path: &str) -> Answer {
    call(server, token, Method::DELETE, path, None).await
}

pub(crate) async fn put(server: &TestServer, token: &str, path: &str, body: &Value) -> Answer {
    call(server, token, Method::PUT, path, Some(body)).await
}

pub(crate) async fn list(server: &TestServer, token: &str, path: &str) -> Vec<Value> {
    get(server, path, token).await.expect_status(200).json()
}

/// Signs in by JSON; the access token.
pub(crate) async fn token(server: &TestServer, person: &Person) -> String {
    text(&login(server, person).await, "accessToken").to_owned()
}

/// The token of somebody who may do everything.
async fn admin(server: &TestServer) -> String {
    let boss = server.person("boss").await;
    server.app().accounts.grant_role("boss", "admin").await.expect("a role");
    token(server, &boss).await
}

/// An application of the house, whose tokens open the account.
pub(crate) async fn house(server: &TestServer) -> Application {
    made::client(server, Draft { client_name: Some("House".to_owned()), first_party: Some(true), ..made::draft() })
        .await
}

/// A person who has signed in to an application of the house in a browser.
pub(crate) async fn at_house(server: &TestServer, house: &Application, person: &Person, scope: &str) -> SignedIn {
    SignedIn::at(server, Flow::new(house).with("scope", scope), person.clone()).await
}

/// How a session that is about to be ended is told: by its `sid`.
fn sid(tokens: &Tokens) -> String {
    Tokens::claims(&tokens.id_token())["sid"].as_str().expect("a sid").to_owned()
}

pub(crate) async fn events(server: &TestServer, kind: &str) -> usize {
    lines(server, &format!("SELECT kind AS line FROM audit_events WHERE kind = '{kind}'")).await.len()
}

/// Stops unless it is a challenge to sign in anew (RFC 9470 section 3).
#[track_caller]
pub(crate) fn expect_reauthentication(answer: Answer) {
    let challenge = answer.header("www-authenticate").to_owned();
    let problem = expect_problem(answer, 401);
    assert_eq!(problem["code"], "reauthentication_required", "{problem}");
    assert!(challenge.starts_with("Bearer error=\"insufficient_user_authentication\""), "{challenge}");
    assert!(challenge.contains("max_age=\"900\""), "{challenge}");
}

both_engines!(people_see_where_they_are_signed_in_and_end_it with [("limits.enabled", "false")]);
async fn people_see_where_they_are_signed_in_and_end_it(server: TestServer) {
    let (ada, house) = (server.person("ada").await, house(&server).await);
    let first = at_house(&server, &house, &ada, "openid account").await;
    server.advance_seconds(5);
    let second = at_house(&server, &house, &ada, "openid account").await;
    server.advance_seconds(5);
    let third = at_house(&server, &house, &ada, "openid offline_access").await;
    let path = format!("/auth/{}/sessions", ada.id);
    let (own, other) = (first.tokens.access_token(), second.tokens.access_token());

    let seen = list(&server, &own, &path).await;
    assert_eq!(seen.len(), 3, "{seen:#?}");
    // The one that was seen last first, this one marked.
    assert_eq!(seen.iter().map(|one| one["current"] == true).collect::<Vec<_>>(), [false, false, true], "{seen:#?}");
    let mut members: Vec<_> = seen[0].as_object().expect("an object").keys().map(String::as_str).collect();
    members.sort_unstable();
    let expected = [
        "address",
        "current",
        "device",
        "expiresAt",
        "id",
        "lastSeenAt",
        "methods",
        "remembered",
        "signedInAt",
        "userAgent",
    ];
    assert_eq!(members, expected);
    assert_eq!((&seen[2]["methods"], &seen[2]["remembered"]), (&json!(["pwd"]), &json!(false)));
    for instant in ["signedInAt", "lastSeenAt", "expiresAt"] {
        assert!(chrono::DateTime::parse_from_rfc3339(text(&seen[2], instant)).is_ok(), "{seen:#?}");
    }
    // A token of no browser marks none.
    let by_json = token(&server, &ada).await;
    assert!(list(&server, &by_json, &path).await.iter().all(|one| one["current"] == false));
    let marked = list(&server, &other, &path).await;
    assert_eq!(marked[1]["current"], true, "{marked:#?}");

    // One, and its tokens without `offline_access` with it; once.
    let of_second = format!("{path}/{}", text(&marked[1], "id"));
    delete(&server, &own, &of_second).await.expect_status(204);
    expect_problem(get(&server, &path, &other).await, 401);
    second.expect_refused(&second.tokens.refresh_token()).await;
    expect_problem(delete(&server, &own, &of_second).await, 404);
    for nothing in ["1", "0193e4b0-0000-7000-8000-000000000000", "%00"] {
        expect_problem(delete(&server, &own, &format!("{path}/{nothing}")).await, 404);
    }
    assert_eq!(list(&server, &own, &path).await.len(), 2);

    // All others: this one stays, and so does what was granted offline.
    let ended: Value = delete(&server, &own, &path).await.expect_status(200).json();
    assert_eq!(ended, json!({"ended": 1}));
    assert_eq!(list(&server, &own, &path).await.len(), 1);
    third.refreshed(&third.tokens.refresh_token()).await;
    first.refreshed(&first.tokens.refresh_token()).await;
    get(&server, "/auth/me", &by_json).await.expect_status(200);
    let ended: Value = delete(&server, &own, &path).await.expect_status(200).json();
    assert_eq!(ended, json!({"ended": 0}));
    assert_eq!((events(&server, "session_ended").await, events(&server, "other_sessions_ended").await), (1, 1));

    // From no browser there is none to keep.
    let ended: Value = delete(&server, &by_json, &path).await.expect_status(200).json();
    assert_eq!(ended, json!({"ended": 1}));
    expect_problem(get(&server, &path, &own).await, 401);
    assert!(list(&server, &by_json, &path).await.is_empty());
}

both_engines!(a_session_that_is_over_is_not_listed);
async fn a_session_that_is_over_is_not_listed(server: TestServer) {
    let (ada, house) = (server.person("ada").await, house(&server).await);
    let mut signed_in = at_house(&server, &house, &ada, "openid account").await;
    let path = format!("/auth/{}/sessions", ada.id);
    let by_json = token(&server, &ada).await;
    let seen = list(&server, &by_json, &path).await;
    assert_eq!(seen.len(), 1);
    let session = format!("{path}/{}", text(&seen[0], "id"));
    signed_in.sign_out().await;
    assert!(list(&server, &by_json, &path).await.is_empty());
    expect_problem(delete(&server, &by_json, &session).await, 404);
    // Idle for longer than sessions live.
    at_house(&server, &house, &ada, "openid account").await;
    assert_eq!(list(&server, &by_json, &path).await.len(), 1);
    server.advance_seconds(25 * 3600);
    let by_json = token(&server, &ada).await;
    assert!(list(&server, &by_json, &path).await.is_empty());
}

each_engine!(c_109_applications_hear_of_a_session_that_is_ended_from_elsewhere);
async fn c_109_applications_hear_of_a_session_that_is_ended_from_elsewhere(engine: Engine) {
    let receiver = Receiver::listen().await;
    let server = TestServer::with(engine, &[("outgoing.allow", &receiver.address)]).await;
    let app = made::client(&server, Draft { backchannel_logout_uri: Some(receiver.uri()), ..made::draft() }).await;
    let ada = server.person("ada").await;
    let first = SignedIn::at(&server, Flow::new(&app), ada.clone()).await;
    SignedIn::at(&server, Flow::new(&app), ada.clone()).await;
    SignedIn::at(&server, Flow::new(&app), ada.clone()).await;
    let (by_json, path) = (token(&server, &ada).await, format!("/auth/{}/sessions", ada.id));
    let sessions = lines(&server, "SELECT CAST(sid AS text) AS line FROM browser_sessions ORDER BY created_at").await;
    assert!(sessions.contains(&sid(&first.tokens)));
    let id = server.app().sessions.of(ada.id.parse().unwrap(), 9).await.expect("sessions");
    delete(&server, &by_json, &format!("{path}/{}", id[0].id)).await.expect_status(204);
    receiver.expect(1).await;
    delete(&server, &by_json, &path).await.expect_status(200);
    receiver.expect(3).await;
}

both_engines!(people_see_whom_they_have_let_in_and_take_it_back with [("limits.enabled", "false")]);
async fn people_see_whom_they_have_let_in_and_take_it_back(server: TestServer) {
    let (ada, eve) = (server.person("ada").await, server.person("eve").await);
    let demo = made::client(&server, made::draft()).await;
    let opaque =
        Draft { client_name: Some("Other".to_owned()), token_format: Some("opaque".to_owned()), ..made::draft() };
    let other = made::client(&server, opaque).await;
    let began = server.now().timestamp_millis();
    let at_demo = SignedIn::at(&server, Flow::new(&demo), ada.clone()).await;
    let again = SignedIn::at(&server, Flow::new(&demo).with("scope", "openid"), ada.clone()).await;
    server.advance_seconds(60);
    let at_other = SignedIn::at(&server, Flow::new(&other).with("scope", "openid email"), ada.clone()).await;
    let of_eve = SignedIn::at(&server, Flow::new(&demo), eve.clone()).await;
    let own = token(&server, &ada).await;
    let path = format!("/auth/{}/apps", ada.id);

    let apps = list(&server, &own, &path).await;
    let find = |apps: &[Value], id: &str| apps.iter().find(|app| app["clientId"] == id).cloned();
    // With the application of the house that gives the token itself.
    assert_eq!(apps.len(), 3, "{apps:#?}");
    let shown = find(&apps, &demo.id).expect("the application");
    assert_eq!(shown["name"], "Demo");
    assert_eq!(shown["scopes"], json!(["email", "offline_access", "openid", "profile"]));
    assert_eq!((&shown["offline"], &find(&apps, &other.id).expect("it")["offline"]), (&json!(true), &json!(false)));
    let since = chrono::DateTime::parse_from_rfc3339(text(&shown, "since")).expect("an instant");
    assert_eq!(since.timestamp_millis(), began);
    assert_eq!(shown["lastUsedAt"], shown["since"]);
    server.advance_seconds(60);
    at_demo.refreshed(&at_demo.tokens.refresh_token()).await;
    let apps = list(&server, &own, &path).await;
    assert_eq!(apps[0]["clientId"], demo.id, "used last: {apps:#?}");
    assert_eq!(apps[0]["since"], shown["since"]);
    assert_ne!(apps[0]["lastUsedAt"], shown["lastUsedAt"]);

    // A code that is on its way, a refresh token that was not used, access tokens of both kinds.
    let flow = Flow::new(&demo);
    let code = flow.sign_in(&mut again.browser.clone(), &ada).await.code().to_owned();
    let consents = async |person: &Person, client: &str| {
        let sql =
            format!("SELECT scope AS line FROM consents WHERE client_id = '{client}' AND {}", is(&server, person));
        lines(&server, &sql).await.len()
    };
    assert!(consents(&ada, &demo.id).await > 0 && consents(&eve, &demo.id).await > 0);
    delete(&server, &own, &format!("{path}/{}", demo.id)).await.expect_status(204);
    flow.exchange(&server.wire(), &code).await.0.expect_error(400, "invalid_grant");
    for gone in [&at_demo, &again] {
        gone.expect_dead(&gone.tokens.access_token()).await;
        gone.expect_refused(&gone.tokens.refresh_token()).await;
    }
    assert_eq!(consents(&ada, &demo.id).await, 0);
    // Of no other application, and of nobody else.
    at_other.expect_live(&at_other.tokens.access_token()).await;
    at_other.refreshed(&at_other.tokens.refresh_token()).await;
    of_eve.expect_live(&of_eve.tokens.access_token()).await;
    of_eve.refreshed(&of_eve.tokens.refresh_token()).await;
    assert!(consents(&ada, &other.id).await > 0 && consents(&eve, &demo.id).await > 0);
    let apps = list(&server, &own, &path).await;
    assert!(find(&apps, &demo.id).is_none() && find(&apps, &other.id).is_some(), "{apps:#?}");
    assert_eq!((events(&server, "app_withdrawn").await, events(&server, "grant_ended").await), (1, 2));
    // Who comes back there is asked again.
    let asked = Flow::new(&demo).open(&mut again.browser.clone()).await.expect_status(200);
    asked.element("consent-allow");

    // Opaque tokens as well; once; and what was never there.
    let of_other = format!("{path}/{}", other.id);
    delete(&server, &own, &of_other).await.expect_status(204);
    at_other.expect_dead(&at_other.tokens.access_token()).await;
    for gone in [of_other, format!("{path}/nothing"), format!("{path}/%00"), format!("{path}/{}", demo.id)] {
        expect_problem(delete(&server, &own, &gone).await, 404);
    }
    // One's own token's application goes like any other.
    let house = server.app().settings.credentials.client_id.clone();
    delete(&server, &own, &format!("{path}/{house}")).await.expect_status(204);
    expect_problem(get(&server, &path, &own).await, 401);
}

/// The condition on a row's person.
pub(crate) fn is(server: &TestServer, person: &Person) -> String {
    match server.engine() {
        Engine::Postgres => format!("user_id = '{}'", person.id),
        Engine::Sqlite => format!("hex(user_id) = '{}'", person.id.replace('-', "").to_uppercase()),
    }
}

each_engine!(c_109_an_application_hears_that_it_was_withdrawn);
async fn c_109_an_application_hears_that_it_was_withdrawn(engine: Engine) {
    let receiver = Receiver::listen().await;
    let server = TestServer::with(engine, &[("outgoing.allow", &receiver.address)]).await;
    let told = made::client(&server, Draft { backchannel_logout_uri: Some(receiver.uri()), ..made::draft() }).await;
    let kept = made::client(&server, Draft { backchannel_logout_uri: Some(receiver.uri()), ..made::draft() }).await;
    let ada = server.person("ada").await;
    let signed_in = SignedIn::at(&server, Flow::new(&told), ada.clone()).await;
    // In the same browser: that session goes on.
    let wire = server.wire();
    let flow = Flow::new(&kept);
    let code = flow.sign_in(&mut signed_in.browser.clone(), &ada).await.code().to_owned();
    let tokens = flow.exchange(&wire, &code).await.expect_tokens();
    assert_eq!(sid(&tokens), sid(&signed_in.tokens));
    let own = token(&server, &ada).await;
    delete(&server, &own, &format!("/auth/{}/apps/{}", ada.id, told.id)).await.expect_status(204);
    let calls = receiver.expect(1).await;
    let form = String::from_utf8(calls[0].body.to_vec()).expect("a form");
    let claims = Tokens::claims(form.trim_start_matches("logout_token="));
    assert_eq!((&claims["aud"], &claims["sid"]), (&json!(told.id), &json!(sid(&signed_in.tokens))), "{claims}");
    made::userinfo(&wire, &tokens.access_token()).await.expect_status(200);
    receiver.expect_no_more_than(1).await;
}

both_engines!(ap_20_what_is_anothers_is_not_there with [("limits.enabled", "false")]);
/// AP-02, AP-20: another's session, application, password, address and picture are as missing as nobody's, and stay.
async fn ap_20_what_is_anothers_is_not_there(server: TestServer) {
    let (ada, eve) = (server.person("ada").await, server.person("eve").await);
    let house = house(&server).await;
    let signed_in = at_house(&server, &house, &ada, "openid account").await;
    let (foreign, own) = (token(&server, &eve).await, token(&server, &ada).await);
    let session = list(&server, &own, &format!("/auth/{}/sessions", ada.id)).await[0]["id"].clone();
    let session = session.as_str().expect("an id").to_owned();
    let password = json!({"currentPassword": ada.password, "newPassword": NEW});
    let email = json!({"email": "mallory@example.org"});
    let routes = |id: &str| {
        vec![
            (Method::GET, format!("/auth/{id}/sessions"), None),
            (Method::DELETE, format!("/auth/{id}/sessions"), None),
            (Method::DELETE, format!("/auth/{id}/sessions/{session}"), None),
            (Method::GET, format!("/auth/{id}/apps"), None),
            (Method::DELETE, format!("/auth/{id}/apps/{}", house.id), None),
            (Method::PUT, format!("/auth/{id}/password"), Some(password.clone())),
            (Method::PUT, format!("/auth/{id}/email"), Some(email.clone())),
            (Method::DELETE, format!("/auth/upload-image/{id}"), None),
        ]
    };
    let before = server.dump().await;
    for id in [ada.id.as_str(), "0193e4b0-0000-7000-8000-000000000000", "me"] {
        for (method, path, body) in routes(id) {
            expect_problem(call(&server, &foreign, method.clone(), &path, body.as_ref()).await, 404);
            let nobody = server.call(method, &path).send().await;
            expect_problem(nobody, 401);
        }
    }
    // By one's own path neither: the session is of somebody else.
    expect_problem(delete(&server, &foreign, &format!("/auth/{}/sessions/{session}", eve.id)).await, 404);
    expect_problem(delete(&server, &foreign, &format!("/auth/{}/apps/{}", eve.id, house.id)).await, 404);
    server.dump().await.expect_same_as(&before);
    signed_in.expect_live(&signed_in.tokens.access_token()).await;

    // An administrator sees and ends all of it, but for what only the person themselves may.
    let admin = admin(&server).await;
    for (method, path, body) in routes(&ada.id) {
        let sensitive = path.ends_with("/password") || path.ends_with("/email");
        let answer = call(&server, &admin, method, &path, body.as_ref()).await;
        // All sessions are gone by the time one of them is asked for.
        let expected: &[u16] = match path.as_str() {
            _ if sensitive => &[404],
            path if path.ends_with(&session) => &[404],
            _ => &[200, 204],
        };
        assert!(expected.contains(&answer.status.as_u16()), "{path}: {answer:#?}");
    }
    signed_in.expect_dead(&signed_in.tokens.access_token()).await;
    login(&server, &ada).await;
    for id in ["0193e4b0-0000-7000-8000-000000000000", "me"] {
        for (method, path, body) in routes(id) {
            expect_problem(call(&server, &admin, method, &path, body.as_ref()).await, 404);
        }
    }
}

both_engines!(ap_06_who_may_change_people_changes_nobody_who_may_more with [("limits.enabled", "false")]);
/// AP-06: `users:write` ends the sessions of those whom it covers, and no administrator's.
async fn ap_06_who_may_change_people_changes_nobody_who_may_more(server: TestServer) {
    crate::api_access::declare(&server, "helper", &["users:read", "users:write"]).await;
    let helper = crate::api_access::holder(&server, "helper").await;
    let (ada, boss) = (server.person("ada").await, server.person("boss").await);
    server.app().accounts.grant_role("boss", "admin").await.expect("a role");
    let house = house(&server).await;
    at_house(&server, &house, &ada, "openid account").await;
    let of_boss = at_house(&server, &house, &boss, "openid account").await;
    let path = |person: &Person, rest: &str| format!("/auth/{}/{rest}", person.id);
    assert_eq!(list(&server, &helper, &path(&boss, "sessions")).await.len(), 1);
    for rest in ["sessions".to_owned(), format!("apps/{}", house.id)] {
        expect_problem(delete(&server, &helper, &path(&boss, &rest)).await, 403);
    }
    expect_problem(delete(&server, &helper, &format!("/auth/{}", boss.id)).await, 403);
    expect_problem(get(&server, &path(&boss, "exports"), &helper).await, 403);
    expect_problem(call(&server, &helper, Method::POST, &path(&boss, "exports"), None).await, 403);
    call(&server, &helper, Method::POST, &path(&ada, "exports"), None).await.expect_status(201);
    of_boss.expect_live(&of_boss.tokens.access_token()).await;
    let ended: Value = delete(&server, &helper, &path(&ada, "sessions")).await.expect_status(200).json();
    assert_eq!(ended, json!({"ended": 1}));
    delete(&server, &helper, &path(&ada, &format!("apps/{}", house.id))).await.expect_status(204);
}

/// Puts a change of a profile on a condition.
async fn put_if(server: &TestServer, token: &str, id: &str, tags: &[&str], body: &Value) -> Answer {
    let mut call = server.call(Method::PUT, &format!("/auth/{id}")).bearer(token).json(body);
    for tag in tags {
        call = call.header("if-match", tag);
    }
    call.send().await
}

both_engines!(of_two_who_edit_at_once_the_second_hears_of_the_first with [("limits.enabled", "false")]);
async fn of_two_who_edit_at_once_the_second_hears_of_the_first(server: TestServer) {
    let ada = server.person("ada").await;
    let own = token(&server, &ada).await;
    let path = format!("/auth/{}", ada.id);
    let read = get(&server, &path, &own).await.expect_status(200);
    let first = read.header("etag").to_owned();
    assert!(first.starts_with("\"r") && first.ends_with('"'), "{first}");
    let changed = put_if(&server, &own, &ada.id, &[&first], &json!({"nickname": "Countess"})).await.expect_status(200);
    let second = changed.header("etag").to_owned();
    assert_ne!(first, second);
    assert_eq!(get(&server, &path, &own).await.header("etag"), second);

    let before = server.dump().await;
    for stale in [vec![first.as_str()], vec!["\"x\""], vec!["nonsense"], vec![""], vec!["\"r999\", \"r998\""]] {
        let refused = put_if(&server, &own, &ada.id, &stale, &json!({"nickname": "Nobody"})).await;
        assert_eq!(expect_problem(refused, 412)["code"], "changed", "{stale:?}");
    }
    // Weak tags match nothing (RFC 9110 section 13.1.1).
    let weak = format!("W/{second}");
    expect_problem(put_if(&server, &own, &ada.id, &[&weak], &json!({"nickname": "Nobody"})).await, 412);
    server.dump().await.expect_same_as(&before);
    // What changes nothing is no edit; any of a list; any state at all; none asked for.
    let same = put_if(&server, &own, &ada.id, &[&second], &json!({"nickname": "Countess"})).await.expect_status(200);
    assert_eq!(same.header("etag"), second);
    let both = format!("{first}, {second}");
    let third = put_if(&server, &own, &ada.id, &[&both], &json!({"nickname": "A"})).await.expect_status(200);
    let third = third.header("etag").to_owned();
    put_if(&server, &own, &ada.id, &[&first, &third], &json!({"nickname": "B"})).await.expect_status(200);
    put_if(&server, &own, &ada.id, &["*"], &json!({"nickname": "C"})).await.expect_status(200);
    put_if(&server, &own, &ada.id, &[], &json!({"nickname": "D"})).await.expect_status(200);

    // An administrator's edit is one as well, and so is another address by command; a sign-in and a password are none.
    let tag = async || get(&server, &path, &own).await.header("etag").to_owned();
    let now = tag().await;
    let admin = admin(&server).await;
    put_if(&server, &admin, &ada.id, &[&now], &json!({"name": "Ada King"})).await.expect_status(200);
    let renamed = tag().await;
    assert_ne!(renamed, now);
    login(&server, &ada).await;
    assert_eq!(tag().await, renamed);
    server.cli(&["user", "update", "ada", "--email", "king@example.org"]).await.expect_success();
    assert_ne!(tag().await, renamed);
}

both_engines!(ten_edits_on_one_state_are_one_edit with [("limits.enabled", "false")]);
/// Ten at once change different members of what they all have read: one does, nine hear that it is no more what they saw.
async fn ten_edits_on_one_state_are_one_edit(server: TestServer) {
    let ada = server.person("ada").await;
    let own = token(&server, &ada).await;
    let path = format!("/auth/{}", ada.id);
    let tag = get(&server, &path, &own).await.header("etag").to_owned();
    let members = [
        "name",
        "givenName",
        "familyName",
        "middleName",
        "nickname",
        "gender",
        "locale",
        "zoneinfo",
        "website",
        "birthdate",
    ];
    let values =
        ["Ada K", "Ada", "King", "Byron", "Countess", "f", "en", "Europe/London", "https://ada.example", "1815-12-10"];
    let wire = server.wire();
    let edit = |with_tag: bool| {
        let (wire, own, path, tag) = (wire.clone(), own.clone(), path.clone(), tag.clone());
        move |n: usize| {
            let mut call = wire.call(Method::PUT, &path).bearer(&own).json(&json!({members[n]: values[n]}));
            if with_tag {
                call = call.header("if-match", &tag);
            }
            async move { call.send().await.status.as_u16() }
        }
    };
    let mut statuses = at_once(10, edit(true)).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [[200].as_slice(), &[412; 9]].concat());
    let me: Value = get(&server, &path, &own).await.expect_status(200).json();
    let set = members.iter().zip(values).filter(|(member, value)| me[**member] == *value).count();
    assert_eq!(set, 1, "{me}");
    // Without the condition each says what it changes, and none undoes another's.
    let statuses = at_once(10, edit(false)).await;
    assert_eq!(statuses, [200; 10]);
    let me: Value = get(&server, &path, &own).await.expect_status(200).json();
    for (member, value) in members.iter().zip(values) {
        assert_eq!(me[*member], value, "{me}");
    }
}

both_engines!(a_picture_is_taken_away with [("limits.enabled", "false")]);
async fn a_picture_is_taken_away(server: TestServer) {
    let ada = server.person("ada").await;
    let own = token(&server, &ada).await;
    let path = format!("/auth/upload-image/{}", ada.id);
    let profile = format!("/auth/{}", ada.id);
    let picture = json!({"image": "https://pictures.example/ada.png"});
    let with = put(&server, &own, &profile, &picture).await.expect_status(200);
    assert_eq!(with.json::<Value>()["image"], picture["image"]);
    delete(&server, &own, &path).await.expect_status(204);
    let without = get(&server, &profile, &own).await.expect_status(200);
    assert_ne!(without.header("etag"), with.header("etag"));
    assert_eq!(without.json::<Value>()["image"], Value::Null);
    // It is away already.
    delete(&server, &own, &path).await.expect_status(204);
}
