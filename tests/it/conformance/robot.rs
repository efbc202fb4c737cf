//! The suite's browser: no scripts but the one that posts a form, guided by the tasks of `browser.json`.

use reqwest::Method;
use serde_json::Value;

use crate::support::{Answer, Browser};

/// Where the browser came.
pub(super) struct Visit {
    /// The paths of the pages that a person would have seen on the way.
    pub(super) pages: Vec<String>,
    pub(super) end: Answer,
}

impl Visit {
    /// Whether a page of this path was shown.
    pub(super) fn showed(&self, path: &str) -> bool {
        self.pages.iter().any(|page| page == path)
    }
}

/// Follows this answer to a request of the suite, and does what the tasks for its address say.
pub(super) async fn drive(browser: &mut Browser, tasks: &Value, answer: Answer) -> Visit {
    let entries = tasks.as_array().expect("entries");
    let url = answer.url.to_string();
    let entry = entries.iter().find(|entry| matches(text(&entry["match"]), &url));
    let entry = entry.unwrap_or_else(|| panic!("nothing says what to do at {url}"));
    let mut visit = Visit { pages: Vec::new(), end: browser.follow(answer).await };
    for task in entry["tasks"].as_array().expect("tasks") {
        let away = leads_to(&visit.end);
        if !matches(text(&task["match"]), away.as_deref().unwrap_or(visit.end.url.as_str())) {
            assert_eq!(task["optional"], true, "{task} does not fit {:#?}", visit.end);
            continue;
        }
        if let Some(url) = away {
            expect_on_their_page(task, &url);
            continue;
        }
        visit.pages.push(visit.end.url.path().to_owned());
        let mut typed = Vec::new();
        for command in task["commands"].as_array().expect("commands") {
            let words: Vec<&str> = command.as_array().expect("a command").iter().filter_map(Value::as_str).collect();
            match words[..] {
                ["text", "id", id, value] => typed.push((id, value)),
                ["click", "id", id, ref rest @ ..] => {
                    let form = visit.end.forms().into_iter().find(|form| form.button(id).is_some());
                    match form {
                        Some(form) => {
                            let next = browser.submit(&form, Some(id), &typed).await;
                            visit.end = browser.follow(next).await;
                        }
                        None => assert!(rest.contains(&"optional"), "no button {id}: {:#?}", visit.end),
                    }
                }
                ["wait", "id", id, ref rest @ ..] => {
                    visit.end.element(id);
                    assert!(rest[0] == ".*" || visit.end.body.contains(rest[0]), "no {}: {:#?}", rest[0], visit.end);
                }
                ["wait", "xpath", path, ..] => {
                    let name = path.strip_prefix("//").expect("an element by its name");
                    assert!(
                        leads_to(&visit.end).is_some() || !visit.end.elements(name).is_empty(),
                        "no {name}: {:#?}",
                        visit.end
                    );
                }
                _ => panic!("an unknown command: {command}"),
            }
        }
    }
    visit
}

/// The suite's browser without its cookies for us: what a form on the suite's own page sends.
pub(super) async fn post_from_elsewhere(
    browser: &mut Browser,
    origin: &str,
    url: &str,
    fields: &[(String, String)],
) -> Answer {
    let call = browser.call(Method::POST, url).form(fields);
    browser.send(call.header("origin", origin).header("sec-fetch-site", "cross-site").header("cookie", "")).await
}

/// Where the browser goes on by itself: by a redirect, a form that a script posts, a refresh.
fn leads_to(answer: &Answer) -> Option<String> {
    if answer.status.is_redirection() {
        return Some(answer.location().into());
    }
    let posts = answer.forms().into_iter().map(|form| form.action).find(|action| action.starts_with("https://"));
    posts.or_else(|| refresh(answer).map(|(_, target)| target))
}

/// What the suite's own pages have to be waited for: the callback's says when its script is done, the others say at once that
/// something came. To wait for what never comes is a failure.
fn expect_on_their_page(task: &Value, url: &str) {
    let id = if url.contains("/callback") { "submission_complete" } else { "complete" };
    for command in task["commands"].as_array().into_iter().flatten() {
        let words: Vec<&str> = command.as_array().expect("a command").iter().filter_map(Value::as_str).collect();
        assert_eq!(words, ["wait", "id", id], "{url}");
    }
}

/// Where a page goes by itself, and after how many seconds.
pub(super) fn refresh(answer: &Answer) -> Option<(u32, String)> {
    let metas = answer.elements("meta");
    let meta = metas.iter().find(|meta| meta.attribute("http-equiv").is_some_and(|name| name == "refresh"))?;
    let (seconds, target) = meta.attribute("content").expect("content").split_once(";url=").expect("a target");
    Some((seconds.parse().expect("seconds"), target.to_owned()))
}

/// A pattern of the suite: `*` stands for anything, every other character for itself.
fn matches(pattern: &str, url: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == url,
        Some((before, after)) => url
            .strip_prefix(before)
            .is_some_and(|rest| after.is_empty() || rest.char_indices().any(|(at, _)| matches(after, &rest[at..]))),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

#[test]
fn patterns_are_read_as_the_suite_does() {
    for (pattern, url, fits) in [
        ("https://a/authorize*", "https://a/authorize", true),
        ("https://a/authorize*", "https://a/authorize/consent?x", true),
        ("https://a/authorize?*", "https://a/authorize/consent", false),
        ("https://a/test/*/callback*", "https://a/test/a/b/callback?code=1", true),
        ("https://a/test/*/callback", "https://a/test/a/b/callback?code=1", false),
    ] {
        assert_eq!(matches(pattern, url), fits, "{pattern} {url}");
    }
}
