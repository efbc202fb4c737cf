//! Pictures that people upload (H3-10): taken in, made anew, shown, given up.

use std::{
    collections::BTreeMap,
    io::Cursor,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Bytes, to_bytes},
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;

use crate::{
    api_accounts::{expect_problem, get, login, text},
    support::{Answer, Call, Engine, Flow, Person, TestServer, at_once, made, web_application},
};

const BOUNDARY: &str = "----a-boundary-of-ours";

/// Stripes, so that turning and scaling show.
fn drawn(width: u32, height: u32) -> DynamicImage {
    DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, |x, _| {
        if x < width / 2 { Rgb([200, 30, 30]) } else { Rgb([30, 30, 200]) }
    }))
}

fn file(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    drawn(width, height).write_to(&mut file, format).expect("a picture");
    file.into_inner()
}

/// One part of a form.
fn part(name: &str, kind: &str, content: &[u8]) -> Vec<u8> {
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"../../me.png\"\r\nContent-Type: {kind}\r\n\r\n"
    );
    [head.as_bytes(), content, b"\r\n"].concat()
}

fn form(parts: &[Vec<u8>]) -> Vec<u8> {
    let end = format!("--{BOUNDARY}--\r\n");
    [parts.concat(), end.into_bytes()].concat()
}

struct Somebody {
    person: Person,
    token: String,
}

impl Somebody {
    async fn called(server: &TestServer, name: &str) -> Self {
        let person = server.person(name).await;
        let token = text(&login(server, &person).await, "accessToken").to_owned();
        Self { person, token }
    }

    fn call(&self, server: &TestServer, id: &str, body: Vec<u8>) -> Call {
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        server.call(Method::PUT, &format!("/auth/upload-image/{id}")).bearer(&self.token).body(&kind, body)
    }

    async fn send(&self, server: &TestServer, body: Vec<u8>) -> Answer {
        self.call(server, &self.person.id, body).send().await
    }

    /// As a front end sends a file.
    async fn upload(&self, server: &TestServer, kind: &str, file: &[u8]) -> Answer {
        self.send(server, form(&[part("image", kind, file)])).await
    }

    /// The address of a picture that was taken.
    async fn uploaded(&self, server: &TestServer, file: &[u8]) -> String {
        let answer = self.upload(server, "image/png", file).await.expect_status(200);
        let body: Value = answer.json();
        assert_eq!(body.as_object().expect("an object").len(), 1, "{body}");
        text(&body, "imageUrl").to_owned()
    }
}

/// What is served at an address, as a picture.
async fn shown(server: &TestServer, address: &str) -> DynamicImage {
    let url = address.replace(server.issuer(), &format!("http://{}", server.node().address()));
    let answer = reqwest::get(url).await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let bytes = answer.bytes().await.expect("a body");
    assert!(!bytes.windows(4).any(|four| four == b"EXIF" || four == b"Exif"), "IJ-18");
    image::load_from_memory_with_format(&bytes, ImageFormat::WebP).expect("a picture")
}

/// How many files the store holds.
fn kept(server: &TestServer) -> usize {
    let folder = server.setting("storage.url");
    if Path::new(folder).exists() { std::fs::read_dir(folder).expect("a folder").count() } else { 0 }
}

