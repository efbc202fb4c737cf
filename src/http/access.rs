//! Who may call what.

/// Who may call a route. A route without a word does not compile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Public,
    /// A registered client that proves itself, or a public one by its id.
    Client,
    /// Whoever bears an access token.
    Token,
    /// A person who may act for their own account.
    User,
    /// The same, by an access token from an application of the house and by nothing that outlives it.
    UserInPerson,
    /// The person whose id the path has, by an access token from an application of the house. For all others they are as missing as
    /// nobody.
    Oneself,
    /// The person whose id the path has, or whoever holds the permission. For all others they are as missing as nobody.
    SelfOr(&'static str),
    /// Whoever holds the permission, as the database has it now.
    Permission(&'static str),
    /// The same, or a client that holds it and proves itself by its secret.
    PermissionOrSecret(&'static str),
    /// Whoever holds everything.
    Administrator,
    /// Who shows the secret of the session adapter.
    AdapterSecret,
    /// Whoever the page's own forms and cookies admit.
    Browser,
    /// Everybody, and there only under `--dev`.
    Development,
}

impl Access {
    /// Whether the JSON API's guard asks who calls.
    pub fn is_guarded(self) -> bool {
        matches!(
            self,
            Self::User
                | Self::UserInPerson
                | Self::Oneself
                | Self::SelfOr(_)
                | Self::Permission(_)
                | Self::PermissionOrSecret(_)
                | Self::Administrator
                | Self::AdapterSecret
        )
    }
}
