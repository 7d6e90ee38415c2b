//! What is known of one customer: history, profile, consent, and what rules did [1, 2].

use super::{
    history::History,
    run::Waiting,
    schedule::Schedules,
    sequence::{Match, Matcher},
};
use crate::{
    admission::Admission,
    consent::{Consent, Stamp},
    goal::Progress,
    session::Session,
    settle::Held,
    time::Zone,
    typed::{EventId, FieldId, FieldPath, Program, SegmentId, SequenceId, TopicId},
    value::{Millis, Value},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// One customer.
#[derive(Debug)]
pub struct Customer {
    pub(super) id: Arc<str>,
    /// The latest time seen; `None` before the first call.
    pub(super) clock: Option<Millis>,
    /// How many calls were applied and events and changes made: the order of application.
    pub(super) order: u64,
    pub(super) history: History,
    /// The earliest time of any call.
    pub(super) first_seen: Option<Millis>,
    /// By [`FieldId`].
    pub(super) profile: Vec<Recorded>,
    pub(super) consent: Consent,
    /// Calls that are not settled yet [7].
    pub(super) held: Option<Box<Held>>,
    pub(super) admission: Admission,
    /// Which segments the customer is in, by [`SegmentId`].
    pub(super) levels: Vec<bool>,
    /// Since when each condition has held without a break, by [`HeldId`](crate::typed::HeldId).
    pub(super) lasting: Vec<Option<Millis>>,
    /// The latest session, where sessions are asked for.
    pub(super) session: Option<Session>,
    /// By [`SequenceId`].
    pub(super) matchers: Vec<Matcher>,
    /// When each sequence completed, in order, by [`SequenceId`].
    pub(super) completions: Vec<Vec<Completed>>,
    /// The runs that count for limits, by position of the rule.
    pub(super) runs: Vec<Vec<CountedRun>>,
    /// The runs that do their steps now, outermost first.
    pub(super) under_way: Vec<UnderWay>,
    /// The runs that wait, by rule, then in the order in which they began.
    pub(super) waiting: Vec<Waiting>,
    /// The messages that count for caps.
    pub(super) sent: Vec<Sent>,
    /// How far the goals of rules are, by position of the rule.
    pub(super) goals: BTreeMap<u32, Progress<Match>>,
    /// Instants after the clock at which a condition may change.
    pub(super) deadlines: BTreeSet<Millis>,
    /// When the service is back, while time passes in which it was down [6].
    pub(super) back_at: Option<Millis>,
    /// How many consequences there were in the instant.
    pub(super) consequences: u32,
    pub(super) schedules: Schedules,
}

/// An event as it was applied.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) stamp: Stamp,
    /// Which event, when it is declared.
    pub(super) id: Option<EventId>,
    pub(super) name: Arc<str>,
    pub(super) message_id: Arc<str>,
    /// The declared fields, in order.
    pub(super) fields: Vec<Value>,
    /// The customer's zone when the event was applied.
    pub(super) zone: Zone,
    /// Whether the customer did it.
    pub(super) active: bool,
}

/// When a sequence completed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Completed {
    pub(super) stamp: Stamp,
    /// The day in the customer's zone then.
    pub(super) day: i32,
}

/// The latest value of a profile field.
#[derive(Clone, Debug)]
pub(super) struct Recorded {
    pub(super) value: Value,
    /// When it was recorded; `None` while nothing was.
    pub(super) stamp: Option<Stamp>,
    /// Its value while nothing was recorded, or what was recorded was cleared.
    pub(super) default: Value,
}

/// A run that counts for the rule's limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct CountedRun {
    pub(super) at: Millis,
    /// Tells runs of one instant apart.
    pub(super) order: u64,
}

/// A run whose steps are being done.
#[derive(Clone, Debug)]
pub(super) struct UnderWay {
    /// The rule's position.
    pub(super) rule: usize,
    /// The value that tells its runs apart.
    pub(super) per: Value,
}

/// A message that counts for caps.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) at: Millis,
    pub(super) topic: TopicId,
    pub(super) channel: Arc<str>,
}

