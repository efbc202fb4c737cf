//! The protocol endpoints, one file each.

pub(super) mod authorize;
pub(super) mod discovery;
pub(super) mod introspect;
pub(super) mod logout;
pub(super) mod revoke;
pub(super) mod token;
pub(super) mod upstream;
pub(super) mod userinfo;
