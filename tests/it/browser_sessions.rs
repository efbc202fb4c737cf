//! The session that a sign-in begins: its cookie, its ends, whose it is.

use chrono::Duration;
use cookie::{Expiration, time::SignedDuration};
use reqwest::Method;
use sea_orm::{ConnectionTrait, Statement};

use crate::support::{Flow, NewApplication, TestServer, Tokens};

use crate::sign_in::{QUICK, disable, form, is_signed_in, session_cookie, sign_in, try_from};

both_engines!(a_sign_in_makes_a_new_session with super::QUICK);
/// Whatever id the browser brings, it is another one afterwards, and the old one is nobody's.
async fn a_sign_in_makes_a_new_session(server: TestServer) {
    let ada = server.person("ada").await;
    let mut browser = server.browser();
    sign_in(&mut browser, &ada).await;
    let (name, first) = session_cookie(&browser);
    assert!(first.len() >= 22, "128 bits at least: {first}");

    // The same person again, by an application that wants it.
    let application = server.application(NewApplication::default()).await;
    Flow::new(&application).with("prompt", "login").sign_in(&mut browser, &ada).await;
    let (_, second) = session_cookie(&browser);
    assert_ne!(first, second);
    let mut old = server.browser();
    old.set_cookie(&name, &first);
    assert!(!is_signed_in(&mut old).await);
    assert!(is_signed_in(&mut browser).await);

    // An id that somebody else chose, in the way that ours are written.
    let chosen = format!("A{}", &second[1..]);
    let mut fixed = server.browser();
    fixed.set_cookie(&name, &chosen);
    sign_in(&mut fixed, &ada).await;
    assert_ne!(session_cookie(&fixed).1, chosen);
    let mut attacker = server.browser();
    attacker.set_cookie(&name, &chosen);
    assert!(!is_signed_in(&mut attacker).await);
}

both_engines!(one_browser_one_person with super::QUICK);
async fn one_browser_one_person(server: TestServer) {
    let (ada, bob) = (server.person("ada").await, server.person("bob").await);
    let application = server.application(NewApplication::default()).await;
    let mut browser = server.browser();
    let online = Flow::new(&application).with("scope", "openid profile");
    let adas = online.tokens(&server.wire(), &mut browser, &ada).await;
    let (name, old) = session_cookie(&browser);

    let again = Flow::new(&application).with("scope", "openid profile").with("prompt", "login");
    let bobs = again.tokens(&server.wire(), &mut browser, &bob).await;
    let claims = |tokens: &Tokens| Tokens::claims(&tokens.id_token());
    assert_eq!(claims(&bobs)["sub"], bob.id);
    assert_ne!(claims(&bobs)["sid"], claims(&adas)["sid"]);
    // Ada's session is over, and what hung on it.
    let mut adas_browser = server.browser();
    adas_browser.set_cookie(&name, &old);
    assert!(!is_signed_in(&mut adas_browser).await);
    online.refresh(&server.wire(), &adas.refresh_token()).await.0.expect_error(400, "invalid_grant");
    again.refresh(&server.wire(), &bobs.refresh_token()).await.expect_tokens();
}

both_engines!(the_same_person_again_keeps_session_and_grants with super::QUICK);
async fn the_same_person_again_keeps_session_and_grants(server: TestServer) {
    let ada = server.person("ada").await;
    let application = server.application(NewApplication::default()).await;
    let mut browser = server.browser();
    let online = Flow::new(&application).with("scope", "openid profile");
    let first = online.tokens(&server.wire(), &mut browser, &ada).await;
    server.advance_seconds(60);
    let again = Flow::new(&application).with("scope", "openid profile").with("prompt", "login");
    let second = again.tokens(&server.wire(), &mut browser, &ada).await;
    let claim = |tokens: &Tokens, name: &str| Tokens::claims(&tokens.id_token())[name].clone();
    assert_eq!(claim(&first, "sid"), claim(&second, "sid"));
    assert!(claim(&second, "auth_time").as_i64() > claim(&first, "auth_time").as_i64());
    online.refresh(&server.wire(), &first.refresh_token()).await.expect_tokens();
    // The session's own id is no `sid`: whoever reads tokens learns nothing to sign in with.
    let sid = claim(&first, "sid").as_str().expect("sid").to_owned();
    assert!(browser.cookie_pairs().values().all(|value| !value.contains(&sid)));
    // Another browser is another session.
    let elsewhere = online.tokens(&server.wire(), &mut server.browser(), &ada).await;
    assert_ne!(claim(&elsewhere, "sid"), claim(&first, "sid"));
}

