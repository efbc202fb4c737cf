//! Revocation (RFC 7009): what a client gives back is good for nothing at once, and nobody else's is touched.

use bonafide::clients::Draft;
use reqwest::Method;

use crate::support::{
    Application, ClientAuth, Flow, TestServer, Tokens, at_once,
    made::{self, SignedIn, expect_active, expect_inactive, expect_revoked, revoke, userinfo},
};

const FORMATS: [&str; 2] = ["at+jwt", "opaque"];

async fn signed_in_with(server: &TestServer, format: &str) -> SignedIn {
    let draft = Draft { token_format: Some(format.to_owned()), ..made::draft() };
    let application = made::client(server, draft).await;
    let person = made::person(server, &format!("ada-{}", &format[..2])).await;
    SignedIn::at(server, Flow::new(&application), person).await
}

async fn service_token(server: &TestServer, service: &Application) -> String {
    let fields = [("grant_type", "client_credentials")];
    Tokens(service.post(server.call(Method::POST, "/token"), &fields).await).expect_tokens().access_token()
}

/// How many events of this kind the record has.
async fn events(server: &TestServer, kind: &str) -> usize {
    let all = server.dump_tables(&[]).await["audit_events"].clone();
    all.iter().filter(|row| row.contains(kind)).count()
}

both_engines!(ir_05_a_refresh_token_goes_with_all_of_its_grant);
async fn ir_05_a_refresh_token_goes_with_all_of_its_grant(server: TestServer) {
    for format in FORMATS {
        let signed_in = signed_in_with(&server, format).await;
        let other = SignedIn::at(&server, Flow::new(&signed_in.flow.application), signed_in.person.clone()).await;
        let next = signed_in.refreshed(&signed_in.tokens.refresh_token()).await;
        let before = events(&server, "grant_ended").await;
        for tokens in [&signed_in.tokens, &next] {
            signed_in.expect_live(&tokens.access_token()).await;
        }
        // Twice is as good as once.
        for _ in 0..2 {
            revoke(&server.wire(), &signed_in.flow.application, &next.refresh_token()).await;
            for tokens in [&signed_in.tokens, &next] {
                signed_in.expect_dead(&tokens.access_token()).await;
                expect_inactive(&server.wire(), &signed_in.flow.application, &tokens.access_token()).await;
                expect_inactive(&server.wire(), &signed_in.flow.application, &tokens.refresh_token()).await;
                signed_in.expect_refused(&tokens.refresh_token()).await;
            }
        }
        assert_eq!(events(&server, "grant_ended").await, before + 1);
        assert!(server.dump().await["grants"].iter().any(|row| row.contains("revoked")));
        // The same client's other grant of the same person lives on.
        other.expect_live(&other.tokens.access_token()).await;
        other.refreshed(&other.tokens.refresh_token()).await;
    }
}

both_engines!(ir_05_a_used_refresh_token_stands_for_its_grant_too);
/// A client whose answer got lost knows the old one only.
async fn ir_05_a_used_refresh_token_stands_for_its_grant_too(server: TestServer) {
    let application = made::client(&server, made::draft()).await;
    for (name, uses, presented) in [("ada", 1, 0), ("grace", 3, 0), ("joan", 3, 1), ("mary", 3, 2)] {
        let person = made::person(&server, name).await;
        let signed_in = SignedIn::at(&server, Flow::new(&application), person).await;
        let mut all = vec![signed_in.tokens.refresh_token()];
        let mut access_token = String::new();
        for _ in 0..uses {
            let tokens = signed_in.refreshed(all.last().unwrap()).await;
            all.push(tokens.refresh_token());
            access_token = tokens.access_token();
        }
        signed_in.expect_live(&access_token).await;
        revoke(&server.wire(), &application, &all[presented]).await;
        signed_in.expect_dead(&access_token).await;
        for token in &all {
            signed_in.expect_refused(token).await;
        }
    }
}

both_engines!(ir_05_an_access_token_goes_alone);
async fn ir_05_an_access_token_goes_alone(server: TestServer) {
    let second = server.second_node().await;
    for format in FORMATS {
        let signed_in = signed_in_with(&server, format).await;
        let application = &signed_in.flow.application;
        // Another node hears of a new application within half a second.
        second.app().reload().await.expect("reading it again");
        let next = signed_in.refreshed(&signed_in.tokens.refresh_token()).await;
        let (goes, stays) = (signed_in.tokens.access_token(), next.access_token());
        signed_in.expect_live(&goes).await;
        expect_active(&server.wire(), application, &goes).await;
        let before = events(&server, "access_token_revoked").await;
        for _ in 0..2 {
            revoke(&server.wire(), application, &goes).await;
            for wire in [server.wire(), second.wire()] {
                userinfo(&wire, &goes).await.expect_error(401, "invalid_token");
                expect_inactive(&wire, application, &goes).await;
            }
        }
        assert_eq!(events(&server, "access_token_revoked").await, before + 1);
        signed_in.expect_live(&stays).await;
        expect_active(&server.wire(), application, &stays).await;
        let later = signed_in.refreshed(&next.refresh_token()).await;
        signed_in.expect_live(&later.access_token()).await;
    }
}

