//! `/account` in a real browser: by keyboard alone, as a screen reader has it, in light and dark, on the smallest phone, in both
//! languages and from right to left, with names longer than anybody's.

use std::time::Duration;

use bonafide::{
    audit::Source,
    clients::Draft,
    identity::{AccountChange, NewAccount},
};
use image::{DynamicImage, ImageFormat};
use serde_json::json;
use thirtyfour::{
    By, Key, RequestData, SessionId, WebElement, common::command::FormatRequestData, session::http::CmdResponse,
};
use tokio::time::sleep;

use crate::{
    providers::{Stage, come_back},
    support::{Browser, Chromium, Engine, Flow, Mailbox, Person, made},
};

const PASSWORD: &str = "plum violin 42 harbour";
const SECTIONS: [&str; 10] =
    ["", "/profile", "/picture", "/email", "/password", "/sessions", "/activity", "/apps", "/providers", "/data"];

struct Scene {
    stage: Stage,
    _mailbox: Mailbox,
    browser: Chromium,
    person: Person,
}

/// Somebody of this name who is signed in, with an application, another browser, and an account elsewhere.
async fn scene(name: &str, email: &str, app: &str) -> Scene {
    let more = [("providers.stub.label", "Elsewhere"), ("attributes.team.label", "Team"), ("limits.enabled", "false")];
    let (stage, mailbox) = Stage::with_mail(Engine::Sqlite, &more).await;
    let account = NewAccount {
        email: Some(email.to_owned()),
        username: Some("ada".to_owned()),
        name: Some(name.to_owned()),
        password: Some(PASSWORD.to_owned()),
        email_verified: true,
        ..NewAccount::default()
    };
    let user = stage.server.app().accounts.create(account).await.expect("an account");
    let person = Person {
        id: user.id.to_string(),
        username: "ada".to_owned(),
        email: email.to_owned(),
        name: name.to_owned(),
        password: PASSWORD.to_owned(),
    };
    let draft = Draft { client_name: Some(app.to_owned()), ..made::draft() };
    let flow =
        Flow::new(&made::client(&stage.server, draft).await).with("scope", "openid profile email offline_access");
    let mut elsewhere = stage.server.browser();
    flow.tokens(&stage.server.wire(), &mut elsewhere, &person).await;
    link(&stage, &mut elsewhere).await;
    let browser = Chromium::open(1100, 900).await;
    let scene = Scene { stage, _mailbox: mailbox, browser, person };
    scene.visit("/sign-in").await;
    scene.browser.fill("username", "ada").await;
    scene.browser.fill("password", PASSWORD).await;
    scene.browser.click("sign-in").await;
    scene.browser.id("account").await;
    scene
}

async fn link(stage: &Stage, browser: &mut Browser) {
    let form = browser.get("/account/providers").await.form("/providers/stub/link");
    let request = browser.submit(&form, None, &[]).await.expect_status(303).location();
    come_back(browser, &stage.stub.answer(&request, json!({ "sub": "elsewhere" }))).await.expect_status(303);
}

impl Scene {
    async fn visit(&self, path: &str) {
        self.browser.visit(&format!("{}{path}", self.stage.server.issuer())).await;
    }

    /// Looks at the page that is open, wide and narrow.
    async fn look(&self, name: &str) {
        for (width, suffix) in [(1100, ""), (320, "-narrow")] {
            self.browser.resize(width, 900).await;
            self.browser.expect_well_made(&format!("{name}{suffix}")).await;
        }
    }

    async fn script(&self, script: &str) -> String {
        let found = self.browser.execute(script, Vec::new()).await.expect(script);
        found.json().as_str().unwrap_or_default().to_owned()
    }

    async fn press(&self, keys: impl Into<thirtyfour::TypingData> + Send) {
        self.browser.active_element().await.expect("a focus").send_keys(keys).await.expect("typing");
    }

    async fn focus(&self) -> String {
        self.script("return document.activeElement.id").await
    }

