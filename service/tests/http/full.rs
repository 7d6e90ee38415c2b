//! The admin port over a disk that is full: what cannot be written is refused at once, and nothing comes of it later.

use super::{
    admin::{RULES, Whole, rules},
    schema::Description,
    wire::Answer,
};
use segue_service::{
    admin::OPENAPI,
    disk::FaultyDisk,
    log::{self, Kind},
};
use std::{sync::Arc, thread, time::Duration};

/// More than any test writes.
const PLENTY: i64 = 1 << 40;

fn is_refused(path: &str, method: &str, answer: &Answer) {
    Description::parse(OPENAPI).fits(path, method, answer);
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert_eq!(answer.header("retry-after"), Some("5"));
    assert!(
        answer.body.contains("\"code\":\"full\"") && answer.body.contains("the disk is full"),
        "{answer:?}"
    );
}

#[test]
fn orders_are_refused_while_the_disk_is_full_and_nothing_comes_of_them_later() {
    let disk = FaultyDisk::default();
    let whole = Whole::start_on(Arc::new(disk.clone()));
    let event = |id: &str| {
        format!(
            r#"{{"type":"track","event":"Ordered","userId":"ada","properties":{{"total":1}},"messageId":"{id}"}}"#
        )
    };
    assert_eq!(whole.send(&[&event("m1")]).status, 200);
    whole.settle();
    let written = whole.json("/v1/admin/status")["log"]["written"].as_u64().unwrap();
    let other = format!("{RULES}\nsegment added {{ did \"Added\" }}\n");
    disk.leave_room(0);
    for _ in 0..3 {
        is_refused("/v1/admin/rules", "PUT", &whole.put(&rules(&other)));
        let erased = whole.ask("DELETE", "/v1/admin/customers/ada");
        is_refused("/v1/admin/customers/{id}", "DELETE", &erased);
        is_refused("/v1/batch", "POST", &whole.send(&[&event("m2")]));
    }
    let in_force = || whole.json("/v1/admin/rules")["sources"]["rules.segue"].as_str().unwrap().to_owned();
    assert_eq!(in_force(), RULES);
    // Rules with errors are so on a full disk, too, and the same rules need no room.
    assert_eq!(whole.put(&rules("segment")).status, 422);
    assert_eq!(whole.put(&rules(RULES)).status, 200);

    disk.leave_room(PLENTY);
    let watch = whole.host.as_ref().unwrap().watch();
    assert!((0..500).any(|_| {
        thread::sleep(Duration::from_millis(10));
        watch.ready().is_ok()
    }));
    whole.settle();
    thread::sleep(Duration::from_millis(100));
    // There is room, and what was refused was neither kept nor half done.
    assert_eq!(in_force(), RULES);
    assert_eq!(whole.json("/v1/admin/segments")["segments"].as_array().unwrap().len(), 1);
    assert_eq!(whole.json("/v1/admin/customers/ada")["segments"][0], "buyer");
    let mut log = log::Reader::open(&whole.folder.path().join("data/log"), written).unwrap();
    while let Some(group) = log.group().unwrap() {
        assert!(group.entries().all(|it| !matches!(it.kind, Kind::Rules | Kind::Erase | Kind::Call)));
    }
    // Asked again, it is done.
    assert_eq!(whole.put(&rules(&other)).status, 200);
    whole.settle();
    assert_eq!(in_force(), other);
    assert_eq!(whole.json("/v1/admin/segments")["segments"].as_array().unwrap().len(), 2);
    assert_eq!(whole.ask("DELETE", "/v1/admin/customers/ada").status, 202);
}
