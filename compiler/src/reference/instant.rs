//! What happens at one moment: segments, then rules, each to its end; what they do follows as instants within [3].

use super::{
    Reference,
    customer::{Customer, Event},
    evaluate::{Asked, This},
    sequence::Match,
    steps::Triggered,
};
use crate::{
    execution::Output,
    limits::MAX_CONSEQUENCES,
    record::{Because, Change, Instant, Record, SegmentChange},
    typed::{EventId, SegmentId, Trigger},
    value::{Millis, Value},
};
use std::sync::Arc;

/// What an instant is about.
#[derive(Clone, Debug, Default)]
pub(super) struct Cause {
    /// The event that is applied.
    pub(super) event: Option<Arc<Event>>,
    /// The matches that are complete, in order.
    pub(super) completed: Vec<Match>,
    /// Whether it is too late for rules to be triggered [7].
    pub(super) starts_nothing: bool,
}

impl Reference {
    /// Lets a deadline pass.
    pub(super) fn pass_deadline(&self, customer: &mut Customer, now: Millis, out: &mut Output) {
        customer.clock = Some(customer.clock.map_or(now, |clock| clock.max(now)));
        customer.consequences = 0;
        customer.deadlines = customer.deadlines.split_off(&now.saturating_add(1));
        let completed = self.pass_sequences(customer, now);
        self.instant(customer, now, &Cause { completed, ..Cause::default() }, out);
    }

    /// Segments, then rules.
    pub(super) fn instant(&self, customer: &mut Customer, now: Millis, cause: &Cause, out: &mut Output) {
        let changes = self.judge_segments(customer, now);
        for (segment, change) in &changes {
            let Some(segment) = self.program.segments.get(segment.0 as usize) else { continue };
            out.records.push(Record::Segment(SegmentChange {
                at: Instant(now),
                customer: customer.id.clone(),
                segment: segment.name.clone(),
                change: *change,
            }));
        }
        if cause.starts_nothing {
            return;
        }
        for (number, rule) in self.program.rules.iter().enumerate() {
            match rule.trigger {
                Trigger::Sequence(id) => {
                    for found in cause.completed.iter().filter(|found| found.sequence == id) {
                        self.trigger(customer, number, &by_match(found), now, out);
                    }
                }
                Trigger::Enters(id) if changes.contains(&(id, Change::Enter)) => {
                    let triggered = self.by_segment(id, Change::Enter, cause, now);
                    self.trigger(customer, number, &triggered, now, out);
                }
                Trigger::Leaves(id) if changes.contains(&(id, Change::Leave)) => {
                    let triggered = self.by_segment(id, Change::Leave, cause, now);
                    self.trigger(customer, number, &triggered, now, out);
                }
                Trigger::Enters(_) | Trigger::Leaves(_) => {}
            }
        }
    }

    /// Gives every segment its level now; returns what changed, in order.
    pub(super) fn judge_segments(&self, customer: &mut Customer, now: Millis) -> Vec<(SegmentId, Change)> {
        let mut changes = Vec::new();
        for (segment, number) in self.program.segments.iter().zip(0..) {
            let asked = Asked { reference: self, customer, now, found: None };
            let holds = asked.holds(&segment.condition, This::Nothing);
            if let Some(level) = customer.levels.get_mut(number as usize)
                && *level != holds
            {
                *level = holds;
                changes.push((SegmentId(number), if holds { Change::Enter } else { Change::Leave }));
            }
        }
        changes
    }

    /// A profile field or consent changes: an instant follows.
    pub(super) fn follow_change(
        &self,
        customer: &mut Customer,
        now: Millis,
        out: &mut Output,
        change: impl FnOnce(&mut Customer),
    ) {
        if may_follow(customer, out) {
            change(customer);
            self.instant(customer, now, &Cause::default(), out);
        }
    }

    /// An event was made: it is applied, and an instant follows.
    pub(super) fn follow_event(
        &self,
        customer: &mut Customer,
        id: EventId,
        message_id: &str,
        value_of: &dyn Fn(&str) -> Value,
        now: Millis,
        out: &mut Output,
    ) {
        let Some(declared) = self.program.events.get(id.0 as usize) else { return };
        if !may_follow(customer, out) {
            return;
        }
        let event = Arc::new(Event {
            stamp: customer.next_stamp(now),
            id: Some(id),
            name: declared.name.clone(),
            message_id: Arc::from(message_id),
            fields: declared.fields.iter().map(|field| value_of(&field.name)).collect(),
            zone: self.zone(customer),
            active: false,
        });
        customer.admission.made(message_id, now, &self.settings, &mut out.counts);
        self.remember(customer, &event, now);
        let completed = self.move_sequences(customer, &event, now, true, &mut out.counts);
        self.instant(customer, now, &Cause { event: Some(event), completed, starts_nothing: false }, out);
    }

    fn by_segment(&self, id: SegmentId, change: Change, cause: &Cause, now: Millis) -> Triggered {
        let segment = self.program.segments.get(id.0 as usize);
        let segment = segment.map(|segment| segment.name.clone()).unwrap_or_else(|| Arc::from(""));
        let word = match change {
            Change::Enter => "enter",
            Change::Leave => "leave",
        };
        Triggered {
            found: None,
            parts: vec![segment.clone(), Arc::from(word), Arc::from(Instant(now).to_string())],
            because: Because {
                event: cause.event.as_ref().map(|event| event.name.clone()),
                message_id: cause.event.as_ref().map(|event| event.message_id.clone()),
                segment: Some(segment),
                at: Instant(now),
            },
        }
    }
}

fn by_match(found: &Match) -> Triggered {
    let last = found.events.last();
    Triggered {
        found: Some(found.clone()),
        parts: found.events.iter().map(|event| event.message_id.clone()).collect(),
        because: Because {
            event: last.map(|event| event.name.clone()),
            message_id: last.map(|event| event.message_id.clone()),
            segment: None,
            at: Instant(last.map_or(0, |event| event.at())),
        },
    }
}

/// Whether one more consequence may follow within the instant; counts those that may not.
fn may_follow(customer: &mut Customer, out: &mut Output) -> bool {
    customer.consequences += 1;
    let may = customer.consequences <= MAX_CONSEQUENCES;
    out.counts.consequences_dropped += u64::from(!may);
    may
}
