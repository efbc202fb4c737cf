//! The hosted pages: plain HTML forms that work without scripts.

pub(super) mod account;
pub(super) mod asset;
pub(super) mod choose_account;
pub(super) mod consent;
pub mod docs;
pub(super) mod home;
pub(super) mod leaving;
pub(super) mod link_account;
pub(super) mod link_provider;
pub(super) mod providers;
pub(super) mod recovery;
pub(super) mod sign_in;
pub(super) mod sign_up;
pub(super) mod verify_email;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;

use super::answer::{self, Trouble};
use super::caller::Caller;
use super::csrf;
use super::form;
use super::interaction;
use super::state::Web;
use super::views::account::Section;
use super::views::{Fault, Frame};
use crate::audit::Source;
use crate::grants::Interaction;
use crate::identity::{Asking, Device, Visit};
use crate::limits;
use crate::oauth::authorization::AuthorizationRequest;
use crate::oauth::parameters::Parameters;
use crate::trace::{self, Rule, Why};

/// What a page before sign-in is on the way to: the request of an application, a section of one's account, or nothing of the kind.
struct Waiting {
    name: Option<String>,
    request: Option<(Interaction, AuthorizationRequest)>,
    section: Option<Section>,
    browser: String,
    /// The browser has to be given its secret.
    fresh: bool,
}

impl Waiting {
    /// By the name in the URL or in the form. Someone who came by themselves has none.
    async fn find(web: &Web, caller: &Caller, headers: &HeaderMap, name: Option<&str>) -> Result<Self, Response> {
        let (browser, fresh) = interaction::browser_secret(web, headers);
        let request = match name {
            None => None,
            Some(name) => Some(interaction::waiting(web, caller, headers, name).await?),
        };
        Ok(Self { name: name.map(str::to_owned), request, section: None, browser, fresh })
    }

    /// The same on the way to a section of one's account by its word in a query, where no application waits.
    fn towards(self, then: Option<&str>) -> Self {
        Self { section: account::section_of(then).filter(|_| self.name.is_none()), ..self }
    }

    /// The word of that section.
    fn then(&self) -> Option<&'static str> {
        self.section.as_ref().map(account::then)
    }

    fn app(&self) -> Option<String> {
        self.request.as_ref().map(|(_, request)| request.client.name.clone())
    }

    fn ui_locales(&self) -> Option<&str> {
        self.request.as_ref().and_then(|(_, request)| request.ui_locales.as_deref())
    }

    /// Where the page's form may lead in the end.
    fn forms(&self) -> answer::Forms<'_> {
        self.request
            .as_ref()
            .map_or(answer::Forms::Ours, |(_, request)| answer::Forms::To(request.reply.redirect_uri()))
    }

    fn token(&self, web: &Web, purpose: &str) -> String {
        csrf::token(&web.app.master, &self.browser, purpose, self.name.as_deref().unwrap_or_default())
    }

    /// Where the person goes once signed in.
    fn onward(&self) -> String {
        match (&self.name, &self.section) {
            (Some(name), _) => format!("/authorize?interaction={name}"),
            (None, Some(section)) => section.path(),
            (None, None) => "/".to_owned(),
        }
    }

    /// Who asks for a mail on a page of this flow.
    fn asking<'a>(&'a self, source: &'a Source, frame: &'a Frame) -> Asking<'a> {
        let interaction = self.request.as_ref().and(self.name.as_deref());
        Asking { source, language: Some(frame.words.lang()), interaction }
    }

    /// Another page of the same flow.
    fn link(&self, page: &str) -> String {
        match (&self.name, self.then()) {
            (Some(name), _) => format!("{page}?interaction={name}"),
            (None, Some(then)) => format!("{page}?then={then}"),
            (None, None) => page.to_owned(),
        }
    }

    /// The secret of the browser that the request belongs to.
    fn browser(&self) -> &str {
        &self.browser
    }

    fn finish(&self, web: &Web, response: Response) -> Response {
        let cookie = self.fresh.then(|| web.cookies.set_browser(&self.browser)).flatten();
        answer::with_header(response, header::SET_COOKIE, cookie)
    }
}

