//! What happens at one moment: segments, then rules, each to its end; what they do follows as instants within [3].

use super::{
    Reference,
    customer::{Customer, Event},
    evaluate::{Asked, This},
    run::Triggered,
    sequence::Match,
};
use crate::{
    execution::Output,
    limits::MAX_CONSEQUENCES,
    record::{ActionId, Because, Change, Instant, Record, SegmentChange},
    typed::{EventId, Expr, HeldId, Judged, ScheduleId, SegmentId, Trigger},
    value::{Millis, Value},
};
use std::sync::Arc;

/// What an instant is about.
#[derive(Clone, Debug, Default)]
pub(super) struct Cause {
    /// The event that is applied.
    pub(super) event: Option<Arc<Event>>,
    /// The message id of the call or made event that is applied, or the id of the action that changes something; empty
    /// when only time has passed.
    pub(super) id: Arc<str>,
    /// The matches that are complete, in order.
    pub(super) completed: Vec<Match>,
    /// The schedules that have come round.
    pub(super) scheduled: Vec<ScheduleId>,
    /// Whether a deadline passes, so that waits end.
    pub(super) time_passes: bool,
    /// Whether no rule is triggered, nor goes on: it is too late [7], or too much has followed within the instant.
    pub(super) starts_nothing: bool,
}

impl Reference {
    /// Lets a deadline pass.
    pub(super) fn pass_deadline(&self, customer: &mut Customer, now: Millis, out: &mut Output) {
        customer.clock = Some(customer.clock.map_or(now, |clock| clock.max(now)));
        customer.consequences = 0;
        // The end of a session is an event, and the deadlines of its time come after it.
        if self.end_session(customer, now, out) {
            return;
        }
        customer.deadlines = customer.deadlines.split_off(&now.saturating_add(1));
        let completed = self.pass_sequences(customer, now);
        let scheduled = self.pass_schedules(customer, now);
        let cause = Cause { completed, scheduled, time_passes: true, ..Cause::default() };
        self.instant(customer, now, &cause, out);
    }

