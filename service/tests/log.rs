//! The log: what was acknowledged is there, whatever the disk does and wherever it was cut off.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use segue_service::{
    disk::{Disk, FaultyDisk, RealDisk},
    log::{Damage, Kind, Limits, Opened, Reader, Writer, segments, trim},
};
use std::{fs, path::Path, sync::Arc};

const LIMITS: Limits = Limits { segment_bytes: 300, keep: None, max_bytes: None };

fn open(disk: &FaultyDisk, folder: &Path) -> (Writer, Opened) {
    Writer::open(Arc::new(disk.clone()), folder, LIMITS).unwrap()
}

fn append(writer: &mut Writer, texts: &[String], at: i64) -> std::io::Result<u64> {
    writer.append(texts.iter().map(|text| (Kind::Call, at, text.as_bytes())), true).map(|group| group.first)
}

/// Position, time and text of each entry.
fn read(folder: &Path, from: u64) -> Vec<(u64, i64, String)> {
    let mut reader = Reader::open(folder, from).unwrap();
    let mut entries = Vec::new();
    while let Some(group) = reader.group().unwrap() {
        for entry in group.entries() {
            let text = String::from_utf8(entry.payload.to_vec()).unwrap();
            entries.push((entry.position, entry.received_at, text));
        }
    }
    entries
}

fn texts(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| format!("entry {number}")).collect()
}

#[test]
fn what_was_written_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::default();
    let (mut writer, opened) = open(&disk, folder.path());
    assert_eq!(opened, Opened::default());
    for number in 0..20 {
        let first = append(&mut writer, &texts(number * 3..number * 3 + 3), number as i64).unwrap();
        assert_eq!(first, number as u64 * 3);
    }
    assert!(segments(folder.path()).unwrap().len() > 3);
    let all = read(folder.path(), 0);
    assert_eq!(all.len(), 60);
    for from in 0..61 {
        assert_eq!(read(folder.path(), from), all[from as usize..], "from {from}");
    }
    let (writer, opened) = open(&disk, folder.path());
    assert_eq!((writer.place().position, opened), (60, Opened { cut: 0, last: Some(19) }));
}

#[test]
fn what_is_damaged_before_its_end_is_told_and_not_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { segment_bytes: 1 << 20, ..LIMITS };
    let open = || Writer::open(Arc::new(RealDisk), folder.path(), limits);
    let (mut writer, _) = open().unwrap();
    for at in 0..4 {
        append(&mut writer, &texts(0..3), at).unwrap();
    }
    let path = segments(folder.path()).unwrap()[0].path.clone();
    let whole = fs::read(&path).unwrap();
    let group = (whole.len() - 28) / 4;
    for at in 28..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x11;
        fs::write(&path, &bytes).unwrap();
        // What was written last may have come to the disk in part; of all else it is known that it was there.
        if at < 28 + 2 * group {
            let refused = open().unwrap_err();
            assert!(matches!(refused, Damage::Entry { .. }), "{at}: {refused}");
            assert_eq!(fs::read(&path).unwrap(), bytes, "{at}: nothing is lost of what follows");
        } else if at >= 28 + 3 * group {
            let (writer, opened) = open().unwrap();
            assert!(writer.place().position >= 9 && opened.cut > 0, "{at}");
        }
    }
}

#[test]
fn a_torn_end_is_cut_off_wherever_it_is_torn() {
    let folder = tempfile::tempdir().unwrap();
    let (mut writer, _) = open(&FaultyDisk::default(), folder.path());
    append(&mut writer, &texts(0..4), 7).unwrap();
    let path = segments(folder.path()).unwrap()[0].path.clone();
    let whole = fs::read(&path).unwrap();
    for length in 28..whole.len() {
        for junk in [&b""[..], &[0; 40], &[0xff; 3]] {
            fs::write(&path, [&whole[..length], junk].concat()).unwrap();
            let (mut writer, opened) = open(&FaultyDisk::default(), folder.path());
            let kept = read(folder.path(), 0);
            assert_eq!(kept.len() as u64, writer.place().position, "{length}");
            assert!(
                opened.cut > 0 || kept.is_empty() || [28, 28 + 28, 28 + 56, 28 + 84].contains(&length),
                "{length}"
            );
            append(&mut writer, &texts(9..10), 8).unwrap();
            assert_eq!(read(folder.path(), 0).len(), kept.len() + 1);
        }
    }
}

