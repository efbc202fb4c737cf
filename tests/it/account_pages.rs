//! `/account`: what people do with their own account, on pages that work without scripts.

use bonafide::{clients::Draft, identity::NewAccount};
use reqwest::Method;
use serde_json::json;

use crate::{
    account_profile::picture,
    engines::{can_sign_in, lines, run, sign_in},
    mail::server_with_mail,
    providers::{Stage, come_back, may},
    statements::expect_at_most,
    support::{Answer, Browser, Engine, Flow, Person, TestServer, made},
};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
const SECTIONS: [&str; 6] = ["profile", "picture", "email", "password", "sessions", "apps"];

/// A browser where this person is signed in.
pub(crate) async fn browser_of(server: &TestServer, person: &Person) -> Browser {
    let mut browser = server.browser();
    sign_in(&mut browser, &person.username, &person.password).await.expect_status(303);
    browser
}

/// Opens a section and sends the form that this button sends.
pub(crate) async fn press(browser: &mut Browser, section: &str, button: &str, typed: &[(&str, &str)]) -> Answer {
    let page = browser.get(&format!("/account/{section}")).await.expect_status(200);
    browser.submit(&page.form_of(button), Some(button), typed).await
}

/// Goes on to the section, which says this.
pub(crate) async fn expect_done(browser: &mut Browser, answer: Answer, said: &str) -> Answer {
    let page = browser.follow(answer.expect_status(303)).await.expect_status(200);
    assert!(page.body.contains(r#"id="note" role="status""#) && page.body.contains(said), "{page:#?}");
    page
}

/// A page that shows what is to be put right, with what was typed.
#[track_caller]
pub(crate) fn expect_refused(answer: Answer, status: u16, said: &str) -> Answer {
    let page = answer.expect_status(status);
    assert!(page.title().starts_with("Error: "), "{page:#?}");
    assert!(page.find_element("summary").is_some() && page.body.contains(said), "{page:#?}");
    page
}

both_engines!(every_page_is_its_own_persons_and_leads_to_the_others);
async fn every_page_is_its_own_persons_and_leads_to_the_others(server: TestServer) {
    let ada = server.person("ada").await;
    for section in SECTIONS {
        let path = format!("/account/{section}");
        let mut stranger = server.browser();
        let sent = stranger.get(&path).await.expect_status(303);
        assert_eq!(sent.header("location"), format!("/sign-in?then={section}"), "{sent:#?}");
        assert_eq!(sent.header("cross-origin-opener-policy"), "same-origin");
        // And back from there.
        let page = stranger.follow(sent).await.expect_status(200);
        let typed = [("username", ada.username.as_str()), ("password", ada.password.as_str())];
        let mut form = page.form("/sign-in");
        if section == SECTIONS[0] {
            let wrong = stranger.submit(&form, Some("sign-in"), &[typed[0], ("password", "no")]).await;
            form = wrong.expect_status(422).form("/sign-in");
        }
        let back = stranger.submit(&form, Some("sign-in"), &typed).await.expect_status(303);
        assert_eq!(back.header("location"), path);
        let page = stranger.follow(back).await.expect_status(200);
        assert_eq!(page.header("cache-control"), "no-store");
        assert_eq!(page.header("cross-origin-opener-policy"), "same-origin");
        let to: Vec<String> =
            page.elements("a").iter().filter_map(|link| link.attribute("href").map(str::to_owned)).collect();
        for other in SECTIONS {
            assert!(to.contains(&format!("/account/{other}")), "{section} does not lead to {other}: {to:?}");
        }
    }
    let mut browser = browser_of(&server, &ada).await;
    let page = browser.get("/account").await.expect_status(200);
    for said in [ada.name.as_str(), ada.email.as_str(), "7 browsers", "None"] {
        assert!(page.body.contains(said), "{said}: {page:#?}");
    }
    assert!(browser.get("/").await.element("account").attribute("href").is_some());
    // Where password managers go.
    let known = browser.get("/.well-known/change-password").await.expect_status(303);
    assert_eq!(known.header("location"), "/account/password");
    // No other place is a place to go on to.
    for then in ["https://evil.example", "//evil.example", "/account", "..", "%00"] {
        let page = server.browser().get(&format!("/sign-in?then={then}")).await.expect_status(200);
        assert_eq!(page.form("/sign-in").value("then"), None, "{page:#?}");
    }
}

both_engines!(br_01_forms_of_other_places_do_nothing);
/// BR-01: of another site, another purpose, another session or nobody.
async fn br_01_forms_of_other_places_do_nothing(server: TestServer) {
    let (ada, eve) = (server.person("ada").await, server.person("eve").await);
    let (mut browser, mut other) = (browser_of(&server, &ada).await, browser_of(&server, &eve).await);
    let token_of = async |browser: &mut Browser, section: &str| {
        let page = browser.get(&format!("/account/{section}")).await.expect_status(200);
        let found = page.forms().into_iter().find(|form| form.action.starts_with("/account/"));
        found.and_then(|form| form.value("csrf").map(str::to_owned)).unwrap_or_else(|| panic!("no token: {page:#?}"))
    };
    let bodies: [(&str, Vec<(&str, &str)>); 5] = [
        ("profile", vec![("revision", "0"), ("nickname", "owned")]),
        ("email", vec![("email", "eve@example.net")]),
        ("password", vec![("current_password", &ada.password), ("password", "owned by eve 99")]),
        ("sessions", vec![("others", "yes")]),
        ("apps", vec![("app", "x")]),
    ];
    let (hers, profiles) = (token_of(&mut other, "profile").await, token_of(&mut browser, "profile").await);
    let before = server.dump_tables(&["limits"]).await;
    for (section, fields) in &bodies {
        let path = format!("/account/{section}");
        let wrong = if *section == "profile" { token_of(&mut browser, "sessions").await } else { profiles.clone() };
        for token in [None, Some(""), Some("made-up"), Some(hers.as_str()), Some(wrong.as_str())] {
            let mut fields = fields.clone();
            fields.extend(token.map(|token| ("csrf", token)));
            browser.post(&path, &fields).await.expect_status(403);
        }
        let own = if *section == "email" { String::new() } else { token_of(&mut browser, section).await };
        let mut fields = fields.clone();
        fields.push(("csrf", &own));
        let call = browser.call(Method::POST, &path).header("sec-fetch-site", "cross-site").form(&fields);
        browser.send(call).await.expect_status(403);
    }
    let call = browser.call(Method::POST, "/account/picture").body("multipart/form-data; boundary=x", picture("", &[]));
    browser.send(call).await.expect_status(403);
    browser.post("/account/confirm", &[("password", &ada.password)]).await.expect_status(403);
    server.dump_tables(&["limits"]).await.expect_same_as(&before);
    // The same with the token that it was given.
    let own = token_of(&mut browser, "profile").await;
    let fields = [("revision", "0"), ("nickname", "Countess"), ("csrf", own.as_str())];
    browser.post("/account/profile", &fields).await.expect_status(303);
    assert!(browser.get("/account/profile").await.body.contains("Countess"));
    // Nor does anybody else put words on a page.
    let forged = browser.get("/account/password?done=account-password-done~AAAA").await.expect_status(200);
    assert!(forged.find_element("note").is_none(), "{forged:#?}");
}

each_engine!(another_address_counts_when_it_has_answered);
async fn another_address_counts_when_it_has_answered(engine: Engine) {
    let (server, mailbox) = server_with_mail(engine, &[]).await;
    let (ada, eve) = (made::person(&server, "ada").await, made::person(&server, "eve").await);
    let mut browser = browser_of(&server, &ada).await;
    for (typed, said) in
        [("", "Fill this in"), ("ada", "Write the whole address"), ("ADA@example.org", "that you have now")]
    {
        let refused = press(&mut browser, "email", "change-email", &[("email", typed)]).await;
        let page = expect_refused(refused, 422, said);
        assert_eq!(page.form_of("change-email").value("email"), Some(typed));
    }
    let asked = press(&mut browser, "email", "change-email", &[("email", "king@example.net")]).await;
    let page = expect_done(&mut browser, asked, "Look into the mailbox").await;
    assert!(
        page.body.contains(&ada.email) && !page.body.contains("king@example.net"),
        "nothing has changed: {page:#?}"
    );
    mailbox.nth(2).await;
    let to = |address: &str| mailbox.received().into_iter().rfind(|mail| mail.to == [address]);
    let link = to("king@example.net").expect("a link for the new address").link();
    assert!(to(&ada.email).is_some(), "a notice to the old one");
    // Somebody else's address is answered alike.
    let asked = press(&mut browser, "email", "change-email", &[("email", &eve.email)]).await;
    expect_done(&mut browser, asked, "Look into the mailbox").await;
    let confirm = browser.get(&link).await.expect_status(200);
    browser.submit(&confirm.form("/verify-email"), None, &[]).await.expect_status(200);
    let page = browser.get("/account/email").await.expect_status(200);
    assert!(page.body.contains("king@example.net") && page.body.contains("Confirmed."), "{page:#?}");
}

each_engine!(a_stale_sign_in_leads_to_confirming_and_back);
async fn a_stale_sign_in_leads_to_confirming_and_back(engine: Engine) {
    let (server, _mailbox) = server_with_mail(engine, &[]).await;
    let (ada, eve) = (made::person(&server, "ada").await, made::person(&server, "eve").await);
    let mut browser = browser_of(&server, &ada).await;
    let form = browser.get("/account/email").await.expect_status(200).form_of("change-email");
    let sid = "SELECT sid AS line FROM browser_sessions WHERE ended_at IS NULL";
    let before = lines(&server, sid).await;
    server.advance_seconds(15 * 60 + 1);
    // What needs no fresh sign-in needs none.
    for section in ["", "/profile", "/picture", "/password", "/sessions", "/apps", "/providers"] {
        browser.get(&format!("/account{section}")).await.expect_status(200);
    }
    let asked = browser.submit(&form, Some("change-email"), &[("email", "king@example.net")]).await.expect_status(403);
    assert!(asked.title().contains("Confirm it is you"), "{asked:#?}");
    let mails = "SELECT purpose AS line FROM mailed_tokens";
    assert!(lines(&server, mails).await.is_empty());
    let sent = browser.get("/account/email").await.expect_status(303);
    assert_eq!(sent.header("location"), "/account/confirm?then=email");
    let page = browser.follow(sent).await.expect_status(200);
    let username = page.elements("input").into_iter().find(|input| input.attribute("autocomplete") == Some("username"));
    assert_eq!(username.expect("for managers").attribute("value"), Some(ada.email.as_str()));
    let form = page.form_of("confirm");
    let empty = browser.submit(&form, Some("confirm"), &[]).await;
    expect_refused(empty, 422, "Fill this in");
    let wrong = browser.submit(&form, Some("confirm"), &[("password", "not hers")]).await;
    let page = expect_refused(wrong, 422, "not the account’s password");
    // Nobody else's password, whatever name is sent with it.
    let mut forged = page.form_of("confirm");
    forged.fields.retain(|(name, _)| name != "username");
    forged.fields.push(("username".to_owned(), eve.username.clone()));
    server.app().accounts.set_password(&eve.id, "another violin 42 harbour").await.expect("a password");
    let wrong = browser.submit(&forged, Some("confirm"), &[("password", "another violin 42 harbour")]).await;
    expect_refused(wrong, 422, "not the account’s password");
    let back = browser.submit(&page.form_of("confirm"), Some("confirm"), &[("password", &ada.password)]).await;
    assert_eq!(back.expect_status(303).header("location"), "/account/email");
    assert_eq!(lines(&server, sid).await, before, "the session goes on");
    browser.get("/account/email").await.expect_status(200);
    // Whoever is fresh is not asked, and nobody is led anywhere else.
    for then in ["https://evil.example", "//evil.example", "nowhere", "account", ""] {
        let onward = browser.get(&format!("/account/confirm?then={then}")).await.expect_status(303);
        assert_eq!(onward.header("location"), "/account", "{then}");
    }
}

each_engine!(lg_11_a_new_password_ends_what_is_elsewhere);
async fn lg_11_a_new_password_ends_what_is_elsewhere(engine: Engine) {
    let (server, mailbox) = server_with_mail(engine, &[]).await;
    let ada = made::person(&server, "ada").await;
    let (mut browser, mut elsewhere) = (browser_of(&server, &ada).await, browser_of(&server, &ada).await);
    let page = browser.get("/account/password").await.expect_status(200);
    assert_eq!(page.element("current_password").attribute("autocomplete"), Some("current-password"));
    assert_eq!(page.element("password").attribute("autocomplete"), Some("new-password"));
    assert!(page.element("password").attribute("passwordrules").is_some());
    let (new, current) = ("tidal lantern 88 moss", ada.password.as_str());
    for (typed, said) in [
        ([("current_password", ""), ("password", "")], "2 things need another look"),
        ([("current_password", current), ("password", "short")], "8 characters or more"),
        ([("current_password", "not hers"), ("password", new)], "not the account’s password"),
    ] {
        let refused = press(&mut browser, "password", "change-password", &typed).await;
        let page = expect_refused(refused, 422, said);
        assert!(!page.body.contains(new) && !page.body.contains("not hers"), "{page:#?}");
    }
    assert!(can_sign_in(&server.wire(), &ada).await);
    let typed = [("current_password", current), ("password", new)];
    let done = press(&mut browser, "password", "change-password", &typed).await;
    expect_done(&mut browser, done, "You have a new password").await;
    assert_eq!(elsewhere.get("/account").await.status, 303, "the others have ended");
    assert!(!can_sign_in(&server.wire(), &ada).await);
    let changed = mailbox.received().into_iter().any(|mail| mail.text().contains("has a new password"));
    if !changed {
        mailbox.nth(mailbox.received().len() + 1).await;
    }
    // One budget for every door (LG-11).
    for _ in 0..4 {
        press(&mut browser, "password", "change-password", &[("current_password", "no"), ("password", current)]).await;
    }
    let throttled =
        press(&mut browser, "password", "change-password", &[("current_password", new), ("password", current)]).await;
    let page = expect_refused(throttled, 429, "too many attempts");
    assert!(page.headers.contains_key("retry-after"), "{page:#?}");
    server.advance_seconds(16 * 60);
    let page = browser.get("/account/confirm?then=email").await.expect_status(200);
    browser.submit(&page.form_of("confirm"), Some("confirm"), &[("password", new)]).await.expect_status(303);
}

both_engines!(ap_20_sessions_are_seen_and_ended);
/// AP-20: one's own, and nobody else's.
async fn ap_20_sessions_are_seen_and_ended(server: TestServer) {
    let (ada, eve) = (server.person("ada").await, server.person("eve").await);
    let mut browser = browser_of(&server, &ada).await;
    let (mut second, mut third) = (browser_of(&server, &ada).await, browser_of(&server, &ada).await);
    let mut stranger = browser_of(&server, &eve).await;
    run(&server, &format!("UPDATE browser_sessions SET user_agent = '{FIREFOX}', address = '192.0.2.7'")).await;
    server.advance_seconds(7_200);
    let page = browser.get("/account/sessions").await.expect_status(200);
    assert_eq!(page.body.matches("Firefox on Linux").count(), 3, "{page:#?}");
    assert_eq!(page.body.matches("This one").count(), 1, "{page:#?}");
    for said in ["192.0.2.7", "Active just now", "Active 2 hours ago"] {
        assert!(page.body.contains(said), "{said}: {page:#?}");
    }
    let form = page.form_of("e2");
    let before = server.dump().await;
    let eves = server.app().sessions.of(eve.id.parse().expect("an id"), 9).await.expect("her sessions");
    let alien = eves.first().expect("one").id.to_string();
    for id in [alien.as_str(), "", "x", "00000000-0000-0000-0000-000000000000"] {
        let mut forged = form.clone();
        forged.fields.push(("end".to_owned(), id.to_owned()));
        let refused = browser.submit(&forged, None, &[]).await;
        expect_refused(refused, 404, "not there any more");
    }
    server.dump().await.expect_same_as(&before);
    stranger.get("/account").await.expect_status(200);
    // One of them, and the same once more.
    let ended = browser.submit(&form, Some("e2"), &[]).await;
    expect_done(&mut browser, ended, "It is signed out").await;
    let again = browser.submit(&form, Some("e2"), &[]).await;
    expect_refused(again, 404, "not there any more");
    let alive = async |browser: &mut Browser| browser.get("/account").await.status == 200;
    assert_eq!(usize::from(alive(&mut second).await) + usize::from(alive(&mut third).await), 1);
    // All others.
    let _fourth = browser_of(&server, &ada).await;
    let ended = press(&mut browser, "sessions", "end-others", &[]).await;
    let page = expect_done(&mut browser, ended, "Everywhere but here").await;
    assert!(page.find_element("end-others").is_none() && page.find_element("e2").is_none(), "{page:#?}");
    assert!(!alive(&mut second).await && !alive(&mut third).await);
    assert!(alive(&mut stranger).await);
}

both_engines!(ap_20_apps_are_seen_and_their_access_is_taken_back);
/// AP-20: what one has allowed oneself, and nobody else's.
async fn ap_20_apps_are_seen_and_their_access_is_taken_back(server: TestServer) {
    let (ada, eve) = (server.person("ada").await, server.person("eve").await);
    let mut flows = Vec::new();
    for name in ["Orchard", "<Market>"] {
        let draft = Draft { client_name: Some(name.to_owned()), ..made::draft() };
        let application = made::client(&server, draft).await;
        flows.push(Flow::new(&application).with("scope", "openid profile email offline_access"));
    }
    let (mut browser, mut other) = (browser_of(&server, &ada).await, browser_of(&server, &eve).await);
    let mut tokens = Vec::new();
    for flow in &flows {
        tokens.push(flow.tokens(&server.wire(), &mut browser, &ada).await);
    }
    flows[0].tokens(&server.wire(), &mut other, &eve).await;
    let page = browser.get("/account/apps").await.expect_status(200);
    for said in ["Orchard", "See your email address", "Keep this access while you are away", "last used just now"] {
        assert!(page.body.contains(said), "{said}: {page:#?}");
    }
    assert!(!page.body.contains("<Market>"), "{page:#?}");
    let form = page.form_of("w1");
    let withdraw = |client: &str| {
        let mut form = form.clone();
        form.fields.push(("app".to_owned(), client.to_owned()));
        form
    };
    let ended = browser.submit(&withdraw(&flows[0].application.id), None, &[]).await;
    let page = expect_done(&mut browser, ended, "Its access has ended").await;
    assert!(!page.body.contains("Orchard"), "{page:#?}");
    made::userinfo(&server.wire(), &tokens[0].access_token()).await.expect_status(401);
    made::userinfo(&server.wire(), &tokens[1].access_token()).await.expect_status(200);
    let before = server.dump().await;
    // Eve's stays, whoever asks: for Ada there is no such thing any more.
    for client in [flows[0].application.id.as_str(), "", "nobody"] {
        let refused = browser.submit(&withdraw(client), None, &[]).await;
        expect_refused(refused, 404, "not there any more");
    }
    server.dump().await.expect_same_as(&before);
    assert!(other.get("/account/apps").await.body.contains("Orchard"));
}

each_engine!(al_19_ways_in_are_seen_and_taken_and_the_last_one_stays);
async fn al_19_ways_in_are_seen_and_taken_and_the_last_one_stays(engine: Engine) {
    let stage = Stage::with(engine, &[("providers.stub.label", "Elsewhere")]).await;
    let mut browser = stage.server.browser();
    stage.sign_in(&mut browser, may()).await;
    let page = browser.get("/account/providers").await.expect_status(200);
    assert!(page.body.contains("Elsewhere") && page.body.contains("your only way to sign in"), "{page:#?}");
    assert!(page.find_element("u1").is_none(), "{page:#?}");
    let link = "SELECT provider || ' ' || account_id AS line FROM linked_accounts ORDER BY 1";
    assert_eq!(lines(&stage.server, link).await, ["stub 108"]);
    // A first password, which has nothing to show but the sign-in of a moment ago.
    let first = browser.get("/account/password").await.expect_status(200);
    assert!(first.find_element("current_password").is_none(), "{first:#?}");
    let set = browser.submit(&first.form_of("change-password"), None, &[("password", "tidal lantern 88 moss")]).await;
    expect_done(&mut browser, set, "You have a new password").await;
    // From now on it is the password that shows who is here: the provider has not said when they signed in there.
    let page = browser.get("/account/providers").await.expect_status(200);
    let form = page.form_of("u1");
    let asked = browser.submit(&form, Some("u1"), &[]).await.expect_status(403);
    let typed = [("password", "tidal lantern 88 moss")];
    let confirmed = browser.submit(&asked.form_of("confirm"), Some("confirm"), &typed).await.expect_status(303);
    assert_eq!(confirmed.header("location"), "/account/providers");
    let form = browser.get("/account/providers").await.form_of("u1");
    let before = stage.server.dump().await;
    for (name, value) in [("account", "109"), ("provider", "other")] {
        let mut forged = form.clone();
        forged.fields.retain(|(key, _)| key != name);
        forged.fields.push((name.to_owned(), value.to_owned()));
        let refused = browser.submit(&forged, None, &[]).await;
        expect_refused(refused, 404, "not there any more");
    }
    stage.server.dump().await.expect_same_as(&before);
    // AP-20: somebody else's stays.
    let ada = made::person(&stage.server, "ada").await;
    let mut other = browser_of(&stage.server, &ada).await;
    let page = other.get("/account/providers").await.expect_status(200);
    let request = other.submit(&page.form_of("link-stub"), None, &[]).await.expect_status(303).location();
    come_back(&mut other, &stage.stub.answer(&request, json!({ "sub": "hers" }))).await.expect_status(303);
    let mut forged = other.get("/account/providers").await.form_of("u1");
    forged.fields.retain(|(key, _)| key != "account");
    forged.fields.push(("account".to_owned(), "108".to_owned()));
    let refused = other.submit(&forged, None, &[]).await;
    expect_refused(refused, 404, "not there any more");
    assert_eq!(lines(&stage.server, link).await, ["stub 108", "stub hers"]);
    stage.server.advance_seconds(16 * 60);
    let late = browser.submit(&form, Some("u1"), &[]).await.expect_status(403);
    assert!(late.title().contains("Confirm it is you"), "{late:#?}");
    browser.submit(&late.form_of("confirm"), Some("confirm"), &typed).await.expect_status(303);
    let gone = press(&mut browser, "providers", "u1", &[]).await;
    expect_done(&mut browser, gone, "Disconnected").await;
    assert_eq!(lines(&stage.server, link).await, ["stub hers"]);
}

each_engine!(whoever_has_no_password_confirms_at_their_provider);
async fn whoever_has_no_password_confirms_at_their_provider(engine: Engine) {
    let (stage, _mailbox) = Stage::with_mail(engine, &[]).await;
    let mut browser = stage.server.browser();
    stage.sign_in(&mut browser, may()).await;
    let sid = "SELECT sid AS line FROM browser_sessions WHERE ended_at IS NULL";
    let before = lines(&stage.server, sid).await;
    stage.server.advance_seconds(16 * 60);
    let sent = browser.get("/account/password").await.expect_status(303);
    let page = browser.follow(sent).await.expect_status(200);
    assert!(page.find_element("confirm").is_none(), "there is no password to ask for: {page:#?}");
    let form = page.form_of("provider-stub");
    let request = async |browser: &mut Browser| {
        browser.submit(&form, Some("provider-stub"), &[]).await.expect_status(303).location()
    };
    let to = request(&mut browser).await;
    let asked = crate::support::unique_parameters(&to);
    assert_eq!((asked["prompt"].as_str(), asked["max_age"].as_str()), ("login", "0"));
    // Somebody else's account there, or nobody's, confirms nothing and makes nobody.
    let others = json!({ "sub": "999", "email": "new@example.org", "email_verified": true, "name": "New" });
    let users = "SELECT email AS line FROM users";
    let refused = come_back(&mut browser, &stage.stub.answer(&to, others)).await.expect_status(409);
    assert_eq!(refused.element("restart").attribute("href"), Some("/account/confirm?then=password"));
    assert_eq!(lines(&stage.server, users).await.len(), 1);
    browser.get("/account/password").await.expect_status(303);
    // Another browser brings back what this one was sent for: nothing.
    let to = request(&mut browser).await;
    let answer = stage.stub.answer(&to, may());
    come_back(&mut stage.server.browser(), &answer).await.expect_status(400);
    let back = come_back(&mut browser, &answer).await.expect_status(303);
    assert_eq!(back.header("location"), "/account/password");
    assert_eq!(lines(&stage.server, sid).await, before, "the session goes on");
    browser.get("/account/password").await.expect_status(200);
}

/// Fifty sessions, fifty applications: three statements and fifteen kilobytes a page at the most.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_long_lists_stay_small_and_quick() {
    let server = TestServer::start(Engine::Postgres).await;
    let ada = made::person(&server, "ada").await;
    let mut browser = browser_of(&server, &ada).await;
    for n in 0..50 {
        let draft = Draft { client_name: Some(format!("An application of some name, number {n}")), ..made::draft() };
        let flow = Flow::new(&made::client(&server, draft).await);
        let flow = flow.with("scope", "openid profile email address phone offline_access");
        flow.tokens(&server.wire(), &mut browser, &ada).await;
        if n > 0 {
            browser_of(&server, &ada).await;
        }
    }
    let address = "2001:db8:1234:5678:9abc:def0:1234:5678";
    run(&server, &format!("UPDATE browser_sessions SET user_agent = '{FIREFOX}', address = '{address}'")).await;
    for section in
        ["", "/profile", "/picture", "/email", "/password", "/sessions", "/activity", "/apps", "/providers", "/data"]
    {
        let path = format!("/account{section}");
        for language in ["en", "de"] {
            let get = async || {
                let mut browser = browser.clone();
                let call = browser.call(Method::GET, &path).header("accept-language", language);
                browser.send(call).await.expect_status(200)
            };
            let page = expect_at_most(&server, 3, get).await;
            assert!(page.body.len() <= 15_000, "{path} has {} bytes", page.body.len());
        }
    }
    let page = browser.get("/account/sessions").await.expect_status(200);
    assert!(page.body.contains("Page 1 of 3") && page.body.contains("This one"), "{page:#?}");
    let overview = browser.get("/account").await;
    assert!(overview.body.contains("50 browsers") && overview.body.contains("50 apps"), "{overview:#?}");
    // Every one of them is on one of the parts, once.
    for (section, button) in [("sessions", "end"), ("apps", "app")] {
        let mut all = std::collections::BTreeSet::new();
        for part in 1..=3 {
            let page = browser.get(&format!("/account/{section}?part={part}")).await.expect_status(200);
            let buttons = page.elements("button");
            let named = buttons.iter().filter(|found| found.attribute("name") == Some(button));
            all.extend(named.filter_map(|found| found.attribute("value").map(str::to_owned)));
        }
        assert_eq!(all.len(), if section == "sessions" { 49 } else { 50 }, "{section}");
    }
}

both_engines!(nobodys_account_is_enough_of_one);
/// Somebody with a username alone, and without mail.
async fn nobodys_account_is_enough_of_one(server: TestServer) {
    let password = "plum violin 42 harbour".to_owned();
    let account =
        NewAccount { username: Some("plain".to_owned()), password: Some(password.clone()), ..NewAccount::default() };
    server.app().accounts.create(account).await.expect("an account");
    let mut browser = server.browser();
    sign_in(&mut browser, "plain", &password).await.expect_status(303);
    for section in
        ["", "/profile", "/picture", "/email", "/password", "/sessions", "/activity", "/apps", "/providers", "/data"]
    {
        browser.get(&format!("/account{section}")).await.expect_status(200);
    }
    let page = browser.get("/account/email").await;
    assert!(page.find_element("change-email").is_none() && page.body.contains("sends no mails"), "{page:#?}");
    server.advance_seconds(16 * 60);
    let page = browser.get("/account/confirm?then=providers").await.expect_status(200);
    browser.submit(&page.form_of("confirm"), Some("confirm"), &[("password", &password)]).await.expect_status(303);
}
