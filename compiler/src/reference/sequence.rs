//! Sequences: what is under way, what completes, and what waits for a `no` [4].

use super::{
    Reference,
    customer::{Completed, Customer, Event},
    evaluate::Asked,
    merge::Shift,
};
use crate::{
    consent::Stamp,
    execution::Counts,
    succession::TriggeredBefore,
    typed::{Anchor, EventRole, Sequence, SequenceId},
    value::{Millis, Value},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// A completed match.
#[derive(Clone, Debug)]
pub(super) struct Match {
    pub(super) sequence: SequenceId,
    /// The events of its elements, in order.
    pub(super) events: Vec<Arc<Event>>,
    /// The place of its first event; where a `then no` was renewed, that of the first renewal's.
    pub(super) first: Stamp,
}

impl Match {
    /// The event that plays a role.
    pub(super) fn event(&self, role: &EventRole) -> Option<&Event> {
        let event = match role {
            EventRole::This | EventRole::Answer => None,
            EventRole::Trigger => self.events.last(),
            EventRole::Element(position, _) => self.events.get(*position as usize),
        };
        event.map(|event| &**event)
    }
}

/// One customer's state of one sequence.
#[derive(Clone, Debug, Default)]
pub(super) struct Matcher {
    /// By the values of the fields that must be the same.
    keys: BTreeMap<Vec<Value>, State>,
    /// Whether the customer ever had an event that the first element looks for.
    seen: bool,
}

/// What is under way for one key. A key of which nothing is remembered has none.
#[derive(Clone, Debug, Default)]
struct State {
    /// The place of the latest event that played a role.
    touched: Stamp,
    /// Chains by their last event's element, each in order.
    progress: BTreeMap<usize, Vec<Chain>>,
    /// Complete chains that wait for the `no`, in order. But for `each` there is one, or several that will be a single
    /// match (see [`joint`]) where customers were joined: a late `no` may still call some of them off.
    pending: Vec<Pending>,
    /// The latest event that was the `no`.
    last_no: Option<Stamp>,
}

/// The events of the first elements.
type Chain = Vec<Arc<Event>>;

/// A complete chain that waits for the `no`.
#[derive(Clone, Debug)]
struct Pending {
    chain: Chain,
    first: Stamp,
    deadline: Millis,
}

/// How much of a sequence is kept [8], and where it is counted what is let go.
pub(super) struct Room<'c> {
    /// Matches under way, and keys.
    pub(super) matches: usize,
    pub(super) counts: &'c mut Counts,
}

/// An event on its way through a sequence.
struct Step<'a> {
    id: SequenceId,
    sequence: &'a Sequence,
    event: &'a Arc<Event>,
    /// Which elements the event can play.
    elements: Vec<bool>,
    /// Whether the event is the `no`.
    is_no: bool,
    /// Whether the event may start something: it is not late, or not too late.
    starts: bool,
    now: Millis,
    /// How late an event may be that starts something.
    lateness: i64,
}

impl Matcher {
    /// The same with other events and places.
    pub(super) fn mapped(&self, of: impl Fn(&Event) -> Event, place: impl Fn(Stamp) -> Stamp) -> Self {
        let chain = |chain: &Chain| chain.iter().map(|event| Arc::new(of(event))).collect::<Chain>();
        let state = |state: &State| State {
            touched: place(state.touched),
            progress: state.progress.iter().map(|(at, all)| (*at, all.iter().map(chain).collect())).collect(),
            pending: state
                .pending
                .iter()
                .map(|it| Pending { chain: chain(&it.chain), first: place(it.first), deadline: it.deadline })
                .collect(),
            last_no: state.last_no.map(&place),
        };
        let keys = self.keys.iter().map(|(key, of_key)| (key.clone(), state(of_key)));
        Self { keys: keys.collect(), seen: self.seen }
    }
}

