//! A host from what comes in to what goes out: decisions are delivered once, whatever happens in between.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

mod disk;
mod place;

use place::{HOUR, Place, SETTINGS, START, call, submit};
use segue_service::{clock::Clock, host::StartError, intake::Refusal, log};
use std::{collections::BTreeMap, fs, sync::Arc, thread, time::Duration};

#[test]
fn what_is_decided_is_delivered_once() {
    let place = Place::new();
    let host = place.start();
    submit(&host, vec![call("1", START, "ada", "identify"), call("2", START, "ada", "Added")]);
    submit(&host, vec![call("3", START, "bob", "identify"), call("4", START, "bob", "Ordered")]);
    place.wait_for(|| place.sent().len() == 1);
    place.clock.set(START + 2 * HOUR - 1);
    thread::sleep(Duration::from_millis(100));
    assert_eq!(place.sent(), ["2026-01-05T08:00:00.000Z bob thanks"]);
    place.clock.set(START + 2 * HOUR);
    place.wait_for(|| place.sent().len() == 2);
    place.wait_for(|| host.status().pending == 0);
    host.close();
    for _ in 0..2 {
        let host = place.start();
        thread::sleep(Duration::from_millis(50));
        assert_eq!(host.status().pending, 0);
        host.close();
    }
    let sent = place.sent();
    assert_eq!(sent, ["2026-01-05T08:00:00.000Z bob thanks", "2026-01-05T10:00:00.000Z ada reminder"]);
    assert_eq!(place.told(), "");
}

#[test]
fn what_came_due_while_it_was_down_is_decided_when_it_is_up() {
    let place = Place::new();
    let host = place.start();
    submit(&host, vec![call("1", START, "ada", "identify"), call("2", START, "ada", "Added")]);
    host.close();
    place.clock.set(START + 5 * HOUR);
    let host = place.start();
    place.wait_for(|| place.sent().len() == 1);
    assert_eq!(place.sent(), ["2026-01-05T13:00:00.000Z ada reminder"]);
    host.close();
}

#[test]
fn without_a_checkpoint_the_log_alone_leads_to_the_same() {
    let place = Place::new();
    let host = place.start();
    for number in 0..50 {
        let customer = format!("c{number}");
        let ids = [format!("a{number}"), format!("b{number}")];
        submit(
            &host,
            vec![call(&ids[0], START, &customer, "identify"), call(&ids[1], START, &customer, "Added")],
        );
    }
    place.clock.set(START + HOUR);
    submit(&host, vec![call("o", START + HOUR, "c7", "Ordered")]);
    host.close();
    fs::remove_dir_all(place.folder.path().join("data/checkpoints")).unwrap();
    let host = place.start();
    place.clock.set(START + 3 * HOUR);
    place.wait_for(|| place.sent().len() == 50);
    place.wait_for(|| host.status().pending == 0);
    host.close();
    assert_eq!(place.sent().iter().filter(|line| line.contains("thanks")).count(), 1);
    assert!(!place.sent().iter().any(|line| line.contains("c7 reminder")));
}

#[test]
fn decisions_that_are_gone_are_made_once_more_and_not_sent_again() {
    let place = Place::new();
    let host = place.start();
    submit(&host, vec![call("1", START, "ada", "identify"), call("2", START, "ada", "Ordered")]);
    submit(&host, vec![call("3", START + 1, "ada", "Added")]);
    place.wait_for(|| place.sent().len() == 1 && host.status().pending == 0);
    host.close();
    let data = place.folder.path().join("data");
    fs::remove_dir_all(data.join("decisions")).unwrap();
    // And a file that no checkpoint can be written after.
    fs::write(data.join("checkpoints/18446744073709551615.run"), "x").unwrap();
    let host = place.start();
    assert!(place.told().contains("decided upon once more"), "{}", place.told());
    place.clock.set(START + 2 * HOUR + 1);
    place.wait_for(|| place.sent().len() == 2);
    host.close();
    assert_eq!(
        place.sent(),
        ["2026-01-05T08:00:00.000Z ada thanks", "2026-01-05T10:00:00.001Z ada reminder"]
    );
}

#[test]
fn a_log_that_is_shorter_than_it_was_is_told_and_left_alone() {
    let place = Place::new();
    let host = place.start();
    submit(&host, vec![call("1", START, "ada", "identify")]);
    place.wait_for(|| host.status().applied == host.status().written);
    host.close();
    let path = place.folder.path().join("data/log/00000000000000000000.log");
    let whole = fs::read(&path).unwrap();
    let torn = &whole[..whole.len() - 7];
    fs::write(&path, torn).unwrap();
    let refused = place.try_start().err().unwrap().to_string();
    assert!(refused.contains("a part of the log is missing"), "{refused}");
    assert_eq!(fs::read(&path).unwrap(), torn, "it may be mended from a backup");
    fs::write(&path, whole).unwrap();
    // A clock that is behind is told.
    place.clock.set(START - HOUR);
    let host = place.start();
    assert!(place.told().contains("the clock of this machine is behind the log"), "{}", place.told());
    // What comes then is received in order all the same.
    submit(&host, vec![call("2", START, "ada", "Ordered")]);
    place.wait_for(|| place.sent().len() == 1);
    host.close();
}

