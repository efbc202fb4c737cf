//! Business actions on the database: each whole or not at all, whatever happens to the others that run at the same time.

use bonafide::platform::database::{DatabaseError, execute};
use sea_orm::{ConnectionTrait as _, Statement};

use crate::support::{TestServer, at_once};

async fn marks(server: &TestServer) -> i64 {
    let database = server.database().await;
    let sql = "SELECT count(*) AS n FROM epochs WHERE name LIKE 'mark%'";
    let row =
        database.query_one_raw(Statement::from_string(database.get_database_backend(), sql)).await.unwrap().unwrap();
    row.try_get("", "n").unwrap()
}

both_engines!(a_failing_action_rolls_back_alone);
/// Twenty actions of two statements at once: every fourth fails after its first statement, every fourth panics there.
async fn a_failing_action_rolls_back_alone(server: TestServer) {
    let database = server.app().database.clone();
    let outcomes = at_once(20, move |n| {
        let database = database.clone();
        async move {
            database
                .write(move |tx| {
                    Box::pin(async move {
                        for part in ["a", "b"] {
                            let name = format!("mark-{n}-{part}");
                            execute(tx, "INSERT INTO epochs (name, value) VALUES ($1, 0)", [name.into()]).await?;
                            if part == "a" && n % 4 == 1 {
                                return Err(DatabaseError::Settings("on purpose".to_owned()));
                            }
                            assert!(part != "a" || n % 4 != 2, "on purpose");
                        }
                        Ok(())
                    })
                })
                .await
        }
    })
    .await;
    for (n, outcome) in outcomes.iter().enumerate() {
        match n % 4 {
            1 => assert!(matches!(outcome, Err(DatabaseError::Settings(_))), "{n}: {outcome:?}"),
            2 => assert!(matches!(outcome, Err(DatabaseError::Panicked)), "{n}: {outcome:?}"),
            _ => assert!(outcome.is_ok(), "{n}: {outcome:?}"),
        }
    }
    assert_eq!(marks(&server).await, 20, "ten actions of two rows each");
}

both_engines!(a_slow_action_is_rolled_back_and_others_go_on);
async fn a_slow_action_is_rolled_back_and_others_go_on(server: TestServer) {
    let database = server.app().database.clone();
    let slow = database.write(|tx| {
        Box::pin(async move {
            execute(tx, "INSERT INTO epochs (name, value) VALUES ('mark-slow', 0)", []).await?;
            tokio::time::sleep(std::time::Duration::from_secs(10)).await;
            Ok::<_, DatabaseError>(())
        })
    });
    assert!(matches!(slow.await, Err(DatabaseError::TooSlow)));
    let next = database.write(|tx| {
        Box::pin(async move { execute(tx, "INSERT INTO epochs (name, value) VALUES ('mark-next', 0)", []).await })
    });
    assert_eq!(next.await.unwrap(), 1);
    assert_eq!(marks(&server).await, 1);
}

both_engines!(a_caller_that_hangs_up_cancels_nothing);
async fn a_caller_that_hangs_up_cancels_nothing(server: TestServer) {
    let database = server.app().database.clone();
    let caller = tokio::spawn(async move {
        database
            .write(|tx| {
                Box::pin(async move {
                    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
                    execute(tx, "INSERT INTO epochs (name, value) VALUES ('mark-late', 0)", []).await
                })
            })
            .await
    });
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    caller.abort();
    tokio::time::sleep(std::time::Duration::from_millis(800)).await;
    assert_eq!(marks(&server).await, 1);
}

both_engines!(commits_are_durable_and_readers_cannot_write);
/// `synchronous = FULL` by PRAGMA of the writing connection; PostgreSQL's `synchronous_commit` is not off.
async fn commits_are_durable_and_readers_cannot_write(server: TestServer) {
    let database = &server.app().database;
    let found = database.durability().await.unwrap();
    assert!(found.durable, "{found:?}");
    if !database.is_postgres() {
        assert_eq!(found.described, "SQLite, journal_mode = wal, synchronous = 2 (2 is FULL)");
        let insert = database.statement("INSERT INTO epochs (name, value) VALUES ('mark', 0)", []);
        database.query_one(insert).await.unwrap_err();
    }
}
