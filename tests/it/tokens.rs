//! The tokens to the letter, and every forgery of them.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use bonafide::{
    clients::{ApiDraft, Draft},
    keys::{self, Alg, TokenType},
};
use chrono::Duration;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Validation, jwk::JwkSet};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::engines::run;
use crate::support::{
    Flow, TestServer, Tokens,
    made::{self, SignedIn, userinfo},
};

const API: &str = "https://api.example";

fn header(token: &str) -> Value {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap()).unwrap()
}

async fn jwks(server: &TestServer) -> Value {
    server.get("/jwks").await.expect_status(200).json()
}

/// The ids of the published RS256 keys.
async fn kids(server: &TestServer) -> Vec<String> {
    let keys = jwks(server).await["keys"].as_array().unwrap().clone();
    keys.iter().filter(|key| key["alg"] == "RS256").map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// What a resource server does, by another library: the signature by the published keys, issuer, audience, time.
async fn verified(server: &TestServer, token: &str, audience: &str) -> Value {
    let set: JwkSet = serde_json::from_value(jwks(server).await).expect("a key set");
    let kid = jsonwebtoken::decode_header(token).expect("a header").kid.expect("a kid");
    let key = DecodingKey::from_jwk(set.find(&kid).expect("a published key")).expect("a key");
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&[audience]);
    validation.set_issuer(&[server.issuer()]);
    jsonwebtoken::decode::<Value>(token, &key, &validation).expect("a valid token").claims
}

/// Signs anything with the provider's own key: a forgery that only the rules behind the signature can find.
fn signed(server: &TestServer, typ: TokenType, claims: &Value) -> String {
    let keys = server.app().keys.set();
    keys.signing(Alg::Rs256).unwrap().sign(typ, claims.to_string().as_bytes()).unwrap()
}

fn part(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

async fn expect_refused(server: &TestServer, token: &str) {
    let answer = userinfo(&server.wire(), token).await.expect_error(401, "invalid_token");
    assert!(answer.header("www-authenticate").contains("invalid_token"), "{answer:#?}");
}

both_engines!(an_id_token_says_what_it_must);
/// Requirement 84.
async fn an_id_token_says_what_it_must(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let (tokens, application) = (&signed_in.tokens, &signed_in.flow.application);
    let token = tokens.id_token();
    let claims = verified(&server, &token, &application.id).await;
    let half = &Sha256::digest(tokens.access_token())[..16];
    let now = server.now().timestamp();
    let expected = json!({
        "iss": server.issuer(), "sub": signed_in.person.id, "aud": application.id, "iat": now, "exp": now + 3600,
        "auth_time": now, "nonce": signed_in.flow.parameter("nonce"), "acr": "urn:bonafide:acr:pwd", "amr": ["pwd"],
        "at_hash": BASE64_URL_SAFE_NO_PAD.encode(half), "sid": claims["sid"],
    });
    assert_eq!(claims, expected);
    assert!(claims["sid"].as_str().unwrap().len() >= 22);
    let kid = header(&token)["kid"].clone();
    assert_eq!(header(&token), json!({"alg": "RS256", "typ": "JWT", "kid": kid}));
    assert!(kids(&server).await.contains(&kid.as_str().unwrap().to_owned()));
    // The session's `sid` is neither its cookie nor the hash of it.
    for value in signed_in.browser.cookie_pairs().into_values() {
        assert!(!value.contains(claims["sid"].as_str().unwrap()));
    }
}

both_engines!(an_id_token_has_no_nonce_where_none_was_sent);
/// Requirement 40.
async fn an_id_token_has_no_nonce_where_none_was_sent(server: TestServer) {
    let signed_in = SignedIn::with(&server, made::draft(), |flow| flow.without("nonce")).await;
    assert_eq!(Tokens::claims(&signed_in.tokens.id_token()).get("nonce"), None);
}

both_engines!(an_id_token_needs_the_scope_openid);
async fn an_id_token_needs_the_scope_openid(server: TestServer) {
    let signed_in = SignedIn::with(&server, made::draft(), |flow| flow.with("scope", "profile")).await;
    assert_eq!(signed_in.tokens.json::<Value>().get("id_token"), None);
    assert_eq!(signed_in.tokens.json::<Value>()["scope"], "profile");
}

both_engines!(claims_of_the_person_are_in_it_on_request);
async fn claims_of_the_person_are_in_it_on_request(server: TestServer) {
    let draft = Draft { claims_in_id_token: Some(true), ..made::draft() };
    let signed_in = SignedIn::with(&server, draft, |flow| flow.with("scope", "openid email")).await;
    let claims = Tokens::claims(&signed_in.tokens.id_token());
    assert_eq!((&claims["email"], &claims["email_verified"]), (&signed_in.person.email.as_str().into(), &true.into()));
    assert_eq!(claims.get("name"), None);
}

both_engines!(an_access_token_says_what_it_must);
/// RFC 9068 §2.
async fn an_access_token_says_what_it_must(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let token = signed_in.tokens.access_token();
    let claims = verified(&server, &token, server.issuer()).await;
    let now = server.now().timestamp();
    let expected = json!({
        "iss": server.issuer(), "sub": signed_in.person.id, "aud": server.issuer(),
        "client_id": signed_in.flow.application.id, "iat": now, "exp": now + 900, "jti": claims["jti"],
        "scope": "openid profile email offline_access", "auth_time": now, "acr": "urn:bonafide:acr:pwd",
        "amr": ["pwd"], "grant_id": claims["grant_id"],
    });
    assert_eq!(claims, expected);
    let kid = header(&token)["kid"].clone();
    assert_eq!(header(&token), json!({"alg": "RS256", "typ": "at+jwt", "kid": kid}));
}

both_engines!(the_answer_has_the_members_of_the_standard);
/// Requirement 71.
async fn the_answer_has_the_members_of_the_standard(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let answer: Value = signed_in.tokens.json();
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["expires_in"], 900, "an integer, since strings fail in clients");
    assert_eq!(answer["scope"], "openid profile email offline_access");
    assert_eq!(signed_in.tokens.header("content-type"), "application/json");
    let mut members: Vec<_> = answer.as_object().unwrap().keys().cloned().collect();
    members.sort();
    assert_eq!(members, ["access_token", "expires_in", "id_token", "refresh_token", "scope", "token_type"]);
}

