//! Attributes that the settings declare: the documents' company as it is shipped, who may read and write, and how applications
//! get them.

use bonafide::clients::Draft;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    api_accounts::{expect_problem, get, login, post, text},
    support::{
        Answer, Engine, Flow, Place, TestServer,
        made::{self, SignedIn},
    },
};

const PASSWORD: &str = "plum violin 42 harbour";

/// What the documents' front end knows of a company (document 003, part 2.4).
fn company() -> Value {
    json!({
        "companyName": "Analytical Engines", "background": "Looms", "about": "We compute.\nBy steam.",
        "country": "United Kingdom", "region": "London", "annualOperatingBudget": "17000", "industry": "Engines",
        "foundedYear": "1837", "headquarter": "Marylebone", "employeesNumber": "3",
    })
}

fn with(mut body: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().expect("an object") {
        body[name] = value.clone();
    }
    body
}

#[track_caller]
fn expect_company(person: &Value) {
    for (name, value) in company().as_object().expect("an object") {
        assert_eq!(&person[name], value, "{name}: {person}");
    }
}

async fn put(server: &TestServer, id: &str, token: &str, body: &Value) -> Answer {
    server.call(Method::PUT, &format!("/auth/{id}")).bearer(token).json(body).send().await
}

both_engines!(h3_7_the_documents_company_works_as_shipped);
/// H3-7, H3-8: what is declared is kept and shown, what is not is refused by its name.
async fn h3_7_the_documents_company_works_as_shipped(server: TestServer) {
    let new = with(json!({"email": "ada@example.org", "password": PASSWORD, "name": "Ada"}), &company());
    let told: Value = post(&server, "/auth/register", &new).await.expect_status(201).json();
    expect_company(&told);
    let body = json!({"email": "ada@example.org", "password": PASSWORD});
    let answer: Value = post(&server, "/auth/login", &body).await.expect_status(200).json();
    expect_company(&answer["user"]);
    let (token, id) = (text(&answer, "accessToken"), text(&answer["user"], "id"));
    for path in ["/auth/me".to_owned(), format!("/auth/{id}")] {
        expect_company(&get(&server, &path, token).await.expect_status(200).json());
    }
    // Known or not, an address is answered alike (LG-03).
    let again: Value = post(&server, "/auth/register", &new).await.expect_status(201).json();
    expect_company(&again);

    let change = json!({"companyName": "Difference Engines", "about": "", "region": null});
    let changed: Value = put(&server, id, token, &change).await.expect_status(200).json();
    assert_eq!((text(&changed, "companyName"), text(&changed, "industry")), ("Difference Engines", "Engines"));
    assert!(changed.get("about").is_none() && changed.get("region").is_none(), "{changed}");

    let before = server.dump().await;
    for (name, value) in [
        ("companyVat", json!("GB1")),
        ("companyname", json!("x")),
        ("companyName", json!("x".repeat(201))),
        ("companyName", json!(7)),
        ("companyName", json!(["x"])),
        ("companyName", json!({"a": 1})),
        ("companyName", json!("a\u{0}b")),
        ("companyName", json!("   ")),
    ] {
        let problem = expect_problem(put(&server, id, token, &json!({name: value})).await, 400);
        assert!(problem["errors"][name].is_array(), "{problem}");
        let new = with(json!({"email": "eve@example.org", "password": PASSWORD}), &json!({name: value}));
        let problem = expect_problem(post(&server, "/auth/register", &new).await, 400);
        assert!(problem["errors"][name].is_array(), "{problem}");
    }
    // IJ-08: no member twice, of ours or of the installation's.
    let twice = r#"{"companyName":"a","companyName":"b"}"#;
    let call = server.call(Method::PUT, &format!("/auth/{id}")).bearer(token).body("application/json", twice);
    let problem = expect_problem(call.send().await, 400);
    assert!(problem["errors"]["companyName"].is_array(), "{problem}");
    server.dump().await.expect_same_as(&before);

    let new = with(json!({"username": "grace", "password": PASSWORD, "fullName": "Grace"}), &company());
    let made: Value = post(&server, "/auth/signup", &new).await.expect_status(200).json();
    assert_eq!(made.as_object().expect("an object").len(), 3, "{made}");
    let body = json!({"username": "grace", "password": PASSWORD});
    let answer: Value = post(&server, "/auth/login", &body).await.expect_status(200).json();
    expect_company(&answer["user"]);
}

