//! Signing in with another provider: the way there and back, who somebody is here then, and what they prove first.

use bonafide::{clients::Draft, identity::NewAccount};
use reqwest::Method;
use serde_json::{Value, json};
use url::Url;

use crate::{
    engines::{can_sign_in, lines},
    support::{
        Answer, Browser, Engine, Fault, Flow, Mailbox, Person, ReceivedMail, Stub, TestServer, Tokens, Upstream,
        made::{self, draft},
        unique_parameters,
    },
};

const QUICK: [(&str, &str); 2] = [("passwords.memory", "19456"), ("passwords.iterations", "1")];
const GOOD: &str = "plum violin 42 harbour";

/// A server that knows the stub as its provider `stub`, and an application of the house.
pub(crate) struct Stage {
    pub(crate) stub: Stub,
    pub(crate) server: TestServer,
    pub(crate) flow: Flow,
}

impl Stage {
    pub(crate) async fn new(engine: Engine) -> Self {
        Self::with(engine, &[]).await
    }

    pub(crate) async fn with(engine: Engine, more: &[(&str, &str)]) -> Self {
        let stub = Stub::listen().await;
        let settings = stub.settings("stub");
        Self::at(stub, &settings, engine, more).await
    }

    /// The same where mail reaches people.
    pub(crate) async fn with_mail(engine: Engine, more: &[(&str, &str)]) -> (Self, Mailbox) {
        let (stub, mailbox) = (Stub::listen().await, Mailbox::listen().await);
        let settings = [stub.settings("stub"), mailbox.settings()].concat();
        (Self::at(stub, &settings, engine, more).await, mailbox)
    }

    /// The same with these settings for the stub.
    pub(crate) async fn at(stub: Stub, settings: &[(String, String)], engine: Engine, more: &[(&str, &str)]) -> Self {
        let settings = settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let all: Vec<(&str, &str)> = QUICK.into_iter().chain(settings).chain(more.iter().copied()).collect();
        let server = TestServer::with(engine, &all).await;
        stub.follow(server.clock());
        let application = server.application(&house()).await;
        Self { stub, server, flow: Flow::new(&application) }
    }

    /// From the application to the sign-in page, and on to the provider: where the browser is sent.
    pub(crate) async fn leave(&self, browser: &mut Browser) -> Url {
        self.leave_for(&self.flow, browser, "stub").await
    }

    pub(crate) async fn leave_for(&self, flow: &Flow, browser: &mut Browser, provider: &str) -> Url {
        let page = flow.open(browser).await.expect_status(200);
        leave_from(&page, browser, provider).await
    }

    /// Comes back from the provider, and goes on as far as this server leads.
    pub(crate) async fn come_back(&self, browser: &mut Browser, url: &Url) -> Answer {
        let answer = come_back(browser, url).await;
        browser.follow(answer).await
    }

    /// The whole way as somebody with these claims there; where it ends here.
    pub(crate) async fn arrive(&self, browser: &mut Browser, claims: Value) -> Answer {
        let request = self.leave(browser).await;
        self.come_back(browser, &self.stub.answer(&request, claims)).await
    }

    /// The same, back to the application: the claims of its ID token.
    pub(crate) async fn sign_in(&self, browser: &mut Browser, claims: Value) -> Value {
        let answer = self.arrive(browser, claims).await;
        self.id_token(&answer).await
    }

    pub(crate) async fn id_token(&self, answer: &Answer) -> Value {
        Tokens::claims(&self.tokens(answer).await.id_token())
    }

    pub(crate) async fn tokens(&self, answer: &Answer) -> Tokens {
        let reply = self.flow.reply(answer).unwrap_or_else(|| panic!("not the application: {answer:#?}"));
        self.flow.exchange(&self.server.wire(), reply.code()).await.expect_tokens()
    }

    /// Whether somebody is signed in in this browser.
    pub(crate) async fn is_signed_in(&self, browser: &Browser) -> bool {
        let silent = self.flow.clone().with("prompt", "none");
        let answer = silent.begin(&mut browser.clone()).await;
        silent.reply(&answer).expect("an answer").parameters.contains_key("code")
    }

    /// How many rows a table has.
    pub(crate) async fn count(&self, table: &str) -> usize {
        lines(&self.server, &format!("SELECT 'x' AS line FROM {table}")).await.len()
    }
}

