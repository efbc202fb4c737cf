//! The plan Config OP, and the first module of each logout plan: the discovery document.

use std::collections::BTreeSet;

use serde_json::Value;
use url::Url;

use super::{checks::expect_json, module::Module};

const SUFFIX: &str = "/.well-known/openid-configuration";

/// Members that the suite knows, with their types, as far as a provider of these plans could have them.
const TEXTS: [&str; 3] = ["op_policy_uri", "op_tos_uri", "service_documentation"];
const BOOLEANS: [&str; 10] = [
    "claims_parameter_supported",
    "request_parameter_supported",
    "request_uri_parameter_supported",
    "require_request_uri_registration",
    "authorization_response_iss_parameter_supported",
    "backchannel_logout_supported",
    "backchannel_logout_session_supported",
    "frontchannel_logout_supported",
    "frontchannel_logout_session_supported",
    "require_pushed_authorization_requests",
];
const LISTS: [&str; 20] = [
    "scopes_supported",
    "response_types_supported",
    "response_modes_supported",
    "grant_types_supported",
    "acr_values_supported",
    "subject_types_supported",
    "id_token_signing_alg_values_supported",
    "userinfo_signing_alg_values_supported",
    "request_object_signing_alg_values_supported",
    "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg_values_supported",
    "introspection_endpoint_auth_methods_supported",
    "revocation_endpoint_auth_methods_supported",
    "display_values_supported",
    "claim_types_supported",
    "claims_supported",
    "claims_locales_supported",
    "ui_locales_supported",
    "code_challenge_methods_supported",
    "prompt_values_supported",
];
const ENDPOINTS: [&str; 7] = [
    "authorization_endpoint",
    "token_endpoint",
    "userinfo_endpoint",
    "end_session_endpoint",
    "introspection_endpoint",
    "revocation_endpoint",
    "registration_endpoint",
];

fn list<'a>(metadata: &'a Value, name: &str) -> Vec<&'a str> {
    let list = metadata[name].as_array().unwrap_or_else(|| panic!("no list {name}: {metadata:#}"));
    list.iter().map(|value| value.as_str().expect("text")).collect()
}

/// `discovery-endpoint-verification`: the URLs (requirements 1, 10, 11), what has to be listed (requirements 13, 14, 15, 16, 18,
/// 19, 20, 23), no `none` (requirement 87), well-formed locales (requirement 24), types and names (requirements 21, 27, 28).
async fn verify(configuration: &str) -> Module {
    let module = Module::start(configuration).await;
    let url = module.configuration["server"]["discoveryUrl"].as_str().expect("a URL").to_owned();
    assert!(url.starts_with("https://") && url.ends_with(SUFFIX), "{url}");
    let answer = module.wire().get(&url).await.expect_status(200);
    let metadata = expect_json(&answer);
    let issuer = metadata["issuer"].as_str().expect("an issuer");
    assert_eq!(Some(issuer), url.strip_suffix(SUFFIX));
    let parsed = Url::parse(issuer).expect("a URL");
    assert!(parsed.scheme() == "https" && parsed.query().is_none() && parsed.fragment().is_none());

    for (name, value) in metadata.as_object().expect("an object") {
        match name.as_str() {
            "issuer" | "jwks_uri" => {}
            name if ENDPOINTS.contains(&name) || TEXTS.contains(&name) => {}
            name if BOOLEANS.contains(&name) => assert!(value.is_boolean(), "{name}: {value}"),
            name if LISTS.contains(&name) => {
                let values = list(&metadata, name);
                let different: BTreeSet<_> = values.iter().collect();
                assert!(!values.is_empty() && different.len() == values.len(), "{name}: {value}");
            }
            _ => panic!("the suite does not know {name}"),
        }
    }
    for name in metadata.as_object().expect("an object").keys() {
        if name == "jwks_uri" || name.ends_with("_endpoint") {
            assert_eq!(Url::parse(module.endpoint(name)).expect("a URL").scheme(), "https", "{name}");
        }
    }
    module.endpoint("userinfo_endpoint");
    module.endpoint("jwks_uri");
    for (name, wanted) in [
        ("subject_types_supported", &["public"][..]),
        ("id_token_signing_alg_values_supported", &["RS256"]),
        ("response_types_supported", &["code"]),
        ("grant_types_supported", &["authorization_code", "refresh_token"]),
        ("response_modes_supported", &["query", "fragment", "form_post"]),
        ("scopes_supported", &["openid", "profile", "email", "address", "phone", "offline_access"]),
        ("claims_supported", &["sub", "name", "email", "phone_number", "address"]),
        ("code_challenge_methods_supported", &["S256"]),
        ("token_endpoint_auth_methods_supported", &["client_secret_basic", "client_secret_post"]),
    ] {
        let given = list(&metadata, name);
        assert!(wanted.iter().all(|value| given.contains(value)), "{name}: {given:?}");
    }
    for scope in list(&metadata, "scopes_supported") {
        assert!(scope.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)), "{scope}");
    }
    assert!(!list(&metadata, "id_token_signing_alg_values_supported").contains(&"none"));
    assert!(list(&metadata, "code_challenge_methods_supported").iter().all(|m| ["S256", "plain"].contains(m)));
    if metadata.get("request_object_signing_alg_values_supported").is_some() {
        assert!(list(&metadata, "request_object_signing_alg_values_supported").contains(&"RS256"));
    }
    // The default of the second is true, so all have to be said.
    for name in BOOLEANS.iter().take(4) {
        assert!(metadata[name].is_boolean(), "{name}");
    }
    for name in ["ui_locales_supported", "claims_locales_supported"] {
        if metadata.get(name).is_some() {
            for tag in list(&metadata, name) {
                let canonical: unic_langid::LanguageIdentifier = tag.parse().expect("a language");
                assert_eq!(canonical.to_string(), tag, "{name}");
            }
        }
    }
    module
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn discovery_endpoint_verification() {
    for configuration in ["config", "basic", "formpost"] {
        verify(configuration).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rp_initiated_logout_discovery_endpoint_verification() {
    verify("rp-initiated").await.endpoint("end_session_endpoint");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backchannel_and_frontchannel_logout_discovery_endpoint_verification() {
    for channel in ["backchannel", "frontchannel"] {
        let module = verify(channel).await;
        module.endpoint("end_session_endpoint");
        assert_eq!(module.metadata[format!("{channel}_logout_supported")], true);
        assert_eq!(module.metadata[format!("{channel}_logout_session_supported")], true);
    }
}
