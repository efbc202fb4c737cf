//! The rules that a request is judged by. Their names are what traces are kept with: they never change, and none is used again.

/// What decides a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// What the request itself says, whoever it is from.
    Request,
    /// How the client is registered.
    Client,
    /// How an API is registered.
    Api,
    /// A secret, code or token that was shown.
    Credential,
    /// The person's session in this browser.
    Session,
    /// What the person has allowed.
    Consent,
    /// The account.
    Account,
    /// How often something may be tried.
    Limit,
    /// A setting of this server.
    Setting,
    /// Another provider, or how it is declared.
    Provider,
    /// What the caller may do.
    Permission,
    /// We could not.
    Fault,
}

impl By {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Client => "client_setting",
            Self::Api => "api_setting",
            Self::Credential => "credential",
            Self::Session => "session",
            Self::Consent => "consent",
            Self::Account => "account",
            Self::Limit => "limit",
            Self::Setting => "setting",
            Self::Provider => "provider",
            Self::Permission => "permission",
            Self::Fault => "fault",
        }
    }
}

macro_rules! rules {
    ($($rule:ident $name:literal $by:ident $says:literal;)+) => {
        /// A rule, of which one byte is kept while a request passes it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Rule { $($rule),+ }

        impl Rule {
            pub const ALL: &'static [Self] = &[$(Self::$rule),+];

            pub const fn name(self) -> &'static str {
                match self { $(Self::$rule => $name),+ }
            }

            pub const fn by(self) -> By {
                match self { $(Self::$rule => By::$by),+ }
            }

            /// What holds where it is passed, in plain English.
            pub const fn says(self) -> &'static str {
                match self { $(Self::$rule => $says),+ }
            }
        }
    };
}

