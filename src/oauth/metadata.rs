//! The discovery document (OpenID Connect Discovery 1.0, RFC 8414): what works, and nothing else.

use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreJwsSigningAlgorithm, CoreResponseMode,
    CoreResponseType, CoreSubjectIdentifierType,
};
use openidconnect::url::ParseError;
use openidconnect::{
    AdditionalProviderMetadata, AuthUrl, IssuerUrl, JsonWebKeySetUrl, LanguageTag, ProviderMetadata, ResponseTypes,
    Scope, TokenUrl, UserInfoUrl,
};
use serde::{Deserialize, Serialize};

use super::prompt::Prompt;
use super::reply::ResponseMode;
use super::{claims, scope};
use crate::clients::{AuthMethod, GrantType};
use crate::identity;
use crate::keys::Alg;
use crate::platform::settings::Attributes;

/// Members that OpenID Connect Discovery does not have.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "the members of the document, as the standards name them")]
struct Extra {
    end_session_endpoint: String,
    introspection_endpoint: String,
    introspection_endpoint_auth_methods_supported: Vec<String>,
    revocation_endpoint: String,
    revocation_endpoint_auth_methods_supported: Vec<String>,
    backchannel_logout_supported: bool,
    backchannel_logout_session_supported: bool,
    frontchannel_logout_supported: bool,
    frontchannel_logout_session_supported: bool,
    code_challenge_methods_supported: Vec<String>,
    authorization_response_iss_parameter_supported: bool,
    prompt_values_supported: Vec<String>,
}

impl AdditionalProviderMetadata for Extra {}

type Metadata = ProviderMetadata<
    Extra,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    #[error("an endpoint is not a URL: {0}")]
    Url(#[from] ParseError),
    #[error("the document cannot be written: {0}")]
    Json(#[from] serde_json::Error),
}

/// The document as JSON, made once and sent as it is. `sign_up`: people may make accounts themselves;
/// `languages`: tags of those that pages speak; `attributes`: what is declared about people.
pub fn document(
    issuer: &str,
    algorithms: &[Alg],
    sign_up: bool,
    languages: Vec<String>,
    attributes: &Attributes,
) -> Result<Vec<u8>, MetadataError> {
    let at = |path: &str| format!("{issuer}{path}");
    let extra = Extra {
        end_session_endpoint: at("/logout"),
        introspection_endpoint: at("/introspect"),
        introspection_endpoint_auth_methods_supported: AuthMethod::ALL
            .into_iter()
            .filter(|method| *method != AuthMethod::None)
            .map(|method| method.name().to_owned())
            .collect(),
        revocation_endpoint: at("/revoke"),
        revocation_endpoint_auth_methods_supported: AuthMethod::ALL.map(|method| method.name().to_owned()).into(),
        backchannel_logout_supported: true,
        backchannel_logout_session_supported: true,
        frontchannel_logout_supported: true,
        frontchannel_logout_session_supported: true,
        code_challenge_methods_supported: vec!["S256".to_owned()],
        authorization_response_iss_parameter_supported: true,
        prompt_values_supported: Prompt::supported(sign_up).into_iter().map(str::to_owned).collect(),
    };
    let metadata = Metadata::new(
        IssuerUrl::new(issuer.to_owned())?,
        AuthUrl::new(at("/authorize"))?,
        JsonWebKeySetUrl::new(at("/jwks"))?,
        vec![ResponseTypes::new(vec![CoreResponseType::Code])],
        vec![CoreSubjectIdentifierType::Public],
        algorithms.iter().map(|alg| signing_algorithm(*alg)).collect(),
        extra,
    )
    .set_token_endpoint(Some(TokenUrl::new(at("/token"))?))
    .set_userinfo_endpoint(Some(UserInfoUrl::new(at("/userinfo"))?))
    .set_response_modes_supported(Some(ResponseMode::ALL.map(response_mode).into()))
    .set_grant_types_supported(Some(GrantType::OAUTH.map(grant_type).into()))
    .set_token_endpoint_auth_methods_supported(Some(AuthMethod::ALL.map(auth_method).into()))
    .set_scopes_supported(Some(
        scope::STANDARD
            .into_iter()
            .chain([scope::ROLES, scope::PERMISSIONS])
            .chain(attributes.scopes())
            .map(|scope| Scope::new(scope.to_owned()))
            .collect(),
    ))
    .set_claims_supported(Some(
        ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash"]
            .into_iter()
            .chain(claims::SUPPORTED.map(|(claim, _)| claim))
            .chain([scope::ROLES, scope::PERMISSIONS])
            .chain(attributes.claims().map(|(claim, _, _)| claim))
            .map(|name| CoreClaimName::new(name.to_owned()))
            .collect(),
    ))
    .set_acr_values_supported(Some(vec![openidconnect::AuthenticationContextClass::new(
        identity::ACR_PASSWORD.to_owned(),
    )]))
    .set_ui_locales_supported(Some(languages.into_iter().map(LanguageTag::new).collect()))
    .set_claims_parameter_supported(Some(true))
    .set_request_parameter_supported(Some(false))
    .set_request_uri_parameter_supported(Some(false))
    .set_require_request_uri_registration(Some(false));
    Ok(serde_json::to_vec(&metadata)?)
}

fn signing_algorithm(alg: Alg) -> CoreJwsSigningAlgorithm {
    match alg {
        Alg::Rs256 => CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
        Alg::Es256 => CoreJwsSigningAlgorithm::EcdsaP256Sha256,
        Alg::Ps256 => CoreJwsSigningAlgorithm::RsaSsaPssSha256,
        Alg::EdDsa => CoreJwsSigningAlgorithm::EdDsa,
    }
}

fn response_mode(mode: ResponseMode) -> CoreResponseMode {
    match mode {
        ResponseMode::Query => CoreResponseMode::Query,
        ResponseMode::Fragment => CoreResponseMode::Fragment,
        ResponseMode::FormPost => CoreResponseMode::FormPost,
    }
}

fn grant_type(grant: GrantType) -> CoreGrantType {
    match grant {
        GrantType::AuthorizationCode => CoreGrantType::AuthorizationCode,
        GrantType::RefreshToken => CoreGrantType::RefreshToken,
        GrantType::ClientCredentials => CoreGrantType::ClientCredentials,
        GrantType::Credentials => CoreGrantType::Extension(grant.name().to_owned()),
    }
}

fn auth_method(method: AuthMethod) -> CoreClientAuthMethod {
    match method {
        AuthMethod::ClientSecretBasic => CoreClientAuthMethod::ClientSecretBasic,
        AuthMethod::ClientSecretPost => CoreClientAuthMethod::ClientSecretPost,
        AuthMethod::None => CoreClientAuthMethod::None,
    }
}
