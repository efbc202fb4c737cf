//! `/account/providers`: the accounts at other providers that somebody signs in with.

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::{Here, confirm};
use crate::http::answer::{self, Forms};
use crate::http::pages::{link_provider, providers};
use crate::http::views::account::{ProvidersPage, Way, ago, day};
use crate::http::views::{Fault, Frame, ProviderChoice};
use crate::identity::{IdentityError, Link, Unlinking};

const PURPOSE: &str = "account-providers";
const SECTION: &str = "providers";

pub(in crate::http) async fn get(here: Here) -> Response {
    render(&here, StatusCode::OK, Vec::new()).await
}

pub(in crate::http) async fn post(here: Here, headers: HeaderMap, body: Body) -> Response {
    let form = match here.form(&headers, body, PURPOSE).await {
        Ok(form) => form,
        Err(response) => return response,
    };
    match here.is_fresh().await {
        Ok(true) => {}
        Ok(false) => return confirm::ask(&here, StatusCode::FORBIDDEN, SECTION, Vec::new()).await,
        Err(response) => return response,
    }
    let text = |name: &str| form.get(name).unwrap_or_default();
    let (accounts, source) = (&here.web.app.accounts, here.caller.source());
    let again = async |status, message| render(&here, status, vec![Fault::new("", message)]).await;
    match accounts.unlink(here.user(), text("provider"), text("account"), &source).await {
        Ok(Unlinking::Unlinked(_)) => here.done(SECTION, "account-provider-unlinked"),
        Ok(Unlinking::Nothing) => again(StatusCode::NOT_FOUND, "account-gone").await,
        Ok(Unlinking::Last) => again(StatusCode::CONFLICT, "account-providers-last").await,
        Err(IdentityError::LastAdministrator) => again(StatusCode::CONFLICT, "api-last-administrator").await,
        Err(error) => here.fault(&error),
    }
}

async fn render(here: &Here, status: StatusCode, faults: Vec<Fault>) -> Response {
    let links = match here.web.app.accounts.links(here.user()).await {
        Ok(links) => links,
        Err(error) => return here.fault(&error),
    };
    let offered = here.web.app.federation.providers.offered();
    let to_link: Vec<_> = offered.iter().filter(|provider| !links.iter().any(|link| provider.is_of(link))).collect();
    let names_itself = here.live.email().is_some() || here.live.username().is_some();
    let has_password = here.live.has_password && names_itself;
    let frame = here.frame();
    let view = ProvidersPage {
        shell: here.shell(SECTION, PURPOSE),
        ways: links.iter().map(|link| way(here, &frame, link)).collect(),
        to_link: to_link
            .iter()
            .map(|provider| ProviderChoice { name: provider.name.clone(), label: provider.label.clone() })
            .collect(),
        link_csrf: link_provider::form_token(&here.web, &here.session),
        may_unlink: has_password || links.len() > 1,
        has_password,
        faults,
        frame,
    };
    // The form of a new way in leads to its provider.
    let mut along = vec![here.web.issuer()];
    along.extend(to_link.iter().map(|provider| provider.identity.as_str()));
    let forms = match (to_link.is_empty(), view.may_unlink && !links.is_empty()) {
        (false, _) => Forms::Along(&along),
        (true, true) => Forms::Ours,
        (true, false) => Forms::None,
    };
    answer::page(&here.web, status, forms, &view)
}

fn way(here: &Here, frame: &Frame, link: &Link) -> Way {
    let (words, now) = (&frame.words, here.web.app.clock.now());
    let since = words.say_with("account-app-since", &[("day", &day(words, link.created_at))]);
    let used = link.last_used_at.map(|at| words.say_with("account-app-used", &[("when", &ago(words, at, now))]));
    Way {
        provider: link.provider.clone(),
        account: link.account_id.clone(),
        label: providers::label(&here.web, &link.provider),
        says: [Some(since), used].into_iter().flatten().collect::<Vec<_>>().join(" · "),
    }
}
