//! Says of an expectation that was not met what happened instead.

use super::{
    Failure, Happening, Stage, What,
    search::{Thing, Wanted},
};
use crate::{channel::content, limits::LOOK_AHEAD, words::shown};
use segue_compiler::{
    execution::{Execution, Output},
    record::{Change, Json, Reason, Record},
    typed::test::{Statement, Test},
    value::{Millis, Value},
};

/// How much of a message is shown.
const SHOWN: usize = 200;

impl<E: Execution> Stage<'_, E> {
    /// Nothing is what was wanted.
    pub(super) fn missing(
        &mut self,
        statement: &Statement,
        wanted: &Wanted,
        at: Option<Millis>,
        test: &Test,
    ) -> Failure {
        let when = at.map(|at| format!(" at {}", self.print(at))).unwrap_or_default();
        let message = format!("expected {}{when}", sentence(wanted));
        let help = self.other_words(wanted, at, test).or_else(|| self.later(wanted));
        Failure { span: statement.span, message, help: Some(help.unwrap_or_else(|| never(wanted))) }
    }

    /// Something happened where nothing was expected.
    pub(super) fn unexpected(&self, statement: &Statement, found: &Happening) -> Failure {
        let at = self.print(found.at);
        let (did, way) = match &found.what {
            What::Record(Record::Send(send)) => (
                format!(
                    "`{}` sent {} to {}: {}",
                    send.rule,
                    article(&send.channel),
                    found.customer,
                    content(&send.content, SHOWN)
                ),
                format!("expect {} at {at} to send {}", send.rule, send.channel),
            ),
            What::Record(Record::Call(call)) => (
                format!("`{}` called `{}` for {}", call.rule, call.hook, found.customer),
                format!("expect {} at {at} to call {}", call.rule, call.hook),
            ),
            _ => (String::new(), String::new()),
        };
        let message = format!("expected nothing until {}, but at {at} {did}", self.print(self.now));
        Failure {
            span: statement.span,
            message,
            help: Some(format!("if that is right, say so before: `{way}`")),
        }
    }

    /// What happened that is nearly what was wanted.
    fn other_words(&self, wanted: &Wanted, at: Option<Millis>, test: &Test) -> Option<String> {
        let fits = |it: &&Happening| at.is_none_or(|at| it.at == at);
        let open = |it: &&Happening| it.expected_by.is_none();
        let all = || self.happenings.iter();
        let similar = wanted.whatever_it_says();
        if let Some(other) = all().filter(fits).filter(open).find(|it| similar.is(it)) {
            return Some(format!("it says: {}", said(other)));
        }
        if let Some(other) = all().filter(open).find(|it| wanted.is(it)) {
            return Some(format!("that happened at {}", self.print(other.at)));
        }
        let by = |it: &Happening| {
            let by = it.expected_by.and_then(|number| test.statements.get(number));
            by.map(|by| format!(" at {}", self.print(by.time))).unwrap_or_default()
        };
        let mut taken = all().filter(fits).filter(|it| wanted.is(it));
        if let Some(other) = taken.next() {
            return Some(match taken.count() {
                0 => format!("it happened once, and another expectation{} has it already", by(other)),
                more => format!("it happened {} times, and other expectations have them already", more + 1),
            });
        }
        if let Some(other) = all().filter(fits).find(|it| similar.is(it)) {
            let said = said(other);
            return Some(format!("it says: {said}, and another expectation{} has it already", by(other)));
        }
        // A customer who has it all along does not enter.
        if let (Thing::Change { segment, change }, Some(customer)) = (&wanted.what, &wanted.customer) {
            let last = all().rev().find_map(|it| match &it.what {
                What::Record(Record::Segment(it)) if it.customer == *customer && it.segment == *segment => {
                    Some(it)
                }
                _ => None,
            });
            return last.filter(|last| last.change == *change).map(|last| {
                let word = if last.change == Change::Enter { "in it" } else { "outside" };
                format!("{customer} is {word} since {}", self.print(last.at.0))
            });
        }
        self.outcome(wanted, at)
    }

    /// What became of the rule at that time, else at its last.
    fn outcome(&self, wanted: &Wanted, at: Option<Millis>) -> Option<String> {
        let (Thing::Send { rule, .. }
        | Thing::Reply { rule, .. }
        | Thing::Call { rule, .. }
        | Thing::Set { rule, .. }
        | Thing::Emit { rule, .. }
        | Thing::Suppressed { rule, .. }
        | Thing::Held { rule }) = &wanted.what
        else {
            return None;
        };
        let of_rule = |it: &&Happening| {
            let by = match &it.what {
                What::Record(Record::Send(it)) => Some(&it.rule),
                What::Record(Record::Call(it)) => Some(&it.rule),
                What::Record(Record::Suppressed(it)) => Some(&it.rule),
                What::Record(Record::Held(it)) => Some(&it.rule),
                What::Record(Record::Set(it)) => Some(&it.rule),
                What::Record(Record::Emit(it)) => Some(&it.rule),
                _ => None,
            };
            by == Some(rule) && wanted.customer.as_ref().is_none_or(|customer| *customer == it.customer)
        };
        let all = || self.happenings.iter().rev().filter(|it| it.expected_by.is_none()).filter(of_rule);
        let found = at.and_then(|at| all().find(|it| it.at == at)).or_else(|| all().next())?;
        let when = self.print(found.at);
        match &found.what {
            What::Record(Record::Suppressed(it)) => Some(format!(
                "at {when} `{rule}` was suppressed for {}: {}{}",
                found.customer,
                it.reason.word(),
                why(it.reason)
            )),
            What::Record(Record::Held(it)) => Some(format!(
                "at {when} `{rule}` held {} for {}{}: {}",
                article(&it.channel),
                found.customer,
                it.until.map_or_else(String::new, |until| format!(" until {}", self.print(until.0))),
                it.reason.word()
            )),
            What::Record(Record::Send(it)) => {
                Some(format!("at {when} `{rule}` sent {} to {}", article(&it.channel), found.customer))
            }
            What::Record(Record::Call(it)) => Some(format!("at {when} `{rule}` called `{}`", it.hook)),
            What::Record(Record::Set(it)) => {
                Some(format!("at {when} `{rule}` set `{}` to {}", it.field, printed(&it.value)))
            }
            What::Record(Record::Emit(it)) => Some(format!("at {when} `{rule}` emitted \"{}\"", it.event)),
            _ => None,
        }
    }

    /// When it happens later. The test is over, so its customers may go on.
    fn later(&mut self, wanted: &Wanted) -> Option<String> {
        let mut out = Output::default();
        let end = self.now.saturating_add(LOOK_AHEAD);
        for customer in self.customers.values_mut() {
            self.execution.advance(customer, end, &mut out);
        }
        out.records.sort_by_key(Record::at);
        let later = out.records.into_iter().map(Happening::from).find(|it| wanted.is(it))?;
        let at = self.print(later.at);
        Some(format!("that happens at {at}: write `at {at}`, and time will pass until then"))
    }

    fn print(&self, at: Millis) -> String {
        self.settings.time_zone.print(at)
    }
}

