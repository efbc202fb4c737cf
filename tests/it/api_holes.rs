//! Holes of the documents that are nobody's in particular: what parts of a path, names and headers smuggle in, which scripts may
//! read the JSON API, and what its own description gives away.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    api_accounts::{expect_problem, get, login, text},
    support::{Answer, TestServer},
};

const SECRET: &str = "correct horse battery staple and more";

async fn adapter(server: &TestServer, method: Method, path: &str, body: Option<&Value>) -> Answer {
    let call = server.call(method, path).header("x-auth-secret", SECRET);
    let call = if let Some(body) = body { call.json(body) } else { call };
    call.send().await
}

both_engines!(h3_30_ij_03_ij_15_parts_of_a_path_are_names_and_nothing_else with [("adapter.secret", super::SECRET)]);
/// H3-30, IJ-03, IJ-15: SQL, other paths, NUL and line breaks in a part of a path name nothing; a name that needs encoding is found.
async fn h3_30_ij_03_ij_15_parts_of_a_path_are_names_and_nothing_else(server: TestServer) {
    let ada = server.person("ada").await;
    let odd = "a/b?c=d&e f'--%\u{e9}";
    let link = json!({"userId": ada.id, "type": "oauth", "provider": "git hub", "providerAccountId": odd});
    adapter(&server, Method::POST, "/adapter/link-account", Some(&link)).await.expect_status(200);
    let before = server.dump().await;
    for part in ["'%20OR%201=1--", "%25", "..%2f..%2fauth", "%00", "x%00", "%0d%0aSet-Cookie:x=1", "%ff", "%2e%2e", "*"]
    {
        for path in
            ["/adapter/", "/adapter/get-user/", "/adapter/get-session/", "/adapter/get-user-by-account/git%20hub/"]
        {
            let answer = adapter(&server, Method::GET, &format!("{path}{part}"), None).await;
            assert!(!answer.headers.contains_key("set-cookie"), "{answer:#?}");
            // `%2e%2e` is a step up before it is sent.
            assert!(answer.body == "null" || part == "%2e%2e", "{path}{part}: {answer:#?}");
        }
        for path in ["/adapter/", "/adapter/delete-user/", "/adapter/delete-session/"] {
            adapter(&server, Method::DELETE, &format!("{path}{part}"), None).await;
        }
    }
    server.dump().await.expect_same_as(&before);
    let encoded = "a%2Fb%3Fc%3Dd%26e%20f'--%25%C3%A9";
    let path = format!("/adapter/get-user-by-account/git%20hub/{encoded}");
    let found: Value = adapter(&server, Method::GET, &path, None).await.expect_status(200).json();
    assert_eq!(text(&found, "id"), ada.id);
}

both_engines!(ij_04_ij_06_names_stay_names);
/// IJ-04, IJ-06: markup in a name is text in JSON and on pages; a line break in one is refused.
async fn ij_04_ij_06_names_stay_names(server: TestServer) {
    let ada = server.person("ada").await;
    let token = text(&login(&server, &ada).await, "accessToken").to_owned();
    let change = |body: Value| server.call(Method::PUT, &format!("/auth/{}", ada.id)).bearer(&token).json(&body).send();
    for name in ["Ada\r\nSet-Cookie: x=1", "Ada\u{0}", "\u{1b}[31mAda"] {
        for member in ["name", "nickname"] {
            expect_problem(change(json!({member: name})).await, 400);
        }
    }
    for url in ["javascript:alert(1)", "data:text/html,<script>alert(1)</script>", "//evil.example/x"] {
        expect_problem(change(json!({"image": url})).await, 400);
    }
    let markup = "<script>alert(1)</script>\"'";
    let answer = change(json!({"name": markup})).await.expect_status(200);
    assert_eq!(text(&answer.json::<Value>(), "name"), markup);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
}