#[test]
fn a_damaged_checkpoint_is_told_and_the_one_before_taken() {
    let mut place = Place::new();
    place.every = Duration::ZERO;
    let host = place.start();
    submit(&host, vec![call("1", START, "ada", "identify"), call("2", START, "ada", "Added")]);
    place.wait_for(|| host.status().checkpoint > 3);
    host.close();
    let checkpoints = place.folder.path().join("data/checkpoints");
    let mut files: Vec<_> = fs::read_dir(&checkpoints).unwrap().map(|it| it.unwrap().path()).collect();
    files.sort();
    let newest = files.pop().unwrap();
    let mut bytes = fs::read(&newest).unwrap();
    let middle = bytes.len() - 5;
    bytes[middle] ^= 1;
    fs::write(&newest, bytes).unwrap();
    place.clock.set(START + 2 * HOUR + 1);
    let host = place.start();
    assert!(place.told().contains("is damaged; an older one is taken"), "{}", place.told());
    place.wait_for(|| place.sent().len() == 1);
    host.close();
}

#[test]
fn while_too_much_is_on_its_way_out_nothing_more_comes_in() {
    let mut place = Place::new();
    place.settings.push_str("[fuse]\nsends = \"1 per hour\"\n");
    place.max_pending = 2;
    let host = place.start();
    let order = |customer: &str| {
        vec![
            call(&format!("i{customer}"), START, customer, "identify"),
            call(customer, START, customer, "Ordered"),
        ]
    };
    ["a", "b", "c"].iter().for_each(|customer| submit(&host, order(customer)));
    place.wait_for(|| host.status().pending == 2 && place.sent().len() == 1);
    submit(&host, order("d"));
    place.wait_for(|| host.status().pending == 3);
    let refusal = || host.intake().submit_blocking(order("e")).err();
    place.wait_for(|| matches!(refusal(), Some(Refusal::Busy { .. })));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(host.ask().release("thanks")).unwrap();
    place.wait_for(|| host.status().pending == 0 && place.sent().len() >= 4);
    place.wait_for(|| refusal().is_none());
    host.close();
}

#[test]
fn the_fuse_holds_until_a_person_says_go_also_after_a_restart() {
    let mut place = Place::new();
    place.settings.push_str("[fuse]\nsends = \"2 per hour\"\n");
    let host = place.start();
    for customer in ["a", "b", "c", "d"] {
        let calls = vec![
            call(&format!("i{customer}"), START, customer, "identify"),
            call(customer, START, customer, "Ordered"),
        ];
        submit(&host, calls);
    }
    place.wait_for(|| host.status().held == BTreeMap::from([("thanks".to_owned(), 2)]));
    place.wait_for(|| place.sent().len() == 2);
    assert!(place.told().contains("the fuse has stopped rule `thanks`"), "{}", place.told());
    host.close();
    let host = place.start();
    assert_eq!((place.sent().len(), host.status().held.len()), (2, 1));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(host.ask().release("thanks")).unwrap();
    place.wait_for(|| place.sent().len() == 4);
    place.wait_for(|| host.status().pending == 0);
    host.close();
}

#[test]
fn what_was_pending_in_a_checkpoint_does_not_come_back_where_the_whole_log_was_read() {
    let mut place = Place::new();
    place.settings.push_str("[fuse]\nsends = \"1 per hour\"\n");
    let host = place.start();
    for customer in ["a", "b"] {
        let calls = vec![
            call(&format!("i{customer}"), START, customer, "identify"),
            call(customer, START, customer, "Ordered"),
        ];
        submit(&host, calls);
    }
    place.wait_for(|| !host.status().held.is_empty() && place.sent().len() == 1);
    place.wait_for(|| host.status().pending == 1);
    host.close();
    fs::remove_dir_all(place.folder.path().join("data/decisions")).unwrap();
    let host = place.start();
    assert!(place.told().contains("decided upon once more"), "{}", place.told());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(host.ask().release("thanks")).unwrap();
    place.wait_for(|| place.sent().len() == 2 && host.status().pending == 0);
    host.close();
    let host = place.start();
    assert_eq!(host.status().pending, 0);
    host.close();
    assert_eq!(place.sent().len(), 2);
}

#[test]
fn a_dry_run_decides_and_sends_nothing_ever() {
    let mut place = Place::new();
    place.dry_run = true;
    let host = place.start();
    submit(&host, vec![call("1", START, "ada", "identify"), call("2", START, "ada", "Ordered")]);
    place.wait_for(|| host.status().decided.values().sum::<u64>() > 0 && host.status().pending == 0);
    host.close();
    place.dry_run = false;
    let host = place.start();
    thread::sleep(Duration::from_millis(100));
    host.close();
    assert!(place.sent().is_empty());
}

