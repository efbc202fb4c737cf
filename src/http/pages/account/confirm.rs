//! `/account/confirm`: somebody shows once more that it is they, by their password or at a provider, and goes on to the section
//! that wants to know.

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chrono::Duration;
use tower_sessions::Session;
use uuid::Uuid;

use super::{Here, section_of, then};
use crate::federation::{FederationError, Purpose, Wish};
use crate::http::answer::{self, Forms, Trouble};
use crate::http::caller::Caller;
use crate::http::pages::providers::{failure, label, note, record, refused, wish};
use crate::http::pages::{DeviceCookie, Waiting};
use crate::http::state::Web;
use crate::http::views::account::{ConfirmPage, SECTIONS, Section};
use crate::http::views::{Fault, ProviderChoice};
use crate::identity::{Arrival, Coming, Proof, Proven, SignInError};
use crate::sessions::SessionError;

const PURPOSE: &str = "account-confirm";

/// To this page, and from here on to a section.
pub(super) fn first(section: &str) -> Response {
    answer::see_other(&href(section))
}

fn href(section: &str) -> String {
    format!("/account/confirm?then={section}")
}

pub(in crate::http) async fn get(here: Here) -> Response {
    let section = wanted(here.query.get("then"));
    match here.is_fresh().await {
        Ok(true) => answer::see_other(&section.path()),
        Ok(false) => ask(&here, StatusCode::OK, then(&section), Vec::new()).await,
        Err(response) => response,
    }
}

/// One of ours, and the overview where it is none.
fn wanted(word: Option<&str>) -> Section {
    section_of(word).or_else(|| SECTIONS.first().copied()).unwrap_or(Section { name: "", title: "account-overview" })
}

pub(in crate::http) async fn post(here: Here, headers: HeaderMap, body: Body) -> Response {
    let form = match here.form(&headers, body, PURPOSE).await {
        Ok(form) => form,
        Err(response) => return response,
    };
    let section = wanted(form.get("then"));
    if let Some(name) = form.get("provider") {
        return leave(&here, &headers, name, &section).await;
    }
    let again = async |status, fault| ask(&here, status, then(&section), vec![fault]).await;
    let Some(password) = form.get("password") else {
        return again(StatusCode::UNPROCESSABLE_ENTITY, Fault::new("password", "field-required")).await;
    };
    let (source, frame) = (here.caller.source(), here.frame());
    let device = DeviceCookie::of(&here.web, &headers);
    let login = here.live.email().or_else(|| here.live.username()).unwrap_or_default();
    let proven =
        here.web.app.accounts.prove_password_in(login, password, device.visit(&here.caller, &source, &frame)).await;
    let wrong = async || again(StatusCode::UNPROCESSABLE_ENTITY, Fault::new("password", "password-wrong")).await;
    let proof = match proven {
        Ok(proof) if proof.user_id == here.user() => proof,
        Ok(_) | Err(SignInError::Refused) => return wrong().await,
        Err(SignInError::Throttled { retry_after }) => {
            let page = again(StatusCode::TOO_MANY_REQUESTS, throttled(retry_after)).await;
            return answer::retry_after(page, retry_after.num_seconds());
        }
        Err(SignInError::Busy) => {
            let page = again(StatusCode::SERVICE_UNAVAILABLE, Fault::new("", "sign-in-busy")).await;
            return answer::retry_after(page, 2);
        }
        Err(SignInError::Unverified { .. }) => {
            let (title, message) = ("provider-link-unverified-title", "provider-link-unverified");
            return Trouble::new(StatusCode::FORBIDDEN, title, message).page(&here.web, &here.caller);
        }
        Err(error) => return here.fault(&error),
    };
    let may_mail = proof.may_mail();
    match here.web.app.sessions.begin(&here.session, proof, here.live.remember, &source).await {
        Ok(()) => {
            if may_mail {
                here.web.app.bell.ring();
            }
            device.give(&here.web, answer::see_other(&section.path()))
        }
        Err(SessionError::Refused) => wrong().await,
        Err(error) => here.fault(&error),
    }
}

/// The page, for a section that wants a fresh sign-in.
pub(in crate::http::pages) async fn ask(
    here: &Here,
    status: StatusCode,
    section: &'static str,
    faults: Vec<Fault>,
) -> Response {
    let links = match here.web.app.accounts.links(here.user()).await {
        Ok(links) => links,
        Err(error) => return here.fault(&error),
    };
    let offered = here.web.app.federation.providers.offered();
    let ways: Vec<_> = offered.iter().filter(|provider| links.iter().any(|link| provider.is_of(link))).collect();
    let login = here.live.email().or_else(|| here.live.username());
    let view = ConfirmPage {
        frame: here.frame(),
        shell: here.shell("confirm", PURPOSE),
        then: section,
        person: here.live.person().to_owned(),
        username: login.filter(|_| here.live.has_password).map(str::to_owned),
        providers: ways
            .iter()
            .map(|provider| ProviderChoice { name: provider.name.clone(), label: provider.label.clone() })
            .collect(),
        forgot_href: forgot_href(here, &faults),
        faults,
    };
    let mut along = vec![here.web.issuer()];
    along.extend(ways.iter().map(|provider| provider.identity.as_str()));
    let forms = match (ways.is_empty(), view.username.is_some()) {
        (false, _) => Forms::Along(&along),
        (true, true) => Forms::Ours,
        (true, false) => Forms::None,
    };
    answer::page(&here.web, status, forms, &view)
}

