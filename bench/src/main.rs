//! Wholes: from a file of events to decisions, against limits. Every figure is a ratio of two things run in turn.

use clap::{Parser, Subcommand};
use segue_bench::{
    measure::{compare, median, seconds},
    packs,
    stream::{self, Shape},
};
use segue_compiler::{execution::Execution, reference::Reference, settings::Settings, typed::Program};
use segue_runtime::{
    engine::Engine,
    replay::{Kinds, Options, Replay},
    source::{Batch, Events},
};
use serde::Deserialize;
use std::{
    borrow::Cow,
    fs,
    hint::black_box,
    io::{BufRead, BufReader, BufWriter, Write},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

/// As in the command itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(about = "Measures whole runs")]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Write a stream
    Stream {
        #[arg(long, default_value_t = 100_000)]
        customers: u64,
        #[arg(long, default_value_t = 1_000_000)]
        events: u64,
        out: PathBuf,
    },
    /// The 20-rule pack from a plain file to decisions, against only decoding the lines
    Pack {
        #[arg(long, default_value_t = 100_000)]
        customers: u64,
        #[arg(long, default_value_t = 1_000_000)]
        events: u64,
    },
    /// The 20-rule pack once, for a profiler
    Once {
        #[arg(long, default_value_t = 100_000)]
        customers: u64,
        #[arg(long, default_value_t = 1_000_000)]
        events: u64,
    },
    /// Time per event as rules grow
    Rules,
    /// The 20-rule pack on two threads against one
    Cores,
    /// Checking and compiling 1,000 rules
    Compile,
    /// Machine code against the reference interpreter
    Interpreted,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    match Arguments::parse().what {
        What::Stream { customers, events, out } => {
            let mut out = BufWriter::new(fs::File::create(out)?);
            stream::write(Shape { customers, events }, &mut out)?;
            out.flush()?;
        }
        What::Pack { customers, events } => pack(&stream_file(Shape { customers, events })?)?,
        What::Once { customers, events } => {
            let file = stream_file(Shape { customers, events })?;
            let program = packs::checked(packs::ORDINARY);
            let records = replay(&engine(&program)?, &program, &file);
            println!("{records} records");
        }
        What::Rules => rules()?,
        What::Cores => {
            let file = stream_file(Shape { customers: 100_000, events: 1_000_000 })?;
            let program = packs::checked(packs::ORDINARY);
            let machine = engine(&program)?;
            let (one, two, ratio) = compare(
                || work(replay_with(machine.clone(), &program, &file, 1)),
                || work(replay_with(machine.clone(), &program, &file, 2)),
            );
            println!("one thread {one:.2} s, two {two:.2} s: {ratio:.2} ×");
        }
        What::Compile => compiling()?,
        What::Interpreted => {
            let file = stream_file(Shape { customers: 10_000, events: 200_000 })?;
            let program = packs::checked(packs::ORDINARY);
            let machine = engine(&program)?;
            let reference = || Reference::new(program.clone(), Settings::default());
            let (a, b, ratio) = compare(
                || work(replay_with(reference(), &program, &file, 1)),
                || work(replay(&machine, &program, &file)),
            );
            println!("reference {a:.3} s, machine code {b:.3} s: {ratio:.1} ×");
        }
    }
    Ok(())
}

type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// The file of a stream; it is made once.
fn stream_file(shape: Shape) -> Result<PathBuf> {
    let folder = Path::new("target/bench");
    fs::create_dir_all(folder)?;
    let path = folder.join(format!("stream-{}-{}.ndjson", shape.customers, shape.events));
    if !path.exists() {
        let unfinished = path.with_extension("unfinished");
        let mut out = BufWriter::new(fs::File::create(&unfinished)?);
        stream::write(shape, &mut out)?;
        out.flush()?;
        fs::rename(unfinished, &path)?;
    }
    Ok(path)
}

fn engine(program: &Arc<Program>) -> Result<Arc<Engine>> {
    Ok(Arc::new(Engine::new(program.clone(), Settings::default())?))
}

fn replay(engine: &Arc<Engine>, program: &Arc<Program>, file: &Path) -> usize {
    replay_with(engine.clone(), program, file, 1)
}

/// From a file to decisions; gives how many records there are.
fn replay_with<E>(executor: E, program: &Arc<Program>, file: &Path, threads: usize) -> usize
where
    E: Execution + Sync,
{
    let options =
        Options { kinds: Kinds::default(), threads: NonZeroUsize::new(threads), ..Options::default() };
    let mut replay = Replay::new(executor, program.clone(), options);
    let Ok(mut events) = Events::open(&[file]) else { return 0 };
    let (mut batch, mut next) = (Batch::default(), Batch::default());
    if threads == 1 {
        // All on one thread, reading too.
        while events.fill(&mut batch).is_ok() && !batch.is_empty() {
            replay.apply_batch(&batch, false);
        }
        return replay.finish().len();
    }
    let mut filled = events.fill(&mut batch).is_ok();
    while filled && !batch.is_empty() {
        filled = thread::scope(|scope| {
            let reader = scope.spawn(|| events.fill(&mut next).is_ok());
            replay.apply_batch(&batch, false);
            reader.join().unwrap_or(false)
        });
        std::mem::swap(&mut batch, &mut next);
    }
    replay.finish().len()
}

