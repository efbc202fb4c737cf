//! Another password and another address for one's own account, by the JSON API.

use bonafide::access::keys::{NewApiKey, Owner};
use bonafide::audit::Source;
use bonafide::identity::NewAccount;
use serde_json::{Value, json};

use crate::{
    api_accounts::{expect_problem, get, login, post, text},
    mail::server_with_mail,
    support::{
        Engine, Flow, Mailbox, Person, ReceivedMail, TestServer,
        made::{self},
    },
};

use crate::own_account::{NEW, at_house, delete, events, expect_reauthentication, house, list, put, token};

/// The mails to an address, oldest first.
fn mails_to(mailbox: &Mailbox, address: &str) -> Vec<ReceivedMail> {
    mailbox.received().into_iter().filter(|mail| mail.to == [address]).collect()
}

each_engine!(al_04_another_password_ends_everything_but_where_it_was_made);
/// AL-04: a password change ends every other session and refresh family and every mailed link, and its owner is told.
async fn al_04_another_password_ends_everything_but_where_it_was_made(engine: Engine) {
    let quiet = [("limits.enabled", "false"), ("mail.new_device_notice", "false")];
    let (server, mailbox) = server_with_mail(engine, &quiet).await;
    let ada = server.person("ada").await;
    let house = house(&server).await;
    let here = at_house(&server, &house, &ada, "openid account").await;
    // In the same browser.
    let flow = Flow::new(&house);
    let code = flow.sign_in(&mut here.browser.clone(), &ada).await.code().to_owned();
    let beside = flow.exchange(&server.wire(), &code).await.expect_tokens();
    let elsewhere = at_house(&server, &house, &ada, "openid account").await;
    let offline = at_house(&server, &house, &ada, "openid offline_access").await;
    let by_json = login(&server, &ada).await;
    post(&server, "/auth/forgot-password", &json!({"email": ada.email})).await.expect_status(200);
    let link = mailbox.nth(1).await.token();
    let path = format!("/auth/{}/password", ada.id);
    let own = here.tokens.access_token();

    // What does not do changes nothing: the reset link is good still.
    for (body, status, field) in [
        (json!({"currentPassword": ada.password, "newPassword": "short"}), 400, "password"),
        (json!({"currentPassword": "wrong", "newPassword": NEW}), 400, "currentPassword"),
        (json!({"currentPassword": ada.password}), 400, "newPassword"),
        (json!({"currentPassword": ada.password, "newPassword": NEW, "userId": "x"}), 400, "userId"),
    ] {
        let problem = expect_problem(put(&server, &own, &path, &body).await, status);
        assert!(problem["errors"][field].is_array(), "{problem}");
    }
    elsewhere.expect_live(&elsewhere.tokens.access_token()).await;
    server.get(&format!("/reset-password?token={link}")).await.expect_status(200);

    let good = json!({"currentPassword": ada.password, "newPassword": NEW});
    put(&server, &own, &path, &good).await.expect_status(204);
    get(&server, "/auth/me", &own).await.expect_status(200);
    here.refreshed(&here.tokens.refresh_token()).await;
    made::userinfo(&server.wire(), &beside.access_token()).await.expect_status(200);
    for gone in [&elsewhere, &offline] {
        gone.expect_dead(&gone.tokens.access_token()).await;
        gone.expect_refused(&gone.tokens.refresh_token()).await;
    }
    expect_problem(get(&server, "/auth/me", text(&by_json, "accessToken")).await, 401);
    let refresh = json!({"refreshToken": text(&by_json, "refreshToken")});
    expect_problem(post(&server, "/auth/refresh", &refresh).await, 401);
    let dead =
        post(&server, &format!("/auth/reset-password/{link}"), &json!({"newPassword": "other 9 granite lamps"})).await;
    assert_eq!(expect_problem(dead, 400)["code"], "invalid_token");
    let notice = mailbox.nth(2).await;
    assert_eq!(notice.to, std::slice::from_ref(&ada.email));
    assert!(notice.headers("subject")[0].contains("password was changed"), "{notice:#?}");
    assert_eq!(events(&server, "password_changed").await, 1);
    expect_problem(post(&server, "/auth/login", &json!({"email": ada.email, "password": ada.password})).await, 400);
    let ada = Person { password: NEW.to_owned(), ..ada };
    // By a token of no browser, that one goes on.
    let tokens = login(&server, &ada).await;
    let own = text(&tokens, "accessToken");
    let good = json!({"currentPassword": NEW, "newPassword": "other 9 granite lamps"});
    put(&server, own, &path, &good).await.expect_status(204);
    get(&server, "/auth/me", own).await.expect_status(200);
    here.expect_dead(&here.tokens.access_token()).await;
    let refresh = json!({"refreshToken": text(&tokens, "refreshToken")});
    post(&server, "/auth/refresh", &refresh).await.expect_status(200);
}