both_engines!(unknown_scopes_are_dropped_and_the_answer_says_so);
async fn unknown_scopes_are_dropped_and_the_answer_says_so(server: TestServer) {
    let ask = |flow: Flow| flow.with("scope", "email unheard-of openid");
    let signed_in = SignedIn::with(&server, made::draft(), ask).await;
    assert_eq!(signed_in.tokens.json::<Value>()["scope"], "email openid");
}

both_engines!(an_api_says_how_its_tokens_look);
async fn an_api_says_how_its_tokens_look(server: TestServer) {
    let apis = [(API, None, None, "at+jwt", 900), ("https://spring.example", Some("jwt"), Some("5m"), "JWT", 300)];
    let client = made::client(&server, made::draft()).await;
    let person = made::person(&server, "ada").await;
    for (audience, format, lifetime, typ, seconds) in apis {
        let draft = ApiDraft {
            audience: audience.to_owned(),
            scopes: Some(vec![format!("read:{typ}")]),
            token_format: format.map(str::to_owned),
            lifetime: lifetime.map(str::to_owned),
            ..ApiDraft::default()
        };
        made::api(&server, draft).await;
        let flow = Flow::new(&client).with("resource", audience);
        let signed_in = SignedIn::at(&server, flow, person.clone()).await;
        let token = signed_in.tokens.access_token();
        let claims = verified(&server, &token, audience).await;
        assert_eq!((&header(&token)["typ"], &claims["aud"]), (&typ.into(), &audience.into()));
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), seconds);
        assert_eq!(signed_in.tokens.json::<Value>()["expires_in"], seconds);
        // A typ of `JWT` does not make an ID token of it, nor an access token of the ID token.
        userinfo(&server.wire(), &token).await.expect_status(200);
        expect_refused(&server, &signed_in.tokens.id_token()).await;
    }
    // The client's default API, without being named; its scopes are known.
    let scope = Some(format!("openid read:{}", "at+jwt"));
    let draft = Draft { api: Some(API.to_owned()), scope, ..made::draft() };
    let client = made::client(&server, draft).await;
    let flow = Flow::new(&client).with("scope", "openid read:at+jwt");
    let signed_in = SignedIn::at(&server, flow, person).await;
    let claims = verified(&server, &signed_in.tokens.access_token(), API).await;
    assert_eq!(claims["scope"], "openid read:at+jwt");
}