both_engines!(h3_10_every_format_becomes_a_picture_of_ours);
/// H3-10: the path, the part and the answer of the document; whatever was sent, a fresh small picture comes out, under a name
/// that has nothing of the file's, and the `picture` claim is its address.
async fn h3_10_every_format_becomes_a_picture_of_ours(server: TestServer) {
    let ada = Somebody::called(&server, "ada").await;
    let mut earlier = Vec::new();
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Gif] {
        // What the sender calls it decides nothing.
        let answer = ada.upload(&server, "text/html", &file(1200, 600, format)).await.expect_status(200);
        let address = text(&answer.json::<Value>(), "imageUrl").to_owned();
        assert!(address.starts_with(&format!("{}/pictures/", server.issuer())), "{address}");
        assert!(!address.contains("me.png") && !address.contains(&ada.person.id), "{address}");
        let picture = shown(&server, &address).await;
        assert_eq!((picture.width(), picture.height()), (512, 256), "{format:?}");
        let me: Value = get(&server, "/auth/me", &ada.token).await.expect_status(200).json();
        assert_eq!(text(&me, "image"), address);
        earlier.push(address);
    }
    let last = earlier.pop().expect("a picture");
    let answer = server.get(&last).await.expect_status(200);
    assert_eq!(answer.header("content-type"), "image/webp");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
    assert!(answer.header("content-security-policy").contains("default-src 'none'"), "{answer:#?}");
    // The ones before are gone, from the store too.
    for address in &earlier {
        server.get(address).await.expect_status(404);
    }
    assert_eq!(kept(&server), 1);

    let flow = Flow::new(&server.application(&web_application()).await);
    let flow = flow.with("scope", "openid profile");
    let tokens = flow.tokens(&server.wire(), &mut server.browser(), &ada.person).await;
    let claims: Value = made::userinfo(&server.wire(), &tokens.access_token()).await.expect_status(200).json();
    assert_eq!(claims["picture"], last);
}

both_engines!(ij_18_where_it_was_taken_is_not_kept);
/// IJ-18: a photograph comes out without its metadata, and upright as its metadata said.
async fn ij_18_where_it_was_taken_is_not_kept(server: TestServer) {
    let ada = Somebody::called(&server, "ada").await;
    let plain = file(80, 40, ImageFormat::Jpeg);
    // TIFF, little-endian: one entry, orientation 6 (turn right), then text where a position would stand.
    let mut exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
    exif.extend_from_slice(b"GPS 51.5007 N 0.1246 W");
    let length = u16::try_from(exif.len() + 2).expect("short").to_be_bytes();
    let photograph = [&plain[..2], &[0xff, 0xe1], &length, &exif, &plain[2..]].concat();
    let picture = shown(&server, &ada.uploaded(&server, &photograph).await).await.into_rgb8();
    assert_eq!(picture.dimensions(), (40, 80), "turned");
    assert!(picture.get_pixel(20, 5)[0] > 150 && picture.get_pixel(20, 75)[2] > 150, "red above blue");
    let folder = std::fs::read_dir(server.setting("storage.url")).expect("a folder");
    for entry in folder {
        let bytes = std::fs::read(entry.expect("an entry").path()).expect("a file");
        assert!(!bytes.windows(3).any(|three| three == b"GPS"));
    }
    // As it is without the word on how it was held.
    let upright = shown(&server, &ada.uploaded(&server, &plain).await).await;
    assert_eq!((upright.width(), upright.height()), (80, 40));
}

both_engines!(ij_15_ij_16_ij_17_what_is_no_picture_is_refused);
/// IJ-15, IJ-16, IJ-17, IJ-19: what can do more than be looked at, what is broken and what is a bomb is refused with a sentence,
/// and nothing is changed.
async fn ij_15_ij_16_ij_17_what_is_no_picture_is_refused(server: TestServer) {
    let ada = Somebody::called(&server, "ada").await;
    let before = server.dump().await;
    let svg = br#"<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>"#;
    let html = b"<!doctype html><script>alert(1)</script>";
    let png = file(300, 300, ImageFormat::Png);
    // The head claims 50,000 by 50,000.
    let mut bomb = png.clone();
    bomb[16..24].copy_from_slice(&[0, 0, 0xc3, 0x50, 0, 0, 0xc3, 0x50]);
    let right = crc(&bomb[12..29]).to_be_bytes();
    bomb[29..33].copy_from_slice(&right);
    let tiff = b"II*\0\x08\0\0\0\0\0";
    for (what, file, sentence) in [
        ("svg", &svg[..], "PNG, JPEG"),
        ("html", &html[..], "PNG, JPEG"),
        ("html in a GIF's clothes", b"GIF89a<script>alert(1)</script>", "megapixels"),
        ("tiff", &tiff[..], "PNG, JPEG"),
        ("truncated", &png[..png.len() / 2], "damaged"),
        ("only a head", &png[..20], "damaged"),
        ("a bomb", &bomb, "megapixels"),
    ] {
        let problem = expect_problem(ada.upload(&server, "image/png", file).await, 422);
        let said = problem["errors"]["image"][0].as_str().unwrap_or_default();
        assert!(said.contains(sentence), "{what}: {problem}");
    }
    server.dump().await.expect_same_as(&before);
    assert_eq!(kept(&server), 0);
    ada.uploaded(&server, &png).await;
    assert_eq!(kept(&server), 1);
}

