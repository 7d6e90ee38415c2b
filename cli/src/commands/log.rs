//! `segue log`: what the log of a live service says, as lines.

use crate::{
    Ending,
    output::{Problem, results},
};
use segue_compiler::record::Instant;
use segue_service::{
    audit::log_of,
    log::{Damage, Delivered, Entry, Kind, Reader, segments},
};
use serde::Serialize;
use serde_json::value::RawValue;
use std::{
    io::{self, Write},
    path::PathBuf,
};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The folder of a service's data, or of its log
    data: PathBuf,
    /// Where to begin: the number of an entry
    #[arg(long, value_name = "ENTRY", default_value_t = 0)]
    from: u64,
    /// Only the calls, as event files have them, with `receivedAt`
    #[arg(long)]
    calls: bool,
}

/// An entry as a line.
#[derive(Serialize)]
struct Line<'e> {
    entry: u64,
    received_at: Instant,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<&'e RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Problem> {
    let log = log_of(&arguments.data).map_err(|error| Problem::words(error.to_string()))?;
    let unreadable = |error: Damage| Problem::words(error.to_string());
    let all = segments(&log).map_err(unreadable)?;
    let mut out = results();
    let mut reader = Reader::open(&log, arguments.from).map_err(unreadable)?;
    loop {
        let group = match reader.group() {
            Ok(Some(group)) => group,
            Ok(None) => break,
            // Somebody may be writing it.
            Err(Damage::Entry { path, .. }) if all.last().is_some_and(|last| last.path == path) => break,
            Err(error) => return Err(unreadable(error)),
        };
        for entry in group.entries() {
            if !arguments.calls {
                serde_json::to_writer(&mut out, &Line::of(&entry)).map_err(io::Error::from)?;
                out.write_all(b"\n")?;
            } else if entry.kind == Kind::Call {
                write_call(&mut out, &entry)?;
            }
        }
    }
    out.flush()?;
    Ok(Ending::Clean)
}

/// The call as it came, with its arrival in front.
fn write_call(out: &mut impl Write, entry: &Entry<'_>) -> io::Result<()> {
    let rest = entry.payload.trim_ascii_start().strip_prefix(b"{").unwrap_or_default();
    write!(out, "{{\"receivedAt\":\"{}\",", Instant(entry.received_at))?;
    out.write_all(rest)?;
    out.write_all(b"\n")
}

impl<'e> Line<'e> {
    fn of(entry: &Entry<'e>) -> Self {
        let text = std::str::from_utf8(entry.payload).ok();
        let done = Delivered::read(entry.payload).filter(|_| entry.kind == Kind::Done);
        Self {
            entry: entry.position,
            received_at: Instant(entry.received_at),
            kind: entry.kind.word(),
            call: text.filter(|_| entry.kind == Kind::Call).and_then(|it| serde_json::from_str(it).ok()),
            customer: text.filter(|_| entry.kind == Kind::Erase),
            rule: text.filter(|_| entry.kind == Kind::Release),
            decision: done.map(|(id, _)| id.to_string()),
            outcome: done.map(|(_, how)| how.word()),
        }
    }
}
