//! Tells an application that a session of its user has ended (OpenID Connect Back-Channel Logout 1.0 section 2.5).

use std::sync::Arc;

use async_trait::async_trait;
use hyper::{Method, Request, header};

use crate::app::App;
use crate::audit::About;
use crate::clients::Client;
use crate::oauth::mint::Mint;
use crate::outbox::{Courier, Delivery, Message};
use crate::platform::outgoing::Outgoing;
use crate::sessions::{BACKCHANNEL_LOGOUT, LogoutNotice};

/// Brings logout tokens to where applications have asked for them.
pub(crate) struct BackchannelLogout {
    app: Arc<App>,
    outgoing: Outgoing,
}

impl BackchannelLogout {
    pub(crate) fn new(app: Arc<App>, outgoing: Outgoing) -> Self {
        Self { app, outgoing }
    }

    /// The token is made for each attempt: its life is short.
    fn request(&self, client: &Client, uri: &str, notice: &LogoutNotice) -> Result<Request<Vec<u8>>, String> {
        let keys = self.app.keys.set();
        let mint = Mint {
            settings: &self.app.settings,
            keys: &keys,
            random: self.app.random.as_ref(),
            now: self.app.clock.now(),
        };
        let token =
            mint.logout_token(client, &notice.sub.to_string(), &notice.sid).map_err(|error| error.to_string())?;
        let body = form_urlencoded::Serializer::new(String::new()).append_pair("logout_token", &token).finish();
        Request::builder()
            .method(Method::POST)
            .uri(uri)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body.into_bytes())
            .map_err(|error| error.to_string())
    }
}

#[async_trait]
impl Courier for BackchannelLogout {
    fn kind(&self) -> &'static str {
        BACKCHANNEL_LOGOUT
    }

    async fn deliver(&self, message: &Message) -> Result<Delivery, String> {
        let notice: LogoutNotice = serde_json::from_str(&message.payload).map_err(|error| error.to_string())?;
        let app = &self.app;
        let client = app.clients.find(&notice.client_id, &app.database, app.clock.as_ref()).await;
        // Deleted or disabled since, or it does not want to be told any more.
        let Some(client) = client.map_err(|error| error.to_string())? else { return Ok(Delivery::Obsolete) };
        let Some(uri) = &client.backchannel_logout_uri else { return Ok(Delivery::Obsolete) };
        let status = self.outgoing.status(self.request(&client, uri, &notice)?).await.map_err(|error| error.cause())?;
        if status.is_success() { Ok(Delivery::Taken) } else { Err(format!("answered {}", status.as_u16())) }
    }

    fn about(&self, message: &Message) -> About {
        match serde_json::from_str::<LogoutNotice>(&message.payload) {
            Ok(notice) => About::both(notice.sub, &notice.client_id),
            Err(_) => About::client(&message.recipient),
        }
    }
}