both_engines!(a_client_says_how_long_its_tokens_live);
async fn a_client_says_how_long_its_tokens_live(server: TestServer) {
    let draft =
        Draft { access_token_lifetime: Some("2m".to_owned()), token_format: Some("jwt".to_owned()), ..made::draft() };
    let signed_in = SignedIn::with(&server, draft, |flow| flow).await;
    let token = signed_in.tokens.access_token();
    assert_eq!(header(&token)["typ"], "JWT");
    assert_eq!(signed_in.tokens.json::<Value>()["expires_in"], 120);
    server.advance_seconds(119);
    signed_in.expect_live(&token).await;
    server.advance_seconds(1);
    signed_in.expect_dead(&token).await;
}

both_engines!(lifetimes_are_settings with [("tokens.access_lifetime", "1m"), ("tokens.id_lifetime", "2m")]);
async fn lifetimes_are_settings(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    for (token, seconds) in [(signed_in.tokens.access_token(), 60), (signed_in.tokens.id_token(), 120)] {
        let claims = Tokens::claims(&token);
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), seconds);
    }
    assert_eq!(signed_in.tokens.json::<Value>()["expires_in"], 60);
}

both_engines!(tj_15_a_token_ends_on_time);
async fn tj_15_a_token_ends_on_time(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let token = signed_in.tokens.access_token();
    server.advance_seconds(899);
    signed_in.expect_live(&token).await;
    // No leeway: it is our own clock.
    server.advance_seconds(1);
    signed_in.expect_dead(&token).await;
}

/// The claims of a good access token, to be changed.
async fn good_claims(server: &TestServer) -> (SignedIn, Value) {
    let signed_in = SignedIn::new(server).await;
    let claims = Tokens::claims(&signed_in.tokens.access_token());
    userinfo(&server.wire(), &signed(server, TokenType::AccessToken, &claims)).await.expect_status(200);
    (signed_in, claims)
}

both_engines!(tj_14_claims_have_their_types);
async fn tj_14_claims_have_their_types(server: TestServer) {
    let (_, claims) = good_claims(&server).await;
    let now = server.now().timestamp();
    for (name, wrong) in [
        ("exp", json!("9999999999")),
        ("exp", json!(1e308)),
        ("exp", json!(-1)),
        ("exp", json!(now)),
        ("exp", json!(now - 1)),
        ("exp", Value::Null),
        ("iat", json!("0")),
        ("nbf", json!("9999999999")),
        ("nbf", json!(now + 60)),
        ("aud", json!(7)),
        ("aud", json!({})),
        ("sub", json!({"id": claims["sub"]})),
        ("sub", Value::Null),
        ("iss", json!("https://evil.example")),
        ("iss", json!(format!("{}/", server.issuer()))),
        ("iss", json!([server.issuer()])),
        ("client_id", Value::Null),
        ("jti", Value::Null),
        ("scope", json!(["openid"])),
        ("grant_id", json!("no uuid")),
        ("grant_id", json!("00000000-0000-0000-0000-000000000000")),
    ] {
        let mut changed = claims.clone();
        changed[name] = wrong.clone();
        expect_refused(&server, &signed(&server, TokenType::AccessToken, &changed)).await;
        if wrong.is_null() {
            changed.as_object_mut().unwrap().remove(name);
            expect_refused(&server, &signed(&server, TokenType::AccessToken, &changed)).await;
        }
    }
    for payload in ["", "null", "[]", "\"x\"", "{", "7"] {
        let keys = server.app().keys.set();
        let token = keys.signing(Alg::Rs256).unwrap().sign(TokenType::AccessToken, payload.as_bytes()).unwrap();
        expect_refused(&server, &token).await;
    }
}

both_engines!(tj_01_an_id_token_is_no_access_token);
async fn tj_01_an_id_token_is_no_access_token(server: TestServer) {
    let draft = Draft { claims_in_id_token: Some(true), token_format: Some("jwt".to_owned()), ..made::draft() };
    let signed_in = SignedIn::with(&server, draft, |flow| flow).await;
    userinfo(&server.wire(), &signed_in.tokens.access_token()).await.expect_status(200);
    expect_refused(&server, &signed_in.tokens.id_token()).await;
}

