//! Two customers turn out to be one [9]: what is known of both becomes what would be known of one who had done all of it.
//!
//! History, profile, consent and limits are simply put together. What looks forward only is not worked out anew: of what is
//! under way in a sequence the same is kept as if one customer had come so far, but no match completes by joining, no
//! segment is told to have changed, and no rule starts.

use super::{
    Reference,
    customer::{Completed, CountedRun, Customer, Event},
    sequence::{Match, Matcher, Room},
};
use crate::{consent::Stamp, execution::Output, goal::Progress, settle, typed::FieldId, value::Millis};
use std::{collections::BTreeMap, sync::Arc};

/// Where the other customer's places lie in the order of application: after all of the first one's.
///
/// So at equal times the first customer's events and traits go first, and joining is associative.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shift(u64);

impl Shift {
    pub(super) fn order(self, order: u64) -> u64 {
        order + self.0
    }

    pub(super) fn stamp(self, (at, order): Stamp) -> Stamp {
        (at, self.order(order))
    }

    pub(super) fn event(self, event: &Arc<Event>) -> Arc<Event> {
        Arc::new(Event { stamp: self.stamp(event.stamp), ..(**event).clone() })
    }
}

impl Reference {
    /// Joins a customer with another; time has passed for both up to the same instant.
    pub(super) fn merge_customers(&self, into: &mut Customer, from: Customer, out: &mut Output) {
        let Customer {
            id,
            clock,
            order,
            held,
            history,
            first_seen,
            profile,
            consent,
            admission,
            // They follow from the rest.
            levels: _,
            deadlines,
            lasting,
            matchers,
            completions,
            runs,
            // Between instants no steps are being done, and no consequences counted.
            under_way: _,
            waiting,
            consequences: _,
            sent,
            goals,
            schedules,
            session,
            back_at: _,
        } = from;
        let shift = Shift(into.order);
        into.order += order;
        into.clock = into.clock.max(clock);
        let Some(now) = into.clock else { return };

        into.history.merge(&history, shift);
        into.first_seen = into.first_seen.into_iter().chain(first_seen).min();
        for (recorded, number) in profile.into_iter().zip(0..) {
            if let Some(stamp) = recorded.stamp {
                into.record(FieldId(number), &recorded.value, shift.stamp(stamp));
            }
        }
        into.consent.merge(&consent, |stamp| shift.stamp(stamp));
        into.admission.merge(admission, now, &self.settings, &mut out.counts);
        for (mine, theirs) in into.runs.iter_mut().zip(runs) {
            mine.extend(theirs.into_iter().map(|run| CountedRun { order: shift.order(run.order), ..run }));
            mine.sort_by_key(|run| (run.at, run.order));
        }
        self.merge_waiting(into, (&id, waiting), shift, out);
        into.sent.extend(sent);
        into.sent.sort_by_key(|sent| sent.at);
        self.merge_sequences(into, matchers, completions, shift, now, out);
        merge_goals(into, goals, shift);
        let theirs = session.map(|session| session.placed(|stamp| shift.stamp(stamp)));
        into.session = match (into.session.take(), theirs) {
            (Some(mine), Some(theirs)) => Some(mine.merged(theirs)),
            (mine, theirs) => mine.or(theirs),
        };
        into.schedules.merge(schedules);
        into.deadlines.extend(deadlines);
        into.deadlines = into.deadlines.split_off(&now.saturating_add(1));
        self.watches.joined(into, now);
        for (mine, theirs) in into.lasting.iter_mut().zip(lasting) {
            // A break of either is one.
            *mine = (*mine).max(theirs);
        }
        self.judge_segments(into, now);
        self.settle_waiting(into, now);
        if into.first_seen.is_none() {
            into.lasting.fill(None);
        }
        settle::merge(self, into, held, out);
    }

    fn merge_sequences(
        &self,
        into: &mut Customer,
        matchers: Vec<Matcher>,
        completions: Vec<Vec<Completed>>,
        shift: Shift,
        now: Millis,
        out: &mut Output,
    ) {
        let sequences = self.program.sequences.iter().zip(matchers);
        for ((sequence, theirs), mine) in sequences.zip(&mut into.matchers) {
            let room = &mut Room { matches: self.bounds.matches, counts: &mut out.counts };
            mine.merge(theirs, sequence, shift, (now, self.settings.lateness), room);
        }
        for (mine, theirs) in into.completions.iter_mut().zip(completions) {
            mine.extend(theirs.into_iter().map(|it| Completed { stamp: shift.stamp(it.stamp), ..it }));
            mine.sort_by_key(|completed| completed.stamp);
        }
    }
}

fn merge_goals(into: &mut Customer, goals: BTreeMap<u32, Progress<Match>>, shift: Shift) {
    for (rule, theirs) in goals {
        let theirs = theirs.placed(|stamp| shift.stamp(stamp));
        let merged = into.goals.get(&rule).map(|mine| mine.merged(&theirs));
        into.goals.insert(rule, merged.unwrap_or(theirs));
    }
}