both_engines!(lg_11_the_current_password_is_tried_on_the_budget_of_sign_in);
/// LG-11: wrong current passwords and wrong sign-ins are counted together, and the right one is not let in when they are too many.
async fn lg_11_the_current_password_is_tried_on_the_budget_of_sign_in(server: TestServer) {
    let ada = server.person("ada").await;
    let own = token(&server, &ada).await;
    let path = format!("/auth/{}/password", ada.id);
    let wrong = json!({"currentPassword": "another violin 42", "newPassword": NEW});
    let right = json!({"currentPassword": ada.password, "newPassword": NEW});
    for _ in 0..3 {
        let problem = expect_problem(put(&server, &own, &path, &wrong).await, 400);
        assert_eq!(problem["code"], "invalid_credentials");
    }
    let login_wrong = json!({"email": ada.email, "password": "another violin 42"});
    for _ in 0..2 {
        expect_problem(post(&server, "/auth/login", &login_wrong).await, 400);
    }
    for body in [&wrong, &right] {
        let answer = put(&server, &own, &path, body).await;
        assert!(answer.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0), "{answer:#?}");
        assert_eq!(expect_problem(answer, 429)["code"], "throttled");
    }
    server.advance_seconds(15 * 60 + 1);
    let own = token(&server, &ada).await;
    put(&server, &own, &path, &right).await.expect_status(204);
    // A right one never counts.
    for n in 0..7 {
        let (from, to) = if n % 2 == 0 { (NEW, &*ada.password) } else { (&*ada.password, NEW) };
        let body = json!({"currentPassword": from, "newPassword": to});
        put(&server, &own, &path, &body).await.expect_status(204);
    }
}

each_engine!(a_fresh_sign_in_stands_for_the_password);
async fn a_fresh_sign_in_stands_for_the_password(engine: Engine) {
    let (server, _mailbox) = server_with_mail(engine, &[("limits.enabled", "false")]).await;
    let ada = server.person("ada").await;
    let tokens = login(&server, &ada).await;
    let own = text(&tokens, "accessToken");
    let password = format!("/auth/{}/password", ada.id);
    let email = format!("/auth/{}/email", ada.id);
    let (without, to) = (json!({"newPassword": NEW}), json!({"email": "new@example.org"}));
    server.advance_seconds(14 * 60);
    put(&server, own, &email, &to).await.expect_status(202);
    server.advance_seconds(61);
    // A token that was refreshed is no fresher than the sign-in.
    let refresh = json!({"refreshToken": text(&tokens, "refreshToken")});
    let next: Value = post(&server, "/auth/refresh", &refresh).await.expect_status(200).json();
    let own = text(&next, "accessToken");
    // The mails of a moment ago may still be on their way.
    let before = server.dump_tables(&["attempts", "outbox"]).await;
    expect_reauthentication(put(&server, own, &password, &without).await);
    expect_reauthentication(put(&server, own, &email, &to).await);
    server.dump_tables(&["attempts", "outbox"]).await.expect_same_as(&before);
    get(&server, "/auth/me", own).await.expect_status(200);
    // Not sensitive, however long ago.
    let sessions = format!("/auth/{}/sessions", ada.id);
    delete(&server, own, &sessions).await.expect_status(200);
    // The password itself proves it as well.
    let with = json!({"currentPassword": ada.password, "newPassword": NEW});
    put(&server, own, &password, &with).await.expect_status(204);
    expect_reauthentication(put(&server, own, &email, &to).await);
    let again = token(&server, &Person { password: NEW.to_owned(), ..ada.clone() }).await;
    put(&server, &again, &email, &to).await.expect_status(202);
    put(&server, &again, &password, &json!({"newPassword": "other 9 granite lamps"})).await.expect_status(204);
    // By a browser: as old as its sign-in, whenever the token was made.
    let house = house(&server).await;
    let person = Person { password: "other 9 granite lamps".to_owned(), ..ada };
    let browser = at_house(&server, &house, &person, "openid account").await;
    server.advance_seconds(15 * 60 + 1);
    let flow = Flow::new(&house).with("scope", "openid account");
    let code = flow.sign_in(&mut browser.browser.clone(), &person).await.code().to_owned();
    let late = flow.exchange(&server.wire(), &code).await.expect_tokens();
    expect_reauthentication(put(&server, &late.access_token(), &email, &to).await);
    // As RFC 9470 has the client ask.
    let flow = Flow::new(&house).with("scope", "openid account").with("max_age", "900");
    let code = flow.sign_in(&mut browser.browser.clone(), &person).await.code().to_owned();
    let fresh = flow.exchange(&server.wire(), &code).await.expect_tokens();
    put(&server, &fresh.access_token(), &email, &to).await.expect_status(202);
}

