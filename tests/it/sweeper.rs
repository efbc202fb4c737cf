//! What has expired goes, in bounded batches; what somebody can still ask for stays.

use chrono::Duration;
use sea_orm::{ConnectionTrait as _, Statement};

use crate::support::{Flow, NewApplication, TestServer};

async fn count(server: &TestServer, table: &str) -> i64 {
    let database = server.database().await;
    let sql = format!("SELECT count(*) AS n FROM {table}");
    let row =
        database.query_one_raw(Statement::from_string(database.get_database_backend(), sql)).await.unwrap().unwrap();
    row.try_get("", "n").unwrap()
}

async fn sweep(server: &TestServer) {
    while bonafide::server::sweep_once(server.app()).await.unwrap() > 0 {}
}

both_engines!(expired_rows_go_and_living_ones_stay);
async fn expired_rows_go_and_living_ones_stay(server: TestServer) {
    let ada = server.person("ada").await;
    let application = server.application(NewApplication { first_party: true, ..NewApplication::default() }).await;
    let flow = Flow::new(&application);
    let mut browser = server.browser();
    let tokens = flow.tokens(&server.wire(), &mut browser, &ada).await;
    // An abandoned request, and a wrong password.
    Flow::new(&application).open(&mut server.browser()).await;
    server.app().accounts.prove_password("ada", "wrong", None, &bonafide::audit::Source::default()).await.unwrap_err();
    let tokens = flow.refresh(&server.wire(), &tokens.refresh_token()).await.expect_tokens();

    sweep(&server).await;
    assert!(count(&server, "codes").await >= 1, "a used code is known for a while");
    assert!(count(&server, "interactions").await >= 1);
    assert_eq!(count(&server, "spent_refresh_tokens").await, 1);

    server.advance(Duration::days(3));
    sweep(&server).await;
    for table in ["codes", "interactions", "attempts", "browser_sessions"] {
        assert_eq!(count(&server, table).await, 0, "{table}");
    }
    // The grant outlives its session (`offline_access`), with the tokens that were spent; only the open successor is gone.
    assert_eq!(count(&server, "grants").await, 1);
    assert_eq!(count(&server, "grants WHERE sealed_successor IS NOT NULL").await, 0);
    assert_eq!(count(&server, "spent_refresh_tokens").await, 1);
    flow.refresh(&server.wire(), &tokens.refresh_token()).await.expect_tokens();

    server.advance(Duration::days(91));
    sweep(&server).await;
    assert_eq!(count(&server, "grants").await, 0);
    assert_eq!(count(&server, "spent_refresh_tokens").await, 0);
}