both_engines!(tj_05_a_token_without_a_signature_is_none);
async fn tj_05_a_token_without_a_signature_is_none(server: TestServer) {
    let (signed_in, claims) = good_claims(&server).await;
    let token = signed_in.tokens.access_token();
    let kid = header(&token)["kid"].clone();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let mut forged = vec![format!("{message}."), message.to_owned(), format!("{message}.."), format!(".{token}")];
    forged.push(format!("{token}."));
    for alg in [json!("none"), json!("None"), json!("nOnE"), json!("NONE"), json!(""), json!("rs256"), Value::Null] {
        let mut header = json!({"typ": "at+jwt", "kid": kid, "alg": alg});
        for signature in ["", signature] {
            forged.push(format!("{}.{}.{signature}", part(&header), part(&claims)));
        }
        header.as_object_mut().unwrap().remove("alg");
        forged.push(format!("{}.{}.", part(&header), part(&claims)));
    }
    // Another payload under a good signature, and a flipped bit of the signature itself.
    let mut raised = claims.clone();
    raised["exp"] = json!(9_999_999_999_i64);
    forged.push(format!("{}.{}.{signature}", message.split('.').next().unwrap(), part(&raised)));
    let flip = if signature.starts_with('A') { 'B' } else { 'A' };
    forged.push(format!("{message}.{flip}{}", &signature[1..]));
    for forged in forged {
        expect_refused(&server, &forged).await;
    }
}

both_engines!(tj_06_the_public_key_is_no_shared_secret);
async fn tj_06_the_public_key_is_no_shared_secret(server: TestServer) {
    use rsa::pkcs1::EncodeRsaPublicKey as _;
    use rsa::pkcs8::{EncodePublicKey as _, LineEnding};
    let (signed_in, claims) = good_claims(&server).await;
    let kid = header(&signed_in.tokens.access_token())["kid"].as_str().unwrap().to_owned();
    let set = jwks(&server).await;
    let jwk = set["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid).unwrap().clone();
    let number = |name: &str| {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
        (rsa::BigUint::from_bytes_be(&bytes), bytes)
    };
    let key = rsa::RsaPublicKey::new(number("n").0, number("e").0).unwrap();
    let secrets: Vec<Vec<u8>> = vec![
        key.to_public_key_pem(LineEnding::LF).unwrap().into_bytes(),
        key.to_public_key_pem(LineEnding::LF).unwrap().trim().as_bytes().to_vec(),
        key.to_public_key_der().unwrap().as_bytes().to_vec(),
        key.to_pkcs1_pem(LineEnding::LF).unwrap().into_bytes(),
        key.to_pkcs1_der().unwrap().as_bytes().to_vec(),
        jwk.to_string().into_bytes(),
        number("n").1,
        jwk["n"].as_str().unwrap().as_bytes().to_vec(),
        kid.clone().into_bytes(),
        // TJ-07: the empty key.
        Vec::new(),
    ];
    for secret in secrets {
        for (algorithm, kid) in [
            (Algorithm::HS256, Some(&kid)),
            (Algorithm::HS384, Some(&kid)),
            (Algorithm::HS512, Some(&kid)),
            (Algorithm::HS256, None),
        ] {
            let header = jsonwebtoken::Header {
                typ: Some("at+jwt".to_owned()),
                kid: kid.cloned(),
                ..jsonwebtoken::Header::new(algorithm)
            };
            let forged = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&secret)).unwrap();
            expect_refused(&server, &forged).await;
        }
    }
}

both_engines!(tj_08_a_kid_is_a_name_and_nothing_else);
async fn tj_08_a_kid_is_a_name_and_nothing_else(server: TestServer) {
    let (signed_in, claims) = good_claims(&server).await;
    let token = signed_in.tokens.access_token();
    let signature = token.rsplit_once('.').unwrap().1;
    let before = server.dump().await;
    for kid in [
        json!("../../dev/null"),
        json!("/dev/null"),
        json!("' OR 1=1--"),
        json!(";id"),
        json!("a\0b"),
        json!("k".repeat(10_240)),
        json!(""),
        json!(7),
        json!(["x"]),
        json!({}),
        Value::Null,
        json!("https://evil.example/key"),
    ] {
        for alg in ["RS256", "HS256", "ES256"] {
            let header = json!({"alg": alg, "typ": "at+jwt", "kid": kid});
            expect_refused(&server, &format!("{}.{}.{signature}", part(&header), part(&claims))).await;
        }
    }
    server.dump().await.expect_same_as(&before);
}

