//! What a provider can do wrong, or somebody in its place can try.

/// One thing that is wrong with the stub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Discovery says that the issuer is somebody else.
    ForeignIssuer,
    DiscoveryFails,
    DiscoveryHangs,
    /// Discovery answers 200 with something that is not JSON.
    DiscoveryGarbage,
    /// Discovery without end.
    DiscoveryEndless,
    KeysFail,
    KeysGarbage,

    TokenFails,
    TokenHangs,
    TokenGarbage,
    /// The error of RFC 6749 with status 200, as GitHub has it.
    TokenErrorAs200,
    NoIdToken,

    WrongIssuer,
    WrongAudience,
    /// For somebody else besides us.
    SecondAudience,
    /// For us, but asked for by somebody else.
    ForeignAzp,
    WrongNonce,
    NoNonce,
    Expired,
    NoExpiry,
    NoSubject,
    EmptySubject,
    /// The hash of another access token.
    WrongAccessTokenHash,
    /// `alg: none`.
    Unsigned,
    /// HS256 with the client's secret.
    SignedWithSecret,
    /// HS256 with the published key as a PEM file.
    SignedWithPublicKey,
    /// Another key under the published key's id.
    SignedByAnother,
    /// Another key, not published, under an id of its own.
    UnknownKey,
    /// The claims changed after they were signed.
    Tampered,

    /// Userinfo speaks of another person than the ID token.
    OtherSubject,
    UserinfoFails,
    EmailsFail,
}

impl Fault {
    /// Those that are in the ID token itself.
    pub(crate) const OF_ID_TOKENS: [Self; 16] = [
        Self::WrongIssuer,
        Self::WrongAudience,
        Self::SecondAudience,
        Self::ForeignAzp,
        Self::WrongNonce,
        Self::NoNonce,
        Self::Expired,
        Self::NoExpiry,
        Self::NoSubject,
        Self::EmptySubject,
        Self::WrongAccessTokenHash,
        Self::Unsigned,
        Self::SignedWithSecret,
        Self::SignedWithPublicKey,
        Self::SignedByAnother,
        Self::Tampered,
    ];
}

/// One thing that is wrong with a logout token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogoutFault {
    NoEvents,
    OtherEvent,
    WithNonce,
    WrongIssuer,
    WrongAudience,
    Expired,
    NoTokenId,
    Unsigned,
    SignedWithSecret,
    SignedWithPublicKey,
    SignedByAnother,
    UnknownKey,
}

impl LogoutFault {
    pub(crate) const ALL: [Self; 12] = [
        Self::NoEvents,
        Self::OtherEvent,
        Self::WithNonce,
        Self::WrongIssuer,
        Self::WrongAudience,
        Self::Expired,
        Self::NoTokenId,
        Self::Unsigned,
        Self::SignedWithSecret,
        Self::SignedWithPublicKey,
        Self::SignedByAnother,
        Self::UnknownKey,
    ];
}
