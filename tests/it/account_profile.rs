//! `/account/profile` and `/account/picture`.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat};
use reqwest::Method;
use serde_json::json;

use crate::support::{Browser, TestServer, at_once};

use crate::account_pages::{browser_of, expect_done, expect_refused, press};

both_engines!(a_profile_with_all_that_is_in_it);
async fn a_profile_with_all_that_is_in_it(server: TestServer) {
    let ada = server.person("ada").await;
    let mut browser = browser_of(&server, &ada).await;
    let typed = [
        ("name", "Ada King"),
        ("given_name", "Ada"),
        ("middle_name", "Augusta"),
        ("family_name", "King"),
        ("nickname", "Countess"),
        ("phone_number", "+44 (20) 7946-0000"),
        ("website", "ada.example.org"),
        ("profile", "https://people.example.org/ada"),
        ("birthdate", "1815-12-10"),
        ("gender", "female"),
        ("locale", "en"),
        ("zoneinfo", "Europe/London"),
        ("address.street_address", "12 St James’s Square\r\nFlat 2"),
        ("address.postal_code", "SW1Y 4JH"),
        ("address.locality", "London"),
        ("address.region", "Westminster"),
        ("address.country", "United Kingdom"),
        ("attributes.about", "One\r\nTwo"),
        ("attributes.foundedYear", "1843"),
    ];
    let page = browser.get("/account/profile").await.expect_status(200);
    let form = page.form_of("save");
    for (name, kind) in
        [("given_name", "given-name"), ("address.street_address", "street-address"), ("birthdate", "bday")]
    {
        assert_eq!(page.element(name).attribute("autocomplete"), Some(kind));
    }
    let saved = browser.submit(&form, Some("save"), &typed).await;
    let page = expect_done(&mut browser, saved, "Saved.").await;
    let shown = page.form_of("save");
    assert_eq!(shown.value("name"), Some("Ada King"));
    assert_eq!(shown.value("birthdate"), Some("1815-12-10"));
    let user = server.app().accounts.find(&ada.id).await.expect("her");
    let claims = json!(user.profile);
    assert_eq!(claims["phone_number"], "+442079460000");
    assert_eq!(claims["website"], "https://ada.example.org");
    assert_eq!(claims["address"]["street_address"], "12 St James’s Square\nFlat 2");
    assert_eq!(user.attributes["about"], "One\nTwo");
    // Sent again as it is, nothing changes; emptied, what was there goes.
    let revision = user.revision;
    let again = browser.submit(&shown, Some("save"), &[]).await;
    expect_done(&mut browser, again, "Saved.").await;
    assert_eq!(server.app().accounts.find(&ada.id).await.expect("her").revision, revision);
    let emptied = press(&mut browser, "profile", "save", &[("nickname", ""), ("address.region", " ")]).await;
    expect_done(&mut browser, emptied, "Saved.").await;
    let claims = json!(server.app().accounts.find(&ada.id).await.expect("her").profile);
    assert_eq!((&claims["nickname"], &claims["address"]["region"]), (&json!(null), &json!(null)));
    assert_eq!(claims["gender"], "female");
    // In one's language from now on.
    let german = press(&mut browser, "profile", "save", &[("locale", "de")]).await;
    let page = browser.follow(german).await.expect_status(200);
    assert!(page.body.contains("<html lang=\"de\"") && page.body.contains("Gespeichert."), "{page:#?}");
}

