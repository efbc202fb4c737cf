//! What would have made a request pass, for its trace: the command or the setting that changes the answer.

use chrono::{DateTime, Utc};

use super::authorization::AuthorizationRequest;
use super::parameters::Parameters;
use super::{ErrorCode, TokenError, scope};
use crate::clients::{self, Client, GrantType, Registry};
use crate::grants::{CodeState, RefreshState};
use crate::platform::clock::from_millis;
use crate::trace::{Rule, Why, flags, quoted};

fn update(client: &Client) -> String {
    format!("bonafide client update {}", quoted(&client.id))
}

fn list<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    let words: Vec<&str> = words.into_iter().collect();
    if words.is_empty() { "none".to_owned() } else { words.join(" ") }
}

fn texts(words: &[String]) -> impl Iterator<Item = &str> {
    words.iter().map(String::as_str)
}

pub(super) fn repeated() -> Why {
    Why::new("a parameter is there twice", "each parameter once, but for resource", "Send each parameter once.")
}

pub(super) fn client_missing() -> Why {
    Why::new("no client_id", "the id of a registered client", "Send client_id; `bonafide client list` shows the ids.")
}

pub(super) fn redirect_uri_missing(client: &Client) -> Why {
    let registered = list(texts(&client.redirect_uris));
    let remedy = client.redirect_uris.first().map_or_else(
        || format!("{} --redirect-uri URI, then send it as redirect_uri.", update(client)),
        |uri| format!("Send redirect_uri={uri}"),
    );
    Why::new("no redirect_uri", format!("one of these: {registered}"), remedy)
}

pub(super) fn scope_unreadable() -> Why {
    Why::new(
        "a scope with other characters",
        "scope tokens with single spaces between",
        "Write scope like \"openid profile\".",
    )
}

pub(super) fn resources() -> Why {
    Why::new("several APIs as resource", "one", "Name one resource, and ask again for the other API's token.")
}

/// What a description already says.
pub(super) fn unsound(description: &str) -> Why {
    let remedy = match description {
        "prompt=none stands alone" => "Send prompt=none alone, or without none.",
        "code_challenge_method must be S256" => "Send code_challenge_method=S256 and the challenge of that method.",
        "max_age is not a number of seconds" => "Send max_age as a whole number of seconds, or leave it out.",
        _ if description.starts_with("code_challenge is missing") => "Send code_challenge with code_challenge_method.",
        _ if description.starts_with("id_token_hint is") => {
            "Send an ID token that this issuer gave, whose key is not retired; or leave id_token_hint out."
        }
        _ => "Send the parameter in its form, or leave it out.",
    };
    Why::new(description, "a parameter in its form (OpenID Connect Core section 3.1.2.1, RFC 7636)", remedy)
}

/// What an authorization request must have or must not have.
pub(super) fn form(rule: Rule, parameters: &Parameters) -> Why {
    let given = |name: &str| parameters.get(name).unwrap_or("none").to_owned();
    match rule {
        Rule::RequestObjectAbsent => Why::new(
            "request or request_uri",
            "neither: request objects are not supported",
            "Send the parameters of the request object as parameters of the request.",
        ),
        Rule::ResponseTypeKnown => {
            Why::new(given("response_type"), "code", "Send response_type=code (with PKCE) and exchange the code.")
        }
        Rule::ResponseModeKnown => Why::new(
            given("response_mode"),
            "query, fragment or form_post",
            "Send one of these as response_mode, or leave it out.",
        ),
        Rule::ValuesShort => Why::new(
            "a state or nonce of more than 4096 bytes",
            "4096 bytes at the most",
            "Send a short random value, and keep what belongs to it in the application.",
        ),
        _ => repeated(),
    }
}

/// There is no such client, or it is out of service.
pub fn unknown_client(id: &str, registry: &Registry) -> (Rule, Why) {
    match registry.find_any(id) {
        Some(client) if client.disabled => {
            let remedy = format!("bonafide client enable {}", quoted(id));
            (Rule::ClientEnabled, Why::new("the client is disabled", "a client in service", remedy))
        }
        _ => {
            let remedy = format!(
                "Ask with the id of a client (`bonafide client list`), or register one: \
                 bonafide client create --id {} --name NAME --redirect-uri URI",
                quoted(id)
            );
            (Rule::ClientRegistered, Why::new("an id that no client has", "the id of a registered client", remedy))
        }
    }
}