impl Customer {
    pub(super) fn new(id: Arc<str>, program: &Program) -> Self {
        let profile = program.profile.iter().map(|field| Recorded {
            value: field.default.clone(),
            stamp: None,
            default: field.default.clone(),
        });
        Self {
            id,
            clock: None,
            order: 0,
            history: History::default(),
            first_seen: None,
            profile: profile.collect(),
            consent: Consent::default(),
            held: None,
            admission: Admission::default(),
            levels: vec![false; program.segments.len()],
            lasting: vec![None; program.held.len()],
            session: None,
            matchers: program.sequences.iter().map(|_| Matcher::default()).collect(),
            completions: vec![Vec::new(); program.sequences.len()],
            runs: vec![Vec::new(); program.rules.len()],
            under_way: Vec::new(),
            waiting: Vec::new(),
            sent: Vec::new(),
            goals: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            back_at: None,
            consequences: 0,
            schedules: Schedules::new(program),
        }
    }

    /// The place in the customer's order of something that is applied now and happened at `at`.
    pub(super) fn next_stamp(&mut self, at: Millis) -> Stamp {
        self.order += 1;
        (at, self.order)
    }

    /// The place of something that follows from what was applied last.
    pub(super) fn current_stamp(&self, at: Millis) -> Stamp {
        (at, self.order)
    }

    /// The value of a profile field.
    pub(super) fn profile(&self, field: FieldId) -> Value {
        self.profile.get(field.0 as usize).map(|recorded| recorded.value.clone()).unwrap_or_default()
    }

    /// Records a profile field; the latest (time, order) wins [2]. A missing value clears it.
    pub(super) fn record(&mut self, field: FieldId, value: &Value, stamp: Stamp) {
        if let Some(recorded) = self.profile.get_mut(field.0 as usize)
            && recorded.stamp.is_none_or(|before| before <= stamp)
        {
            recorded.value = if value.is_known() { value.kept() } else { recorded.default.clone() };
            recorded.stamp = Some(stamp);
        }
    }

    /// Remembers that a sequence completed.
    pub(super) fn complete(&mut self, sequence: SequenceId, completed: Completed) {
        if let Some(completions) = self.completions.get_mut(sequence.0 as usize) {
            let place = completions.partition_point(|other| other.stamp <= completed.stamp);
            completions.insert(place, completed);
        }
    }

    /// Whether the customer is in a segment, as of the last instant.
    pub(super) fn is_member(&self, segment: SegmentId) -> bool {
        self.levels.get(segment.0 as usize).copied().unwrap_or_default()
    }
}

impl Recorded {
    /// The same under rules that declare another default.
    pub(super) fn carried(&self, default: &Value) -> Self {
        let value = if self.stamp.is_none() { default } else { &self.value };
        Self { value: value.clone(), stamp: self.stamp, default: default.clone() }
    }
}

impl Event {
    /// The time of the event.
    pub(super) fn at(&self) -> Millis {
        self.stamp.0
    }

    /// The local day of the event.
    pub(super) fn day(&self) -> i32 {
        self.zone.date(self.at()).unwrap_or_default()
    }

    /// A field of the event; missing when the event has none of this name.
    pub(super) fn field(&self, program: &Program, path: &FieldPath) -> Value {
        match path {
            FieldPath::At => Value::Time(self.at()),
            FieldPath::MessageId => Value::text(&self.message_id),
            FieldPath::EventName => Value::text(&self.name),
            FieldPath::Property(path) => {
                let Some((name, rest)) = path.split_first() else { return Value::Missing };
                self.property(program, name).map_or(Value::Missing, |value| value.at(rest))
            }
        }
    }

    /// The declared field of this name.
    pub(super) fn property(&self, program: &Program, name: &str) -> Option<&Value> {
        let declared = program.events.get(self.id?.0 as usize)?;
        let position = declared.fields.iter().position(|field| &*field.name == name)?;
        self.fields.get(position)
    }

    /// The event as it is remembered beyond its instant.
    pub(super) fn kept(&self) -> Self {
        Self { fields: self.fields.iter().map(Value::kept).collect(), ..self.clone() }
    }
}
