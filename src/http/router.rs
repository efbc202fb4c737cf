//! THE table: path, methods, who may call it. Read it and you know the surface.

use std::collections::HashSet;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{MethodRouter, any, delete, get, patch, post, put};
use tower_sessions::SessionManagerLayer;
use tower_sessions::cookie::SameSite;

use super::access::Access;
use super::answer::{self, Trouble};
use super::api::{self, Gate, adapter};
use super::caller::Caller;
use super::middleware::Surface;
use super::pages::account;
use super::protocol::{authorize, discovery, introspect, logout, revoke, token, upstream, userinfo};
use super::state::Web;
use super::{dev, middleware, pages, pictures, reasons};
use crate::access::permission::{
    ACCESS_EVALUATE, AUDIT_READ, POLICIES_READ, POLICIES_WRITE, PROVIDERS_READ, PROVIDERS_WRITE, ROLES_READ,
    ROLES_WRITE, SERVICE_ACCOUNTS_READ, SERVICE_ACCOUNTS_WRITE, USERS_READ, USERS_WRITE,
};
use crate::trace::{self, Rule};

/// What a route shares with others of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Documents that scripts of any origin may read.
    Open,
    /// Endpoints of single-page applications.
    Api,
    /// The JSON API: whoever the route's access says, and nobody else, gets to the handler.
    Json,
    /// The same, and there only where the session adapter has a secret.
    Adapter,
    /// Pages, with the session's cookie.
    Page,
}

/// A row of the table.
pub struct Route {
    pub path: &'static str,
    /// The one that the row is about; `None`: all that there are at the path. Methods that nobody has declared are refused to
    /// whoever the first row of the path lets in.
    pub method: Option<Method>,
    pub access: Access,
    kind: Kind,
    handler: MethodRouter<Arc<Web>>,
}

impl Route {
    /// Whether the row is about this.
    pub(super) fn is_for(&self, method: &str, path: &str) -> bool {
        self.path == path && self.method.as_ref().is_none_or(|own| own.as_str().eq_ignore_ascii_case(method))
    }
}

