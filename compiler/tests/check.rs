//! What the checker says where one page per code cannot show it: ways round, words, files.

use segue_compiler::{
    diagnostics::Diagnostic,
    project::{Project, Source, compile},
};

fn project(rules: &str) -> Project {
    let source = Source { name: "rules.segue".to_owned(), text: rules.to_owned() };
    Project { sources: vec![source], ..Project::default() }
}

/// Codes and messages of what is found.
fn found(project: &Project) -> Vec<String> {
    let line = |it: &Diagnostic| format!("{}: {}", it.code, it.message);
    compile(project).diagnostics.iter().map(line).collect()
}

#[test]
fn an_event_made_within_limited_loops_is_seen() {
    let rules = r#"
use messaging
topic news { 100 per 1 day }
defaults { topic news, limit 1 per 1 day }
event "Ping" {}
event "Pong" {}
rule ping {
  when any of ("Ping", "Message Sent")
  send sms "x"
  emit "Pong" {}
}
rule pong {
  when any of ("Pong", "Message Sent")
  send sms "x"
  emit "Ping" {}
}
"#;
    let cycle = "rule-cycle: what this does starts it again without end: ping → pong → ping";
    assert_eq!(found(&project(rules)), [cycle]);
}

#[test]
fn a_limit_ends_only_the_loops_that_it_is_in() {
    let rules = r#"
use messaging
topic news { 100 per 1 day }
defaults { topic news }
rule a { when "Message Sent"
  limit once
  send sms "x" }
rule b { when "Message Sent"
  send sms "x" }
rule c { when "Message Failed"
  send sms "x" }
"#;
    let cycle = |way: &str| format!("rule-cycle: what this does starts it again without end: {way}");
    assert_eq!(found(&project(rules)), [cycle("b → b"), cycle("c → c")]);
}