const DECLARED: [(&str, &str); 9] = [
    ("attributes.shoeSize.type", "integer"),
    ("attributes.shoeSize.sign_up", "true"),
    ("attributes.score.type", "number"),
    ("attributes.score.write", "admin"),
    ("attributes.note.read", "admin"),
    ("attributes.note.write", "admin"),
    ("attributes.tags.type", "strings"),
    ("attributes.born.type", "date"),
    ("attributes.vip.type", "boolean"),
];

both_engines!(al_22_everybody_sets_and_sees_what_is_theirs with super::DECLARED);
/// AL-22, AP-01: what is an administrator's to say nobody says of themselves; what is theirs to read nobody else reads.
async fn al_22_everybody_sets_and_sees_what_is_theirs(server: TestServer) {
    let (boss, ada) = (server.person("boss").await, server.person("ada").await);
    server.app().accounts.grant_role("boss", "admin").await.expect("a role");
    let by_boss = text(&login(&server, &boss).await, "accessToken").to_owned();
    let by_ada = text(&login(&server, &ada).await, "accessToken").to_owned();

    let own = json!({"shoeSize": 38, "tags": ["a", "b"], "born": "1815-12-10", "vip": false});
    let seen: Value = put(&server, &ada.id, &by_ada, &own).await.expect_status(200).json();
    assert_eq!((&seen["shoeSize"], &seen["tags"], &seen["vip"]), (&json!(38), &json!(["a", "b"]), &json!(false)));
    let before = server.dump().await;
    for (body, said) in [
        (json!({"score": 1.5}), "You may not set this."),
        // What one may not read one hears nothing of.
        (json!({"note": "x"}), "This address takes no such member."),
        (json!({"shoeSize": "38"}), "This value does not do here."),
        (json!({"born": "10.12.1815"}), "This value does not do here."),
    ] {
        let problem = expect_problem(put(&server, &ada.id, &by_ada, &body).await, 400);
        let name = body.as_object().expect("an object").keys().next().expect("a name");
        assert_eq!(problem["errors"][name], json!([said]), "{problem}");
    }
    for (name, value) in [("score", json!(1.5)), ("note", json!("x")), ("vip", json!(true))] {
        let new = json!({"email": "eve@example.org", "password": PASSWORD, name: value});
        let problem = expect_problem(post(&server, "/auth/register", &new).await, 400);
        assert!(problem["errors"][name].is_array(), "{problem}");
        let new = json!({"username": "eve", "fullName": "Eve", "password": PASSWORD, name: value});
        expect_problem(post(&server, "/auth/signup", &new).await, 400);
    }
    server.dump().await.expect_same_as(&before);

    let change = json!({"score": 1.5, "note": "pays late"});
    let seen: Value = put(&server, &ada.id, &by_boss, &change).await.expect_status(200).json();
    assert_eq!((&seen["score"], &seen["note"], &seen["shoeSize"]), (&json!(1.5), &json!("pays late"), &json!(38)));
    let list: Vec<Value> = get(&server, "/auth", &by_boss).await.expect_status(200).json();
    assert!(list.iter().any(|person| person["note"] == "pays late"), "{list:#?}");
    for path in ["/auth/me".to_owned(), format!("/auth/{}", ada.id)] {
        let seen: Value = get(&server, &path, &by_ada).await.expect_status(200).json();
        assert_eq!((&seen["score"], seen.get("note")), (&json!(1.5), None), "{seen}");
    }
    // An administrator who makes another one says what is an administrator's to say.
    let new = json!({"email": "two@example.org", "password": PASSWORD, "note": "new"});
    let call = server.call(Method::POST, "/user/admin/register").bearer(&by_boss).json(&new);
    let made: Value = call.send().await.expect_status(201).json();
    assert_eq!(made["note"], "new");
}

const CARRIED: [(&str, &str); 5] = [
    ("attributes.companyName.scope", "company"),
    ("attributes.companyName.claim", "company_name"),
    ("attributes.shoeSize.type", "integer"),
    ("attributes.shoeSize.scope", "profile"),
    ("attributes.shoeSize.label", "size of your shoes"),
];

