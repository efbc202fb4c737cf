//! Wipes the last traces of people who are gone: what names them without being theirs by its table. Some of it is written a moment
//! after they went, so it is looked for again for a while.

use chrono::{DateTime, Duration, Utc};

use crate::app::{App, AppError};
use crate::{audit, federation, identity};

/// How long after somebody went traces of them may still be written: by requests that were under way, and by notes that are
/// written in batches.
const ECHO: Duration = Duration::minutes(10);
/// People of one round at the most.
const PEOPLE: i64 = 100;

/// Batches of a round at the most.
const BATCHES: usize = 20;

/// One round: some batches of rows a person. Answers how many rows were wiped.
pub(crate) async fn wipe(app: &App, now: DateTime<Utc>, batch: i64) -> Result<u64, AppError> {
    let mut wiped = 0;
    for user in identity::departed(&app.database, PEOPLE).await? {
        let mut events = 0;
        for _ in 0..BATCHES {
            match audit::wipe(&app.database, user, batch).await? {
                0 => break,
                some => events += some,
            }
        }
        wiped += events;
        wiped += app.policies.forget_naming(user).await?;
        wiped += federation::forget(&app.database, user).await?;
        if events == 0 {
            identity::forget_departed(&app.database, user, now - ECHO).await?;
        }
    }
    Ok(wiped)
}
