//! Redirect URIs: compared byte for byte, and nobody is ever sent anywhere else.

use crate::support::{Answer, Application, Browser, Flow, NewApplication, Person, TestServer};

const REGISTERED: &str = "https://app.example.com/cb";

async fn application(server: &TestServer, redirect_uris: &[&str]) -> Application {
    server.application(NewApplication { redirect_uris, ..NewApplication::default() }).await
}

/// Each of these addresses gets a page that leads nowhere, whether or not somebody is signed in, and writes nothing.
async fn expect_pages(server: &TestServer, application: &Application, browser: &mut Browser, uris: &[&str]) {
    for uri in uris {
        let before = server.dump().await;
        for flow in [
            Flow::new(application).with("redirect_uri", uri),
            // Nor does an error of the request make it go there.
            Flow::new(application).with("redirect_uri", uri).with("response_type", "token"),
            Flow::new(application).with("redirect_uri", uri).with("prompt", "none"),
        ] {
            let page = flow.begin(browser).await.expect_error_page();
            expect_no_link(&page, uri);
        }
        server.dump().await.expect_same_as(&before);
    }
}

/// The page may show the address as text, and never where a browser would follow it.
fn expect_no_link(page: &Answer, uri: &str) {
    for element in ["a", "area", "base", "form", "button", "input", "link", "script", "img", "iframe", "meta"] {
        for found in page.elements(element) {
            for attribute in ["href", "src", "action", "formaction", "content", "srcset"] {
                let value = found.attribute(attribute).unwrap_or_default();
                assert!(uri.is_empty() || !value.contains(uri), "{attribute} of {element}: {page:#?}");
                assert!(!value.to_lowercase().contains("script:"), "{attribute} of {element}: {page:#?}");
            }
        }
    }
}

/// A browser that would get a code at once if the address were right.
async fn signed_in(server: &TestServer, application: &Application, ada: &Person) -> Browser {
    let mut browser = server.browser();
    let flow = Flow::new(application);
    flow.sign_in(&mut browser, ada).await.code();
    let answer = flow.begin(&mut browser).await;
    assert!(!flow.reply(&answer).expect("an answer").code().is_empty());
    browser
}

both_engines!(ru_02_look_alikes);
/// Requirement 35.
async fn ru_02_look_alikes(server: TestServer) {
    let ada = server.person("ada").await;
    let application = application(&server, &[REGISTERED]).await;
    let mut browser = signed_in(&server, &application, &ada).await;
    let uris = [
        "https://app.example.com.evil.tld/cb",
        "https://evil-app.example.com/cb",
        "https://appXexample.com/cb",
        "https://app.example.com/cbx",
        "https://app.example.com/cb/",
        "https://app.example.com/c",
        "https://app.example.com",
        "https://app.example.com:443/cb",
        "https://app.example.com:8443/cb",
        "http://app.example.com/cb",
        "https://app.example.com/cb?",
        "https://app.example.com/cb#",
        "https://app.example.com/cb#x",
        "https://app.example.com@evil.tld/cb",
        "https://user@app.example.com/cb",
        "https://evil.tld/?u=https://app.example.com/cb",
        " https://app.example.com/cb",
        "https://app.example.com/cb ",
        "//app.example.com/cb",
        "/cb",
    ];
    expect_pages(&server, &application, &mut browser, &uris).await;
}

both_engines!(ru_03_path_tricks);
async fn ru_03_path_tricks(server: TestServer) {
    let ada = server.person("ada").await;
    let application = application(&server, &[REGISTERED]).await;
    let mut browser = signed_in(&server, &application, &ada).await;
    let paths = [
        "/cb/../evil",
        "/cb/../cb",
        "/cb/..;/evil",
        "/cb/%2e%2e/evil",
        "//cb",
        "/cb//",
        "/%63b",
        "/cb;x=1",
        "/CB",
        "/cb%2f",
        "/cb%00",
        "/cb%0d%0aSet-Cookie:x=1",
        "/./cb",
        "\\cb",
        "/cb\\",
        "/cb\t",
        "/cb\n",
    ];
    let uris: Vec<_> = paths.iter().map(|path| format!("https://app.example.com{path}")).collect();
    expect_pages(&server, &application, &mut browser, &uris.iter().map(String::as_str).collect::<Vec<_>>()).await;
    // NUL is in no form.
    let flow = Flow::new(&application).with("redirect_uri", "https://app.example.com/cb\0");
    flow.begin(&mut browser).await.expect_error_page();
}

