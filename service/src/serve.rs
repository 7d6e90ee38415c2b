//! The whole service: a host, and the ports that lead to it, until a signal ends them.

use crate::{
    clock::{Clock, WallClock},
    disk::RealDisk,
    host::{Host, Options, StartError, Tell, Watch},
    http::{
        public::{Public, router},
        serve::{Patience, Port, serve as serve_port},
        tls,
    },
    ingest::{Bounds, key::Keys},
    limits::{CHECKPOINT_EVERY, HTTP_THREADS, LONGEST_SLEEP, SEGMENT_BYTES},
    log,
    metrics::Metrics,
    rejects::Rejects,
    rules::Prepared,
};
use std::{
    io,
    net::{SocketAddr, TcpListener},
    num::NonZeroUsize,
    path::PathBuf,
    sync::Arc,
    thread,
    time::Duration,
};
use tokio::{
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
};

/// What the command line says of a service.
#[derive(Clone, Debug, Default)]
pub struct Choices {
    /// Where log, checkpoints and decisions lie, if not where the settings say.
    pub data: Option<PathBuf>,
    /// Where events come in, if not where the settings say.
    pub listen: Option<SocketAddr>,
    /// Whether nothing is sent.
    pub dry_run: bool,
    /// How often a checkpoint is made, if not as usual.
    pub checkpoint_every: Option<Duration>,
}

/// The service cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The host cannot.
    #[error(transparent)]
    Host(#[from] StartError),
    /// A port cannot be listened at.
    #[error("`{address}` cannot be listened at: {}", segue_runtime::words::reason(error))]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// Nobody could send anything.
    #[error(
        "there are no write keys, so that nobody could send events. Say where they are: write_keys = {{ env = \"NAME\" }} or {{ file = \"PATH\" }} under [service] in segue.toml"
    )]
    NoKeys,
    /// It ran, and a thread of it failed.
    #[error("the service has failed")]
    Failed,
    /// A setting cannot be used.
    #[error("{0}")]
    Setting(String),
    /// The system lacks something.
    #[error("threads cannot be started: {}", segue_runtime::words::reason(.0))]
    System(#[from] io::Error),
}

/// Runs a project as a service, until the process is told to end (`SIGTERM`, `SIGINT`).
///
/// # Errors
/// When it cannot start.
pub fn serve(prepared: Prepared, choices: Choices, tell: Tell) -> Result<(), ServeError> {
    let (config, root) = (prepared.config.clone(), prepared.root.clone());
    let service = &config.service;
    let keys = match &service.write_keys {
        Some(secret) => Keys::parse(&secret.read(&root).map_err(ServeError::Setting)?),
        None => return Err(ServeError::NoKeys),
    };
    if keys.is_empty() {
        return Err(ServeError::NoKeys);
    }
    let tls = service.tls.as_ref().map(|it| tls::acceptor(&root.join(&it.certificate), &root.join(&it.key)));
    let tls = tls.transpose().map_err(ServeError::Setting)?;
    let address = choices.listen.unwrap_or(service.listen);
    let listen = |error| ServeError::Listen { address, error };
    // Taken before the log is read, so that a port in use is told at once.
    let listener = TcpListener::bind(address).map_err(listen)?;
    listener.set_nonblocking(true).map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let clock: Arc<dyn Clock> = Arc::new(WallClock);
    let options = Options {
        data: choices.data.unwrap_or_else(|| root.join(&service.data)),
        dry_run: choices.dry_run,
        shards: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
        limits: log::Limits {
            segment_bytes: SEGMENT_BYTES,
            keep: config.keep,
            max_bytes: service.keep_bytes,
        },
        checkpoint_every: choices.checkpoint_every.unwrap_or(CHECKPOINT_EVERY),
        clock: clock.clone(),
        disk: Arc::new(RealDisk),
        tell: tell.clone(),
    };
    let host = Host::start(prepared, options)?;
    let metrics = Arc::new(Metrics::default());
    let watch = host.watch();
    let public = Public {
        intake: host.intake(),
        keys,
        bounds: Bounds {
            event_bytes: service.event_bytes,
            batch_bytes: service.batch_bytes,
            batch_events: service.batch_events,
        },
        origins: service.origins.clone(),
        public_url: service.public_url.clone(),
        is_tls: tls.is_some(),
        clock,
        ready: Arc::new(move || watch.ready()),
        metrics: metrics.clone(),
        rejects: Arc::new(Rejects::default()),
    };
    let threads =
        tokio::runtime::Builder::new_multi_thread().worker_threads(HTTP_THREADS).enable_all().build()?;
    let port = |listener| Port {
        listener,
        tls,
        connections: service.connections,
        patience: Patience::default(),
        metrics,
    };
    run(&threads, listener, port, public, &tell, address, host.watch())?;
    let has_failed = host.status().is_broken;
    host.close();
    if has_failed { Err(ServeError::Failed) } else { Ok(()) }
}

fn run(
    threads: &Runtime,
    listener: TcpListener,
    port: impl FnOnce(tokio::net::TcpListener) -> Port,
    public: Public,
    tell: &Tell,
    address: SocketAddr,
    watch: Watch,
) -> Result<(), ServeError> {
    threads.block_on(async {
        let (mut terminate, mut interrupt) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let listener = tokio::net::TcpListener::from_std(listener)?;
        tell(&format!("events are taken at {address}"));
        let end = async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                () = broken(watch) => return,
            }
            tell("ending: nothing more is taken");
        };
        serve_port(port(listener), router(public), end).await;
        Ok(())
    })
}

/// Returns when a thread of the host has failed.
async fn broken(watch: Watch) {
    while !watch.status().is_broken {
        tokio::time::sleep(LONGEST_SLEEP).await;
    }
}
