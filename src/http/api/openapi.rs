//! The OpenAPI 3.1 document: shapes from the types that handlers read and write, who may call from the route table.

use std::sync::LazyLock;

use axum::body::Bytes;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Map, Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::{
    adapter, admin, keys, links, oauth_login, person, picture, policies, problem, providers, recovery, refresh, roles,
    service_accounts, sign_in, sign_up, tokens,
};
use crate::http::access::Access;
use crate::http::answer;
use crate::http::router::{self, Route};
use crate::identity::ADMIN;

/// Bodies that may have declared attributes besides their own members.
const WITH_ATTRIBUTES: [&str; 4] = ["SignUp", "Register", "RegisterAdmin", "ProfileChange"];

/// A shape, where there is one.
type Shape = Option<fn(&mut Schemas) -> Value>;
type Schemas = Vec<(String, RefOr<Schema>)>;

/// What takes a file.
const UPLOAD: &str = "/auth/upload-image/{id}";

/// Accounts at other providers, and the providers.
const LINKS: &str = "/auth/{id}/providers";
const LINK: &str = "/auth/{id}/providers/{provider}/{subject}";
const PROVIDER: &str = "/providers/{name}";

/// Roles, permissions and who holds them.
const ROLE: &str = "/roles/{name}";
const HOLDERS: &str = "/roles/{name}/people";
const PERMISSION: &str = "/permissions/{name}";
const ROLES_OF: &str = "/auth/{id}/roles";
const ROLE_OF: &str = "/auth/{id}/roles/{role}";

/// API keys and service accounts.
const KEYS: &str = "/api-keys";
const KEY: &str = "/api-keys/{id}";
const KEY_ROTATION: &str = "/api-keys/{id}/rotate";
const SERVICE_ACCOUNTS: &str = "/service-accounts";
const SERVICE_ACCOUNT: &str = "/service-accounts/{id}";
const SERVICE_ACCOUNT_ROLE: &str = "/service-accounts/{id}/roles/{role}";
const SERVICE_ACCOUNT_SECRET: &str = "/service-accounts/{id}/secret";
const SERVICE_ACCOUNT_KEYS: &str = "/service-accounts/{id}/api-keys";
const SERVICE_ACCOUNT_KEY: &str = "/service-accounts/{id}/api-keys/{key}";
const SERVICE_ACCOUNT_KEY_ROTATION: &str = "/service-accounts/{id}/api-keys/{key}/rotate";

/// What takes a body that may be left out.
const ROTATIONS: [&str; 3] = [KEY_ROTATION, SERVICE_ACCOUNT_SECRET, SERVICE_ACCOUNT_KEY_ROTATION];

/// Policies and decisions.
const POLICIES: &str = "/policies";
const VERSIONS: &str = "/policies/versions";
const VERSION: &str = "/policies/versions/{version}";
const RESTORATION: &str = "/policies/versions/{version}/publish";
const EVALUATION: &str = "/access/v1/evaluation";
const EVALUATIONS: &str = "/access/v1/evaluations";

/// What somebody can sign in by, in one way or the other.
const OAUTH_LOGIN: &str = "/auth/oAuthlogin";

/// What can be done at a path.
struct Operation {
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    takes: Shape,
    status: u16,
    gives: Shape,
}

/// A type by reference; what it is made of goes into the components.
fn of<T: ToSchema + PartialSchema>(schemas: &mut Schemas) -> Value {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
    json!({"$ref": format!("#/components/schemas/{}", T::name())})
}

fn list_of<T: ToSchema + PartialSchema>(schemas: &mut Schemas) -> Value {
    json!({"type": "array", "items": of::<T>(schemas)})
}

/// What another standard describes: AuthZEN.
fn anything(_: &mut Schemas) -> Value {
    json!({"type": "object"})
}

/// What the adapter is told of something that may not be there.
fn perhaps<T: ToSchema + PartialSchema>(schemas: &mut Schemas) -> Value {
    json!({"oneOf": [of::<T>(schemas), {"type": "null"}]})
}