fn house() -> Draft {
    Draft { first_party: Some(true), claims_in_id_token: Some(true), ..draft() }
}

/// Follows the sign-in page's link to a provider.
pub(crate) async fn leave_from(page: &Answer, browser: &mut Browser, provider: &str) -> Url {
    let link = page.element(&format!("provider-{provider}"));
    let answer = browser.get(link.attribute("href").expect("a link")).await;
    assert!(answer.status.is_redirection(), "{answer:#?}");
    answer.location()
}

/// Comes back from a provider: as a browser does from another site.
pub(crate) async fn come_back(browser: &mut Browser, url: &Url) -> Answer {
    let call = browser.call(Method::GET, url.as_str()).header("sec-fetch-site", "cross-site");
    browser.send(call).await
}

/// May, whose address is proven there.
pub(crate) fn may() -> Value {
    json!({ "sub": "108", "email": "may@example.org", "email_verified": true, "name": "May Day", "given_name": "May" })
}

/// The same claims, and these besides or instead.
fn with(mut claims: Value, more: &Value) -> Value {
    claims.as_object_mut().expect("claims").extend(more.as_object().expect("claims").clone());
    claims
}

/// The code in a mail: two groups of four digits, as people read it.
fn code_in(mail: &ReceivedMail) -> String {
    let text = mail.text();
    let words: Vec<&str> = text.split_whitespace().map(|word| word.trim_end_matches('.')).collect();
    let is_group = |word: &str| word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit());
    let pair = words.windows(2).find(|pair| is_group(pair[0]) && is_group(pair[1]));
    pair.unwrap_or_else(|| panic!("no code in {text}")).join(" ")
}

/// Proves the mailbox on the page that asks for it, in two tries; where it ends here.
pub(crate) async fn prove_by_code(browser: &mut Browser, page: &Answer, mailbox: &Mailbox) -> Answer {
    let before = mailbox.received().len();
    let sent = browser.submit(&page.form_of("send-code"), Some("send-code"), &[]).await;
    let sent = browser.follow(sent).await.expect_status(200);
    let mail = mailbox.nth(before + 1).await;
    assert_eq!(mail.to, ["may@example.org"]);
    let code = code_in(&mail);
    let wrong = if code == "0000 0000" { "0000 0001" } else { "00000000" };
    let refused = browser.submit(&sent.form_of("verify-code"), Some("verify-code"), &[("code", wrong)]).await;
    let refused = refused.expect_status(422);
    let done = browser.submit(&refused.form_of("verify-code"), Some("verify-code"), &[("code", &code)]).await;
    browser.follow(done).await
}

each_engine!(al_18_somebody_is_known_by_issuer_and_subject);
/// ASVS 6.8.1: an address is nobody's name.
async fn al_18_somebody_is_known_by_issuer_and_subject(engine: Engine) {
    let stage = Stage::new(engine).await;
    let first = stage.sign_in(&mut stage.server.browser(), may()).await;
    assert_eq!((&first["email"], &first["email_verified"]), (&json!("may@example.org"), &json!(true)));
    assert_eq!((&first["name"], &first["given_name"]), (&json!("May Day"), &json!("May")));
    assert_eq!((stage.count("users").await, stage.count("linked_accounts").await), (1, 1));
    assert_eq!(stage.stub.requests("/token"), 1);
    // The same subject, whatever its address is now.
    let moved = with(may(), &json!({ "email": "may@elsewhere.example", "name": "May June" }));
    let again = stage.sign_in(&mut stage.server.browser(), moved).await;
    assert_eq!((&again["sub"], &again["name"]), (&first["sub"], &first["name"]), "taken over at creation only");
    assert_eq!(stage.count("users").await, 1);
    // Another subject with her address is not May.
    let mut other = stage.server.browser();
    let page = stage.arrive(&mut other, with(may(), &json!({ "sub": "109" }))).await;
    assert!(stage.flow.reply(&page).is_none(), "{page:#?}");
    assert!(page.url.path() == "/providers/link", "{page:#?}");
    assert!(!stage.is_signed_in(&other).await);
    assert_eq!((stage.count("users").await, stage.count("linked_accounts").await), (1, 1));
}