both_engines!(applications_get_attributes_by_scope_and_by_claim with super::CARRIED);
async fn applications_get_attributes_by_scope_and_by_claim(server: TestServer) {
    let metadata: Value = server.get("/.well-known/openid-configuration").await.json();
    let lists = |list: &str, value: &str| metadata[list].as_array().expect("a list").contains(&json!(value));
    assert!(lists("scopes_supported", "company"), "{metadata}");
    assert!(lists("claims_supported", "company_name") && lists("claims_supported", "shoeSize"), "{metadata}");
    assert!(!lists("claims_supported", "companyName") && !lists("claims_supported", "industry"), "{metadata}");

    let draft =
        Draft { scope: Some("openid profile company".to_owned()), claims_in_id_token: Some(true), ..made::draft() };
    let application = made::client(&server, draft).await;
    let ada = server.person("ada").await;
    let token = text(&login(&server, &ada).await, "accessToken").to_owned();
    let own = json!({"companyName": "Engines", "shoeSize": 38, "industry": "Looms"});
    put(&server, &ada.id, &token, &own).await.expect_status(200);

    // The consent page names them.
    let flow = Flow::new(&application).with("scope", "openid profile company");
    let mut browser = server.browser();
    let form = flow.open(&mut browser).await.form("/sign-in");
    let typed = [("username", ada.username.as_str()), ("password", ada.password.as_str())];
    let answer = browser.submit(&form, Some("sign-in"), &typed).await;
    let page = browser.follow(answer).await.expect_status(200);
    for said in [
        "your name, username and picture",
        "See what you have said about: company name",
        "See what you have said about: size of your shoes",
    ] {
        assert!(page.body.contains(said), "{said}: {page:#?}");
    }
    let (wire, person) = (server.wire(), &ada);
    let tokens = flow.tokens(&wire, &mut browser, person).await;
    let id_token = crate::support::Tokens::claims(&tokens.id_token());
    assert_eq!((&id_token["company_name"], &id_token["shoeSize"]), (&json!("Engines"), &json!(38)), "{id_token}");
    let told: Value = made::userinfo(&wire, &tokens.access_token()).await.expect_status(200).json();
    assert_eq!((&told["company_name"], &told["shoeSize"], told.get("industry")), (&json!("Engines"), &json!(38), None));

    // By name alone, and nothing else.
    let claims = json!({"userinfo": {"company_name": null, "industry": null}}).to_string();
    let flow = Flow::new(&application).with("scope", "openid").with("claims", &claims);
    let tokens = SignedIn::at(&server, flow, ada.clone()).await.tokens;
    let told: Value = made::userinfo(&wire, &tokens.access_token()).await.expect_status(200).json();
    assert_eq!(told, json!({"sub": ada.id, "company_name": "Engines"}));

    // Who is not registered with the scope gets it in no way.
    let other = made::client(&server, made::draft()).await;
    let answer = Flow::new(&other).with("scope", "openid company").begin(&mut server.browser()).await;
    assert_eq!(answer.location_parameters().get("error").map(String::as_str), Some("invalid_scope"), "{answer:#?}");
    let flow = Flow::new(&other).with("scope", "openid").with("claims", &claims);
    let tokens = SignedIn::at(&server, flow, ada.clone()).await.tokens;
    let told: Value = made::userinfo(&wire, &tokens.access_token()).await.expect_status(200).json();
    assert_eq!(told, json!({"sub": ada.id}));
}

each_engine!(operators_set_attributes_too);
async fn operators_set_attributes_too(engine: Engine) {
    let settings = [("attributes.shoesize.type", "integer"), ("attributes.tags.type", "strings")];
    let place = Place::prepared(engine, &settings).await;
    let create = ["user", "create", "--username", "ada", "--attribute", "companyName=Engines", "--json"];
    let ada: Value = place.cli(&create).await.json();
    assert_eq!(ada["attributes"], json!({"companyName": "Engines"}));
    let update = ["user", "update", "ada", "--attribute", "shoesize=38", "--attribute", "tags=a, b", "--attribute"];
    let said = place.cli(&[&update[..], &["companyName="]].concat()).await.expect_success();
    for changed in ["attributes.shoesize", "attributes.tags", "attributes.companyName"] {
        assert!(said.stdout.contains(changed), "{said}");
    }
    let shown: Value = place.cli(&["user", "show", "ada", "--json"]).await.json();
    assert_eq!(shown["attributes"], json!({"shoesize": 38, "tags": ["a", "b"]}));
    for (value, hint) in
        [("shoesize=big", "shoesize: is a whole number"), ("nope=1", "nope: there is no such attribute")]
    {
        let output = place.cli(&["user", "update", "ada", "--attribute", value]).await.expect_code(1);
        assert!(output.stderr.contains(hint), "{output}");
    }

    let file = place.path().join("people.toml");
    let import = async |text: &str| {
        std::fs::write(&file, text).expect("writing");
        place.cli(&["user", "import", file.to_str().expect("a path"), "--json"]).await
    };
    let people = "[[user]]\nusername = 'ada'\n[user.attributes]\nshoesize = 39\n\
                  [[user]]\nusername = 'bob'\nattributes = { companyName = 'Looms' }\n";
    let report: Value = import(people).await.json();
    assert_eq!((&report[0]["changed"], &report[1]["outcome"]), (&json!(["attributes.shoesize"]), &json!("created")));
    let report: Value = import(people).await.json();
    assert_eq!((&report[0]["outcome"], &report[1]["outcome"]), (&json!("unchanged"), &json!("unchanged")));
    let before = place.dump().await;
    for (text, hint) in [
        ("[[user]]\nusername = 'cleo'\nattributes = { nope = 1 }\n", "user cleo: nope: there is no such attribute"),
        ("[[user]]\nusername = 'cleo'\nattributes = { shoesize = 'x' }\n", "user cleo: shoesize: "),
        ("[[user]]\nusername = 'cleo'\nattributes = 'x'\n", "attributes: is no table"),
    ] {
        let output = import(text).await.expect_code(1);
        assert!(output.stderr.contains(hint) && output.stderr.contains("nothing was imported"), "{hint}: {output}");
    }
    place.dump().await.expect_same_as(&before);

    let client = ["client", "create", "--name", "x", "--redirect-uri", "https://x.example/cb", "--scope", "company"];
    assert!(place.cli(&client).await.expect_code(1).stderr.contains("scope: "));
    let declared = ["--set", "attributes.companyName.scope=company"];
    place.cli(&[&declared[..], &client[..]].concat()).await.expect_success();
}

