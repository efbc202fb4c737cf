//! The record as JSON lines, however long it is.

use futures_util::stream::{self, Stream};

use super::store::{Filter, Place, list};
use crate::platform::database::{Database, DatabaseError};

/// Events that are in memory at once.
const BATCH: u64 = 500;

/// The events of a filter, a line each, in pieces of many lines. A piece is read when the one before has been taken, so whoever
/// takes slowly holds neither memory nor a connection.
pub fn export(database: Database, filter: Filter) -> impl Stream<Item = Result<String, DatabaseError>> + Send {
    let filter = Filter { limit: BATCH, ..filter };
    stream::try_unfold(Some(filter), move |rest| {
        let database = database.clone();
        async move {
            let Some(filter) = rest else { return Ok(None) };
            let events = list(&database, &filter).await?;
            let mut lines = String::new();
            for event in &events {
                // A record is made of texts and numbers: there is nothing in it that cannot be written.
                lines.push_str(&serde_json::to_string(event).unwrap_or_default());
                lines.push('\n');
            }
            let is_more = u64::try_from(events.len()).is_ok_and(|read| read == BATCH);
            let last = events.last().map(Place::from).filter(|_| is_more);
            let rest = last.map(|last| Filter { after: Some(last), ..filter });
            Ok((!lines.is_empty()).then_some((lines, rest)))
        }
    })
}
