//! Roles and permissions in tokens: for clients that are registered with the scopes, and for what they ask.

use bonafide::{
    audit::Source,
    clients::{ApiDraft, Draft},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    api_access::declare,
    api_accounts::{get, login, text},
    support::{
        Application, Flow, TestServer, Tokens,
        made::{self, SignedIn, userinfo},
    },
};

const API: &str = "https://api.example";
const SCOPE: &str = "openid offline_access roles permissions";

fn draft() -> Draft {
    Draft { scope: Some(SCOPE.to_owned()), ..made::draft() }
}

/// Somebody who has signed in, by an application that asks for this, and who holds two roles with a permission in common.
async fn signed_in(server: &TestServer, draft: Draft, scope: &str) -> SignedIn {
    declare(server, "editor", &["users:read", "roles:read"]).await;
    declare(server, "auditor", &["users:read", "policies:read"]).await;
    let (application, person) = (made::client(server, draft).await, made::person(server, "ada").await);
    for role in ["editor", "auditor", "unheard-of"] {
        server.app().accounts.grant_role("ada", role).await.expect("a role");
    }
    SignedIn::at(server, Flow::new(&application).with("scope", scope), person).await
}

async fn introspect(server: &TestServer, application: &Application, token: &str) -> Value {
    application.post(server.call(Method::POST, "/introspect"), &[("token", token)]).await.expect_status(200).json()
}

/// What is said of roles and permissions, and of nothing else.
fn said(claims: &Value) -> Value {
    json!({"roles": claims["roles"], "permissions": claims["permissions"]})
}

fn all() -> Value {
    json!({
        "roles": ["auditor", "editor", "unheard-of"],
        "permissions": ["policies:read", "roles:read", "users:read"],
    })
}

both_engines!(tokens_tell_roles_and_permissions_where_they_are_asked_for);
async fn tokens_tell_roles_and_permissions_where_they_are_asked_for(server: TestServer) {
    let ada = signed_in(&server, draft(), SCOPE).await;
    let access = ada.tokens.access_token();
    let application = made_application(&ada);
    let answers = [
        Tokens::claims(&access),
        Tokens::claims(&ada.tokens.id_token()),
        userinfo(&server.wire(), &access).await.expect_status(200).json(),
        introspect(&server, application, &access).await,
    ];
    for answer in &answers {
        assert_eq!(said(answer), all(), "{answer}");
    }

    // What is asked for, and no more.
    let narrow = ada.flow.clone().with("scope", "openid roles");
    let tokens = SignedIn::at(&server, narrow, ada.person.clone()).await.tokens;
    for token in [tokens.access_token(), tokens.id_token()] {
        let claims = Tokens::claims(&token);
        assert_eq!((&claims["roles"], claims.get("permissions")), (&all()["roles"], None), "{claims}");
    }
    let none = ada.flow.clone().with("scope", "openid");
    let tokens = SignedIn::at(&server, none, ada.person.clone()).await.tokens;
    let heard: Value = userinfo(&server.wire(), &tokens.access_token()).await.expect_status(200).json();
    for claims in [Tokens::claims(&tokens.access_token()), Tokens::claims(&tokens.id_token()), heard] {
        assert_eq!((claims.get("roles"), claims.get("permissions")), (None, None), "{claims}");
    }

    // AP-07: a refresh, userinfo and introspection tell what is so then.
    server.app().accounts.revoke_role("ada", "editor").await.expect("somebody");
    let now = json!({"roles": ["auditor", "unheard-of"], "permissions": ["policies:read", "users:read"]});
    let heard: Value = userinfo(&server.wire(), &access).await.expect_status(200).json();
    assert_eq!(said(&heard), now);
    assert_eq!(said(&introspect(&server, application, &access).await), now);
    let fresh = ada.refreshed(&ada.tokens.refresh_token()).await;
    assert_eq!(said(&Tokens::claims(&fresh.access_token())), now);
    assert_eq!(said(&Tokens::claims(&fresh.id_token())), now);
    // A part of the grant is a part of the claims.
    let fields =
        [("grant_type", "refresh_token"), ("refresh_token", &fresh.refresh_token()), ("scope", "openid permissions")];
    let part = ada.flow.token(&server.wire(), &fields).await.expect_tokens();
    let claims = Tokens::claims(&part.access_token());
    assert_eq!((claims.get("roles"), &claims["permissions"]), (None, &now["permissions"]), "{claims}");
    for role in ["auditor", "unheard-of"] {
        server.app().accounts.revoke_role("ada", role).await.expect("somebody");
    }
    let heard: Value = userinfo(&server.wire(), &access).await.expect_status(200).json();
    assert_eq!(said(&heard), json!({"roles": [], "permissions": []}), "none is an answer too");
}

fn made_application(signed_in: &SignedIn) -> &Application {
    &signed_in.flow.application
}

both_engines!(opaque_tokens_are_read_afresh);
async fn opaque_tokens_are_read_afresh(server: TestServer) {
    let ada = signed_in(&server, Draft { token_format: Some("opaque".to_owned()), ..draft() }, SCOPE).await;
    let access = ada.tokens.access_token();
    let heard: Value = userinfo(&server.wire(), &access).await.expect_status(200).json();
    assert_eq!(said(&heard), all());
    assert_eq!(said(&introspect(&server, made_application(&ada), &access).await), all());
    declare(&server, "editor", &[]).await;
    declare(&server, "auditor", &["policies:read"]).await;
    let now = json!({"roles": all()["roles"], "permissions": ["policies:read"]});
    assert_eq!(said(&introspect(&server, made_application(&ada), &access).await), now);
}

