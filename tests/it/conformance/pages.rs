//! What the suite's browser automation holds on to in pages, and what its requests meet beside the modules.

use serde_json::Value;

use super::checks::expect_description;
use crate::support::{
    Flow, TestServer,
    made::{self, SignedIn},
};

const STOPPED: &str = "We had to stop here";
const SIGNED_OUT: &str = "You are signed out";

both_engines!(c_54_pages_have_their_marks);
/// Without a script: the fields and buttons by their ids, and the phrases that tell the last pages from all others.
async fn c_54_pages_have_their_marks(server: TestServer) {
    let flow = Flow::new(&made::client(&server, made::draft()).await);
    let ada = made::person(&server, "ada").await;
    let mut browser = server.browser();
    let sign_in = flow.open(&mut browser).await.expect_status(200);
    assert_eq!(sign_in.url.path(), "/sign-in");
    assert!(sign_in.body.contains("Sign in"));
    for id in ["username", "password"] {
        assert_eq!(sign_in.element(id).attribute("name"), Some(id));
    }
    assert_eq!(sign_in.element("sign-in").name, "button");
    let typed = [("username", ada.username.as_str()), ("password", ada.password.as_str())];
    let answer = browser.submit(&sign_in.form("/sign-in"), Some("sign-in"), &typed).await;
    let consent = browser.follow(answer).await.expect_status(200);
    for id in ["consent-allow", "consent-deny"] {
        assert_eq!(consent.element(id).name, "button");
    }
    let answer = browser.submit(&consent.form("/authorize/consent"), Some("consent-allow"), &[]).await;
    assert!(answer.status.is_redirection(), "{answer:#?}");
    let sign_out = browser.get("/logout").await.expect_status(200);
    assert_eq!(sign_out.element("sign-out").name, "button");
    let home = browser.get("/").await.expect_status(200);
    let signed_out = browser.submit(&sign_out.form("/logout"), Some("sign-out"), &[]).await.expect_status(200);
    let stopped = browser.get("/authorize?client_id=nobody").await.expect_error_page();
    stopped.element("stopped");
    let form_post = flow.with("response_mode", "form_post").with("prompt", "none").open(&mut browser).await;
    let sign_up = browser.get("/sign-up").await.expect_status(200);
    for page in [&sign_in, &consent, &sign_out, &home, &signed_out, &stopped, &form_post, &sign_up] {
        assert_eq!(page.body.contains(STOPPED), page.url == stopped.url, "{page:#?}");
        assert_eq!(page.find_element("stopped").is_some(), page.url == stopped.url, "{page:#?}");
        let is_last = page.url.path() == "/logout" && page.find_element("sign-out").is_none();
        assert_eq!(page.body.contains(SIGNED_OUT), is_last, "{page:#?}");
    }
}

both_engines!(c_33_a_rotation_is_seen_within_minutes);
async fn c_33_a_rotation_is_seen_within_minutes(server: TestServer) {
    for path in ["/jwks", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"] {
        let answer = server.get(path).await.expect_status(200);
        let seconds = answer.header("cache-control").split(", ").find_map(|part| part.strip_prefix("max-age="));
        assert!(seconds.and_then(|text| text.parse::<u32>().ok()).is_some_and(|seconds| seconds <= 300), "{answer:#?}");
    }
}

both_engines!(c_41_c_73_errors_keep_to_their_characters);
/// Whatever stands in the request: no quotation mark, no backslash, no line break, nothing beyond ASCII.
async fn c_41_c_73_errors_keep_to_their_characters(server: TestServer) {
    let flow = Flow::new(&made::client(&server, made::draft()).await);
    let odd = "\"\\\u{e9}\r\n\t%0a'<x>";
    for name in ["grant_type", "code", "redirect_uri", "scope", "refresh_token", "code_verifier", "client_id"] {
        for grant in ["authorization_code", "refresh_token", "client_credentials", odd] {
            let fields: Vec<_> =
                [("grant_type", grant), (name, odd)].into_iter().filter(|(key, v)| *key != name || *v == odd).collect();
            let answer = flow.token(&server.wire(), &fields).await.0;
            assert!([400, 401].contains(&answer.status.as_u16()), "{answer:#?}");
            let body: Value = answer.json();
            expect_description(body["error"].as_str().expect("an error"));
            expect_description(body["error_description"].as_str().expect("a description"));
        }
    }
    for name in ["response_type", "response_mode", "scope", "max_age", "claims", "id_token_hint", "resource"] {
        let flow = flow.clone().with(name, odd);
        let reply = flow.reply(&flow.begin(&mut server.browser()).await).expect("an answer");
        expect_description(&reply.parameters["error"]);
        expect_description(&reply.parameters["error_description"]);
        let names: Vec<&String> = reply.parameters.keys().collect();
        assert_eq!(names, ["error", "error_description", "iss", "state"], "{name}");
    }
}

both_engines!(c_89_a_token_in_the_query_is_no_token);
async fn c_89_a_token_in_the_query_is_no_token(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let token = signed_in.tokens.access_token();
    let path = format!("/userinfo?access_token={token}");
    server.get(&path).await.expect_status(401);
    server.post(&path, &[]).await.expect_status(401);
    signed_in.expect_live(&token).await;
}

both_engines!(c_88_a_person_is_the_same_for_ever_and_everywhere);
/// `sub` is public: one for a person whatever the client, the session, the name or the address.
async fn c_88_a_person_is_the_same_for_ever_and_everywhere(mut server: TestServer) {
    let first = SignedIn::new(&server).await;
    server.cli(&["user", "update", "ada", "--email", "new@example.org"]).await.expect_success();
    server.advance_seconds(86_400 * 400);
    server.restart().await;
    let other = Flow::new(&made::client(&server, made::draft()).await);
    let second = SignedIn::at(&server, other, first.person.clone()).await;
    let eve = made::person(&server, "eve").await;
    let third = SignedIn::at(&server, second.flow.clone(), eve).await;
    let sub = |signed_in: &SignedIn| crate::support::Tokens::claims(&signed_in.tokens.id_token())["sub"].clone();
    assert_eq!((sub(&first), sub(&first)), (first.person.id.as_str().into(), sub(&second)));
    assert_ne!(sub(&third), sub(&first));
}