both_engines!(remembering_is_a_cookie_that_outlives_the_browser with super::QUICK);
async fn remembering_is_a_cookie_that_outlives_the_browser(server: TestServer) {
    let ada = server.person("ada").await;
    for remember in [false, true] {
        let mut browser = server.browser();
        let form = form(&mut browser).await;
        let mut typed = vec![("username", ada.username.as_str()), ("password", ada.password.as_str())];
        typed.extend(remember.then_some(("remember", "true")));
        browser.submit(&form, Some("sign-in"), &typed).await.expect_status(303);
        let (name, _) = session_cookie(&browser);
        let cookie = browser.cookies().find(|cookie| cookie.name() == name).expect("the cookie").clone();
        let days = cookie.max_age().map(SignedDuration::whole_hours).or_else(|| match cookie.expires() {
            Some(Expiration::DateTime(end)) => Some((end.unix_timestamp() - server.now().timestamp()) / 3_600),
            _ => None,
        });
        if remember {
            assert!(days.is_some_and(|hours| (719..=720).contains(&hours)), "{cookie}");
        } else {
            assert_eq!(days, None, "{cookie}");
        }
        browser.close();
        assert_eq!(is_signed_in(&mut browser).await, remember);
    }
}

both_engines!(br_12_sessions_end_when_nobody_comes with super::QUICK);
async fn br_12_sessions_end_when_nobody_comes(server: TestServer) {
    let ada = server.person("ada").await;
    let mut browser = server.browser();
    sign_in(&mut browser, &ada).await;
    for _ in 0..3 {
        server.advance(Duration::hours(23));
        assert!(is_signed_in(&mut browser).await);
    }
    server.advance(Duration::hours(24) + Duration::seconds(1));
    assert!(!is_signed_in(&mut browser).await);
    // For good.
    assert!(!is_signed_in(&mut browser).await);
}

both_engines!(br_12_sessions_end_after_fourteen_days with super::QUICK);
async fn br_12_sessions_end_after_fourteen_days(server: TestServer) {
    let ada = server.person("ada").await;
    let mut browser = server.browser();
    sign_in(&mut browser, &ada).await;
    for _ in 0..27 {
        server.advance(Duration::hours(12));
        assert!(is_signed_in(&mut browser).await);
    }
    server.advance(Duration::hours(11));
    assert!(is_signed_in(&mut browser).await);
    server.advance(Duration::hours(1));
    assert!(!is_signed_in(&mut browser).await);
}

both_engines!(br_12_a_remembered_session_lives_thirty_days with super::QUICK);
async fn br_12_a_remembered_session_lives_thirty_days(server: TestServer) {
    let ada = server.person("ada").await;
    let mut browser = server.browser();
    let form = form(&mut browser).await;
    let typed = [("username", ada.username.as_str()), ("password", ada.password.as_str()), ("remember", "true")];
    browser.submit(&form, Some("sign-in"), &typed).await.expect_status(303);
    server.advance(Duration::days(29));
    assert!(is_signed_in(&mut browser).await);
    server.advance(Duration::days(1));
    assert!(!is_signed_in(&mut browser).await);
}

both_engines!(br_09_cookies_are_for_this_host_alone with
    [super::QUICK[0], super::QUICK[1], ("issuer", "https://id.example.org")]);
