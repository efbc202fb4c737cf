//! What a trace says of refusals that are known by their sentence alone. Who decides by more than that has said so before.

use axum::http::StatusCode;

use super::form::FormFault;
use super::views::Fault;
use crate::federation::FederationError;
use crate::platform::settings::Limits;
use crate::trace::{self, Rule, Why};

/// Says by which rule a page or a problem document refuses, by the key of its sentence. `details` are what it names.
pub(super) fn tell(message: &'static str, details: impl FnOnce() -> String) {
    trace::judge(|| {
        let (rule, expected, remedy) = of(message);
        let details = details();
        let given = if details.is_empty() { message.to_owned() } else { format!("{message} ({details})") };
        (rule, Why::new(given, expected, remedy))
    });
}

const AGAIN: &str = "Begin again at the application, in this browser.";
const LOG: &str = "Look for the reference in the log, as request_id: it has the cause.";

/// What is wrong with the fields of a form: each by its name and the key of its sentence.
pub(super) fn fields(faults: &[Fault]) {
    if faults.is_empty() {
        return;
    }
    trace::judge(|| {
        let said = |fault: &Fault| format!("{} {}", fault.field, fault.message).trim().to_owned();
        let given = faults.iter().map(said).collect::<Vec<_>>().join(", ");
        if let [Fault { field, message, .. }] = faults
            && field.is_empty()
        {
            let (rule, expected, remedy) = of(message);
            return (rule, Why::new(given, expected, remedy));
        }
        let rule = if faults.iter().all(|fault| fault.message == "field-required") {
            Rule::FormComplete
        } else {
            Rule::AccountAcceptable
        };
        (rule, Why::new(given, "fields that are filled in as they have to be", "Put right the fields that are named."))
    });
}

/// Rule, what it expects, and what helps.
#[expect(clippy::too_many_lines, reason = "it is one table, to be read as one")]
fn of(message: &str) -> (Rule, &'static str, &'static str) {
    match message {
        "not-found" => (Rule::PathKnown, "a path of this server", "See docs and /openapi.json for what there is."),
        "method-refused" | "api-method-refused" => (Rule::MethodKnown, "a method of this path", METHOD),
        "form-refused" => (Rule::FormOurs, "a form of our own page, sent by the browser that got it", FORM),
        "flow-foreign" => (Rule::FlowOurs, "the browser in which the sign-in began, with its cookies", AGAIN),
        "flow-expired" => (
            Rule::FlowAlive,
            "a sign-in within sessions.interaction_lifetime",
            "Begin again, or let it wait longer: sessions.interaction_lifetime.",
        ),
        "logout-unregistered" => (
            Rule::LogoutRegistered,
            "an address that the client has registered",
            "bonafide client update ID --post-logout-redirect-uri URI (name those that are registered too)",
        ),
        "link-dead" => (
            Rule::LinkAlive,
            "the newest link of its mail, in time and for the first time",
            "Ask for another mail, and use its link once.",
        ),
        "address-taken" => (
            Rule::AddressFree,
            "an address of nobody else",
            "Remove or change the other account: bonafide user show ADDRESS.",
        ),
        "throttled" => (Rule::RequestRate, "fewer requests", "Wait, or see limits.requests_a_second."),
        "api-throttled" => (Rule::AttemptsLeft, "fewer attempts", "Wait, or see limits.* in the settings."),
        "request-malformed" => {
            (Rule::RequestWellFormed, "a request that can be read", "Send the parameter once and in its form.")
        }
        "provider-link-stale" => {
            (Rule::SessionFresh, "a sign-in of the last minutes", "Sign in again, then link the account.")
        }
        "provider-link-unverified" => {
            (Rule::AddressVerified, "a verified e-mail address", "Verify the address first: /verify-email.")
        }
        "provider-taken" => (
            Rule::ProviderLink,
            "an account there that is nobody's here",
            "bonafide user unlink WHO PROVIDER takes it from the other person.",
        ),
        "provider-stale" => (
            Rule::ProviderFresh,
            "a sign-in of now, said by auth_time",
            "Sign in there anew. A provider that never says auth_time cannot serve prompt=login or max_age.",
        ),
        "provider-stranger" => (
            Rule::ProviderPerson,
            "an account here, or sign_up for this provider",
            "bonafide user create, or sign_up = true in the provider's declaration.",
        ),
        "provider-refused" => {
            (Rule::AccountEnabled, "an account in use that did not change meanwhile", "bonafide user enable WHO")
        }
        "provider-unknown" => (
            Rule::ProviderUsable,
            "a provider that is declared and enabled",
            "bonafide provider list, and bonafide provider set NAME FILE",
        ),
        "provider-state" => {
            (Rule::ProviderExpected, "the answer to a request of this browser, in time and once", AGAIN)
        }
        "provider-denied" => (Rule::ProviderAgreed, "no error", "Sign in there and agree, or sign in another way."),
        "provider-failed" => (
            Rule::ProviderBelievable,
            "an answer that can be verified",
            "See the audit event provider_refused and the log for what did not hold.",
        ),
        "provider-down" => (
            Rule::ProviderReachable,
            "an answer of the provider",
            "Try again; `bonafide doctor` and the log say whether it can be reached (outgoing.*).",
        ),
        "api-fields" | "api-body-malformed" => {
            (Rule::FormComplete, "a body of the shape in /openapi.json", "Put right the fields that are named.")
        }
        "api-query-malformed" => {
            (Rule::RequestWellFormed, "a query as /openapi.json has it", "Put right the parameters that are named.")
        }
        "api-not-json" => {
            (Rule::BodyReadable, "Content-Type: application/json", "Send the header Content-Type: application/json.")
        }
        "api-too-large" => (Rule::BodyReadable, "a smaller body", "Send less, or see http.max_body."),
        "api-incomplete" => {
            (Rule::BodyReadable, "a body that arrives in time", "Send the body at once, or see http.body_timeout.")
        }
        "api-not-found" => {
            (Rule::Known, "something that is there", "Ask for what is there; the lists of the API have the ids.")
        }
        "sign-in-busy" => (Rule::PoolFree, "a free place", "Wait; or see passwords.threads and passwords.queue."),
        "organisation-unknown" => (
            Rule::OrganisationKnown,
            "an address of a provider's domains",
            "Name the domain in the provider's declaration: bonafide provider set NAME FILE",
        ),
        "api-forbidden" => (
            Rule::PermissionHeld,
            "somebody who may",
            "Give the caller a role that may: bonafide role list, bonafide role assign ROLE WHO.",
        ),
        "api-unproven" => (
            Rule::SecretRight,
            "the secret that is needed here",
            "Send the secret of adapter.secret as x-auth-secret, or the client's own by HTTP Basic.",
        ),
        "api-token-missing" => (
            Rule::CredentialShown,
            "one Authorization header: Bearer TOKEN",
            "Send the access token or API key as `Authorization: Bearer TOKEN`.",
        ),
        "api-token-dead" => (
            Rule::TokenAlive,
            "a token that was given here, is alive, and of its place",
            "Get a new one: refresh, or sign in again.",
        ),
        "api-token-twice" => (Rule::CredentialShown, "the token in one way", "Send the token once."),
        "api-key-dead" => (Rule::KeyAlive, "an API key for this API, alive", "Make another: bonafide api-key create."),
        "api-credentials" => (Rule::PasswordRight, "a name with its password", "bonafide user set-password WHO"),
        "api-sign-in-off" => (
            Rule::JsonSignInOpen,
            "a client of the house for credentials.client_id",
            "bonafide client enable ID of credentials.client_id",
        ),
        "unverified-title" => (
            Rule::AddressVerified,
            "a verified address",
            "Verify it by the mailed link, or: accounts.require_verified_email = false",
        ),
        "sign-up-refused" | "api-username-exists" => (
            Rule::AccountAcceptable,
            "names that nobody has",
            "Choose another name, or sign in with the one that is there.",
        ),
        "unavailable" | "server-fault" | "api-fault" => (Rule::Served, "a server that can answer", LOG),
        _ => (Rule::RequestWellFormed, "what the sentence says", "Do as the sentence says."),
    }
}

