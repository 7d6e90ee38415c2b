//! Matching of sequences.

mod carry;
mod merge;
mod rest;

use super::{
    customer::{Events, Match},
    days::Days,
    frame::{Frame, Kept},
    machine::Machine,
    rest::BASE,
    ring::{Columns, Ring, Row},
    sparse::Sparse,
};
use segue_compiler::{
    consent::Stamp,
    execution::Counts,
    limits::MAX_MATCHES,
    pack::{Broken, Packed, Packer, Unpacker},
    plan::{CellKind, CellSource, NO_ELEMENT, SequencePlan},
    time::Zone,
    typed::{Anchor, SequenceId},
    value::{Millis, Value},
};
use smallvec::SmallVec;
use std::sync::Arc;

/// One sequence of one customer.
#[derive(Clone, Debug)]
pub(super) struct SequenceState {
    /// Whether an event that could begin it was ever applied.
    begun: bool,
    keys: Vec<KeyState>,
    /// The earliest instant at which a match completes by time; [`i64::MAX`] when none does.
    due: Millis,
    /// No horizon up to this one has anything forgotten.
    remembered: Millis,
}

/// The values that must be the same.
type Key = SmallVec<[Value; 1]>;

/// What is under way for one value of the fields that must be the same.
#[derive(Clone, Debug)]
struct KeyState {
    key: Key,
    /// When an event last played a role.
    touched: Stamp,
    /// In the order of their last events.
    chains: SmallVec<[Chain; 1]>,
    /// In the order of what they wait from. But for `each` there is one, or several that will be a single match where
    /// customers were joined: an event that comes late may still call some of them off.
    pending: SmallVec<[Pending; 1]>,
    /// The latest event that must not come.
    denied: Option<Stamp>,
}

/// Events that fulfil the first elements.
#[derive(Clone, Debug)]
struct Chain {
    /// The element that the last event fulfils.
    step: usize,
    events: Events,
}

impl Chain {
    /// The place of the last event.
    fn last(&self) -> Stamp {
        self.events.last().map(|event| event.stamp()).unwrap_or_default()
    }

    /// The latest horizon for which an event may still extend it.
    fn remembered(&self, plan: &SequencePlan) -> Millis {
        let within = plan.within.get(self.step + 1).copied().unwrap_or(0);
        self.last().0.saturating_add(within)
    }
}

/// A match that waits for what must not come.
#[derive(Clone, Debug)]
struct Pending {
    completed: Match,
    deadline: Millis,
}

/// The instant at which an event is applied.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) now: Millis,
    /// Whether the event is not too late to start something.
    pub(super) starts: bool,
    /// No event before it starts anything from now on.
    pub(super) horizon: Millis,
}

impl Moment {
    /// The latest horizon for which an event that must not come is remembered: for as long as what it calls off could
    /// wait.
    fn remembered(self, plan: &SequencePlan, (at, _): Stamp) -> Millis {
        let lateness = self.now.saturating_sub(self.horizon);
        at.saturating_add(plan.then_no.unwrap_or(0).saturating_sub(lateness).max(0))
    }
}

/// A sequence of a customer who may have just been woken: its state is read only when something happens to it, and shared
/// with a copy of the customer until then.
#[derive(Clone, Debug, Default)]
pub(super) struct Sequence {
    /// When it is due and the state as bytes, while it is unread.
    unread: Option<(Millis, Arc<[u8]>)>,
    /// None while it is unread, and where nothing ever happened.
    state: Option<Arc<SequenceState>>,
}

impl Sequence {
    /// The earliest instant at which a match completes by time.
    pub(super) fn next_deadline(&self) -> Option<Millis> {
        let unread = self.unread.as_ref().map(|(due, _)| *due);
        unread.or_else(|| self.state.as_ref().map(|state| state.due)).filter(|due| *due != i64::MAX)
    }