both_engines!(an_api_key_changes_neither_password_nor_address);
async fn an_api_key_changes_neither_password_nor_address(server: TestServer) {
    let ada = server.person("ada").await;
    let new = NewApiKey { name: "ci".to_owned(), scopes: vec!["account".to_owned()], audience: None, lifetime: None };
    let owner = Owner::Person(ada.id.parse().expect("an id"));
    let key = server.app().api_keys.create(owner, new, None, &Source::default()).await.expect("a key").secret;
    get(&server, "/auth/me", &key).await.expect_status(200);
    list(&server, &key, &format!("/auth/{}/sessions", ada.id)).await;
    let body = json!({"currentPassword": ada.password, "newPassword": NEW});
    expect_problem(put(&server, &key, &format!("/auth/{}/password", ada.id), &body).await, 403);
    expect_problem(
        put(&server, &key, &format!("/auth/{}/email", ada.id), &json!({"email": "a@example.org"})).await,
        403,
    );
    login(&server, &ada).await;
}

each_engine!(who_has_no_password_gets_a_first_one_after_a_fresh_sign_in);
async fn who_has_no_password_gets_a_first_one_after_a_fresh_sign_in(engine: Engine) {
    let server = TestServer::start(engine).await;
    let account =
        NewAccount { email: Some("ada@example.org".to_owned()), email_verified: true, ..NewAccount::default() };
    let ada = server.app().accounts.create(account).await.expect("somebody");
    let accounts = &server.app().accounts;
    let proven = |auth_time, signed_in_at| bonafide::identity::Proven { auth_time, signed_in_at };
    let (now, long_ago) = (server.now().timestamp_millis(), server.now().timestamp_millis() - 16 * 60 * 1000);
    // A provider that does not say when: what counts is when they came, as long as they have nothing else to show.
    assert!(accounts.is_fresh(ada.id, proven(0, now)).await.unwrap());
    assert!(!accounts.is_fresh(ada.id, proven(0, long_ago)).await.unwrap());
    assert!(!accounts.is_fresh(ada.id, proven(0, 0)).await.unwrap());
    assert!(!accounts.is_fresh(ada.id, proven(long_ago, now)).await.unwrap());
    accounts.set_password(&ada.id.to_string(), NEW).await.expect("a password");
    assert!(!accounts.is_fresh(ada.id, proven(0, now)).await.unwrap());
    assert!(accounts.is_fresh(ada.id, proven(now, now)).await.unwrap());
}