both_engines!(a_profile_that_does_not_do_is_shown_as_it_was_typed);
async fn a_profile_that_does_not_do_is_shown_as_it_was_typed(server: TestServer) {
    let ada = server.person("ada").await;
    let mut browser = browser_of(&server, &ada).await;
    let long = "x".repeat(201);
    let typed = [
        ("name", long.as_str()),
        ("phone_number", "a telephone"),
        ("website", "http://"),
        ("birthdate", "yesterday"),
        ("zoneinfo", "Londinium!"),
        ("locale", "!"),
        ("address.country", long.as_str()),
        ("attributes.companyName", long.as_str()),
        ("nickname", "\"><script>alert(1)</script>"),
    ];
    let before = server.dump().await;
    let refused = press(&mut browser, "profile", "save", &typed).await;
    let page = expect_refused(refused, 422, "8 things need another look");
    server.dump().await.expect_same_as(&before);
    let form = page.form_of("save");
    for (name, value) in typed {
        assert_eq!(form.value(name), Some(value), "{name}");
        if name != "nickname" {
            assert_eq!(page.element(name).attribute("aria-invalid"), Some("true"), "{name}");
            let told = page.element(name).attribute("aria-describedby").unwrap_or_default().to_owned();
            assert!(told.split(' ').all(|id| page.find_element(id).is_some()), "{name}: {told}");
            assert!(page.body.contains(&format!("href=\"#{name}\"")), "{name} is not in the summary");
        }
    }
    assert!(!page.body.contains("<script>alert"), "{page:#?}");
    // Put right where it stands.
    let right = [
        ("name", "Ada"),
        ("phone_number", ""),
        ("website", ""),
        ("birthdate", "1815"),
        ("zoneinfo", ""),
        ("locale", ""),
        ("address.country", "GB"),
        ("attributes.companyName", "Analytical"),
    ];
    let saved = browser.submit(&form, Some("save"), &right).await;
    let page = expect_done(&mut browser, saved, "Saved.").await;
    assert!(!page.body.contains("<script>alert"), "{page:#?}");
    assert_eq!(page.form_of("save").value("birthdate"), Some("1815"));
}

both_engines!(attributes_are_filled_in_by_their_kinds with [
    ("attributes.whole.type", "integer"),
    ("attributes.part.type", "number"),
    ("attributes.flag.type", "boolean"),
    ("attributes.day.type", "date"),
    ("attributes.list.type", "strings"),
    ("attributes.list.max_length", "5"),
    ("attributes.shown.write", "admin"),
    ("attributes.secret.read", "admin"),
    ("attributes.secret.write", "admin"),
]);
async fn attributes_are_filled_in_by_their_kinds(server: TestServer) {
    let ada = server.person("ada").await;
    let change = json!({"shown": "seen", "secret": "whispered"}).as_object().cloned().expect("values");
    let change = bonafide::identity::AccountChange { attributes: change, ..Default::default() };
    server.app().accounts.update(&ada.id, change).await.expect("a change");
    let mut browser = browser_of(&server, &ada).await;
    let page = browser.get("/account/profile").await.expect_status(200);
    assert!(page.body.contains("seen") && !page.body.contains("whispered"), "{page:#?}");
    assert!(page.find_element("attributes.shown").is_none() && page.find_element("attributes.secret").is_none());
    let odd = [
        ("attributes.whole", "1.5"),
        ("attributes.part", "much"),
        ("attributes.day", "someday"),
        ("attributes.list", "abcdef"),
    ];
    let refused = browser.submit(&page.form_of("save"), Some("save"), &odd).await;
    let page = expect_refused(refused, 422, "4 things need another look");
    let good = [
        ("attributes.whole", "7"),
        ("attributes.part", "1,5"),
        ("attributes.flag", "false"),
        ("attributes.day", "2024-02-29"),
        ("attributes.list", "a\r\n\r\nb "),
    ];
    let mut form = page.form_of("save");
    // What is not in the form is nobody's to send.
    form.fields.push(("attributes.secret".to_owned(), "mine".to_owned()));
    form.fields.push(("attributes.shown".to_owned(), "mine".to_owned()));
    let saved = browser.submit(&form, Some("save"), &good).await;
    expect_done(&mut browser, saved, "Saved.").await;
    let user = server.app().accounts.find(&ada.id).await.expect("her");
    let expected = json!({"whole": 7, "part": 1.5, "flag": false, "day": "2024-02-29", "list": ["a", "b"],
        "shown": "seen", "secret": "whispered"});
    assert_eq!(json!(user.attributes), expected);
}