    /// Its state.
    pub(super) fn read(&mut self, machine: &Machine) -> &mut SequenceState {
        if let Some((due, bytes)) = self.unread.take() {
            let mut from = Unpacker::new(&bytes, BASE).shortly().with_events(machine.events.all());
            let state = SequenceState::unpack(due, &mut from);
            debug_assert!(state.is_ok() && from.is_empty(), "a sequence is read as it was written");
            self.state = state.ok().map(Arc::new);
        }
        Arc::make_mut(self.state.get_or_insert_default())
    }
}

impl Packed for Sequence {
    fn pack(&self, to: &mut Packer) {
        self.next_deadline().pack(to);
        to.nested(BASE, |to| match (&self.unread, &self.state) {
            (Some((_, bytes)), _) => to.raw(bytes),
            (None, Some(state)) => state.pack(to),
            (None, None) => SequenceState::default().pack(to),
        });
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Broken> {
        let due = Option::unpack(from)?.unwrap_or(i64::MAX);
        // What an earlier version wrote is not kept as it is.
        if !from.is_short() {
            let mut within = from.within(BASE)?;
            return Ok(Self::of(SequenceState::unpack(due, &mut within)?));
        }
        Ok(Self { unread: Some((due, from.nested()?.into())), state: None })
    }
}

impl Default for SequenceState {
    fn default() -> Self {
        Self { begun: false, keys: Vec::new(), due: i64::MAX, remembered: i64::MAX }
    }
}

impl SequenceState {
    /// Whether nothing of it is remembered.
    pub(super) fn is_empty(&self) -> bool {
        !self.begun && self.keys.is_empty()
    }

    /// Lets an event play its roles (bit n: element n); returns the matches that it completes.
    pub(super) fn event(
        &mut self,
        plan: &SequencePlan,
        roles: u64,
        event: &Frame,
        moment: Moment,
        machine: &Machine,
        counts: &mut Counts,
    ) -> Vec<Match> {
        let begins = roles & 1 != 0 && !(plan.first_time && self.begun);
        self.begun |= plan.first_time && roles & 1 != 0;
        let Some(key) = key(plan, event) else { return Vec::new() };
        self.forget(plan, moment);
        let known = self.keys.iter().position(|state| state.key == key);
        let place = known.unwrap_or(self.keys.len());
        if known.is_none() {
            self.keys.push(KeyState::new(key));
        }
        let Some(state) = self.keys.get_mut(place) else { return Vec::new() };
        state.touched = state.touched.max(event.stamp());
        if roles >> NO_ELEMENT & 1 != 0 {
            state.deny(event.stamp());
        }
        let mut matches = Vec::new();
        if moment.starts {
            let roles = if begins { roles } else { roles & !1 };
            let step = Step { plan, event, moment, machine };
            matches = state.advance(&step, roles, counts);
        }
        if state.forget(plan, moment) {
            self.remembered = self.remembered.min(state.remembered(plan, moment));
            self.make_room(counts);
        } else {
            self.keys.swap_remove(place);
        }
        if plan.then_no.is_some() {
            self.schedule();
        }
        matches
    }

    /// Forgets, of all keys, what no event from the horizon on can have to do with.
    fn forget(&mut self, plan: &SequencePlan, moment: Moment) {
        if moment.horizon <= self.remembered {
            return;
        }
        self.keys.retain_mut(|key| key.forget(plan, moment));
        self.remembered = self.keys.iter().map(|key| key.remembered(plan, moment)).min().unwrap_or(i64::MAX);
    }

    /// Finds out when the next match completes by time.
    fn schedule(&mut self) {
        let deadlines = self.keys.iter().flat_map(|key| &key.pending).map(|pending| pending.deadline);
        self.due = deadlines.min().unwrap_or(i64::MAX);
    }

    /// Keeps as many keys as there may be, those touched last: of those that are followed, and apart from them of those
    /// of which only an event that must not come is known.
    fn make_room(&mut self, counts: &mut Counts) {
        if self.keys.len() <= MAX_MATCHES {
            return;
        }
        for followed in [true, false] {
            while self.keys.iter().filter(|key| key.is_followed() == followed).count() > MAX_MATCHES {
                let keys = self.keys.iter().zip(0..).filter(|(key, _)| key.is_followed() == followed);
                let age = |key: &KeyState, other: &KeyState| {
                    key.touched.cmp(&other.touched).then_with(|| key.key.cmp(&other.key))
                };
                let Some((_, oldest)) = keys.min_by(|(one, _), (other, _)| age(one, other)) else { break };
                self.keys.swap_remove(oldest);
                counts.matches_dropped += 1;
            }
        }
    }

