//! Why was this request refused? Each request has a trail, on which every rule that it passes leaves one byte. The rule that
//! refuses it says what was given, what was expected and what would have made it pass; what came before is then written out and
//! kept for a while under the request's reference. A request that is answered well leaves nothing, and has cost nothing.
//!
//! Rooms push their rules from wherever they decide: the trail belongs to the task that serves the request. Where there is none
//! (commands, work in the background, transactions in tasks of their own) nothing happens.

mod asked;
mod record;
mod recorder;
mod rule;
mod store;

use std::borrow::Cow;
use std::cell::RefCell;
use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;

pub use asked::is_name;
pub use record::{Asked, Decided, Trace, says};
use recorder::Admission;
pub use recorder::Traces;
pub use rule::{By, Rule};

/// More rules than any request passes.
const MOST_RULES: usize = 48;

/// More parameters than an honest request has.
const MOST_PARAMETERS: usize = 40;

/// Longest text that tells what was given or expected.
const LONGEST_TEXT: usize = 600;

tokio::task_local! {
    static TRAIL: RefCell<Trail>;
}

/// What a request has passed until now, and what it did not.
pub struct Trail {
    traces: Arc<Traces>,
    reference: [u8; 12],
    address: Option<IpAddr>,
    /// Somebody develops here and sees each trace at once.
    watched: bool,
    passed: [Rule; MOST_RULES],
    count: usize,
    /// Whether it may be kept, once that was asked.
    admitted: Option<Admission>,
    refused: Option<Box<Refused>>,
}

/// Which request it is.
#[derive(Clone, Copy, Debug)]
pub struct Line<'r> {
    pub method: &'r str,
    /// Of the route, like `/roles/{name}`.
    pub template: &'r str,
    pub path: &'r str,
    pub query: &'r str,
}

/// Made when a request is refused, and not before.
#[derive(Default)]
struct Refused {
    decided: Option<(Rule, Why)>,
    client: Option<String>,
    parameters: Vec<(String, String)>,
    /// The refusal goes to the application, by an answer that is none of ours.
    elsewhere: bool,
}

/// What was given, what was expected, and what would have made it pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Why {
    given: String,
    expected: String,
    remedy: String,
}

impl Why {
    pub fn new(given: impl Into<String>, expected: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { given: given.into(), expected: expected.into(), remedy: remedy.into() }
    }
}

impl Trail {
    /// The trail of a request that begins. `watched`: nothing is left out, whatever the caps say.
    pub fn new(traces: Arc<Traces>, reference: [u8; 12], address: Option<IpAddr>, watched: bool) -> Self {
        Self {
            traces,
            reference,
            address,
            watched,
            passed: [Rule::Served; MOST_RULES],
            count: 0,
            admitted: None,
            refused: None,
        }
    }

    fn pass(&mut self, rule: Rule) {
        if let Some(place) = self.passed.get_mut(self.count) {
            *place = rule;
            self.count += 1;
        }
    }

    /// Whether anybody will see what is said now. The first that asks takes from what the caps allow.
    fn is_wanted(&mut self) -> bool {
        let Self { traces, address, watched, admitted, .. } = self;
        *watched || admitted.get_or_insert_with(|| traces.admit(*address)).is_kept()
    }

    fn refused(&mut self) -> &mut Refused {
        self.refused.get_or_insert_default()
    }

    fn trace(&self, status: u16, line: &Line<'_>) -> Option<Trace> {
        let refused = self.refused.as_deref()?;
        let (rule, why) = refused.decided.clone()?;
        let mut parameters = asked::query(line.query, MOST_PARAMETERS);
        parameters.extend(refused.parameters.iter().cloned());
        Some(Trace {
            reference: String::from_utf8_lossy(&self.reference).into_owned(),
            at: self.traces.now(),
            status,
            asked: Asked {
                method: clean(line.method, 16),
                path: asked::path(line.template, line.path),
                address: self.address.map(|address| address.to_string()),
                client: refused.client.clone().or_else(|| parameters.get("client_id").cloned()),
                parameters,
            },
            passed: self.passed.iter().take(self.count).map(|rule| rule.name().to_owned()).collect(),
            decided: Decided {
                rule: rule.name().to_owned(),
                given: clean(&why.given, LONGEST_TEXT),
                expected: clean(&why.expected, LONGEST_TEXT),
                remedy: clean(&why.remedy, 2 * LONGEST_TEXT),
            },
        })
    }
}

