//! Two customers turn out to be one: state is put together piece by piece, as if one customer had done all of it, where
//! that can be told from what is kept. Nothing starts by it, and nothing is told.

use super::{
    Engine,
    customer::{Customer, Match, Runs, Sent},
    query::keeping,
    ring::Ring,
    run::Waiting,
    sequence,
    sparse::Sparse,
    total::Total,
};
use segue_compiler::{
    consent::Stamp,
    execution::{Counts, Output},
    goal::Progress,
    limits::EXACT_EVENTS,
    plan::{CellKind, FIRST_SEEN_WORD, LAST_ACTIVE_WORD, Plan, RecordLayout},
    settle,
    typed::{FieldId, Limit},
    value::Millis,
};
use std::{collections::VecDeque, sync::Arc};

/// Where the other customer's places lie in the order of application: after all of the first one's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shift(u64);

impl Shift {
    pub(super) fn order(self, order: u64) -> u64 {
        order + self.0
    }

    pub(super) fn stamp(self, (at, order): Stamp) -> Stamp {
        (at, self.order(order))
    }
}

impl Engine {
    /// Joins a customer with another; time has passed for both up to the same instant.
    pub(super) fn merge_customers(&self, into: &mut Customer, from: Customer, out: &mut Output) {
        let Customer {
            id,
            clock,
            order,
            held,
            admission,
            record,
            rings,
            totals,
            days,
            periods,
            sequences,
            profile,
            consent,
            runs,
            waiting,
            sends,
            goals,
            session,
            schedules,
            // They follow from the rest.
            next_match: _,
            profile_slots: _,
            zone: _,
            next_change: _,
            back_at: _,
        } = from;
        let shift = Shift(into.order);
        into.order += order;
        into.clock = into.clock.max(clock);
        let Some(now) = into.clock else { return };
        into.admission.merge(admission, now, &self.settings, &mut out.counts);
        self.merge_record(into, &record);
        self.merge_cells(into, (&rings, &totals), shift, now, &mut out.counts);
        for (number, theirs) in days.iter() {
            into.days.entry(number).merge(theirs, shift);
        }
        for (number, theirs) in periods.iter() {
            into.periods.entry(number).merge(theirs);
        }
        for (number, mut theirs) in sequences.into_all() {
            let Some(plan) = self.machine.plan.sequences.get(number as usize) else { continue };
            let horizon = now.saturating_sub(self.settings.lateness);
            let moment = sequence::Moment { now, starts: false, horizon };
            let theirs = theirs.read(&self.machine);
            let mine = into.sequences.entry(number).read(&self.machine);
            mine.merge(theirs, plan, shift, moment, &mut out.counts);
        }
        for (field, (value, stamp)) in profile.into_all() {
            self.record_field(into, FieldId(field), value, shift.stamp(stamp));
        }
        into.consent.merge(&consent, |stamp| shift.stamp(stamp));
        self.merge_runs(into, runs, (&id, waiting), shift, &mut out.counts);
        self.merge_messages(into, sends);
        into.merge_goals(goals, shift);
        into.session = match (into.session.take(), session.map(|it| it.placed(|stamp| shift.stamp(stamp)))) {
            (Some(mine), Some(theirs)) => Some(mine.merged(theirs)),
            (mine, theirs) => mine.or(theirs),
        };
        if let (Some(mine), Some(theirs)) = (&mut into.schedules, schedules) {
            mine.merge(&theirs);
        }
        into.schedule_matches();
        self.set_levels(into, now);
        self.settle_waiting(into, now);
        settle::merge(self, into, held, out);
    }

    /// The messages that count for rates.
    fn merge_messages(&self, into: &mut Customer, sends: VecDeque<Sent>) {
        into.sends.extend(sends);
        into.sends.make_contiguous().sort_by_key(|sent| sent.at);
        self.keep_newest_messages(into);
    }

    /// The words of the record.
    fn merge_record(&self, into: &mut Customer, from: &[i64]) {
        let RecordLayout {
            held,
            // Segments are evaluated anew, and slots are filled from the profile.
            segments: _,
            profile_words: _,
            profile: _,
            words: _,
            // They are no words.
            rings: _,
            totals: _,
            days: _,
            periods: _,
        } = &self.machine.plan.record;
        let plan = &self.machine.plan;
        let held_levels = plan.levels.len().saturating_sub(plan.segments as usize);
        for (number, level) in (0..).zip(plan.segments..).take(held_levels) {
            into.merge_held(plan, (level, held + number), from);
        }
        into.merge_word(FIRST_SEEN_WORD, from, i64::min);
        into.merge_word(LAST_ACTIVE_WORD, from, i64::max);
        for cell in &self.machine.plan.cells {
            match cell.kind {
                CellKind::Counter { word } => into.merge_word(word, from, i64::saturating_add),
                CellKind::Moment { word, first: true } => into.merge_word(word, from, i64::min),
                CellKind::Moment { word, first: false } => into.merge_word(word, from, i64::max),
                CellKind::Total { .. }
                | CellKind::Rows { .. }
                | CellKind::Days { .. }
                | CellKind::Periods { .. } => {}
            }
        }
    }