    /// The matches that complete at an instant because what must not come did not.
    pub(super) fn complete(&mut self, plan: &SequencePlan, at: Millis) -> Vec<Match> {
        if at < self.due {
            return Vec::new();
        }
        let mut completed = Vec::new();
        for key in &mut self.keys {
            let is_due = |pending: &Pending| pending.deadline <= at;
            let mut complete = |found: Match| completed.push((key.key.clone(), found));
            if plan.anchor == Anchor::Each {
                key.pending.iter().filter(|it| is_due(it)).for_each(|it| complete(it.completed.clone()));
                key.pending.retain(|pending| !is_due(pending));
            } else if key.pending.iter().any(is_due) {
                key.joint(plan.anchor).into_iter().for_each(complete);
                key.chains.clear();
                key.pending.clear();
            }
        }
        self.keys.retain(|key| !key.is_empty());
        self.schedule();
        // Events that the log told have one place where they have one time: then the order is that of the keys.
        completed.sort_by(|(key, found), (other_key, other)| {
            found.waits_from().cmp(&other.waits_from()).then_with(|| key.cmp(other_key))
        });
        completed.into_iter().map(|(_, found)| found).collect()
    }
}

/// The values that must be the same; `None` when one is missing.
fn key(plan: &SequencePlan, event: &Frame) -> Option<Key> {
    if plan.same.values().all(Vec::is_empty) {
        return Some(Key::new());
    }
    let mut key = Key::new();
    for slot in plan.same.get(&event.event?)? {
        key.push(event.values.get(*slot as usize).filter(|value| value.is_known())?.kept());
    }
    Some(key)
}

/// Whether an event has the values that must be the same as in a match's last event.
pub(super) fn same_key(plan: &SequencePlan, event: &Frame, last: Option<&Frame>) -> bool {
    let own = key(plan, event);
    own.is_some() && own == last.and_then(|last| key(plan, last))
}

/// An event that is being matched.
struct Step<'a> {
    plan: &'a SequencePlan,
    event: &'a Frame,
    moment: Moment,
    machine: &'a Machine,
}

impl KeyState {
    fn new(key: Key) -> Self {
        Self {
            key,
            touched: Stamp::default(),
            chains: SmallVec::new(),
            pending: SmallVec::new(),
            denied: None,
        }
    }

    /// Whether something is under way.
    fn is_followed(&self) -> bool {
        !self.chains.is_empty() || !self.pending.is_empty()
    }

    fn is_empty(&self) -> bool {
        !self.is_followed() && self.denied.is_none()
    }

    /// Forgets what no event from the horizon on can have to do with: chains that are out of reach, and an event that must
    /// not come, where no match can be before it, not even one that waits at a customer who turns out to be the same;
    /// whether anything is left.
    fn forget(&mut self, plan: &SequencePlan, moment: Moment) -> bool {
        self.chains.retain(|chain| chain.remembered(plan) >= moment.horizon);
        self.denied = self.denied.filter(|stamp| moment.remembered(plan, *stamp) >= moment.horizon);
        !self.is_empty()
    }

    /// The latest horizon that has nothing forgotten.
    fn remembered(&self, plan: &SequencePlan, moment: Moment) -> Millis {
        let chains = self.chains.iter().map(|chain| chain.remembered(plan));
        let denied = self.denied.map(|stamp| moment.remembered(plan, stamp));
        chains.chain(denied).min().unwrap_or(i64::MAX)
    }

    fn deny(&mut self, stamp: Stamp) {
        self.pending.retain(|pending| pending.completed.waits_from() > stamp);
        self.denied = self.denied.max(Some(stamp));
    }