each_engine!(the_provider_is_asked_for_what_the_application_asked_for);
async fn the_provider_is_asked_for_what_the_application_asked_for(engine: Engine) {
    let stage = Stage::new(engine).await;
    let mut browser = stage.server.browser();
    let flow = stage.flow.clone().with("login_hint", "may@example.org").with("ui_locales", "de en");
    let page = flow.open(&mut browser).await.expect_status(200);
    let request = leave_from(&page, &mut browser, "stub").await;
    let asked = unique_parameters(&request);
    let get = |name: &str| asked.get(name).map(String::as_str);
    assert_eq!(request.as_str().split('?').next(), Some(&*format!("{}/authorize", stage.stub.issuer)));
    assert_eq!(get("response_type"), Some("code"));
    assert_eq!(get("client_id"), Some(&*stage.stub.client_id));
    let callback = format!("{}/providers/stub/callback", stage.server.issuer());
    assert_eq!(get("redirect_uri"), Some(&*callback));
    assert_eq!(get("scope"), Some("openid profile email"));
    assert_eq!(get("code_challenge_method"), Some("S256"));
    assert_eq!((get("login_hint"), get("ui_locales")), (Some("may@example.org"), Some("de en")));
    for secret in ["state", "nonce", "code_challenge"] {
        assert!(get(secret).is_some_and(|value| value.len() >= 32), "{secret} {asked:?}");
    }
    // What is told without being asked: nothing of the application.
    assert_ne!(get("state"), Some(flow.parameter("state")));
    assert_ne!(get("nonce"), Some(flow.parameter("nonce")));
    // Every round has its own.
    let another = unique_parameters(&leave_from(&page, &mut browser, "stub").await);
    for secret in ["state", "nonce", "code_challenge"] {
        assert_ne!(another[secret], asked[secret], "{secret}");
    }
    // And back to the request that began it.
    let answer = stage.come_back(&mut browser, &stage.stub.answer(&request, may())).await;
    let reply = flow.reply(&answer).expect("the application");
    assert_eq!(reply.parameters["state"], flow.parameter("state"));
    let tokens = flow.exchange(&stage.server.wire(), reply.code()).await.expect_tokens();
    assert_eq!(Tokens::claims(&tokens.id_token())["nonce"], flow.parameter("nonce"));
}

each_engine!(what_the_provider_proves_is_what_counts);
/// `acr`, `amr` and `auth_time` are the provider's, by rules; nothing of it where it says nothing.
async fn what_the_provider_proves_is_what_counts(engine: Engine) {
    let rules = ("providers.stub.assurance", "acr:gold=urn:test:gold, amr:hwk=urn:test:key");
    let stage = Stage::with(engine, &[rules]).await;
    let now = stage.server.now().timestamp();
    let bare = stage.sign_in(&mut stage.server.browser(), may()).await;
    assert_eq!((&bare["acr"], bare.get("auth_time")), (&json!("0"), None), "{bare}");
    for (said, acr) in [
        (json!({ "acr": "gold", "amr": ["hwk"] }), "urn:test:gold"),
        (json!({ "acr": "brass", "amr": ["pwd", "hwk"] }), "urn:test:key"),
        (json!({ "acr": "urn:test:gold", "amr": ["pwd"] }), "0"),
    ] {
        let told = stage.sign_in(&mut stage.server.browser(), with(may(), &said)).await;
        assert_eq!(told["acr"], acr, "{told}");
    }

    let mut browser = stage.server.browser();
    let long_ago = with(may(), &json!({ "auth_time": now - 3600 }));
    assert_eq!(stage.sign_in(&mut browser, long_ago.clone()).await["auth_time"], now - 3600);
    assert!(stage.is_signed_in(&browser).await);
    // An hour is too long for some.
    let young = stage.flow.clone().with("max_age", "60");
    let silent = young.clone().with("prompt", "none");
    let answer = silent.begin(&mut browser).await;
    let reply = silent.reply(&answer).expect("no page");
    reply.expect_error(&silent, stage.server.issuer(), "login_required");
    let request = stage.leave_for(&young, &mut browser, "stub").await;
    assert_eq!(unique_parameters(&request)["max_age"], "60");
    let answer = stage.come_back(&mut browser, &stage.stub.answer(&request, long_ago)).await;
    assert!(young.reply(&answer).is_none_or(|reply| !reply.parameters.contains_key("code")), "{answer:#?}");
    // The control: just now.
    let request = stage.leave_for(&young, &mut browser, "stub").await;
    let fresh = with(may(), &json!({ "auth_time": stage.server.now().timestamp() }));
    let answer = stage.come_back(&mut browser, &stage.stub.answer(&request, fresh)).await;
    young.reply(&answer).expect("the application").code();
}

