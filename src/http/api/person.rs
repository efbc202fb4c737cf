//! A person as this API shows them, and what may be said about oneself.

use axum::http::StatusCode;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::problem::{Fault, Problem};
use crate::grants::Account;
use crate::identity::{Address, AttributeValues, IdentityError, Profile, User, attributes};
use crate::platform::clock::from_millis;
use crate::platform::settings::{Attributes, Party};

/// An instant as JSON has it here.
pub(super) fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Person {
    /// Left out where it would tell whether an address is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<Uuid>,
    pub(super) username: Option<String>,
    pub(super) email: Option<String>,
    pub(super) name: Option<String>,
    /// The same as `name`.
    pub(super) full_name: Option<String>,
    /// When, RFC 3339.
    pub(super) email_verified: Option<String>,
    /// The URL of a picture.
    pub(super) image: Option<String>,
    pub(super) roles: Vec<String>,
    /// RFC 3339.
    #[serde(rename = "created_at")]
    pub(super) created_at: String,
    /// RFC 3339.
    #[serde(rename = "updated_at")]
    pub(super) updated_at: String,
    #[serde(flatten)]
    pub(super) claims: Claims,
    /// The declared attributes that are known and may be read, by their names.
    #[serde(flatten)]
    #[schema(value_type = std::collections::BTreeMap<String, Value>)]
    pub(super) attributes: AttributeValues,
}

/// The standard claims that are known, by the names of this API.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Claims {
    #[serde(skip_serializing_if = "Option::is_none")]
    given_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    family_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    middle_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nickname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    website: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gender: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    birthdate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zoneinfo: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    locale: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<PostalAddress>,
}

/// A postal address. Empty texts take a line away.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PostalAddress {
    #[serde(skip_serializing_if = "Option::is_none")]
    formatted: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    street_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    locality: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    postal_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<String>,
}

impl From<Profile> for Claims {
    fn from(profile: Profile) -> Self {
        Self {
            given_name: profile.given_name,
            family_name: profile.family_name,
            middle_name: profile.middle_name,
            nickname: profile.nickname,
            profile: profile.profile,
            website: profile.website,
            gender: profile.gender,
            birthdate: profile.birthdate,
            zoneinfo: profile.zoneinfo,
            locale: profile.locale,
            phone_number: profile.phone_number,
            address: profile.address.map(PostalAddress::from),
        }
    }
}

impl From<Address> for PostalAddress {
    fn from(address: Address) -> Self {
        Self {
            formatted: address.formatted,
            street_address: address.street_address,
            locality: address.locality,
            region: address.region,
            postal_code: address.postal_code,
            country: address.country,
        }
    }
}

impl Person {
    /// A person as somebody sees them who is all of these.
    pub(super) fn new(user: User, declared: &Attributes, parties: &[Party]) -> Self {
        Self {
            attributes: attributes::readable(&user.attributes, declared, parties),
            id: Some(user.id),
            username: user.username,
            email: user.email,
            full_name: user.name.clone(),
            name: user.name,
            email_verified: user.email_verified_at.map(instant),
            image: user.profile.picture.clone(),
            roles: user.roles,
            created_at: instant(user.created_at),
            updated_at: instant(user.updated_at),
            claims: user.profile.into(),
        }
    }

    /// The holder of a token, as they see themselves.
    pub(super) fn of_account(account: &Account, roles: &[String], declared: &Attributes, parties: &[Party]) -> Self {
        let person = &account.person;
        let profile = Profile::stored(person.profile.as_deref());
        Self {
            id: Some(person.user_id),
            username: person.username.clone(),
            email: person.email.clone(),
            name: person.name.clone(),
            full_name: person.name.clone(),
            email_verified: person.email_verified_at.map(|at| instant(from_millis(at))),
            image: profile.picture.clone(),
            roles: roles.to_vec(),
            created_at: instant(from_millis(account.created_at)),
            updated_at: instant(from_millis(person.updated_at)),
            claims: profile.into(),
            attributes: attributes::readable(&attributes::stored(person.attributes.as_deref()), declared, parties),
        }
    }
}

/// What may be changed; what is not said stays, an empty text takes away.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ProfileChange {
    pub(super) name: Option<String>,
    /// The same as `name`.
    pub(super) full_name: Option<String>,
    /// The URL of a picture.
    image: Option<String>,
    given_name: Option<String>,
    family_name: Option<String>,
    middle_name: Option<String>,
    nickname: Option<String>,
    profile: Option<String>,
    website: Option<String>,
    gender: Option<String>,
    birthdate: Option<String>,
    zoneinfo: Option<String>,
    locale: Option<String>,
    phone_number: Option<String>,
    #[serde(default, deserialize_with = "super::call::object")]
    address: Option<PostalAddress>,
}

/// The names of claims here and in the standard, where the two differ.
const NAMES: [(&str, &str); 8] = [
    ("image", "picture"),
    ("givenName", "given_name"),
    ("familyName", "family_name"),
    ("middleName", "middle_name"),
    ("phoneNumber", "phone_number"),
    ("address.streetAddress", "address.street_address"),
    ("address.postalCode", "address.postal_code"),
    ("phoneNumber", "phone_number_verified"),
];

impl ProfileChange {
    /// The claims by the standard's names.
    pub(super) fn claims(self) -> Vec<(String, Value)> {
        let address = self.address.unwrap_or_default();
        // A new number is nobody's until it is verified.
        let unverified = self.phone_number.as_ref().map(|_| Value::Null);
        let texts = [
            ("picture", self.image),
            ("given_name", self.given_name),
            ("family_name", self.family_name),
            ("middle_name", self.middle_name),
            ("nickname", self.nickname),
            ("profile", self.profile),
            ("website", self.website),
            ("gender", self.gender),
            ("birthdate", self.birthdate),
            ("zoneinfo", self.zoneinfo),
            ("locale", self.locale),
            ("phone_number", self.phone_number),
            ("address.formatted", address.formatted),
            ("address.street_address", address.street_address),
            ("address.locality", address.locality),
            ("address.region", address.region),
            ("address.postal_code", address.postal_code),
            ("address.country", address.country),
        ];
        let texts = texts.into_iter().filter_map(|(claim, text)| Some((claim.to_owned(), Value::from(text?))));
        unverified.map(|value| ("phone_number_verified".to_owned(), value)).into_iter().chain(texts).collect()
    }
}

/// A claim that does not do, by the name that this API gives it.
pub(super) fn fault_of_change(error: IdentityError) -> Fault {
    let IdentityError::Profile(fault) = error else { return error.into() };
    let here = NAMES.iter().find(|(_, standard)| *standard == fault.claim).map(|(here, _)| *here);
    Problem::new(StatusCode::BAD_REQUEST, "api-fields")
        .field(here.unwrap_or(&fault.claim), "api-field-malformed")
        .into()
}