pub(super) fn redirect_uri(client: &Client, asked: &str) -> Why {
    let registered = format!("one of these, byte for byte: {}", list(texts(&client.redirect_uris)));
    let remedy = match clients::validate_redirect_uri(asked) {
        Ok(()) => {
            let all = texts(&client.redirect_uris).chain([asked]);
            format!("{}{}", update(client), flags("--redirect-uri", all))
        }
        Err(reason) => format!("Ask with a registered one. This one cannot be registered: {reason}."),
    };
    Why::new(asked, registered, remedy)
}

pub(super) fn grant(client: &Client, asked: GrantType) -> Why {
    let known: Vec<&str> = GrantType::ALL.into_iter().filter(|grant| client.may(*grant)).map(GrantType::name).collect();
    let all = known.iter().copied().chain([asked.name()]);
    let remedy = format!("{}{}", update(client), flags("--grant", all));
    Why::new(asked.name(), format!("a grant of this client: {}", list(known.iter().copied())), remedy)
}

pub(super) fn scope(client: &Client, asked: &str) -> Why {
    let all = texts(&client.scopes).chain([asked]);
    let remedy = format!("{}{}", update(client), flags("--scope", all));
    Why::new(asked, format!("scopes of this client: {}", list(texts(&client.scopes))), remedy)
}

pub(super) fn scope_of_api(asked: &str, audience: Option<&str>, registry: &Registry) -> Why {
    let own = audience.and_then(|audience| registry.api(audience));
    let known = own.as_ref().map_or_else(|| list(scope::RESERVED), |api| list(texts(&api.scopes)));
    let holder = registry.all_apis().into_iter().find(|api| api.scopes.iter().any(|known| known == asked));
    let remedy = match holder {
        Some(api) => format!("Ask with resource={}, or without the scope {asked}.", api.audience),
        None => format!("Ask without the scope {asked}."),
    };
    let of = audience.unwrap_or("ourselves (no resource was named)");
    Why::new(asked, format!("scopes of {of}: {known}"), remedy)
}

pub(super) fn resource(named: &str, registry: &Registry) -> Why {
    let apis = registry.all_apis();
    let known = list(apis.iter().map(|api| api.audience.as_str()));
    let remedy = format!("bonafide api create --audience {}", quoted(named));
    Why::new(named, format!("one of the registered APIs: {known}"), remedy)
}

pub(super) fn challenge(client: &Client) -> Why {
    let remedy = if client.is_public() {
        "Send code_challenge and code_challenge_method=S256; a public client cannot do without.".to_owned()
    } else {
        format!("Send code_challenge and code_challenge_method=S256, or: {} --pkce optional", update(client))
    };
    Why::new("no code_challenge", "a code_challenge, since the client must use PKCE", remedy)
}

/// The credentials of a client that cannot be read.
pub fn client_auth(method: &str) -> Why {
    let expected = "client_secret_basic, client_secret_post, or a public client's client_id alone";
    match method {
        "client_assertion" => {
            Why::new("a client assertion", expected, "Send the client's secret; assertions are not supported.")
        }
        "missing" => Why::new("no client", expected, "Send client_id, with the client's secret where it has one."),
        "two" => Why::new("two ways to authenticate at once", expected, "Send the secret in one way only."),
        "repeated" => Why::new("two Authorization headers", expected, "Send one Authorization header."),
        _ => Why::new(
            "an Authorization header that is no Basic credentials of the client that the request names",
            "Basic base64(client_id:client_secret), both form-urlencoded (RFC 6749 section 2.3.1)",
            "Send `Authorization: Basic …` with the client's own id and secret, or client_id and client_secret in the form.",
        ),
    }
}