    /// Goes on by the tab key until this element has the focus, which has to be seen on each on the way.
    async fn tab_to(&self, id: &str) {
        for _ in 0..60 {
            if self.focus().await == id {
                return;
            }
            self.browser.action_chain().send_keys(Key::Tab).perform().await.expect("the tab key");
            let seen = "const s = getComputedStyle(document.activeElement); return document.activeElement === document.body \
                        || (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0) ? 'yes' : 'no'";
            assert_eq!(self.script(seen).await, "yes", "the focus on {} is not seen", self.focus().await);
        }
        panic!("the tab key does not reach {id}");
    }

    /// By the keyboard: to an element, and what it does.
    async fn enter(&self, id: &str) {
        self.tab_to(id).await;
        self.press(Key::Enter).await;
    }

    /// Types into a field that the tab key reaches, in place of what is there.
    async fn type_into(&self, id: &str, text: &str) {
        self.tab_to(id).await;
        self.press(Key::Control + "a").await;
        self.press(text).await;
    }

    /// Until the page says what was done, and has the focus there.
    async fn expect_note(&self, said: &str) {
        for _ in 0..100 {
            if let Ok(note) = self.browser.find(By::Id("note")).await
                && note.text().await.is_ok_and(|text| text.contains(said))
            {
                assert_eq!(self.focus().await, "note");
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("nobody says {said}: {}", self.browser.source().await.unwrap_or_default());
    }

    async fn expect_path(&self, path: &str) {
        for _ in 0..100 {
            if self.browser.current_url().await.is_ok_and(|url| url.path() == path) {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("not at {path}: {:?}", self.browser.current_url().await);
    }

    /// What a screen reader is told of an element: `computedrole` or `computedlabel` (WebDriver section 12.4).
    async fn told(&self, element: &WebElement, what: &'static str) -> String {
        let asked = Told { element: element.element_id().to_string(), what };
        let answer = self.browser.cmd(asked).await.and_then(CmdResponse::value::<String>);
        answer.unwrap_or_else(|error| panic!("{what}: {error}"))
    }
}

#[derive(Debug)]
struct Told {
    element: String,
    what: &'static str,
}

impl FormatRequestData for Told {
    fn format_request(&self, session: &SessionId) -> RequestData {
        RequestData::new(reqwest::Method::GET, format!("/session/{session}/element/{}/{}", self.element, self.what))
    }
}

/// Longer than names are, with words that do not end.
const LONG: &str =
    "Wolfeschlegelsteinhausenbergerdorffwelchevoralternwaren Adolph Blaine Charles David Earl Frederick Gerald";
const LONG_EMAIL: &str =
    "wolfeschlegelsteinhausenbergerdorffwelchevoraltern@a-very-long-name-of-a-company-that-nobody-shortens.example.org";
const LONG_APP: &str = "Donaudampfschifffahrtsgesellschaftskapitänsanwendung";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_in_light_and_dark_wide_and_narrow() {
    let scene = Box::pin(scene("Ada Lovelace", "ada@example.org", "Orchard Market")).await;
    for section in SECTIONS {
        scene.visit(&format!("/account{section}")).await;
        let name = if section.is_empty() { "overview" } else { &section[1..] };
        scene.look(&format!("account-{name}")).await;
    }
    scene.visit("/").await;
    scene.browser.id("account").await;
    scene.look("home-account").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_with_something_to_be_put_right() {
    let scene = Box::pin(scene("Ada Lovelace", "ada@example.org", "Orchard Market")).await;
    let browser = &scene.browser;
    scene.visit("/account/profile").await;
    browser.fill("phone_number", "a telephone").await;
    browser.fill("website", "http://").await;
    browser.click("save").await;
    browser.id("website-fault").await;
    scene.look("account-profile-refused").await;
    scene.visit("/account/profile").await;
    browser.fill("nickname", "A").await;
    let claims = vec![("nickname".to_owned(), json!("B"))];
    let change = AccountChange { claims, ..AccountChange::default() };
    scene.stage.server.app().accounts.update(&scene.person.id, change).await.expect("a change");
    browser.click("save").await;
    browser.id("nickname-meanwhile").await;
    scene.look("account-profile-overtaken").await;
    scene.visit("/account/email").await;
    browser.click("change-email").await;
    browser.id("email-fault").await;
    scene.look("account-email-refused").await;
    scene.visit("/account/password").await;
    browser.fill("current_password", "not hers").await;
    browser.fill("password", "tidal lantern 88 moss").await;
    browser.click("change-password").await;
    browser.id("current_password-fault").await;
    scene.look("account-password-refused").await;
    scene.visit("/account/picture").await;
    browser.click("set-picture").await;
    browser.id("image-fault").await;
    scene.look("account-picture-refused").await;
    scene.visit("/account/sessions").await;
    scene
        .stage
        .server
        .app()
        .sessions
        .end_others(scene.person.id.parse().expect("an id"), None, &Source::default())
        .await
        .ok();
    scene.visit("/account/email").await;
    browser.id("sign-in").await;
    browser.fill("username", "ada").await;
    browser.fill("password", PASSWORD).await;
    browser.click("sign-in").await;
    browser.id("change-email").await;
    scene.stage.server.advance_seconds(16 * 60);
    scene.visit("/account/email").await;
    browser.id("confirm").await;
    scene.look("account-confirm").await;
    browser.fill("password", "not hers").await;
    browser.click("confirm").await;
    browser.id("summary").await;
    scene.look("account-confirm-refused").await;
}

/// In German, with names that are too long for a line, and laid out from right to left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_in_german_with_long_names_and_from_right_to_left() {
    let scene = Box::pin(scene(LONG, LONG_EMAIL, LONG_APP)).await;
    let claims = vec![("locale".to_owned(), json!("de"))];
    let change = AccountChange { claims, ..AccountChange::default() };
    scene.stage.server.app().accounts.update(&scene.person.id, change).await.expect("a change");
    for section in SECTIONS {
        let name = if section.is_empty() { "overview" } else { &section[1..] };
        scene.visit(&format!("/account{section}")).await;
        assert_eq!(scene.script("return document.documentElement.lang").await, "de");
        scene.look(&format!("account-{name}-long")).await;
        scene.script("document.documentElement.dir = 'rtl'; return ''").await;
        scene.look(&format!("account-{name}-rtl")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_task_by_keyboard_alone() {
    let scene = Box::pin(scene("Ada Lovelace", "ada@example.org", "Orchard Market")).await;
    let browser = &scene.browser;
    scene.visit("/account").await;
    scene.enter("go-profile").await;
    scene.expect_path("/account/profile").await;
    scene.type_into("nickname", "Countess").await;
    scene.tab_to("locale").await;
    scene.enter("save").await;
    scene.expect_note("Saved.").await;

    scene.visit("/account").await;
    scene.enter("go-picture").await;
    let file = scene.stage.server.path().join("me.png");
    DynamicImage::new_rgb8(64, 64).save_with_format(&file, ImageFormat::Png).expect("a picture");
    // What the dialog of the system does, nobody can try here.
    browser.id("image").await.send_keys(file.to_str().expect("a path")).await.expect("a file");
    scene.enter("set-picture").await;
    scene.expect_note("You have a new picture.").await;
    scene.look("account-picture-set").await;
    scene.enter("remove-picture").await;
    scene.expect_note("Your picture is removed.").await;

    scene.visit("/account").await;
    scene.enter("go-email").await;
    scene.type_into("email", "king@example.net").await;
    scene.press(Key::Enter).await;
    scene.expect_note("Look into the mailbox").await;

    scene.visit("/account").await;
    scene.enter("go-apps").await;
    scene.enter("w1").await;
    scene.expect_note("Its access has ended").await;

    scene.visit("/account").await;
    scene.enter("go-sessions").await;
    scene.enter("e2").await;
    scene.expect_note("It is signed out").await;
    crate::engines::sign_in(&mut scene.stage.server.browser(), "ada", PASSWORD).await.expect_status(303);
    scene.visit("/account/sessions").await;
    scene.enter("end-others").await;
    scene.expect_note("Everywhere but here").await;

    scene.stage.server.advance_seconds(16 * 60);
    scene.visit("/account").await;
    scene.enter("go-providers").await;
    scene.enter("u1").await;
    browser.id("confirm").await;
    assert_eq!(scene.focus().await, "password", "typing begins there");
    scene.press(PASSWORD).await;
    scene.press(Key::Enter).await;
    scene.expect_path("/account/providers").await;
    scene.enter("u1").await;
    scene.expect_note("Disconnected").await;

    scene.visit("/account").await;
    scene.enter("go-password").await;
    browser.id("current_password").await;
    assert_eq!(scene.focus().await, "current_password", "typing begins there");
    scene.press("wrong").await;
    scene.press(Key::Enter).await;
    browser.id("password-fault").await;
    assert_eq!(scene.focus().await, "summary");
    scene.type_into("current_password", PASSWORD).await;
    scene.type_into("password", "tidal lantern 88 moss").await;
    scene.press(Key::Enter).await;
    scene.expect_note("You have a new password").await;

    scene.visit("/account").await;
    scene.enter("go-data").await;
    scene.enter("export").await;
    scene.tab_to("fetch1").await;
    scene.enter("delete").await;
    browser.id("sure-fault").await;
    assert_eq!(scene.focus().await, "summary");
    scene.tab_to("sure").await;
    scene.press(" ").await;
    scene.enter("delete").await;
    browser.gone("delete").await;
    scene.look("account-leaves").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_a_screen_reader_has_it() {
    let scene = Box::pin(scene("Ada Lovelace", "ada@example.org", "Orchard Market")).await;
    let browser = &scene.browser;
    for section in SECTIONS {
        scene.visit(&format!("/account{section}")).await;
        let nav = browser.element(By::Css("nav.sections")).await;
        assert_eq!(
            (scene.told(&nav, "computedrole").await.as_str(), scene.told(&nav, "computedlabel").await.as_str()),
            ("navigation", "Your account")
        );
        for (selector, role) in [("main", "main"), ("header", "banner"), ("h1", "heading")] {
            let found = browser.find_all(By::Css(selector)).await.expect(selector);
            assert_eq!(found.len(), 1, "{section}: {selector}");
            assert_eq!(scene.told(&found[0], "computedrole").await, role, "{section}");
        }
        let current = browser.find_all(By::Css("nav.sections [aria-current=page]")).await.expect("links");
        assert_eq!(current.len(), 1, "{section}");
        let fields = "a, button:not([hidden]), select, textarea, input:not([type=hidden]):not([aria-hidden])";
        for element in browser.find_all(By::Css(fields)).await.expect("what can be used") {
            if !element.is_displayed().await.unwrap_or_default() {
                continue;
            }
            let (role, label) =
                (scene.told(&element, "computedrole").await, scene.told(&element, "computedlabel").await);
            let html = element.outer_html().await.unwrap_or_default();
            assert!(!label.trim().is_empty(), "{section}: nobody says what this is: {html}");
            let roles = ["link", "button", "textbox", "combobox", "menulist", "Date", "textField", "checkbox"];
            let known =
                roles.contains(&role.as_str()) || html.contains("type=\"date\"") || html.contains("type=\"file\"");
            assert!(known, "{section}: {role}: {html}");
        }
    }
    for (section, id, role, label) in [
        ("profile", "given_name", "textbox", "First name"),
        ("profile", "address.street_address", "textbox", "Street and number"),
        ("email", "email", "textbox", "New address"),
        ("sessions", "e2", "button", "End"),
        ("sessions", "end-others", "button", "End all others"),
        ("apps", "w1", "button", "Withdraw"),
        ("providers", "u1", "button", "Disconnect"),
        ("password", "change-password", "button", "Set password"),
        ("data", "sure", "checkbox", "Yes, delete my account"),
        ("data", "delete", "button", "Delete account"),
    ] {
        scene.visit(&format!("/account/{section}")).await;
        let element = browser.id(id).await;
        let told = (scene.told(&element, "computedrole").await, scene.told(&element, "computedlabel").await);
        assert_eq!((told.0.as_str(), told.1.as_str()), (role, label), "{section}");
    }
    // Which of them a button ends is said with it.
    scene.visit("/account/apps").await;
    let about = browser.id("w1").await.attr("aria-describedby").await.expect("an attribute").expect("an id");
    assert!(browser.id(&about).await.text().await.expect("text").contains("Orchard Market"));
}
