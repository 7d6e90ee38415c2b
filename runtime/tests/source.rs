//! Event files as they come: compressed, broken, several at once.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use segue_runtime::source::{Events, Item, SourceError};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

fn line(id: &str, second: u32) -> String {
    format!(r#"{{"type":"track","event":"A","userId":"{id}","timestamp":"2026-01-05T10:00:{second:02}Z"}}"#)
        + "\n"
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// Customers in order, rejects as `file:line reason`.
fn read(folder: &Path, files: &[(&str, Vec<u8>)]) -> Result<Vec<String>, SourceError> {
    let paths: Vec<PathBuf> = files.iter().map(|(name, _)| folder.join(name)).collect();
    for (path, (_, content)) in paths.iter().zip(files) {
        fs::write(path, content).unwrap();
    }
    let mut events = Events::open(&paths)?;
    let mut seen = Vec::new();
    while let Some(item) = events.read()? {
        seen.push(match item {
            Item::Event(event) => event.envelope.customer.into_owned(),
            Item::Reject(reject) => {
                let name = Path::new(reject.file).file_name().unwrap().to_str().unwrap();
                format!("{name}:{} {}", reject.number, reject.reason)
            }
        });
    }
    assert_eq!(Some(events.progress().bytes()), events.length());
    Ok(seen)
}

#[test]
fn reads_compressed_files() {
    let folder = tempfile::tempdir().unwrap();
    let two_members = [gzip(&line("a", 0)), gzip(&line("b", 1))].concat();
    assert_eq!(read(folder.path(), &[("e.gz", two_members)]).unwrap(), ["a", "b"]);
    let frames: Vec<u8> = [line("c", 0), line("d", 1)]
        .iter()
        .flat_map(|text| zstd::encode_all(text.as_bytes(), 1).unwrap())
        .collect();
    assert_eq!(read(folder.path(), &[("e.zst", frames)]).unwrap(), ["c", "d"]);
}

#[test]
fn a_cut_off_file_is_an_error_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let mut cut = gzip(&line("a", 0).repeat(20_000));
    cut.truncate(cut.len() / 2);
    assert!(matches!(read(folder.path(), &[("e.gz", cut)]), Err(SourceError::Read { line: 1.., .. })));
    assert!(matches!(Events::open(&[folder.path()]), Err(SourceError::Open { .. })));
    assert!(matches!(Events::open(&[folder.path().join("none")]), Err(SourceError::Open { .. })));
}

#[test]
fn broken_lines_are_rejects_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut content = format!("\u{feff}{}\r\n{{oops\n", line("a", 0).trim_end()).into_bytes();
    content.extend_from_slice(b"{\xFF\xFE}\n\n");
    content.extend_from_slice(&vec![b'x'; (1 << 20) + 1]);
    content.extend_from_slice(b"\n");
    content.extend_from_slice(line("b", 1).trim_end().as_bytes());
    assert_eq!(
        read(folder.path(), &[("e", content)]).unwrap(),
        [
            "a",
            "e:2 not JSON: key must be a string (column 2)",
            "e:3 not UTF-8 text (byte 2 of the line)",
            "e:5 longer than 1024 KiB; the line is not kept",
            "b"
        ]
    );
}

#[test]
fn files_are_merged_by_time_and_keep_their_own_order() {
    let folder = tempfile::tempdir().unwrap();
    // The first file is out of order within: its late line waits for nobody.
    let first = line("a1", 1) + &line("a9", 9) + &line("a2", 2) + &line("a10", 10);
    let second = line("b1", 1) + "oops\n" + &line("b5", 5) + &line("b10", 10);
    let seen = read(folder.path(), &[("1", first.into_bytes()), ("2", gzip(&second))]).unwrap();
    let reject = "2:2 not a JSON object: a line starts with `{`, found `oops`";
    assert_eq!(seen, ["a1", "b1", reject, "b5", "a9", "a2", "a10", "b10"]);
}
