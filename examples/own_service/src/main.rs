//! A service of one's own: its events go to rules, what they decide at once comes back in the answer, and what they decide as
//! time passes goes where the service wants it; here to standard output.
//!
//! ```sh
//! cargo run -p segue-example-own-service &
//! curl -H 'content-type: application/json' http://127.0.0.1:8090/customers/ada/events \
//!   -d "{\"id\": \"1\", \"event\": \"Song Started\", \"at\": $(date +%s000), \"properties\": {\"song\": \"a\", \"artist\": \"x\"}}"
//! ```

mod service;

use segue_compiler::value::Millis;
use service::service;
use std::{
    error::Error,
    time::{SystemTime, UNIX_EPOCH},
};
use tokio::{net::TcpListener, sync::mpsc::unbounded_channel};

/// The clock of the machine.
#[expect(clippy::disallowed_methods, reason = "a service lives by the wall clock")]
fn wall_clock() -> Millis {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis::try_from(now.as_millis()).unwrap_or(Millis::MAX)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (decided, mut decisions) = unbounded_channel();
    let service = service(include_str!("../rules.segue"), wall_clock, decided)?;
    tokio::spawn(async move {
        while let Some(record) = decisions.recv().await {
            println!("{}", serde_json::to_string(&record).unwrap_or_default());
        }
    });
    axum::serve(TcpListener::bind("127.0.0.1:8090").await?, service).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use segue_compiler::record::Record;
    use serde_json::{Value, json};
    use std::{
        sync::atomic::{AtomicI64, Ordering},
        time::Duration,
    };
    use tokio::{sync::mpsc::UnboundedReceiver, task::spawn_blocking, time::timeout};

    const START: Millis = 1_767_607_200_000;
    static CLOCK: AtomicI64 = AtomicI64::new(START);

    /// So many minutes after the start.
    fn set_clock(minutes: Millis) {
        CLOCK.store(START + minutes * 60_000, Ordering::SeqCst);
    }

    fn seen(record: &Value) -> Value {
        json!([record["kind"], record["rule"], record["payload"]])
    }

    /// What the service answers, without ids.
    fn post(address: &str, body: &Value) -> Vec<Value> {
        let mut answer = ureq::post(address).send_json(body).unwrap();
        answer.body_mut().read_json::<Vec<Value>>().unwrap().iter().map(seen).collect()
    }

    /// What comes next by time alone.
    async fn next(decisions: &mut UnboundedReceiver<Record>) -> Option<Value> {
        let record = timeout(Duration::from_millis(500), decisions.recv()).await.ok()??;
        Some(seen(&serde_json::to_value(&record).unwrap()))
    }

    #[tokio::test]
    async fn events_go_in_and_decisions_come_back() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (decided, mut decisions) = unbounded_channel();
        let clock = || CLOCK.load(Ordering::SeqCst);
        let service = service(include_str!("../rules.segue"), clock, decided).unwrap();
        tokio::spawn(async move { axum::serve(listener, service).await });
        spawn_blocking(move || {
            let event = |number: i64, name: &str, song: &str| {
                set_clock(number);
                let properties = json!({ "song": song, "artist": if number < 2 { "x" } else { "y" } });
                let body = json!({ "id": number.to_string(), "event": name, "at": START + number * 60_000,
                    "properties": properties });
                post(&format!("{address}/customers/ada/events"), &body)
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
        assert_eq!(next(&mut decisions).await, Some(left));
        set_clock(60);
        assert_eq!(next(&mut decisions).await, None);
    }

    #[tokio::test]
    async fn rules_with_mistakes_make_no_service() {
        let (decided, _decisions) = unbounded_channel();
        let refused = service("rule r { when \"A\" }", || START, decided).unwrap_err().to_string();
        assert!(refused.contains("unknown-event"), "{refused}");
    }
}
