//! `kill -9` under load: what was acknowledged is there afterwards, and nothing is half there.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sea_orm::{ConnectionTrait as _, Statement};

use crate::support::{Application, Binary, Engine, Flow, NewApplication, Person, Place, Tokens, Wire, made::userinfo};

const CHAINS: usize = 8;
const ROUNDS: usize = 3;

/// A chain of refreshes, and the last token whose answer has arrived.
struct Chain {
    flow: Flow,
    token: Mutex<String>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_token_is_lost_sqlite() {
    no_acknowledged_token_is_lost(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_token_is_lost_postgres() {
    no_acknowledged_token_is_lost(Engine::Postgres).await;
}

async fn no_acknowledged_token_is_lost(engine: Engine) {
    let mut binary = Binary::start(engine).await;
    let app = binary.application(NewApplication::default()).await;
    let ada = binary.person("ada").await;
    let mut browser = binary.browser();
    let mut chains = Vec::new();
    for _ in 0..CHAINS {
        let flow = Flow::new(&app);
        let tokens = flow.tokens(&binary.wire(), &mut browser, &ada).await;
        chains.push(Arc::new(Chain { flow, token: Mutex::new(tokens.refresh_token()) }));
    }

    let mut refreshes = 0;
    for _ in 0..ROUNDS {
        let stop = Arc::new(AtomicBool::new(false));
        let refreshing: Vec<_> =
            chains.iter().map(|chain| tokio::spawn(refresh_on(binary.wire(), chain.clone(), stop.clone()))).collect();
        let exchanging =
            tokio::spawn(exchange_on(binary.wire(), app.clone(), ada.clone(), browser.clone(), stop.clone()));
        tokio::time::sleep(Duration::from_millis(400 + rand::random::<u64>() % 800)).await;
        binary.kill();
        stop.store(true, Ordering::SeqCst);
        for chain in refreshing {
            refreshes += chain.await.unwrap();
        }
        let exchanged = exchanging.await.unwrap();

        binary.start_again().await;

        for chain in &chains {
            let token = chain.token.lock().unwrap().clone();
            let next = chain.flow.refresh(&binary.wire(), &token).await.expect_tokens();
            userinfo(&binary.wire(), &next.access_token()).await.expect_status(200);
            *chain.token.lock().unwrap() = next.refresh_token();
        }
        for (flow, tokens) in &exchanged {
            userinfo(&binary.wire(), &tokens.access_token()).await.expect_status(200);
            flow.refresh(&binary.wire(), &tokens.refresh_token()).await.expect_tokens();
        }
        expect_nothing_half_made(binary.place()).await;
    }
    assert!(refreshes > CHAINS * ROUNDS, "no load: {refreshes} refreshes");
}

/// Refreshes as fast as it can until nobody answers; how often it did.
async fn refresh_on(wire: Wire, chain: Arc<Chain>, stop: Arc<AtomicBool>) -> usize {
    let mut count = 0;
    while !stop.load(Ordering::SeqCst) {
        let token = chain.token.lock().unwrap().clone();
        let (id, secret) = (&chain.flow.application.id, chain.flow.application.secret());
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
        let call = wire.call(reqwest::Method::POST, "/token").basic(id, secret).form(&fields);
        // Killed in the middle of it.
        let Ok(answer) = call.try_send().await else { break };
        *chain.token.lock().unwrap() = Tokens(answer).expect_tokens().refresh_token();
        count += 1;
    }
    count
}

/// Signs in and exchanges codes until nobody answers; the tokens whose answer has arrived.
async fn exchange_on(
    wire: Wire,
    app: Application,
    ada: Person,
    browser: crate::support::Browser,
    stop: Arc<AtomicBool>,
) -> Vec<(Flow, Tokens)> {
    let done = Arc::new(Mutex::new(Vec::new()));
    let collected = done.clone();
    let work = async move {
        loop {
            let (flow, mut browser) = (Flow::new(&app), browser.clone());
            let tokens = flow.tokens(&wire, &mut browser, &ada).await;
            collected.lock().unwrap().push((flow, tokens));
        }
    };
    // The tools stop a test where nobody answers; here that is how it ends.
    let task = tokio::spawn(work);
    while !stop.load(Ordering::SeqCst) && !task.is_finished() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    task.abort();
    let _ = task.await;
    std::mem::take(&mut *done.lock().unwrap())
}

async fn column(place: &Place, sql: &str) -> Vec<String> {
    let database = place.database().await;
    let statement = Statement::from_string(database.get_database_backend(), sql);
    let rows = database.query_all_raw(statement).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    rows.iter().map(|row| row.try_get("", "line").unwrap()).collect()
}

/// Every grant has its code and its entry in the audit log, every used code its grant.
async fn expect_nothing_half_made(place: &Place) {
    let id = |column: &str| match place.engine() {
        Engine::Postgres => format!("replace({column}::text, '-', '')"),
        Engine::Sqlite => {
            format!("CASE WHEN typeof({column}) = 'blob' THEN lower(hex({column})) ELSE replace({column}, '-', '') END")
        }
    };
    let set = async |sql: String| column(place, &sql).await.into_iter().collect::<BTreeSet<_>>();
    let grants = set(format!("SELECT {} AS line FROM grants", id("id"))).await;
    let used = set(format!("SELECT {} AS line FROM codes WHERE used_at IS NOT NULL", id("grant_id"))).await;
    let made = column(place, "SELECT detail AS line FROM audit_events WHERE kind = 'grant_made'").await;
    let made: BTreeSet<String> = made
        .iter()
        .map(|detail| {
            let detail: serde_json::Value = serde_json::from_str(detail).unwrap();
            detail["grant"].as_str().unwrap().replace('-', "")
        })
        .collect();
    assert!(!grants.is_empty());
    assert_eq!(grants, made, "a grant without its entry in the audit log, or the reverse");
    assert_eq!(grants, used, "a grant without its code, or the reverse");
    // What a refresh writes is written whole: the predecessor of every rotated grant is among the spent ones.
    let hex = |column: &str| match place.engine() {
        Engine::Postgres => format!("encode({column}, 'hex')"),
        Engine::Sqlite => format!("lower(hex({column}))"),
    };
    let previous =
        set(format!("SELECT {} AS line FROM grants WHERE previous_hash IS NOT NULL", hex("previous_hash"))).await;
    let spent = set(format!("SELECT {} AS line FROM spent_refresh_tokens", hex("hash"))).await;
    assert!(previous.is_subset(&spent), "a rotation without its spent token");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_flushes_every_commit() {
    use bonafide::platform::database::{DatabaseError, fetch_one};
    use sea_orm::FromQueryResult;
    #[derive(FromQueryResult)]
    struct Row {
        synchronous: i64,
    }
    #[derive(FromQueryResult)]
    struct Journal {
        journal_mode: String,
    }
    let server = crate::support::TestServer::start(Engine::Sqlite).await;
    // Asked on the connection that writes.
    let asked = server.app().database.write(|tx| {
        Box::pin(async move {
            let row: Option<Row> = fetch_one(tx, "PRAGMA synchronous", []).await?;
            let journal: Option<Journal> = fetch_one(tx, "PRAGMA journal_mode", []).await?;
            Ok::<_, DatabaseError>((row.map(|row| row.synchronous), journal.map(|row| row.journal_mode)))
        })
    });
    assert_eq!(asked.await.unwrap(), (Some(2), Some("wal".to_owned())), "2 is FULL");
}