/// A line decoded into borrowed fields: the limit.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "decoding is what is measured")]
struct Line<'a> {
    r#type: &'a str,
    message_id: &'a str,
    user_id: &'a str,
    event: Option<&'a str>,
    timestamp: &'a str,
    #[serde(borrow)]
    properties: Option<Properties<'a>>,
    #[serde(borrow)]
    traits: Option<Traits<'a>>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "decoding is what is measured")]
struct Properties<'a> {
    product_id: Option<&'a str>,
    category: Option<&'a str>,
    price: Option<f64>,
    cart_id: Option<&'a str>,
    order_id: Option<&'a str>,
    total: Option<f64>,
    coupon: Option<&'a str>,
    path: Option<&'a str>,
    form_id: Option<&'a str>,
    channel: Option<&'a str>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "decoding is what is measured")]
struct Traits<'a> {
    #[serde(borrow)]
    first_name: Option<Cow<'a, str>>,
    phone: Option<&'a str>,
    email: Option<&'a str>,
    plan: Option<&'a str>,
}

/// Keeps the compiler from leaving out what nobody looks at.
fn work<T>(result: T) {
    black_box(result);
}

/// Reads a file line by line and decodes each line; gives how many there are.
fn decode_only(file: &Path) -> usize {
    let Ok(file) = fs::File::open(file) else { return 0 };
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let (mut line, mut count) = (Vec::new(), 0);
    while let Ok(length) = reader.read_until(b'\n', &mut line)
        && length > 0
    {
        count += usize::from(serde_json::from_slice::<Line<'_>>(&line).map(black_box).is_ok());
        line.clear();
    }
    count
}

fn pack(file: &Path) -> Result<()> {
    let program = packs::checked(packs::ORDINARY);
    let engine = engine(&program)?;
    let events = decode_only(file);
    let records = replay(&engine, &program, file);
    let (whole, decoding, ratio) =
        compare(|| work(replay(&engine, &program, file)), || work(decode_only(file)));
    let each = |seconds: f64| seconds / events as f64 * 1e9;
    println!("{events} events, {records} records");
    println!("pack {:.0} ns an event, decoding {:.0} ns: {ratio:.2} ×", each(whole), each(decoding));
    Ok(())
}

fn rules() -> Result<()> {
    let file = stream_file(Shape { customers: 10_000, events: 200_000 })?;
    let events = decode_only(&file) as f64;
    let mut base = None;
    for count in [10, 1_000, 10_000] {
        let program = packs::checked(&packs::of_a_constant(count));
        let engine = engine(&program)?;
        let times = (0..3).map(|_| seconds(&mut || work(replay(&engine, &program, &file))));
        let time = median(times.collect());
        let base = *base.get_or_insert(time);
        println!(
            "{count} rules of a constant: {:.0} ns an event, {:.2} × of 10",
            time / events * 1e9,
            time / base
        );
    }
    let mut base = 0.0;
    for count in [0, 1_000] {
        let program = packs::checked(&packs::distinct(count.max(1)));
        let engine = engine(&program)?;
        let times = (0..3).map(|_| seconds(&mut || work(replay(&engine, &program, &file))));
        let time = median(times.collect());
        if count > 0 {
            // Half of the events are of the kind that the rules look at.
            println!(
                "{count} distinct rules: {:.1} ns a rule and event",
                (time - base) / (events * 0.51) / count as f64 * 1e9
            );
        }
        base = time;
    }
    Ok(())
}

fn compiling() -> Result<()> {
    for (name, rules) in
        [("of a constant", packs::of_a_constant(1_000)), ("distinct", packs::distinct(1_000))]
    {
        let mut checking = Vec::new();
        let mut all = Vec::new();
        for _ in 0..5 {
            let mut program = None;
            checking.push(seconds(&mut || program = Some(packs::checked(&rules))) * 1e3);
            let Some(program) = program else { continue };
            let last = checking.last().copied().unwrap_or(0.0);
            all.push(last + seconds(&mut || work(engine(&program))) * 1e3);
        }
        println!(
            "1,000 rules {name}: checked in {:.0} ms, checked and compiled in {:.0} ms",
            median(checking),
            median(all)
        );
    }
    Ok(())
}