each_engine!(al_13_the_old_address_counts_until_the_link_is_opened);
/// AL-04, AL-13: nothing changes before the link is opened, the old address hears of it, and a taken address tells nothing.
async fn al_13_the_old_address_counts_until_the_link_is_opened(engine: Engine) {
    let (server, mailbox) = server_with_mail(engine, &[]).await;
    let (ada, grace) = (server.person("ada").await, server.person("grace").await);
    let own = token(&server, &ada).await;
    let path = format!("/auth/{}/email", ada.id);
    let free = put(&server, &own, &path, &json!({"email": "Ada@New.example"})).await.expect_status(202);
    mailbox.nth(2).await;
    let taken = put(&server, &own, &path, &json!({"email": grace.email})).await.expect_status(202);
    assert_eq!(free.body, taken.body);
    mailbox.nth(4).await;
    // Whose it is hears of it, without a link that would do anything; and so does the account's own address, both times.
    let told = mails_to(&mailbox, &grace.email);
    assert!(told.len() == 1 && !told[0].data.contains("token="), "{told:#?}");
    let notices = mails_to(&mailbox, &ada.email);
    assert_eq!(notices.len(), 2, "{notices:#?}");
    for notice in &notices {
        assert!(notice.headers("subject")[0].contains("Another address"), "{notice:#?}");
        for foreign in ["New.example", grace.email.as_str(), "token="] {
            assert!(!notice.data.contains(foreign), "{foreign}: {notice:#?}");
        }
    }
    for bad in ["a@b@c", "victim@x.com,attacker@y.com", "", "ada"] {
        let problem = expect_problem(put(&server, &own, &path, &json!({"email": bad})).await, 400);
        assert_eq!(problem["code"], "invalid_email", "{problem}");
    }
    // The old one counts.
    login(&server, &ada).await;
    let new = Person { email: "ada@new.example".to_owned(), ..ada.clone() };
    expect_problem(post(&server, "/auth/login", &json!({"email": new.email, "password": new.password})).await, 400);
    let link = mails_to(&mailbox, "Ada@New.example").pop().expect("a link").token();
    post(&server, &format!("/auth/verify-email/{link}"), &json!({})).await.expect_status(200);
    let me: Value = get(&server, "/auth/me", &own).await.expect_status(200).json();
    assert!(me["email"] == "Ada@New.example" && me["emailVerified"].is_string(), "{me}");
    login(&server, &new).await;
    expect_problem(post(&server, "/auth/login", &json!({"email": ada.email, "password": ada.password})).await, 400);
    mailbox.nth(5).await;
    assert_eq!(mails_to(&mailbox, &ada.email).len(), 3, "the last one that it gets");
    // AL-04: a password change voids a link that waits.
    put(&server, &own, &path, &json!({"email": "third@example.org"})).await.expect_status(202);
    mailbox.nth(7).await;
    let link = mails_to(&mailbox, "third@example.org").pop().expect("a link").token();
    let body = json!({"currentPassword": ada.password, "newPassword": NEW});
    put(&server, &own, &format!("/auth/{}/password", ada.id), &body).await.expect_status(204);
    expect_problem(post(&server, &format!("/auth/verify-email/{link}"), &json!({})).await, 400);
}

each_engine!(where_accounts_are_revealed_a_taken_address_is_a_conflict);
async fn where_accounts_are_revealed_a_taken_address_is_a_conflict(engine: Engine) {
    let (server, mailbox) = server_with_mail(engine, &[("accounts.reveal_existing", "true")]).await;
    let (ada, grace) = (server.person("ada").await, server.person("grace").await);
    let own = token(&server, &ada).await;
    let path = format!("/auth/{}/email", ada.id);
    let problem = expect_problem(put(&server, &own, &path, &json!({"email": grace.email})).await, 409);
    assert!(problem["errors"]["email"].is_array(), "{problem}");
    put(&server, &own, &path, &json!({"email": "free@example.org"})).await.expect_status(202);
    mailbox.nth(2).await;
    // Without mail there is none of it.
    let server = TestServer::start(engine).await;
    let ada = server.person("ada").await;
    let own = token(&server, &ada).await;
    let path = format!("/auth/{}/email", ada.id);
    expect_problem(put(&server, &own, &path, &json!({"email": "free@example.org"})).await, 404);
}