    fn advance(&mut self, step: &Step<'_>, roles: u64, counts: &mut Counts) -> Vec<Match> {
        let elements = step.plan.within.len();
        for element in (0..elements).rev().filter(|element| roles >> element & 1 != 0) {
            let begun = self.begun_chains(step, element);
            if begun.is_empty() {
                continue;
            }
            let is_last = element + 1 == elements;
            match step.plan.then_no {
                None if is_last => {
                    if step.plan.anchor != Anchor::Each {
                        self.chains.clear();
                    }
                    return begun
                        .into_iter()
                        .map(|events| Match::of(events, step.event.kept(step.machine, true)))
                        .collect();
                }
                Some(within) if is_last => self.wait(step, begun, within, counts),
                None | Some(_) => self.progress(step, begun, element, counts),
            }
        }
        Vec::new()
    }

    /// The chains that the event extends as an element: of `each` all that it reaches, which are taken out; else the
    /// oldest.
    fn begun_chains(&mut self, step: &Step<'_>, element: usize) -> SmallVec<[Events; 1]> {
        let Some(before) = element.checked_sub(1) else { return SmallVec::from([Events::new()]) };
        let within = step.plan.within.get(element).copied().unwrap_or(0);
        let extends = |chain: &Chain| {
            chain.step == before
                && chain.events.last().is_some_and(|last| {
                    last.stamp() < step.event.stamp() && step.event.at - last.at <= within
                })
        };
        let mut found = self.chains.iter().filter(|chain| extends(chain)).map(|chain| chain.events.clone());
        if step.plan.anchor != Anchor::Each {
            return found.next().into_iter().collect();
        }
        let found = found.collect();
        self.chains.retain(|chain| !extends(chain));
        found
    }

    /// Keeps chains that are not complete.
    fn progress(
        &mut self,
        step: &Step<'_>,
        begun: SmallVec<[Events; 1]>,
        element: usize,
        counts: &mut Counts,
    ) {
        for mut events in begun {
            events.push(step.kept());
            self.keep(step.plan.anchor, Chain { step: element, events }, counts);
        }
    }

    /// Keeps a chain, where it has a place among those that have come as far.
    fn keep(&mut self, anchor: Anchor, chain: Chain, counts: &mut Counts) {
        let element = chain.step;
        let stored = self.chains.iter_mut().find(|chain| chain.step == element);
        match (anchor, stored) {
            (Anchor::Latest, Some(stored)) => {
                if stored.last() < chain.last() {
                    *stored = chain;
                }
            }
            (Anchor::Latest, None) => self.insert(chain),
            (Anchor::Earliest, _) => {
                self.insert(chain);
                let of_step = |(_, chain): &(usize, &Chain)| chain.step == element;
                let mut newest_first = self.chains.iter().enumerate().rev().filter(of_step);
                // The newest stays, so that whoever reaches any reaches one that is kept.
                let second_newest = newest_first.nth(1).map(|(place, _)| place);
                if newest_first.count() + 2 > MAX_MATCHES
                    && let Some(place) = second_newest
                {
                    self.chains.remove(place);
                    counts.matches_dropped += 1;
                }
            }
            (Anchor::Each, _) => {
                self.insert(chain);
                if self.chains.len() > MAX_MATCHES {
                    self.chains.remove(0);
                    counts.matches_dropped += 1;
                }
            }
        }
    }

    /// Puts a chain into the order of their last events; of those that end with one event, the farthest goes first.
    fn insert(&mut self, chain: Chain) {
        let rank = |chain: &Chain| (chain.last(), std::cmp::Reverse(chain.step));
        let place = self.chains.partition_point(|other| rank(other) <= rank(&chain));
        self.chains.insert(place, chain);
    }

    /// Lets complete chains wait for what must not come.
    fn wait(&mut self, step: &Step<'_>, begun: SmallVec<[Events; 1]>, within: i64, counts: &mut Counts) {
        let deadline = step.event.at + within;
        let has_passed = deadline < step.moment.now;
        if has_passed || self.denied.is_some_and(|denied| denied > step.event.stamp()) {
            return;
        }
        for events in begun {
            let completed = Match::of(events, step.kept());
            self.hold(step.plan.anchor, Pending { completed, deadline }, counts);
        }
    }