each_engine!(claims_are_found_at_userinfo_too);
async fn claims_are_found_at_userinfo_too(engine: Engine) {
    let rules = [
        ("providers.stub.profile_at_creation", "name, picture=photo.large"),
        ("providers.stub.profile_always", "family_name=last"),
    ];
    let stage = Stage::with(engine, &rules).await;
    stage.stub.keep_claims_to_userinfo();
    let told = json!({ "photo": { "large": "https://pictures.example/may.png" }, "last": "Day" });
    let first = stage.sign_in(&mut stage.server.browser(), with(may(), &told)).await;
    assert_eq!(first["email"], "may@example.org");
    assert_eq!((&first["picture"], &first["family_name"]), (&json!("https://pictures.example/may.png"), &json!("Day")));
    assert_eq!(first.get("given_name"), None, "no rule takes it");
    let told = json!({ "photo": { "large": "https://pictures.example/june.png" }, "last": "June" });
    let again = stage.sign_in(&mut stage.server.browser(), with(may(), &told)).await;
    assert_eq!(again["picture"], first["picture"]);
    assert_eq!(again["family_name"], "June");
    assert_eq!(stage.stub.requests("/userinfo"), 2);
}

each_engine!(roles_come_and_go_with_the_groups_there);
async fn roles_come_and_go_with_the_groups_there(engine: Engine) {
    let stage = Stage::with(engine, &[("providers.stub.roles", "staff=editor, chiefs=auditor")]).await;
    let roles = async || lines(&stage.server, "SELECT role AS line FROM user_roles ORDER BY role").await;
    let groups = |groups: Value| with(may(), &json!({ "groups": groups }));
    stage.sign_in(&mut stage.server.browser(), groups(json!(["staff", "chiefs", "admin"]))).await;
    assert_eq!(roles().await, ["auditor", "editor"]);
    stage.server.cli(&["user", "grant", "keeper", "may@example.org"]).await.expect_success();
    stage.sign_in(&mut stage.server.browser(), groups(json!("staff"))).await;
    assert_eq!(roles().await, ["editor", "keeper"], "what somebody here gave stays");
    stage.sign_in(&mut stage.server.browser(), may()).await;
    assert_eq!(roles().await, ["keeper"]);
}

each_engine!(an_account_that_is_there_is_linked_by_its_password);
/// Decision 5 of the threats: never by the address alone.
async fn an_account_that_is_there_is_linked_by_its_password(engine: Engine) {
    let stage = Stage::new(engine).await;
    let ada = made::person(&stage.server, "ada").await;
    let claims = with(may(), &json!({ "email": "ADA@example.org" }));
    let mut browser = stage.server.browser();
    let page = stage.arrive(&mut browser, claims.clone()).await.expect_status(200);
    assert_eq!(page.url.path(), "/providers/link", "{page:#?}");
    assert!(!stage.is_signed_in(&browser).await);
    assert_eq!(stage.count("linked_accounts").await, 0);
    let form = page.form_of("link-account");
    let wrong = browser.submit(&form, Some("link-account"), &[("password", "not hers")]).await;
    assert_eq!(wrong.status, 422, "{wrong:#?}");
    assert_eq!(stage.count("linked_accounts").await, 0);
    let page = browser.get(page.url.as_str()).await.expect_status(200);
    // Another browser has nothing to prove there.
    let other = stage.server.browser().get(page.url.as_str()).await;
    assert!(!other.status.is_success(), "{other:#?}");
    let form = page.form_of("link-account");
    let done = browser.submit(&form, Some("link-account"), &[("password", &ada.password)]).await;
    let done = browser.follow(done).await;
    assert_eq!(stage.id_token(&done).await["sub"], *ada.id);
    assert_eq!(stage.count("linked_accounts").await, 1);
    // From now on without asking, and her password is hers still.
    assert_eq!(stage.sign_in(&mut stage.server.browser(), claims).await["sub"], *ada.id);
    assert!(can_sign_in(&stage.server.wire(), &ada).await);
    // Once.
    let again = browser.submit(&form, Some("link-account"), &[("password", &ada.password)]).await;
    assert!(!again.status.is_success() && !again.status.is_redirection(), "{again:#?}");
}

