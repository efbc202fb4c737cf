//! What would have let somebody in, for the trace of their request. Names that were typed are not told: they may be passwords.

use uuid::Uuid;

use crate::trace::{Rule, Why};

/// Why a name and a password were not taken.
pub(super) fn refused(reason: &str, user: Option<Uuid>, has_password: bool) -> (Rule, Why) {
    let Some(id) = user else {
        let remedy = "Type the address or username of an account (`bonafide user list`), or make one: \
                      bonafide user create --email ADDRESS --password-stdin";
        return (
            Rule::AccountKnown,
            Why::new("a name that no account has", "an address or username of an account", remedy),
        );
    };
    let set = format!("bonafide user set-password {id} --password-stdin, or the link of /forgot-password");
    match reason {
        "disabled" => {
            let remedy = format!("bonafide user enable {id}");
            (
                Rule::AccountEnabled,
                Why::new(format!("the account {id}, which is disabled"), "an account in use", remedy),
            )
        }
        _ if has_password => (
            Rule::PasswordRight,
            Why::new(format!("another password for the account {id}"), "the account's password", set),
        ),
        _ => (
            Rule::PasswordSet,
            Why::new(format!("a password for the account {id}, which has none"), "an account with a password", set),
        ),
    }
}

/// Somebody who wanted to leave, and has not taken it back.
pub(super) fn leaving(id: Uuid) -> Why {
    let remedy = format!("Sign in on the page and keep the account, or: bonafide user restore {id}");
    Why::new(format!("the account {id}, which is to be deleted"), "an account that stays", remedy)
}

/// Somebody whose address has to be verified first.
pub(super) fn unverified(id: Uuid) -> Why {
    Why::new(
        format!("the account {id}, whose address is not verified"),
        "a verified address, since accounts.require_verified_email is on",
        format!(
            "Use the mailed link, or: bonafide user update {id} --verified, or accounts.require_verified_email = false"
        ),
    )
}