/// Serves a request along its trail.
pub async fn follow<F: Future>(trail: Trail, request: F) -> F::Output {
    TRAIL.scope(RefCell::new(trail), request).await
}

/// A rule is passed. One byte, and nothing is allocated.
pub fn pass(rule: Rule) {
    with(|trail| trail.pass(rule));
}

/// A rule is not passed: it decides, unless one has decided before. What is to be said is only asked where somebody will read it.
pub fn fail(rule: Rule, why: impl FnOnce() -> Why) {
    judge(|| (rule, why()));
}

/// The same where it has to be found out which rule it was.
pub fn judge(decided: impl FnOnce() -> (Rule, Why)) {
    let asks = with(|trail| {
        let is_first = trail.refused.as_ref().is_none_or(|refused| refused.decided.is_none());
        is_first && trail.is_wanted()
    });
    if asks == Some(true) {
        // Not while the trail is borrowed: what is asked may pass rules of its own.
        let decided = decided();
        with(|trail| trail.refused().decided = Some(decided));
    }
}

/// What was judged is of no consequence after all.
pub fn forget() {
    with(|trail| trail.refused = None);
}

/// The parameters of a request that is refused.
pub fn asked<'p>(parameters: impl IntoIterator<Item = (&'p str, &'p str)>) {
    with(|trail| {
        if trail.is_wanted() {
            let kept = parameters.into_iter().take(MOST_PARAMETERS);
            let kept = kept.filter_map(|(name, value)| asked::parameter(name, value));
            trail.refused().parameters.extend(kept);
        }
    });
}

/// The same where they have to be read first.
pub fn asked_in(parameters: impl FnOnce() -> Vec<(String, String)>) {
    if with(Trail::is_wanted) == Some(true) {
        let read = parameters();
        asked(read.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    }
}

/// The client of a request that is refused.
pub fn client<'c>(id: impl FnOnce() -> Option<Cow<'c, str>>) {
    with(|trail| {
        if trail.is_wanted() {
            trail.refused().client = id().map(|id| clean(&id, 128));
        }
    });
}

/// The refusal goes to the application, by a redirect or a form.
pub fn leave() {
    with(|trail| {
        if trail.is_wanted() {
            trail.refused().elsewhere = true;
        }
    });
}

/// The request's reference; none outside of requests.
pub fn reference() -> Option<String> {
    with(|trail| String::from_utf8_lossy(&trail.reference).into_owned())
}

/// The trace as it is now, where somebody watches.
pub fn watched(status: u16, line: &Line<'_>) -> Option<Trace> {
    with(|trail| if trail.watched { trail.trace(status, line) } else { None }).flatten()
}

/// The request is answered: if it was refused, its trace is kept. What was judged on the way to a good answer, like that somebody has
/// to sign in first, takes nothing from what the caps allow.
pub fn close(status: u16, line: &Line<'_>) {
    with(|trail| {
        let is_elsewhere = trail.refused.as_ref().is_some_and(|refused| refused.elsewhere);
        if status < 400 && !is_elsewhere {
            if let Some(admission) = trail.admitted {
                trail.traces.give_back(admission, trail.address);
            }
        } else if trail.is_wanted()
            && let Some(trace) = trail.trace(status, line)
        {
            trail.traces.keep(trace, trail.address);
        }
    });
}

fn with<T>(change: impl FnOnce(&mut Trail) -> T) -> Option<T> {
    TRAIL.try_with(|trail| trail.try_borrow_mut().ok().map(|mut trail| change(&mut trail))).ok().flatten()
}

/// One line without control characters, and not a long one.
fn clean(text: &str, most: usize) -> String {
    let mut kept: String = text.chars().filter(|letter| !letter.is_control()).take(most).collect();
    if text.chars().nth(most).is_some() {
        kept.push('…');
    }
    kept
}

/// A word of a command, so that whoever copies it runs nothing else.
pub fn quoted(word: &str) -> String {
    let is_plain =
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/@=".contains(&byte));
    if is_plain { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// The same flag for each of these words.
pub fn flags<'w>(flag: &str, words: impl IntoIterator<Item = &'w str>) -> String {
    words.into_iter().flat_map(|word| [" ".to_owned(), flag.to_owned(), " ".to_owned(), quoted(word)]).collect()
}
