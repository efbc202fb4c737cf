//! The plan Back-Channel Logout OP (requirements 109 to 111): the call comes to the suite's own https address.

use serde_json::json;

use super::{
    checks::verified,
    rp_initiated::{log_out, returned, signed_in},
};

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backchannel_rp_initiated_logout() {
    let (mut module, done) = signed_in("backchannel").await;
    assert!(done.id_token["sid"].is_string(), "{}", done.id_token);
    let uri = module.at("post_logout_redirect");
    let parameters = [("id_token_hint", done.hint()), ("post_logout_redirect_uri", &uri), ("state", "s.t_a~te")];
    let visit = log_out(&mut module, &parameters).await;
    assert_eq!(returned(&module, &visit), [("state".to_owned(), "s.t_a~te".to_owned())].into());

    let calls = module.suite.receiver.calls("/test/a/bonafide-backchannel/backchannel_logout").await;
    assert_eq!(calls.len(), 1, "{calls:#?}");
    let call = &calls[0];
    assert_eq!((call.method.as_str(), call.tls), ("POST", "TLSv1.3"));
    let header = |name: &str| call.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    assert_eq!(header("content-type"), Some("application/x-www-form-urlencoded"));
    let fields: Vec<(String, String)> = form_urlencoded::parse(call.body.as_bytes()).into_owned().collect();
    assert_eq!(fields.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["logout_token"]);

    let token = &fields[0].1;
    assert_eq!(jsonwebtoken::decode_header(token).expect("a header").typ.as_deref(), Some("logout+jwt"));
    let claims = verified(&module.keys, token);
    assert_eq!(claims["iss"], module.suite.issuer.as_str());
    assert_eq!(claims["aud"], module.client("client").id);
    assert_eq!(claims["events"], json!({EVENT: {}}));
    assert_eq!((&claims["sub"], &claims["sid"]), (&done.id_token["sub"], &done.id_token["sid"]));
    let (now, at) = (chrono::Utc::now().timestamp(), |name: &str| claims[name].as_i64().expect("a time"));
    assert!((at("iat") - now).abs() < 60 && at("exp") > now && at("exp") <= at("iat") + 120, "{claims:#}");
    assert!(claims["jti"].as_str().is_some_and(|jti| !jti.is_empty()), "{claims:#}");
    assert_eq!(claims.get("nonce"), None, "{claims:#}");
    module.expect_signed_out().await;
}
