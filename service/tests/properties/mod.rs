//! What holds of any bytes: for tests with bytes that are nearly right, and for the fuzzers in `fuzz/`.

use segue_compiler::{
    pack::{Packed, Packer, Unpacker},
    record::Record,
    time::{EARLIEST, LATEST},
    value::Millis,
};
use segue_runtime::{limits::MAX_NAME_BYTES, source::Envelope};
use segue_service::{
    disk::RealDisk,
    ingest::{Arrival, Bounds, Form, Kind, Posted, body::unpack},
    log::{Delivered, Kind as Entry, Limits, Reader, Writer},
    rules::Text,
    store::Store,
};
use std::{fs, path::Path, sync::Arc};
use xxhash_rust::xxh3::xxh3_64;

const BOUNDS: Bounds = Bounds { event_bytes: 4 << 10, batch_bytes: 64 << 10, batch_events: 50 };
const ARRIVAL: Arrival = Arrival { received_at: 1_767_607_200_000, request: 7 };
pub(crate) const FORMS: [Form; 4] =
    [Form::Batch, Form::PostHog, Form::Call(Kind::Track), Form::Call(Kind::Identify)];

/// A body is taken to pieces or refused: every event is accepted or rejected, and what is accepted is one line that reads
/// as a call. Gives how many were accepted.
pub(crate) fn ingest(form: Form, body: &[u8]) -> usize {
    for encoding in [None, Some("gzip")] {
        if let Ok(plain) = unpack(body, encoding, BOUNDS.batch_bytes) {
            assert!(plain.len() <= BOUNDS.batch_bytes);
        }
    }
    let Ok(posted) = Posted::read(form, body, &BOUNDS) else { return 0 };
    let calls = posted.calls(ARRIVAL, &BOUNDS);
    assert!(calls.accepted + calls.rejected.len() <= BOUNDS.batch_events.max(1));
    assert!(calls.calls.len() >= calls.accepted && calls.calls.len() <= 2 * calls.accepted);
    let mut places: Vec<usize> = calls.rejected.iter().map(|it| it.index).collect();
    places.dedup();
    assert_eq!(places.len(), calls.rejected.len(), "an event is rejected once");
    for call in &calls.calls {
        let line = call.line();
        assert!(!line.contains(['\n', '\r']), "a call is one line: {line}");
        let envelope = Envelope::parse(line.as_bytes()).expect("what is accepted is a call");
        assert!(envelope.at <= ARRIVAL.received_at + 300_000, "nothing happens after its arrival: {line}");
        serde_json::from_str::<serde::de::IgnoredAny>(line).expect("others read it as JSON, too");
    }
    calls.accepted
}

/// A line is a call or is not; what is read as one is JSON to others, too, of the same person, and it happened at a time
/// that the calendar has. Whether it was one.
pub(crate) fn line(line: &[u8]) -> bool {
    let Ok(envelope) = Envelope::parse(line) else { return false };
    assert!((EARLIEST..LATEST).contains(&envelope.at));
    assert!(!envelope.customer.is_empty() && envelope.customer.len() <= MAX_NAME_BYTES);
    assert_ne!(envelope.same_as.as_deref(), Some(&*envelope.customer));
    let incoming = envelope.incoming();
    assert!(!incoming.message_id.is_empty() && incoming.message_id.len() <= MAX_NAME_BYTES);
    serde_json::from_slice::<serde::de::IgnoredAny>(line).expect("others read it as JSON, too");
    // Names written with escapes are not those that are looked for.
    if !line.contains(&b'\\')
        && let Ok(value) = serde_json::from_slice::<serde_json::Value>(line)
    {
        let id = &value[if envelope.known { "userId" } else { "anonymousId" }];
        assert!(id.is_number() || id.as_str() == Some(&*envelope.customer), "{value}");
    }
    true
}

/// What entries of a log say: position, kind, time, payload.
pub(crate) type Said = Vec<(u64, Entry, Millis, Vec<u8>)>;

/// Reads a log as far as it goes.
pub(crate) fn read_log(folder: &Path) -> Said {
    let mut said = Said::new();
    let Ok(mut reader) = Reader::open(folder, 0) else { return said };
    while let Ok(Some(group)) = reader.group() {
        let entries = group.entries();
        said.extend(entries.map(|it| (it.position, it.kind, it.received_at, it.payload.to_vec())));
    }
    said
}

/// What an entry says may be anything: it is read as something that is written and read again alike, or not at all.
pub(crate) fn payload(bytes: &[u8]) {
    if let Ok(text) = Text::read(bytes) {
        assert_eq!(Text::read(&text.write()).ok(), Some(text));
    }
    if let Some((id, how)) = Delivered::read(bytes) {
        assert_eq!(how.payload(id), bytes);
    }
    if let Ok(record) = Record::unpack(&mut Unpacker::new(bytes, ARRIVAL.received_at)) {
        let mut packer = Packer::new(ARRIVAL.received_at);
        record.pack(&mut packer);
        let packed = packer.finish();
        let again = Record::unpack(&mut Unpacker::new(&packed, ARRIVAL.received_at));
        assert_eq!(again.expect("what was packed"), record);
    }
}

/// A file of a log whose checksums are right, whatever its entries are: the bytes are lengths of entries, each followed by
/// its kind, its time and what it says.
pub(crate) fn sealed(mut bytes: &[u8]) -> Vec<u8> {
    let mut file = b"SEGUELOG\x01\0\0\0\0\0\0\0\0\0\0\0".to_vec();
    file.extend_from_slice(&xxh3_64(&file).to_le_bytes());
    while let Some((length, rest)) = bytes.split_first() {
        let (body, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        file.extend_from_slice(&u32::try_from(body.len()).expect("short").to_le_bytes());
        file.extend_from_slice(&xxh3_64(body).to_le_bytes());
        file.extend_from_slice(body);
        bytes = rest;
    }
    file
}

/// A file of a log may hold anything: it is read as far as it goes, and where it can be opened for writing, nothing is lost
/// of what was read, and what is appended is read after it.
pub(crate) fn log(folder: &Path) -> Said {
    let said = read_log(folder);
    let limits = Limits { segment_bytes: 1 << 20, keep: None, max_bytes: None };
    if let Ok((mut writer, _)) = Writer::open(Arc::new(RealDisk), folder, limits) {
        let kept = read_log(folder);
        assert!(kept.starts_with(&said), "opening keeps what could be read");
        let appended = writer.append([(Entry::Call, ARRIVAL.received_at, &b"more"[..])], true);
        assert_eq!(appended.expect("a sound log takes more").first, writer.place().position - 1);
        let after = read_log(folder);
        assert_eq!((after.len(), after.last().map(|it| &*it.3)), (kept.len() + 1, Some(&b"more"[..])));
    }
    said
}

/// Keys and values of a checkpoint.
pub(crate) type Values = Vec<(Vec<u8>, Vec<u8>)>;

/// A folder of checkpoints may hold anything; gives what the newest sound one holds.
pub(crate) fn store(folder: &Path) -> Option<Values> {
    let (_, found) = Store::open(Arc::new(RealDisk), folder).ok()?;
    found.filter(|found| found.position > 0).map(|found| found.values)
}

/// Writes a folder with one file.
pub(crate) fn folder_with(name: &str, bytes: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join(name), bytes).expect("a file");
    folder
}
