//! What applications learn about people: scope claims, the parameter `claims`, and the profile behind them (OpenID Connect Core
//! sections 5.1, 5.4, 5.5; requirements 58, 85, 90, 93).

use bonafide::clients::Draft;
use serde_json::{Value, json};

use crate::support::{Browser, Engine, Flow, Person, Place, TestServer, Tokens, web_application};

/// Everything that can be known of somebody.
const ALL: &[(&str, &str)] = &[
    ("given_name", "Ada"),
    ("family_name", "Lovelace"),
    ("middle_name", "Augusta"),
    ("nickname", "Countess"),
    ("profile", "https://people.example/ada"),
    ("picture", "https://people.example/ada.png"),
    ("website", "https://ada.example"),
    ("gender", "female"),
    ("birthdate", "1815-12-10"),
    ("zoneinfo", "Europe/London"),
    ("locale", "en-GB"),
    ("phone_number", "+442079460000"),
    ("phone_number_verified", "true"),
    ("address.formatted", "12 St James's Square\nLondon"),
    ("address.street_address", "12 St James's Square"),
    ("address.locality", "London"),
    ("address.region", "Greater London"),
    ("address.postal_code", "SW1Y 4JH"),
    ("address.country", "GB"),
];

/// Gives somebody every claim, by the command line.
pub(crate) async fn know_all(place: &Place, person: &Person) {
    let claims: Vec<String> = ALL.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut arguments = vec!["user", "update", person.username.as_str()];
    for claim in &claims {
        arguments.extend(["--claim", claim]);
    }
    place.cli(&arguments).await.expect_success();
}

fn house() -> Draft {
    Draft { first_party: Some(true), ..web_application() }
}

/// The claims of the ID token that are about the person, and those of userinfo.
async fn learnt(server: &TestServer, browser: &mut Browser, person: &Person, flow: &Flow) -> (Value, Value) {
    let tokens = flow.tokens(&server.wire(), browser, person).await;
    let mut id_token = Tokens::claims(&tokens.id_token());
    let known = ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash"];
    let claims = id_token.as_object_mut().expect("claims");
    claims.retain(|name, _| !known.contains(&name.as_str()));
    (id_token, userinfo(server, &tokens.access_token()).await)
}

async fn userinfo(server: &TestServer, token: &str) -> Value {
    let mut claims: Value =
        server.call(reqwest::Method::GET, "/userinfo").bearer(token).send().await.expect_status(200).json();
    assert!(claims.as_object_mut().expect("claims").remove("sub").is_some());
    claims
}