/// CRC-32 as PNG has it.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 })
    })
}

both_engines!(ij_09_ij_10_forms_are_read_within_limits);
/// IJ-09, IJ-10: five MiB and not a byte more; forms that are none, or that hold something else, are refused.
async fn ij_09_ij_10_forms_are_read_within_limits(server: TestServer) {
    let ada = Somebody::called(&server, "ada").await;
    let png = file(30, 30, ImageFormat::Png);
    let of_size = |bytes: usize| [png.clone(), vec![0; bytes - png.len()]].concat();
    let most = 5 * 1024 * 1024;
    // What follows a PNG's end is no matter of the picture's.
    ada.uploaded(&server, &of_size(most)).await;
    let before = server.dump().await;
    for size in [most + 1, 2 * most] {
        let answer = ada.upload(&server, "image/png", &of_size(size)).await;
        assert_eq!(answer.header("connection"), "close");
        let problem = expect_problem(answer, 413);
        assert!(problem["errors"]["image"][0].as_str().unwrap_or_default().contains("5 MiB"), "{problem}");
    }

    let image = part("image", "image/png", &png);
    let many: Vec<_> = (0..2000).map(|number| part(&format!("part{number}"), "text/plain", b"x")).collect();
    let long = part(&"n".repeat(60_000), "text/plain", b"x");
    let end = format!("--{BOUNDARY}--\r\n").into_bytes();
    for (what, body, status) in [
        ("nothing", Vec::new(), 400),
        ("no part", end, 400),
        ("an empty part", form(&[part("image", "image/png", b"")]), 400),
        ("another part", form(&[part("file", "image/png", &png)]), 400),
        ("one part too many", form(&[image.clone(), part("role", "text/plain", b"admin")]), 400),
        ("twice", form(&[image.clone(), image.clone()]), 400),
        ("no end", image.clone(), 400),
        (
            "another boundary",
            String::from_utf8_lossy(&form(std::slice::from_ref(&image))).replace("ours", "yours").into_bytes(),
            400,
        ),
        ("many parts", form(&many), 400),
        ("a long name", form(&[long]), 400),
    ] {
        let answer = ada.send(&server, body).await;
        assert!([status, 413].contains(&answer.status.as_u16()), "{what}: {answer:#?}");
        let status = answer.status.as_u16();
        expect_problem(answer, status);
    }
    let path = format!("/auth/upload-image/{}", ada.person.id);
    for kind in ["image/png", "application/json", "multipart/form-data", "text/plain; boundary=x"] {
        let call = server.call(Method::PUT, &path).bearer(&ada.token).body(kind, form(std::slice::from_ref(&image)));
        expect_problem(call.send().await, 415);
    }
    server.dump().await.expect_same_as(&before);
    ada.send(&server, form(&[image])).await.expect_status(200);
}

