//! Who may do what: permissions, roles as sets of them, policies, API keys.

pub mod keys;
pub mod permission;
pub mod policies;
pub mod roles;
pub mod service_accounts;

pub use permission::Held;
pub use roles::Roles;