both_engines!(ru_06_queries_are_part_of_the_address);
async fn ru_06_queries_are_part_of_the_address(server: TestServer) {
    let ada = server.person("ada").await;
    let application = application(&server, &["https://app.example.com/cb?a=1"]).await;
    let mut browser = signed_in(&server, &application, &ada).await;
    let uris = [
        REGISTERED,
        "https://app.example.com/cb?a=1&b=2",
        "https://app.example.com/cb?a=1&a=2",
        "https://app.example.com/cb?a=2",
        "https://app.example.com/cb?a=%31",
        "https://app.example.com/cb?a=1&code=x",
    ];
    expect_pages(&server, &application, &mut browser, &uris).await;

    // What matches is kept, and every parameter of ours comes once (the reply's reader stops at a second one).
    let flow = Flow::new(&application);
    let answer = flow.begin(&mut browser).await;
    let location = answer.header("location");
    assert!(location.starts_with("https://app.example.com/cb?a=1&code=bfc_"), "{location}");
    let reply = flow.reply(&answer).expect("an answer");
    assert_eq!(reply.parameters.keys().map(String::as_str).collect::<Vec<_>>(), ["a", "code", "iss", "state"]);
    flow.exchange(&server.wire(), reply.code()).await.expect_tokens();
}

both_engines!(ru_06_ru_07_ru_08_what_cannot_be_registered);
async fn ru_06_ru_07_ru_08_what_cannot_be_registered(server: TestServer) {
    let before = server.dump().await;
    for uri in [
        // RU-06: a parameter of our answers.
        "https://app.example.com/cb?code=x",
        "https://app.example.com/cb?state=",
        "https://app.example.com/cb?a=1&iss=x",
        "https://app.example.com/cb?error=x",
        // RU-07: what a browser would run or read.
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://app.example.com/x",
        "\tjavascript:alert(1)",
        "http:javascript",
        // RU-08: plain http, but for the computer itself.
        "http://app.example.com/cb",
        "http://localhost.evil.tld/cb",
        "http://127.0.0.2/cb",
        // RU-10, RU-18, and what is no address of its own.
        "myapp://cb",
        "https://аpp.example.com/cb",
        "https://APP.example.com/cb",
        "https://app.example.com/cb#x",
        "/cb",
    ] {
        for flag in ["--redirect-uri", "--post-logout-redirect-uri"] {
            let mut arguments = vec!["client", "create", "--name", "Demo", flag, uri];
            if flag != "--redirect-uri" {
                arguments.extend(["--redirect-uri", REGISTERED]);
            }
            let refused = server.cli(&arguments).await;
            assert!(!refused.status.success(), "{flag} {uri}: {refused}");
            assert!(refused.stdout.is_empty() && !refused.stderr.contains("panicked"), "{flag} {uri}: {refused}");
        }
    }
    server.dump().await.expect_same_as(&before);
    for good in
        ["http://localhost:3000/cb", "http://127.0.0.1/cb", "http://[::1]:7/cb", "com.example.app:/cb", REGISTERED]
    {
        server.cli(&["client", "create", "--name", "Demo", "--redirect-uri", good]).await.expect_success();
    }
}

both_engines!(ru_07_dangerous_schemes_lead_nowhere);
async fn ru_07_dangerous_schemes_lead_nowhere(server: TestServer) {
    let ada = server.person("ada").await;
    let application = application(&server, &[REGISTERED]).await;
    let mut browser = signed_in(&server, &application, &ada).await;
    let uris = [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://app.example.com/x",
        "\tjavascript:alert(1)",
        "http:javascript",
        "java\nscript:alert(1)",
    ];
    expect_pages(&server, &application, &mut browser, &uris).await;
    for uri in uris {
        let url = format!("/logout?client_id={}&post_logout_redirect_uri={}", application.id, encode(uri));
        expect_no_link(&browser.get(&url).await.expect_error_page(), uri);
        let url = format!("/logout?post_logout_redirect_uri={}", encode(uri));
        let asked = browser.get(&url).await.expect_status(200);
        expect_no_link_but_hidden(&asked);
    }
}

/// On the page that asks, the address is carried in a hidden field and nowhere else.
fn expect_no_link_but_hidden(page: &Answer) {
    for form in page.forms() {
        assert_eq!(form.action, "/logout", "{page:#?}");
    }
    for element in page.elements("a") {
        let href = element.attribute("href").unwrap_or_default();
        assert!(href.starts_with('/') && !href.starts_with("//"), "{page:#?}");
    }
}

fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

