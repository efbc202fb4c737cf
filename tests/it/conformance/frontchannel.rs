//! The plan Front-Channel Logout OP (requirements 113, 114): a browser like `HtmlUnit`, which runs no script of a module,
//! loads the frames and goes on by the page's refresh.

use super::rp_initiated::{log_out, returned, signed_in};
use crate::support::unique_parameters;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frontchannel_rp_initiated_logout() {
    let (mut module, done) = signed_in("frontchannel").await;
    let uri = module.at("post_logout_redirect");
    let parameters = [("id_token_hint", done.hint()), ("post_logout_redirect_uri", &uri), ("state", "a b+c&d")];
    let visit = log_out(&mut module, &parameters).await;
    assert_eq!(visit.end.status, 200, "{:#?}", visit.end);
    assert!(visit.end.elements("meta").iter().any(|meta| meta.attribute("http-equiv") == Some("refresh")));
    assert_eq!(returned(&module, &visit), [("state".to_owned(), "a b+c&d".to_owned())].into());

    let frames = visit.end.elements("iframe");
    assert_eq!(frames.len(), 1, "{:#?}", visit.end);
    let url: url::Url = frames[0].attribute("src").expect("an address").parse().expect("a URL");
    assert_eq!(url.as_str().split('?').next(), Some(module.at("frontchannel_logout").as_str()));
    let sid = done.id_token["sid"].as_str().expect("a sid").to_owned();
    let expected = [("iss".to_owned(), module.suite.issuer.clone()), ("sid".to_owned(), sid)];
    assert_eq!(unique_parameters(&url), expected.into());
    // Nothing that an old browser takes for "do not load".
    for attribute in ["loading", "hidden", "srcdoc"] {
        assert_eq!(frames[0].attribute(attribute), None);
    }
    let policy = visit.end.header("content-security-policy");
    let sources = policy.split(';').find_map(|rule| rule.trim().strip_prefix("frame-src ")).expect("frame-src");
    assert!(sources.split(' ').any(|source| module.suite.address == source), "{policy}");
    module.expect_signed_out().await;
}
