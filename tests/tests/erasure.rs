//! A customer who is erased leaves nothing: neither state nor records, and ids that were theirs mean nobody.

use segue_compiler::{
    project::{Project, Source, compile},
    settings::Settings,
};
use segue_runtime::{
    engine::Engine,
    replay::{Options, Replay},
    source::Events,
};
use segue_tests::feed::feed;
use std::{io::Cursor, num::NonZeroUsize, sync::Arc};

const RULES: &str = r#"
event "Visit" {}
segment regular { did "Visit" at least 2 times }
rule visit { when "Visit"
  call crm { visits: count of "Visit" } }
rule gone { when "Visit" then no "Visit" within 1 day
  call crm { gone: true } }
"#;

fn track(id: &str, who: &str, hour: u32) -> String {
    format!(
        r#"{{"type":"track","event":"Visit","messageId":"{id}",{who},"timestamp":"2026-01-05T{hour:02}:00:00Z"}}"#
    )
}

#[test]
fn nothing_is_left_of_a_customer_who_is_erased() {
    let sources = vec![Source { name: "rules.segue".to_owned(), text: RULES.to_owned() }];
    let program = Arc::new(compile(&Project { sources, ..Project::default() }).program.unwrap());
    for threads in [1, 4] {
        let engine = Engine::new(program.clone(), Settings::default()).unwrap();
        let options = Options { threads: NonZeroUsize::new(threads), drain: true, ..Options::default() };
        let mut replay = Replay::new(engine, program.clone(), options);
        let ada = r#""userId":"ada""#;
        let anonymous = r#""anonymousId":"x""#;
        let both =
            r#"{"type":"identify","userId":"ada","anonymousId":"x","timestamp":"2026-01-05T10:30:00Z"}"#;
        let lines = [
            track("1", anonymous, 9),
            track("2", ada, 10),
            both.to_owned(),
            track("3", anonymous, 11),
            track("4", r#""userId":"bob""#, 11),
        ];
        let stream = |lines: &[String]| Events::of("lines", Box::new(Cursor::new(lines.join("\n"))));
        feed(&mut replay, stream(&lines));
        assert!(replay.erase("ada"));
        assert!(!replay.erase("ada"), "there is nobody left");
        // Whoever comes with these ids later is somebody new, also under a message id that was known.
        feed(&mut replay, stream(&[track("2", ada, 12), track("5", anonymous, 13)]));
        let told: Vec<String> = replay
            .finish()
            .iter()
            .map(|record| serde_json::to_string(&record).unwrap_or_default())
            .filter(|line| !line.contains("\"bob\""))
            .map(|line| line.split("\"id\"").next().unwrap_or_default().to_owned())
            .collect();
        let of = |hour: &str| told.iter().filter(|line| line.contains(hour)).count();
        assert_eq!([told.len(), of("T12:00"), of("T13:00")], [4, 2, 2], "{told:#?}");
        assert_eq!(replay.summary().customers, 3);
    }
}