#[tokio::test]
async fn declarations_that_cannot_be_meant_are_refused_in_one_line() {
    let place = Place::prepared(Engine::Sqlite, &[]).await;
    let path = place.path().join("own.toml");
    let file = path.display().to_string();
    for (text, setting, reason) in [
        ("[attributes.email]\nsign_up = true", "attributes.email.type", "every person has"),
        ("[attributes.shoe]\ntype = 'size'", "attributes.shoe.type", "size"),
        ("[attributes.shoe]\ntype = 7", "attributes.shoe.type", "must be a text"),
        ("[attributes.shoe]\ncolour = 'red'", "attributes.shoe.colour", "no such setting"),
        ("[attributes.shoe.size]\ntype = 'date'", "attributes.shoe.size.type", "no such setting"),
        ("[attributes.shoe]\nread = ['everybody']", "attributes.shoe.read", "everybody"),
        ("[attributes.shoe]\nread = ['admin']", "attributes.shoe.write", "may not read"),
        ("[attributes.shoe]\nscope = 'openid'", "attributes.shoe.scope", "meaning of its own"),
        ("[attributes.shoe]\nscope = 'x'\nclaim = 'sub'", "attributes.shoe.claim", "meaning of its own"),
        ("[attributes.shoe]\nmax_length = 20000", "attributes.shoe.max_length", "10000"),
    ] {
        std::fs::write(&path, text).expect("writing");
        let output = place.cli(&["--config", &file, "user", "list"]).await.expect_code(2);
        assert_eq!(output.stderr.trim_end().lines().count(), 1, "{output}");
        for part in [setting, reason, "own.toml"] {
            assert!(output.stderr.contains(part), "{part}: {output}");
        }
        let output = place.cli(&["--config", &file, "doctor"]).await;
        assert!(!output.status.success(), "{output}");
        assert!(format!("{output}").contains(setting), "{output}");
    }
    // A file with a table of its own has only what it declares; the environment adds to what is there.
    std::fs::write(&path, "[attributes.shoeSize]\ntype = 'integer'").expect("writing");
    let listed: Vec<Value> = place.cli(&["--config", &file, "config", "--json"]).await.json();
    let names: Vec<&str> = listed.iter().filter_map(|one| one["name"].as_str()).collect();
    assert!(
        names.contains(&"attributes.shoeSize.type") && !names.contains(&"attributes.companyName.type"),
        "{names:?}"
    );
    std::fs::write(&path, "[attributes]").expect("writing");
    let listed: Vec<Value> = place.cli(&["--config", &file, "config", "--json"]).await.json();
    assert!(!listed.iter().any(|one| one["name"].as_str().is_some_and(|name| name.starts_with("attributes."))));
    let place = Place::prepared(Engine::Sqlite, &[("attributes.companyname.scope", "company")]).await;
    let listed: Vec<Value> = place.cli(&["config", "--json"]).await.json();
    let scope = listed.iter().find(|one| one["name"] == "attributes.companyName.scope").expect("the setting");
    assert_eq!(
        (&scope["value"], text(scope, "origin")),
        (&json!("company"), "environment BONAFIDE_ATTRIBUTES__COMPANYNAME__SCOPE")
    );
}
