//! SQLite's one writer: gathers the actions that wait into one transaction, commits once, then answers them all.
//!
//! Durable commits cost a disk flush each; sixteen callers that wait for the same flush pay a sixteenth. An action with
//! several statements has a savepoint, so that a failing one goes alone.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, QueryResult, SqliteTransactionMode, Statement, TransactionOptions,
    TransactionTrait as _,
};
use tokio::sync::{mpsc, oneshot};
use tracing::{Instrument as _, Span};

use super::{ACTION_LIMIT, Action, DatabaseError, Tx};

/// Actions in one commit at the most: bounds how long the first of them waits.
const BATCH: usize = 64;
/// Actions that may wait; the callers of more wait to be let in.
const QUEUE: usize = 1024;

#[derive(Clone)]
pub(super) struct Writer(mpsc::Sender<Job>);

enum Job {
    /// One statement: atomic by itself.
    Single(Statement, oneshot::Sender<Result<Option<QueryResult>, DatabaseError>>),
    Action(Box<dyn Step>),
    Close(oneshot::Sender<()>),
}

/// An action whose types are forgotten.
trait Step: Send {
    fn run<'c>(self: Box<Self>, tx: &'c Tx) -> std::pin::Pin<Box<dyn Future<Output = Done> + Send + 'c>>;
    fn refuse(self: Box<Self>, error: DatabaseError);
}

/// What an action left behind: whether its writes stay, and whom to tell once they are durable.
struct Done {
    keep: bool,
    answer: Box<dyn FnOnce(Result<(), DatabaseError>) + Send>,
}

struct Typed<T, E, F> {
    action: F,
    /// What it logs belongs to the request that wants it.
    span: Span,
    answer: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Step for Typed<T, E, F>
where
    F: for<'c> FnOnce(&'c Tx) -> Action<'c, T, E> + Send + 'static,
    T: Send + 'static,
    E: From<DatabaseError> + Send + 'static,
{
    fn run<'c>(self: Box<Self>, tx: &'c Tx) -> std::pin::Pin<Box<dyn Future<Output = Done> + Send + 'c>> {
        Box::pin(async move {
            let Self { action, span, answer } = *self;
            let work = AssertUnwindSafe(action(tx)).catch_unwind().instrument(span);
            let outcome = match tokio::time::timeout(ACTION_LIMIT, work).await {
                Ok(Ok(outcome)) => outcome,
                Ok(Err(_)) => Err(DatabaseError::Panicked.into()),
                Err(_) => Err(DatabaseError::TooSlow.into()),
            };
            Done {
                keep: outcome.is_ok(),
                answer: Box::new(move |durable| {
                    // A caller that hung up is no reason to do anything else.
                    let _ = answer.send(durable.map_err(E::from).and(outcome));
                }),
            }
        })
    }

    fn refuse(self: Box<Self>, error: DatabaseError) {
        let _ = self.answer.send(Err(error.into()));
    }
}

impl Writer {
    pub(super) fn start(connection: DatabaseConnection) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        tokio::spawn(work(connection, receiver));
        Self(sender)
    }

    pub(super) async fn run(&self, statement: Statement) -> Result<Option<QueryResult>, DatabaseError> {
        let (answer, answered) = oneshot::channel();
        self.0.send(Job::Single(statement, answer)).await.map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }

    pub(super) async fn write<T, E, F>(&self, action: F) -> Result<T, E>
    where
        F: for<'c> FnOnce(&'c Tx) -> Action<'c, T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        self.0
            .send(Job::Action(Box::new(Typed { action, span: Span::current(), answer })))
            .await
            .map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }

    /// Actions that wait.
    pub(super) fn waiting(&self) -> usize {
        self.0.max_capacity() - self.0.capacity()
    }

    pub(super) async fn close(&self) {
        let (answer, answered) = oneshot::channel();
        if self.0.send(Job::Close(answer)).await.is_ok() {
            let _ = answered.await;
        }
    }
}

fn stopped() -> DatabaseError {
    DatabaseError::Commit("the writer has stopped".to_owned())
}

async fn work(connection: DatabaseConnection, mut jobs: mpsc::Receiver<Job>) {
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        batch.clear();
        if jobs.recv_many(&mut batch, BATCH).await == 0 {
            break;
        }
        let mut close = None;
        batch = commit(&connection, std::mem::take(&mut batch), &mut close).await;
        if let Some(close) = close {
            if let Err(error) = connection.close().await {
                tracing::warn!(%error, "the database file did not close cleanly");
            }
            let _ = close.send(());
            break;
        }
    }
}

/// One transaction for the whole batch; gives the emptied list back for the next.
async fn commit(
    connection: &DatabaseConnection,
    mut batch: Vec<Job>,
    close: &mut Option<oneshot::Sender<()>>,
) -> Vec<Job> {
    let options =
        TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..Default::default() };
    let tx = match connection.begin_with_options(options).await {
        Ok(tx) => tx,
        Err(error) => {
            for job in batch.drain(..) {
                refuse(job, &error, close);
            }
            return batch;
        }
    };
    let alone = batch.len() == 1;
    let mut finished = Vec::with_capacity(batch.len());
    let mut keep_any = false;
    for job in batch.drain(..) {
        let done = match job {
            Job::Single(statement, answer) => single(&tx, statement, answer).await,
            Job::Action(step) if alone => step.run(&tx).await,
            Job::Action(step) => guarded(&tx, step).await,
            Job::Close(answer) => {
                *close = Some(answer);
                continue;
            }
        };
        keep_any |= done.keep;
        finished.push(done);
    }
    let ended = if keep_any { tx.commit().await } else { tx.rollback().await };
    let failure = ended.err().map(|error| error.to_string());
    if let Some(error) = &failure {
        tracing::error!(%error, "a commit failed; its actions are refused");
    }
    for done in finished {
        // An action that was refused answers its own reason, whatever became of the others.
        let durable = match &failure {
            Some(error) if done.keep => Err(DatabaseError::Commit(error.clone())),
            _ => Ok(()),
        };
        (done.answer)(durable);
    }
    batch
}

async fn single(
    tx: &Tx,
    statement: Statement,
    answer: oneshot::Sender<Result<Option<QueryResult>, DatabaseError>>,
) -> Done {
    let outcome = tx.query_one_raw(statement).await.map_err(DatabaseError::from);
    Done {
        keep: outcome.is_ok(),
        answer: Box::new(move |durable| {
            let _ = answer.send(durable.and(outcome));
        }),
    }
}

/// Runs an action behind a savepoint, so that its failure takes nothing else along.
async fn guarded(tx: &Tx, step: Box<dyn Step>) -> Done {
    let savepoint = match tx.begin().await {
        Ok(savepoint) => savepoint,
        Err(error) => {
            step.refuse(error.into());
            return Done { keep: false, answer: Box::new(|_| ()) };
        }
    };
    let done = step.run(&savepoint).await;
    let ended = if done.keep { savepoint.commit().await } else { savepoint.rollback().await };
    match ended {
        Ok(()) => done,
        Err(error) => Done { keep: false, answer: Box::new(move |_| (done.answer)(Err(error.into()))) },
    }
}

fn refuse(job: Job, error: &sea_orm::DbErr, close: &mut Option<oneshot::Sender<()>>) {
    match job {
        Job::Single(_, answer) => {
            let _ = answer.send(Err(error.clone().into()));
        }
        Job::Action(step) => step.refuse(error.clone().into()),
        Job::Close(answer) => *close = Some(answer),
    }
}