both_engines!(ru_09_a_native_application_chooses_its_port);
async fn ru_09_a_native_application_chooses_its_port(server: TestServer) {
    let ada = server.person("ada").await;
    let uris = ["http://127.0.0.1/cb"];
    let native = NewApplication { public: true, redirect_uris: &uris, ..NewApplication::default() };
    let application = server.application(native).await;
    for good in ["http://127.0.0.1:51004/cb", "http://127.0.0.1:1/cb", "http://127.0.0.1/cb"] {
        let flow = Flow::new(&application).with("redirect_uri", good);
        let reply = flow.sign_in(&mut server.browser(), &ada).await;
        assert!(reply.url.as_str().starts_with(&format!("{good}?code=")), "{reply:#?}");
        flow.exchange(&server.wire(), reply.code()).await.expect_tokens();
    }
    // The code is for the port it was sent to (RU-13).
    let flow = Flow::new(&application).with("redirect_uri", "http://127.0.0.1:51004/cb");
    let code = flow.sign_in(&mut server.browser(), &ada).await.code().to_owned();
    let elsewhere = flow.clone().with("redirect_uri", "http://127.0.0.1:51005/cb");
    elsewhere.exchange(&server.wire(), &code).await.0.expect_error(400, "invalid_grant");

    let mut browser = server.browser();
    let bad = [
        "http://127.0.0.1:51004/other",
        "http://127.0.0.1:51004/cb?x",
        "http://127.0.0.1:51004/cb#x",
        "http://127.0.0.2:51004/cb",
        "http://localhost:51004/cb",
        "http://LOCALHOST:51004/cb",
        "https://127.0.0.1:51004/cb",
        "http://127.0.0.1.evil.tld/cb",
        "http://127.0.0.1:80@evil.tld/cb",
        "http://127.0.0.1:51004@evil.tld/cb",
        "http://2130706433/cb",
        "http://0x7f.1/cb",
        "http://0177.0.0.1/cb",
        "http://[::1]:51004/cb",
        "http://[::ffff:127.0.0.1]:51004/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1: 80/cb",
        "HTTP://127.0.0.1:51004/cb",
    ];
    expect_pages(&server, &application, &mut browser, &bad).await;
}

both_engines!(ru_09_a_host_name_keeps_its_port);
async fn ru_09_a_host_name_keeps_its_port(server: TestServer) {
    let application = application(&server, &["http://localhost:3000/cb", "https://app.example.com:8443/cb"]).await;
    let mut browser = server.browser();
    let bad = [
        "http://localhost:3001/cb",
        "http://localhost/cb",
        "http://127.0.0.1:3000/cb",
        "https://app.example.com/cb",
        "https://app.example.com:8444/cb",
    ];
    expect_pages(&server, &application, &mut browser, &bad).await;
    Flow::new(&application).begin(&mut browser).await.expect_status(303);
}

both_engines!(ru_11_the_address_is_compulsory);
/// Requirement 35.
async fn ru_11_the_address_is_compulsory(server: TestServer) {
    let one = application(&server, &[REGISTERED]).await;
    let two = application(&server, &[REGISTERED, "https://app.example.com/other"]).await;
    for application in [one, two] {
        let before = server.dump().await;
        let mut browser = server.browser();
        for scope in ["openid", "profile", ""] {
            let flow = Flow::new(&application).with("scope", scope);
            flow.clone().without("redirect_uri").begin(&mut browser).await.expect_error_page();
            flow.with("redirect_uri", "").begin(&mut browser).await.expect_error_page();
        }
        server.dump().await.expect_same_as(&before);
    }
}

both_engines!(ru_15_no_redirect_sends_a_form_on);
/// 307 and 308 would send the password, or the decision, to the application.
/// Requirement 44.
async fn ru_15_no_redirect_sends_a_form_on(server: TestServer) {
    let ada = server.person("ada").await;
    let uris = [REGISTERED];
    let flags = ["--post-logout-redirect-uri", "https://app.example.com/bye"];
    let new = NewApplication { redirect_uris: &uris, flags: &flags, ..NewApplication::default() };
    let application = server.application(new).await;
    let flow = Flow::new(&application);
    let mut browser = server.browser();

    let form = flow.open(&mut browser).await.form("/sign-in");
    let typed = [("username", ada.username.as_str()), ("password", ada.password.as_str())];
    let signed_in = browser.submit(&form, Some("sign-in"), &typed).await.expect_status(303);
    let form = browser.follow(signed_in).await.form("/authorize/consent");
    let denied = browser.submit(&form, Some("consent-deny"), &[]).await.expect_status(303);
    assert_eq!(denied.location_parameters()["error"], "access_denied");
    let form = flow.open(&mut browser).await.form("/authorize/consent");
    let allowed = browser.submit(&form, Some("consent-allow"), &[]).await.expect_status(303);
    flow.reply(&allowed).expect("an answer").code();

    let url = format!("/logout?client_id={}&post_logout_redirect_uri={}", application.id, encode(flags[1]));
    let form = browser.get(&url).await.form("/logout");
    let left = browser.submit(&form, Some("sign-out"), &[]).await.expect_status(303);
    assert_eq!(left.header("location"), flags[1]);
}

