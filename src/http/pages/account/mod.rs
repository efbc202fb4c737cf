//! `/account`: people look after what is theirs. One file a section; `views::account::SECTIONS` is their order.

pub(in crate::http) mod activity;
pub(in crate::http) mod apps;
pub(in crate::http) mod confirm;
pub(in crate::http) mod data;
pub(in crate::http) mod email;
mod fields;
pub(in crate::http) mod overview;
pub(in crate::http) mod password;
pub(in crate::http) mod picture;
pub(in crate::http) mod profile;
pub(in crate::http) mod providers;
pub(in crate::http) mod sessions;

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use tower_sessions::Session;
use uuid::Uuid;

use crate::http::answer::{self, Forms, Trouble};
use crate::http::caller::Caller;
use crate::http::state::Web;
use crate::http::views::Frame;
use crate::http::views::account::{SECTIONS, Section, Shell};
use crate::http::{csrf, form, interaction};
use crate::identity::Proven;
use crate::oauth::parameters::Parameters;
use crate::sessions::Live;

/// More sessions or applications than this nobody is shown; they end all the same.
pub(super) const MOST: u64 = 500;

/// What the note of a page is signed for.
const NOTE: &str = "account-note";

/// Somebody who is signed in, on a page of their own. Whoever is not is sent to sign in, and comes back from there.
pub(in crate::http) struct Here {
    pub(super) web: Arc<Web>,
    pub(super) caller: Caller,
    pub(super) session: Session,
    pub(super) live: Live,
    pub(super) query: Parameters,
}

impl FromRequestParts<Arc<Web>> for Here {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, web: &Arc<Web>) -> Result<Self, Response> {
        let Ok(caller) = Caller::from_request_parts(parts, web).await;
        let session = Session::from_request_parts(parts, web).await.map_err(IntoResponse::into_response)?;
        match web.app.sessions.find(&session, "").await {
            Ok(Some(live)) => {
                let query = Parameters::parse(parts.uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
                Ok(Self { web: web.clone(), caller, session, live, query })
            }
            Ok(None) => Err(answer::see_other(&sign_in_href(parts.uri.path()))),
            Err(error) => Err(answer::fault_page(web, &caller, &error)),
        }
    }
}

/// Where somebody signs in who wants to this section.
fn sign_in_href(path: &str) -> String {
    let is_there = |section: &&Section| section.path() == path;
    // A document is fetched from the section that lists it.
    let is_of = |section: &&Section| section.name == "data" && path.starts_with("/account/export/");
    let section = SECTIONS.iter().find(|section| is_there(section) || is_of(section));
    section.map_or_else(|| "/sign-in?then=account".to_owned(), |section| format!("/sign-in?then={}", then(section)))
}

/// What a section is called in a query. The overview has a word too, because an empty one is none.
pub(in crate::http) fn then(section: &Section) -> &'static str {
    if section.name.is_empty() { "account" } else { section.name }
}

/// The section of such a word: one of ours, never an address.
pub(in crate::http) fn section_of(word: Option<&str>) -> Option<Section> {
    SECTIONS.iter().copied().find(|section| Some(then(section)) == word)
}

impl Here {
    pub(super) fn user(&self) -> Uuid {
        self.live.user_id
    }

    pub(super) fn frame(&self) -> Frame {
        self.caller.frame_for(&self.web, None, Some(&self.live))
    }

    /// What is around a section whose forms are for `purpose`.
    pub(super) fn shell(&self, here: &'static str, purpose: &str) -> Shell {
        let offers_providers = !self.web.app.federation.providers.offered().is_empty();
        let is_there = |section: &&Section| section.name != "providers" || offers_providers;
        Shell {
            sections: SECTIONS.iter().filter(is_there).copied().collect(),
            here,
            note: self.note().map(|key| self.frame().words.say(key)),
            csrf: self.token(purpose),
        }
    }

    pub(super) fn token(&self, purpose: &str) -> String {
        csrf::token(&self.web.app.master, &csrf::bound_to(&self.session), purpose, "")
    }

    /// The form that a page of ours in this session has sent; else the answer that says why not.
    pub(super) async fn form(&self, headers: &HeaderMap, body: Body, purpose: &str) -> Result<Parameters, Response> {
        let form = form::read(headers, body, self.web.app.settings.http.max_body).await;
        let form = form.map_err(|fault| interaction::form_fault(&self.web, &self.caller, fault))?;
        if self.is_ours(headers, purpose, form.get("csrf")) { Ok(form) } else { Err(self.foreign()) }
    }

    pub(super) fn is_ours(&self, headers: &HeaderMap, purpose: &str, token: Option<&str>) -> bool {
        !csrf::is_foreign(headers, self.web.issuer())
            && csrf::holds(&self.web.app.master, &csrf::bound_to(&self.session), purpose, "", token)
    }

    pub(super) fn foreign(&self) -> Response {
        let mut trouble = Trouble::new(StatusCode::FORBIDDEN, "form-refused-title", "form-refused");
        trouble.restart_href = Some("/account".to_owned());
        trouble.page(&self.web, &self.caller)
    }

    /// Whether they have signed in a moment ago.
    pub(super) async fn is_fresh(&self) -> Result<bool, Response> {
        let Live { auth_time, signed_in_at, .. } = self.live;
        let fresh = self.web.app.accounts.is_fresh(self.user(), Proven { auth_time, signed_in_at }).await;
        fresh.map_err(|error| self.fault(&error))
    }

    pub(super) fn page(&self, status: StatusCode, view: &impl Template) -> Response {
        answer::page(&self.web, status, Forms::Ours, view)
    }

    /// The same for one that only shows something.
    pub(super) fn page_without_forms(&self, status: StatusCode, view: &impl Template) -> Response {
        answer::page(&self.web, status, Forms::None, view)
    }

    pub(super) fn fault(&self, error: &(dyn std::error::Error + 'static)) -> Response {
        answer::fault_page(&self.web, &self.caller, error)
    }

    /// Back to the section, which says what was done: reloading it does nothing again.
    pub(super) fn done(&self, section: &str, note: &'static str) -> Response {
        done(&self.web, &self.session, section, note)
    }

    /// The note that the address of the page asks for, if we have written it there: nobody else puts words on these pages.
    fn note(&self) -> Option<&str> {
        let (key, mac) = self.query.get("done")?.split_once('~')?;
        csrf::holds(&self.web.app.master, &csrf::bound_to(&self.session), NOTE, key, Some(mac)).then_some(key)
    }
}

pub(super) fn done(web: &Web, session: &Session, section: &str, note: &'static str) -> Response {
    let mac = csrf::token(&web.app.master, &csrf::bound_to(session), NOTE, note);
    answer::see_other(&format!("/account/{section}?done={note}~{mac}"))
}

/// A picture of ours as a path, or the host of one that is elsewhere.
pub(super) fn picture_of(web: &Web, address: Option<String>) -> (Option<String>, Option<String>) {
    let Some(address) = address else { return (None, None) };
    match address.strip_prefix(web.issuer()).filter(|path| path.starts_with("/pictures/")) {
        Some(path) => (Some(path.to_owned()), None),
        None => (None, url::Url::parse(&address).ok().and_then(|url| url.host_str().map(str::to_owned))),
    }
}
