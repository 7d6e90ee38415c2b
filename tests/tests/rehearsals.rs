//! Each kind of expectation: when it is met, when it is not, and what is said then. On both executors.

#![expect(clippy::panic, reason = "a test that cannot go on says so by panicking")]

use segue_compiler::{
    project::{Project, Source, compile},
    settings::{ConsentPolicy, Settings},
    time::Zone,
    typed::Program,
};
use segue_tests::rehearsals::outcomes;
use std::sync::Arc;

const RULES: &str = r#"
use messaging
event "Order" { total: number, note: text? }
event "View" { page: text? }
event "Visit" {}
event "Asked" {}
topic marketing { 1 per 1 day else skip }
defaults { topic marketing }
segment buyer { did "Order" in the last 2 days }
segment norwegian { profile.country = "NO" }
rule thanks { when "Order"  send sms "Thank you for {{ event.total }}." }
rule nudge { when "View" then no "Order" within 1 day  call crm { page: event.page } }
rule clicks { when "Message Clicked" where message is known  call stats { message: event.message, by: event.rule } }
rule half { when "Visit" holdout 50%  send email { subject: "Survey", body: "Please." } }
event "Night" {}
rule at_night { when "Night" quiet 21:00 to 08:00 send sms "Good morning" }
rule ask { when "Asked"  send sms "From 0 to 10?"
  wait up to 2 days for a reply { reply "Thank you for {{ answer.text | default('that') }}" } }
event "Join" { code: text? }
rule join { when "Join"
  set profile.offer = "BACK10"
  grant consent email marketing
  withdraw consent sms
  emit "View" { page: event.code } }
profile { offer: text?, visits: number = 0 }
rule hello { when enters norwegian  call crm { hello: "God dag" } }
"#;

fn program(statements: &str, settings: &Settings) -> Arc<Program> {
    let text = format!("{RULES}\ntest \"t\" {{\n{statements}\n}}\n");
    let source = Source { name: "rules.segue".to_owned(), text };
    let project =
        Project { sources: vec![source], time_zone: settings.time_zone.clone(), ..Project::default() };
    let checked = compile(&project);
    let words: Vec<String> =
        checked.diagnostics.iter().map(|it| format!("{}: {}", it.code, it.message)).collect();
    Arc::new(checked.program.unwrap_or_else(|| panic!("{statements}\n{}", words.join("\n"))))
}

/// What is said of the only test: nothing when it passes.
fn said(statements: &str, settings: &Settings) -> Option<String> {
    let outcome = outcomes(&program(statements, settings), settings).into_iter().next();
    let failure = outcome.and_then(|outcome| outcome.failure)?;
    Some(format!("{}; {}", failure.message, failure.help.unwrap_or_default()))
}

#[track_caller]
fn passes(statements: &str) {
    assert_eq!(said(statements, &Settings::default()), None, "{statements}");
}

#[track_caller]
fn fails(statements: &str, words: &[&str]) {
    let said = said(statements, &Settings::default()).unwrap_or_else(|| panic!("passes: {statements}"));
    for word in words {
        assert!(said.contains(word), "`{word}` in: {said}");
    }
}

const ADA: &str = "customer ada { phone: \"+4790000000\", consent: { sms: true } }\n";

/// A test about Ada, who may get text messages.
fn ada(statements: &str) -> String {
    format!("{ADA}{statements}")
}

#[test]
fn messages_and_what_they_say() {
    let order = "at 2026-01-05 10:00 ada \"Order\" { total: 12.50 }\n";
    passes(&ada(&format!("{order}expect thanks to send sms")));
    passes(&ada(&format!(
        "{order}expect thanks for ada at 2026-01-05 10:00 to send sms containing \"for 12.5.\""
    )));
    fails(
        &ada(&format!("{order}expect thanks to send sms containing \"13\"")),
        &["expected `thanks` to send an SMS containing \"13\"", "it says: Thank you for 12.5."],
    );
    fails(
        &ada(&format!("{order}expect thanks at 2026-01-05 10:01 to send sms")),
        &["at 2026-01-05 10:01", "that happened at 2026-01-05 10:00"],
    );
    fails(
        &ada(&format!("{order}expect thanks to send sms\nexpect thanks to send sms")),
        &["it happened once", "has it already"],
    );
    fails(
        &format!("customer bo {{}}\n{}", ada(&format!("{order}expect thanks for bo to send sms"))),
        &["to send an SMS to bo", "nothing started `thanks`"],
    );
}