/// The secret by which this browser is known again, and the one that it gets when somebody signs in.
struct DeviceCookie {
    shown: Option<String>,
    next: String,
}

impl DeviceCookie {
    fn of(web: &Web, headers: &HeaderMap) -> Self {
        Self { shown: web.cookies.device_secret(headers).map(str::to_owned), next: web.app.random.token("") }
    }

    fn visit<'a>(&'a self, caller: &Caller, source: &'a Source, frame: &'a Frame) -> Visit<'a> {
        let device = Device::Browser { shown: self.shown.as_deref(), next: &self.next };
        Visit { address: caller.address, source, device, language: Some(frame.words.lang()) }
    }

    /// The answer to somebody who is known on this device from now on.
    fn give(&self, web: &Web, response: Response) -> Response {
        let seconds = web.app.settings.limits.known_device.seconds();
        answer::with_header(response, header::SET_COOKIE, web.cookies.set_device(&self.next, seconds))
    }
}

/// Reads a form that our own page in this browser sent, and the request it belongs to; else the answer that says why not.
async fn submitted(
    web: &Web,
    caller: &Caller,
    headers: &HeaderMap,
    body: Body,
    purpose: &str,
) -> Result<(Parameters, Waiting), Response> {
    let form = form::read(headers, body, web.app.settings.http.max_body).await;
    let form = form.map_err(|fault| interaction::form_fault(web, caller, fault))?;
    check_form(web, caller, headers, purpose, &form).inspect_err(|_| trace::asked(form.pairs()))?;
    let waiting = Waiting::find(web, caller, headers, form.get("interaction")).await?.towards(form.get("then"));
    trace::pass(Rule::FormOurs);
    Ok((form, waiting))
}

/// Refuses a form that our own page in this browser did not send.
fn check_form(
    web: &Web,
    caller: &Caller,
    headers: &HeaderMap,
    purpose: &str,
    form: &Parameters,
) -> Result<(), Response> {
    let browser = web.cookies.browser_secret(headers).unwrap_or_default();
    let about = form.get("interaction").unwrap_or_default();
    let ours = !browser.is_empty() && csrf::holds(&web.app.master, browser, purpose, about, form.get("csrf"));
    if ours && !csrf::is_foreign(headers, web.issuer()) {
        return Ok(());
    }
    let mut trouble = Trouble::new(StatusCode::FORBIDDEN, "form-refused-title", "form-refused");
    trouble.restart_href = Some("/sign-in".to_owned());
    Err(trouble.page(web, caller))
}

/// Counts a request that has mail written; the fault to show if there were too many, with the seconds to wait.
async fn mail_throttled(web: &Web, caller: &Caller) -> Result<Option<(Fault, i64)>, Response> {
    let (app, source) = (&web.app, caller.source());
    let (limits, now) = (&app.settings.limits, app.clock.now());
    let wait = limits::throttle_mail(&app.database, limits, app.random.as_ref(), caller.address, &source, now);
    let wait = wait.await.map_err(|error| answer::fault_page(web, caller, &error))?;
    Ok(wait.map(|wait| {
        trace::fail(Rule::MailsLeft, || {
            Why::new(
                "more mails than may be asked for",
                "fewer",
                "Wait, or see limits.mails_an_hour and limits.address_failures.",
            )
        });
        let minutes = (wait.num_seconds() + 59) / 60;
        (Fault::new("", "mail-throttled").with("minutes", minutes.to_string()), wait.num_seconds())
    }))
}

/// Where to sign in after a mailed link did its work: for the application that waits, if it waits in this browser.
async fn sign_in_href(web: &Web, caller: &Caller, headers: &HeaderMap, interaction: Option<&str>) -> String {
    if let Ok(waiting) = Waiting::find(web, caller, headers, interaction).await {
        waiting.link("/sign-in")
    } else {
        trace::forget();
        "/sign-in".to_owned()
    }
}

/// The answer to a mailed link that does nothing any more.
fn dead_link(web: &Web, caller: &Caller, restart: &str) -> Response {
    let mut trouble = Trouble::new(StatusCode::BAD_REQUEST, "link-dead-title", "link-dead");
    trouble.restart_href = Some(restart.to_owned());
    trouble.page(web, caller)
}
