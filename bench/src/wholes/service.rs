//! The live service under load: events over HTTP in batches, each acknowledged when it is on disk, against a handler that
//! does nothing but append what comes and sync.

mod asking;
mod held;

use super::{Result, work};
use asking::{Asking, while_asking};
use axum::{Router, body::Bytes, routing::post};
use clap::Args;
use segue_bench::{
    measure::{median, seconds},
    packs::ORDINARY,
    stream::{Shape, Stream},
};
use segue_service::{
    clock::{Clock, WallClock},
    disk::{Disk, RealDisk},
    host::{Histogram, Host, Options as HostOptions, Status},
    http::{
        public::{Public, router},
        serve::{Patience, Port, serve},
    },
    ingest::{Bounds, key::Keys},
    limits::{HTTP_THREADS, SEGMENT_BYTES},
    log,
    metrics::Metrics,
    rejects::Rejects,
    rules::Text,
};
use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock, mpsc},
    thread,
    time::Duration,
};
use tokio::sync::oneshot;

/// The load.
#[derive(Args)]
pub(crate) struct Options {
    /// How many events are sent in each run
    #[arg(long, default_value_t = 300_000)]
    events: u64,
    /// Of how many customers
    #[arg(long, default_value_t = 50_000)]
    customers: u64,
    /// How many clients send, each one batch after the other
    #[arg(long, default_value_t = 4)]
    clients: usize,
    /// How many events a batch has
    #[arg(long, default_value_t = 1_000)]
    batch: usize,
    /// How many runs there are of each, in turn
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// How many events are sent a second; as many as are taken when absent
    #[arg(long)]
    rate: Option<u64>,
    /// Hold the load for so long instead, and fail unless it is held in time and memory stays flat
    #[arg(long, requires = "rate", value_parser = clap::value_parser!(u64).range(1..))]
    minutes: Option<u64>,
    /// How many questions of the admin port are asked a second meanwhile: a customer, members of a segment, next deadlines
    #[arg(long, default_value_t = 0)]
    questions: u64,
    /// Where files are written; the disk there is what is measured
    #[arg(long, default_value = "target/bench/service")]
    folder: PathBuf,
}

/// A rule that is due soon, so that deadlines pass under load.
const SOON: &str = r#"
rule soon { when "Product Added" then no "Order Completed" within 2 seconds
  call crm { product: event.product_id } }
"#;
const SETTINGS: &str = "[consent]\npolicy = \"required\"\n";

/// What was seen of a service.
struct Served<T> {
    /// What came of what was done meanwhile.
    done: T,
    /// What it said of itself in the end.
    status: Status,
    /// How long each question waited for its answer, in seconds.
    asked: Vec<f64>,
}

/// What clients saw.
struct Seen {
    /// How long it took until everything was acknowledged.
    seconds: f64,
    /// How long each request waited for its answer, in seconds.
    answers: Vec<f64>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    match options.minutes {
        Some(minutes) => held::run(options, minutes),
        None => compare(options),
    }
}

/// The service and a handler that only appends, in turn.
fn compare(options: &Options) -> Result<()> {
    let mut figures = Vec::new();
    for run in 0..options.runs.max(1) {
        let shape = Shape { customers: options.customers, events: options.events };
        let mut bodies = Bodies { stream: Stream::new(shape), run, batch: options.batch };
        let mut of_clients = vec![Vec::new(); options.clients.max(1)];
        for number in 0.. {
            let Some(body) = bodies.next() else { break };
            of_clients[number % options.clients.max(1)].push(body);
        }
        let send = |address| send_all(address, of_clients.iter().map(|bodies| bodies.iter()), pace(options));
        let Served { done: taken, status, asked } = serving(options, None, send)?;
        let appended = only_appending(&options.folder, send)?;
        let rate = |seconds: f64| options.events as f64 / seconds;
        println!(
            "run {}: {:.0} events/s acknowledged on disk, {:.0} by only appending and syncing, ratio {:.2}; a batch answered {}, {} by only appending and syncing; from acknowledgement to decision {}; deadlines {} late{}",
            run + 1,
            rate(taken.seconds),
            rate(appended.seconds),
            taken.seconds / appended.seconds,
            answered(&taken.answers),
            answered(&appended.answers),
            told(&status.delay),
            told(&status.lateness),
            told_of(&asked)
        );
        figures.push((taken.seconds, taken.seconds / appended.seconds));
    }
    let events = options.events as f64;
    println!(
        "medians: {:.0} events/s, ratio {:.2}",
        events / median(figures.iter().map(|it| it.0).collect()),
        median(figures.iter().map(|it| it.1).collect())
    );
    Ok(())
}