/// A token with any header, signed by any key.
fn signed_by(header: &Value, claims: &Value, key: &rsa::RsaPrivateKey) -> String {
    use rsa::pkcs1::EncodeRsaPrivateKey as _;
    let message = format!("{}.{}", part(header), part(claims));
    let der = key.to_pkcs1_der().unwrap();
    let signature =
        jsonwebtoken::crypto::sign(message.as_bytes(), &EncodingKey::from_rsa_der(der.as_bytes()), Algorithm::RS256)
            .unwrap();
    format!("{message}.{signature}")
}

both_engines!(tj_09_keys_do_not_come_with_the_token);
async fn tj_09_keys_do_not_come_with_the_token(server: TestServer) {
    use rsa::traits::PublicKeyParts as _;
    let (signed_in, claims) = good_claims(&server).await;
    let kid = header(&signed_in.tokens.access_token())["kid"].clone();
    let canary = crate::support::Callback::listen().await;
    let made =
        tokio::task::spawn_blocking(|| keys::NewKey::make(Alg::Rs256, &bonafide::platform::random::SystemRandom));
    let made = made.await.unwrap().unwrap();
    let key = <rsa::RsaPrivateKey as rsa::pkcs8::DecodePrivateKey>::from_pkcs8_pem(&made.private_pem).unwrap();
    let number = |number: &rsa::BigUint| BASE64_URL_SAFE_NO_PAD.encode(number.to_bytes_be());
    let jwk =
        json!({"kty": "RSA", "alg": "RS256", "use": "sig", "kid": kid, "n": number(key.n()), "e": number(key.e())});
    for (name, value) in [
        ("none", Value::Null),
        ("jwk", jwk),
        ("jku", json!(canary.uri)),
        ("x5u", json!(canary.uri)),
        ("x5c", json!(["MIIB"])),
    ] {
        for kid in [kid.clone(), json!("attacker"), Value::Null] {
            let mut header = json!({"alg": "RS256", "typ": "at+jwt", "kid": kid});
            header[name] = value.clone();
            expect_refused(&server, &signed_by(&header, &claims, &key)).await;
        }
    }
    let called = tokio::time::timeout(std::time::Duration::from_millis(200), canary.next()).await;
    assert!(called.is_err(), "somebody fetched a key: {called:?}");
}

both_engines!(tj_10_critical_headers_are_not_understood);
/// RFC 7515 §4.1.11: what is critical and not understood ends the matter, however good the signature.
async fn tj_10_critical_headers_are_not_understood(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let claims = Tokens::claims(&signed_in.tokens.access_token());
    let kid = header(&signed_in.tokens.access_token())["kid"].clone();
    let key = current_private_key(&server).await;
    let sign = |header: &Value| signed_by(header, &claims, &key);
    let good = json!({"alg": "RS256", "typ": "at+jwt", "kid": kid});
    userinfo(&server.wire(), &sign(&good)).await.expect_status(200);
    for (name, value) in [
        ("crit", json!(["exp"])),
        ("crit", json!(["b64"])),
        ("crit", json!(["alg"])),
        ("crit", json!([])),
        ("crit", json!("x")),
        ("b64", json!(false)),
        ("b64", json!(true)),
        ("typ", json!("JOSE")),
        ("typ", json!("logout+jwt")),
        ("typ", json!(7)),
        ("typ", Value::Null),
        ("alg", json!("PS256")),
        ("alg", json!("RS512")),
    ] {
        let mut header = good.clone();
        header[name] = value.clone();
        expect_refused(&server, &sign(&header)).await;
    }
}