impl Matcher {
    /// Forgets the complete chains that have triggered the rule; `before` is what is under way of what triggered it.
    pub(super) fn forget_triggered(
        &mut self,
        triggered: &TriggeredBefore,
        before: Option<&Self>,
        now: Millis,
    ) {
        let pending = |matcher: &Self| -> BTreeSet<Millis> {
            let all = matcher.keys.values().flat_map(|state| &state.pending);
            all.filter_map(|pending| last(&pending.chain)).map(|(at, _)| at).collect()
        };
        let waiting = before.map(pending).unwrap_or_default();
        for state in self.keys.values_mut() {
            let may_still = |(at, _): Stamp| triggered.may_still(at, now, || waiting.contains(&at));
            state.pending.retain(|pending| last(&pending.chain).is_none_or(may_still));
        }
        self.keys.retain(|_, state| !state.is_empty());
    }
}

impl Reference {
    /// The sequences that are followed, and their numbers.
    fn followed(&self) -> impl Iterator<Item = (&Sequence, u32)> {
        self.program.sequences.iter().zip(0..).filter(|(sequence, _)| !sequence.idle)
    }

    /// Moves every sequence by an event; returns the matches that completed, in order of sequences.
    pub(super) fn move_sequences(
        &self,
        customer: &mut Customer,
        event: &Arc<Event>,
        now: Millis,
        starts: bool,
        counts: &mut Counts,
    ) -> Vec<Match> {
        let mut completed = Vec::new();
        for (sequence, number) in self.followed() {
            let asked = Asked { reference: self, customer, now, found: None, answer: None };
            let elements =
                sequence.elements.iter().map(|element| asked.matches(&element.pattern, event)).collect();
            let is_no = sequence.then_no.as_ref().is_some_and(|(pattern, _)| asked.matches(pattern, event));
            let key: Vec<Value> =
                sequence.same.iter().map(|field| event.field(&self.program, field).kept()).collect();
            let lateness = self.settings.lateness;
            let step =
                Step { id: SequenceId(number), sequence, event, elements, is_no, starts, now, lateness };
            if let Some(matcher) = customer.matchers.get_mut(number as usize) {
                let room = &mut Room { matches: self.bounds.matches, counts: &mut *counts };
                completed.extend(matcher.step(step, key, room));
            }
        }
        for found in &completed {
            self.complete(customer, found.sequence, event.stamp, now);
        }
        completed
    }

    /// Takes an event as the `no` of every sequence of which it is that, and as nothing else.
    pub(super) fn cancel_sequences(&self, customer: &mut Customer, event: &Arc<Event>, now: Millis) {
        for (sequence, number) in self.followed() {
            let asked = Asked { reference: self, customer, now, found: None, answer: None };
            let is_no = sequence.then_no.as_ref().is_some_and(|(pattern, _)| asked.matches(pattern, event));
            let key: Vec<Value> =
                sequence.same.iter().map(|field| event.field(&self.program, field).kept()).collect();
            let step = Step {
                id: SequenceId(number),
                sequence,
                event,
                elements: vec![false; sequence.elements.len()],
                is_no,
                starts: false,
                now,
                lateness: self.settings.lateness,
            };
            if let Some(matcher) = customer.matchers.get_mut(number as usize) {
                let room = &mut Room { matches: self.bounds.matches, counts: &mut Counts::default() };
                matcher.step(step, key, room);
            }
        }
    }

    /// Completes every match whose `no` did not come until now.
    pub(super) fn pass_sequences(&self, customer: &mut Customer, now: Millis) -> Vec<Match> {
        let mut completed = Vec::new();
        let stamp = customer.current_stamp(now);
        for (sequence, number) in self.followed() {
            if let Some(matcher) = customer.matchers.get_mut(number as usize) {
                completed.extend(matcher.pass(SequenceId(number), sequence, now));
            }
        }
        for found in &completed {
            self.complete(customer, found.sequence, stamp, now);
        }
        completed
    }

    fn complete(&self, customer: &mut Customer, sequence: SequenceId, stamp: Stamp, now: Millis) {
        let day = self.zone(customer).date(stamp.0).unwrap_or_default();
        customer.complete(sequence, Completed { stamp, day });
        self.watches.sequence_completed(customer, sequence, stamp.0, now);
    }
}

impl Matcher {
    /// The next instant at which a `then no` runs out.
    pub(super) fn next_deadline(&self) -> Option<Millis> {
        self.keys.values().flat_map(|state| &state.pending).map(|pending| pending.deadline).min()
    }

