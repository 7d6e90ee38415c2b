//! The whole service: a host, and the ports that lead to it, until a signal ends them.

use crate::{
    admin::{self, Admin},
    changes::{Changes, Reload},
    clock::{Clock, Steady, WallClock},
    files,
    host::{Host, Options, StartError, Watch},
    http::{
        public::{Public, router},
        serve::{Patience, Port, serve as serve_port},
        tls,
    },
    ingest::{Bounds, key::Keys},
    intake::Intake,
    limits::{
        ADMIN_CONNECTIONS, CHECKPOINT_EVERY, CONNECTIONS_SHARE, FILES_KEPT, HTTP_THREADS, LONGEST_SLEEP,
        MIN_TOKEN, SEGMENT_BYTES,
    },
    log, logs,
    metrics::Metrics,
    rejects::Rejects,
    rules::Prepared,
};
use segue_runtime::config::{Config, Secret, ServiceConfig};
use std::{
    io,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::{
    runtime::Runtime,
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

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
    /// Messages would stand in the log of the process.
    #[error(
        "channel `{0}` has the hook `console`, which shows messages and who gets them, as only `segue run` does. Set hook = \"webhook\", or \"file\" with a path, under [channels.{0}] in segue.toml"
    )]
    Console(String),
    /// It ran, and a thread of it failed.
    #[error("the service has failed")]
    Failed,
    /// The admin token could be guessed.
    #[error("the admin token in {0} has fewer than {MIN_TOKEN} characters; `openssl rand -hex 32` makes one")]
    Token(Secret),
    /// A setting cannot be used.
    #[error("{0}")]
    Setting(String),
    /// The system lacks something.
    #[error("threads cannot be started: {}", segue_runtime::words::reason(.0))]
    System(#[from] io::Error),
}

/// Runs a project as a service, until the process is told to end (`SIGTERM`, `SIGINT`). On `SIGHUP` the project is read
/// again, and put in force if it is sound; so it is when it changes, where it is watched. What the service tells of itself goes to standard error.
///
/// # Errors
/// When it cannot start.
pub fn serve(prepared: Prepared, choices: Choices, reload: Reload) -> Result<(), ServeError> {
    let (config, root) = (prepared.config.clone(), prepared.root.clone());
    let service = &config.service;
    if let Some(channel) = config.console() {
        return Err(ServeError::Console(channel.to_owned()));
    }
    logs::begin(service.log);
    let shared = Shared::new(service, &root)?;
    let threads =
        tokio::runtime::Builder::new_multi_thread().worker_threads(HTTP_THREADS).enable_all().build()?;
    let (stop, stopped) = watch::channel(false);
    // Listened to before anybody can see that the service starts: from then on people send them.
    let (mut signals, hangup) = Signals::new(&threads)?;
    // There before the log is read, so that an address in use is told at once, and whoever asks hears that it starts.
    let listen = choices.listen.unwrap_or(service.listen);
    let connections = files::connections(service.connections);
    let room = Room { connections, per_address: per_address(service.connections_per_address, connections) };
    let public =
        shared.open(&threads, listen, room, stopped.clone(), |shared| router(shared.public(service)))?;
    let data = choices.data.clone().unwrap_or_else(|| root.join(&service.data));
    let options = options(&config, &choices, data.clone(), shared.clock.clone());
    if let Some(admin) = &service.admin {
        // It is opened when there is something to ask; that it could not be is told at once, too.
        bind(admin.listen)?;
    }
    let started = prepared.clone();
    let Some(host) = threads.block_on(signals.unless(move || Host::start(started, options)))? else {
        tracing::info!("ended before it was ready");
        threads.shutdown_background();
        return Ok(());
    };
    let changes = Arc::new(Changes::new(host.ask(), &prepared));
    let _ = shared.watch.set(host.watch());
    let _ = shared.intake.set(host.intake());
    let mut ports = vec![public];
    if let (Some(admin), Some(token)) = (&service.admin, shared.token.clone()) {
        let room = Room { connections: ADMIN_CONNECTIONS, per_address: ADMIN_CONNECTIONS };
        ports.push(shared.open(&threads, admin.listen, room, stopped, |shared| {
            admin::router(Admin {
                token,
                ask: host.ask(),
                changes: changes.clone(),
                watch: host.watch(),
                data,
                metrics: shared.metrics.clone(),
                rejects: shared.rejects.clone(),
            })
        })?);
    }
    threads.spawn(changes.follow(reload, service.watch, hangup));
    tracing::info!(dry_run = choices.dry_run, "ready");
    threads.block_on(async {
        tokio::select! {
            () = signals.come() => {}
            () = broken(host.watch()) => {}
        }
        tracing::info!("ending: nothing more is taken");
        // Requests under way are answered while the host still works.
        let _ = stop.send(true);
        for port in ports {
            let _ = port.await;
        }
        Ok::<(), io::Error>(())
    })?;
    let has_failed = host.status().is_broken;
    host.close();
    tracing::info!("ended");
    if has_failed { Err(ServeError::Failed) } else { Ok(()) }
}