each_engine!(al_14_al_15_al_16_what_a_stranger_has_prepared_ends_with_the_proof_of_the_mailbox);
/// The classic pre-hijacking: somebody makes an account with another's address, keeps their session, and waits.
async fn al_14_al_15_al_16_what_a_stranger_has_prepared_ends_with_the_proof_of_the_mailbox(engine: Engine) {
    let (stage, mailbox) = Stage::with_mail(engine, &[("accounts.require_verified_email", "false")]).await;
    let account = NewAccount {
        email: Some("may@example.org".to_owned()),
        username: Some("mallory".to_owned()),
        password: Some(GOOD.to_owned()),
        ..NewAccount::default()
    };
    stage.server.app().accounts.create(account).await.expect("an account");
    let mallory = Person {
        id: String::new(),
        username: "mallory".to_owned(),
        email: String::new(),
        name: String::new(),
        password: GOOD.to_owned(),
    };
    let mut stranger = stage.server.browser();
    let tokens = stage.flow.tokens(&stage.server.wire(), &mut stranger, &mallory).await;
    assert!(stage.is_signed_in(&stranger).await, "the control");

    let mut browser = stage.server.browser();
    let page = stage.arrive(&mut browser, may()).await.expect_status(200);
    assert_eq!(page.url.path(), "/providers/link", "{page:#?}");
    assert_eq!(stage.count("linked_accounts").await, 0);
    let done = prove_by_code(&mut browser, &page, &mailbox).await;
    let claims = stage.id_token(&done).await;
    assert_eq!((&claims["email"], &claims["email_verified"]), (&json!("may@example.org"), &json!(true)));

    assert!(!stage.is_signed_in(&stranger).await, "AL-15");
    stage.flow.refresh(&stage.server.wire(), &tokens.refresh_token()).await.0.expect_error(400, "invalid_grant");
    assert!(!can_sign_in(&stage.server.wire(), &mallory).await, "AL-14");
    assert_eq!(stage.sign_in(&mut stage.server.browser(), may()).await["sub"], claims["sub"]);
}

each_engine!(al_17_an_address_that_the_provider_has_not_proven_opens_nothing);
/// nOAuth: false, missing, and a text that says so.
async fn al_17_an_address_that_the_provider_has_not_proven_opens_nothing(engine: Engine) {
    let stage = Stage::new(engine).await;
    let ada = made::person(&stage.server, "ada").await;
    for (subject, verified) in [("1", json!(false)), ("2", Value::Null), ("3", json!("false")), ("4", json!("true"))] {
        let mut claims = json!({ "sub": subject, "email": ada.email, "name": "Not Ada", "email_verified": verified });
        if verified.is_null() {
            claims.as_object_mut().unwrap().remove("email_verified");
        }
        let mut browser = stage.server.browser();
        // Without mail nobody can prove it: an account of its own, without the address.
        let answer = stage.arrive(&mut browser, claims).await;
        let told = stage.id_token(&answer).await;
        assert_ne!(told["sub"], *ada.id, "{verified}");
        assert_eq!(told.get("email"), None, "{told}");
    }
    let hers = "SELECT account_id AS line FROM linked_accounts JOIN users ON users.id = user_id WHERE username = 'ada'";
    assert!(lines(&stage.server, hers).await.is_empty());
    assert!(can_sign_in(&stage.server.wire(), &ada).await);

    // With mail it is asked for, and the password is not: nobody learns from it whose the address is.
    let (stage, mailbox) = Stage::with_mail(engine, &[]).await;
    let ada = made::person(&stage.server, "ada").await;
    for (subject, email) in [("1", ada.email.as_str()), ("2", "nobody@example.org")] {
        let mut browser = stage.server.browser();
        let claims = json!({ "sub": subject, "email": email, "email_verified": "true", "name": "Not Ada" });
        let page = stage.arrive(&mut browser, claims).await.expect_status(200);
        assert_eq!(page.url.path(), "/providers/link", "{page:#?}");
        assert!(page.forms().iter().all(|form| !form.has("password")), "{page:#?}");
        assert!(!stage.is_signed_in(&browser).await);
    }
    assert_eq!(stage.count("linked_accounts").await, 0);
    assert!(mailbox.received().is_empty(), "nothing is mailed before somebody asks");
}