    fn step(&mut self, mut step: Step<'_>, key: Vec<Value>, room: &mut Room<'_>) -> Vec<Match> {
        if !step.is_no && !step.elements.contains(&true) {
            return Vec::new();
        }
        if let Some(first) = step.elements.first_mut()
            && *first
        {
            *first = !(step.sequence.first_time && self.seen);
            self.seen = true;
        }
        if !key.iter().all(Value::is_known) {
            return Vec::new();
        }
        self.forget(step.sequence, step.now, step.lateness);
        let state = self.keys.entry(key).or_default();
        state.touched = state.touched.max(step.event.stamp);
        let found = state.step(&step, room);
        self.forget(step.sequence, step.now, step.lateness);
        self.make_room(room);
        found
    }

    /// Takes up what another customer, who turned out to be the same, had under way [9].
    pub(super) fn merge(
        &mut self,
        other: Self,
        sequence: &Sequence,
        shift: Shift,
        (now, lateness): (Millis, i64),
        room: &mut Room<'_>,
    ) {
        let Self { keys, seen } = other;
        self.seen |= seen;
        for (key, state) in keys {
            self.keys.entry(key).or_default().merge(state, sequence, shift, room);
        }
        self.forget(sequence, now, lateness);
        self.make_room(room);
    }

    /// Forgets what nothing can have to do with that is no later than `lateness`.
    fn forget(&mut self, sequence: &Sequence, now: Millis, lateness: i64) {
        for state in self.keys.values_mut() {
            state.forget(sequence, now, lateness);
        }
        self.keys.retain(|_, state| !state.is_empty());
    }

    /// Keeps as many keys as there may be, those touched last: of those that are followed, and apart from them of those
    /// of which only a `no` is known.
    fn make_room(&mut self, room: &mut Room<'_>) {
        for followed in [true, false] {
            loop {
                let keys = self.keys.iter().filter(|(_, state)| state.is_followed() == followed);
                if keys.clone().count() <= room.matches {
                    break;
                }
                let longest_untouched =
                    keys.min_by_key(|(_, state)| state.touched).map(|(key, _)| key.clone());
                longest_untouched.and_then(|key| self.keys.remove(&key));
                room.counts.matches_dropped += 1;
            }
        }
    }

    /// The matches that complete now because no `no` came.
    fn pass(&mut self, id: SequenceId, sequence: &Sequence, now: Millis) -> Vec<Match> {
        let mut due = Vec::new();
        for state in self.keys.values_mut() {
            let passed: Vec<Pending> =
                state.pending.extract_if(.., |pending| pending.deadline <= now).collect();
            if passed.is_empty() {
                continue;
            }
            // With `each` a match has used up only its own chain.
            if sequence.anchor == Anchor::Each {
                due.extend(passed);
                continue;
            }
            state.progress.clear();
            state.pending.clear();
            due.extend(joint(sequence.anchor, passed));
        }
        self.keys.retain(|_, state| !state.is_empty());
        due.sort_by_key(|pending| last(&pending.chain));
        due.into_iter().map(|it| Match { sequence: id, events: it.chain, first: it.first }).collect()
    }
}

impl State {
    /// Forgets what nothing can have to do with that is no later than `lateness`: chains that are out of reach, and a `no`
    /// that no match can be before, not even one that waits at a customer who turns out to be the same.
    fn forget(&mut self, sequence: &Sequence, now: Millis, lateness: i64) {
        let horizon = now.saturating_sub(lateness);
        let waiting = sequence.then_no.as_ref().map_or(0, |(_, within)| *within);
        for (position, chains) in &mut self.progress {
            let within = sequence.elements.get(position + 1).map_or(0, |element| element.within);
            chains.retain(|chain| last(chain).is_some_and(|place| place.0.saturating_add(within) >= horizon));
        }
        self.last_no = self.last_no.filter(|place| place.0 >= now.saturating_sub(lateness.max(waiting)));
    }

    /// Whether something is under way.
    fn is_followed(&self) -> bool {
        !self.progress.values().all(Vec::is_empty) || !self.pending.is_empty()
    }

    fn is_empty(&self) -> bool {
        !self.is_followed() && self.last_no.is_none()
    }