both_engines!(br_15_h3_33_scripts_of_others_do_not_read_the_json_api with [("adapter.secret", super::SECRET)]);
/// BR-15, H3-33: no script of another origin reads the JSON API, asked before or not; its description is for everybody.
async fn br_15_h3_33_scripts_of_others_do_not_read_the_json_api(server: TestServer) {
    let ada = server.person("ada").await;
    let token = text(&login(&server, &ada).await, "accessToken").to_owned();
    for origin in ["https://evil.example", "null", server.issuer()] {
        for path in ["/auth/me", "/auth", "/auth/login", "/adapter/signup", "/user/profile", "/docs"] {
            let asked = server
                .call(Method::OPTIONS, path)
                .header("origin", origin)
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "authorization,content-type")
                .send()
                .await;
            let answered = server.call(Method::GET, path).header("origin", origin).bearer(&token).send().await;
            for answer in [asked, answered] {
                let allows = answer.headers.keys().any(|name| name.as_str().starts_with("access-control-"));
                assert!(!allows, "{origin} {path}: {answer:#?}");
            }
        }
        let document = server.call(Method::GET, "/openapi.json").header("origin", origin).send().await;
        assert_eq!(document.expect_status(200).header("access-control-allow-origin"), "*");
    }
    get(&server, "/auth/me", &token).await.expect_status(200);
}

both_engines!(h0_14_ap_17_the_description_gives_nothing_away);
/// H0-14, AP-17: the page that describes the API runs no script, asks nobody else and keeps no token; what operators look at is
/// not on the public listener.
async fn h0_14_ap_17_the_description_gives_nothing_away(server: TestServer) {
    let page = server.get("/docs").await.expect_status(200);
    assert!(page.header("content-type").starts_with("text/html"), "{page:#?}");
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(page.elements("script").len() + page.elements("form").len() + page.elements("input").len(), 0);
    for element in ["link", "img", "a"] {
        for found in page.elements(element) {
            let target = found.attribute("href").or(found.attribute("src")).unwrap_or("/");
            assert!(target.starts_with('/') || target.starts_with('#'), "{target}");
        }
    }
    assert!(!page.headers.contains_key("set-cookie"), "{page:#?}");
    for call in ["/auth/login", "/auth/upload-image/{id}", "/adapter/link-account"] {
        assert!(page.body.contains(call), "{call}");
    }
    for who in ["It needs the permission", "API keys are refused.", "HTTP Basic", "Everybody may call it."] {
        assert!(page.body.contains(who), "{who}");
    }
    let german = server.call(Method::GET, "/docs").header("accept-language", "de").send().await.expect_status(200);
    assert!(german.title().contains("Schnittstelle"), "{}", german.title());
    assert!(german.body.contains("Nötig ist die Berechtigung"), "{german:#?}");
    for path in ["/metrics", "/health/ready", "/health/live", "/debug", "/env", "/actuator"] {
        server.get(path).await.expect_status(404);
    }
    server.node().management().get("/metrics").await.expect_status(200);
}

both_engines!(h0_11_ij_08_a_list_is_no_object with [("adapter.secret", super::SECRET)]);
/// H0-11, IJ-08: the values of an object in a list are no object, as a body or within one.
async fn h0_11_ij_08_a_list_is_no_object(server: TestServer) {
    let ada = server.person("ada").await;
    let token = text(&login(&server, &ada).await, "accessToken").to_owned();
    let before = server.dump().await;
    for (path, body) in [
        ("/auth/login", json!([ada.email, null, ada.password])),
        ("/auth/signin", json!([ada.username, ada.password])),
        ("/auth/forgot-password", json!([ada.email])),
        ("/auth/signup", json!(["grace", "plum violin 42 harbour", "Grace", null])),
        ("/adapter/create-session", json!(["a token", ada.id, "2027-01-01T00:00:00Z"])),
        ("/auth/login", json!(null)),
        ("/auth/login", json!("ada")),
    ] {
        let call = server.call(Method::POST, path).header("x-auth-secret", SECRET).json(&body);
        let status = call.send().await.status.as_u16();
        // Where no mail is sent there is nothing to ask for.
        assert!(status == 400 || (status == 404 && path.contains("forgot")), "{path} {body}: {status}");
    }
    let change = |body: Value| server.call(Method::PUT, &format!("/auth/{}", ada.id)).bearer(&token).json(&body).send();
    expect_problem(change(json!({"address": ["Here 1", null, null, null, null, null]})).await, 400);
    expect_problem(change(json!({"address": "Here 1"})).await, 400);
    server.dump().await.expect_same_as(&before);
    for address in [json!({"country": "GB"}), Value::Null] {
        change(json!({"address": address})).await.expect_status(200);
    }
}
