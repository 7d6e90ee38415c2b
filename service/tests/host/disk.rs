//! Disks that are full, that stand, or that lose what was not synced when the power goes out.

use crate::place::{HOUR, Place, START, call, submit};
use segue_service::{
    intake::{Call, Refusal},
    limits::MAX_WAITING_CALLS,
    log,
};
use std::{sync::mpsc, thread, time::Duration};

#[test]
fn where_the_power_goes_out_what_was_acknowledged_is_there_and_every_decision_before_a_checkpoint() {
    let places: [Place; 3] = std::array::from_fn(|_| Place::new());
    let [place, during, after] = &places;
    let data = |place: &Place| place.folder.path().join("data");
    let count = |place: &Place, folder: &str, kind: log::Kind| {
        let mut reader = log::Reader::open(&data(place).join(folder), 0).unwrap();
        let groups = std::iter::from_fn(|| reader.group().unwrap());
        groups.map(|group| group.entries().filter(|entry| entry.kind == kind).count()).sum::<usize>()
    };
    let host = place.start();
    submit(&host, vec![call("0", START, "ada", "identify")]);
    for number in 1..=400 {
        submit(&host, vec![call(&number.to_string(), START + number, "ada", "Ordered")]);
    }
    place.disk.copy_durable(&data(place), &data(during)).unwrap();
    assert_eq!(count(during, "log", log::Kind::Call), 401);
    place.wait_for(|| place.sent().len() == 400 && host.status().pending == 0);
    host.close();
    place.disk.copy_durable(&data(place), &data(after)).unwrap();
    assert!(log::segments(&data(place).join("decisions")).unwrap().len() > 5, "in many files");
    let decided = count(place, "decisions", log::Kind::Record);
    assert!(decided >= 400);
    assert_eq!(count(after, "decisions", log::Kind::Record), decided);
    // And it goes on, and sends nothing again.
    let host = after.start();
    submit(&host, vec![call("next", START + 500, "ada", "Ordered")]);
    after.wait_for(|| after.sent().len() == 1 && host.status().pending == 0);
    host.close();
    assert_eq!(after.told(), "");
}

#[test]
fn a_full_disk_refuses_and_loses_nothing() {
    let place = Place::new();
    let host = place.start();
    submit(&host, vec![call("1", START, "ada", "identify"), call("2", START, "ada", "Added")]);
    place.disk.leave_room(10);
    for number in 0..3 {
        let refused =
            host.intake().submit_blocking(vec![call(&format!("r{number}"), START, "ada", "Ordered")]);
        assert_eq!(refused, Err(Refusal::Full));
    }
    assert!(host.status().is_full);
    // What came due waits as well: it could not be said that time has come.
    place.clock.set(START + 2 * HOUR);
    thread::sleep(Duration::from_millis(150));
    assert!(place.sent().is_empty());
    assert!(host.watch().ready().is_err());
    place.disk.leave_room(1 << 30);
    place.wait_for(|| place.sent().len() == 1);
    // Also without anything that comes in.
    place.disk.leave_room(0);
    assert_eq!(host.intake().submit_blocking(vec![call("x", START, "eve", "Ordered")]), Err(Refusal::Full));
    place.disk.leave_room(1 << 30);
    place.wait_for(|| host.watch().ready().is_ok());
    submit(&host, vec![call("3", START + 2 * HOUR, "bob", "identify")]);
    host.close();
    assert_eq!(place.sent(), ["2026-01-05T10:00:00.000Z ada reminder"]);
}

#[test]
fn a_full_disk_keeps_nobody_from_ending() {
    let place = Place::new();
    let host = place.start();
    submit(&host, vec![call("1", START, "ada", "identify"), call("2", START, "ada", "Added")]);
    place.disk.leave_room(0);
    assert_eq!(host.intake().submit_blocking(vec![call("x", START, "eve", "Ordered")]), Err(Refusal::Full));
    let (end, ended) = mpsc::channel();
    let closing = thread::spawn(move || {
        host.close();
        let _ = end.send(());
    });
    let has_ended = ended.recv_timeout(Duration::from_secs(60));
    place.disk.leave_room(1 << 30);
    closing.join().unwrap();
    assert_eq!(has_ended, Ok(()), "it ends without room");
    // What was acknowledged is there at the next start.
    let host = place.start();
    place.clock.set(START + 2 * HOUR);
    place.wait_for(|| place.sent().len() == 1);
    host.close();
    assert_eq!(place.sent(), ["2026-01-05T10:00:00.000Z ada reminder"]);
}

#[test]
fn while_the_disk_stands_calls_wait_within_bounds_and_others_are_told_to_come_later() {
    const BATCH: usize = 1_000;
    let place = Place::new();
    let host = place.start();
    submit(&host, vec![call("0", START, "ada", "identify")]);
    let standing = place.disk.stand();
    let batch = |number: usize| {
        let each = |which: usize| {
            let customer = format!("c{number}-{which}");
            call(&customer, START, &customer, "Added")
        };
        (0..BATCH).map(each).collect::<Vec<Call>>()
    };
    let answers: Vec<_> = thread::scope(|scope| {
        let standing = standing;
        let client = |number| {
            let intake = host.intake();
            scope.spawn(move || intake.submit_blocking(batch(number)))
        };
        let mut clients = vec![client(0)];
        // It lies with the disk.
        place.wait_for(|| standing.is_waited_for("log"));
        let room = MAX_WAITING_CALLS / BATCH;
        clients.extend((1..=2 * room).map(client));
        // As many wait as may, and all others have their answer.
        place.wait_for(|| clients.iter().filter(|client| client.is_finished()).count() == room);
        assert_eq!(host.intake().waiting(), MAX_WAITING_CALLS);
        drop(standing);
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    let refused = answers.iter().filter_map(|answer| answer.err());
    assert!(refused.clone().all(|refusal| matches!(refusal, Refusal::Busy { .. })));
    let written = (answers.len() - refused.count()) as u64;
    place.wait_for(|| host.status().applied == host.status().written);
    // Nothing of what was refused is there, and everything else is.
    assert_eq!(host.status().tally.applied, 1 + written * BATCH as u64);
    submit(&host, vec![call("again", START, "ada", "Added")]);
    host.close();
}

#[test]
fn where_decisions_cannot_be_written_down_calls_are_refused_and_not_kept_waiting() {
    let place = Place::new();
    let host = place.start();
    submit(&host, vec![call("1", START, "ada", "identify"), call("2", START, "ada", "Added")]);
    place.disk.refuse_in(Some("decisions"));
    place.clock.set(START + 2 * HOUR);
    place.wait_for(|| host.watch().ready().is_err());
    let mut accepted = 0;
    let refused = loop {
        match host.intake().submit_blocking(vec![call(&format!("m{accepted}"), START, "bob", "Added")]) {
            Ok(_) => accepted += 1,
            Err(refusal) => break refusal,
        }
    };
    assert_eq!(refused, Refusal::Full);
    assert!((1..20).contains(&accepted), "{accepted}");
    place.disk.refuse_in(None);
    place.wait_for(|| host.watch().ready().is_ok() && place.sent().len() == 1);
    place.wait_for(|| host.status().applied == host.status().written);
    assert!(place.told().contains("decisions can be written down again"), "{}", place.told());
    host.close();
    assert_eq!(place.sent(), ["2026-01-05T10:00:00.000Z ada reminder"]);
}