    fn step(&mut self, step: &Step<'_>, room: &mut Room<'_>) -> Vec<Match> {
        if step.is_no {
            self.cancel(step.event.stamp);
        }
        // A late event beyond lateness can cancel, but starts nothing [7].
        if !step.starts {
            return Vec::new();
        }
        for (element, plays) in step.elements.iter().enumerate().rev() {
            if !plays {
                continue;
            }
            let chains = self.continued(step, element);
            if chains.is_empty() {
                continue;
            }
            let is_last = element + 1 == step.elements.len();
            match &step.sequence.then_no {
                None if is_last => return self.finish(step, chains),
                // The match is not complete yet, so the event can begin another that renews it.
                Some((_, within)) if is_last => {
                    chains.into_iter().for_each(|chain| self.wait(step, chain, *within, room));
                }
                None | Some(_) => chains.into_iter().for_each(|chain| self.store(step, element, chain, room)),
            }
        }
        Vec::new()
    }

    /// The `no` came: everything that waits from before it is off.
    fn cancel(&mut self, place: Stamp) {
        self.pending.retain(|pending| last(&pending.chain) >= Some(place));
        self.last_no = self.last_no.max(Some(place));
    }

    /// The chains that end with the event as this element: with `each` all that it reaches, which are moved on; else a
    /// copy of the oldest that it reaches. (For the latest, no more than one is kept.)
    fn continued(&mut self, step: &Step<'_>, element: usize) -> Vec<Chain> {
        let Some(before) = element.checked_sub(1) else { return vec![vec![step.event.clone()]] };
        let within = step.sequence.elements.get(element).map_or(0, |element| element.within);
        let place = step.event.stamp;
        let reaches = |chain: &Chain| {
            last(chain).is_some_and(|last| last < place && place.0.saturating_sub(last.0) <= within)
        };
        let Some(chains) = self.progress.get_mut(&before) else { return Vec::new() };
        let reached: Vec<Chain> = match step.sequence.anchor {
            Anchor::Latest | Anchor::Earliest => {
                chains.iter().find(|chain| reaches(chain)).cloned().into_iter().collect()
            }
            Anchor::Each => chains.extract_if(.., |chain| reaches(chain)).collect(),
        };
        let with_event = |mut chain: Chain| {
            chain.push(step.event.clone());
            chain
        };
        reached.into_iter().map(with_event).collect()
    }

    /// Remembers how far a chain has come.
    fn store(&mut self, step: &Step<'_>, element: usize, chain: Chain, room: &mut Room<'_>) {
        self.keep(step.sequence.anchor, element, kept(chain), room);
    }

    /// Puts a chain among those that have come as far, where it has a place there.
    fn keep(&mut self, anchor: Anchor, element: usize, chain: Chain, room: &mut Room<'_>) {
        let chains = self.progress.entry(element).or_default();
        let position = chains.partition_point(|other| last(other) <= last(&chain));
        match anchor {
            Anchor::Each => {
                chains.insert(position, chain);
                self.drop_oldest_chain(room);
            }
            Anchor::Earliest => {
                chains.insert(position, chain);
                // The newest stays, so that whoever reaches any reaches one that is kept.
                if chains.len() > room.matches {
                    chains.remove(room.matches - 1);
                    room.counts.matches_dropped += 1;
                }
            }
            Anchor::Latest => {
                if position == chains.len() {
                    *chains = vec![chain];
                }
            }
        }
    }

    fn drop_oldest_chain(&mut self, room: &mut Room<'_>) {
        if self.progress.values().map(Vec::len).sum::<usize>() <= room.matches {
            return;
        }
        // Of chains that ended with the same event the one that had come farther was there first.
        let oldest = self.progress.values_mut().rev().filter(|chains| !chains.is_empty());
        if let Some(chains) = oldest.min_by_key(|chains| chains.first().and_then(last)) {
            chains.remove(0);
        }
        room.counts.matches_dropped += 1;
    }

    /// Chains are complete, and nothing must stay away.
    fn finish(&mut self, step: &Step<'_>, chains: Vec<Chain>) -> Vec<Match> {
        // With `each` the chains that matched are gone already, and the others go on.
        if step.sequence.anchor != Anchor::Each {
            self.progress.clear();
        }
        let matched = |events: Chain| {
            let first = events.first().map_or(step.event.stamp, |first| first.stamp);
            Match { sequence: step.id, events, first }
        };
        chains.into_iter().map(matched).collect()
    }

