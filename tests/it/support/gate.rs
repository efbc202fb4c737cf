//! A way to PostgreSQL that can be cut, as a failing network or a restarted server would.

use std::{net::SocketAddr, sync::Arc};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

use super::database::postgres_address;

/// Stands between a provider and PostgreSQL; open at first. See [`super::Place::through`].
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    pub(crate) address: SocketAddr,
    open: Arc<watch::Sender<bool>>,
}

impl Gate {
    pub(crate) async fn to_postgres() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let address = listener.local_addr().expect("its address");
        let (open, is_open) = watch::channel(true);
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(pass(connection, is_open.clone()));
            }
        });
        Self { address, open: Arc::new(open) }
    }

    /// Cuts every connection; new ones are closed at once.
    pub(crate) fn close(&self) {
        self.open.send_replace(false);
    }

    /// Lets new connections through again.
    pub(crate) fn open(&self) {
        self.open.send_replace(true);
    }
}

async fn pass(mut from: TcpStream, mut is_open: watch::Receiver<bool>) {
    if !*is_open.borrow_and_update() {
        return;
    }
    let mut to = TcpStream::connect(postgres_address()).await.expect("PostgreSQL");
    tokio::select! {
        // Both ends close as they please.
        _ = copy_bidirectional(&mut from, &mut to) => {}
        _ = is_open.wait_for(|open| !open) => {}
    }
}
