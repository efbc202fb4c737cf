//! Four signature algorithms: keys of each, ID tokens by the client's choice, access tokens always RS256.

use std::{collections::BTreeSet, fs, sync::Arc};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use bonafide::{
    clients::Draft,
    keys::{self, Alg, TokenType},
    server::sweep_once,
};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
use openssl::{
    bn::{BigNum, BigNumContext},
    ec::{EcGroup, EcKey},
    ecdsa::EcdsaSig,
    nid::Nid,
    pkey::{PKey, Private},
    rsa::Rsa,
};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256, Sha512};
use url::form_urlencoded;

use crate::{
    engines::{published_for, run, within_a_second},
    support::{
        Binary, Engine, Flow, Place, TestServer, Tokens, Wire,
        made::{self, SignedIn, userinfo},
    },
};

const ALL: [(Alg, Algorithm); 4] = [
    (Alg::Rs256, Algorithm::RS256),
    (Alg::Es256, Algorithm::ES256),
    (Alg::Ps256, Algorithm::PS256),
    (Alg::EdDsa, Algorithm::EdDSA),
];

async fn jwks(wire: &Wire) -> Vec<Value> {
    wire.get("/jwks").await.expect_status(200).json::<Value>()["keys"].as_array().expect("keys").clone()
}

async fn listed(place: &Place) -> BTreeSet<(String, String)> {
    let keys: Vec<Value> = place.cli(&["key", "list", "--json"]).await.json();
    let pair = |key: &Value| {
        let member = |name: &str| key[name].as_str().expect("text").to_owned();
        (member("alg"), member("state"))
    };
    let pairs: BTreeSet<_> = keys.iter().map(pair).collect();
    assert_eq!(pairs.len(), keys.len(), "one of each: {keys:#?}");
    pairs
}

fn complete() -> BTreeSet<(String, String)> {
    let states = ["current", "next"];
    ALL.iter().flat_map(|(alg, _)| states.map(|state| (alg.name().to_owned(), state.to_owned()))).collect()
}

fn draft(alg: Alg) -> Draft {
    Draft { id_token_signed_response_alg: Some(alg.name().to_owned()), ..made::draft() }
}

fn header(token: &str) -> Value {
    let part = token.split('.').next().expect("a header");
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
}

/// What a relying party does, by another library.
async fn verified(wire: &Wire, token: &str, algorithm: Algorithm, issuer: &str, audience: &str) -> Value {
    let set: JwkSet = wire.get("/jwks").await.json();
    let kid = jsonwebtoken::decode_header(token).expect("a header").kid.expect("a kid");
    let key = DecodingKey::from_jwk(set.find(&kid).expect("a published key")).expect("a key");
    let mut validation = Validation::new(algorithm);
    validation.set_audience(&[audience]);
    validation.set_issuer(&[issuer]);
    jsonwebtoken::decode::<Value>(token, &key, &validation).expect("a valid token").claims
}