    /// A complete chain begins to wait for the `no`.
    fn wait(&mut self, step: &Step<'_>, chain: Chain, within: i64, room: &mut Room<'_>) {
        let place = step.event.stamp;
        let deadline = place.0.saturating_add(within);
        if deadline < step.now || self.last_no.is_some_and(|last_no| last_no > place) {
            return;
        }
        let chain = kept(chain);
        let first = chain.first().map_or(place, |first| first.stamp);
        self.hold(step.sequence.anchor, Pending { chain, first, deadline }, room);
    }

    /// Lets a complete chain wait, beside the others or in place of one.
    fn hold(&mut self, anchor: Anchor, pending: Pending, room: &mut Room<'_>) {
        let place = last(&pending.chain);
        match (anchor, self.pending.first_mut()) {
            (Anchor::Each, _) => {
                let position = self.pending.partition_point(|other| last(&other.chain) <= place);
                self.pending.insert(position, pending);
                if self.pending.len() > room.matches {
                    self.pending.remove(0);
                    room.counts.matches_dropped += 1;
                }
            }
            (Anchor::Latest | Anchor::Earliest, None) => self.pending.push(pending),
            (Anchor::Earliest, Some(waiting)) => {
                if last(&waiting.chain) > place {
                    *waiting = pending;
                }
            }
            (Anchor::Latest, Some(_)) => {
                // The deadline moves on; the match keeps its first event.
                if self.pending.iter().all(|waiting| last(&waiting.chain) < place) {
                    let first = self.pending.iter().map(|waiting| waiting.first).min();
                    self.pending = vec![Pending { first: first.unwrap_or(pending.first), ..pending }];
                }
            }
        }
    }
}

impl State {
    /// Takes up what another customer, who turned out to be the same, had under way for this key.
    fn merge(&mut self, other: Self, sequence: &Sequence, shift: Shift, room: &mut Room<'_>) {
        let Self { touched, progress, pending, last_no } = other;
        let shifted = |chain: Chain| chain.iter().map(|event| shift.event(event)).collect::<Chain>();
        self.touched = self.touched.max(shift.stamp(touched));
        for (element, chains) in progress {
            for chain in chains {
                self.keep(sequence.anchor, element, shifted(chain), room);
            }
        }
        let others = pending.into_iter().map(|it| Pending {
            chain: shifted(it.chain),
            first: shift.stamp(it.first),
            deadline: it.deadline,
        });
        let mut waiting: Vec<Pending> = self.pending.drain(..).chain(others).collect();
        // What waits from before the `no` of either is off.
        self.last_no = self.last_no.max(last_no.map(|place| shift.stamp(place)));
        waiting.retain(|pending| last(&pending.chain) > self.last_no);
        waiting.sort_by_key(|pending| last(&pending.chain));
        let beyond = waiting.len().saturating_sub(room.matches);
        room.counts.matches_dropped += beyond as u64;
        match sequence.anchor {
            Anchor::Each => drop(waiting.drain(..beyond)),
            Anchor::Earliest => waiting.truncate(room.matches),
            Anchor::Latest => {
                waiting.drain(..beyond);
                // The latest has moved the moment on for all.
                let moved = waiting.last().map(|latest| latest.deadline);
                waiting.iter_mut().for_each(|pending| pending.deadline = moved.unwrap_or(pending.deadline));
            }
        }
        self.pending = waiting;
    }
}

/// The match that several chains are, of which the `no` did not come: with `earliest` the oldest; else the latest, which
/// keeps the first event of all.
fn joint(anchor: Anchor, pending: Vec<Pending>) -> Option<Pending> {
    if anchor == Anchor::Earliest {
        return pending.into_iter().next();
    }
    let first = pending.iter().map(|pending| pending.first).min()?;
    pending.into_iter().next_back().map(|latest| Pending { first, ..latest })
}

/// The place of a chain's last event.
fn last(chain: &Chain) -> Option<Stamp> {
    chain.last().map(|event| event.stamp)
}

/// A chain as it is remembered beyond the instant.
fn kept(mut chain: Chain) -> Chain {
    if let Some(event) = chain.last_mut() {
        *event = Arc::new(event.kept());
    }
    chain
}