#[test]
fn time_moves_only_by_statements() {
    let view = "at 2026-01-05 10:00 ada \"View\" { page: \"boots\" }\n";
    passes(&ada(&format!("{view}expect nudge at 2026-01-06 10:00 to call crm containing \"boots\"")));
    passes(&ada(&format!(
        "{view}expect nothing until 2026-01-06 09:59\nexpect nudge at +1 minute to call crm"
    )));
    // It is due, but not yet: nothing lets the day pass.
    fails(
        &ada(&format!("{view}expect nudge to call crm")),
        &["that happens at 2026-01-06 10:00: write `at 2026-01-06 10:00`"],
    );
    // An order at the very moment still counts, also after an expectation that ends a minute before.
    passes(&ada(&format!(
        "{view}expect nothing until 2026-01-06 09:59\nat 2026-01-06 10:00 ada \"Order\" {{ total: 1 }}\n\
         expect thanks to send sms\nexpect nothing for 3 days"
    )));
    // What happens to others while one acts.
    passes(&format!(
        "customer bo {{}}\n{}",
        ada(&format!(
            "{view}at 2026-01-07 10:00 bo \"View\"\nexpect nudge for ada at 2026-01-06 10:00 to call crm\n\
             expect nudge for bo at 2026-01-08 10:00 to call crm"
        ))
    ));
}

#[test]
fn nothing_means_no_message_and_no_call() {
    let order = "at 2026-01-05 10:00 ada \"Order\" { total: 1 }\n";
    fails(
        &ada(&format!("{order}expect nothing for 1 hour")),
        &["expected nothing until 2026-01-05 11:00", "sent an SMS to ada: Thank you for 1.", "to send sms"],
    );
    passes(&ada(&format!("{order}expect thanks to send sms\nexpect nothing for 1 hour")));
    // Suppressed is nothing.
    passes(&format!("customer ada {{}}\n{order}expect nothing for 1 hour"));
    // From the statement above on: what was before it is another expectation's matter.
    passes(&ada(&format!("{order}at +1 hour ada \"View\"\nexpect nothing for 1 hour")));
    fails(
        &ada("at 2026-01-05 10:00 ada \"View\"\nexpect nothing for 1 day"),
        &["`nudge` called `crm` for ada", "to call crm"],
    );
}

#[test]
fn suppressions_and_their_reasons() {
    let order = "at 2026-01-05 10:00 ada \"Order\" { total: 1 }\n";
    passes(&format!(
        "customer ada {{ phone: \"+4790000000\" }}\n{order}expect thanks to be suppressed by consent"
    ));
    passes(&format!("customer ada {{ phone: \"+4790000000\" }}\n{order}expect thanks to be suppressed"));
    fails(
        &format!("customer ada {{ phone: \"+4790000000\" }}\n{order}expect thanks to send sms"),
        &["`thanks` was suppressed for ada: consent", "no yes is in force"],
    );
    fails(
        &ada(&format!("{order}expect thanks to be suppressed by cap")),
        &["to be suppressed by cap", "`thanks` sent an SMS to ada"],
    );
    passes(&ada(&format!(
        "{order}at +1 hour ada \"Order\" {{ total: 2 }}\nexpect thanks at 2026-01-05 11:00 to be suppressed by cap"
    )));
}

#[test]
fn segments_entered_and_left() {
    let order = "at 2026-01-05 10:00 ada \"Order\" { total: 1 }\n";
    passes(&ada(&format!("{order}expect ada to enter buyer\nexpect ada at 2026-01-07 10:00 to leave buyer")));
    fails(&ada(&format!("{order}expect ada to leave buyer")), &["that happens at 2026-01-07 10:00"]);
    fails(
        &ada(&format!(
            "{order}at +1 hour ada \"Order\" {{ total: 2 }}\nexpect ada at 2026-01-05 11:00 to enter buyer"
        )),
        &["expected ada to enter `buyer` at 2026-01-05 11:00", "that happened at 2026-01-05 10:00"],
    );
    fails(&ada("at 2026-01-05 10:00 ada \"View\"\nexpect ada to enter buyer"), &["did not change"]);
}

#[test]
fn customers_are_known_when_the_test_begins() {
    // With its first event.
    passes(
        "customer ada { country: \"NO\" }\nat 2026-01-05 10:00 ada \"View\"\n\
         expect hello at 2026-01-05 10:00 to call crm containing \"God dag\"",
    );
    // Without an event, with the day.
    passes(
        "customer ada { country: \"NO\" }\nexpect hello at 2026-01-05 00:00 to call crm\n\
         expect nothing until 2026-01-05 10:00",
    );
    // What becomes known later, later.
    passes(
        "customer ada\nat 2026-01-05 10:00 ada \"View\"\nexpect nothing for 1 hour\n\
         customer ada { country: \"NO\" }\nexpect hello at 2026-01-05 11:00 to call crm",
    );
}