    /// The match that is waited for, unless for `each`: with `earliest` the oldest; else the latest, which keeps the first
    /// event of all.
    fn joint(&self, anchor: Anchor) -> Option<Match> {
        if anchor == Anchor::Earliest {
            return self.pending.first().map(|pending| pending.completed.clone());
        }
        let first = self.pending.iter().map(|pending| pending.completed.first).min()?;
        self.pending.last().map(|latest| Match { first, ..latest.completed.clone() })
    }

    /// Lets a complete chain wait, beside the others or in place of one.
    fn hold(&mut self, anchor: Anchor, new: Pending, counts: &mut Counts) {
        let from = new.completed.waits_from();
        match (anchor, self.pending.first_mut()) {
            (Anchor::Earliest, Some(pending)) => {
                if pending.completed.waits_from() > from {
                    *pending = new;
                }
            }
            (Anchor::Latest, Some(_)) => {
                if let Some(waiting) = self.joint(anchor).filter(|waiting| waiting.waits_from() < from) {
                    let completed = Match { first: waiting.first, ..new.completed };
                    self.pending.clear();
                    self.pending.push(Pending { completed, deadline: new.deadline });
                }
            }
            (Anchor::Latest | Anchor::Earliest, None) | (Anchor::Each, _) => {
                let place = self.pending.partition_point(|other| other.completed.waits_from() <= from);
                self.pending.insert(place, new);
                if self.pending.len() > MAX_MATCHES {
                    self.pending.remove(0);
                    counts.matches_dropped += 1;
                }
            }
        }
    }
}

impl Step<'_> {
    /// The event as it is remembered beyond its instant.
    fn kept(&self) -> Arc<Kept> {
        self.event.kept(self.machine, false)
    }
}

impl Match {
    pub(super) fn of(mut events: Events, last: Arc<Kept>) -> Self {
        events.push(last);
        let first = events.first().map(|event| event.stamp()).unwrap_or_default();
        Self { events, first }
    }

    /// The place of the last event.
    pub(super) fn waits_from(&self) -> Stamp {
        self.events.last().map(|event| event.stamp()).unwrap_or_default()
    }
}

/// A match that counts.
#[derive(Clone, Copy)]
pub(super) struct Completed<'z> {
    pub(super) at: Millis,
    pub(super) order: u64,
    pub(super) now: Millis,
    /// The customer's zone.
    pub(super) zone: &'z Zone,
}

/// Feeds the cells that count a sequence's matches.
pub(super) fn feed(
    machine: &Machine,
    sequence: SequenceId,
    completed: Completed<'_>,
    mut word: impl FnMut(u32),
    rings: &mut Sparse<Ring>,
    days: &mut Sparse<Days>,
) {
    let Completed { at, order, now, zone } = completed;
    let Some(plan) = machine.plan.sequences.get(sequence.0 as usize) else { return };
    for cell in plan.feeds.iter().filter_map(|id| machine.plan.cell(*id)) {
        match (&cell.kind, &cell.source) {
            (CellKind::Counter { word: place }, CellSource::Sequence { since, .. }) if at >= *since => {
                word(*place)
            }
            (CellKind::Rows { place, .. }, _) => {
                if let Some(keeping) = super::query::keeping(&cell.kind) {
                    rings.entry(*place).push(Row { at, order, columns: Columns::new() }, now, keeping);
                }
            }
            (CellKind::Days { place, reach, .. }, _) => {
                if let (Some(day), Some(today)) = (zone.date(at), zone.date(now)) {
                    days.entry(*place).add((day, today, *reach), (at, order), None);
                }
            }
            (
                CellKind::Counter { .. }
                | CellKind::Moment { .. }
                | CellKind::Total { .. }
                | CellKind::Periods { .. },
                _,
            ) => {}
        }
    }
}
