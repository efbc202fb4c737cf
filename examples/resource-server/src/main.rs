//! Notes: an API that leaves to Bonafide who somebody is and what they may do. `README.md` tells it for any language.
//!
//! - `config`: what it is told by its environment
//! - `keys`: the provider's published keys, kept fresh
//! - `token`: what makes an access token good, offline
//! - `guard`: what a route needs of it: a role, a permission
//! - `decisions`: what only a policy can say, asked of the provider
//! - `notes`: the API itself
//! - `refusal`: every answer that is a no

mod config;
mod decisions;
mod guard;
mod keys;
mod notes;
mod refusal;
mod token;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post, put};
use reqwest::redirect;
use tokio::net::TcpListener;

use crate::config::Config;
use crate::decisions::Decisions;
use crate::guard::{Need, guarded};
use crate::keys::Keys;
use crate::notes::{App, Notes};
use crate::refusal::Refusal;
use crate::token::Verifier;

#[tokio::main]
async fn main() -> ExitCode {
    let config = match Config::from_environment() {
        Ok(config) => config,
        Err(missing) => {
            eprintln!("resource-server: {missing}");
            return ExitCode::from(2);
        }
    };
    match serve(config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("resource-server: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(config: Config) -> Result<(), Box<dyn Error + Send + Sync>> {
    // Whoever waits for the provider keeps somebody waiting; and it redirects nobody who asks it for keys or decisions.
    let http = reqwest::Client::builder().timeout(Duration::from_secs(3)).redirect(redirect::Policy::none()).build()?;
    let keys = Arc::new(Keys::new(http.clone(), config.issuer.clone()));
    let next = keys.refresh().await;
    tokio::spawn(Arc::clone(&keys).keep_fresh(next));

    let verifier = Arc::new(Verifier::new(keys, config.issuer.clone(), config.audience));
    let app = App { notes: Notes::default(), decisions: Decisions::new(http, &config.issuer, config.credentials) };

    let listener = TcpListener::bind(&config.listen).await.map_err(|error| format!("{}: {error}", config.listen))?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, router(Arc::new(app), &verifier)).await?)
}

/// Every route with what it needs. Nothing is served that does not stand here.
fn router(app: Arc<App>, verifier: &Arc<Verifier>) -> Router {
    let route = |methods, need| guarded(methods, verifier, need);
    Router::new()
        .route("/notes", route(get(notes::own), Need::Permission("notes:read")))
        .route("/notes", route(post(notes::create), Need::Permission("notes:write")))
        // Who may change a note depends on the note: the handler asks for a decision.
        .route("/notes/{id}", route(put(notes::update), Need::Token))
        .route("/admin/notes", route(get(notes::all), Need::Role("editor")))
        .fallback(async || Refusal::NotFound)
        .with_state(app)
}