#[test]
fn events_about_messages_are_about_the_last_one() {
    passes(&ada("at 2026-01-05 10:00 ada \"Order\" { total: 1 }\nat +1 hour ada \"Message Clicked\"\n\
         expect clicks to call stats containing \"thanks\""));
    passes(&ada(
        "at 2026-01-05 10:00 ada \"Order\" { total: 1 }\nat +1 hour ada \"Message Clicked\" { message: \"m7\" }\n\
         expect clicks to call stats containing \"m7\"",
    ));
    // Nothing was sent on that channel.
    passes(&ada("at 2026-01-05 10:00 ada \"Order\" { total: 1 }\nexpect thanks to send sms\n\
         at +1 hour ada \"Message Clicked\" { channel: \"email\" }\nexpect nothing for 1 hour"));
}

#[test]
fn instants_are_local_and_consent_is_required() {
    let Some(oslo) = Zone::named("Europe/Oslo") else { panic!("no zone") };
    let settings = Settings { time_zone: oslo, consent: ConsentPolicy::Assumed, ..Settings::default() };
    let statements = "customer ada { phone: \"+4790000000\" }\nat 2026-03-28 10:00 ada \"Order\" { total: 1 }\n\
         expect thanks to be suppressed by consent\nexpect ada at 2026-03-30 11:00 to leave buyer";
    // Between them clocks go forward: two days are 48 hours.
    assert_eq!(said(statements, &settings), None);
}

#[test]
fn holdouts_only_where_a_test_says_so() {
    let known = "{ email: \"a@example.com\", consent: { email: true } }";
    let visits = format!(
        "customer ada {known}\ncustomer bo {known}\nat 2026-01-05 10:00 ada \"Visit\"\nat +1 minute bo \"Visit\""
    );
    passes(&format!("{visits}\nexpect half for ada to send email\nexpect half for bo to send email"));
    passes(&format!(
        "holdout on\n{visits}\nexpect half to be suppressed by holdout\nexpect half to send email"
    ));
}

#[test]
fn a_message_is_held_until_morning() {
    let night = r#"customer ada { phone: "+4790000000", consent: { sms: true } }
  at 2026-01-05 22:00 ada "Night""#;
    passes(&format!(
        "{night}\n  expect at_night for ada at 2026-01-05 22:00 to be held\n  expect nothing until 2026-01-06 07:59
  expect at_night at 2026-01-06 08:00 to send sms containing \"morning\""
    ));
    fails(
        &format!("{night}\n  expect at_night at 2026-01-05 22:00 to be suppressed"),
        &["`at_night` held an SMS for ada until 2026-01-06 08:00: quiet"],
    );
    fails(
        r#"customer ada { phone: "+4790000000" }
  at 2026-01-05 22:00 ada "Night"
  expect at_night for ada to be held"#,
        &["expected `at_night` to be held for ada", "suppressed for ada: consent"],
    );
}

#[test]
fn replies_are_told_from_messages() {
    let asked = "at 2026-01-05 10:00 ada \"Asked\"\nexpect ask to send sms\nat +1 hour ada \"Message Replied\" { text: \"9\" }\n";
    passes(&ada(&format!("{asked}expect ask to reply containing \"for 9\"\nexpect nothing for 3 days")));
    fails(
        &ada(&format!("{asked}expect ask to send sms")),
        &["expected `ask` to send an SMS", "it happened once"],
    );
    fails(
        &ada("at 2026-01-05 10:00 ada \"Asked\"\nexpect ask to reply"),
        &["expected `ask` to reply", "`ask` sent an SMS to ada"],
    );
}

#[test]
fn what_a_rule_sets_emits_and_records_of_consent() {
    let join = "at 2026-01-05 10:00 ada \"Join\" { code: \"ab-1\" }\n";
    passes(&ada(&format!(
        "{join}expect join for ada at 2026-01-05 10:00 to set profile.offer = \"BACK10\"
  expect join to grant consent email marketing
  expect join to withdraw consent sms
  expect join to emit \"View\" containing \"ab-1\"
  expect nothing until 2026-01-06 09:59"
    )));
    passes(&ada(&format!("{join}expect join to set profile.offer\nexpect join to emit \"View\"")));
    fails(
        &ada(&format!("{join}expect join to set profile.offer = \"BACK20\"")),
        &["expected `join` to set `profile.offer` to \"BACK20\"", "it says: \"BACK10\""],
    );
    fails(
        &ada(&format!("{join}expect join to set profile.offer\nexpect join to set profile.offer")),
        &["it happened once", "has it already"],
    );
    fails(
        &ada(&format!("{join}expect join to emit \"View\" containing \"ab-2\"")),
        &["to emit \"View\" containing \"ab-2\"", "it says: page: ab-1"],
    );
    fails(
        &ada("at 2026-01-05 10:00 ada \"Visit\"\nexpect join to be suppressed by condition"),
        &["nothing started `join`", "write `expect nothing until …`"],
    );
    fails(
        &ada("at 2026-01-05 10:00 ada \"Visit\"\nexpect join for ada to grant consent email marketing"),
        &["expected `join` to grant consent `email marketing` for ada", "nothing started `join`"],
    );
}