both_engines!(c_29_every_published_key_is_exact);
/// Requirements 29, 30; RFC 7638, 8037. Public members only, base64url without padding, coordinates of 32 bytes.
async fn c_29_every_published_key_is_exact(server: TestServer) {
    let keys = jwks(&server.wire()).await;
    let kids: BTreeSet<_> = keys.iter().map(|key| key["kid"].as_str().expect("a kid")).collect();
    assert_eq!((keys.len(), kids.len()), (8, 8), "a current and a next of each: {keys:#?}");
    for (alg, _) in ALL {
        assert_eq!(keys.iter().filter(|key| key["alg"] == alg.name()).count(), 2, "{alg}");
    }
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("a curve");
    for key in &keys {
        let bytes = |name: &str| BASE64_URL_SAFE_NO_PAD.decode(key[name].as_str().expect("text")).expect("base64url");
        let (kty, required): (&str, &[&str]) = match key["alg"].as_str().expect("an alg") {
            "RS256" | "PS256" => ("RSA", &["e", "kty", "n"]),
            "ES256" => ("EC", &["crv", "kty", "x", "y"]),
            "EdDSA" => ("OKP", &["crv", "kty", "x"]),
            other => panic!("{other}"),
        };
        assert_eq!((&key["kty"], &key["use"]), (&kty.into(), &"sig".into()), "{key}");
        let members: BTreeSet<&str> = key.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(members, required.iter().copied().chain(["alg", "kid", "use"]).collect(), "{key}");
        let canonical: Vec<_> = required.iter().map(|name| format!(r#""{name}":{}"#, key[*name])).collect();
        let thumbprint = Sha256::digest(format!("{{{}}}", canonical.join(",")));
        assert_eq!(key["kid"], BASE64_URL_SAFE_NO_PAD.encode(thumbprint), "{key}");
        match kty {
            "RSA" => assert!(bytes("n").len() == 256 && bytes("n")[0] >= 0x80 && bytes("e") == [1, 0, 1], "{key}"),
            "EC" => {
                assert_eq!((&key["crv"], bytes("x").len(), bytes("y").len()), (&"P-256".into(), 32, 32), "{key}");
                let number = |name| BigNum::from_slice(&bytes(name)).expect("a number");
                let point = EcKey::from_public_key_affine_coordinates(&group, &number("x"), &number("y"));
                point.expect("a point of the curve").check_key().expect("a sound key");
            }
            _ => assert_eq!((&key["crv"], bytes("x").len()), (&"Ed25519".into(), 32), "{key}"),
        }
    }
    let metadata: Value = server.get("/.well-known/openid-configuration").await.json();
    assert_eq!(metadata["id_token_signing_alg_values_supported"], json!(["RS256", "ES256", "PS256", "EdDSA"]));
}

both_engines!(c_86_id_tokens_are_signed_as_the_client_registered);
/// Requirements 32, 86; real clients 8 to 10: `kid` in every header, `at_hash` by the hash of the header's algorithm.
async fn c_86_id_tokens_are_signed_as_the_client_registered(server: TestServer) {
    let person = made::person(&server, "ada").await;
    let drafts = ALL.map(|(alg, library)| (draft(alg), alg, library));
    for (draft, alg, library) in [(made::draft(), Alg::Rs256, Algorithm::RS256)].into_iter().chain(drafts) {
        let application = made::client(&server, draft).await;
        let signed_in = SignedIn::at(&server, Flow::new(&application), person.clone()).await;
        let again = signed_in.refreshed(&signed_in.tokens.refresh_token()).await;
        for tokens in [&signed_in.tokens, &again] {
            let (access, id) = (tokens.access_token(), tokens.id_token());
            let keys = server.app().keys.set();
            let kid = |alg| keys.signing(alg).expect("a key").public.kid.clone();
            assert_eq!(header(&id), json!({"alg": alg.name(), "typ": "JWT", "kid": kid(alg)}));
            assert_eq!(header(&access), json!({"alg": "RS256", "typ": "at+jwt", "kid": kid(Alg::Rs256)}));
            let claims = verified(&server.wire(), &id, library, server.issuer(), &application.id).await;
            let digest = match alg {
                Alg::EdDsa => Sha512::digest(&access).to_vec(),
                _ => Sha256::digest(&access).to_vec(),
            };
            assert_eq!(claims["at_hash"], BASE64_URL_SAFE_NO_PAD.encode(&digest[..digest.len() / 2]), "{alg}");
            verified(&server.wire(), &access, Algorithm::RS256, server.issuer(), server.issuer()).await;
            signed_in.expect_live(&access).await;
        }
    }
}

each_engine!(c_31_keys_of_every_algorithm_rotate_by_themselves);
async fn c_31_keys_of_every_algorithm_rotate_by_themselves(engine: Engine) {
    let binary = Binary::start(engine).await;
    let wire = binary.wire();
    for (alg, _) in ALL {
        let mut before = Vec::new();
        for (other, _) in ALL {
            before.push(published_for(&wire, other.name()).await);
        }
        binary.cli(&["key", "rotate", "--alg", alg.name()]).await.expect_code(1);
        let said: Value = binary.cli(&["key", "rotate", "--alg", alg.name(), "--now", "--json"]).await.json();
        within_a_second("the fresh key", || async { published_for(&wire, alg.name()).await.len() == 3 }).await;
        for ((other, _), before) in ALL.iter().zip(before) {
            let now = published_for(&wire, other.name()).await;
            assert!(before.is_subset(&now), "{other}");
            assert_eq!(now.len(), if *other == alg { 3 } else { before.len() }, "{other} when {alg} rotates");
            assert_eq!(before.contains(said["kid"].as_str().expect("a kid")), *other == alg, "published ahead");
        }
    }
}

fn pkcs8(key: &PKey<Private>) -> Vec<u8> {
    key.private_key_to_pem_pkcs8().expect("PEM")
}

fn on(curve: Nid) -> EcKey<Private> {
    EcKey::generate(&EcGroup::from_curve_name(curve).expect("a curve")).expect("a key")
}

each_engine!(tj_16_imported_keys_are_judged_by_their_kind);
async fn tj_16_imported_keys_are_judged_by_their_kind(engine: Engine) {
    let binary = Binary::start(engine).await;
    let file = binary.path().join("own.pem");
    let path = file.display().to_string();
    let rsa = || PKey::from_rsa(Rsa::generate(2048).expect("a key")).expect("a key");
    let p256 = on(Nid::X9_62_PRIME256V1);
    let as_pkcs8 = |key: EcKey<Private>| pkcs8(&PKey::from_ec_key(key).expect("a key"));
    for (pem, more, alg) in [
        (pkcs8(&rsa()), &["--alg", "PS256"][..], "PS256"),
        (as_pkcs8(p256.clone()), &[], "ES256"),
        (on(Nid::X9_62_PRIME256V1).private_key_to_pem().expect("PEM"), &["--alg", "ES256"], "ES256"),
        (pkcs8(&PKey::generate_ed25519().expect("a key")), &[], "EdDSA"),
    ] {
        fs::write(&file, pem).expect("writing");
        let said: Value = binary.cli(&[&["key", "import", &path, "--json"], more].concat()).await.json();
        let kid = said["kid"].as_str().expect("a kid").to_owned();
        within_a_second("the imported key", || async { published_for(&binary.wire(), alg).await.contains(&kid) }).await;
        let rotated: Value = binary.cli(&["key", "rotate", "--alg", alg, "--now", "--json"]).await.json();
        assert_eq!(rotated["kid"], kid.as_str(), "{alg}");
    }

    let before = binary.dump().await;
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("a curve");
    let stranger = on(Nid::X9_62_PRIME256V1);
    let mixed = EcKey::from_private_components(&group, p256.private_key(), stranger.public_key()).expect("a key");
    let small = Rsa::generate_with_e(2048, &BigNum::from_u32(3).expect("a number")).expect("a key");
    for (what, pem, more) in [
        ("P-384", as_pkcs8(on(Nid::SECP384R1)), &[][..]),
        ("secp256k1", as_pkcs8(on(Nid::SECP256K1)), &[]),
        ("another's public half", as_pkcs8(mixed), &[]),
        ("Ed448", pkcs8(&PKey::generate_ed448().expect("a key")), &[]),
        ("e = 3", pkcs8(&PKey::from_rsa(small).expect("a key")), &[]),
        ("RSA for ES256", pkcs8(&rsa()), &["--alg", "ES256"]),
        ("P-256 for PS256", as_pkcs8(p256), &["--alg", "PS256"]),
    ] {
        fs::write(&file, pem).expect("writing");
        let refused = binary.cli(&[&["key", "import", &path], more].concat()).await.expect_code(1);
        assert_eq!(refused.stderr.trim_end().lines().count(), 1, "{what}: {refused}");
    }
    binary.dump().await.expect_same_as(&before);
}

each_engine!(a_first_start_answers_before_it_has_every_key);
/// What takes long is made beside the answering, and no two nodes make the same.
async fn a_first_start_answers_before_it_has_every_key(engine: Engine) {
    let binary = Binary::first_start(engine, &[]).await;
    let metadata: Value = binary.wire().get("/.well-known/openid-configuration").await.json();
    let at_once = metadata["id_token_signing_alg_values_supported"].as_array().expect("a list").clone();
    for alg in ["RS256", "ES256", "EdDSA"] {
        assert!(at_once.contains(&alg.into()), "{alg}: {at_once:?}");
    }
    let second = binary.second().await;
    for wire in [binary.wire(), second.wire()] {
        until("PS256", || async {
            let metadata: Value = wire.get("/.well-known/openid-configuration").await.json();
            metadata["id_token_signing_alg_values_supported"] == json!(["RS256", "ES256", "PS256", "EdDSA"])
                && jwks(&wire).await.len() == 8
        })
        .await;
    }
    assert_eq!(listed(&binary).await, complete());
}

each_engine!(a_restart_makes_what_is_missing);
async fn a_restart_makes_what_is_missing(engine: Engine) {
    let place = Arc::new(Place::prepared(engine, &[]).await);
    run(&place, "DELETE FROM signing_keys WHERE alg = 'PS256' OR state = 'next'").await;
    let first = Binary::at(place.clone()).await;
    let second = first.second().await;
    for wire in [first.wire(), second.wire()] {
        until("every key", || async { jwks(&wire).await.len() == 8 }).await;
    }
    assert_eq!(listed(&place).await, complete());
}

each_engine!(a_client_for_an_algorithm_without_keys_gets_them);
async fn a_client_for_an_algorithm_without_keys_gets_them(engine: Engine) {
    let place = Place::prepared(engine, &[]).await;
    let ps256 = |pairs: BTreeSet<(String, String)>| pairs.iter().filter(|(alg, _)| alg == "PS256").count();
    let forget = "DELETE FROM signing_keys WHERE alg = 'PS256'";
    let create = ["client", "create", "--name", "Shop", "--id", "shop", "--redirect-uri", "https://shop.example/cb"];
    run(&place, forget).await;
    place.cli(&create).await.expect_success();
    assert_eq!(ps256(listed(&place).await), 0, "nobody asked for one");
    place.cli(&["client", "update", "shop", "--id-token-alg", "PS256"]).await.expect_success();
    assert_eq!(ps256(listed(&place).await), 2);
    run(&place, forget).await;
    place
        .cli(&[
            "client",
            "create",
            "--name",
            "Other",
            "--public",
            "--redirect-uri",
            "https://o.example/cb",
            "--id-token-alg",
            "PS256",
        ])
        .await
        .expect_success();
    assert_eq!(ps256(listed(&place).await), 2);
    run(&place, forget).await;
    // The fresh next key has been published for a moment only.
    place.cli(&["key", "rotate", "--alg", "PS256"]).await.expect_code(1);
    place.cli(&["key", "rotate", "--alg", "PS256", "--now"]).await.expect_success();
}

async fn until<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !holds().await {
        assert!(std::time::Instant::now() < deadline, "not there after half a minute: {what}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

const AFTER: &str = "https://app.example/signed-out";

/// Whether our hint signs out at once, as only one does that verifies; the browser given stays signed in.
async fn counts_as_hint(app: &SignedIn, hint: &str) -> bool {
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("id_token_hint", hint), ("post_logout_redirect_uri", AFTER)])
        .finish();
    let mut browser = app.browser.clone();
    let call = browser.call(Method::GET, &format!("/logout?{query}")).header("sec-fetch-site", "cross-site");
    browser.send(call).await.status == 303
}

both_engines!(c_49_hints_outlive_their_key_but_not_a_leak with [("keys.keep_previous", "1m")]);
/// Requirement 49: an expired key verifies hints, and nothing else; one retired by hand not even those.
async fn c_49_hints_outlive_their_key_but_not_a_leak(server: TestServer) {
    let uris = Some(vec![AFTER.to_owned()]);
    for by_hand in [true, false] {
        for alg in [Alg::Rs256, Alg::Es256] {
            let draft = Draft { post_logout_redirect_uris: uris.clone(), ..draft(alg) };
            let application = made::client(&server, draft).await;
            let name = format!("ada-{by_hand}-{}", alg.name().to_lowercase());
            let person = made::person(&server, &name).await;
            let app = SignedIn::at(&server, Flow::new(&application), person).await;
            let (hint, access) = (app.tokens.id_token(), app.tokens.access_token());
            let kid = header(&hint)["kid"].as_str().expect("a kid").to_owned();
            let rooms = server.app();
            let (database, random) = (&rooms.database, &rooms.random);
            keys::rotate(database, rooms.master.sealing(), random, alg, true, server.now()).await.expect("rotating");
            if by_hand {
                keys::retire(database, random, kid.clone(), server.now()).await.expect("retiring");
            } else {
                server.advance_seconds(61);
                assert!(sweep_once(rooms).await.expect("a round") > 0);
            }
            within_a_second("unpublished", || async {
                !jwks(&server.wire()).await.iter().any(|key| key["kid"] == kid)
            })
            .await;
            if alg == Alg::Rs256 {
                app.expect_dead(&access).await;
            }
            assert_eq!(rooms.keys.set().find_for_hint(&kid).is_some(), !by_hand);
            if by_hand {
                assert!(!counts_as_hint(&app, &hint).await);
            } else {
                // Leaked, as it turns out later: from now on it is nobody's.
                let again = Flow::new(&application).sign_in(&mut app.browser.clone(), &app.person).await;
                assert!(!again.code().is_empty(), "still signed in");
                assert!(counts_as_hint_until_retired(&server, &app, &hint, &kid).await);
            }
        }
    }
}

/// Retires the key by hand, which is the last word, and only then uses the hint up.
async fn counts_as_hint_until_retired(server: &TestServer, app: &SignedIn, hint: &str, kid: &str) -> bool {
    let other = SignedIn::at(server, Flow::new(&app.flow.application), app.person.clone()).await;
    // Of another session: it verifies, but asks. Its own session signs out at once.
    assert!(!counts_as_hint(&other, hint).await);
    let counted = counts_as_hint(app, hint).await;
    let rooms = server.app();
    keys::retire(&rooms.database, &rooms.random, kid.to_owned(), server.now()).await.expect("retiring");
    within_a_second("forgotten", || async { rooms.keys.set().find_for_hint(kid).is_none() }).await;
    counted
}

both_engines!(tj_05_tj_06_tj_16_forgeries_under_the_newer_algorithms);
/// Each forgery beside the token that it was made of, which is taken.
async fn tj_05_tj_06_tj_16_forgeries_under_the_newer_algorithms(server: TestServer) {
    let signed_in = SignedIn::new(&server).await;
    let claims = Tokens::claims(&signed_in.tokens.access_token());
    let set = jwks(&server.wire()).await;
    let keys = server.app().keys.set();
    for alg in [Alg::Es256, Alg::Ps256, Alg::EdDsa] {
        let key = keys.signing(alg).expect("a key");
        let good = key.sign(TokenType::AccessToken, claims.to_string().as_bytes()).expect("signing");
        userinfo(&server.wire(), &good).await.expect_status(200);

        let kid = &key.public.kid;
        let (message, signature) = good.rsplit_once('.').expect("a signature");
        let payload = message.split_once('.').expect("a payload").1;
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).expect("base64url");
        let with = |alg: &str, signature: &[u8]| {
            let header = json!({"alg": alg, "typ": "at+jwt", "kid": kid}).to_string();
            let (header, signature) = (BASE64_URL_SAFE_NO_PAD.encode(header), BASE64_URL_SAFE_NO_PAD.encode(signature));
            format!("{header}.{payload}.{signature}")
        };
        let mut forged: Vec<String> =
            ["none", "None", "", "HS256", "RS256", "ES256", "PS256", "EdDSA", "ES384", "Ed25519"]
                .into_iter()
                .filter(|name| *name != alg.name())
                .flat_map(|name| [with(name, &signature), with(name, &[])])
                .collect();
        forged.extend([Vec::new(), vec![0; 64], vec![0; 256], vec![0xff; 64]].map(|bad| with(alg.name(), &bad)));
        forged.push(with(alg.name(), &signature[..signature.len() - 1]));
        forged.push(with(alg.name(), &[&signature[..], &[0]].concat()));
        // The published key as a shared secret.
        let jwk = set.iter().find(|key| key["kid"] == kid.as_str()).expect("it is published");
        for secret in [jwk.to_string(), jwk["x"].as_str().or(jwk["n"].as_str()).expect("a part").to_owned()] {
            let mut header = jsonwebtoken::Header::new(Algorithm::HS256);
            (header.typ, header.kid) = (Some("at+jwt".to_owned()), Some(kid.clone()));
            let secret = jsonwebtoken::EncodingKey::from_secret(secret.as_bytes());
            forged.push(jsonwebtoken::encode(&header, &claims, &secret).expect("signing"));
        }
        if alg == Alg::Es256 {
            let number = |bytes: &[u8]| BigNum::from_slice(bytes).expect("a number");
            let (r, s) = (number(&signature[..32]), number(&signature[32..]));
            let der = EcdsaSig::from_private_components(r, s).expect("a signature").to_der().expect("DER");
            forged.push(with("ES256", &der));
            let (r, s) = signature.split_at(32);
            forged.extend([[&[0; 32], s].concat(), [r, &[0; 32]].concat()].map(|bad| with("ES256", &bad)));
            // The order of the curve is as good as zero.
            let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("a curve");
            let mut order = BigNum::new().expect("a number");
            group.order(&mut order, &mut BigNumContext::new().expect("a context")).expect("its order");
            forged.push(with("ES256", &[r, &order.to_vec_padded(32).expect("its bytes")].concat()));
        }
        for token in forged {
            userinfo(&server.wire(), &token).await.expect_error(401, "invalid_token");
        }
    }
}
