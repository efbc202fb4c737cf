//! How mail leaves: over what, as whom, how often, and what is in it.

use std::{net::UdpSocket, time::Duration};

use reqwest::Method;

use crate::{
    engines::lines,
    support::{
        Answer, Binary, Browser, Engine, Mailbox, Place, Speaks, TestServer,
        authority::{Authority, p256},
    },
};

const QUICK: [(&str, &str); 2] = [("passwords.memory", "19456"), ("passwords.iterations", "1")];

/// A server that sends its mail to a relay of the test.
pub(crate) async fn server_with_mail(engine: Engine, settings: &[(&str, &str)]) -> (TestServer, Mailbox) {
    let mailbox = Mailbox::listen().await;
    let server = server_at(engine, &mailbox.settings(), settings).await;
    (server, mailbox)
}

async fn server_at(engine: Engine, mail: &[(String, String)], settings: &[(&str, &str)]) -> TestServer {
    let mail = mail.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let all: Vec<(&str, &str)> = QUICK.into_iter().chain(mail).chain(settings.iter().copied()).collect();
    TestServer::with(engine, &all).await
}

/// Asks for a new password by the page.
pub(crate) async fn forgot(browser: &mut Browser, email: &str) -> Answer {
    let form = browser.get("/forgot-password").await.expect_status(200).form("/forgot-password");
    browser.submit(&form, Some("send-reset"), &[("email", email)]).await
}

each_engine!(al_27_one_recipient_intact_headers_and_nobody_elses_words);
async fn al_27_one_recipient_intact_headers_and_nobody_elses_words(engine: Engine) {
    let (server, mailbox) = server_with_mail(engine, &[]).await;
    let mut browser = server.browser();
    let form = browser.get("/sign-up").await.form("/sign-up");
    let name = "\"><a href=https://evil.example>Click</a> \u{202e}";
    let typed = [("email", "Ada@Example.org"), ("name", name), ("password", "plum violin 42 harbour")];
    browser.submit(&form, Some("sign-up"), &typed).await.expect_status(200);
    let mail = mailbox.nth(1).await;
    assert_eq!(mail.to, ["Ada@Example.org"]);
    assert_eq!(mail.from, "no-reply@acme.example");
    assert_eq!(mail.headers("to"), ["Ada@Example.org"]);
    assert_eq!(mail.headers("from"), ["Acme <no-reply@acme.example>"]);
    assert_eq!(mail.headers("subject"), ["Confirm your address for Bonafide"]);
    assert_eq!(mail.headers("auto-submitted"), ["auto-generated"]);
    assert!(mail.headers("bcc").is_empty() && mail.headers("cc").is_empty(), "{mail:#?}");
    assert_eq!(mail.headers("message-id").len(), 1);
    for part in [mail.text(), mail.html()] {
        assert!(!part.contains("evil") && !part.contains("Click") && !part.contains('\u{202e}'), "{part}");
    }
    assert!(mail.link().starts_with(&format!("{}/verify-email?token=", server.issuer())), "{}", mail.link());
    assert!(mail.html().contains(&mail.link()), "{}", mail.html());

    // Nor by the header of a browser.
    server.person("grace").await;
    let form = browser.get("/forgot-password").await.form("/forgot-password");
    let mut fields = form.fields.clone();
    fields.retain(|(field, _)| field != "email");
    fields.push(("email".to_owned(), "grace@example.org".to_owned()));
    let call = browser.call(Method::POST, "/forgot-password").form(&fields);
    browser.send(call.header("user-agent", "Firefox/1 https://evil.example Linux")).await.expect_status(200);
    let mail = mailbox.nth(2).await;
    assert!(mail.text().contains("Firefox on Linux") && !mail.data.contains("evil"), "{mail:#?}");
}