/// How long a client waits from the start of one batch to that of the next, in milliseconds.
fn pace(options: &Options) -> i64 {
    let each = options.clients.max(1).saturating_mul(options.batch).saturating_mul(1_000) as u64;
    options.rate.map_or(0, |rate| (each / rate.max(1)) as i64)
}

/// Median and 99th percentile, as upper ends.
fn told(histogram: &Histogram) -> String {
    let end = |quantile| histogram.quantile(quantile).map_or("> 60,000".to_owned(), |it| it.to_string());
    format!("p50 ≤ {} ms, p99 ≤ {} ms ({} of them)", end(500), end(990), histogram.count())
}

/// How soon questions were answered, if some were asked.
fn told_of(asked: &[f64]) -> String {
    if asked.is_empty() {
        return String::new();
    }
    format!("; {} questions answered {}", asked.len(), answered(asked))
}

/// Median and 99th percentile of the times until an answer.
fn answered(answers: &[f64]) -> String {
    let mut sorted = answers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at =
        |percent: usize| sorted.get(sorted.len() * percent / 100).map_or(0.0, |seconds| seconds * 1_000.0);
    format!("in p50 {:.1} ms, p99 {:.1} ms", at(50), at(99))
}

/// The bodies of requests, each with the next events of a stream.
struct Bodies {
    stream: Stream,
    /// In each run events are others.
    run: usize,
    /// How many events each has.
    batch: usize,
}

impl Bodies {
    fn next(&mut self) -> Option<String> {
        let (mut line, mut calls) = (String::new(), String::new());
        for _ in 0..self.batch {
            if !self.stream.next(&mut line) {
                break;
            }
            if !calls.is_empty() {
                calls.push(',');
            }
            // It happens when it arrives.
            let said = line.rfind(",\"timestamp\"").and_then(|at| line.get(..at))?;
            let said = said.replacen("\"messageId\":\"m", &format!("\"messageId\":\"r{}m", self.run), 1);
            calls.push_str(&said);
            calls.push('}');
            line.clear();
        }
        (!calls.is_empty()).then(|| format!("{{\"batch\":[{calls}]}}"))
    }
}

/// Does something while the service is up with no more than so many bytes of log.
fn serving<T>(
    options: &Options,
    max_bytes: Option<u64>,
    act: impl FnOnce(SocketAddr) -> T,
) -> Result<Served<T>> {
    let data = emptied(&options.folder.join("data"))?;
    let sources = BTreeMap::from([("pack.segue".to_owned(), format!("{ORDINARY}{SOON}"))]);
    let text = Text { sources, files: BTreeMap::new(), settings: SETTINGS.to_owned() };
    let host = Host::start(
        text.prepare(data.clone())?,
        HostOptions {
            dry_run: true,
            limits: log::Limits { segment_bytes: SEGMENT_BYTES, keep: None, max_bytes },
            tell: Arc::new(|words| eprintln!("{words}")),
            ..HostOptions::new(data, Arc::new(WallClock))
        },
    )?;
    let public = Public {
        intake: Arc::new(OnceLock::from(host.intake())),
        keys: Keys::parse("key"),
        bounds: Bounds { event_bytes: 32 << 10, batch_bytes: 4 << 20, batch_events: 10_000 },
        origins: Vec::new(),
        public_url: None,
        is_tls: false,
        clock: Arc::new(WallClock),
        ready: Arc::new(|| Ok(())),
        metrics: Arc::new(Metrics::default()),
        rejects: Arc::new(Rejects::default()),
    };
    let asking = Asking { rate: options.questions, customers: options.customers };
    let (done, asked) = while_asking(&host.ask(), asking, || with_port(router(public), act))?;
    // What is due by then is decided, too.
    thread::sleep(Duration::from_secs(3));
    let status = host.status();
    host.close();
    Ok(Served { done: done?, status, asked })
}

/// What clients saw of a handler that appends and syncs, whatever came meanwhile together.
fn only_appending(folder: &Path, send: impl FnOnce(SocketAddr) -> Seen) -> Result<Seen> {
    let folder = emptied(&folder.join("appended"))?;
    let (sender, waiting) = mpsc::channel::<(Bytes, oneshot::Sender<()>)>();
    let mut file = RealDisk.create(&folder.join("log"))?;
    let writer = thread::spawn(move || {
        while let Ok(first) = waiting.recv() {
            let group: Vec<_> = std::iter::once(first).chain(waiting.try_iter()).collect();
            let bytes: Vec<u8> = group.iter().flat_map(|(body, _)| body.iter().copied()).collect();
            if file.write(&bytes).and_then(|()| file.sync()).is_err() {
                return;
            }
            group.into_iter().for_each(|(_, answer)| work(answer.send(())));
        }
    });
    let app = Router::new().route(
        "/v1/batch",
        post(move |body: Bytes| {
            let sender = sender.clone();
            async move {
                let (answer, answered) = oneshot::channel();
                work(sender.send((body, answer)));
                work(answered.await);
                "{}"
            }
        })
        .layer(axum::extract::DefaultBodyLimit::max(4 << 20)),
    );
    let taken = with_port(app, send)?;
    work(writer.join());
    Ok(taken)
}