/// The secret that a client showed is not its own, or it should have shown none, or one.
pub(super) fn secret(client: &Client, shown: bool, method: &str) -> (Rule, Why) {
    let id = quoted(&client.id);
    let lost = format!("If it is lost: bonafide client rotate-secret {id}");
    let given = if shown { format!("a secret, by {method}") } else { "no secret".to_owned() };
    if client.is_public() {
        let remedy = format!(
            "Send client_id alone, or give the client a secret: bonafide client update {id} --auth-method client_secret_basic"
        );
        return (Rule::ClientSecretShown, Why::new(given, "no secret: the client is public", remedy));
    }
    if shown {
        let expected = "the client's secret, or the one before while it goes on";
        return (Rule::ClientSecretRight, Why::new(given, expected, format!("Send the client's secret. {lost}")));
    }
    let remedy = format!("Send the client's secret, by HTTP Basic or as client_secret. {lost}");
    (Rule::ClientSecretShown, Why::new(given, "the client's secret", remedy))
}

/// A public client where only those with a secret may ask.
pub fn public_client(client: &Client) -> Why {
    let remedy = format!(
        "Ask as a client with a secret, or give this one a secret: {} --auth-method client_secret_basic",
        update(client)
    );
    Why::new("a public client", "a client that proves itself", remedy)
}

/// A parameter of a token request that is missing or cannot be read.
pub fn missing(name: &str) -> Why {
    Why::new(format!("no {name}"), format!("the parameter {name}"), format!("Send {name}."))
}

pub(super) fn unknown_grant(named: &str) -> Why {
    let known = list(GrantType::OAUTH.into_iter().map(GrantType::name));
    Why::new(named, format!("one of these: {known}"), "Send one of these as grant_type.")
}

pub(super) fn verifier_unreadable() -> Why {
    let expected = "43 to 128 letters, digits, - . _ and ~ (RFC 7636 section 4.1)";
    Why::new("a code_verifier in another form", expected, "Make the verifier of 32 random bytes, base64url-encoded.")
}

/// What is wrong with a request whose code or refresh token is right.
pub(super) fn rejected(error: &TokenError) -> (Rule, Why) {
    match error {
        TokenError::Refused { code: ErrorCode::InvalidScope, .. } => (
            Rule::ScopeNarrow,
            Why::new(
                "a scope that was not granted",
                "a part of what was granted",
                "Leave scope out, or send the person to /authorize with the wider scope.",
            ),
        ),
        TokenError::Refused { code: ErrorCode::InvalidTarget, description } => (
            Rule::ResourceGranted,
            Why::new(
                *description,
                "the API that was granted, registered as it was",
                "Leave resource out or repeat that of the authorization request; `bonafide api list` shows the APIs.",
            ),
        ),
        _ => (Rule::Served, Why::new("a fault of ours", "none", "Look for the reference in the log.")),
    }
}

pub(super) fn service_scope(client: &Client, asked: &str, audience: Option<&str>, registry: &Registry) -> (Rule, Why) {
    if client.may_ask_for(asked) {
        (Rule::ScopeOfApi, scope_of_api(asked, audience, registry))
    } else {
        (Rule::ScopeAllowed, scope(client, asked))
    }
}

fn ago(at: i64, now: DateTime<Utc>) -> String {
    format!("{} seconds ago", (now - from_millis(at)).num_seconds())
}

const ANEW: &str = "Send the person to /authorize again and use the code that comes back";

/// What came with a code.
#[derive(Clone, Debug)]
pub struct Shown {
    pub redirect_uri: String,
    /// Of the verifier.
    pub challenge: Option<String>,
}

