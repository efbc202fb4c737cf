//! How many requests may come from one place, and how each kind of caller is told that there were too many.

use reqwest::Method;
use serde_json::json;

use crate::{
    api_accounts::{expect_problem, post},
    engines::lines,
    support::{Answer, Flow, NewApplication, TestServer, made},
};

/// Behind a proxy, five at once, and one a second from then on.
const FIVE: [(&str, &str); 3] =
    [("limits.requests_at_once", "5"), ("limits.requests_a_second", "1"), ("proxies.trusted", "127.0.0.0/8")];

async fn from(server: &TestServer, address: &str, method: Method, path: &str) -> Answer {
    server.call(method, path).header("x-forwarded-for", address).send().await
}

/// Five requests for a document that costs nothing.
async fn use_up(server: &TestServer, address: &str) {
    for _ in 0..5 {
        from(server, address, Method::GET, "/jwks").await.expect_status(200);
    }
}

#[track_caller]
fn expect_wait(answer: &Answer) {
    assert_eq!(answer.header("retry-after"), "2", "{answer:#?}");
    assert_eq!(answer.header("cache-control"), "no-store", "{answer:#?}");
}

both_engines!(too_many_requests_are_refused_in_the_form_of_each_surface with super::FIVE);
async fn too_many_requests_are_refused_in_the_form_of_each_surface(server: TestServer) {
    let here = "198.51.100.1";
    use_up(&server, here).await;
    for path in ["/sign-in", "/authorize?client_id=x", "/nowhere"] {
        let page = from(&server, here, Method::GET, path).await.expect_status(429);
        assert!(page.header("content-type").starts_with("text/html"), "{page:#?}");
        assert!(page.body.contains("Too much came from where you are"), "{page:#?}");
        assert!(page.header("content-security-policy").contains("default-src 'none'"), "{page:#?}");
        expect_wait(&page);
    }
    for (method, path) in [
        (Method::POST, "/token"),
        (Method::POST, "/introspect"),
        (Method::GET, "/userinfo"),
        (Method::GET, "/jwks"),
        (Method::GET, "/.well-known/openid-configuration"),
    ] {
        let answer = from(&server, here, method, path).await.expect_error(429, "temporarily_unavailable");
        expect_wait(&answer);
    }
    for (method, path) in [(Method::GET, "/auth/me"), (Method::POST, "/auth/refresh"), (Method::POST, "/auth/register")]
    {
        let answer = from(&server, here, method, path).await;
        expect_wait(&answer);
        assert_eq!(expect_problem(answer, 429)["code"], "throttled");
    }
    // At sign-in the documents' front ends take any other JSON answer for a user.
    for path in ["/auth/login", "/auth/signin"] {
        let answer = from(&server, here, Method::POST, path).await;
        expect_wait(&answer);
        assert_eq!(expect_problem(answer, 400)["code"], "throttled");
    }
    // What pages are made of, and what tells whether we live, is not counted.
    let page = from(&server, "198.51.100.2", Method::GET, "/sign-in").await.expect_status(200);
    let style =
        page.elements("link").iter().find_map(|link| link.attribute("href").map(str::to_owned)).expect("a style");
    for _ in 0..20 {
        from(&server, here, Method::GET, &style).await.expect_status(200);
        server.node().management().get("/health/ready").await.expect_status(200);
    }
    let metrics = server.node().management().get("/metrics").await.expect_status(200);
    assert!(metrics.body.contains("bonafide_requests_throttled_total"), "{}", metrics.body);
}

both_engines!(each_place_has_a_bucket_that_fills_again with
    [super::FIVE[0], super::FIVE[1], super::FIVE[2], ("limits.unthrottled", "203.0.113.0/24")]);
async fn each_place_has_a_bucket_that_fills_again(server: TestServer) {
    use_up(&server, "198.51.100.1").await;
    from(&server, "198.51.100.1", Method::GET, "/jwks").await.expect_status(429);
    use_up(&server, "198.51.100.2").await;
    // A network of IPv6 is one customer.
    for n in 0..5 {
        from(&server, &format!("2001:db8:1:2::{n}"), Method::GET, "/jwks").await.expect_status(200);
    }
    from(&server, "2001:db8:1:2::9", Method::GET, "/jwks").await.expect_status(429);
    from(&server, "2001:db8:1:3::9", Method::GET, "/jwks").await.expect_status(200);
    server.advance_seconds(2);
    for expected in [200, 200, 429] {
        from(&server, "198.51.100.1", Method::GET, "/jwks").await.expect_status(expected);
    }
    server.advance_seconds(3600);
    use_up(&server, "198.51.100.1").await;
    from(&server, "198.51.100.1", Method::GET, "/jwks").await.expect_status(429);
    for _ in 0..4 {
        use_up(&server, "203.0.113.7").await;
    }
}

both_engines!(lg_12_nobody_chooses_the_address_that_is_counted with
    [super::FIVE[0], super::FIVE[1]]);
async fn lg_12_nobody_chooses_the_address_that_is_counted(server: TestServer) {
    for n in 0..5 {
        from(&server, &format!("198.51.100.{n}"), Method::GET, "/jwks").await.expect_status(200);
    }
    from(&server, "198.51.100.9", Method::GET, "/jwks").await.expect_status(429);
}

both_engines!(br_15_scripts_that_may_read_the_endpoint_may_read_the_refusal with super::FIVE);
async fn br_15_scripts_that_may_read_the_endpoint_may_read_the_refusal(server: TestServer) {
    let draft =
        bonafide::clients::Draft { redirect_uris: Some(vec!["https://spa.example/cb".to_owned()]), ..made::public() };
    made::client(&server, draft).await;
    use_up(&server, "198.51.100.1").await;
    let ask = async |path: &str, origin: &str| {
        let call = server.call(Method::POST, path).header("x-forwarded-for", "198.51.100.1").header("origin", origin);
        call.send().await.expect_status(429)
    };
    let answer = ask("/token", "https://spa.example").await;
    assert_eq!(answer.header("access-control-allow-origin"), "https://spa.example", "{answer:#?}");
    assert!(answer.header("access-control-expose-headers").contains("Retry-After"), "{answer:#?}");
    let answer = ask("/token", "https://evil.example").await;
    assert!(!answer.headers.contains_key("access-control-allow-origin"), "{answer:#?}");
    assert_eq!(ask("/jwks", "https://evil.example").await.header("access-control-allow-origin"), "*");
}

both_engines!(rq_09_requests_that_nobody_finishes_are_bounded with
    [("limits.requests_at_once", "30"), ("limits.requests_a_second", "1"), ("proxies.trusted", "127.0.0.0/8")]);
/// RQ-09: every started sign-in is kept for a while; one address starts so many and no more, and what is kept goes again.
async fn rq_09_requests_that_nobody_finishes_are_bounded(server: TestServer) {
    let application = server.application(NewApplication::default()).await;
    let flow = Flow::new(&application);
    for n in 0..60 {
        let answer = from(&server, "198.51.100.1", Method::GET, &flow.path()).await;
        answer.expect_status(if n < 30 { 303 } else { 429 });
    }
    let kept = async || lines(&server, "SELECT client_id AS line FROM interactions").await.len();
    assert_eq!(kept().await, 30);
    server.advance(chrono::Duration::days(1));
    while bonafide::server::sweep_once(server.app()).await.unwrap() > 0 {}
    assert_eq!(kept().await, 0);
    post(&server, "/auth/login", &json!({"email": "nobody@example.org", "password": "x"})).await.expect_status(400);
}
