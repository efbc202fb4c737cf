//! What handlers share: the house, and what answers are made of that never changes between two requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use axum::body::Bytes;

use super::assets::{Assets, AssetsError};
use super::cookies::CookieNames;
use super::dev::DemoApp;
use super::views::Brand;
use crate::app::App;
use crate::limits::Requests;
use crate::oauth::metadata::{self, MetadataError};
use crate::platform::words::{Catalogues, WordsError};

#[derive(Debug, thiserror::Error)]
pub enum WebError {
    #[error("branding.accent: {0}")]
    Assets(#[from] AssetsError),
    #[error(transparent)]
    Words(#[from] WordsError),
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    #[error("branding.logo: must be a path like /logo.svg or an https URL")]
    Logo,
}

/// Bodies that are made when keys or clients change, and sent as they are.
pub struct Documents {
    pub discovery: Bytes,
    pub jwks: Bytes,
}

pub struct Web {
    pub app: Arc<App>,
    pub catalogues: Catalogues,
    pub brand: Arc<Brand>,
    pub assets: Assets,
    pub cookies: CookieNames,
    pub demo: Option<DemoApp>,
    /// `None`: requests are not counted.
    pub requests: Option<Requests>,
    documents: ArcSwap<Documents>,
    ready: AtomicBool,
}

impl Web {
    pub fn new(app: Arc<App>, demo: Option<DemoApp>) -> Result<Self, WebError> {
        let branding = &app.settings.branding;
        let accent = Some(branding.accent.as_str()).filter(|accent| !accent.is_empty());
        let assets = Assets::new(accent)?;
        let logo = Some(branding.logo.clone()).filter(|logo| !logo.is_empty());
        if logo
            .as_ref()
            .is_some_and(|logo| !(logo.starts_with("https://") || (logo.starts_with('/') && !logo.starts_with("//"))))
        {
            return Err(WebError::Logo);
        }
        let brand = Brand {
            name: branding.name.clone(),
            logo,
            style_href: assets.style_href().to_owned(),
            script_href: assets.script_href().to_owned(),
            icon_href: assets.icon_href().to_owned(),
        };
        let catalogues = Catalogues::load()?;
        let documents = ArcSwap::from_pointee(documents(&app, &catalogues)?);
        let cookies = CookieNames::new(&app.settings.issuer);
        let requests = Requests::new(&app.settings.limits, app.random.as_ref());
        Ok(Self {
            requests,
            catalogues,
            brand: Arc::new(brand),
            assets,
            cookies,
            demo,
            documents,
            ready: AtomicBool::new(true),
            app,
        })
    }

    pub fn documents(&self) -> arc_swap::Guard<Arc<Documents>> {
        self.documents.load()
    }

    /// Reads everything again that is kept in memory.
    pub async fn reload(&self) -> Result<(), crate::app::AppError> {
        self.app.reload().await?;
        match documents(&self.app, &self.catalogues) {
            Ok(fresh) => self.documents.store(Arc::new(fresh)),
            Err(error) => tracing::error!(%error, "the discovery document could not be made"),
        }
        Ok(())
    }

    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// The program is about to stop: load balancers should look elsewhere.
    pub fn set_unready(&self) {
        self.ready.store(false, Ordering::Release);
    }

    pub fn issuer(&self) -> &str {
        &self.app.settings.issuer
    }
}

fn documents(app: &App, catalogues: &Catalogues) -> Result<Documents, MetadataError> {
    let keys = app.keys.set();
    let languages = catalogues.tags().map(str::to_owned).collect();
    Ok(Documents {
        discovery: metadata::document(
            &app.settings.issuer,
            &keys.algorithms(),
            app.settings.accounts.sign_up,
            languages,
            &app.settings.attributes,
        )?
        .into(),
        jwks: keys.jwks.clone().into(),
    })
}
