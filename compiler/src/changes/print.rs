//! Changes for people to read.

use super::{Changes, Fate, Named, Remembered, RuleChange};
use crate::{plan::print::duration, reach::Reach, record::Instant};
use std::fmt::Write;

/// What becomes of everything, line by line.
#[must_use]
pub fn print(changes: &Changes) -> String {
    let mut text = String::new();
    section(
        &mut text,
        "remembered of each customer",
        changes.remembered.iter().map(|it| (it.fate, remembered(it))),
    );
    let words = ["filled from the log", "of another type: filled anew from the log", "let go"];
    section(&mut text, "profile", named(&changes.profile, words));
    let words = ["messages are counted from now on", "", "its counted messages are let go"];
    section(&mut text, "topics", named(&changes.topics, words));
    let words = [
        "who is in it is found out without anybody entering",
        "means something else: who is in it is found out anew, without anybody entering or leaving",
        "let go, without anybody leaving",
    ];
    section(&mut text, "segments", named(&changes.segments, words));
    section(&mut text, "rules", changes.rules.iter().map(|it| (it.fate, rule(it))));
    text
}

/// A heading and its lines; nothing where there are none.
fn section(text: &mut String, title: &str, lines: impl Iterator<Item = (Fate, String)>) {
    for (number, (fate, line)) in lines.enumerate() {
        if number == 0 {
            let _ = writeln!(text, "{title}");
        }
        let word = match fate {
            Fate::Kept => "kept",
            Fate::Changed => "changed",
            Fate::New => "new",
            Fate::Dropped => "dropped",
        };
        let _ = writeln!(text, "  {word:<8} {line}");
    }
}

fn remembered(it: &Remembered) -> String {
    let users = it.used_by.join(", ");
    match it.log.and_then(stretch) {
        Some(stretch) => format!("{} ({users}): filled from the log, {stretch}", it.what),
        None => format!("{} ({users})", it.what),
    }
}

/// Names, those that are kept in one line; `words` are for new, changed and dropped ones.
fn named<'c>(all: &'c [Named], words: [&'c str; 3]) -> impl Iterator<Item = (Fate, String)> + 'c {
    let kept: Vec<String> = all.iter().filter(|it| it.fate == Fate::Kept).map(name).collect();
    let kept = (!kept.is_empty()).then(|| (Fate::Kept, kept.join(", ")));
    let [new, changed, dropped] = words;
    let others = all.iter().filter_map(move |it| {
        let words = match it.fate {
            Fate::Kept => return None,
            Fate::New => new,
            Fate::Changed => changed,
            Fate::Dropped => dropped,
        };
        Some((it.fate, format!("{}: {words}", name(it))))
    });
    kept.into_iter().chain(others)
}

fn name(it: &Named) -> String {
    match &it.was {
        Some(was) => format!("{} (was {was})", it.name),
        None => it.name.to_string(),
    }
}

fn rule(it: &RuleChange) -> String {
    let was = it.was.as_ref().map(|was| format!(" (was {was})")).unwrap_or_default();
    let mut words = format!("{}{was}: ", it.name);
    match it.fate {
        Fate::Kept => words.push_str("runs under way go on"),
        Fate::Changed => {
            let _ = write!(words, "{} changed; runs under way finish as they began", it.changed.join(", "));
        }
        Fate::New => words.push_str("begins with its next trigger"),
        Fate::Dropped => words.push_str("its runs under way are stopped, its limits and holdout forgotten"),
    }
    if matches!(it.fate, Fate::Kept | Fate::Changed) {
        words.push_str(if it.keeps_identity {
            "; its limits and holdout stay"
        } else {
            "; its limits and holdout begin anew, because `was` is gone or another"
        });
    }
    if let Some(stretch) = stretch(it.log) {
        let _ = write!(words, "; takes effect when the log reaches back over {stretch}");
    }
    if it.made.back > 0 {
        let _ = write!(
            words,
            ", and {} after the change at the earliest: no log tells what rules made before, such as messages",
            duration(it.made.back)
        );
    } else if !it.made.is_none() {
        words.push_str(", without what rules made before, such as messages: no log tells of it");
    }
    if let Some(other) = &it.looks_like {
        let _ = write!(words, "; says what {other} said: with `was {other}` its limits and runs would stay");
    }
    words
}

/// The part of the log that something needs; `None` where it needs none.
fn stretch(reach: Reach) -> Option<String> {
    let mut parts = Vec::new();
    if reach.always {
        parts.push("all of it".to_owned());
    }
    if reach.back > 0 {
        parts.push(format!("the last {}", duration(reach.back)));
    }
    if let Some(since) = reach.since {
        parts.push(format!("the time since {}", Instant(since)));
    }
    (!parts.is_empty()).then(|| parts.join(" and "))
}