/// The browser of these tests checks every cookie that it is given: `__Host-`, Secure, `HttpOnly`, `SameSite=Lax`, no domain.
/// Requirement 53.
async fn br_09_cookies_are_for_this_host_alone(server: TestServer) {
    let ada = server.person("ada").await;
    let application = server.application(NewApplication::default()).await;
    let mut browser = server.browser();
    let answer = Flow::new(&application).open(&mut browser).await;
    assert_eq!(answer.header("strict-transport-security"), "max-age=31536000");
    Flow::new(&application).sign_in(&mut browser, &ada).await.code();
    let names: Vec<_> = browser.cookies().map(|cookie| cookie.name().to_owned()).collect();
    assert_eq!(names, ["__Host-bonafide-browser", "__Host-bonafide-device", "__Host-bonafide-session"]);
    for cookie in browser.cookies() {
        assert!(cookie.value().len() >= 22, "{cookie}");
        for personal in [&ada.id, &ada.username, &ada.email] {
            assert!(!cookie.value().contains(personal.as_str()), "{cookie}");
        }
    }
    let home = browser.get("/").await;
    for value in browser.cookie_pairs().values() {
        assert!(!home.body.contains(value), "{home:#?}");
    }
    // A twin without the prefix is no session, nor one whose prefix is written in another way.
    let (name, value) = session_cookie(&browser);
    let mut twin = server.browser();
    twin.set_cookie(&name.replacen("__", "%5F%5F", 1), &value);
    assert!(!is_signed_in(&mut twin).await);
    let mut twin = server.browser();
    twin.set_cookie(name.trim_start_matches("__Host-"), &value);
    assert!(!is_signed_in(&mut twin).await);
    // It goes as it came: browsers ignore a header about a `__Host-` cookie that is not Secure.
    let form = browser.get("/").await.form("/logout");
    browser.submit(&form, Some("sign-out"), &[]).await.expect_status(200);
    let names: Vec<_> = browser.cookies().map(|cookie| cookie.name().to_owned()).collect();
    // What tells the device lets nobody in.
    assert_eq!(names, ["__Host-bonafide-browser", "__Host-bonafide-device"]);
}

both_engines!(br_10_only_the_exact_cookie_counts with super::QUICK);
async fn br_10_only_the_exact_cookie_counts(server: TestServer) {
    let (ada, bob) = (server.person("ada").await, server.person("bob").await);
    let (mut adas, mut bobs) = (server.browser(), server.browser());
    sign_in(&mut adas, &ada).await;
    sign_in(&mut bobs, &bob).await;
    let (name, hers) = session_cookie(&adas);
    let (_, his) = session_cookie(&bobs);
    let home = async |header: &str| {
        let answer = server.call(Method::GET, "/").header("cookie", header).send().await.expect_status(200);
        answer.find_element("sign-out").is_some()
    };
    assert!(home(&format!("{name}={hers}")).await);
    assert!(home(&format!("other=1; {name}={hers}; x=y")).await);
    // Two of them: nobody can say whose browser it is, so it is nobody's.
    assert!(!home(&format!("{name}={hers}; {name}={his}")).await);
    assert!(!home(&format!("{name}={his}; {name}={hers}")).await);
    let twice = server.call(Method::GET, "/").header("cookie", format!("{name}={hers}"));
    let twice = twice.header("cookie", format!("{name}={his}")).send().await.expect_status(200);
    assert!(twice.find_element("sign-out").is_none(), "{twice:#?}");
    for other in [
        format!("{}={hers}", name.to_uppercase()),
        format!("{name}.0={hers}"),
        // A name that only looks like ours once it is decoded; over https anybody below the domain could set it.
        format!("{}={hers}", name.replacen('b', "%62", 1)),
        format!("{}={hers}", name.replace('-', "%2D")),
        format!("x{name}={hers}"),
        format!("__Host-{name}={hers}"),
        format!("{name}.0={}; {name}.1={}", &hers[..10], &hers[10..]),
        format!("{name}={}", &hers[..hers.len() - 1]),
        format!("{name}={hers}x"),
    ] {
        assert!(!home(&other).await, "{other}");
    }
    // As large as the connection takes, or refused by it; never a fault of ours.
    let large = format!("{name}={}", "x".repeat(60_000));
    let answer = server.call(Method::GET, "/").header("cookie", large).send().await;
    assert!(matches!(answer.status.as_u16(), 200 | 431), "{answer:#?}");
}

