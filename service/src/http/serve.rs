//! Taking connections: how many, and how long each may take for what.

use super::{addresses::Addresses, patient::Patient};
use crate::{
    limits::{
        ACCEPT_PAUSE, ANSWER_PATIENCE, BODY_PATIENCE, CLOSING_PATIENCE, HANDSHAKE_PATIENCE, HEADER_BYTES,
        HEADER_PATIENCE, HEADERS,
    },
    metrics::Metrics,
};
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
    service::TowerToHyperService,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

/// A port.
pub struct Port {
    /// What is listened at.
    pub listener: TcpListener,
    /// How TLS is spoken, if it is.
    pub tls: Option<TlsAcceptor>,
    /// Most connections at once; one more is closed at once.
    pub connections: usize,
    /// Most of them from one address, or one network of IPv6 that a client may choose addresses of.
    pub per_address: usize,
    /// How long they may take.
    pub patience: Patience,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

/// How long the other end of a connection may take for what, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// From the beginning of the connection, or the end of a request, to the end of the next one's headers.
    pub headers: u64,
    /// To send a body, from when it is begun to be read.
    pub body: u64,
    /// To read an answer.
    pub answer: u64,
    /// To come to speak TLS.
    pub handshake: u64,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            headers: HEADER_PATIENCE,
            body: BODY_PATIENCE,
            answer: ANSWER_PATIENCE,
            handshake: HANDSHAKE_PATIENCE,
        }
    }
}

/// Serves until `shutdown` comes, then lets requests that are under way end; who comes to connect then is refused.
pub async fn serve(port: Port, app: Router, shutdown: impl Future<Output = ()>) {
    let Port { listener, tls, connections, per_address, patience, metrics } = port;
    // Those who read bodies are told how long.
    let app = app.layer(Extension(patience));
    let slots = Arc::new(Semaphore::new(connections));
    let addresses = Addresses::default();
    let graceful = GracefulShutdown::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut shutdown => break,
        };
        let (stream, address) = match accepted {
            Ok((stream, address)) => (stream, address.ip()),
            Err(error) => {
                // Mostly too many open files: others have to end first.
                tracing::warn!(reason = %error.kind(), "a connection could not be taken");
                sleep(Duration::from_millis(ACCEPT_PAUSE)).await;
                continue;
            }
        };
        let Ok(slot) = slots.clone().try_acquire_owned() else {
            metrics.connections_refused.add(1);
            continue;
        };
        let Some(held) = addresses.take(address, per_address) else {
            metrics.connections_refused_by_address.add(1);
            continue;
        };
        let (app, tls, metrics) = (app.clone(), tls.clone(), metrics.clone());
        let watcher = graceful.watcher();
        tokio::spawn(async move {
            metrics.connections.add(1);
            take(stream, tls, app, (watcher, patience)).await;
            metrics.connections.sub(1);
            // Only now there is room for others.
            drop((slot, held));
        });
    }
    // The system would take connections for as long as it is there, and nobody would answer them.
    drop(listener);
    // Those who do not end in time are cut off.
    let _ = timeout(Duration::from_millis(CLOSING_PATIENCE), graceful.shutdown()).await;
}

type Bounds = (Watcher, Patience);

async fn take(stream: TcpStream, tls: Option<TlsAcceptor>, app: Router, bounds: Bounds) {
    // Answers are small, and somebody waits for them.
    let _ = stream.set_nodelay(true);
    match tls {
        None => talk(stream, app, bounds).await,
        Some(tls) => {
            let handshake = timeout(Duration::from_millis(bounds.1.handshake), tls.accept(stream));
            match handshake.await {
                Ok(Ok(stream)) => talk(stream, app, bounds).await,
                Ok(Err(error)) => tracing::debug!(reason = %error.kind(), "no TLS came about"),
                Err(_) => tracing::debug!("a TLS handshake took too long"),
            }
        }
    }
}

async fn talk(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    app: Router,
    (watcher, patience): Bounds,
) {
    let stream = Patient::new(stream, Duration::from_millis(patience.answer));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(patience.headers))
        .max_headers(HEADERS)
        .max_header_size(HEADER_BYTES)
        .max_buf_size(HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(
            timeout = error.is_timeout(),
            unreadable = error.is_parse(),
            cut = error.is_incomplete_message(),
            "a connection ended early"
        );
    }
}