rules! {
    // ---- every request ----
    RequestRate "request_rate" Limit "The caller's address has requests left";
    PathKnown "path_known" Request "There is something at this path";
    MethodKnown "method_known" Request "The method is one of this path";
    BodyReadable "body_readable" Request "The body is of the kind, size and speed that is taken here";
    ParametersSingle "parameters_single" Request "No parameter is repeated";
    RequestWellFormed "request_well_formed" Request "The request has what this endpoint needs, in its form";
    FormOurs "form_ours" Request "The form was sent by our own page, in the browser that it was made for";
    FormComplete "form_complete" Request "The fields of the form are filled in as they have to be";
    FlowOurs "flow_ours" Request "The sign-in goes on in the browser in which it began";
    FlowAlive "flow_alive" Setting "The sign-in has not waited for too long";
    // ---- the client ----
    ClientNamed "client_named" Request "The request names its client";
    ClientRegistered "client_registered" Client "The client is registered";
    ClientEnabled "client_enabled" Client "The client is in service";
    ClientAuthOneWay "client_auth_one_way" Request "The client authenticates in one way that is taken here";
    ClientSecretShown "client_secret_shown" Credential "The client shows a secret where it has one, and none where it has none";
    ClientSecretRight "client_secret_right" Credential "The client's secret is right";
    ClientConfidential "client_confidential" Client "The client has a secret";
    GrantNamed "grant_named" Request "The request names its grant type";
    GrantKnown "grant_known" Request "The grant type is one of ours";
    GrantAllowed "grant_allowed" Client "The client may use this grant type";
    // ---- authorization requests ----
    RedirectUriNamed "redirect_uri_named" Request "The request names its redirect URI";
    RedirectUriRegistered "redirect_uri_registered" Client "The redirect URI is registered for the client";
    RequestObjectAbsent "request_object_absent" Request "The request uses no request object";
    ResponseTypeKnown "response_type_known" Request "The response type is code";
    ResponseModeKnown "response_mode_known" Request "The response mode is one of ours";
    ValuesShort "values_short" Request "state and nonce are not too long";
    ScopeReadable "scope_readable" Request "scope is a list of scope tokens";
    ResourceSingle "resource_single" Request "The token is for one API";
    ResourceRegistered "resource_registered" Api "The API that the token is for is registered";
    ScopeAllowed "scope_allowed" Client "The client may ask for the scopes";
    ScopeOfApi "scope_of_api" Api "The scopes are of the API that the token is for";
    ChallengeShown "challenge_shown" Client "The request has a PKCE challenge where the client must use PKCE";
    ChallengeReadable "challenge_readable" Request "The PKCE challenge is a SHA-256 hash, by the method S256";
    PromptReadable "prompt_readable" Request "prompt does not contradict itself";
    ClaimsReadable "claims_readable" Request "claims can be read and asked for";
    HintReadable "hint_readable" Request "id_token_hint is an ID token that was made here";
    SubjectSingle "subject_single" Request "The request is about one person";
    MaxAgeReadable "max_age_readable" Request "max_age is a number of seconds";
    // ---- the person's session ----
    SessionAlive "session_alive" Session "Somebody is signed in in this browser";
    SubjectSignedIn "subject_signed_in" Session "The one who is signed in is the one that the request is about";
    SessionFresh "session_fresh" Session "The sign-in is as fresh as prompt and max_age ask for";
    AcrMet "acr_met" Session "The sign-in is of a class that the request takes";
    AccountChosen "account_chosen" Session "The person has chosen an account where they have to";
    ConsentGiven "consent_given" Consent "The person has allowed what the client asks for";
    // ---- codes and refresh tokens ----
    CodeShown "code_shown" Request "The request has a code";
    CodeKnown "code_known" Credential "The code was given here";
    CodeOfClient "code_of_client" Client "The code was given to this client";
    CodeRedirectUri "code_redirect_uri" Request "The redirect URI is the one that the code was asked for with";
    VerifierReadable "verifier_readable" Request "The PKCE verifier has 43 to 128 characters of the alphabet";
    VerifierRight "verifier_right" Credential "The PKCE verifier is the one of the code's challenge";
    CodeUnused "code_unused" Credential "The code is used for the first time";
    CodeAlive "code_alive" Setting "The code has not expired";
    GrantSession "grant_session" Session "The browser session that the grant belongs to goes on";
    RefreshShown "refresh_shown" Request "The request has a refresh token";
    RefreshKnown "refresh_known" Credential "The refresh token was given here";
    RefreshOfClient "refresh_of_client" Client "The refresh token was given to this client";
    RefreshCurrent "refresh_current" Credential "The refresh token is the newest of its family";
    RefreshAlive "refresh_alive" Setting "The refresh token has not expired";
    GrantAlive "grant_alive" Session "The grant has not ended";
    ScopeNarrow "scope_narrow" Request "The scope does not go beyond what was granted";
    ResourceGranted "resource_granted" Request "The API is the one that was granted";
    // ---- people who sign in ----
    AttemptsLeft "attempts_left" Limit "There are attempts left";
    AccountKnown "account_known" Account "There is an account of this name";
    PasswordSet "password_set" Account "The account has a password";
    PasswordRight "password_right" Credential "The password is right";
    AccountEnabled "account_enabled" Account "The account is not disabled";
    AccountStays "account_stays" Account "The account is not on its way out";
    AddressVerified "address_verified" Account "The e-mail address is verified where it has to be";
    AccountUnchanged "account_unchanged" Account "The account did not change while the sign-in went on";
    OrganisationKnown "organisation_known" Provider "The address belongs to an organisation with a provider of its own";
    SignUpOpen "sign_up_open" Setting "People may sign up";
    AccountAcceptable "account_acceptable" Account "The new account's names and password are acceptable";
    MailsLeft "mails_left" Limit "There are mails left to be sent";
    LinkAlive "link_alive" Credential "The mailed link is good";
    AddressFree "address_free" Account "The address is nobody else's";
    // ---- other providers ----
    ProviderUsable "provider_usable" Provider "The provider is declared and in use";
    ProviderExpected "provider_expected" Session "The browser was sent to this provider, lately, and comes back for the first time";
    ProviderAgreed "provider_agreed" Provider "The provider does not answer with an error";
    ProviderReachable "provider_reachable" Provider "The provider can be reached";
    ProviderBelievable "provider_believable" Provider "What the provider says holds";
    ProviderFresh "provider_fresh" Provider "The sign-in there is as fresh as prompt and max_age ask for";
    ProviderPerson "provider_person" Provider "The person has an account here, or may have one made";
    ProviderLink "provider_link" Account "The account there may be linked to this one";
    // ---- access tokens and the JSON API ----
    CredentialShown "credential_shown" Request "The request shows one credential";
    TokenAlive "token_alive" Credential "The access token is known and alive";
    KeyAlive "key_alive" Credential "The API key is known and alive";
    TokenScope "token_scope" Credential "The access token has the scope that is needed";
    ClientOfHouse "client_of_house" Client "The access token is of an application of the house";
    ActsForThemselves "acts_for_themselves" Permission "A person calls, for their own account";
    InPerson "in_person" Permission "The caller shows an access token and no API key";
    PermissionHeld "permission_held" Permission "The caller holds the permission";
    Administrator "administrator" Permission "The caller is an administrator";
    CoversOther "covers_other" Permission "The caller can do all that the other can";
    SecretRight "secret_right" Setting "The session adapter's secret is right";
    JsonSignInOpen "json_sign_in_open" Client "JSON sign-in has a client";
    Known "known" Request "What the request is about is there";
    LogoutRegistered "logout_registered" Client "The address to go to after signing out is registered for the client";
    // ---- we ----
    PoolFree "pool_free" Limit "There is room to check one more password";
    Served "served" Fault "The request could be served";
}

impl Rule {
    /// The rule of a name that was kept.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_stable_and_of_one_rule_each() {
        let names: BTreeSet<_> = Rule::ALL.iter().map(|rule| rule.name()).collect();
        assert_eq!(names.len(), Rule::ALL.len());
        for rule in Rule::ALL {
            assert!(rule.name().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{}", rule.name());
            assert_eq!(Rule::named(rule.name()), Some(*rule));
            assert!(!rule.says().is_empty() && !rule.by().name().is_empty());
        }
    }
}