/// What tells the process to end.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Listens from now on; also to what has the rules read again, which is remembered while the log still is read.
    fn new(threads: &Runtime) -> io::Result<(Self, Signal)> {
        let _within = threads.enter();
        let ends =
            Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? };
        Ok((ends, signal(SignalKind::hangup())?))
    }

    /// Does what may take long, as reading a log does; nothing when the process is told to end meanwhile. It is left
    /// undone then, and nothing is worse for it.
    async fn unless(
        &mut self,
        start: impl FnOnce() -> Result<Host, StartError> + Send + 'static,
    ) -> Result<Option<Host>, ServeError> {
        tokio::select! {
            started = tokio::task::spawn_blocking(start) => Ok(Some(started.map_err(|_| ServeError::Failed)??)),
            () = self.come() => Ok(None),
        }
    }

    /// Returns when the process is told to end.
    async fn come(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// What a host is told.
fn options(config: &Config, choices: &Choices, data: PathBuf, clock: Arc<dyn Clock>) -> Options {
    let service = &config.service;
    Options {
        dry_run: choices.dry_run,
        limits: log::Limits {
            segment_bytes: service
                .keep_bytes
                .map_or(SEGMENT_BYTES, |most| SEGMENT_BYTES.min(most / FILES_KEPT)),
            keep: config.keep,
            max_bytes: service.keep_bytes,
        },
        checkpoint_every: choices.checkpoint_every.unwrap_or(CHECKPOINT_EVERY),
        tell: Arc::new(|words| tracing::warn!("{words}")),
        ..Options::new(data, clock)
    }
}

/// Returns when a thread of the host has failed.
async fn broken(watch: Watch) {
    while !watch.status().is_broken {
        tokio::time::sleep(LONGEST_SLEEP).await;
    }
}

fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).map_err(|error| ServeError::Listen { address, error })
}

/// How many connections a port takes.
#[derive(Clone, Copy)]
struct Room {
    connections: usize,
    per_address: usize,
}

/// How many connections one address may have, of so many.
fn per_address(set: Option<usize>, connections: usize) -> usize {
    set.unwrap_or(connections / CONNECTIONS_SHARE).clamp(1, connections.max(1))
}

/// What the ports share.
struct Shared {
    keys: Keys,
    token: Option<Keys>,
    tls: Option<TlsAcceptor>,
    clock: Arc<dyn Clock>,
    /// Once it works.
    intake: Arc<OnceLock<Intake>>,
    /// As the one before.
    watch: Arc<OnceLock<Watch>>,
    metrics: Arc<Metrics>,
    rejects: Arc<Rejects>,
}

impl Shared {
    fn new(service: &ServiceConfig, root: &Path) -> Result<Self, ServeError> {
        let keys = service.write_keys.as_ref().ok_or(ServeError::NoKeys)?;
        let keys = Keys::parse(&keys.read(root).map_err(ServeError::Setting)?);
        if keys.is_empty() {
            return Err(ServeError::NoKeys);
        }
        let token = service.admin.as_ref().map(|admin| {
            let token = admin.token.read(root).map_err(ServeError::Setting)?;
            if token.chars().count() < MIN_TOKEN || token.contains(char::is_whitespace) {
                return Err(ServeError::Token(admin.token.clone()));
            }
            Ok(Keys::parse(&token))
        });
        let tls = service.tls.as_ref();
        let tls = tls.map(|it| tls::acceptor(&root.join(&it.certificate), &root.join(&it.key)));
        Ok(Self {
            keys,
            token: token.transpose()?,
            tls: tls.transpose().map_err(ServeError::Setting)?,
            clock: Arc::new(WallClock),
            intake: Arc::default(),
            watch: Arc::default(),
            metrics: Arc::default(),
            rejects: Arc::default(),
        })
    }

    fn public(&self, service: &ServiceConfig) -> Public {
        let watch = self.watch.clone();
        Public {
            intake: self.intake.clone(),
            keys: self.keys.clone(),
            bounds: Bounds {
                event_bytes: service.event_bytes,
                batch_bytes: service.batch_bytes,
                batch_events: service.batch_events,
            },
            origins: service.origins.clone(),
            public_url: service.public_url.clone(),
            is_tls: self.tls.is_some(),
            // What happens now happens no earlier than what did before, also where the clock is set back.
            clock: Arc::new(Steady::new(self.clock.clone())),
            ready: Arc::new(move || match watch.get() {
                Some(watch) => watch.ready(),
                None => Err("the log is being read".to_owned()),
            }),
            metrics: self.metrics.clone(),
            rejects: self.rejects.clone(),
        }
    }

    /// Listens at an address from now on.
    fn open(
        &self,
        threads: &Runtime,
        address: SocketAddr,
        room: Room,
        mut stopped: watch::Receiver<bool>,
        routes: impl FnOnce(&Self) -> axum::Router,
    ) -> Result<JoinHandle<()>, ServeError> {
        let failed = |error| ServeError::Listen { address, error };
        let listener = bind(address)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let _entered = threads.enter();
        let listener = tokio::net::TcpListener::from_std(listener).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        tracing::info!(%address, tls = self.tls.is_some(), "listening");
        let port = Port {
            listener,
            tls: self.tls.clone(),
            connections: room.connections,
            per_address: room.per_address,
            patience: Patience::default(),
            metrics: self.metrics.clone(),
        };
        let app = routes(self);
        Ok(threads.spawn(serve_port(port, app, async move {
            let _ = stopped.wait_for(|stopped| *stopped).await;
        })))
    }
}
