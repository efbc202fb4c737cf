//! Scripts of other origins: everybody reads the public documents, public clients use the endpoints that they need.

use reqwest::Method;

use crate::support::{Answer, Application, ClientAuth, Flow, NewApplication, TestServer, Wire};

const SPA: &str = "https://spa.example.com";

async fn single_page_application(server: &TestServer) -> Application {
    let uris = ["https://spa.example.com/callback", "http://localhost:5173/callback", "com.example.app:/callback"];
    server.application(NewApplication { public: true, redirect_uris: &uris, ..NewApplication::default() }).await
}

async fn preflight(wire: &Wire, path: &str, origin: &str, method: &str) -> Answer {
    wire.call(Method::OPTIONS, path)
        .header("origin", origin)
        .header("access-control-request-method", method)
        .header("access-control-request-headers", "authorization,content-type")
        .send()
        .await
}

fn allows(answer: &Answer) -> Option<&str> {
    assert!(!answer.headers.contains_key("access-control-allow-credentials"), "{answer:#?}");
    assert!(answer.header_values("access-control-allow-origin").len() <= 1, "{answer:#?}");
    answer.headers.get("access-control-allow-origin").map(|value| value.to_str().expect("text"))
}

fn expect_varies(answer: &Answer) {
    let varies = answer.header_values("vary").join(",").to_ascii_lowercase();
    assert!(varies.contains("origin"), "{answer:#?}");
}

both_engines!(br_15_public_documents_are_for_everybody);
async fn br_15_public_documents_are_for_everybody(server: TestServer) {
    for path in ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/jwks"] {
        for origin in ["https://evil.example", "null", SPA] {
            let answer = server.call(Method::GET, path).header("origin", origin).send().await.expect_status(200);
            assert_eq!(allows(&answer), Some("*"), "{answer:#?}");
            let asked = preflight(&server.wire(), path, origin, "GET").await.expect_status(204);
            assert_eq!(allows(&asked), Some("*"), "{asked:#?}");
        }
    }
}

both_engines!(br_15_a_public_client_may_call_token_and_userinfo);
async fn br_15_a_public_client_may_call_token_and_userinfo(server: TestServer) {
    let ada = server.person("ada").await;
    let application = single_page_application(&server).await;
    let flow = Flow::new(&application);
    for origin in [SPA, "http://localhost:5173"] {
        // Before anybody says who they are.
        for (path, method) in [("/token", "POST"), ("/userinfo", "GET")] {
            let asked = preflight(&server.wire(), path, origin, method).await.expect_status(204);
            assert_eq!(allows(&asked), Some(origin), "{asked:#?}");
            assert!(asked.header("access-control-allow-methods").contains(method), "{asked:#?}");
            let headers = asked.header("access-control-allow-headers").to_ascii_lowercase();
            assert!(headers.contains("authorization") && headers.contains("content-type"), "{asked:#?}");
            expect_varies(&asked);
        }
        let code = flow.sign_in(&mut server.browser(), &ada).await.code().to_owned();
        let exchange = |code: &str| {
            let fields = [
                ("grant_type", "authorization_code"),
                ("client_id", &application.id),
                ("code", code),
                ("redirect_uri", flow.parameter("redirect_uri")),
                ("code_verifier", &flow.verifier),
            ];
            server.call(Method::POST, "/token").header("origin", origin).form(&fields).send()
        };
        let tokens = exchange(&code).await.expect_status(200);
        assert_eq!(allows(&tokens), Some(origin), "{tokens:#?}");
        expect_varies(&tokens);
        let access = tokens.json::<serde_json::Value>()["access_token"].as_str().expect("a token").to_owned();
        let userinfo = || server.call(Method::GET, "/userinfo").header("origin", origin);
        let answer = userinfo().bearer(&access).send().await.expect_status(200);
        assert_eq!(allows(&answer), Some(origin), "{answer:#?}");
        // A script has to be able to read what went wrong.
        let refused = exchange("bfc_unknown").await.expect_error(400, "invalid_grant");
        assert_eq!(allows(&refused), Some(origin), "{refused:#?}");
        let unknown = server.call(Method::POST, "/token").header("origin", origin).form(&[("client_id", "x")]);
        let unknown = unknown.send().await;
        assert_eq!(allows(&unknown), Some(origin), "{unknown:#?}");
        let refused = userinfo().bearer("x").send().await.expect_error(401, "invalid_token");
        assert_eq!(allows(&refused), Some(origin), "{refused:#?}");
        let exposed = refused.header("access-control-expose-headers").to_ascii_lowercase();
        assert!(exposed.contains("www-authenticate"), "{refused:#?}");
        let large = server.call(Method::POST, "/token").header("origin", origin).form(&[("x", "x".repeat(70_000))]);
        let large = large.send().await.expect_status(413);
        assert_eq!(allows(&large), Some(origin), "{large:#?}");
        let method = server.call(Method::GET, "/token").header("origin", origin).send().await.expect_status(405);
        assert_eq!(allows(&method), Some(origin), "{method:#?}");
    }
}