both_engines!(a_client_asks_for_what_it_is_registered_with);
async fn a_client_asks_for_what_it_is_registered_with(server: TestServer) {
    made::api(&server, ApiDraft { audience: API.to_owned(), ..ApiDraft::default() }).await;
    // For any API.
    let ada = signed_in(&server, Draft { api: Some(API.to_owned()), ..draft() }, SCOPE).await;
    let claims = Tokens::claims(&ada.tokens.access_token());
    assert_eq!((&claims["aud"], said(&claims)), (&json!(API), all()));
    let other = made::client(&server, made::draft()).await;
    let flow = Flow::new(&other).with("scope", SCOPE);
    let mut browser = server.browser();
    let reply = flow.sign_in(&mut browser, &ada.person).await;
    reply.expect_error(&flow, server.issuer(), "invalid_scope");

    let published: Value = server.get("/.well-known/openid-configuration").await.expect_status(200).json();
    for member in ["scopes_supported", "claims_supported"] {
        let names = published[member].as_array().expect("a list");
        for name in ["roles", "permissions"] {
            assert_eq!(names.iter().filter(|known| **known == name).count(), 1, "{member}: {names:?}");
        }
    }
}

both_engines!(a_service_account_is_told_what_it_may_do);
async fn a_service_account_is_told_what_it_may_do(server: TestServer) {
    made::api(&server, ApiDraft { audience: API.to_owned(), ..ApiDraft::default() }).await;
    declare(&server, "editor", &["users:read", "roles:read"]).await;
    let expected = json!({"roles": ["editor"], "permissions": ["roles:read", "users:read"]});
    for (format, audience) in [("at+jwt", None), ("at+jwt", Some(API)), ("opaque", None), ("opaque", Some(API))] {
        let draft = Draft {
            scope: Some("roles permissions".to_owned()),
            token_format: Some(format.to_owned()),
            api: audience.map(str::to_owned),
            ..made::service()
        };
        let application = made::client(&server, draft).await;
        let (accounts, id) = (&server.app().service_accounts, &application.id);
        accounts.assign(id, "editor", true, None, &Source::default()).await.expect("a role");
        server.app().reload().await.expect("reading it again");
        let ask = async |scope: &[(&str, &str)]| {
            let fields = [&[("grant_type", "client_credentials")], scope].concat();
            Tokens(application.post(server.call(Method::POST, "/token"), &fields).await).expect_tokens()
        };
        let tokens = ask(&[]).await;
        assert_eq!(tokens.json::<Value>()["scope"], "permissions roles");
        let token = tokens.access_token();
        if format == "at+jwt" {
            assert_eq!(said(&Tokens::claims(&token)), expected);
        }
        assert_eq!(said(&introspect(&server, &application, &token).await), expected);
        let narrow = ask(&[("scope", "roles")]).await.access_token();
        let heard = introspect(&server, &application, &narrow).await;
        assert_eq!((&heard["roles"], heard.get("permissions")), (&expected["roles"], None), "{heard}");
        accounts.assign(id, "editor", false, None, &Source::default()).await.expect("a role");
        let heard = introspect(&server, &application, &token).await;
        assert_eq!(said(&heard), json!({"roles": [], "permissions": []}));
    }
}

both_engines!(json_sign_in_tells_them_where_its_client_is_registered_so);
async fn json_sign_in_tells_them_where_its_client_is_registered_so(server: TestServer) {
    let ada = made::person(&server, "ada").await;
    declare(&server, "reader", &["users:read"]).await;
    server.app().accounts.grant_role("ada", "reader").await.expect("a role");
    let token = text(&login(&server, &ada).await, "accessToken").to_owned();
    let claims = Tokens::claims(&token);
    assert_eq!((claims.get("roles"), claims.get("permissions")), (None, None), "{claims}");
    let id = server.app().settings.credentials.client_id.clone();
    let update = ["client", "update", &id, "--scope", "account offline_access roles permissions"];
    server.cli(&update).await.expect_success();
    server.app().reload().await.expect("reading it again");
    let token = text(&login(&server, &ada).await, "accessToken").to_owned();
    assert_eq!(said(&Tokens::claims(&token)), json!({"roles": ["reader"], "permissions": ["users:read"]}));
    get(&server, "/auth", &token).await.expect_status(200);
}

both_engines!(consent_says_what_will_be_told);
async fn consent_says_what_will_be_told(server: TestServer) {
    let (application, ada) = (made::client(&server, draft()).await, made::person(&server, "ada").await);
    let (mut browser, flow) = (server.browser(), Flow::new(&application));
    let sentences = ["See which roles you have", "See what you are allowed to do"];
    flow.clone().with("scope", "openid").sign_in(&mut browser, &ada).await.code();
    let page = flow.clone().with("scope", "openid roles").open(&mut browser).await.expect_status(200);
    assert_eq!(sentences.map(|sentence| page.body.contains(sentence)), [true, false], "{page:#?}");
    let page = flow.with("scope", SCOPE).open(&mut browser).await.expect_status(200);
    assert_eq!(sentences.map(|sentence| page.body.contains(sentence)), [true, true], "{page:#?}");
}