    fn merge_cells(
        &self,
        into: &mut Customer,
        (rings, totals): (&Sparse<Ring>, &Sparse<Total>),
        shift: Shift,
        now: Millis,
        counts: &mut Counts,
    ) {
        for cell in &self.machine.plan.cells {
            match &cell.kind {
                CellKind::Counter { .. }
                | CellKind::Moment { .. }
                | CellKind::Days { .. }
                | CellKind::Periods { .. } => {}
                CellKind::Total { place, class: _ } => {
                    if let Some(theirs) = totals.get(*place) {
                        into.totals.entry(*place).combine(&theirs.shifted(shift));
                    }
                }
                CellKind::Rows { place, capacity, .. } => {
                    if let (Some(theirs), Some(keeping)) = (rings.get(*place), keeping(&cell.kind)) {
                        let overflowed = into.rings.entry(*place).merge(theirs, shift, now, keeping);
                        counts.window_overflow +=
                            if *capacity as usize == EXACT_EVENTS { overflowed } else { 0 };
                    }
                }
            }
        }
    }

    fn merge_runs(
        &self,
        into: &mut Customer,
        runs: Sparse<Runs>,
        waiting: (&Arc<str>, Vec<Waiting>),
        shift: Shift,
        counts: &mut Counts,
    ) {
        for (number, Runs { started, under_way: _ }) in runs.into_all() {
            let mine = &mut into.runs.entry(number).started;
            mine.extend(started);
            mine.make_contiguous().sort_unstable();
        }
        self.merge_waiting(into, waiting, shift, counts);
        self.trim_runs(into);
    }

    /// Lets go of the starts that no limit asks for, nor will when runs under way are given back.
    fn trim_runs(&self, into: &mut Customer) {
        let waiting = std::mem::take(&mut into.waiting);
        into.runs.retain(|number, runs| {
            let limit = self.program.rules.get(number as usize).and_then(|rule| rule.limit);
            let under_way = waiting.iter().filter(|run| self.current(run.rule()) == number).count();
            let kept = limit.map_or(0, |limit| kept(limit) + under_way);
            runs.started.drain(..runs.started.len().saturating_sub(kept));
            !runs.started.is_empty()
        });
        into.waiting = waiting;
    }
}

impl Customer {
    fn merge_goals(&mut self, goals: Sparse<Progress<Match>>, shift: Shift) {
        for (rule, theirs) in goals.into_all() {
            let theirs = theirs.placed(|stamp| shift.stamp(stamp));
            let merged = self.goals.get(rule).map(|mine| mine.merged(&theirs));
            self.goals.set(rule, merged.unwrap_or(theirs));
        }
    }

    /// Since when a condition has held of both: a break of either is one. The condition is evaluated after this.
    fn merge_held(&mut self, plan: &Plan, (level, word): (u32, u32), from: &[i64]) {
        let (place, bit) = ((plan.record.segments + level / 64) as usize, level % 64);
        let holds = |record: &[i64]| record.get(place).is_some_and(|word| word >> bit & 1 == 1);
        match (holds(&self.record), holds(from)) {
            (_, false) => {}
            (true, true) => self.merge_word(word, from, i64::max),
            (false, true) => {
                self.merge_word(word, from, |_, since| since);
                if let Some(word) = self.record.get_mut(place) {
                    *word |= 1 << bit;
                }
            }
        }
    }

    fn merge_word(&mut self, word: u32, from: &[i64], combine: impl Fn(i64, i64) -> i64) {
        let word = word as usize;
        if let (Some(mine), Some(theirs)) = (self.record.get_mut(word), from.get(word)) {
            *mine = combine(*mine, *theirs);
        }
    }
}

/// How many runs a limit asks for.
pub(super) fn kept(limit: Limit) -> usize {
    match limit {
        Limit::Once => 1,
        Limit::Per { count, .. } => count as usize,
    }
}