both_engines!(ir_05_a_program_revokes_its_own_token);
async fn ir_05_a_program_revokes_its_own_token(server: TestServer) {
    for format in FORMATS {
        let draft = Draft { token_format: Some(format.to_owned()), ..made::service() };
        let service = made::client(&server, draft).await;
        let (goes, stays) = (service_token(&server, &service).await, service_token(&server, &service).await);
        expect_active(&server.wire(), &service, &goes).await;
        revoke(&server.wire(), &service, &goes).await;
        expect_inactive(&server.wire(), &service, &goes).await;
        expect_active(&server.wire(), &service, &stays).await;
    }
}

both_engines!(ir_05_another_clients_token_is_not_touched);
/// Nor is it told that there is one: the answer is that of any string.
async fn ir_05_another_clients_token_is_not_touched(server: TestServer) {
    let mut thief = made::draft();
    // Not even who may ask for the token may revoke it.
    thief.introspects = Some(vec![server.issuer().to_owned()]);
    let thief = made::client(&server, thief).await;
    let public = made::client(&server, made::public()).await;
    for format in FORMATS {
        let signed_in = signed_in_with(&server, format).await;
        let spent = signed_in.tokens.refresh_token();
        let next = signed_in.refreshed(&spent).await;
        let draft = Draft { token_format: Some(format.to_owned()), ..made::service() };
        let service = made::client(&server, draft).await;
        let services = service_token(&server, &service).await;
        let before = server.dump_tables(&[]).await;
        for stranger in [&thief, &public] {
            for token in [&next.access_token(), &next.refresh_token(), &spent, &services] {
                revoke(&server.wire(), stranger, token).await;
            }
        }
        server.dump_tables(&[]).await.expect_same_as(&before);
        signed_in.expect_live(&next.access_token()).await;
        expect_active(&server.wire(), &service, &services).await;
        revoke(&server.wire(), &signed_in.flow.application, &next.access_token()).await;
        revoke(&server.wire(), &service, &services).await;
        signed_in.expect_dead(&next.access_token()).await;
        expect_inactive(&server.wire(), &service, &services).await;
    }
}

both_engines!(ir_05_what_is_no_token_changes_nothing);
async fn ir_05_what_is_no_token_changes_nothing(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let application = &signed_in.flow.application;
    let code = signed_in.flow.sign_in(&mut signed_in.browser.clone(), &signed_in.person).await.code().to_owned();
    let token = signed_in.tokens.access_token();
    let (head, _) = token.rsplit_once('.').unwrap();
    let before = server.dump_tables(&[]).await;
    for junk in [
        "x",
        "a.b.c",
        "bfa_",
        "bfr_",
        &code,
        &signed_in.tokens.id_token(),
        &format!("{head}.AAAA"),
        &format!("bfa_{}", "A".repeat(43)),
        &format!("bfr_{}", "A".repeat(43)),
        &"a".repeat(17 * 1024),
    ] {
        revoke(&server.wire(), application, junk).await;
    }
    server.dump_tables(&[]).await.expect_same_as(&before);
    let large = [("token", "a".repeat(70_000))];
    let large = large.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>();
    application.post(server.call(Method::POST, "/revoke"), &large).await.expect_error(413, "invalid_request");
    signed_in.expect_live(&token).await;
    signed_in.flow.exchange(&server.wire(), &code).await.expect_tokens();
    // A wrong hint is only a hint (RFC 7009 section 2.1).
    for (token, hint) in [(&token, "refresh_token"), (&signed_in.tokens.refresh_token(), "access_token")] {
        let fields = [("token", token.as_str()), ("token_type_hint", hint)];
        expect_revoked(&application.post(server.call(Method::POST, "/revoke"), &fields).await);
        expect_inactive(&server.wire(), application, token).await;
    }
}

both_engines!(ir_05_who_does_not_prove_itself_revokes_nothing);
async fn ir_05_who_does_not_prove_itself_revokes_nothing(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let application = &signed_in.flow.application;
    let refresh_token = signed_in.tokens.refresh_token();
    let before = server.dump().await;
    let attempt = async |client: &Application, challenged: bool| {
        let answer = client.post(server.call(Method::POST, "/revoke"), &[("token", &refresh_token)]).await;
        let answer = answer.expect_error(401, "invalid_client");
        assert_eq!(answer.headers.contains_key("www-authenticate"), challenged, "{answer:#?}");
    };
    server.post("/revoke", &[("token", &refresh_token)]).await.expect_error(401, "invalid_client");
    attempt(&application.with_auth(ClientAuth::None), false).await;
    attempt(&application.with_auth(ClientAuth::Basic("wrong".to_owned())), true).await;
    attempt(&application.with_auth(ClientAuth::Post("wrong".to_owned())), false).await;
    server.dump().await.expect_same_as(&before);
    let secret = application.secret().to_owned();
    revoke(&server.wire(), &application.with_auth(ClientAuth::Post(secret)), &refresh_token).await;
    signed_in.expect_dead(&signed_in.tokens.access_token()).await;
}

