//! Checkpoints: whole or not there, and where one is damaged the one before.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use segue_runtime::live::Change;
use segue_service::{
    disk::{FaultyDisk, RealDisk},
    store::{Checkpoint, Found, Store},
};
use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

/// Changes number `number`: some keys change, one goes.
fn checkpoint(number: u64) -> Checkpoint {
    let key = |key: u64| format!("key {key:03}").into_bytes();
    let mut changes: Vec<Change> = (0..20)
        .map(|step| Change {
            key: key((number * 7 + step * 3) % 50),
            value: Some(format!("{number} {step}").into_bytes()),
        })
        .collect();
    let gone = key(number % 50);
    changes.retain(|change| change.key != gone);
    changes.push(Change { key: gone, value: None });
    changes.sort();
    Checkpoint { position: number * 100, notes: number.to_string().into_bytes(), changes }
}

/// What there should be after so many.
fn expected(count: u64) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut all = BTreeMap::new();
    for change in (1..=count).flat_map(|number| checkpoint(number).changes) {
        match change.value {
            Some(value) => all.insert(change.key, value),
            None => all.remove(&change.key),
        };
    }
    all.into_iter().collect()
}

fn open(folder: &Path) -> (Store, Option<Found>) {
    Store::open(Arc::new(RealDisk), folder).unwrap()
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn what_was_kept_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, found) = open(folder.path());
    assert!(found.is_none());
    for number in 1..60 {
        store.keep(&checkpoint(number)).unwrap();
        store.tidy().unwrap();
        if number % 5 == 0 {
            let (opened, found) = open(folder.path());
            let found = found.unwrap();
            assert_eq!((found.position, found.notes), (number * 100, number.to_string().into_bytes()));
            assert_eq!(found.values, expected(number));
            assert!(found.damaged.is_empty());
            store = opened;
        }
    }
    assert!(files(folder.path()).len() < 40, "they are merged");
    // Where the log should reach back less far, everything is written anew, twice.
    for number in 60..100 {
        store.keep(&checkpoint(number)).unwrap();
        store.renew().unwrap();
        assert_eq!(open(folder.path()).1.unwrap().values, expected(number));
    }
    assert!((6_000..9_500).contains(&store.needed().unwrap()));
    store.rewrite().unwrap();
    assert_eq!(files(folder.path()).len(), 1);
    assert_eq!(open(folder.path()).1.unwrap().values, expected(99));
}

#[test]
fn what_changed_is_not_written_anew_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, _) = open(folder.path());
    let change = |number: u64| Change { key: number.to_be_bytes().to_vec(), value: Some(vec![7; 4_000]) };
    let mut number = 0;
    let mut keep = |store: &mut Store, changes: Vec<Change>| {
        number += 1;
        store.keep(&Checkpoint { position: number, notes: Vec::new(), changes }).unwrap();
        store.tidy().unwrap();
    };
    keep(&mut store, (0..2_000).map(change).collect());
    let lengths = || -> Vec<(String, u64)> {
        let files = files(folder.path()).into_iter();
        files.map(|path| (path.display().to_string(), path.metadata().unwrap().len())).collect()
    };
    let mut seen: BTreeMap<String, u64> = lengths().into_iter().collect();
    for number in 0..400 {
        let mut changes: Vec<Change> = (0..10).map(|step| change((number * 31 + step * 7) % 2_000)).collect();
        changes.sort();
        keep(&mut store, changes);
        seen.extend(lengths());
    }
    let written: u64 = seen.values().sum();
    // 8 MB and 400 times 40 KB: each of these some three times, and everything anew when as much had changed.
    assert!(written < 110_000_000, "{written}");
    let most = lengths().iter().map(|(_, length)| length).sum::<u64>();
    assert!(most < 45_000_000, "{most}");
    assert_eq!(open(folder.path()).1.unwrap().values.len(), 2_000);
}

#[test]
fn a_damaged_one_is_told_and_the_one_before_taken() {
    for byte in [0, 9, 20, 45, 70, 200, usize::MAX] {
        let folder = tempfile::tempdir().unwrap();
        let (mut store, _) = open(folder.path());
        for number in 1..=3 {
            store.keep(&checkpoint(number)).unwrap();
        }
        let newest = files(folder.path()).pop().unwrap();
        let mut bytes = fs::read(&newest).unwrap();
        if let Some(byte) = bytes.get_mut(byte) {
            *byte ^= 0x40;
        } else {
            bytes.pop();
        }
        if byte == 9 {
            // The version; a later one is no damage, and nothing older may be taken for the state.
            fs::write(&newest, &bytes).unwrap();
            assert!(
                Store::open(Arc::new(RealDisk), folder.path()).unwrap_err().to_string().contains("format")
            );
            continue;
        }
        fs::write(&newest, &bytes).unwrap();
        let (mut store, found) = open(folder.path());
        let found = found.unwrap();
        assert_eq!((found.position, found.damaged.len()), (200, 1), "byte {byte}");
        assert_eq!(found.values, expected(2));
        // It goes on from there.
        store.keep(&checkpoint(3)).unwrap();
        assert_eq!(open(folder.path()).1.unwrap().values, expected(3));
    }
}

#[test]
fn whichever_step_fails_there_is_a_sound_one() {
    for step in (0..10).chain(68..86) {
        let folder = tempfile::tempdir().unwrap();
        let disk = FaultyDisk::default();
        let (mut store, _) = Store::open(Arc::new(disk.clone()), folder.path()).unwrap();
        disk.fail_after(step);
        let mut kept = 0;
        for number in 1..=20 {
            while store.keep(&checkpoint(number)).is_err() {
                let found = open(folder.path()).1;
                let position = found.map_or(0, |found| found.position);
                // It may have got its name and failed after that.
                assert!([kept * 100, number * 100].contains(&position), "step {step}: {position}");
            }
            kept = number;
            // Whether it could tidy up or not, all is there.
            let _ = store.tidy();
            assert_eq!(open(folder.path()).1.unwrap().values, expected(number), "step {step}");
        }
    }
}