each_engine!(a_relay_that_is_busy_gets_it_later);
async fn a_relay_that_is_busy_gets_it_later(engine: Engine) {
    let (server, mailbox) = server_with_mail(engine, &[]).await;
    let ada = server.person("ada").await;
    mailbox.refuse(2);
    forgot(&mut server.browser(), &ada.email).await.expect_status(200);
    let refused = async |left: usize| {
        while mailbox.refusals_left() > left {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    };
    refused(1).await;
    assert_eq!(lines(&server, "SELECT attempts || '' AS line FROM outbox WHERE kind = 'mail'").await, ["1"]);
    server.advance_seconds(6);
    refused(0).await;
    server.advance_seconds(31);
    mailbox.nth(1).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(lines(&server, "SELECT kind AS line FROM outbox").await.is_empty());

    // A link that is over by then is not worth sending.
    mailbox.refuse(1);
    forgot(&mut server.browser(), &ada.email).await.expect_status(200);
    refused(0).await;
    server.advance_seconds(3_700);
    mailbox.expect_no_more_than(1).await;
    assert!(lines(&server, "SELECT kind AS line FROM outbox").await.is_empty());
}

each_engine!(op_02_what_waits_to_be_sent_is_sealed);
/// H3-13: neither the table of links nor the outbox tells who has the database how to open an account.
async fn op_02_what_waits_to_be_sent_is_sealed(engine: Engine) {
    let (server, mailbox) = server_with_mail(engine, &[]).await;
    let ada = server.person("ada").await;
    mailbox.refuse(1);
    forgot(&mut server.browser(), &ada.email).await.expect_status(200);
    while mailbox.refusals_left() > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let waiting = lines(&server, "SELECT payload || recipient AS line FROM outbox").await;
    assert_eq!(waiting.len(), 1);
    assert!(!waiting[0].contains("bfm_") && !waiting[0].contains("token") && !waiting[0].contains('@'), "{waiting:?}");
    // Under a new master key it is sealed anew, and still arrives.
    let before = waiting;
    server.place().cli(&["key", "reseal"]).await.expect_success();
    let after = lines(&server, "SELECT payload || recipient AS line FROM outbox").await;
    assert_ne!(before, after);
    tokio::time::sleep(Duration::from_secs(1)).await;
    server.advance_seconds(6);
    let token = mailbox.nth(1).await.token();
    let dump = format!("{:?}", server.dump_tables(&[]).await);
    assert!(token.len() == 47 && !dump.contains(&token[4..]), "{dump}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_starttls_and_over_tls_with_a_name_and_a_password() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().expect("a folder");
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, authority.pem()).expect("writing");
    let ca = ca.display().to_string();
    for (speaks, scheme) in [(Speaks::StartTls, "smtp"), (Speaks::Tls, "smtps")] {
        let mailbox = Mailbox::with(speaks, Some(authority.issue())).await;
        let url = format!("{scheme}://relay%40acme.example@localhost:{}", mailbox.port);
        let settings =
            [("mail.url", url.as_str()), ("mail.password", "hunter 2"), ("mail.from", "no-reply@acme.example")];
        let mail: Vec<(String, String)> = settings.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let server = server_at(Engine::Sqlite, &mail, &[("outgoing.ca", &ca)]).await;
        let ada = server.person("ada").await;
        forgot(&mut server.browser(), &ada.email).await.expect_status(200);
        let received = mailbox.nth(1).await;
        assert!(received.encrypted, "{received:#?}");
        assert_eq!(received.login, Some(("relay@acme.example".to_owned(), "hunter 2".to_owned())));

        // A certificate of somebody else's is not taken, and then nothing is sent.
        let server = server_at(Engine::Sqlite, &mail, &[]).await;
        let ada = server.person("ada").await;
        forgot(&mut server.browser(), &ada.email).await.expect_status(200);
        mailbox.expect_no_more_than(1).await;
        assert!(mailbox.connections() > 1);
        let why = lines(&server, "SELECT last_error AS line FROM outbox").await;
        assert!(why[0].to_lowercase().contains("certificate"), "{why:?}");
    }
}

/// STARTTLS is no offer that somebody in between may take away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_elsewhere_gets_nothing_in_the_clear() {
    let probe = UdpSocket::bind("0.0.0.0:0").expect("a socket");
    if probe.connect("192.0.2.1:9").is_err() {
        return; // no address but loopback: nothing to try it with
    }
    let own = probe.local_addr().expect("an address").ip().to_string();
    let authority = Authority::new();
    let folder = tempfile::tempdir().expect("a folder");
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, authority.pem()).expect("writing");
    let ca = ca.display().to_string();
    for (speaks, sent) in [(Speaks::StartTls, 1), (Speaks::Plain, 0)] {
        let pair = authority.issue_for(&[&own], p256(), 86_400);
        let mailbox = Mailbox::with(speaks, Some(pair)).await;
        let url = format!("smtp://{own}:{}", mailbox.port);
        let mail = [("mail.url".to_owned(), url), ("mail.from".to_owned(), "no-reply@acme.example".to_owned())];
        let server = server_at(Engine::Sqlite, &mail, &[("outgoing.ca", &ca)]).await;
        let ada = server.person("ada").await;
        forgot(&mut server.browser(), &ada.email).await.expect_status(200);
        mailbox.expect_no_more_than(sent).await;
        assert!(mailbox.connections() > 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_that_cannot_work_stop_the_start() {
    for (settings, named) in [
        (vec![("mail.url", "smtp://mail.example.org")], "mail.from"),
        (vec![("mail.url", "mail.example.org"), ("mail.from", "a@b.org")], "mail.url"),
        (vec![("mail.url", "smtp://me:secret@mail.example.org"), ("mail.from", "a@b.org")], "mail.url"),
        (vec![("mail.url", "smtp://x.org"), ("mail.from", "a@b.org\r\nBcc: c@d.org")], "mail.from"),
        (vec![("mail.url", "smtp://x.org"), ("mail.from", "a@b.org"), ("mail.password", "x")], "mail.url"),
        (vec![("mail.links.verify", "javascript:alert(1)")], "mail.links.verify"),
    ] {
        let place = Place::prepared(Engine::Sqlite, &settings).await;
        let output = place.cli(&["config"]).await;
        assert_eq!(output.status.code(), Some(2), "{settings:?}: {output:?}");
        assert!(output.stderr.contains(named) && !output.stderr.contains("secret@"), "{settings:?}: {output:?}");
    }
    let good = [("mail.url", "smtp://me@x.org"), ("mail.from", "A <a@b.org>"), ("mail.password", "hunter2")];
    let output = Place::prepared(Engine::Sqlite, &good).await.cli(&["config"]).await.expect_success();
    assert!(!output.stdout.contains("hunter2"), "{output:?}");
}

each_engine!(without_mail_nothing_is_offered_that_needs_it);
async fn without_mail_nothing_is_offered_that_needs_it(engine: Engine) {
    let server = TestServer::start(engine).await;
    server.get("/forgot-password").await.expect_status(404);
    assert!(server.get("/sign-in").await.expect_status(200).find_element("forgot-password").is_none());
    let (server, _mailbox) = server_with_mail(engine, &[]).await;
    server.get("/forgot-password").await.expect_status(200);
    let link = server.get("/sign-in").await.expect_status(200).element("forgot-password");
    assert_eq!(link.attribute("href"), Some("/forgot-password"));
}

/// Under `--dev` nothing is sent, and everything can be read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn development_keeps_what_it_would_send() {
    let server = Binary::dev(Engine::Sqlite).await;
    let mut browser = server.browser();
    let form = browser.get("/sign-up").await.expect_status(200).form("/sign-up");
    let typed = [("email", "ada@example.org"), ("name", "Ada"), ("password", "plum violin 42 harbour")];
    browser.submit(&form, Some("sign-up"), &typed).await.expect_status(303);
    let list = browser.get("/dev/mail").await.expect_status(200);
    let href = list.elements("a").into_iter().filter_map(|link| link.attribute("href").map(str::to_owned));
    let href = href.into_iter().find(|href| href.starts_with("/dev/mail/")).expect("a mail");
    let mail = browser.get(&href).await.expect_status(200);
    assert!(mail.body.contains("Confirm your address for Bonafide") && mail.body.contains("ada@example.org"));
    let links = mail.elements("a").into_iter().filter_map(|link| link.attribute("href").map(str::to_owned));
    let link = links.into_iter().find(|href| href.contains("token=bfm_")).expect("a link");
    let form = browser.get(&link).await.expect_status(200).form("/verify-email");
    browser.submit(&form, Some("verify-email"), &[]).await.expect_status(200);
}
