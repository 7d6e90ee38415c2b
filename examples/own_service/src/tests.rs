//! The service, run by a clock that is set.

use super::*;
use segue_compiler::value::Millis;
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::UNIX_EPOCH,
};
use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    task::spawn_blocking,
    time::timeout,
};

const START: u64 = 1_767_607_200_000;
static CLOCK: AtomicU64 = AtomicU64::new(START);

/// So many minutes after the start.
fn set_clock(minutes: u64) {
    CLOCK.store(START + minutes * 60_000, Ordering::SeqCst);
}

fn embedded() -> Arc<Embedded> {
    let project = Project::of("rules.segue", include_str!("../rules.segue"));
    let clock = || UNIX_EPOCH + Duration::from_millis(CLOCK.load(Ordering::SeqCst));
    Arc::new(Embedded::new(&project, Settings::default(), clock).unwrap())
}

fn seen(record: &Value) -> Value {
    json!([record["kind"], record["rule"], record["payload"]])
}

/// What the service answers, without ids.
fn post_to(address: &str, body: &Value) -> Vec<Value> {
    let mut answer = ureq::post(address).send_json(body).unwrap();
    answer.body_mut().read_json::<Vec<Value>>().unwrap().iter().map(seen).collect()
}

/// What comes next by time alone, and when.
async fn next(decisions: &mut UnboundedReceiver<Record>) -> Option<(Millis, Value)> {
    let record = timeout(Duration::from_millis(500), decisions.recv()).await.ok()??;
    Some((record.at(), seen(&json!(record))))
}

#[tokio::test]
async fn events_go_in_and_decisions_come_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (decided, mut decisions) = unbounded_channel();
    let rules = embedded();
    tokio::spawn(decide_by_time(rules.clone(), move |record| decided.send(record).unwrap()));
    tokio::spawn(async move { axum::serve(listener, service(rules)).await });
    spawn_blocking(move || {
        let event = |number: u64, name: &str, song: &str| {
            set_clock(number);
            let properties = json!({ "song": song, "artist": if number < 2 { "x" } else { "y" } });
            let body = json!({ "id": number.to_string(), "event": name, "at": START + number * 60_000,
                "properties": properties });
            post_to(&format!("{address}/customers/ada/events"), &body)
        };
        assert!(event(0, "Song Finished", "a").is_empty());
        assert!(event(1, "Song Finished", "b").is_empty());
        let fan = event(2, "Song Finished", "c");
        let invited = json!(["call", "invite", { "screen": "concerts", "artist": "x" }]);
        assert_eq!(fan, [json!(["segment", null, null]), invited]);
        // A second delivery changes nothing.
        assert!(event(2, "Song Finished", "c").is_empty());
        assert!(event(3, "Song Started", "d").is_empty());
        // What is no event is told.
        let nothing = ureq::post(format!("{address}/customers/ada/events")).send_json(json!({}));
        assert!(nothing.is_err());
    })
    .await
    .unwrap();
    // Nothing happens any more, and what is due comes at its time.
    set_clock(17);
    assert_eq!(next(&mut decisions).await, None);
    set_clock(18);
    let left = json!(["call", "not_your_taste", { "screen": "not your taste?", "song": "d" }]);
    assert_eq!(next(&mut decisions).await, Some(((START + 18 * 60_000) as Millis, left)));
    // A clock that is set back does nothing twice.
    set_clock(10);
    assert_eq!(next(&mut decisions).await, None);
    set_clock(60);
    assert_eq!(next(&mut decisions).await, None);
}
