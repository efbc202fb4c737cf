//! `/providers`: the other providers that people can sign in with, declared at run time beside those of the settings.

use axum::http::StatusCode;
use axum::response::Response;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{Answered, Call, Fault, Problem};
use crate::federation::{Federation, Provider, ProviderFault, StoredProvider};
use crate::http::answer;
use crate::platform::settings::{self, RoleRule, Secret};

/// A declaration, by the members of `[providers.NAME]` in the settings; what is left out is as usual.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Declaration {
    enabled: Option<bool>,
    /// google, github, or empty.
    preset: Option<String>,
    label: Option<String>,
    issuer: Option<String>,
    client_id: Option<String>,
    /// Left out: what it was.
    #[schema(value_type = Option<String>, write_only)]
    client_secret: Option<Secret>,
    /// `client_secret_basic`, `client_secret_post`, `private_key_jwt` or none.
    client_auth: Option<String>,
    audiences: Option<Vec<String>>,
    scopes: Option<Vec<String>>,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    userinfo_endpoint: Option<String>,
    emails_endpoint: Option<String>,
    subject_claim: Option<String>,
    email_claim: Option<String>,
    email_verified_claim: Option<String>,
    groups_claim: Option<String>,
    /// verified, always or never.
    trust_email: Option<String>,
    domains: Option<Vec<String>>,
    sign_up: Option<bool>,
    /// `picture=avatar_url`, or one name where both are called the same.
    profile_at_creation: Option<Vec<String>>,
    profile_always: Option<Vec<String>>,
    /// `GROUP=ROLE`.
    roles: Option<Vec<String>>,
    /// `acr:VALUE=ACR` or `amr:VALUE=ACR`.
    assurance: Option<Vec<String>>,
    sign_out: Option<bool>,
}

impl Declaration {
    fn declared(self) -> Result<settings::Provider, Problem> {
        let usual = settings::Provider::default();
        Ok(settings::Provider {
            enabled: self.enabled.unwrap_or(usual.enabled),
            preset: choice("preset", self.preset)?,
            label: self.label.unwrap_or_default(),
            issuer: self.issuer.unwrap_or_default(),
            client_id: self.client_id.unwrap_or_default(),
            client_secret: self.client_secret.unwrap_or_default(),
            client_auth: choice("clientAuth", self.client_auth)?,
            audiences: self.audiences.unwrap_or_default(),
            scopes: self.scopes.unwrap_or_default(),
            authorization_endpoint: self.authorization_endpoint.unwrap_or_default(),
            token_endpoint: self.token_endpoint.unwrap_or_default(),
            userinfo_endpoint: self.userinfo_endpoint.unwrap_or_default(),
            emails_endpoint: self.emails_endpoint.unwrap_or_default(),
            subject_claim: self.subject_claim.unwrap_or_default(),
            email_claim: self.email_claim.unwrap_or_default(),
            email_verified_claim: self.email_verified_claim.unwrap_or_default(),
            groups_claim: self.groups_claim.unwrap_or_default(),
            trust_email: choice("trustEmail", self.trust_email)?,
            domains: self.domains.unwrap_or_default(),
            sign_up: self.sign_up.unwrap_or(usual.sign_up),
            profile_at_creation: rules("profileAtCreation", self.profile_at_creation, usual.profile_at_creation)?,
            profile_always: rules("profileAlways", self.profile_always, usual.profile_always)?,
            roles: rules("roles", self.roles, usual.roles)?,
            assurance: rules("assurance", self.assurance, usual.assurance)?,
            sign_out: self.sign_out.unwrap_or(usual.sign_out),
        })
    }
}

/// One of a few words.
fn choice<T: DeserializeOwned + Default>(field: &str, word: Option<String>) -> Result<T, Problem> {
    let Some(word) = word else { return Ok(T::default()) };
    let malformed = |_| Problem::bad_request("api-fields").field(field, "api-field-malformed");
    serde_json::from_value(Value::String(word)).map_err(malformed)
}

fn rules<T: TryFrom<String, Error = String>>(
    field: &str,
    given: Option<Vec<String>>,
    usual: Vec<T>,
) -> Result<Vec<T>, Problem> {
    let Some(given) = given else { return Ok(usual) };
    let read: Result<Vec<T>, String> = given.into_iter().map(T::try_from).collect();
    read.map_err(|reason| Problem::bad_request("api-fields").field_because(field, reason))
}

/// A provider with everything filled in that was left out. Its secret is never told.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "an answer says what is so, member by member")]
pub(super) struct DeclaredProvider {
    name: String,
    /// settings or database: only the latter can be changed here.
    origin: &'static str,
    /// What accounts there are known by: the issuer, or where there is none the origin of the token endpoint with our name for it.
    identity: String,
    /// The redirect URI to register there.
    callback_url: String,
    /// The back-channel logout URI to register there; null where it speaks OAuth 2 alone.
    backchannel_logout_url: Option<String>,
    enabled: bool,
    preset: String,
    label: String,
    issuer: String,
    client_id: String,
    has_secret: bool,
    client_auth: String,
    audiences: Vec<String>,
    scopes: Vec<String>,
    authorization_endpoint: String,
    token_endpoint: String,
    userinfo_endpoint: String,
    emails_endpoint: String,
    subject_claim: String,
    email_claim: String,
    email_verified_claim: String,
    groups_claim: String,
    trust_email: String,
    domains: Vec<String>,
    sign_up: bool,
    profile_at_creation: Vec<String>,
    profile_always: Vec<String>,
    roles: Vec<String>,
    assurance: Vec<String>,
    sign_out: bool,
}