#[test]
fn it_can_be_asked() {
    let place = Place::new();
    let host = place.start();
    submit(&host, vec![call("1", START, "ada", "Added"), call("2", START + 1, "ada", "Added")]);
    submit(&host, vec![call("3", START, "bob", "Added")]);
    let ask = host.ask();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    place.wait_for(|| host.status().applied == host.status().written);
    runtime.block_on(async {
        let ada = ask.customer("ada").await.unwrap().unwrap();
        assert_eq!((&*ada.id, ada.segments.len(), ada.next_deadline), ("ada", 1, Some(START + 1 + 2 * HOUR)));
        assert_eq!(ask.customer("eve").await.unwrap(), None);
        let members = ask.members(ada.segments[0], Default::default(), 10).await.unwrap();
        assert_eq!((members.ids, members.next), (vec![Arc::from("ada")], None));
    });
    assert_eq!(&*ask.segments()[0], "shoppers");
    host.close();
}

#[test]
fn it_refuses_what_it_must() {
    let mut place = Place::new();
    let host = place.start();
    assert!(matches!(place.try_start(), Err(StartError::InUse(_))));
    host.close();
    place.settings = "[consent]\npolicy = \"assumed\"\n".to_owned();
    assert!(matches!(place.try_start(), Err(StartError::Assumed)));
    // A log that was cut behind the checkpoint's back.
    place.settings = SETTINGS.to_owned();
    let logs = place.folder.path().join("data/log");
    for segment in log::segments(&logs).unwrap() {
        fs::remove_file(segment.path).unwrap();
    }
    assert!(matches!(place.try_start(), Err(StartError::LogEnds { end: 0, .. })));
}

/// Whether anything in a folder holds some text.
fn holds(folder: &std::path::Path, text: &str) -> bool {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).any(|path| {
        if path.is_dir() {
            return holds(&path, text);
        }
        // A file that was just replaced holds nothing.
        let bytes = fs::read(&path).unwrap_or_default();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

#[test]
fn who_was_erased_is_nowhere() {
    let mut place = Place::new();
    place.every = Duration::from_millis(1);
    let host = place.start();
    let data = place.folder.path().join("data");
    submit(
        &host,
        vec![
            call("1", START, "adalovelace", "identify"),
            call("2", START, "adalovelace", "Added"),
            call("3", START, "bob", "identify"),
            call("4", START, "bob", "Added"),
        ],
    );
    submit(&host, vec![call("5", START, "adalovelace", "Ordered"), call("6", START, "bob", "Ordered")]);
    place.wait_for(|| place.sent().len() == 2 && host.status().pending == 0);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let ask = host.ask();
    let timeline = |id: &str| runtime.block_on(ask.timeline(id, 100)).unwrap();
    let ada = timeline("adalovelace").unwrap();
    assert_eq!((ada.calls.found.len(), ada.records.found.len(), ada.progress.len()), (3, 1, 1));
    assert_eq!(ada.calls.found[1].position, ada.calls.found[0].position + 1);
    assert!(holds(&data, "adalovelace"));
    place.clock.set(START + 1);
    runtime.block_on(ask.erase("adalovelace")).unwrap();
    // It takes several checkpoints, and these take time.
    place.wait_for(|| {
        place.clock.set(place.clock.now() + 1_000);
        !holds(&data, "adalovelace") && host.status().erasing == 0
    });
    assert!(timeline("adalovelace").is_none());
    let bob = timeline("bob").unwrap();
    assert_eq!((bob.calls.found.len(), bob.records.found.len()), (3, 1));
    // Also of who comes again and is erased again, before that was done.
    for number in 0..20 {
        let calls = (0..20).map(|other| {
            let id = if other == 0 { "adalovelace".to_owned() } else { format!("c{other}") };
            call(&format!("r{number} {other}"), place.clock.now(), &id, "Added")
        });
        submit(&host, calls.collect());
        place.clock.set(place.clock.now() + 600);
        runtime.block_on(ask.erase("adalovelace")).unwrap();
    }
    place.wait_for(|| {
        place.clock.set(place.clock.now() + 1_000);
        !holds(&data, "adalovelace") && host.status().erasing == 0
    });
    // Whoever comes again is somebody new.
    submit(&host, vec![call("7", place.clock.now(), "adalovelace", "Added")]);
    place.wait_for(|| host.status().applied == host.status().written);
    assert_eq!(timeline("adalovelace").unwrap().calls.found.len(), 1);
    host.close();
    fs::remove_dir_all(data.join("checkpoints")).unwrap();
    let host = place.start();
    place.clock.set(place.clock.now() + 3 * HOUR);
    thread::sleep(Duration::from_millis(200));
    assert_eq!(host.status().customers, 21);
    host.close();
    assert_eq!(place.told(), "");
}