/// The private key that signs now, opened as the provider opens it.
async fn current_private_key(server: &TestServer) -> rsa::RsaPrivateKey {
    use entity::signing_keys::Column;
    use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
    let current = entity::signing_keys::Entity::find().filter(Column::State.eq("current"));
    let row = current.filter(Column::Alg.eq("RS256")).one(server.database().await).await.unwrap().unwrap();
    let pem = server.app().master.sealing().open(&row.sealed_private).unwrap();
    rsa::pkcs8::DecodePrivateKey::from_pkcs8_pem(std::str::from_utf8(&pem).unwrap()).unwrap()
}

both_engines!(tj_12_encrypted_tokens_are_not_opened);
async fn tj_12_encrypted_tokens_are_not_opened(server: TestServer) {
    let _ = server.get("/jwks").await;
    for header in [
        json!({"alg": "dir", "enc": "A256GCM", "zip": "DEF"}),
        json!({"alg": "PBES2-HS256+A128KW", "enc": "A128CBC-HS256", "p2c": 1_000_000_000, "p2s": "AAAA"}),
        json!({"alg": "ECDH-ES", "enc": "A128GCM", "epk": {"kty": "EC", "crv": "P-256", "x": "A".repeat(4000), "y": "A"}}),
    ] {
        let token = format!("{}.AAAA.AAAA.AAAA.AAAA", part(&header));
        let started = std::time::Instant::now();
        expect_refused(&server, &token).await;
        assert!(started.elapsed().as_secs() < 5, "it was worked on");
    }
}

both_engines!(tj_13_a_huge_token_is_not_read);
async fn tj_13_a_huge_token_is_not_read(server: TestServer) {
    let (signed_in, claims) = good_claims(&server).await;
    let mut large = claims.clone();
    large["padding"] = json!("x".repeat(13_000));
    expect_refused(&server, &signed(&server, TokenType::AccessToken, &large)).await;
    for (token, in_form) in [(".".repeat(30_000), true), ("x".repeat(30_000), true), ("x".repeat(1_000_000), false)] {
        if in_form {
            server.post("/userinfo", &[("access_token", &token)]).await.expect_error(401, "invalid_token");
            expect_refused(&server, &token).await;
        } else {
            let answer = server.post("/userinfo", &[("access_token", &token)]).await;
            answer.expect_error(413, "invalid_request");
            let request = format!("GET /userinfo HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n");
            let answer = server.wire().raw(request.as_bytes()).await;
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer:.200}");
        }
    }
    signed_in.expect_live(&signed_in.tokens.access_token()).await;
}

both_engines!(tj_21_a_person_cannot_name_themselves_into_a_claim);
async fn tj_21_a_person_cannot_name_themselves_into_a_claim(server: TestServer) {
    use sea_orm::ConnectionTrait as _;
    let draft = Draft { claims_in_id_token: Some(true), ..made::draft() };
    let signed_in = SignedIn::with(&server, draft, |flow| flow).await;
    let name = r#"x","sub":"admin","iss":"evil","#;
    let change = format!("UPDATE users SET name = '{name}', username = 'sub'");
    server.database().await.execute_unprepared(&change).await.unwrap();
    let next = signed_in.refreshed(&signed_in.tokens.refresh_token()).await;
    let claims = verified(&server, &next.id_token(), &signed_in.flow.application.id).await;
    assert_eq!((&claims["sub"], &claims["name"]), (&signed_in.person.id.as_str().into(), &name.into()));
    let read: Value = userinfo(&server.wire(), &next.access_token()).await.json();
    assert_eq!((&read["sub"], &read["name"]), (&signed_in.person.id.as_str().into(), &name.into()));
}

