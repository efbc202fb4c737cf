//! How many traces there are, for how long, and who finds them.

use bonafide::server::sweep_once;
use chrono::Duration;
use reqwest::Method;
use serde_json::Value;

use super::{count, operator, reference};
use crate::{
    api_access::{declare, holder},
    api_accounts::get,
    support::{Answer, Flow, TestServer, made},
};

/// A request for nothing, from some address.
async fn refused_at(server: &TestServer, address: &str) -> Answer {
    server.call(Method::GET, "/nowhere").header("x-forwarded-for", address).send().await.expect_status(404)
}

both_engines!(a_flood_leaves_no_more_than_its_share with [
    ("traces.a_second", "7"), ("traces.a_second_from_one", "5"), ("proxies.trusted", "127.0.0.1/32"), ("limits.enabled", "false")]);
/// A flood fills neither a second nor the table: each address has its share, and each node.
async fn a_flood_leaves_no_more_than_its_share(server: TestServer) {
    for _ in 0..50 {
        let answer = refused_at(&server, "192.0.2.1").await;
        assert!(!reference(&answer).is_empty(), "whoever is refused has a reference all the same");
    }
    assert_eq!(count(&server).await, 5);
    for _ in 0..20 {
        refused_at(&server, "192.0.2.2").await;
        refused_at(&server, "192.0.2.3").await;
    }
    assert_eq!(count(&server).await, 7);
    server.advance_seconds(1);
    refused_at(&server, "192.0.2.4").await;
    assert_eq!(count(&server).await, 8, "a new second");
    // What succeeds takes nothing of it.
    server.advance_seconds(1);
    for _ in 0..20 {
        server.call(Method::GET, "/jwks").header("x-forwarded-for", "192.0.2.5").send().await.expect_status(200);
    }
    // Nor does whoever is sent on to sign in: that is judged on the way, and no refusal in the end.
    let path = Flow::new(&made::client(&server, made::draft()).await).path();
    for _ in 0..20 {
        server.call(Method::GET, &path).header("x-forwarded-for", "192.0.2.5").send().await.expect_status(303);
    }
    refused_at(&server, "192.0.2.5").await;
    assert_eq!(count(&server).await, 9);
}

both_engines!(traces_are_kept_for_a_while_and_swept with [
    ("traces.kept", "1h"), ("traces.most", "6"), ("traces.a_second", "1000"), ("traces.a_second_from_one", "1000"),
    ("proxies.trusted", "127.0.0.1/32"), ("limits.enabled", "false")]);
async fn traces_are_kept_for_a_while_and_swept(server: TestServer) {
    let token = operator(&server).await;
    let show =
        async |answer: &Answer, token: &str| get(&server, &format!("/traces/{}", reference(answer)), token).await;
    let early = refused_at(&server, "192.0.2.1").await;
    server.advance_seconds(1);
    let mut floods = Vec::new();
    for _ in 0..20 {
        floods.push(refused_at(&server, "192.0.2.2").await);
        server.advance_seconds(1);
    }
    show(&early, &token).await.expect_status(200);
    sweep_once(server.app()).await.expect("a sweep");
    assert_eq!(count(&server).await, 6);
    // Whoever is refused all day pushes nobody else out.
    show(&early, &token).await.expect_status(200);
    show(&floods[19], &token).await.expect_status(200);
    show(&floods[0], &token).await.expect_status(404);

    server.advance(Duration::minutes(61));
    let token = super::login_again(&server).await;
    show(&early, &token).await.expect_status(404);
    let before = count(&server).await;
    sweep_once(server.app()).await.expect("a sweep");
    assert!(count(&server).await < before, "what is over is gone");
}

both_engines!(every_node_tells_what_another_refused with crate::traces::MANY);
async fn every_node_tells_what_another_refused(server: TestServer) {
    let token = operator(&server).await;
    let second = server.second_node().await;
    let answer = second.wire().get("/nowhere").await.expect_status(404);
    let path = format!("/traces/{}", reference(&answer));
    // Notes are written once a second.
    for _ in 0..100 {
        if get(&server, &path, &token).await.status.as_u16() == 200 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let shown: Value = get(&server, &path, &token).await.expect_status(200).json();
    assert_eq!(shown["decided"]["rule"], "path_known");
    // By command, for people and for programs.
    let told = server.place().cli(&["trace", &reference(&answer)]).await.expect_success();
    for words in ["refused  path_known", "asked    GET /nowhere", "remedy"] {
        assert!(told.stdout.contains(words), "{told}");
    }
    let told: Value = server.place().cli(&["trace", &reference(&answer), "--json"]).await.json();
    assert_eq!(told, shown);
    let unknown = server.place().cli(&["trace", "000000000000"]).await.expect_code(1);
    assert!(unknown.stderr.contains("traces.kept") && unknown.stderr.lines().count() == 1, "{unknown}");
}

both_engines!(traces_are_for_whoever_may_read_them with crate::traces::MANY);
async fn traces_are_for_whoever_may_read_them(server: TestServer) {
    declare(&server, "auditor", &["audit:read"]).await;
    declare(&server, "clerk", &["users:read", "roles:read"]).await;
    let (auditor, clerk) = (holder(&server, "auditor").await, holder(&server, "clerk").await);
    let answer = server.get("/nowhere").await.expect_status(404);
    let path = format!("/traces/{}", reference(&answer));
    server.get(&path).await.expect_status(401);
    get(&server, &path, &clerk).await.expect_status(403);
    get(&server, &path, &auditor).await.expect_status(200);
    for unknown in
        ["/traces/000000000000", "/traces/short", "/traces/%00", "/traces/UPPERCASE000", "/traces/'%20OR%201=1%20--"]
    {
        get(&server, unknown, &auditor).await.expect_status(404);
    }
}

both_engines!(without_traces_there_are_references_all_the_same with [("traces.kept", "0s")]);
async fn without_traces_there_are_references_all_the_same(server: TestServer) {
    let token = operator(&server).await;
    let answer = server.get("/nowhere").await.expect_status(404);
    get(&server, &format!("/traces/{}", reference(&answer)), &token).await.expect_status(404);
    assert_eq!(count(&server).await, 0);
}

both_engines!(the_last_traces_are_written_at_the_stop with crate::traces::MANY);
async fn the_last_traces_are_written_at_the_stop(mut server: TestServer) {
    let token = operator(&server).await;
    let answer = server.get("/nowhere").await.expect_status(404);
    server.restart().await;
    get(&server, &format!("/traces/{}", reference(&answer)), &token).await.expect_status(200);
}