const METHOD: &str = "Use a method that the documentation of this path names.";
const FORM: &str = "Open the page again in this browser, with its cookies, and send its form from there.";

pub(super) fn method() -> Why {
    Why::new("another method", "a method of this path", METHOD)
}

/// We could not; the log has the cause.
pub(super) fn fault(kind: &'static str) -> Why {
    Why::new(kind, "a server that can answer", LOG)
}

/// A refusal in the framework's own words.
pub(super) fn unnamed(status: StatusCode) -> Why {
    Why::new(format!("answered {status}"), "a request that can be read", "See the documentation of this path.")
}

/// What a description already says.
pub(super) fn said(description: &'static str) -> Why {
    Why::new(description, "a request as its standard has it", "Put right what the description names.")
}

/// A body that is no form.
pub(super) fn body(fault: FormFault) -> Why {
    let (given, expected) = match fault {
        FormFault::Type => ("another type of body", "Content-Type: application/x-www-form-urlencoded"),
        FormFault::TooLarge => ("a body that is too large", "a body within http.max_body"),
        FormFault::Incomplete => ("a body that did not arrive", "a body within http.body_timeout"),
        FormFault::Malformed => ("a body that is no form in UTF-8", "a form in UTF-8 with 100 parameters at the most"),
    };
    Why::new(given, expected, format!("Send {expected}."))
}

/// Why somebody does not get in by another provider.
pub(super) fn provider(name: &str, error: &FederationError) -> (Rule, Why) {
    let (rule, message) = match error {
        FederationError::Unknown => (Rule::ProviderUsable, "provider-unknown"),
        FederationError::State => (Rule::ProviderExpected, "provider-state"),
        FederationError::Denied(_) => (Rule::ProviderAgreed, "provider-denied"),
        FederationError::Unavailable(_) => (Rule::ProviderReachable, "provider-down"),
        FederationError::Unbelievable(_) => (Rule::ProviderBelievable, "provider-failed"),
        FederationError::Database(_) => return (Rule::Served, fault("unavailable")),
    };
    let (_, expected, remedy) = of(message);
    let name = if trace::is_name(name) { name } else { "a provider of another name" };
    (rule, Why::new(format!("{name}: {error}"), expected, remedy))
}

/// More requests than one address may send.
pub(super) fn rate(limits: &Limits) -> Why {
    let expected = format!("{} requests at once, {} a second", limits.requests_at_once, limits.requests_a_second);
    let remedy = "Wait; or raise limits.requests_at_once and limits.requests_a_second, or add the network to limits.unthrottled.";
    Why::new("more requests than one address may send", expected, remedy)
}