/// Waits until the key set is as wanted, a second at most: a change is in force within that.
async fn expect_keys(server: &TestServer, wanted: impl Fn(&[String]) -> bool) -> Vec<String> {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(2);
    loop {
        let kids = kids(server).await;
        if wanted(&kids) {
            return kids;
        }
        assert!(std::time::Instant::now() < deadline, "the keys are still {kids:?}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

async fn rotate(server: &TestServer, at_once: bool) -> Result<String, keys::KeyError> {
    let app = server.app();
    keys::rotate(&app.database, app.master.sealing(), &app.random, Alg::Rs256, at_once, server.now()).await
}

both_engines!(tj_19_keys_roll_over);
async fn tj_19_keys_roll_over(mut server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let old = signed_in.tokens.access_token();
    let old_kid = header(&old)["kid"].as_str().unwrap().to_owned();
    let published = kids(&server).await;
    assert_eq!(published.len(), 2, "the next key is published before it signs");
    let next_kid = published.iter().find(|kid| **kid != old_kid).unwrap().clone();

    // The keys are the prepared ones: as old as this run of all tests.
    run(&server, &format!("UPDATE signing_keys SET published_at = {}", server.now().timestamp_millis())).await;
    let too_soon = rotate(&server, false).await;
    assert!(matches!(too_soon, Err(keys::KeyError::TooSoon(..))), "clients have not seen it yet: {too_soon:?}");
    server.advance(Duration::minutes(10));
    assert_eq!(rotate(&server, false).await.unwrap(), next_kid);
    let published = expect_keys(&server, |kids| kids.len() == 3).await;
    assert!(published.contains(&old_kid) && published.contains(&next_kid));
    let new = signed_in.refreshed(&signed_in.tokens.refresh_token()).await;
    for token in [new.access_token(), new.id_token()] {
        assert_eq!(header(&token)["kid"], next_kid.as_str());
    }
    server.restart().await;
    for token in [&old, &new.access_token()] {
        signed_in.expect_live(token).await;
        verified(&server, token, server.issuer()).await;
    }

    let random = server.app().random.clone();
    let in_use = keys::retire(&server.app().database, &random, next_kid.clone(), server.now()).await;
    assert!(matches!(in_use, Err(keys::KeyError::InUse(_))), "{in_use:?}");
    keys::retire(&server.app().database, &random, old_kid.clone(), server.now()).await.unwrap();
    expect_keys(&server, |kids| !kids.contains(&old_kid)).await;
    expect_refused(&server, &old).await;
    signed_in.expect_live(&new.access_token()).await;
}

both_engines!(tj_19_a_leaked_key_goes_at_once);
async fn tj_19_a_leaked_key_goes_at_once(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let leaked = header(&signed_in.tokens.access_token())["kid"].as_str().unwrap().to_owned();
    rotate(&server, true).await.unwrap();
    keys::retire(&server.app().database, &server.app().random.clone(), leaked.clone(), server.now()).await.unwrap();
    expect_keys(&server, |kids| kids.len() == 2 && !kids.contains(&leaked)).await;
    signed_in.expect_dead(&signed_in.tokens.access_token()).await;
    let next = signed_in.refreshed(&signed_in.tokens.refresh_token()).await;
    signed_in.expect_live(&next.access_token()).await;
    assert!(kids(&server).await.contains(&header(&next.access_token())["kid"].as_str().unwrap().to_owned()));
}

both_engines!(tj_24_secrets_have_256_random_bits);
/// Requirements 43, 72.
async fn tj_24_secrets_have_256_random_bits(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let mut seen = std::collections::BTreeSet::new();
    let mut token = signed_in.tokens.refresh_token();
    for _ in 0..30 {
        let flow = Flow::new(&signed_in.flow.application);
        let code = flow.sign_in(&mut signed_in.browser.clone(), &signed_in.person).await.code().to_owned();
        token = signed_in.refreshed(&token).await.refresh_token();
        for (secret, prefix) in [(&code, "bfc_"), (&token, "bfr_")] {
            let random = secret.strip_prefix(prefix).unwrap();
            assert_eq!(BASE64_URL_SAFE_NO_PAD.decode(random).unwrap().len(), 32, "{secret}");
            assert!(seen.insert(random.to_owned()), "the same again");
        }
    }
}

both_engines!(the_key_set_holds_public_parts_only);
async fn the_key_set_holds_public_parts_only(server: TestServer) {
    let set = server.call(Method::GET, "/jwks").send().await.expect_status(200).json::<Value>();
    for key in set["keys"].as_array().unwrap() {
        let mut members: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
        members.sort_unstable();
        let expected: &[&str] = match key["kty"].as_str().unwrap() {
            "RSA" => &["alg", "e", "kid", "kty", "n", "use"],
            "EC" => &["alg", "crv", "kid", "kty", "use", "x", "y"],
            _ => &["alg", "crv", "kid", "kty", "use", "x"],
        };
        assert_eq!(members, expected, "{key}");
    }
}
