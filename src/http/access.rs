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
    /// Whoever bears an access token for their own account, from an application of the house.
    User,
    /// A person with this role, as the database has it now.
    Role(&'static str),
    /// Who shows the secret of the session adapter.
    AdapterSecret,
    /// Whoever the page's own forms and cookies admit.
    Browser,
    /// Everybody, and there only under `--dev`.
    Development,
}
