//! Providers that come and go while the server runs, and one that is another server of ours.

use bonafide::clients::Draft;

use crate::{
    engines::within_a_second,
    provider_faults::dump,
    providers::{Stage, come_back, leave_from, may},
    support::{Engine, Flow, Place, Stub, TestServer, Tokens, made, unique_parameters},
};

/// Declares a provider by the command line, beside the running server.
async fn declare(place: &Place, name: &str, declaration: &str) {
    place.cli_with_input(&["provider", "set", name, "-"], declaration).await.expect_success();
}

/// Waits until the sign-in page offers this provider, or does so no more.
async fn until_offered(server: &TestServer, name: &str, offered: bool) {
    let id = format!("provider-{name}");
    within_a_second("a provider", || async { server.get("/sign-in").await.find_element(&id).is_some() == offered })
        .await;
}

each_engine!(mx_08_a_provider_that_is_switched_off_lets_nobody_finish);
/// Keycloak CVE-2026-3009: somebody is on their way when it is switched off.
async fn mx_08_a_provider_that_is_switched_off_lets_nobody_finish(engine: Engine) {
    let (stub, late) = (Stub::listen().await, Stub::listen().await);
    let mut settings = stub.settings("stub");
    settings.retain(|(name, _)| name != "outgoing.allow");
    settings.push(("outgoing.allow".to_owned(), format!("{},{}", stub.address, late.address)));
    let stage = Stage::at(stub, &settings, engine, &[]).await;
    late.follow(stage.server.clock());
    let declared = format!("issuer = {:?}\nclient_id = {:?}\n", late.issuer, late.client_id);
    let with_secret = format!("{declared}client_secret = {:?}\n", late.client_secret);
    declare(&stage.server, "late", &with_secret).await;
    until_offered(&stage.server, "late", true).await;
    let mut browser = stage.server.browser();
    let request = stage.leave_for(&stage.flow, &mut browser, "late").await;
    let answer = late.answer(&request, may());

    // Left out, the secret is what it was.
    declare(&stage.server, "late", &format!("{declared}enabled = false\n")).await;
    until_offered(&stage.server, "late", false).await;
    let before = dump(&stage).await;
    for _ in 0..2 {
        let refused = come_back(&mut browser, &answer).await;
        assert!(matches!(refused.status.as_u16(), 400 | 404), "{refused:#?}");
        assert!(refused.header("content-type").starts_with("text/html"), "{refused:#?}");
    }
    let refused = browser.get("/providers/late/sign-in").await;
    assert_eq!(refused.status, 404, "{refused:#?}");
    dump(&stage).await.expect_same_as(&before);
    assert_eq!(late.requests("/token"), 0);
    assert!(!stage.is_signed_in(&browser).await);

    // The control: on again.
    declare(&stage.server, "late", &declared).await;
    until_offered(&stage.server, "late", true).await;
    let request = stage.leave_for(&stage.flow, &mut browser, "late").await;
    let done = stage.come_back(&mut browser, &late.answer(&request, may())).await;
    let first = stage.id_token(&done).await;

    // Gone, and back: whoever is linked is linked still.
    stage.server.cli(&["provider", "delete", "late"]).await.expect_success();
    until_offered(&stage.server, "late", false).await;
    declare(&stage.server, "late", &with_secret).await;
    until_offered(&stage.server, "late", true).await;
    let mut browser = stage.server.browser();
    let request = stage.leave_for(&stage.flow, &mut browser, "late").await;
    let done = stage.come_back(&mut browser, &late.answer(&request, may())).await;
    assert_eq!(stage.id_token(&done).await["sub"], first["sub"]);
}

each_engine!(another_server_of_ours_vouches_for_its_people);
async fn another_server_of_ours_vouches_for_its_people(engine: Engine) {
    let office = TestServer::start(engine).await;
    let address = office.issuer().strip_prefix("http://").expect("an issuer");
    let server = TestServer::with(engine, &[("outgoing.allow", address)]).await;
    let (there, issuer) = (made::person(&office, "ada").await, server.issuer());
    let draft = Draft {
        redirect_uris: Some(vec![format!("{issuer}/providers/office/callback")]),
        post_logout_redirect_uris: Some(vec![format!("{issuer}/providers/signed-out")]),
        first_party: Some(true),
        ..made::draft()
    };
    let us = made::client(&office, draft).await;
    let declared = format!(
        "issuer = {:?}\nclient_id = {:?}\nclient_secret = {:?}\nlabel = \"Head office\"\n\
         assurance = [\"amr:pwd=urn:test:office\"]\n",
        office.issuer(),
        us.id,
        us.secret()
    );
    declare(&server, "office", &declared).await;
    until_offered(&server, "office", true).await;
    let draft = Draft { first_party: Some(true), claims_in_id_token: Some(true), ..made::draft() };
    let flow = Flow::new(&made::client(&server, draft).await);
    let mut subjects = Vec::new();
    for round in 0..2 {
        let (mut here, mut at_office) = (server.browser(), office.browser());
        let page = flow.open(&mut here).await.expect_status(200);
        assert!(page.body.contains("Head office"), "{page:#?}");
        let request = leave_from(&page, &mut here, "office").await;
        let first = at_office.get(request.as_str()).await;
        let form = at_office.follow(first).await.expect_status(200).form("/sign-in");
        let typed = [("username", there.username.as_str()), ("password", there.password.as_str())];
        let answer = at_office.submit(&form, Some("sign-in"), &typed).await;
        let answer = at_office.follow(answer).await;
        let back = answer.location();
        assert_eq!(unique_parameters(&back)["iss"], office.issuer());
        let answer = come_back(&mut here, &back).await;
        let answer = here.follow(answer).await;
        let reply = flow.reply(&answer).unwrap_or_else(|| panic!("not the application: {answer:#?}"));
        let tokens = flow.exchange(&server.wire(), reply.code()).await.expect_tokens();
        let claims = Tokens::claims(&tokens.id_token());
        assert_eq!((claims["email"].as_str(), claims["acr"].as_str()), (Some(&*there.email), Some("urn:test:office")));
        assert_ne!(claims["sub"], there.id, "people have other ids here");
        subjects.push(claims["sub"].clone());
        if round == 0 {
            continue;
        }
        // Out here, and there.
        let page = here.get("/logout").await.expect_status(200);
        let answer = here.submit(&page.form("/logout"), Some("sign-out"), &[]).await;
        let to_office = here.follow(answer).await.location();
        let answer = at_office.get(to_office.as_str()).await;
        let back = at_office.follow(answer).await.location();
        assert_eq!(back.path(), "/providers/signed-out", "{back}");
        let answer = come_back(&mut here, &back).await;
        here.follow(answer).await.expect_status(200);
        assert!(at_office.get("/").await.find_element("sign-out").is_none());
    }
    assert_eq!(subjects[0], subjects[1]);
}