/// The table. Where a GET does more than show something, HEAD is refused: the framework would run it as a GET.
#[expect(clippy::too_many_lines, reason = "it is one table, to be read as one")]
pub fn table() -> Vec<Route> {
    use Access::{
        AdapterSecret, Administrator, Browser, Client, Development, Oneself, Permission, PermissionOrSecret, Public,
        SelfOr, Token, User, UserInPerson,
    };
    use Kind::{Adapter, Api, Json, Open, Page};
    const GET: Method = Method::GET;
    const POST: Method = Method::POST;
    const PUT: Method = Method::PUT;
    const DELETE: Method = Method::DELETE;
    let route = |path, access, kind, handler| Route { path, method: None, access, kind, handler };
    // Where the methods of a path of the JSON API differ in who may call, each has a row.
    let by = |method, path, access, handler| Route { path, method: Some(method), access, kind: Json, handler };
    vec![
        route("/.well-known/openid-configuration", Public, Open, get(discovery::metadata)),
        route("/.well-known/oauth-authorization-server", Public, Open, get(discovery::metadata)),
        route("/jwks", Public, Open, get(discovery::jwks)),
        route("/.well-known/authzen-configuration", Public, Open, get(discovery::authzen)),
        route("/access/v1/evaluation", PermissionOrSecret(ACCESS_EVALUATE), Json, post(api::evaluation)),
        route("/access/v1/evaluations", PermissionOrSecret(ACCESS_EVALUATE), Json, post(api::evaluations)),
        route("/token", Client, Api, post(token::token)),
        route("/userinfo", Token, Api, get(userinfo::userinfo).post(userinfo::userinfo)),
        route("/introspect", Client, Api, post(introspect::introspect)),
        route("/revoke", Client, Api, post(revoke::revoke)),
        route("/authorize", Browser, Page, get(authorize::get).head(method_refused).post(authorize::post)),
        route("/authorize/consent", Browser, Page, get(pages::consent::get).post(pages::consent::post)),
        route("/authorize/account", Browser, Page, get(pages::choose_account::get).post(pages::choose_account::post)),
        route("/logout", Browser, Page, get(logout::get).head(method_refused).post(logout::post)),
        route("/sign-in", Browser, Page, get(pages::sign_in::get).post(pages::sign_in::post)),
        route("/sign-in/keep", Browser, Page, post(pages::leaving::post)),
        route("/sign-up", Browser, Page, get(pages::sign_up::get).post(pages::sign_up::post)),
        route("/providers/{name}/sign-in", Browser, Page, get(pages::providers::start).head(method_refused)),
        route("/providers/{name}/callback", Browser, Page, get(pages::providers::callback).head(method_refused)),
        route("/providers/{name}/link", Browser, Page, post(pages::link_provider::begin)),
        route("/providers/{name}/backchannel-logout", Public, Api, post(upstream::backchannel_logout)),
        route("/providers/link", Browser, Page, get(pages::link_account::get).post(pages::link_account::post)),
        route("/providers/signed-out", Browser, Page, get(upstream::signed_out).head(method_refused)),
        route("/forgot-password", Browser, Page, get(pages::recovery::ask).post(pages::recovery::send)),
        route("/reset-password", Browser, Page, get(pages::recovery::choose).post(pages::recovery::reset)),
        route("/verify-email", Browser, Page, get(pages::verify_email::get).post(pages::verify_email::post)),
        route("/verify-email/send", Browser, Page, post(pages::verify_email::send)),
        route("/", Browser, Page, get(pages::home::get)),
        route("/account", Browser, Page, get(account::overview::get)),
        route("/account/profile", Browser, Page, get(account::profile::get).post(account::profile::post)),
        route("/account/picture", Browser, Page, get(account::picture::get).post(account::picture::post)),
        route("/account/email", Browser, Page, get(account::email::get).post(account::email::post)),
        route("/account/password", Browser, Page, get(account::password::get).post(account::password::post)),
        route("/account/sessions", Browser, Page, get(account::sessions::get).post(account::sessions::post)),
        route("/account/activity", Browser, Page, get(account::activity::get)),
        route("/account/apps", Browser, Page, get(account::apps::get).post(account::apps::post)),
        route("/account/providers", Browser, Page, get(account::providers::get).post(account::providers::post)),
        route("/account/data", Browser, Page, get(account::data::get).post(account::data::post)),
        route("/account/export/{id}", Browser, Page, get(account::data::export).head(method_refused)),
        route("/account/confirm", Browser, Page, get(account::confirm::get).post(account::confirm::post)),
        route("/.well-known/change-password", Public, Page, get(account::password::well_known)),
        route("/assets/{file}", Public, Open, get(pages::asset::get)),
        route("/pictures/{file}", Public, Open, get(pictures::get)),
        route("/openapi.json", Public, Open, get(api::openapi)),
        route("/docs", Public, Page, get(pages::docs::get)),
        route("/auth/signup", Public, Json, post(api::sign_up)),
        route("/auth/register", Public, Json, post(api::register)),
        route("/auth/signin", Public, Json, post(api::sign_in)),
        route("/auth/login", Public, Json, post(api::login)),
        route("/auth/oAuthlogin", Public, Json, post(api::oauth_login)),
        route("/auth/refresh", Public, Json, post(api::refresh)),
        route("/auth/logout", Public, Json, post(api::logout)),
        route("/auth/forgot-password", Public, Json, post(api::forgot_password)),
        route("/auth/reset-password/{token}", Public, Json, post(api::reset_password)),
        route("/auth/request-email-verification", User, Json, post(api::request_verification)),
        route("/auth/verify-email/{token}", Public, Json, post(api::verify_email)),
        route("/auth/me", User, Json, get(api::me)),
        route("/users/profile", User, Json, get(api::me)),
        route("/user/profile", User, Json, get(api::me)),
        route("/auth", Permission(USERS_READ), Json, get(api::list)),
        by(GET, "/auth/{id}", SelfOr(USERS_READ), get(api::show)),
        by(PUT, "/auth/{id}", SelfOr(USERS_WRITE), put(api::change)),
        by(DELETE, "/auth/{id}", SelfOr(USERS_WRITE), delete(api::leave)),
        route("/auth/{id}/restore", SelfOr(USERS_WRITE), Json, post(api::take_back)),
        route("/auth/{id}/exports", SelfOr(USERS_WRITE), Json, get(api::exports).post(api::ask_for_export)),
        route(
            "/auth/{id}/exports/{export}",
            SelfOr(USERS_WRITE),
            Json,
            get(api::fetch_export).head(api::method_refused),
        ),
        route("/auth/{id}/roles", SelfOr(ROLES_READ), Json, get(api::roles::of_person)),
        route(
            "/auth/{id}/roles/{role}",
            Permission(ROLES_WRITE),
            Json,
            put(api::roles::assign).delete(api::roles::unassign),
        ),
        route("/roles", Permission(ROLES_READ), Json, get(api::roles::list)),
        by(GET, "/roles/{name}", Permission(ROLES_READ), get(api::roles::show)),
        by(PUT, "/roles/{name}", Permission(ROLES_WRITE), put(api::roles::declare)),
        by(DELETE, "/roles/{name}", Permission(ROLES_WRITE), delete(api::roles::remove)),
        route("/roles/{name}/people", Permission(ROLES_READ), Json, get(api::roles::holders)),
        route("/permissions", Permission(ROLES_READ), Json, get(api::roles::list_permissions)),
        route(
            "/permissions/{name}",
            Permission(ROLES_WRITE),
            Json,
            put(api::roles::declare_permission).delete(api::roles::remove_permission),
        ),
        by(GET, "/auth/{id}/sessions", SelfOr(USERS_READ), get(api::sessions)),
        by(DELETE, "/auth/{id}/sessions", SelfOr(USERS_WRITE), delete(api::end_other_sessions)),
        route("/auth/{id}/sessions/{session}", SelfOr(USERS_WRITE), Json, delete(api::end_session)),
        route("/auth/{id}/apps", SelfOr(USERS_READ), Json, get(api::apps)),
        route("/auth/{id}/apps/{client}", SelfOr(USERS_WRITE), Json, delete(api::withdraw_app)),
        route("/auth/{id}/password", Oneself, Json, put(api::change_password)),
        route("/auth/{id}/email", Oneself, Json, put(api::change_email)),
        route(
            "/auth/upload-image/{id}",
            SelfOr(USERS_WRITE),
            Json,
            put(api::upload_picture).delete(api::remove_picture),
        ),
        route("/auth/{id}/providers", SelfOr(USERS_READ), Json, get(api::links)),
        route("/auth/{id}/providers/{provider}/{subject}", SelfOr(USERS_WRITE), Json, delete(api::unlink)),
        route("/auth/{id}/activity", SelfOr(AUDIT_READ), Json, get(api::activity)),
        route("/audit", Permission(AUDIT_READ), Json, get(api::audit)),
        route("/audit/export", Permission(AUDIT_READ), Json, get(api::export_audit).head(api::method_refused)),
        route("/user/admin/register", Administrator, Json, post(api::admin_register)),
        route("/providers", Permission(PROVIDERS_READ), Json, get(api::providers)),
        by(GET, "/providers/{name}", Permission(PROVIDERS_READ), get(api::provider)),
        by(PUT, "/providers/{name}", Permission(PROVIDERS_WRITE), put(api::declare_provider)),
        by(DELETE, "/providers/{name}", Permission(PROVIDERS_WRITE), delete(api::remove_provider)),
        by(GET, "/policies", Permission(POLICIES_READ), get(api::policies)),
        by(PUT, "/policies", Permission(POLICIES_WRITE), put(api::publish_policies)),
        route("/policies/dry-run", Permission(POLICIES_WRITE), Json, post(api::dry_run_policies)),
        route("/policies/versions", Permission(POLICIES_READ), Json, get(api::policy_versions)),
        route("/policies/versions/{version}", Permission(POLICIES_READ), Json, get(api::policy_version)),
        route("/policies/versions/{version}/publish", Permission(POLICIES_WRITE), Json, post(api::restore_policies)),
        route("/api-keys", UserInPerson, Json, get(api::keys).post(api::create_key)),
        route("/api-keys/{id}", UserInPerson, Json, delete(api::revoke_key)),
        route("/api-keys/{id}/rotate", UserInPerson, Json, post(api::rotate_key)),
        by(GET, "/service-accounts", Permission(SERVICE_ACCOUNTS_READ), get(api::service_accounts)),
        by(POST, "/service-accounts", Permission(SERVICE_ACCOUNTS_WRITE), post(api::create_service_account)),
        by(GET, "/service-accounts/{id}", Permission(SERVICE_ACCOUNTS_READ), get(api::service_account)),
        by(DELETE, "/service-accounts/{id}", Permission(SERVICE_ACCOUNTS_WRITE), delete(api::remove_service_account)),
        route(
            "/service-accounts/{id}/roles/{role}",
            Permission(SERVICE_ACCOUNTS_WRITE),
            Json,
            put(api::give_service_account_role).delete(api::take_service_account_role),
        ),
        route(
            "/service-accounts/{id}/secret",
            Permission(SERVICE_ACCOUNTS_WRITE),
            Json,
            post(api::rotate_service_account_secret),
        ),
        by(GET, "/service-accounts/{id}/api-keys", Permission(SERVICE_ACCOUNTS_READ), get(api::service_account_keys)),
        by(
            POST,
            "/service-accounts/{id}/api-keys",
            Permission(SERVICE_ACCOUNTS_WRITE),
            post(api::create_service_account_key),
        ),
        route(
            "/service-accounts/{id}/api-keys/{key}",
            Permission(SERVICE_ACCOUNTS_WRITE),
            Json,
            delete(api::revoke_service_account_key),
        ),
        route(
            "/service-accounts/{id}/api-keys/{key}/rotate",
            Permission(SERVICE_ACCOUNTS_WRITE),
            Json,
            post(api::rotate_service_account_key),
        ),
        route("/traces/{reference}", Permission(AUDIT_READ), Json, get(api::trace)),
        route("/adapter", AdapterSecret, Adapter, patch(adapter::update_user).post(adapter::update_user)),
        route("/adapter/", AdapterSecret, Adapter, patch(adapter::update_user).post(adapter::update_user)),
        route("/adapter/signup", AdapterSecret, Adapter, post(adapter::create_user)),
        route("/adapter/{id}", AdapterSecret, Adapter, get(adapter::user).delete(adapter::delete_user)),
        route("/adapter/get-user/{id}", AdapterSecret, Adapter, get(adapter::user)),
        route("/adapter/get-user-by-email", AdapterSecret, Adapter, get(adapter::user_by_email)),
        route("/adapter/get-user-by-email/", AdapterSecret, Adapter, get(adapter::user_by_email)),
        route(
            "/adapter/get-user-by-account/{provider}/{account}",
            AdapterSecret,
            Adapter,
            get(adapter::user_by_account),
        ),
        route("/adapter/update-user", AdapterSecret, Adapter, post(adapter::update_user).patch(adapter::update_user)),
        route("/adapter/delete-user/{id}", AdapterSecret, Adapter, delete(adapter::delete_user)),
        route("/adapter/link-account", AdapterSecret, Adapter, post(adapter::link_account)),
        route("/adapter/unlink-account/{provider}/{account}", AdapterSecret, Adapter, delete(adapter::unlink_account)),
        route("/adapter/create-session", AdapterSecret, Adapter, post(adapter::create_session)),
        route("/adapter/get-session/{token}", AdapterSecret, Adapter, get(adapter::session)),
        route(
            "/adapter/update-session",
            AdapterSecret,
            Adapter,
            patch(adapter::update_session).post(adapter::update_session),
        ),
        route("/adapter/delete-session/{token}", AdapterSecret, Adapter, delete(adapter::delete_session)),
        route("/adapter/create-verification-token", AdapterSecret, Adapter, post(adapter::create_token)),
        route(
            "/adapter/use-verification-token",
            AdapterSecret,
            Adapter,
            patch(adapter::use_token).post(adapter::use_token),
        ),
        route("/dev/app", Development, Page, get(dev::app::app)),
        route("/dev/app/start", Development, Page, get(dev::app::start)),
        route("/dev/app/callback", Development, Page, get(dev::app::callback)),
        route("/dev/app/refresh", Development, Page, get(dev::app::refresh)),
        route("/dev/mail", Development, Page, get(dev::mailbox::mailbox)),
        route("/dev/mail/{id}", Development, Page, get(dev::mailbox::message)),
    ]
}