/// Why a code was not taken.
pub fn code(state: Option<&CodeState>, shown: &Shown, client: &Client, now: DateTime<Utc>) -> (Rule, Why) {
    let Some(state) = state else {
        let given = "a code that was never given, or was forgotten (an hour after it expired)";
        return (Rule::CodeKnown, Why::new(given, "a code that was given here", format!("{ANEW}.")));
    };
    if state.client_id != client.id {
        let given = format!("a code of the client {}", state.client_id);
        let expected = format!("a code of the client {}", client.id);
        let remedy = format!("Exchange the code as the client {}, which asked for it.", state.client_id);
        return (Rule::CodeOfClient, Why::new(given, expected, remedy));
    }
    if state.redirect_uri != shown.redirect_uri {
        let remedy = format!("Send redirect_uri={} with the code, byte for byte.", state.redirect_uri);
        return (Rule::CodeRedirectUri, Why::new(&shown.redirect_uri, &state.redirect_uri, remedy));
    }
    if state.challenge != shown.challenge {
        return (Rule::VerifierRight, verifier(state, shown));
    }
    if let Some(used_at) = state.used_at {
        let given = format!("a code that was used {}; its tokens have ended", ago(used_at, now));
        let remedy = format!("{ANEW}, once: the application has sent its token request twice.");
        return (Rule::CodeUnused, Why::new(given, "a code that was not used before", remedy));
    }
    if state.disabled_at.is_some() {
        return (Rule::AccountEnabled, disabled_person(&state.user_id.to_string()));
    }
    if state.session_ended_at.is_none() && state.expires_at <= now.timestamp_millis() {
        let given = format!("a code that expired {}", ago(state.expires_at, now));
        let remedy = format!("{ANEW} at once, or let codes live longer: tokens.code_lifetime.");
        return (Rule::CodeAlive, Why::new(given, "a code within tokens.code_lifetime", remedy));
    }
    let remedy = format!("{ANEW}: the person signs in again on the way.");
    (Rule::GrantSession, Why::new("the browser session of the code has ended", "a session that goes on", remedy))
}

fn verifier(state: &CodeState, shown: &Shown) -> Why {
    let of_challenge = "the verifier of the code's challenge";
    match (&state.challenge, &shown.challenge) {
        (Some(_), None) => {
            Why::new("no code_verifier", of_challenge, "Send the code_verifier from which code_challenge was made.")
        }
        (None, _) => Why::new(
            "a code_verifier",
            "none: the code was asked for without code_challenge",
            "Send code_challenge with the authorization request, or no code_verifier with the code.",
        ),
        (Some(_), Some(_)) => Why::new(
            "another code_verifier",
            of_challenge,
            "Send the code_verifier from which this request's code_challenge was made; make one for each request.",
        ),
    }
}

/// Why a refresh token was not taken.
pub fn refresh(state: Option<&RefreshState>, client: &Client, now: DateTime<Utc>) -> (Rule, Why) {
    const AGAIN: &str = "Send the person to /authorize again";
    let Some(state) = state else {
        let given = "a refresh token that was never given, or was forgotten with its grant";
        return (Rule::RefreshKnown, Why::new(given, "a refresh token that was given here", format!("{AGAIN}.")));
    };
    if state.client_id != client.id {
        let given = format!("a refresh token of the client {}", state.client_id);
        let remedy = format!("Use the token as the client {}, which got it.", state.client_id);
        return (Rule::RefreshOfClient, Why::new(given, format!("a token of the client {}", client.id), remedy));
    }
    if state.spent != 0 {
        let given = match state.end_reason.as_deref() {
            Some(reason) => format!("a refresh token that was used before; its family has ended ({reason})"),
            None => "a refresh token that was used before, and longer ago than the grace".to_owned(),
        };
        let remedy = format!(
            "{AGAIN}. If the application loses answers or runs several requests at once, give it a longer grace: \
             bonafide client update {} --refresh-grace 30s",
            quoted(&client.id)
        );
        return (Rule::RefreshCurrent, Why::new(given, "the newest refresh token of its family", remedy));
    }
    if let Some(reason) = &state.end_reason {
        let given = format!("the grant has ended: {reason}");
        return (Rule::GrantAlive, Why::new(given, "a grant that goes on", format!("{AGAIN}.")));
    }
    if state.disabled_at.is_some() {
        return (Rule::AccountEnabled, disabled_person(&state.user_id.to_string()));
    }
    if state.expires_at <= now.timestamp_millis() {
        let given = format!("a refresh token that expired {}", ago(state.expires_at, now));
        let remedy = format!(
            "{AGAIN}, or let refresh tokens live longer: bonafide client update {} --refresh-token-lifetime 90d, \
             or tokens.refresh_lifetime and tokens.refresh_max_lifetime.",
            quoted(&client.id)
        );
        return (Rule::RefreshAlive, Why::new(given, "a refresh token within its lifetime", remedy));
    }
    let remedy = format!("{AGAIN}, or ask for the scope offline_access, with which the grant outlives the session.");
    (Rule::GrantSession, Why::new("the browser session of the grant has ended", "a session that goes on", remedy))
}