/// Where a password is chosen that nobody remembers, offered once it was wrong.
pub(super) fn forgot_href(here: &Here, faults: &[Fault]) -> Option<&'static str> {
    let was_wrong = faults.iter().any(|fault| fault.message == "password-wrong");
    (was_wrong && here.web.app.accounts.has_mail()).then_some("/forgot-password")
}

pub(super) fn throttled(wait: Duration) -> Fault {
    Fault::new("", "sign-in-throttled").with("minutes", ((wait.num_seconds() + 59) / 60).to_string())
}

/// To a provider that the account is linked to, where they have to authenticate anew.
async fn leave(here: &Here, headers: &HeaderMap, name: &str, section: &Section) -> Response {
    let (web, caller) = (&here.web, &here.caller);
    let waiting = match Waiting::find(web, caller, headers, None).await {
        Ok(waiting) => waiting,
        Err(response) => return response,
    };
    let wish = Wish { login: true, max_age: Some(0), ..wish(web, caller, &waiting, None) };
    let purpose = Purpose::Confirm { user: here.user(), then: then(section).to_owned() };
    match web.app.federation.begin(name, purpose, waiting.browser(), &wish).await {
        Ok(url) => waiting.finish(web, answer::see_other(&url)),
        Err(error) => refused(web, caller, name, &waiting, error).await,
    }
}

/// Somebody who is back from a provider, to go on where they wanted to.
pub(in crate::http::pages) struct Back<'a> {
    pub(in crate::http::pages) web: &'a Web,
    pub(in crate::http::pages) caller: &'a Caller,
    pub(in crate::http::pages) session: &'a Session,
    pub(in crate::http::pages) headers: &'a HeaderMap,
    pub(in crate::http::pages) provider: &'a str,
    pub(in crate::http::pages) user: Uuid,
    pub(in crate::http::pages) then: &'a str,
}

impl Back<'_> {
    pub(in crate::http::pages) async fn arrive(self, outcome: Result<Arrival, FederationError>) -> Response {
        let section = wanted(Some(self.then));
        let arrival = match outcome {
            Ok(arrival) => arrival,
            Err(error) => {
                record(self.web, self.caller, self.provider, &error).await;
                return self.stop(failure(self.web, self.provider, &error), &section);
            }
        };
        // Whoever began it is still the one who is signed in here.
        let remember = match self.web.app.sessions.find(self.session, "").await {
            Ok(Some(live)) if live.user_id == self.user => live.remember,
            Ok(_) => return self.refuse("flow-foreign-title", "flow-foreign", "foreign", &section).await,
            Err(error) => return answer::fault_page(self.web, self.caller, &error),
        };
        let (source, frame) = (self.caller.source(), self.caller.frame(self.web, None));
        let device = DeviceCookie::of(self.web, self.headers);
        let coming = Coming { visit: device.visit(self.caller, &source, &frame), may_sign_up: false };
        let proof = match self.web.app.accounts.arrive_at_once(arrival, coming).await {
            Ok(Some(proof)) if proof.user_id == self.user => proof,
            Ok(_) => {
                return self.refuse("account-confirm-other-title", "account-confirm-other", "other", &section).await;
            }
            Err(error) => return answer::fault_page(self.web, self.caller, &error),
        };
        match self.is_fresh(&proof).await {
            Ok(true) => {}
            Ok(false) => {
                return self.refuse("account-confirm-stale-title", "account-confirm-stale", "stale", &section).await;
            }
            Err(response) => return response,
        }
        match self.web.app.sessions.begin(self.session, proof, remember, &source).await {
            Ok(()) => device.give(self.web, answer::see_other(&section.path())),
            Err(SessionError::Refused) => {
                self.refuse("provider-refused-title", "provider-refused", "account", &section).await
            }
            Err(error) => answer::fault_page(self.web, self.caller, &error),
        }
    }

    /// Whether the session would be fresh: not every provider says when somebody authenticated.
    async fn is_fresh(&self, proof: &Proof) -> Result<bool, Response> {
        let now = self.web.app.clock.now();
        let auth_time = proof.auth_time(now).map_or(0, |time| time.timestamp_millis());
        let proven = Proven { auth_time, signed_in_at: now.timestamp_millis() };
        let fresh = self.web.app.accounts.is_fresh(self.user, proven).await;
        fresh.map_err(|error| answer::fault_page(self.web, self.caller, &error))
    }

    async fn refuse(
        &self,
        title: &'static str,
        message: &'static str,
        reason: &'static str,
        section: &Section,
    ) -> Response {
        note(self.web, self.caller, self.provider, reason).await;
        let trouble = Trouble::new(StatusCode::CONFLICT, title, message);
        self.stop(trouble.with("provider", label(self.web, self.provider)), section)
    }

    fn stop(&self, mut trouble: Trouble, section: &Section) -> Response {
        trouble.restart_href = Some(href(then(section)));
        trouble.page(self.web, self.caller)
    }
}