#[test]
fn damage_elsewhere_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (mut writer, _) = open(&FaultyDisk::default(), folder.path());
    for number in 0..20 {
        append(&mut writer, &texts(number * 3..number * 3 + 3), 0).unwrap();
    }
    let all = segments(folder.path()).unwrap();
    let first = &all[all.len() - 2].path;
    let mut bytes = fs::read(first).unwrap();
    bytes[60] ^= 1;
    fs::write(first, &bytes).unwrap();
    let opened = Writer::open(Arc::new(RealDisk), folder.path(), LIMITS);
    assert!(matches!(opened, Err(Damage::Entry { offset: 28.., .. })), "{opened:?}");
    fs::remove_file(first).unwrap();
    let opened = Reader::open(folder.path(), 0).and_then(|mut reader| {
        while reader.group()?.is_some() {}
        Ok(())
    });
    assert!(matches!(opened, Err(Damage::Gap { .. })), "{opened:?}");
}

#[test]
fn later_formats_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    open(&FaultyDisk::default(), folder.path());
    let path = segments(folder.path()).unwrap()[0].path.clone();
    let mut bytes = fs::read(&path).unwrap();
    bytes[8] = 2;
    let check = xxhash_rust::xxh3::xxh3_64(&bytes[..20]);
    bytes.splice(20..28, check.to_le_bytes());
    bytes.extend([0; 40]);
    fs::write(&path, &bytes).unwrap();
    let opened = Writer::open(Arc::new(RealDisk), folder.path(), LIMITS);
    assert!(matches!(opened, Err(Damage::Version { version: 2, .. })), "{opened:?}");
}

#[test]
fn whichever_step_fails_nothing_acknowledged_is_lost() {
    for step in 0..60 {
        let folder = tempfile::tempdir().unwrap();
        let disk = FaultyDisk::default();
        let (mut writer, _) = open(&disk, folder.path());
        disk.fail_after(step);
        let mut acknowledged = Vec::new();
        for number in 0..20 {
            let group = texts(number * 2..number * 2 + 2);
            if let Ok(first) = append(&mut writer, &group, number as i64) {
                acknowledged.extend((first..).zip(group));
            }
            if number % 7 == 6 {
                // As after a crash.
                writer = open(&disk, folder.path()).0;
            }
        }
        let kept: Vec<(u64, String)> =
            read(folder.path(), 0).into_iter().map(|(at, _, text)| (at, text)).collect();
        assert_eq!(kept, acknowledged, "step {step}");
        assert!(acknowledged.len() >= 38, "step {step}: {}", acknowledged.len());
    }
}

#[test]
fn a_full_disk_stops_it_until_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let disk = FaultyDisk::default();
    let (mut writer, _) = open(&disk, folder.path());
    append(&mut writer, &texts(0..3), 0).unwrap();
    disk.leave_room(50);
    for _ in 0..3 {
        let error = append(&mut writer, &texts(3..9), 1).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    }
    disk.leave_room(100_000);
    assert_eq!(append(&mut writer, &texts(3..9), 2).unwrap(), 3);
    assert_eq!(read(folder.path(), 0).len(), 9);
}

#[test]
fn old_files_go_and_needed_ones_stay() {
    let folder = tempfile::tempdir().unwrap();
    let (mut writer, _) = open(&FaultyDisk::default(), folder.path());
    for number in 0..40 {
        append(&mut writer, &texts(number * 3..number * 3 + 3), number as i64 * 1_000).unwrap();
    }
    let oldest = || segments(folder.path()).unwrap().first().map(|it| it.first).unwrap_or_default();
    let disk: &dyn Disk = &RealDisk;
    let keep = Limits { keep: Some(20_000), ..LIMITS };
    let trimmed = trim(disk, folder.path(), keep, 0, 40_000).unwrap();
    assert_eq!((trimmed.went, trimmed.is_held), (0, true), "all is needed");
    let trimmed = trim(disk, folder.path(), keep, u64::MAX, 40_000).unwrap();
    assert!(trimmed.went > 0 && !trimmed.is_held);
    let (_, at, _) = read(folder.path(), oldest())[0].clone();
    assert!(at <= 20_000 && read(folder.path(), oldest()).len() < 90, "{at}");
    let small = Limits { max_bytes: Some(1_000), ..LIMITS };
    trim(disk, folder.path(), small, u64::MAX, 40_000).unwrap();
    let sizes: u64 =
        segments(folder.path()).unwrap().iter().map(|it| fs::metadata(&it.path).unwrap().len()).sum();
    assert!(sizes <= 1_000, "{sizes}");
    assert_eq!(read(folder.path(), 119).len(), 1, "the newest is there");
}