both_engines!(br_15_nobody_else_may);
async fn br_15_nobody_else_may(server: TestServer) {
    let application = single_page_application(&server).await;
    // A client with a secret has no script in a browser.
    let uris = ["https://web.example.com/callback"];
    server.application(NewApplication { redirect_uris: &uris, ..NewApplication::default() }).await;
    let flow = Flow::new(&application);
    for origin in [
        "https://evil.example",
        "null",
        "https://web.example.com",
        "https://spa.example.com.evil.example",
        "https://evil-spa.example.com",
        "https://spa.example.com:8443",
        "http://spa.example.com",
        "https://SPA.example.com",
        "https://spa.example.com/",
        "https://a.spa.example.com",
        "com.example.app://",
        "http://localhost:5174",
        "*",
    ] {
        for path in ["/token", "/userinfo"] {
            let asked = preflight(&server.wire(), path, origin, "POST").await;
            assert_eq!(allows(&asked), None, "{asked:#?}");
            expect_varies(&asked);
        }
        let answer =
            server.call(Method::POST, "/token").header("origin", origin).form(&[("client_id", &application.id)]);
        let answer = answer.send().await;
        assert_eq!(allows(&answer), None, "{answer:#?}");
        expect_varies(&answer);
        // The same request, origin aside, is served: CORS is the browser's business.
        let refused = application.with_auth(ClientAuth::None);
        let call = server.call(Method::POST, "/token").header("origin", origin);
        let fields =
            [("grant_type", "authorization_code"), ("code", "bfc_x"), ("code_verifier", flow.verifier.as_str())];
        let answer = refused.post(call, &fields).await;
        assert_eq!(answer.status, 400, "{answer:#?}");
        assert_eq!(allows(&answer), None, "{answer:#?}");
    }
}

both_engines!(br_15_pages_are_for_nobodys_scripts);
async fn br_15_pages_are_for_nobodys_scripts(server: TestServer) {
    single_page_application(&server).await;
    for path in ["/", "/authorize", "/authorize/consent", "/sign-in", "/sign-up", "/logout"] {
        for origin in [SPA, "https://evil.example", "null"] {
            let answer = server.call(Method::GET, path).header("origin", origin).send().await;
            assert_eq!(allows(&answer), None, "{answer:#?}");
            let asked = preflight(&server.wire(), path, origin, "POST").await;
            assert_eq!(allows(&asked), None, "{asked:#?}");
        }
    }
}

both_engines!(br_15_the_answer_does_not_depend_on_a_cookie);
async fn br_15_the_answer_does_not_depend_on_a_cookie(server: TestServer) {
    let ada = server.person("ada").await;
    let application = single_page_application(&server).await;
    let mut browser = server.browser();
    Flow::new(&application).sign_in(&mut browser, &ada).await.code();
    for origin in [SPA, "https://evil.example"] {
        let call = browser.call(Method::GET, "/userinfo").header("origin", origin);
        let answer = browser.send(call).await.expect_status(401);
        assert_eq!(allows(&answer), (origin == SPA).then_some(SPA), "{answer:#?}");
    }
}