/// What was wanted, as a part of a sentence.
fn sentence(wanted: &Wanted) -> String {
    let to = wanted.customer.as_ref().map(|it| format!(" to {it}")).unwrap_or_default();
    let of = wanted.customer.as_ref().map(|it| format!(" for {it}")).unwrap_or_default();
    let says = |text: &Option<std::sync::Arc<str>>| {
        text.as_ref().map(|text| format!(" containing \"{}\"", shown(text, SHOWN))).unwrap_or_default()
    };
    match &wanted.what {
        Thing::Reply { rule, containing, .. } => format!("`{rule}` to reply{to}{}", says(containing)),
        Thing::Send { rule, channel, containing, .. } => {
            format!("`{rule}` to send {}{to}{}", article(channel), says(containing))
        }
        Thing::Call { rule, hook, containing } => {
            format!("`{rule}` to call `{hook}`{of}{}", says(containing))
        }
        Thing::Set { rule, field, value } => match (field.strip_prefix("consent."), value) {
            (Some(consent), Some(value)) => {
                let verb = if *value == Value::Boolean(true) { "grant" } else { "withdraw" };
                format!("`{rule}` to {verb} consent `{}`{of}", consent.replacen('.', " ", 1))
            }
            (_, value) => {
                let to = value.as_ref().map(|it| format!(" to {}", printed(&Json::Value(it.clone()))));
                format!("`{rule}` to set `profile.{field}`{}{of}", to.unwrap_or_default())
            }
        },
        Thing::Emit { rule, event, containing } => {
            format!("`{rule}` to emit \"{event}\"{of}{}", says(containing))
        }
        Thing::Suppressed { rule, reason } => {
            let by = reason.map(|reason| format!(" by {}", reason.noun())).unwrap_or_default();
            format!("`{rule}` to be suppressed{of}{by}")
        }
        Thing::Held { rule } => format!("`{rule}` to be held{of}"),
        Thing::Change { segment, change } => {
            let customer = wanted.customer.as_deref().unwrap_or_default();
            let word = if *change == Change::Enter { "enter" } else { "leave" };
            format!("{customer} to {word} `{segment}`")
        }
    }
}

/// Where nothing explains it.
fn never(wanted: &Wanted) -> String {
    match &wanted.what {
        Thing::Suppressed { rule, reason: Some(Reason::Condition) } => format!(
            "nothing started `{rule}`; an `only if` that does not hold is not recorded of a rule that comes round for \
             everybody: write `expect nothing until …`"
        ),
        Thing::Send { rule, .. }
        | Thing::Reply { rule, .. }
        | Thing::Call { rule, .. }
        | Thing::Set { rule, .. }
        | Thing::Emit { rule, .. }
        | Thing::Suppressed { rule, .. }
        | Thing::Held { rule } => {
            format!("nothing started `{rule}`: compare its `when` with what happened")
        }
        Thing::Change { segment, .. } => {
            format!("the condition of `{segment}` did not change: compare it with what happened")
        }
    }
}

fn said(happening: &Happening) -> String {
    match &happening.what {
        What::Record(Record::Send(send)) => content(&send.content, SHOWN),
        What::Record(Record::Call(call)) => content(&call.payload, SHOWN),
        What::Record(Record::Set(set)) => printed(&set.value),
        What::Record(Record::Emit(emit)) => content(&emit.properties, SHOWN),
        _ => String::new(),
    }
}

/// A value as it is written.
fn printed(value: &Json) -> String {
    shown(&serde_json::to_string(value).unwrap_or_default(), SHOWN)
}

/// `an SMS`, `an e-mail`, `a push`.
fn article(channel: &str) -> String {
    match channel {
        "sms" => "an SMS".to_owned(),
        "email" => "an e-mail".to_owned(),
        "push" => "a push".to_owned(),
        other => format!("on `{other}`"),
    }
}

/// A reason in a few words more.
fn why(reason: Reason) -> &'static str {
    match reason {
        Reason::Limit => " (the rule's `limit` is reached)",
        Reason::Condition => " (`only if` or `still if` does not hold)",
        Reason::Consent => " (no yes is in force: `customer … { consent: { sms: true } }`)",
        Reason::NoAddress => " (the customer has no address for this channel)",
        Reason::Cap => " (the topic's rate is reached)",
        _ => "",
    }
}