both_engines!(c_39_a_public_client_revokes_by_its_id_from_its_own_origin);
/// Notes 25 and 39 of the survey: a single-page application revokes by script, and fails on an answer with a type.
async fn c_39_a_public_client_revokes_by_its_id_from_its_own_origin(server: TestServer) {
    const SPA: &str = "https://spa.example.com";
    let uris = Some(vec![format!("{SPA}/callback")]);
    let signed_in = SignedIn::with(&server, Draft { redirect_uris: uris, ..made::public() }, |flow| flow).await;
    let next = signed_in.refreshed(&signed_in.tokens.refresh_token()).await;
    for (origin, allowed) in [(SPA, true), ("https://evil.example", false), ("null", false)] {
        for path in ["/revoke", "/introspect"] {
            let asked = server.call(Method::OPTIONS, path).header("origin", origin);
            let asked = asked.header("access-control-request-method", "POST").send().await.expect_status(204);
            let expected = if allowed { origin } else { "" };
            assert_eq!(asked.header("access-control-allow-origin"), expected, "{asked:#?}");
            // On errors too.
            let refused = server.call(Method::POST, path).header("origin", origin).form(&[("token", "x")]);
            let refused = refused.send().await.expect_error(401, "invalid_client");
            assert_eq!(refused.header("access-control-allow-origin"), expected, "{refused:#?}");
        }
    }
    let give_back = async |token: &str| {
        let call = server.call(Method::POST, "/revoke").header("origin", SPA);
        let answer = signed_in.flow.application.post(call, &[("token", token)]).await;
        expect_revoked(&answer);
        assert_eq!(answer.header("access-control-allow-origin"), SPA, "{answer:#?}");
    };
    signed_in.expect_live(&next.access_token()).await;
    give_back(&next.access_token()).await;
    signed_in.expect_dead(&next.access_token()).await;
    let last = signed_in.refreshed(&next.refresh_token()).await;
    give_back(&last.refresh_token()).await;
    signed_in.expect_dead(&last.access_token()).await;
    signed_in.expect_refused(&last.refresh_token()).await;
}

both_engines!(races_end_revoked);
/// Whatever a refresh at the same moment does, nothing of the grant lives afterwards.
async fn races_end_revoked(server: TestServer) {
    for round in 0..5 {
        let format = FORMATS[round % 2];
        let draft = Draft { token_format: Some(format.to_owned()), ..made::draft() };
        let application = made::client(&server, draft).await;
        let person = made::person(&server, &format!("ada{round}")).await;
        let signed_in = SignedIn::at(&server, Flow::new(&application), person).await;
        let token = signed_in.tokens.refresh_token();
        let answers = at_once(8, |n| {
            let (flow, wire, token) = (signed_in.flow.clone(), server.wire(), token.clone());
            async move {
                if n == 3 {
                    revoke(&wire, &flow.application, &token).await;
                    return None;
                }
                let answer = flow.refresh(&wire, &token).await;
                (answer.status == 200).then_some(answer)
            }
        })
        .await;
        for tokens in answers.into_iter().flatten() {
            signed_in.expect_dead(&tokens.access_token()).await;
            expect_inactive(&server.wire(), &application, &tokens.access_token()).await;
            signed_in.expect_refused(&tokens.refresh_token()).await;
        }
        signed_in.expect_dead(&signed_in.tokens.access_token()).await;
        signed_in.expect_refused(&token).await;
    }
}

both_engines!(revoked_tokens_are_remembered_until_they_expire);
async fn revoked_tokens_are_remembered_until_they_expire(server: TestServer) {
    let sweep = async || while bonafide::server::sweep_once(server.app()).await.unwrap() > 0 {};
    let signed_in = SignedIn::new(&server).await;
    let token = signed_in.tokens.access_token();
    revoke(&server.wire(), &signed_in.flow.application, &token).await;
    server.advance_seconds(899);
    sweep().await;
    signed_in.expect_dead(&token).await;
    let row = server.dump().await["revoked_access_tokens"].clone();
    let jti = Tokens::claims(&token)["jti"].as_str().unwrap().to_owned();
    assert!(row.len() == 1 && !row[0].contains(&jti), "{row:?}");
    // A while longer than the token: another node's clock may be behind.
    server.advance_seconds(2);
    sweep().await;
    assert_eq!(server.dump().await["revoked_access_tokens"].len(), 1);
    server.advance(chrono::Duration::hours(1));
    sweep().await;
    assert_eq!(server.dump().await["revoked_access_tokens"].len(), 0);
    // Nothing that has expired is remembered anew.
    revoke(&server.wire(), &signed_in.flow.application, &token).await;
    assert_eq!(server.dump().await["revoked_access_tokens"].len(), 0);
}