fn emptied(folder: &Path) -> Result<PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    Ok(folder.to_owned())
}

/// Serves routes as the service does while something is done.
fn with_port<T>(app: Router, act: impl FnOnce(SocketAddr) -> T) -> Result<T> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let threads =
        tokio::runtime::Builder::new_multi_thread().worker_threads(HTTP_THREADS).enable_all().build()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let served = threads.spawn(async move {
        let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
        let metrics = Arc::new(Metrics::default());
        let port = Port {
            listener,
            tls: None,
            connections: 1_000,
            per_address: 1_000,
            patience: Patience::default(),
            metrics,
        };
        serve(port, app, async {
            work(stopped.await);
        })
        .await;
    });
    let done = act(address);
    work(stop.send(()));
    work(threads.block_on(served));
    Ok(done)
}

/// Each client sends its requests, one after the other until it is answered with success.
fn send_all<B: Iterator<Item: AsRef<str>> + Send>(
    address: SocketAddr,
    clients: impl ExactSizeIterator<Item = B>,
    pace: i64,
) -> Seen {
    // Clients know nothing of each other: each begins at another moment.
    let (apart, begin) = (pace / clients.len().max(1) as i64, WallClock.now());
    let (begins, mut answers) = ((0..).map(|client| begin + client * apart), Vec::new());
    let mut clients = Some(clients.zip(begins));
    let seconds = seconds(&mut || {
        answers = thread::scope(|scope| {
            let clients: Vec<_> = clients
                .take()
                .into_iter()
                .flatten()
                .map(|(bodies, begin)| scope.spawn(move || send(address, bodies, (begin, pace))))
                .collect();
            let ended = clients.into_iter().filter_map(|client| client.join().ok());
            ended.flat_map(|sent| sent.unwrap_or_else(failed)).collect()
        });
    });
    Seen { seconds, answers }
}

fn failed(fault: String) -> Vec<f64> {
    eprintln!("a client failed: {fault}");
    Vec::new()
}

/// How long each request waited for its answer; what is refused for now is sent again. `begin` is when the first is sent.
fn send(
    address: SocketAddr,
    bodies: impl Iterator<Item: AsRef<str>>,
    (begin, pace): (i64, i64),
) -> std::result::Result<Vec<f64>, String> {
    let mut answers = Vec::new();
    let mut client = Client::to(address).map_err(|fault| fault.to_string())?;
    let mut due = begin;
    for body in bodies {
        thread::sleep(Duration::from_millis(u64::try_from(due - WallClock.now()).unwrap_or(0)));
        due += pace;
        let mut sent = Ok(());
        answers.push(seconds(&mut || sent = client.send(body.as_ref())));
        sent.map_err(|fault| fault.to_string())?;
    }
    Ok(answers)
}

/// A connection that is kept.
struct Client {
    reader: BufReader<TcpStream>,
}

impl Client {
    fn to(address: SocketAddr) -> Result<Self> {
        let reader = BufReader::new(TcpStream::connect(address)?);
        reader.get_ref().set_nodelay(true)?;
        Ok(Self { reader })
    }

    fn send(&mut self, body: &str) -> Result<()> {
        // `key:` in Base64.
        let head = format!(
            "POST /v1/batch HTTP/1.1\r\nhost: segue\r\nauthorization: Basic a2V5Og==\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        loop {
            self.reader.get_mut().write_all(head.as_bytes())?;
            self.reader.get_mut().write_all(body.as_bytes())?;
            match answer(&mut self.reader)? {
                200 => return Ok(()),
                429 => thread::sleep(Duration::from_millis(5)),
                status => return Err(format!("it answered {status}").into()),
            }
        }
    }
}

/// The status of an answer, which is read whole.
fn answer(reader: &mut impl BufRead) -> Result<u16> {
    let (mut status, mut length) = (0, 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(rest) = line.strip_prefix("http/1.1 ") {
            status = rest.get(..3).unwrap_or_default().parse()?;
        } else if let Some(rest) = line.strip_prefix("content-length:") {
            length = rest.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(status)
}
