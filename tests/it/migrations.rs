//! The schema goes up and down on both engines, once however many programs start, and never under an older program.

use bonafide::platform::database::Applied;
use migration::{Migrator, MigratorTrait};
use serde_json::Value;

use crate::{
    engines::{lines, run},
    support::{Engine, Place},
};

const SQLITE_SCHEMA: &str = "SELECT type || ' ' || name || ' ' || tbl_name || ' ' || coalesce(sql, '') AS line
    FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY 1";
const POSTGRES_SCHEMA: &str = "SELECT concat_ws(' ', 'column', table_name,
        row_number() OVER (PARTITION BY table_name ORDER BY ordinal_position), column_name, data_type,
        is_nullable, column_default, character_maximum_length) AS line
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1";

async fn schema(place: &Place) -> Vec<String> {
    lines(place, if place.engine() == Engine::Sqlite { SQLITE_SCHEMA } else { POSTGRES_SCHEMA }).await
}

/// What is applied, by `bonafide migrate status --json`.
async fn applied(place: &Place) -> Vec<Applied> {
    let listed: Vec<Value> = place.cli(&["migrate", "status", "--json"]).await.json();
    let applied = |one: &Value| Applied {
        name: one["name"].as_str().expect("a name").to_owned(),
        applied: one["applied"].as_bool().expect("a state"),
    };
    listed.iter().map(applied).collect()
}

each_engine!(goes_up_all_the_way_down_and_up_again);
async fn goes_up_all_the_way_down_and_up_again(engine: Engine) {
    let place = Place::empty(engine, &[]).await;
    let before = applied(&place).await;
    assert!(before.len() >= 13 && before.iter().all(|one| !one.applied), "{before:?}");

    place.cli(&["migrate", "up"]).await.expect_success();
    assert!(applied(&place).await.iter().all(|one| one.applied));
    let first = schema(&place).await;
    assert!(first.iter().any(|line| line.contains("grants")), "{first:#?}");
    place.cli(&["migrate", "up"]).await.expect_success();
    assert_eq!(schema(&place).await, first, "up again changes nothing");

    place.cli(&["migrate", "down", "-n", &before.len().to_string()]).await.expect_success();
    assert_eq!(applied(&place).await, before);
    let left = schema(&place).await;
    assert!(left.iter().all(|line| line.contains("seaql_migrations")), "{left:#?}");

    place.cli(&["migrate", "up"]).await.expect_success();
    assert_eq!(schema(&place).await, first);
    // `list` is the same command by its other name.
    let listed: Value = place.cli(&["migrate", "list", "--json"]).await.json();
    assert_eq!(listed.as_array().expect("a list").len(), before.len());
}

each_engine!(each_step_goes_down_and_up);
async fn each_step_goes_down_and_up(engine: Engine) {
    let place = Place::empty(engine, &[]).await;
    place.cli(&["migrate", "up"]).await.expect_success();
    let database = place.database().await;
    let mut steps = vec![schema(&place).await];
    for _ in 0..applied(&place).await.len() {
        Migrator::down(database, Some(1)).await.expect("a step down");
        steps.push(schema(&place).await);
        Migrator::up(database, Some(1)).await.expect("the step up again");
        assert_eq!(schema(&place).await, steps[steps.len() - 2]);
        Migrator::down(database, Some(1)).await.expect("a step down");
    }
    assert!(steps.last().expect("a schema").iter().all(|line| line.contains("seaql_migrations")), "{steps:#?}");
    for earlier in steps.iter().rev().skip(1) {
        Migrator::up(database, Some(1)).await.expect("a step up");
        assert_eq!(schema(&place).await, *earlier);
    }
}

each_engine!(programs_that_migrate_at_once_wait_for_each_other);
async fn programs_that_migrate_at_once_wait_for_each_other(engine: Engine) {
    let place = Place::empty(engine, &[]).await;
    let up = || place.cli(&["migrate", "up"]);
    let (a, b, c) = tokio::join!(up(), up(), up());
    let said: Vec<_> = [a, b, c].into_iter().map(|output| output.expect_success().stdout).collect();
    assert_eq!(said.iter().filter(|said| said.starts_with("applied m")).count(), 1, "{said:?}");
    assert!(applied(&place).await.iter().all(|one| one.applied));
}

each_engine!(programs_that_start_first_at_once_share_keys);
/// Two nodes on one new database: one schema, one master key, one current and one next signing key.
async fn programs_that_start_first_at_once_share_keys(engine: Engine) {
    let place = Place::empty(engine, &[]).await;
    let list = || place.cli(&["key", "list", "--json"]);
    let (a, b, c) = tokio::join!(list(), list(), list());
    for output in [a, b, c] {
        output.expect_success();
    }
    let keys: Vec<Value> = place.cli(&["key", "list", "--json"]).await.json();
    let mut states: Vec<_> = keys.iter().map(|key| key["state"].as_str().expect("a state")).collect();
    states.sort_unstable();
    assert_eq!(states, ["current", "next"], "{keys:#?}");
}

each_engine!(an_older_program_refuses_a_newer_database);
async fn an_older_program_refuses_a_newer_database(engine: Engine) {
    let place = Place::prepared(engine, &[]).await;
    place.cli(&["key", "list"]).await.expect_success();
    run(&place, "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29990101_000001_future', 1)").await;
    let before = schema(&place).await;
    let commands: [&[&str]; 5] =
        [&["serve"], &["serve", "--no-migrate"], &["key", "list"], &["migrate", "up"], &["migrate", "down"]];
    for arguments in commands {
        let output = place.cli(arguments).await;
        assert!(!output.status.success(), "{output}");
        assert!(output.stderr.contains("m29990101_000001_future"), "{output}");
    }
    assert_eq!(schema(&place).await, before);
}

each_engine!(without_migrating_an_empty_database_is_refused);
async fn without_migrating_an_empty_database_is_refused(engine: Engine) {
    let place = Place::empty(engine, &[]).await;
    let output = place.cli(&["serve", "--no-migrate"]).await;
    assert!(!output.status.success(), "{output}");
    assert!(output.stderr.contains("bonafide migrate up"), "{output}");
    assert_eq!(schema(&place).await, Vec::<String>::new());
}