both_engines!(ap_02_h3_9_nobody_gives_another_a_picture);
/// AP-02, H3-9: another's picture is as missing as one of somebody who is not there; an administrator may.
async fn ap_02_h3_9_nobody_gives_another_a_picture(server: TestServer) {
    let (ada, eve) = (Somebody::called(&server, "ada").await, Somebody::called(&server, "eve").await);
    let boss = Somebody::called(&server, "boss").await;
    server.app().accounts.grant_role("boss", "admin").await.expect("a role");
    let address = ada.uploaded(&server, &file(30, 30, ImageFormat::Png)).await;
    let before = server.dump().await;
    let body = || form(&[part("image", "image/png", &file(20, 20, ImageFormat::Png))]);
    for id in [ada.person.id.as_str(), "0193e4b0-0000-7000-8000-000000000000", "1", "..%2f..%2fx", "%00"] {
        expect_problem(eve.call(&server, id, body()).send().await, 404);
    }
    let path = format!("/auth/upload-image/{}", ada.person.id);
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    expect_problem(server.call(Method::PUT, &path).body(&kind, body()).send().await, 401);
    server.dump().await.expect_same_as(&before);
    assert_eq!(kept(&server), 1);
    server.get(&address).await.expect_status(200);
    boss.call(&server, &ada.person.id, body()).send().await.expect_status(200);
    server.get(&address).await.expect_status(404);
}

both_engines!(parallel_uploads_leave_one_picture);
/// Whoever comes last has the picture; nothing else is left, in the database or in the store.
async fn parallel_uploads_leave_one_picture(server: TestServer) {
    let ada = Somebody::called(&server, "ada").await;
    let calls = at_once(8, |n| {
        let size = 20 + u32::try_from(n).expect("few");
        ada.call(&server, &ada.person.id, form(&[part("image", "image/png", &file(size, size, ImageFormat::Png))]))
            .send()
    });
    let answers = calls.await;
    let addresses: Vec<String> = answers
        .into_iter()
        .map(|answer| text(&answer.expect_status(200).json::<Value>(), "imageUrl").to_owned())
        .collect();
    let me: Value = get(&server, "/auth/me", &ada.token).await.expect_status(200).json();
    let mut seen = Vec::new();
    for address in &addresses {
        if server.get(address).await.status == 200 {
            seen.push(address.as_str());
        }
    }
    assert_eq!(seen, [text(&me, "image")]);
    bonafide::server::sweep_once(server.app()).await.expect("a sweep");
    assert_eq!(kept(&server), 1);
    shown(&server, text(&me, "image")).await;
}

both_engines!(a_picture_goes_with_its_person_or_by_their_word);
/// Taken out of the profile, or with the account: nobody sees it any more, and the sweeper takes the file.
async fn a_picture_goes_with_its_person_or_by_their_word(server: TestServer) {
    let (ada, bob) = (Somebody::called(&server, "ada").await, Somebody::called(&server, "bob").await);
    let png = file(30, 30, ImageFormat::Png);
    let (of_ada, of_bob) = (ada.uploaded(&server, &png).await, bob.uploaded(&server, &png).await);
    let path = format!("/auth/{}", ada.person.id);
    // Another change leaves it.
    for (change, seen) in [(json!({"nickname": "Countess", "image": of_ada}), 200), (json!({"image": ""}), 404)] {
        let call = server.call(Method::PUT, &path).bearer(&ada.token).json(&change);
        call.send().await.expect_status(200);
        server.get(&of_ada).await.expect_status(seen);
    }
    server.app().accounts.delete("bob").await.expect("removing");
    server.get(&of_bob).await.expect_status(404);
    server.advance_seconds(3_700);
    bonafide::server::sweep_once(server.app()).await.expect("a sweep");
    assert_eq!(kept(&server), 0);
}

both_engines!(names_of_pictures_lead_nowhere_else);
/// IJ-15: a name is a name of ours or nothing; the store's folder holds nothing that can be asked for otherwise.
async fn names_of_pictures_lead_nowhere_else(server: TestServer) {
    let ada = Somebody::called(&server, "ada").await;
    let address = ada.uploaded(&server, &file(30, 30, ImageFormat::Png)).await;
    let name = address.rsplit('/').next().expect("a name");
    for path in [
        "/pictures/",
        "/pictures/..%2fkeys%2fmaster.key",
        "/pictures/..%2f..%2f..%2f..%2fetc%2fpasswd",
        "/pictures/%00.webp",
        "/pictures/%ff.webp",
        &format!("/pictures/{}", name.trim_end_matches(".webp")),
        &format!("/pictures/.%2f{name}"),
        &format!("/pictures/{}", name.replace(".webp", ".html")),
    ] {
        server.get(path).await.expect_status(404);
    }
    server.get(&address).await.expect_status(200);
}