both_engines!(c_93_every_claim_of_a_scope_has_its_type);
async fn c_93_every_claim_of_a_scope_has_its_type(server: TestServer) {
    let ada = server.person("ada").await;
    know_all(&server, &ada).await;
    let application = server.application(&house()).await;
    let mut browser = server.browser();
    let mut all = serde_json::Map::new();
    for (scope, expected) in [
        (
            "profile",
            json!({"name": ada.name, "given_name": "Ada", "family_name": "Lovelace", "middle_name": "Augusta", "nickname": "Countess",
                "preferred_username": "ada", "profile": "https://people.example/ada", "picture": "https://people.example/ada.png",
                "website": "https://ada.example", "gender": "female", "birthdate": "1815-12-10", "zoneinfo": "Europe/London",
                "locale": "en-GB"}),
        ),
        ("email", json!({"email": ada.email, "email_verified": true})),
        (
            "address",
            json!({"address": {"formatted": "12 St James's Square\nLondon", "street_address": "12 St James's Square",
                "locality": "London", "region": "Greater London", "postal_code": "SW1Y 4JH", "country": "GB"}}),
        ),
        ("phone", json!({"phone_number": "+442079460000", "phone_number_verified": true})),
    ] {
        let flow = Flow::new(&application).with("scope", &format!("{scope} openid"));
        let (id_token, mut userinfo) = learnt(&server, &mut browser, &ada, &flow).await;
        assert_eq!(id_token, json!({}), "requirement 85: scope claims go to userinfo");
        if scope == "profile" {
            let updated = userinfo.as_object_mut().unwrap().remove("updated_at").expect("updated_at");
            assert!(updated.as_i64().is_some_and(|seconds| seconds > 1_500_000_000 && seconds < 10_000_000_000));
        }
        assert_eq!(userinfo, expected, "{scope}");
        all.extend(userinfo.as_object().unwrap().clone());
    }
    let flow = Flow::new(&application).with("scope", "openid profile email address phone");
    let (_, mut everything) = learnt(&server, &mut browser, &ada, &flow).await;
    everything.as_object_mut().unwrap().remove("updated_at");
    assert_eq!(everything, Value::Object(all.clone()));
    // Discovery names exactly these.
    let metadata: Value = server.get("/.well-known/openid-configuration").await.json();
    let supported: Vec<&str> =
        metadata["claims_supported"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(all.keys().all(|claim| supported.contains(&claim.as_str())), "{supported:?}");
    assert_eq!(metadata["claims_parameter_supported"], true);
}

both_engines!(c_90_what_is_not_known_is_left_out);
async fn c_90_what_is_not_known_is_left_out(server: TestServer) {
    let ada = server.person("ada").await;
    let application = server.application(&house()).await;
    let flow = Flow::new(&application).with("scope", "openid profile email address phone");
    let (_, userinfo) = learnt(&server, &mut server.browser(), &ada, &flow).await;
    let mut names: Vec<&str> = userinfo.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["email", "email_verified", "name", "preferred_username", "updated_at"]);
}

both_engines!(claims_in_id_token_is_the_clients_choice);
async fn claims_in_id_token_is_the_clients_choice(server: TestServer) {
    let ada = server.person("ada").await;
    know_all(&server, &ada).await;
    let application = server.application(&Draft { claims_in_id_token: Some(true), ..house() }).await;
    let flow = Flow::new(&application).with("scope", "openid email phone");
    let (id_token, userinfo) = learnt(&server, &mut server.browser(), &ada, &flow).await;
    assert_eq!(id_token, userinfo);
    assert_eq!(id_token["phone_number"], "+442079460000");
}

both_engines!(c_58_claims_go_where_they_were_asked_for);
async fn c_58_claims_go_where_they_were_asked_for(server: TestServer) {
    let ada = server.person("ada").await;
    know_all(&server, &ada).await;
    let application = server.application(&house()).await;
    let mut browser = server.browser();
    let asked = json!({
        "userinfo": {"name": {"essential": true}, "address": null, "shoe_size": {"essential": true}},
        "id_token": {"email": {"value": "somebody@else.example"}, "gender": {"values": ["x", "y"]}, "auth_time": {"essential": true}},
        "future": {"x": 1},
    });
    let flow = Flow::new(&application).with("scope", "openid phone offline_access").with("claims", &asked.to_string());
    let tokens = flow.tokens(&server.wire(), &mut browser, &ada).await;
    let expect = async |tokens: &Tokens| {
        let id_token = Tokens::claims(&tokens.id_token());
        assert_eq!((&id_token["email"], &id_token["gender"]), (&json!(ada.email), &json!("female")));
        for other in ["name", "address", "phone_number", "shoe_size"] {
            assert!(id_token.get(other).is_none(), "{other}: {id_token}");
        }
        let userinfo = userinfo(&server, &tokens.access_token()).await;
        assert_eq!(userinfo["name"], ada.name);
        assert_eq!(userinfo["address"]["country"], "GB");
        assert_eq!(userinfo["phone_number"], "+442079460000");
        for other in ["email", "gender", "shoe_size", "given_name"] {
            assert!(userinfo.get(other).is_none(), "{other}: {userinfo}");
        }
    };
    expect(&tokens).await;
    // What was asked for holds for the grant's later tokens too.
    let refreshed = flow.refresh(&server.wire(), &tokens.refresh_token()).await.expect_tokens();
    expect(&refreshed).await;
    // And not for the next grant.
    let plain = Flow::new(&application).with("scope", "openid");
    assert_eq!(learnt(&server, &mut browser, &ada, &plain).await, (json!({}), json!({})));
}

