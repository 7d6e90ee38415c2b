//! A service of one's own: its events go to rules, and what they decide comes back in the answer.
//!
//! ```sh
//! cargo run -p segue-example-own-service &
//! curl -H 'content-type: application/json' http://127.0.0.1:8090/customers/ada/events \
//!   -d '{"id": "1", "event": "Song Started", "at": 1767607200000, "properties": {"song": "a", "artist": "x"}}'
//! curl -X POST http://127.0.0.1:8090/until/1767608100000
//! ```

mod service;

use service::service;
use std::error::Error;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8090").await?;
    axum::serve(listener, service(include_str!("../rules.segue"))?).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// What the service answers, without ids.
    fn post(address: &str, body: &Value) -> Vec<Value> {
        let mut answer = ureq::post(address).send_json(body).unwrap();
        let records: Vec<Value> = answer.body_mut().read_json().unwrap();
        records.iter().map(|record| json!([record["kind"], record["rule"], record["payload"]])).collect()
    }

    #[tokio::test]
    async fn events_go_in_and_decisions_come_back() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let service = service(include_str!("../rules.segue")).unwrap();
        tokio::spawn(async move { axum::serve(listener, service).await });
        let asked = tokio::task::spawn_blocking(move || {
            let start = 1_767_607_200_000_i64;
            let event = |number: i64, name: &str, song: &str| {
                let properties = json!({ "song": song, "artist": if number < 2 { "x" } else { "y" } });
                let body = json!({ "id": number.to_string(), "event": name, "at": start + number * 60_000,
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
            let until =
                |minutes: i64| post(&format!("{address}/until/{}", start + minutes * 60_000), &json!({}));
            assert!(until(17).is_empty());
            let left = json!(["call", "not_your_taste", { "screen": "not your taste?", "song": "d" }]);
            assert_eq!(until(18), [left]);
            assert!(until(60).is_empty());
        });
        asked.await.unwrap();
    }

    #[test]
    fn rules_with_mistakes_make_no_service() {
        let refused = service("rule r { when \"A\" }").unwrap_err().to_string();
        assert!(refused.contains("unknown-event"), "{refused}");
    }
}
