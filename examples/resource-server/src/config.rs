//! What it is told by its environment.

use std::env;

/// Where it stands, and whom it believes.
pub(crate) struct Config {
    /// The provider, exactly as `iss` in its tokens spells it.
    pub(crate) issuer: String,
    /// This API, exactly as `aud` in tokens for it spells it.
    pub(crate) audience: String,
    /// Address and port.
    pub(crate) listen: String,
    pub(crate) credentials: Credentials,
}

/// By what the provider knows who asks for decisions.
pub(crate) enum Credentials {
    Client { id: String, secret: String },
    ApiKey(String),
}

impl Config {
    /// Errors: a sentence that names everything that is missing.
    pub(crate) fn from_environment() -> Result<Self, String> {
        Self::read(|name| env::var(name).ok().filter(|value| !value.is_empty()))
    }

    fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let mut missing = Vec::new();
        let mut needed = |name: &'static str| {
            variable(name).unwrap_or_else(|| {
                missing.push(name);
                String::new()
            })
        };
        let (issuer, audience) = (needed("ISSUER"), needed("AUDIENCE"));
        let credentials = if let Some(key) = variable("API_KEY") {
            Credentials::ApiKey(key)
        } else {
            Credentials::Client { id: needed("CLIENT_ID"), secret: needed("CLIENT_SECRET") }
        };
        if !missing.is_empty() {
            let instead = if missing.contains(&"CLIENT_ID") { " (API_KEY does instead of a client)" } else { "" };
            return Err(format!("not set: {}{instead}", missing.join(", ")));
        }
        let listen = variable("LISTEN").unwrap_or_else(|| "127.0.0.1:4000".to_owned());
        Ok(Self { issuer, audience, listen, credentials })
    }
}