both_engines!(c_58_what_is_no_request_for_claims_is_refused);
async fn c_58_what_is_no_request_for_claims_is_refused(server: TestServer) {
    let ada = server.person("ada").await;
    let application = server.application(&house()).await;
    let mut browser = server.browser();
    Flow::new(&application).sign_in(&mut browser, &ada).await.code();
    let long = format!("{{\"userinfo\":{{\"{}\":null}}}}", "x".repeat(9000));
    for claims in ["x", "[]", "\"name\"", "{", r#"{"userinfo":["name"]}"#, r#"{"id_token":{"name":1}}"#, long.as_str()]
    {
        let flow = Flow::new(&application).with("claims", claims);
        let answer = flow.begin(&mut browser).await;
        flow.reply(&answer).expect("an answer").expect_error(&flow, server.issuer(), "invalid_request");
    }
    for claims in ["{}", r#"{"userinfo":{}}"#, r#"{"id_token":null}"#] {
        let answer = Flow::new(&application).with("claims", claims).begin(&mut browser).await;
        Flow::new(&application).reply(&answer).expect("an answer").code();
    }
}

both_engines!(claims_need_consent_and_a_registered_scope);
/// Asking by name is no way around the consent page, nor around what a client is registered for.
async fn claims_need_consent_and_a_registered_scope(server: TestServer) {
    let ada = server.person("ada").await;
    know_all(&server, &ada).await;
    let redirect_uris = Some(vec!["https://app.example.com/cb".to_owned()]);
    let application = server.application(&Draft { redirect_uris: redirect_uris.clone(), ..web_application() }).await;
    let mut browser = server.browser();
    let plain = Flow::new(&application).with("scope", "openid");
    plain.sign_in(&mut browser, &ada).await.code();
    let asked = json!({"userinfo": {"phone_number": null}}).to_string();
    let flow = plain.clone().with("claims", &asked);
    let page = flow.open(&mut browser).await.expect_status(200);
    assert!(page.body.contains("See your phone number"), "{page:#?}");
    let silent = flow.clone().with("prompt", "none");
    let answer = silent.begin(&mut browser).await;
    silent.reply(&answer).expect("an answer").expect_error(&silent, server.issuer(), "consent_required");
    let answer = browser.submit(&page.form("/authorize/consent"), Some("consent-allow"), &[]).await;
    flow.reply(&answer).expect("an answer").code();
    // Remembered.
    let answer = flow.begin(&mut browser).await;
    let tokens = flow.exchange(&server.wire(), flow.reply(&answer).expect("an answer").code()).await.expect_tokens();
    assert_eq!(userinfo(&server, &tokens.access_token()).await, json!({"phone_number": "+442079460000"}));

    let scope = Some("openid profile".to_owned());
    let narrow =
        server.application(&Draft { redirect_uris, scope, first_party: Some(true), ..web_application() }).await;
    let flow = Flow::new(&narrow).with("scope", "openid").with("claims", &asked);
    assert_eq!(learnt(&server, &mut browser, &ada, &flow).await, (json!({}), json!({})));
}

both_engines!(c_58_a_subject_asked_for_is_the_only_one);
async fn c_58_a_subject_asked_for_is_the_only_one(server: TestServer) {
    let (ada, bob) = (server.person("ada").await, server.person("bob").await);
    let application = server.application(&house()).await;
    let mut browser = server.browser();
    Flow::new(&application).sign_in(&mut browser, &ada).await.code();
    let asking = |person: &Person| {
        let claims = json!({"id_token": {"sub": {"value": person.id}}}).to_string();
        Flow::new(&application).with("prompt", "none").with("claims", &claims)
    };
    let flow = asking(&ada);
    let answer = flow.begin(&mut browser).await;
    flow.reply(&answer).expect("an answer").code();
    let flow = asking(&bob);
    let answer = flow.begin(&mut browser).await;
    flow.reply(&answer).expect("an answer").expect_error(&flow, server.issuer(), "login_required");
}

each_engine!(people_are_edited_and_imported);
async fn people_are_edited_and_imported(engine: Engine) {
    let place = Place::prepared(engine, &[]).await;
    let file = place.path().join("people.toml");
    let import = async |text: &str| {
        std::fs::write(&file, text).expect("writing");
        place.cli(&["user", "import", file.to_str().expect("a path"), "--json"]).await
    };
    let ada = "[[user]]\nusername = 'ada'\nemail = 'ada@example.org'\nemail_verified = true\nname = 'Ada'\nroles = ['editor']\n\
               password = 'plum violin 42 harbour'\ngiven_name = 'Ada'\naddress = { country = 'GB' }\nphone_number = '+442079460000'\n";
    let report: Value = import(ada).await.json();
    assert_eq!((&report[0]["outcome"], &report[0]["changed"]), (&json!("created"), &json!([])));
    let report: Value = import(ada).await.json();
    assert_eq!(report[0]["outcome"], "unchanged");
    let shown: Value = place.cli(&["user", "show", "ada", "--json"]).await.json();
    assert_eq!((&shown["given_name"], &shown["address"]), (&json!("Ada"), &json!({"country": "GB"})));
    assert_eq!((&shown["email_verified"], &shown["roles"]), (&json!(true), &json!(["editor"])));

    let other = ada.replace("'GB'", "'FR'").replace("['editor']", "[]").replace("harbour", "harbours");
    let report: Value = import(&other).await.json();
    assert_eq!(report[0]["changed"], json!(["roles", "address", "password"]));
    let before = place.dump().await;
    for (text, hint) in [
        ("[[user]]\nname = 'x'\n", "user number 1: has no id, no username and no email"),
        ("[[user]]\nusername = 'bob'\nshoe_size = 42\n", "user bob: shoe_size: "),
        ("[[user]]\nusername = 'bob'\npassword = 'short'\n", "user bob: "),
        (
            "[[user]]\nusername = 'bob'\nemail = 'ada@example.org'\n",
            "user bob: an account with this e-mail address exists",
        ),
        ("[[user]]\nusername = 'bob'\n[[user]]\nusername = 'BOB'\n", "user BOB: is there twice"),
        ("[[client]]\nclient_id = 'x'\n", "client: a file has [[user]] tables only"),
    ] {
        let output = import(text).await.expect_code(1);
        assert!(output.stderr.contains(hint) && output.stderr.contains("nothing was imported"), "{hint}: {output}");
    }
    place.dump().await.expect_same_as(&before);

    let updated =
        ["user", "update", "ada", "--email", "ada@new.example", "--claim", "given_name=", "--claim", "nickname=A"];
    let said = place.cli(&updated).await.expect_success();
    assert!(said.stdout.contains("email, email_verified, nickname, given_name"), "{said}");
    let shown: Value = place.cli(&["user", "show", "ada@new.example", "--json"]).await.json();
    assert_eq!((&shown["email_verified"], shown.get("given_name")), (&json!(false), None));
    let refused = place.cli(&["user", "update", "ada", "--claim", "birthdate=yesterday"]).await.expect_code(1);
    assert!(refused.stderr.contains("birthdate: is YYYY-MM-DD"), "{refused}");

    // One file for all: what a certification run or a new environment starts from.
    let everything = format!(
        "[[client]]\nclient_id = 'shop'\nredirect_uris = ['https://shop.example/cb']\n{}",
        other.replace("ada@example", "ada@new.example #")
    );
    std::fs::write(&file, everything.replace("ada@new.example #.org", "ada@new.example")).expect("writing");
    let report: Value = place.cli(&["import", file.to_str().expect("a path"), "--json"]).await.json();
    assert_eq!((&report[0]["client_id"], &report[0]["outcome"]), (&json!("shop"), &json!("created")));
    assert_eq!(report[1]["outcome"], "updated");
}