impl DeclaredProvider {
    fn new(provider: &Provider, federation: &Federation) -> Self {
        let declared = provider.declared.clone();
        Self {
            name: provider.name.clone(),
            origin: provider.origin.name(),
            identity: provider.identity.clone(),
            callback_url: federation.redirect_uri(&provider.name),
            backchannel_logout_url: federation.backchannel_logout_uri(provider),
            enabled: declared.enabled,
            preset: word(&declared.preset),
            label: provider.label.clone(),
            issuer: declared.issuer,
            client_id: declared.client_id,
            has_secret: !declared.client_secret.expose().is_empty(),
            client_auth: word(&declared.client_auth),
            audiences: declared.audiences,
            scopes: declared.scopes,
            authorization_endpoint: declared.authorization_endpoint,
            token_endpoint: declared.token_endpoint,
            userinfo_endpoint: declared.userinfo_endpoint,
            emails_endpoint: declared.emails_endpoint,
            subject_claim: declared.subject_claim,
            email_claim: declared.email_claim,
            email_verified_claim: declared.email_verified_claim,
            groups_claim: declared.groups_claim,
            trust_email: word(&declared.trust_email),
            domains: declared.domains,
            sign_up: declared.sign_up,
            profile_at_creation: texts(declared.profile_at_creation),
            profile_always: texts(declared.profile_always),
            roles: texts(declared.roles),
            assurance: texts(declared.assurance),
            sign_out: declared.sign_out,
        }
    }
}

fn word(choice: &impl Serialize) -> String {
    serde_json::to_value(choice).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

fn texts<T: Into<String>>(rules: Vec<T>) -> Vec<String> {
    rules.into_iter().map(Into::into).collect()
}

pub(in crate::http) async fn list(call: Call) -> Response {
    let federation = &call.web.app.federation;
    let all = federation.providers.all();
    let shown: Vec<_> = all.iter().map(|provider| DeclaredProvider::new(provider, federation)).collect();
    answer::json(StatusCode::OK, &shown)
}

pub(in crate::http) async fn show(call: Call) -> Response {
    let answered = find(&call).map(|shown| answer::json(StatusCode::OK, &shown));
    call.answer(answered.map_err(Into::into))
}

fn find(call: &Call) -> Result<DeclaredProvider, Problem> {
    let federation = &call.web.app.federation;
    let provider = federation.providers.get(call.segment("name")?).ok_or_else(Problem::not_found)?;
    Ok(DeclaredProvider::new(&provider, federation))
}

pub(in crate::http) async fn declare(call: Call) -> Response {
    let answered = declared(&call).await;
    call.answer(answered)
}

async fn declared(call: &Call) -> Answered {
    let (name, federation) = (call.segment("name")?, &call.web.app.federation);
    let declared = call.body::<Declaration>()?.declared()?;
    let before = federation.providers.get(name);
    let before = before.iter().flat_map(|provider| &provider.declared.roles);
    require_covering(call, before.chain(&declared.roles)).await?;
    let stored = federation.declare(name, declared, &call.source()).await.map_err(refused)?;
    let StoredProvider { provider, created } = stored;
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    Ok(answer::json(status, &DeclaredProvider::new(&provider, federation)))
}

pub(in crate::http) async fn remove(call: Call) -> Response {
    let answered = removed(&call).await;
    call.answer(answered)
}

/// Answers what it was.
async fn removed(call: &Call) -> Answered {
    let shown = find(call)?;
    if let Some(provider) = call.web.app.federation.providers.get(&shown.name) {
        require_covering(call, provider.declared.roles.iter()).await?;
    }
    call.web.app.federation.remove(&shown.name, &call.source()).await.map_err(refused)?;
    Ok(answer::json(StatusCode::OK, &shown))
}

/// The groups of a provider give and take roles: none that go beyond what the caller may do.
async fn require_covering(call: &Call, rules: impl Iterator<Item = &RoleRule>) -> Result<(), Fault> {
    let roles: Vec<String> = rules.map(|rule| rule.role.clone()).collect();
    let given = call.web.app.roles.given_by(&roles).await?;
    if call.signed()?.held().covers(&given) { Ok(()) } else { Err(Problem::forbidden().into()) }
}

fn refused(fault: ProviderFault) -> Fault {
    match fault {
        ProviderFault::Refused { member, reason } => {
            Problem::bad_request("api-fields").field_because(&here(&member), reason).into()
        }
        ProviderFault::OfSettings => Problem::new(StatusCode::CONFLICT, "api-provider-of-settings").into(),
        ProviderFault::Unknown => Problem::not_found().into(),
        ProviderFault::Database(error) => error.into(),
        ProviderFault::Sealing(error) => Fault::broken(error),
    }
}

/// A member of the settings by the name that it has in this API.
fn here(member: &str) -> String {
    let mut words = member.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let mut letters = word.chars();
        let initial = letters.next().map(|initial| initial.to_ascii_uppercase());
        name.chars().chain(initial).chain(letters).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_have_names_of_this_api() {
        assert_eq!(here("email_verified_claim"), "emailVerifiedClaim");
        assert_eq!(here("name"), "name");
    }

    /// A provider as it is shown is a declaration again, but for what is not its own to say.
    #[test]
    fn every_member_of_the_settings_is_here() {
        let Value::Object(written) = serde_json::to_value(settings::Provider::default()).unwrap() else { panic!() };
        let members: serde_json::Map<_, _> = written.iter().map(|(name, value)| (here(name), value.clone())).collect();
        assert_eq!(members.len(), 24);
        let read: Declaration = serde_json::from_value(Value::Object(members)).unwrap();
        assert!(read.declared().is_ok_and(|declared| declared == settings::Provider::default()));
    }
}