type Bucket = Arc<Mutex<BTreeMap<String, Bytes>>>;

/// Something that speaks like S3; what it holds.
async fn bucket() -> (SocketAddr, Bucket) {
    let (listener, bucket) = (TcpListener::bind("127.0.0.1:0").await.expect("a listener"), Bucket::default());
    let address = listener.local_addr().expect("an address");
    let router = Router::new().fallback(speak_s3).with_state(bucket.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, bucket)
}

async fn speak_s3(State(bucket): State<Bucket>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 8 * 1024 * 1024).await.expect("a body");
    let header =
        |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let signed = header("authorization").starts_with("AWS4-HMAC-SHA256 Credential=our-key/")
        && header("authorization").contains("/eu-central-1/s3/aws4_request");
    let digest = Sha256::digest(&body).iter().fold(String::new(), |text, byte| text + format!("{byte:02x}").as_str());
    if !signed || ![digest.as_str(), "UNSIGNED-PAYLOAD"].contains(&header("x-amz-content-sha256").as_str()) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let path = head.uri.path().to_owned();
    let mut bucket = bucket.lock().unwrap();
    let about = [("etag", "\"one\""), ("last-modified", "Sat, 21 Nov 2026 12:00:00 GMT")];
    match head.method.as_str() {
        "PUT" => {
            bucket.insert(path, body);
            about.into_response()
        }
        "GET" => match bucket.get(&path) {
            Some(found) => (about, found.clone()).into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        },
        "DELETE" => {
            bucket.remove(&path);
            StatusCode::NO_CONTENT.into_response()
        }
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

/// Pictures go where `storage.url` says, signed, by the one way out: an address that is not allowed is not called.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_speaks_like_s3_keeps_pictures() {
    let (address, bucket) = bucket().await;
    let endpoint = format!("http://{address}");
    let settings = |allowed| {
        [
            ("storage.url", "s3://people/faces"),
            ("storage.key_id", "our-key"),
            ("storage.key", "the secret of our key"),
            ("storage.region", "eu-central-1"),
            ("storage.endpoint", endpoint.as_str()),
            ("outgoing.allow", allowed),
        ]
    };
    let png = file(700, 700, ImageFormat::Png);
    let (allowed, elsewhere) = (address.to_string(), "127.0.0.1:1".to_owned());

    let server = TestServer::with(Engine::Sqlite, &settings(&elsewhere)).await;
    let ada = Somebody::called(&server, "ada").await;
    let refused = ada.upload(&server, "image/png", &png).await;
    // The reference is made by chance, and may have any letters.
    let said = refused.body.replace(refused.header("x-request-id"), "").to_lowercase();
    assert!(!said.contains("127.0.0.1") && !said.contains("s3"), "IJ-20: {refused:#?}");
    expect_problem(refused, 503);
    assert!(bucket.lock().unwrap().is_empty());

    let server = TestServer::with(Engine::Sqlite, &settings(&allowed)).await;
    let ada = Somebody::called(&server, "ada").await;
    let first = ada.uploaded(&server, &png).await;
    let name = first.rsplit('/').next().and_then(|file| file.strip_suffix(".webp")).expect("a name");
    assert_eq!(bucket.lock().unwrap().keys().collect::<Vec<_>>(), [&format!("/people/faces/{name}")]);
    assert_eq!(shown(&server, &first).await.width(), 512);
    let second = ada.uploaded(&server, &png).await;
    assert_eq!(bucket.lock().unwrap().len(), 1, "the one before is gone");
    shown(&server, &second).await;
}