each_engine!(signing_out_goes_on_to_the_provider_and_comes_back);
async fn signing_out_goes_on_to_the_provider_and_comes_back(engine: Engine) {
    let stage = Stage::new(engine).await;
    let mut browser = stage.server.browser();
    stage.sign_in(&mut browser, with(may(), &json!({ "sid": "upstream-1" }))).await;
    let page = browser.get("/logout").await.expect_status(200);
    let answer = browser.submit(&page.form("/logout"), Some("sign-out"), &[]).await;
    let answer = browser.follow(answer).await;
    let there = answer.location();
    assert!(there.as_str().starts_with(&format!("{}/end_session?", stage.stub.issuer)), "{there}");
    let asked = unique_parameters(&there);
    assert_eq!(asked["post_logout_redirect_uri"], format!("{}/providers/signed-out", stage.server.issuer()));
    assert_eq!(Tokens::claims(&asked["id_token_hint"])["sub"], "108");
    assert!(!stage.is_signed_in(&browser).await, "here it is over already");
    let mut back = Url::parse(&asked["post_logout_redirect_uri"]).unwrap();
    back.query_pairs_mut().append_pair("state", &asked["state"]);
    let done = come_back(&mut browser, &back).await;
    browser.follow(done).await.expect_status(200);
}

each_engine!(a_provider_that_is_down_harms_nobody_else);
async fn a_provider_that_is_down_harms_nobody_else(engine: Engine) {
    let stage = Stage::new(engine).await;
    let ada = made::person(&stage.server, "ada").await;
    for fault in [Fault::DiscoveryFails, Fault::DiscoveryGarbage, Fault::DiscoveryEndless] {
        stage.stub.set_fault(fault);
        stage.server.advance_seconds(60);
        let mut browser = stage.server.browser();
        let page = stage.flow.open(&mut browser).await.expect_status(200);
        let link = page.element("provider-stub").attribute("href").expect("a link").to_owned();
        let refused = browser.get(&link).await;
        assert!(matches!(refused.status.as_u16(), 502 | 503), "{fault:?} {refused:#?}");
        assert!(!refused.body.contains("JSON") && !refused.body.contains("Parse"), "no cause: {refused:#?}");
        // From the same page with a password.
        let answer = stage.flow.open(&mut browser).await;
        let typed = [("username", ada.username.as_str()), ("password", ada.password.as_str())];
        let answer = browser.submit(&answer.form("/sign-in"), Some("sign-in"), &typed).await;
        let answer = browser.follow(answer).await;
        stage.flow.reply(&answer).expect("the application").code();
    }
    stage.stub.set_fault(None);
    stage.server.advance_seconds(60);
    stage.sign_in(&mut stage.server.browser(), may()).await;
}

each_engine!(new_keys_at_the_provider_are_found);
async fn new_keys_at_the_provider_are_found(engine: Engine) {
    let stage = Stage::new(engine).await;
    let first = stage.sign_in(&mut stage.server.browser(), may()).await;
    for alg in ["RS256", "ES256", "PS256", "EdDSA"] {
        stage.stub.sign_with(alg);
        stage.server.advance_seconds(120);
        assert_eq!(stage.sign_in(&mut stage.server.browser(), may()).await["sub"], first["sub"], "{alg}");
    }
    assert_eq!(stage.stub.requests("/jwks"), 5);
}