pub fn no_openid(scope: &str) -> Why {
    Why::new(
        format!("a token of the scope {scope:?}"),
        "a person's token with the scope openid",
        "Ask for the scope openid at /authorize; a client's own token is about nobody.",
    )
}

/// A person's token that is not for their account.
pub fn not_of_the_house(client: &str, registry: &Registry, token_scope: &str) -> (Rule, Why) {
    let id = quoted(client);
    if let Some(other) = registry.find_any(client).filter(|client| !client.first_party) {
        let all = texts(&other.scopes).chain((!other.may_ask_for(scope::ACCOUNT)).then_some(scope::ACCOUNT));
        let remedy = format!(
            "{} --first-party{}; then ask for the scope account at /authorize",
            update(&other),
            flags("--scope", all)
        );
        let given = format!("a token of {client}, which is no application of the house");
        return (Rule::ClientOfHouse, Why::new(given, "a token of an application of the house", remedy));
    }
    let remedy = format!("Ask for the scope account at /authorize; the client must have it: bonafide client show {id}");
    (Rule::TokenScope, Why::new(format!("a token of the scope {token_scope:?}"), "the scope account", remedy))
}

pub fn no_session() -> Why {
    Why::new(
        "nobody is signed in in this browser, or their session has ended",
        "a session that goes on, since the request has prompt=none",
        "Send the person without prompt=none, so that they can sign in. Sessions live for sessions.idle and sessions.lifetime.",
    )
}

pub fn other_subject(signed_in: &str) -> Why {
    Why::new(
        format!("{signed_in} is signed in"),
        "the person of id_token_hint, or of sub in claims",
        "Send the person without id_token_hint, or have the one that it names sign in.",
    )
}

/// The sign-in is older than the request takes.
pub fn stale_session(request: &AuthorizationRequest, auth_time: i64, now: DateTime<Utc>) -> Why {
    let given = if auth_time > 0 {
        format!("a sign-in of {}", ago(auth_time, now))
    } else {
        "a sign-in without a proven time".to_owned()
    };
    let expected = match request.max_age {
        _ if request.prompt.login => "a sign-in since the request was made: it has prompt=login".to_owned(),
        Some(seconds) => format!("a sign-in of the last {seconds} seconds (max_age, or the client's default_max_age)"),
        None => "a sign-in for this request".to_owned(),
    };
    Why::new(
        given,
        expected,
        "Send the person without prompt=none, so that they sign in anew; or ask with a longer max_age.",
    )
}

pub fn other_acr(given: &str, wanted: &[String]) -> Why {
    Why::new(
        given,
        format!("one of the essential acr values: {}", list(texts(wanted))),
        "Ask for acr as voluntary or for a value of acr_values_supported, or declare a provider whose assurance has it.",
    )
}

/// The person has not allowed it yet, and may not be asked.
pub fn no_consent(request: &AuthorizationRequest, has: impl Fn(&str) -> bool) -> Why {
    let consents = request.consents();
    let missing = list(texts(&consents).filter(|scope| !has(scope)));
    let remedy = format!(
        "Send the person without prompt=none once, so that they can allow it; a client of the house needs no consent: \
         {} --first-party",
        update(&request.client)
    );
    Why::new(format!("not allowed yet: {missing}"), format!("consent to: {}", list(texts(&consents))), remedy)
}

pub fn denied() -> Why {
    Why::new("the person pressed cancel", "the person allows it", "Begin again, and allow it on the page.")
}

/// Somebody whom an operator keeps out.
pub fn disabled_person(id: &str) -> Why {
    let remedy = format!("bonafide user enable {}", quoted(id));
    Why::new(format!("the account {id} is disabled"), "an account in use", remedy)
}