/// The `{names}` of a path and the query parameters of an operation.
fn parameters(operation: &Operation) -> Vec<Value> {
    let in_path = operation.path.split(['{', '}']).skip(1).step_by(2);
    let in_path = in_path.map(|name| {
        // The adapter's ids are whatever its client calls so.
        let is_id = name == "key"
            || (name == "id" && (operation.path.starts_with("/auth") || operation.path.starts_with(KEYS)));
        let schema = if is_id { json!({"type": "string", "format": "uuid"}) } else { json!({"type": "string"}) };
        json!({"name": name, "in": "path", "required": true, "schema": schema})
    });
    let query = match (operation.method, operation.path) {
        ("get", "/auth" | HOLDERS) => vec![
            json!({"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 50}}),
            json!({"name": "after", "in": "query", "description": "The id of the last person of the page before.", "schema": {"type": "string", "format": "uuid"}}),
        ],
        ("get", VERSIONS) => vec![
            json!({"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 50}}),
            json!({"name": "before", "in": "query", "description": "The number of the last version of the page before.", "schema": {"type": "integer", "minimum": 1}}),
        ],
        ("put", POLICIES) => vec![
            json!({"name": "If-Match", "in": "header", "description": "The version that this was made of, as the ETag says it.", "schema": {"type": "string"}}),
        ],
        ("get", SERVICE_ACCOUNTS) => vec![
            json!({"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 50}}),
            json!({"name": "after", "in": "query", "description": "The id of the last service account of the page before.", "schema": {"type": "string"}}),
        ],
        ("get", "/adapter/get-user-by-email" | "/adapter/get-user-by-email/") => {
            vec![json!({"name": "email", "in": "query", "schema": {"type": "string"}})]
        }
        _ => Vec::new(),
    };
    in_path.chain(query).collect()
}

/// The statuses by which an operation refuses.
fn refusals(operation: &Operation, access: Access) -> Vec<u16> {
    let mut statuses = vec![500, 503];
    match access {
        access if asks_who(access) => statuses.extend([401, 403]),
        Access::AdapterSecret => statuses.push(401),
        _ => {}
    }
    let by_sign_in = matches!(operation.path, "/auth/login" | "/auth/signin");
    // At sign-in that is a 400 too.
    if !by_sign_in {
        statuses.push(429);
    }
    if by_sign_in {
        statuses.push(400);
    } else if operation.path == OAUTH_LOGIN {
        statuses.push(401);
    } else if operation.takes.is_some() {
        statuses.extend([400, 408, 413, 415]);
    }
    match operation.path {
        "/auth/register" => statuses.extend([404, 409]),
        "/auth/reset-password/{token}" | "/auth/verify-email/{token}" => statuses.extend([400, 404]),
        "/auth/refresh" | "/auth/logout" => statuses.push(401),
        ROLE | PERMISSION if operation.method != "get" => statuses.extend([404, 409]),
        ROLE | ROLES_OF => statuses.push(404),
        HOLDERS => statuses.extend([400, 404]),
        ROLE_OF => statuses.extend([404, 409]),
        "/auth" | "/adapter/get-user-by-email" | "/adapter/get-user-by-email/" => statuses.push(400),
        PROVIDER if operation.method == "put" => statuses.push(409),
        PROVIDER if operation.method == "delete" => statuses.extend([404, 409]),
        "/auth/signup"
        | "/auth/forgot-password"
        | "/auth/request-email-verification"
        | "/auth/{id}"
        | LINKS
        | PROVIDER => {
            statuses.push(404);
        }
        SERVICE_ACCOUNTS if operation.method == "get" => statuses.push(400),
        SERVICE_ACCOUNT if operation.method == "delete" => statuses.extend([404, 409]),
        KEYS if operation.method == "post" => statuses.push(409),
        SERVICE_ACCOUNT_KEYS if operation.method == "post" => statuses.extend([404, 409]),
        VERSION
        | RESTORATION
        | KEY
        | KEY_ROTATION
        | SERVICE_ACCOUNT
        | SERVICE_ACCOUNT_ROLE
        | SERVICE_ACCOUNT_SECRET
        | SERVICE_ACCOUNT_KEY
        | SERVICE_ACCOUNT_KEY_ROTATION
        | SERVICE_ACCOUNT_KEYS => statuses.push(404),
        POLICIES if operation.method == "put" => statuses.push(412),
        VERSIONS => statuses.push(400),

        UPLOAD => statuses.extend([404, 422]),
        LINK => statuses.extend([404, 409]),
        "/user/admin/register" => statuses.push(409),
        path if path.starts_with("/adapter") => statuses.push(409),
        _ => {}
    }
    statuses.sort_unstable();
    statuses.dedup();
    statuses
}

/// Whether a person or a service account has to show who they are.
fn asks_who(access: Access) -> bool {
    access.is_guarded() && access != Access::AdapterSecret
}

fn described(operation: &Operation, access: Access, schemas: &mut Schemas) -> Value {
    let mut responses = Map::new();
    let given = match operation.gives {
        Some(shape) => json!({"description": "Done.", "content": {"application/json": {"schema": shape(schemas)}}}),
        None => json!({"description": "Done."}),
    };
    responses.insert(operation.status.to_string(), given.clone());
    if operation.method == "put" && [PROVIDER, ROLE, PERMISSION].contains(&operation.path) {
        responses.insert("201".to_owned(), given);
    }
    let problem = of::<problem::Body>(schemas);
    for status in refusals(operation, access) {
        let name = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or_default();
        let bare = status >= 500 && matches!(operation.path, "/auth/login" | "/auth/signin");
        let refused = if bare {
            json!({"description": name})
        } else {
            json!({"description": name, "content": {"application/problem+json": {"schema": problem}}})
        };
        responses.insert(status.to_string(), refused);
    }
    let security = match access {
        access if asks_who(access) => json!([{"bearer": ["account"]}]),
        Access::AdapterSecret => json!([{"adapterSecret": []}]),
        _ if operation.path == OAUTH_LOGIN => json!([{"adapterSecret": []}, {}]),
        _ => json!([]),
    };
    let summary = match access {
        Access::Permission(permission) => format!("{} (permission {permission})", operation.summary),
        Access::SelfOr(permission) => {
            format!("{} (oneself; of others, permission {permission})", operation.summary)
        }
        Access::Administrator => format!("{} (role {ADMIN})", operation.summary),
        Access::UserInPerson => format!("{} (by an access token, not by an API key)", operation.summary),
        _ => operation.summary.to_owned(),
    };
    let mut described = json!({
        "summary": summary,
        "parameters": parameters(operation),
        "responses": responses,
        "security": security,
    });
    if let (Some(shape), Some(members)) = (operation.takes, described.as_object_mut()) {
        let by_refresh_token = matches!(operation.path, "/auth/refresh" | "/auth/logout");
        let optional = by_refresh_token || ROTATIONS.contains(&operation.path);
        let kind = if operation.path == UPLOAD { "multipart/form-data" } else { "application/json" };
        let body = json!({"required": !optional, "content": {kind: {"schema": shape(schemas)}}});
        members.insert("requestBody".to_owned(), body);
        if by_refresh_token {
            members.insert("security".to_owned(), json!([{"refresh": []}, {}]));
        }
    }
    described
}

fn operations() -> Vec<Operation> {
    let operation =
        |method, path, summary, takes, status, gives| Operation { method, path, summary, takes, status, gives };
    let mut all = vec![
        operation(
            "post",
            "/auth/signup",
            "Make an account with a username",
            Some(of::<sign_up::SignUp>),
            200,
            Some(of::<sign_up::SignedUp>),
        ),
        operation(
            "post",
            "/auth/register",
            "Make an account with an e-mail address",
            Some(of::<sign_up::Register>),
            201,
            Some(of::<person::Person>),
        ),
        operation(
            "post",
            "/auth/signin",
            "Sign in with a username",
            Some(of::<sign_in::SignIn>),
            200,
            Some(of::<sign_in::SignedIn>),
        ),
        operation("post", "/auth/login", "Sign in", Some(of::<sign_in::Login>), 200, Some(of::<sign_in::LoggedIn>)),
        operation(
            "post",
            OAUTH_LOGIN,
            "Sign in by another provider's ID token, or by a linked account",
            Some(of::<oauth_login::OAuthLogin>),
            200,
            Some(of::<sign_in::LoggedIn>),
        ),
        operation(
            "post",
            "/auth/refresh",
            "Replace tokens",
            Some(of::<refresh::Presented>),
            200,
            Some(of::<tokens::Tokens>),
        ),
        operation(
            "post",
            "/auth/logout",
            "Sign out",
            Some(of::<refresh::Presented>),
            200,
            Some(of::<refresh::SignedOut>),
        ),
        operation("get", "/auth", "List people", None, 200, Some(list_of::<person::Person>)),
        operation("get", "/auth/{id}", "Show a person", None, 200, Some(of::<person::Person>)),
        operation(
            "put",
            "/auth/{id}",
            "Change a person",
            Some(of::<person::ProfileChange>),
            200,
            Some(of::<person::Person>),
        ),
        operation("put", UPLOAD, "Upload a picture", Some(of::<picture::Picture>), 200, Some(of::<picture::Uploaded>)),
        operation(
            "post",
            "/user/admin/register",
            "Make an administrator",
            Some(of::<admin::RegisterAdmin>),
            201,
            Some(of::<person::Person>),
        ),
    ];
    for path in ["/auth/me", "/users/profile", "/user/profile"] {
        all.push(operation("get", path, "Show the person of the token", None, 200, Some(of::<person::Person>)));
    }
    all.extend(of_mailed_links());
    all.extend(of_roles());
    all.extend(of_providers());
    all.extend(of_keys());
    all.extend(of_policies());
    all.extend(of_adapter());
    all
}

/// What roles give, and who holds them.
fn of_roles() -> Vec<Operation> {
    let role: Shape = Some(of::<roles::RoleShown>);
    let permission: Shape = Some(of::<roles::PermissionShown>);
    let calls: [(&str, &str, &str, Shape, u16, Shape); 11] = [
        ("get", "/roles", "List roles", None, 200, Some(list_of::<roles::RoleShown>)),
        ("get", ROLE, "Show a role", None, 200, role),
        ("put", ROLE, "Declare a role", Some(of::<roles::RoleDeclaration>), 200, role),
        ("delete", ROLE, "Remove a role, from whoever holds it too", None, 204, None),
        ("get", HOLDERS, "List who holds a role", None, 200, Some(list_of::<roles::Holder>)),
        ("get", "/permissions", "List permissions", None, 200, Some(list_of::<roles::PermissionShown>)),
        ("put", PERMISSION, "Declare a permission", Some(of::<roles::PermissionDeclaration>), 200, permission),
        ("delete", PERMISSION, "Remove a permission that no role has", None, 204, None),
        ("get", ROLES_OF, "Show somebody's roles", None, 200, Some(of::<roles::Holding>)),
        ("put", ROLE_OF, "Give somebody a role", None, 204, None),
        ("delete", ROLE_OF, "Take a role from somebody", None, 204, None),
    ];
    let operation =
        |(method, path, summary, takes, status, gives)| Operation { method, path, summary, takes, status, gives };
    calls.map(operation).into()
}

/// API keys, one's own and those of service accounts, and service accounts themselves.
fn of_keys() -> Vec<Operation> {
    let rotation: Shape = Some(of::<keys::Rotation>);
    let key: Shape = Some(of::<keys::GivenApiKey>);
    let all_keys: Shape = Some(list_of::<keys::ApiKey>);
    let new_key: Shape = Some(of::<keys::NewApiKey>);
    let account: Shape = Some(of::<service_accounts::ServiceAccount>);
    let given: Shape = Some(of::<service_accounts::GivenServiceAccount>);
    let new: Shape = Some(of::<service_accounts::NewServiceAccount>);
    let accounts: Shape = Some(list_of::<service_accounts::ServiceAccount>);
    let calls: [(&str, &str, &str, Shape, u16, Shape); 15] = [
        ("get", KEYS, "List one's own API keys", None, 200, all_keys),
        ("post", KEYS, "Make an API key for oneself", new_key, 201, key),
        ("delete", KEY, "Revoke an API key", None, 204, None),
        ("post", KEY_ROTATION, "Give an API key a new secret", rotation, 200, key),
        ("get", SERVICE_ACCOUNTS, "List service accounts", None, 200, accounts),
        ("post", SERVICE_ACCOUNTS, "Make a service account", new, 201, given),
        ("get", SERVICE_ACCOUNT, "Show a service account", None, 200, account),
        ("delete", SERVICE_ACCOUNT, "Remove a service account to which nobody signs in", None, 204, None),
        ("put", SERVICE_ACCOUNT_ROLE, "Give a service account a role", None, 200, account),
        ("delete", SERVICE_ACCOUNT_ROLE, "Take a role from a service account", None, 200, account),
        ("post", SERVICE_ACCOUNT_SECRET, "Give a service account a new secret", rotation, 200, given),
        ("get", SERVICE_ACCOUNT_KEYS, "List a service account's API keys", None, 200, all_keys),
        ("post", SERVICE_ACCOUNT_KEYS, "Make an API key for a service account", new_key, 201, key),
        ("delete", SERVICE_ACCOUNT_KEY, "Revoke a service account's API key", None, 204, None),
        ("post", SERVICE_ACCOUNT_KEY_ROTATION, "Give a service account's API key a new secret", rotation, 200, key),
    ];
    let operation =
        |(method, path, summary, takes, status, gives)| Operation { method, path, summary, takes, status, gives };
    calls.into_iter().map(operation).collect()
}

/// Other providers, and people's accounts there.
fn of_providers() -> Vec<Operation> {
    let declared: Shape = Some(of::<providers::DeclaredProvider>);
    let link: Shape = Some(of::<links::LinkedProvider>);
    let calls: [(&str, &str, &str, Shape, Shape); 6] = [
        ("get", LINKS, "List somebody's accounts at other providers", None, Some(list_of::<links::LinkedProvider>)),
        ("delete", LINK, "Unlink an account, unless it is the last way to sign in", None, link),
        ("get", "/providers", "List other providers", None, Some(list_of::<providers::DeclaredProvider>)),
        ("get", PROVIDER, "Show a provider", None, declared),
        ("put", PROVIDER, "Declare a provider", Some(of::<providers::Declaration>), declared),
        ("delete", PROVIDER, "Remove a provider", None, declared),
    ];
    let operation =
        |(method, path, summary, takes, gives)| Operation { method, path, summary, takes, status: 200, gives };
    calls.into_iter().map(operation).collect()
}

/// Policies, and the decisions that they make.
fn of_policies() -> Vec<Operation> {
    let version: Shape = Some(of::<policies::PolicyVersion>);
    let published: Shape = Some(of::<policies::PublishedVersion>);
    let new: Shape = Some(of::<policies::Policies>);
    let calls: [(&str, &str, &str, Shape, Shape); 8] = [
        ("get", POLICIES, "Show the policies in force", None, version),
        ("put", POLICIES, "Publish policies", new, published),
        (
            "post",
            "/policies/dry-run",
            "Tell which recent decisions other policies would make otherwise",
            new,
            Some(of::<policies::DryRunReport>),
        ),
        ("get", VERSIONS, "List versions, the newest first", None, Some(list_of::<policies::PolicyVersion>)),
        ("get", VERSION, "Show a version", None, version),
        ("post", RESTORATION, "Publish an older version once more", None, published),
        ("post", EVALUATION, "Ask for a decision", Some(anything), Some(anything)),
        ("post", EVALUATIONS, "Ask for many decisions at once", Some(anything), Some(anything)),
    ];
    let operation =
        |(method, path, summary, takes, gives)| Operation { method, path, summary, takes, status: 200, gives };
    calls.map(operation).into()
}

/// What mailed links do.
fn of_mailed_links() -> Vec<Operation> {
    let calls: [(&str, &str, Shape); 4] = [
        ("/auth/forgot-password", "Mail a link to choose a new password by", Some(of::<recovery::ForgotPassword>)),
        ("/auth/reset-password/{token}", "Choose a new password by a mailed link", Some(of::<recovery::ResetPassword>)),
        (
            "/auth/request-email-verification",
            "Mail a link to verify one's address by",
            Some(of::<recovery::RequestVerification>),
        ),
        ("/auth/verify-email/{token}", "Verify an address by a mailed link", None),
    ];
    let operation = |(path, summary, takes)| Operation {
        method: "post",
        path,
        summary,
        takes,
        status: 200,
        gives: Some(of::<recovery::Done>),
    };
    calls.into_iter().map(operation).collect()
}

/// The adapter's calls all answer 200.
fn of_adapter() -> Vec<Operation> {
    let user: Shape = Some(perhaps::<adapter::AdapterUser>);
    let data: Shape = Some(of::<adapter::UserData>);
    let session: Shape = Some(perhaps::<adapter::AdapterSession>);
    let account: Shape = Some(perhaps::<adapter::AdapterAccount>);
    let token: Shape = Some(perhaps::<adapter::AdapterToken>);
    let calls: [(&str, &str, &str, Shape, Shape); 24] = [
        ("post", "/signup", "Make a user", data, user),
        ("get", "/{id}", "Find a user", None, user),
        ("get", "/get-user/{id}", "Find a user", None, user),
        ("get", "/get-user-by-email", "Find a user by address", None, user),
        ("get", "/get-user-by-email/", "Find a user by address", None, user),
        ("get", "/get-user-by-account/{provider}/{account}", "Find a user by a linked account", None, user),
        ("patch", "", "Change a user", data, user),
        ("post", "", "Change a user", data, user),
        ("patch", "/", "Change a user", data, user),
        ("post", "/", "Change a user", data, user),
        ("post", "/update-user", "Change a user", data, user),
        ("patch", "/update-user", "Change a user", data, user),
        ("delete", "/{id}", "Remove a user", None, user),
        ("delete", "/delete-user/{id}", "Remove a user", None, user),
        ("post", "/link-account", "Link an account", Some(of::<adapter::AdapterAccount>), account),
        ("delete", "/unlink-account/{provider}/{account}", "Unlink an account", None, account),
        ("post", "/create-session", "Open a session", Some(of::<adapter::NewSession>), session),
        ("get", "/get-session/{token}", "Find a session and its user", None, Some(perhaps::<adapter::SessionAndUser>)),
        ("patch", "/update-session", "Move the end of a session", Some(of::<adapter::SessionChange>), session),
        ("post", "/update-session", "Move the end of a session", Some(of::<adapter::SessionChange>), session),
        ("delete", "/delete-session/{token}", "End a session", None, session),
        ("post", "/create-verification-token", "Keep a verification token", Some(of::<adapter::AdapterToken>), token),
        ("patch", "/use-verification-token", "Use a verification token", Some(of::<adapter::UsedToken>), token),
        ("post", "/use-verification-token", "Use a verification token", Some(of::<adapter::UsedToken>), token),
    ];
    let full = |path: &str| {
        router::table().iter().map(|route| route.path).find(|full| full.strip_prefix("/adapter") == Some(path))
    };
    let operations = calls.into_iter().filter_map(|(method, path, summary, takes, gives)| {
        Some(Operation { method, path: full(path)?, summary, takes, status: 200, gives })
    });
    operations.collect()
}

pub(in crate::http) fn document() -> Value {
    let table = router::table();
    let (mut paths, mut schemas) = (Map::new(), Schemas::new());
    for operation in operations() {
        let is_its = |route: &&Route| {
            route.path == operation.path
                && route.method.as_ref().is_none_or(|method| method.as_str().eq_ignore_ascii_case(operation.method))
        };
        let Some(Route { access, .. }) = table.iter().find(is_its) else { continue };
        let described = described(&operation, *access, &mut schemas);
        let item = paths.entry(operation.path).or_insert_with(|| json!({}));
        if let Some(item) = item.as_object_mut() {
            item.insert(operation.method.to_owned(), described);
        }
    }
    let mut schemas: Map<String, Value> =
        schemas.into_iter().filter_map(|(name, schema)| Some((name, serde_json::to_value(schema).ok()?))).collect();
    for name in WITH_ATTRIBUTES {
        if let Some(schema) = schemas.get_mut(name).and_then(Value::as_object_mut) {
            let attribute =
                "An attribute that the installation declares ([attributes] of its settings); no other members.";
            schema.insert("additionalProperties".to_owned(), json!({"description": attribute}));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Bonafide",
            "description": "Accounts and tokens for front ends that speak JSON, and the session adapter of NextAuth. \
                            OAuth 2.0 and OpenID Connect are described by /.well-known/openid-configuration.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "An access token with the scope account, or an API key."},
                "refresh": {"type": "apiKey", "in": "header", "name": "Authorization", "description": "Refresh TOKEN; or in the body."},
                "adapterSecret": {"type": "apiKey", "in": "header", "name": "x-auth-secret"},
            },
        },
    })
}

static TEXT: LazyLock<String> = LazyLock::new(|| format!("{:#}\n", document()));

/// The document as text, always the same for one version of the program.
pub(crate) fn text() -> &'static str {
    &TEXT
}

pub(in crate::http) async fn openapi() -> Response {
    let mut response = Response::new(Bytes::from_static(text().as_bytes()).into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, answer::NO_STORE);
    response
}
