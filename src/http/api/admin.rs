//! `POST /user/admin/register`: an administrator makes another one.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde::de::IgnoredAny;
use utoipa::ToSchema;

use super::person::{Person, fault_of_change};
use super::sign_up::Register;
use super::{Answered, Call, Problem, members};
use crate::http::answer;
use crate::identity::{ADMIN, IdentityError, NewAccount, Refusal};
use crate::platform::settings::Party;

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RegisterAdmin {
    email: String,
    password: String,
    name: Option<String>,
    username: Option<String>,
    /// The documents' clients send a shared secret; here only who calls counts.
    #[serde(rename = "adminSecretKey")]
    #[schema(value_type = Option<String>)]
    _admin_secret_key: Option<IgnoredAny>,
}

pub(in crate::http) async fn register(call: Call) -> Response {
    let answered = registered(&call).await;
    call.answer(answered)
}

async fn registered(call: &Call) -> Answered {
    let (body, attributes) = call.body_with_attributes()?;
    let RegisterAdmin { email, password, name, username, .. } = body;
    let declared = &call.web.app.settings.attributes;
    members::require_settable(&attributes, declared, &[Party::Admin], |attribute| attribute.may_write(Party::Admin))?;
    let account = Register { email, password, name, username }.account(attributes)?;
    let account = NewAccount { roles: vec![ADMIN.to_owned()], ..account };
    let accounts = &call.web.app.accounts;
    match accounts.create_for(account, &call.source()).await {
        Ok(user) => {
            let person = Person::new(user, declared, &[Party::Admin]);
            Ok(answer::json(StatusCode::CREATED, &person))
        }
        // An administrator sees everybody anyway.
        Err(IdentityError::Refused(Refusal::EmailTaken)) => {
            Err(Problem::new(StatusCode::CONFLICT, "email-taken").field("email", "email-taken").into())
        }
        Err(error) => Err(fault_of_change(error)),
    }
}