/// The router of the table, with what happens around every handler.
pub fn router(web: Arc<Web>) -> Router {
    let sessions = SessionManagerLayer::new(web.app.sessions.clone())
        .with_name(web.cookies.session.clone())
        .with_secure(web.cookies.is_secure())
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/".to_owned());
    let envelope = |path, documents, surface| {
        from_fn_with_state(middleware::Envelope::new(web.clone(), path, documents, surface), middleware::envelope)
    };
    let mut router = Router::new();
    let mut seen = HashSet::new();
    for Route { path, access, kind, handler, .. } in table() {
        if access == Access::Development && web.demo.is_none() {
            continue;
        }
        if kind == Kind::Adapter && web.app.settings.adapter.secret.expose().is_empty() {
            continue;
        }
        let handler = match kind {
            Kind::Open => handler.fallback(method_refused),
            Kind::Api => {
                let layer = from_fn_with_state(web.clone(), middleware::public_clients);
                handler.fallback(api_method_refused).layer(layer)
            }
            Kind::Json | Kind::Adapter if seen.insert(path) => handler.fallback(api::method_refused),
            // A path has one fallback, of its first row.
            Kind::Json | Kind::Adapter => handler,
            Kind::Page => {
                let cookie = from_fn_with_state(web.clone(), middleware::session_cookie);
                handler.fallback(method_refused).layer(sessions.clone()).layer(cookie)
            }
        };
        // The declaration is the guard, of whatever kind the route is. The others prove themselves to their handlers, or need not.
        let handler = if access.is_guarded() {
            handler.layer(from_fn_with_state(Arc::new(Gate { web: web.clone(), access }), api::guard))
        } else {
            handler
        };
        router = router.route(path, handler.layer(envelope(path, kind == Kind::Open, surface(kind, path))));
    }
    let nowhere = any(answer::not_found).layer(envelope("(none)", false, Surface::Page)).with_state(web.clone());
    router.fallback_service(nowhere).with_state(web)
}

/// Who reads what a route answers.
fn surface(kind: Kind, path: &str) -> Surface {
    match (kind, path) {
        (_, "/assets/{file}") => Surface::Asset,
        (_, "/auth/signin" | "/auth/login") => Surface::JsonSignIn,
        (Kind::Json | Kind::Adapter, _) => Surface::Json,
        (Kind::Open | Kind::Api, _) => Surface::Protocol,
        (Kind::Page, _) => Surface::Page,
    }
}

async fn method_refused(State(web): State<Arc<Web>>, caller: Caller) -> Response {
    Trouble::new(StatusCode::METHOD_NOT_ALLOWED, "method-refused-title", "method-refused").page(&web, &caller)
}

/// Programs call here: a page would only break their parsers.
async fn api_method_refused() -> Response {
    trace::fail(Rule::MethodKnown, reasons::method);
    answer::refusal(StatusCode::METHOD_NOT_ALLOWED, "invalid_request", "this method is not supported here")
}