    /// Segments, then what stops runs, then rules: of each first the runs that go on, then those that start.
    pub(super) fn instant(&self, customer: &mut Customer, now: Millis, cause: &Cause, out: &mut Output) {
        let changes = self.judge_segments(customer, now);
        if out.silent {
            return;
        }
        for (segment, change) in &changes {
            let Some(segment) = self.program.segments.get(segment.0 as usize) else { continue };
            out.records.push(Record::Segment(SegmentChange {
                at: Instant(now),
                customer: customer.id.clone(),
                segment: segment.name.clone(),
                change: *change,
            }));
        }
        self.stop_runs(customer, cause.event.as_deref(), now, out);
        self.ask_who_moved(customer, now, out);
        if cause.starts_nothing {
            return;
        }
        let answer = cause.event.as_ref().map(|event| (self.answered(customer, event, now), event));
        for (number, rule) in self.program.rules.iter().enumerate() {
            if let Some((answered, event)) = &answer {
                self.go_on_with(customer, number, (answered, event), now, out);
            }
            if cause.time_passes {
                self.end_waits(customer, number, now, out);
            }
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
                Trigger::Schedule(id) if cause.scheduled.contains(&id) => {
                    self.trigger(customer, number, &by_schedule(now), now, out);
                }
                Trigger::Enters(_) | Trigger::Leaves(_) | Trigger::Schedule(_) | Trigger::Former { .. } => {}
            }
        }
    }

    /// Gives every segment its level now; returns what changed, in order.
    pub(super) fn judge_segments(&self, customer: &mut Customer, now: Millis) -> Vec<(SegmentId, Change)> {
        let mut changes = Vec::new();
        for judged in &self.judged {
            match judged {
                Judged::Held(id) => self.judge_held(customer, *id, now),
                Judged::Segment(id) => {
                    let Some(segment) = self.program.segments.get(id.0 as usize) else { continue };
                    let holds = self.holds_now(customer, &segment.condition, now);
                    if let Some(level) = customer.levels.get_mut(id.0 as usize)
                        && *level != holds
                    {
                        *level = holds;
                        changes.push((*id, if holds { Change::Enter } else { Change::Leave }));
                    }
                }
            }
        }
        changes
    }

    /// Notes since when a condition has held without a break.
    fn judge_held(&self, customer: &mut Customer, id: HeldId, now: Millis) {
        let Some(held) = self.program.held.get(id.0 as usize) else { return };
        let holds = self.holds_now(customer, &held.condition, now);
        if let Some(since) = customer.lasting.get_mut(id.0 as usize) {
            *since = if holds { since.or(Some(now)) } else { None };
        }
    }

    fn holds_now(&self, customer: &Customer, condition: &Expr, now: Millis) -> bool {
        Asked { reference: self, customer, now, found: None, answer: None }.holds(condition, This::Nothing)
    }

    /// An action changed a profile field or consent: an instant follows.
    pub(super) fn follow_change(
        &self,
        customer: &mut Customer,
        action: ActionId,
        now: Millis,
        out: &mut Output,
    ) {
        let id = Arc::from(action.to_string());
        let starts_nothing = !may_trigger(customer, out);
        self.instant(customer, now, &Cause { id, starts_nothing, ..Cause::default() }, out);
    }

    /// An event was made: it is applied, and an instant follows.
    pub(super) fn follow_event(
        &self,
        customer: &mut Customer,
        id: EventId,
        action: ActionId,
        value_of: &dyn Fn(&str) -> Value,
        now: Millis,
        out: &mut Output,
    ) {
        let Some(declared) = self.program.events.get(id.0 as usize) else { return };
        let message_id: Arc<str> = Arc::from(action.to_string());
        let event = Arc::new(Event {
            stamp: customer.next_stamp(now),
            id: Some(id),
            name: declared.name.clone(),
            message_id: message_id.clone(),
            fields: declared.fields.iter().map(|field| value_of(&field.name)).collect(),
            zone: self.zone(customer),
            active: false,
        });
        customer.admission.made(&message_id, now, &self.settings, &mut out.counts);
        self.remember(customer, &event, now);
        self.follow_goals(customer, &event, now);
        let completed = self.move_sequences(customer, &event, now, true, &mut out.counts);
        let starts_nothing = !may_trigger(customer, out);
        let cause =
            Cause { event: Some(event), id: message_id, completed, starts_nothing, ..Cause::default() };
        self.instant(customer, now, &cause, out);
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
            parts: vec![
                segment.clone(),
                Arc::from(word),
                Arc::from(Instant(now).to_string()),
                cause.id.clone(),
            ],
            because: Because {
                event: cause.event.as_ref().map(|event| event.name.clone()),
                message_id: cause.event.as_ref().map(|event| (&*event.message_id).into()),
                segment: Some(segment),
                at: Instant(now),
            },
        }
    }
}

/// A schedule has neither event nor segment; its instant says which occurrence it is.
fn by_schedule(now: Millis) -> Triggered {
    Triggered {
        found: None,
        parts: vec![Arc::from(Instant(now).to_string())],
        because: Because { at: Instant(now), ..Because::default() },
    }
}

fn by_match(found: &Match) -> Triggered {
    let last = found.events.last();
    Triggered {
        found: Some(found.clone()),
        parts: found.events.iter().map(|event| event.message_id.clone()).collect(),
        because: Because {
            event: last.map(|event| event.name.clone()),
            message_id: last.map(|event| (&*event.message_id).into()),
            segment: None,
            at: Instant(last.map_or(0, |event| event.at())),
        },
    }
}

/// Whether one more consequence within the instant may trigger rules; counts those that may not.
fn may_trigger(customer: &mut Customer, out: &mut Output) -> bool {
    customer.consequences += 1;
    let may = customer.consequences <= MAX_CONSEQUENCES;
    out.counts.consequences_dropped += u64::from(!may);
    may
}
