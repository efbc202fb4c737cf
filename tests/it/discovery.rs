//! What a client learns before its first request: the metadata document under both its names.

use serde_json::Value;

use crate::support::{TestServer, at_once};

const OPENID: &str = "/.well-known/openid-configuration";
const OAUTH: &str = "/.well-known/oauth-authorization-server";

both_engines!(names_its_issuer_under_both_paths);
/// OpenID Connect Discovery 1.0 §4.3: `issuer` is, byte for byte, what the document was asked of.
async fn names_its_issuer_under_both_paths(server: TestServer) {
    let openid = server.get(OPENID).await.expect_status(200);
    let oauth = server.get(OAUTH).await.expect_status(200);

    assert_eq!(openid.header("content-type"), "application/json");
    assert_eq!(openid.header("access-control-allow-origin"), "*");
    assert_eq!(openid.body, oauth.body);
    let metadata: Value = openid.json();
    assert_eq!(metadata["issuer"], server.issuer());
    assert_eq!(metadata["jwks_uri"], format!("{}/jwks", server.issuer()));
    assert_eq!(metadata["end_session_endpoint"], format!("{}/logout", server.issuer()));
    // c_027: and `…_session_supported`, since `sid` is in ID tokens and in what applications are told.
    for channel in ["backchannel", "frontchannel"] {
        assert_eq!(metadata[format!("{channel}_logout_supported")], true, "{metadata:#}");
        assert_eq!(metadata[format!("{channel}_logout_session_supported")], true, "{metadata:#}");
    }
}

both_engines!(is_the_same_on_every_node_and_writes_nothing);
async fn is_the_same_on_every_node_and_writes_nothing(server: TestServer) {
    let second = server.second_node().await;
    let before = server.dump().await;

    let answers = at_once(20, |n| {
        let node = if n % 2 == 0 { server.wire() } else { second.wire() };
        async move { node.get(OPENID).await.expect_status(200).body }
    })
    .await;

    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
    server.dump().await.expect_same_as(&before);
}

both_engines!(names_where_tokens_are_looked_at_and_given_back);
/// RFC 8414 §2: with the ways in which clients prove themselves there; a public one may give back but not look.
async fn names_where_tokens_are_looked_at_and_given_back(server: TestServer) {
    let metadata: Value = server.get(OPENID).await.expect_status(200).json();
    let secrets = ["client_secret_basic", "client_secret_post"];
    for (name, path, methods) in [
        ("introspection", "/introspect", &secrets[..]),
        ("revocation", "/revoke", &["client_secret_basic", "client_secret_post", "none"]),
    ] {
        assert_eq!(metadata[format!("{name}_endpoint")], format!("{}{path}", server.issuer()));
        assert_eq!(metadata[format!("{name}_endpoint_auth_methods_supported")], serde_json::json!(methods));
        let endpoint = metadata[format!("{name}_endpoint")].as_str().expect("a URL").to_owned();
        server.post(&endpoint, &[("token", "x")]).await.expect_error(401, "invalid_client");
    }
}