both_engines!(ru_16_after_signing_out_only_to_registered_addresses);
async fn ru_16_after_signing_out_only_to_registered_addresses(server: TestServer) {
    const BYE: &str = "https://app.example.com/bye";
    let ada = server.person("ada").await;
    let application = server
        .application(NewApplication { flags: &["--post-logout-redirect-uri", BYE], ..NewApplication::default() })
        .await;
    let other = server
        .application(NewApplication {
            name: "Other",
            flags: &["--post-logout-redirect-uri", "https://other.example.com/bye"],
            ..NewApplication::default()
        })
        .await;
    let flow = Flow::new(&application);
    let mut browser = server.browser();
    let hint = flow.tokens(&server.wire(), &mut browser, &ada).await.id_token();
    let before = server.dump().await;

    let bad = [
        "https://evil.example/",
        "https://other.example.com/bye",
        "https://app.example.com/bye?x=1",
        "https://app.example.com/bye/",
        "https://app.example.com/",
        "http://127.0.0.1:9/callback",
        "//evil.example",
    ];
    for uri in bad {
        let uri = encode(uri);
        for who in [format!("id_token_hint={hint}"), format!("client_id={}", application.id)] {
            browser.get(&format!("/logout?{who}&post_logout_redirect_uri={uri}")).await.expect_error_page();
        }
    }
    // A hint for one client, the name of another.
    let mixed = format!("/logout?id_token_hint={hint}&client_id={}&post_logout_redirect_uri={}", other.id, encode(BYE));
    browser.get(&mixed).await.expect_error_page();
    // On nobody's word, or on a word that is not ours, the person is asked, and goes nowhere.
    let forged = format!("{}x", &hint[..hint.len() - 1]);
    for who in [String::new(), format!("id_token_hint={forged}&"), "client_id=unknown&".to_owned()] {
        for uri in [BYE, "https://evil.example/"] {
            let asked = browser.get(&format!("/logout?{who}post_logout_redirect_uri={}", encode(uri))).await;
            let form = asked.expect_status(200).form("/logout");
            let stayed = browser.submit(&form, Some("stay"), &[]).await.expect_status(303);
            assert_eq!(stayed.header("location"), "/", "{stayed:#?}");
        }
    }
    server.dump().await.expect_same_as(&before);
    // Still signed in.
    let answer = flow.begin(&mut browser).await;
    flow.reply(&answer).expect("an answer").code();

    let url = format!("/logout?post_logout_redirect_uri={}", encode("https://evil.example/"));
    let form = browser.get(&url).await.form("/logout");
    let mut twin = browser.clone();
    let gone = twin.submit(&form, Some("sign-out"), &[]).await.expect_status(200);
    assert!(!gone.body.contains("evil.example"), "{gone:#?}");

    // The honest way, with our hint: at once, with the state.
    let mut browser = server.browser();
    let hint = flow.tokens(&server.wire(), &mut browser, &ada).await.id_token();
    let url = format!("/logout?id_token_hint={hint}&post_logout_redirect_uri={}&state=a%2Bb%26c", encode(BYE));
    let left = browser.get(&url).await.expect_status(303);
    assert_eq!(left.header("location"), "https://app.example.com/bye?state=a%2Bb%26c");
}

both_engines!(ru_17_no_address_travels_through_our_pages);
async fn ru_17_no_address_travels_through_our_pages(server: TestServer) {
    let ada = server.person("ada").await;
    for value in [
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https:evil.example",
        "/%09/evil.example",
        "/%2f%2fevil.example",
        "https://evil.example/",
    ] {
        let mut browser = server.browser();
        let names = ["return_to", "next", "callbackUrl", "redirect", "redirect_uri", "continue"];
        let query: Vec<_> = names.iter().map(|name| format!("{name}={}", encode(value))).collect();
        let call = browser
            .call(reqwest::Method::GET, &format!("/sign-in?{}", query.join("&")))
            .header("referer", "https://evil.example/");
        let form = browser.send(call).await.expect_status(200).form("/sign-in");
        let mut fields = form.fields.clone();
        for name in names {
            fields.push((name.to_owned(), value.to_owned()));
        }
        fields.retain(|(name, _)| name != "username" && name != "password");
        fields.push(("username".to_owned(), ada.username.clone()));
        fields.push(("password".to_owned(), ada.password.clone()));
        let call = browser
            .call(reqwest::Method::POST, &format!("/sign-in?{}", query.join("&")))
            .header("referer", "https://evil.example/")
            .form(&fields);
        let answer = browser.send(call).await.expect_status(303);
        assert_eq!(answer.header("location"), "/", "{answer:#?}");
    }
}