both_engines!(whoever_was_not_quick_enough_sees_both);
async fn whoever_was_not_quick_enough_sees_both(server: TestServer) {
    let ada = server.person("ada").await;
    let mut browser = browser_of(&server, &ada).await;
    let form = browser.get("/account/profile").await.form_of("save");
    let saved = browser.submit(&form, Some("save"), &[("address.locality", "Paris"), ("nickname", "A")]).await;
    saved.expect_status(303);
    let before = server.dump().await;
    let late = browser.submit(&form, Some("save"), &[("nickname", "B")]).await;
    let page = expect_refused(late, 409, "changed in another place");
    server.dump().await.expect_same_as(&before);
    let again = page.form_of("save");
    assert_eq!(again.value("nickname"), Some("B"));
    for said in ["Saved meanwhile: A", "Saved meanwhile: Paris"] {
        assert!(page.body.contains(said), "{page:#?}");
    }
    // Whoever has seen it may save.
    let saved = browser.submit(&again, Some("save"), &[("address.locality", "Paris")]).await;
    let page = expect_done(&mut browser, saved, "Saved.").await;
    let shown = page.form_of("save");
    assert_eq!((shown.value("nickname"), shown.value("address.locality")), (Some("B"), Some("Paris")));
    // Of ten forms at once one is saved.
    let answers = at_once(10, |n| {
        let (mut browser, form) = (browser.clone(), shown.clone());
        async move {
            let nickname = format!("N{n}");
            browser.submit(&form, Some("save"), &[("nickname", &nickname)]).await.status.as_u16()
        }
    });
    let mut answers = answers.await;
    answers.sort_unstable();
    assert_eq!(answers, [vec![303], vec![409; 9]].concat());
}

fn png(width: u32) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    DynamicImage::new_rgb8(width, width).write_to(&mut file, ImageFormat::Png).expect("a picture");
    file.into_inner()
}

/// The body of the picture's form.
pub(crate) fn picture(csrf: &str, file: &[u8]) -> Vec<u8> {
    let head = format!(
        "--x\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{csrf}\r\n--x\r\nContent-Disposition: form-data; \
         name=\"image\"; filename=\"me.png\"\r\nContent-Type: image/png\r\n\r\n"
    );
    [head.as_bytes(), file, b"\r\n--x--\r\n"].concat()
}

both_engines!(a_picture_is_set_and_removed_without_scripts);
async fn a_picture_is_set_and_removed_without_scripts(server: TestServer) {
    let ada = server.person("ada").await;
    let mut browser = browser_of(&server, &ada).await;
    let page = browser.get("/account/picture").await.expect_status(200);
    assert!(page.body.contains("5 MiB"), "what is allowed is said before: {page:#?}");
    let token = page.form_of("set-picture").value("csrf").expect("a token").to_owned();
    let send = async |browser: &mut Browser, body: Vec<u8>| {
        browser.send(browser.call(Method::POST, "/account/picture").body("multipart/form-data; boundary=x", body)).await
    };
    let heavy = vec![0; 5 * 1024 * 1024 + 1];
    for (file, said) in [
        (&b"no picture"[..], "no picture that can be shown"),
        (&b""[..], "Choose a file first"),
        (heavy.as_slice(), "5 MiB at most"),
    ] {
        let refused = send(&mut browser, picture(&token, file)).await;
        expect_refused(refused, 422, said);
    }
    send(&mut browser, picture("made-up", &png(8))).await.expect_status(403);
    assert!(server.app().accounts.find(&ada.id).await.expect("her").profile.picture.is_none());
    let set = send(&mut browser, picture(&token, &png(8))).await;
    let page = expect_done(&mut browser, set, "You have a new picture.").await;
    let shown = page.elements("img").iter().find_map(|img| img.attribute("src").map(str::to_owned)).expect("a picture");
    browser.get(&shown).await.expect_status(200);
    // Removed by the form as a browser sends it.
    assert!(page.find_element("remove-picture").is_some());
    let removal = format!(
        "--x\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{token}\r\n--x\r\nContent-Disposition: form-data; \
         name=\"remove\"\r\n\r\nyes\r\n--x--\r\n"
    );
    let removed = send(&mut browser, removal.into_bytes()).await;
    let page = expect_done(&mut browser, removed, "Your picture is removed.").await;
    assert!(page.find_element("remove-picture").is_none());
    browser.get(&shown).await.expect_status(404);
}