each_engine!(plain_oauth_2_as_github_speaks_it);
async fn plain_oauth_2_as_github_speaks_it(engine: Engine) {
    let stub = Stub::listen().await;
    let at = |path: &str| format!("{}{path}", stub.issuer);
    let of = |member: &str, value: &str| (format!("providers.hub.{member}"), value.to_owned());
    let settings = [
        of("preset", "github"),
        of("client_id", &stub.client_id),
        of("client_secret", &stub.client_secret),
        of("authorization_endpoint", &at("/authorize")),
        of("token_endpoint", &at("/token")),
        of("userinfo_endpoint", &at("/userinfo")),
        of("emails_endpoint", &at("/emails")),
        ("outgoing.allow".to_owned(), stub.address.clone()),
    ];
    let stage = Stage::at(stub, &settings, engine, &[]).await;
    let about = |id: u32| json!({ "id": id, "login": "octocat", "name": "Mona", "email": null });
    let sign_in = async |id: u32| {
        let mut browser = stage.server.browser();
        let request = stage.leave_for(&stage.flow, &mut browser, "hub").await;
        let asked = unique_parameters(&request);
        assert_eq!(asked.get("nonce"), None);
        assert!(!asked["scope"].contains("openid") && asked["scope"].contains("user:email"), "{asked:?}");
        assert_eq!(asked["code_challenge_method"], "S256");
        let code = stage.stub.code(&request, about(id));
        // It does not say who it is.
        let mut url = Url::parse(&asked["redirect_uri"]).unwrap();
        url.query_pairs_mut().append_pair("code", &code).append_pair("state", &asked["state"]);
        stage.come_back(&mut browser, &url).await
    };
    stage.stub.set_emails(json!([
        { "email": "other@example.org", "primary": false, "verified": true },
        { "email": "mona@example.org", "primary": true, "verified": true },
    ]));
    let answer = sign_in(583_231).await;
    let first = stage.id_token(&answer).await;
    assert_eq!((&first["email"], &first["name"]), (&json!("mona@example.org"), &json!("Mona")));
    assert_eq!(stage.id_token(&sign_in(583_231).await).await["sub"], first["sub"]);
    let links = lines(&stage.server, "SELECT account_id AS line FROM linked_accounts").await;
    assert_eq!(links, ["583231"]);
    // An address that GitHub has not verified is nobody's proof.
    stage.stub.set_emails(json!([{ "email": "ada@example.org", "primary": true, "verified": false }]));
    let told = stage.id_token(&sign_in(2).await).await;
    assert_eq!(told.get("email"), None, "{told}");
}

each_engine!(the_certified_provider_by_private_key_jwt);
/// With `oidc-provider`, which checks our assertion by our published keys, and tells us when somebody signs out there.
async fn the_certified_provider_by_private_key_jwt(engine: Engine) {
    let person = json!({ "may": with(may(), &json!({ "acr": "gold", "amr": ["pwd"] })) });
    let upstream = Upstream::start(person).await;
    let mut settings = upstream.settings("op");
    settings.retain(|(name, _)| !name.ends_with("client_secret"));
    let of = |member: &str, value: &str| (format!("providers.op.{member}"), value.to_owned());
    settings.extend([of("client_auth", "private_key_jwt"), of("assurance", "acr:gold=urn:test:gold")]);
    let settings: Vec<_> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let server = TestServer::with(engine, &settings).await;
    let issuer = server.issuer();
    let more = json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": format!("{issuer}/jwks"), "client_secret": null });
    upstream.register_us(issuer, "op", &more).await;
    let application = server.application(&house()).await;
    let flow = Flow::new(&application);
    let (mut browser, visitor) = (server.browser(), upstream.visitor());
    let page = flow.open(&mut browser).await.expect_status(200);
    let request = leave_from(&page, &mut browser, "op").await;
    let back = visitor.go(&request, "may").await;
    let answer = come_back(&mut browser, &back).await;
    let answer = browser.follow(answer).await;
    let reply = flow.reply(&answer).unwrap_or_else(|| panic!("not the application: {answer:#?}"));
    let tokens = flow.exchange(&server.wire(), reply.code()).await.expect_tokens();
    let claims = Tokens::claims(&tokens.id_token());
    assert_eq!((&claims["email"], &claims["acr"]), (&json!("may@example.org"), &json!("urn:test:gold")));

    // Other keys there.
    upstream.rotate_keys().await;
    let mut second = server.browser();
    let page = flow.open(&mut second).await.expect_status(200);
    let request = leave_from(&page, &mut second, "op").await;
    let back = visitor.go(&request, "may").await;
    let answer = come_back(&mut second, &back).await;
    let answer = second.follow(answer).await;
    flow.reply(&answer).unwrap_or_else(|| panic!("not the application: {answer:#?}")).code();

    // She signs out there, and is out here.
    let silent = flow.clone().with("prompt", "none");
    let answer = silent.begin(&mut browser).await;
    silent.reply(&answer).expect("no page").code();
    let there = visitor.stay(&upstream.wire().url("/session/end"), "may").await;
    assert!(there.contains("Signed out upstream"), "{there}");
    let logouts = upstream.seen().await.logouts;
    assert!(logouts.len() == 1 && logouts[0].error.is_none(), "{logouts:?}");
    for browser in [&mut browser, &mut second] {
        let answer = silent.begin(browser).await;
        silent.reply(&answer).expect("no page").expect_error(&silent, issuer, "login_required");
    }
}