both_engines!(br_11_a_cookie_after_signing_out_is_nobodys with super::QUICK);
async fn br_11_a_cookie_after_signing_out_is_nobodys(server: TestServer) {
    let ada = server.person("ada").await;
    let application = server.application(NewApplication::default()).await;
    let mut browser = server.browser();
    let flow = Flow::new(&application).with("scope", "openid");
    let tokens = flow.tokens(&server.wire(), &mut browser, &ada).await;
    let home = browser.get("/").await.expect_status(200);
    assert_eq!(home.header("cache-control"), "no-store");
    let stolen = browser.clone();

    let out = browser.submit(&home.form("/logout"), Some("sign-out"), &[]).await.expect_status(200);
    assert!(out.title().contains("signed out"), "{out:#?}");
    assert!(browser.cookie_pairs().keys().all(|name| !name.contains("session")), "{out:#?}");
    for mut browser in [browser, stolen] {
        assert!(!is_signed_in(&mut browser).await);
        let again = flow.open(&mut browser).await.expect_status(200);
        assert!(again.find_element("password").is_some(), "{again:#?}");
        // The form of the page that the back button shows does nothing any more.
        let old = browser.submit(&home.form("/logout"), Some("sign-out"), &[]).await;
        assert!(matches!(old.status.as_u16(), 200 | 403), "{old:#?}");
    }
    flow.refresh(&server.wire(), &tokens.refresh_token()).await.0.expect_error(400, "invalid_grant");
    let database = server.database().await;
    let sql = "SELECT COUNT(*) AS n FROM browser_sessions WHERE ended_at IS NULL";
    let row = database.query_one_raw(Statement::from_string(database.get_database_backend(), sql)).await.unwrap();
    assert_eq!(row.expect("a row").try_get::<i64>("", "n").unwrap(), 0);
}

both_engines!(br_14_a_disabled_person_is_out_at_once with super::QUICK);
async fn br_14_a_disabled_person_is_out_at_once(server: TestServer) {
    let ada = server.person("ada").await;
    let application = server.application(NewApplication::default()).await;
    let flow = Flow::new(&application);
    let mut browser = server.browser();
    let tokens = flow.tokens(&server.wire(), &mut browser, &ada).await;
    let code = flow.sign_in(&mut browser, &ada).await.code().to_owned();
    let userinfo = || server.call(Method::GET, "/userinfo").bearer(&tokens.access_token()).send();
    userinfo().await.expect_status(200);

    disable(&server, &ada).await;
    assert!(!is_signed_in(&mut browser).await);
    let silent = flow.clone().with("prompt", "none");
    let answer = silent.begin(&mut browser).await;
    silent.reply(&answer).expect("an answer").expect_error(&silent, server.issuer(), "login_required");
    userinfo().await.expect_error(401, "invalid_token");
    flow.refresh(&server.wire(), &tokens.refresh_token()).await.0.expect_error(400, "invalid_grant");
    flow.exchange(&server.wire(), &code).await.0.expect_error(400, "invalid_grant");
    try_from(&server, &[], "ada", &ada.password).await.expect_status(422);

    // Switched on again, the person signs in anew; nothing of before comes back.
    server.cli(&["user", "enable", &ada.username]).await.expect_success();
    assert!(!is_signed_in(&mut browser).await);
    userinfo().await.expect_error(401, "invalid_token");
    flow.refresh(&server.wire(), &tokens.refresh_token()).await.0.expect_error(400, "invalid_grant");
    sign_in(&mut browser, &ada).await;
    assert!(is_signed_in(&mut browser).await);
}
