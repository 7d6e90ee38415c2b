//! A customer under new rules: what is known goes on where it means the same, and the rest is what the log tells.

use super::{
    Engine,
    customer::{Customer, Match, Sent},
    frame::Kept,
    schedule::Schedules,
    sequence::{self, SequenceState},
    sparse::Sparse,
};
use segue_compiler::{
    consent::{Consent, Stamp},
    execution::Output,
    guard::counting_messages,
    plan::{
        Cell, CellKind, CellSource, FIRST_SEEN_WORD, FIXED_SLOTS, LAST_ACTIVE_WORD, Plan,
        meaning::{self, slots},
    },
    reach::{Reach, of_sequence},
    succession::{Matched, to_fill},
    typed::{EventId, EventSet, FieldId, Program, SegmentId, Sequence, SequenceId},
    value::{Millis, Text},
};
use std::collections::{BTreeMap, BTreeSet};

/// What has become of everything from one plan to the next.
#[derive(Debug)]
pub struct Passage {
    pub(super) matched: Matched,
    /// Of each cell of the new plan, the same one; nothing where it is filled from the log.
    cells: Vec<Option<Cell>>,
    /// Where the slots of each event of the old plan lie.
    slots: Vec<BTreeMap<u32, u32>>,
    /// Of each event of the new plan, the slots of what was declared before.
    declared: Vec<Declared>,
    /// Of each sequence of the new plan that is the same, whether more is kept of its events than before: the log tells that.
    keeps_more: Vec<bool>,
}

/// Slots of what was declared of an event before.
#[derive(Debug, Default)]
struct Declared {
    all: BTreeSet<u32>,
    /// Whether some of them are kept of a match now, and were not.
    keeps_more: bool,
}

impl Passage {
    /// Compares two engines, of which the second succeeds the first.
    pub(super) fn between(before: &Engine, after: &Engine) -> Self {
        let matched = Matched::between(&before.program, &after.program);
        let (old, new) = (&before.machine.plan, &after.machine.plan);
        let declared = declared((&before.program, old), (&after.program, new), &matched);
        let sequences = after.program.sequences.iter().zip(&matched.sequences);
        Self {
            cells: cells((&before.program, old), (&after.program, new), &matched),
            slots: all_slots((&before.program, old), (&after.program, new), &matched),
            keeps_more: sequences
                .map(|(sequence, same)| same.is_some() && keeps_more(sequence, &declared))
                .collect(),
            declared,
            matched,
        }
    }

    /// How far back the log must be told of to fill what is new, and what another plan keeps in another way.
    pub(super) fn to_fill(&self, before: &Engine, after: &Engine) -> Reach {
        let generation = after.program.generation();
        let is_let_go = |(cell, same): (&Cell, &Option<Cell>)| {
            let since = match &cell.source {
                CellSource::Events { since, .. } => Some(*since),
                CellSource::Sequence { sequence, .. } => {
                    after.program.sequences.get(sequence.0 as usize).map(|sequence| sequence.since)
                }
            };
            same.is_none() && since != Some(generation)
        };
        if after.machine.plan.cells.iter().zip(&self.cells).any(is_let_go) {
            return Reach { always: true, ..Reach::NONE };
        }
        let more = after.program.sequences.iter().zip(&self.keeps_more).filter(|(_, more)| **more);
        // Of what went on before the log begins, nothing is asked for.
        let more = more.map(|(sequence, _)| Reach { always: false, ..of_sequence(sequence) });
        more.fold(to_fill(&before.program, &after.program, &self.matched), Reach::or)
    }

    /// The events of what is under way, as the log tells them under the new rules.
    fn told(&self, state: &SequenceState) -> Told {
        let known = state.events().map(|event| {
            let slots = event.event.and_then(|event| self.declared.get(event.0 as usize));
            let was_declared = |slot: u32| slots.is_some_and(|slots| slots.all.contains(&slot));
            let same = event.carried(event.event, |slot| was_declared(slot).then_some(slot));
            ((event.message_id.clone(), event.at), same)
        });
        known.collect()
    }

    /// An event of a match, as the new plan lays it out.
    pub(super) fn event(&self, event: &Kept) -> Kept {
        let same = event.event.and_then(|id| self.matched.events.get(id.0 as usize).copied().flatten());
        let slots = event.event.and_then(|id| self.slots.get(id.0 as usize));
        event.carried(same, |slot| {
            if slot < FIXED_SLOTS { Some(slot) } else { slots.and_then(|slots| slots.get(&slot)).copied() }
        })
    }
}

/// Whether more is kept of a sequence's events than before.
fn keeps_more(sequence: &Sequence, declared: &[Declared]) -> bool {
    let mut events = (0..).map(EventId).zip(declared).filter(|(_, it)| it.keeps_more);
    let is_of = |set: &EventSet, event: EventId| match set {
        EventSet::Any => true,
        EventSet::Of(events) => events.contains(&event),
    };
    events.any(|(event, _)| sequence.elements.iter().any(|it| is_of(&it.pattern.events, event)))
}

/// Events of matches by id and time.
type Told = BTreeMap<(Text, Millis), Kept>;

/// See [`Passage::declared`].
fn declared(
    (old_program, old): (&Program, &Plan),
    (new_program, new): (&Program, &Plan),
    matched: &Matched,
) -> Vec<Declared> {
    let mut all: Vec<Declared> = new.layouts.iter().map(|_| Declared::default()).collect();
    for (number, (same, fields)) in (0..).zip(matched.events.iter().zip(&matched.event_fields)) {
        let Some(same) = same else { continue };
        let (Some(before), Some(layout)) =
            (old.layouts.get(number as usize), new.layouts.get(same.0 as usize))
        else {
            continue;
        };
        let kept_before: BTreeSet<_> = slots(old_program, old, EventId(number))
            .into_iter()
            .filter(|(_, slot)| before.kept.contains(slot))
            .map(|(path, _)| path)
            .collect();
        let was_declared = |field: u32| fields.contains(&Some(field as usize));
        let of_declared = layout.fields.iter().filter(|used| was_declared(used.field));
        let Some(found) = all.get_mut(same.0 as usize) else { continue };
        found.all = of_declared.flat_map(|used| &used.slots).map(|place| place.slot).collect();
        found.keeps_more = slots(new_program, new, *same).into_iter().any(|(path, slot)| {
            layout.kept.contains(&slot) && found.all.contains(&slot) && !kept_before.contains(&path)
        });
    }
    all
}

/// The same cells in two plans.
fn cells(
    (old_program, old): (&Program, &Plan),
    (new_program, new): (&Program, &Plan),
    matched: &Matched,
) -> Vec<Option<Cell>> {
    let generation = new_program.generation();
    let mut known = BTreeMap::new();
    for cell in &old.cells {
        if let Some(meaning) = meaning::cell(old_program, old, cell) {
            known.entry(meaning).or_insert(cell);
        }
    }
    let same = |cell: &Cell| match &cell.source {
        CellSource::Events { since, .. } if *since == generation => None,
        CellSource::Events { .. } => {
            known.get(&meaning::cell(new_program, new, cell)?).map(|cell| (*cell).clone())
        }
        CellSource::Sequence { sequence, since } => {
            let was = matched.sequences.get(sequence.0 as usize).copied().flatten()?;
            let source = CellSource::Sequence { sequence: was, since: *since };
            let is_it = |other: &&Cell| {
                other.source == source && meaning::kind(&other.kind) == meaning::kind(&cell.kind)
            };
            old.cells.iter().find(is_it).cloned()
        }
    };
    new.cells.iter().map(same).collect()
}

/// Where the slots of each event of the old plan lie in the new one.
fn all_slots(
    (old_program, old): (&Program, &Plan),
    (new_program, new): (&Program, &Plan),
    matched: &Matched,
) -> Vec<BTreeMap<u32, u32>> {
    let of = |(same, number): (&Option<EventId>, u32)| {
        let Some(same) = same else { return BTreeMap::new() };
        let places: BTreeMap<_, _> = slots(new_program, new, *same).into_iter().collect();
        let before = slots(old_program, old, EventId(number)).into_iter();
        before.filter_map(|(path, slot)| Some((slot, *places.get(&path)?))).collect()
    };
    matched.events.iter().zip(0..).map(of).collect()
}

impl Engine {
    /// Takes a customer over from the rules that were in force before. `told` is what the log tells of the customer, as
    /// read under the rules of now.
    pub(super) fn carry_customer(
        &self,
        before: &Self,
        passage: &Passage,
        mut customer: Customer,
        told: Customer,
        out: &mut Output,
    ) -> Customer {
        let mut carried = Customer::of(customer.id.clone(), &self.blank);
        carried.clock = customer.clock;
        carried.order = customer.order;
        carried.held = customer.held.take();
        carried.admission = std::mem::take(&mut customer.admission);
        carried.waiting = self.carry_waiting(before, passage, &mut customer, out);
        Self::carry_runs(before, passage, &customer, &mut carried);
        Self::carry_messages(before, passage, &customer, &mut carried);
        for (rule, progress) in customer.goals.iter() {
            if let Some(Some(current)) = passage.matched.goals.get(rule as usize) {
                let of = |found: &Match| found.mapped(|event| passage.event(event), |place| place);
                carried.goals.set(*current, progress.mapped(of));
            }
        }
        self.carry_profile(passage, (&customer, &told), &mut carried);
        carried.session = match (self.program.sessions, before.program.sessions) {
            (false, _) => None,
            (true, true) => customer.session.clone(),
            (true, false) => told.session.as_ref().map(|session| session.placed(first_of_its_time)),
        };
        let (same, clock) = (&passage.matched.schedules, customer.clock);
        carried.schedules = Schedules::carried(customer.schedules.as_ref(), &self.machine.plan, same, clock);
        self.carry_cells(passage, &customer, &told, &mut carried);
        self.carry_levels(before, passage, (&customer, &told), &mut carried);
        self.carry_sequences(before, passage, (customer, told), &mut carried);
        let recorded = carried.profile.iter().map(|(_, (_, stamp))| *stamp).max();
        let now = carried.clock.or(recorded.map(|(at, _)| at)).unwrap_or_default();
        self.settle_in(&mut carried, now);
        carried
    }

    /// A customer to whom a log is to be told that begins at an instant.
    pub(super) fn begin_customer(
        &self,
        passage: &Passage,
        customer: &Customer,
        log_from: Millis,
    ) -> Customer {
        let mut begun = Customer::of(customer.id.clone(), &self.blank);
        let first_seen = customer.record.get(FIRST_SEEN_WORD as usize).copied();
        // Who was not seen yet is so at the end of time.
        let first_seen = first_seen.filter(|seen| *seen < log_from);
        begun.set_word(FIRST_SEEN_WORD, first_seen);
        let mut now = first_seen;
        for (same, number) in passage.matched.profile.iter().zip(0..) {
            let recorded = same.and_then(|FieldId(same)| customer.profile.get(same));
            let Some((value, stamp)) = recorded.filter(|(_, stamp)| stamp.0 < log_from).cloned() else {
                continue;
            };
            begun.fill_slots(&self.machine, FieldId(number), &value);
            now = now.max(Some(stamp.0));
            begun.profile.set(number, (value, first_of_its_time(stamp)));
        }
        begun.zone = self.own_zone(&begun);
        begun.consent = customer.consent.before(log_from).carried(&Consent::default(), &passage.matched);
        // From then on all of it was so.
        if let Some(now) = now {
            begun.clock = Some(now);
            self.reach(&mut begun, now);
            self.settle_in(&mut begun, now);
        }
        begun
    }

    /// Finds out what follows from the rest.
    fn settle_in(&self, customer: &mut Customer, now: Millis) {
        customer.schedule_matches();
        self.set_levels(customer, now);
        self.settle_waiting(customer, now);
    }

    /// The messages that count for rates.
    fn carry_messages(before: &Self, passage: &Passage, customer: &Customer, carried: &mut Customer) {
        let Some(now) = customer.clock else { return };
        let all: Vec<_> = customer.sends.iter().map(|sent| (sent.at, sent.topic, &*sent.channel)).collect();
        for place in counting_messages(&before.program, &all, now) {
            let Some(sent) = customer.sends.get(place) else { continue };
            if let Some(topic) = passage.matched.topics.get(sent.topic.0 as usize).copied().flatten() {
                carried.sends.push_back(Sent { topic, ..sent.clone() });
            }
        }
    }

    /// Profile and consent.
    fn carry_profile(
        &self,
        passage: &Passage,
        (customer, told): (&Customer, &Customer),
        carried: &mut Customer,
    ) {
        for (same, number) in passage.matched.profile.iter().zip(0..) {
            let recorded = match same {
                Some(FieldId(same)) => customer.profile.get(*same).cloned(),
                None => {
                    let told = told.profile.get(number).cloned();
                    told.map(|(value, stamp)| (value, first_of_its_time(stamp)))
                }
            };
            if let Some((value, stamp)) = recorded {
                carried.fill_slots(&self.machine, FieldId(number), &value);
                carried.profile.set(number, (value, stamp));
            }
        }
        carried.consent = customer.consent.carried(&told.consent, &passage.matched);
        carried.zone = self.own_zone(carried);
    }

    /// What is remembered of events.
    fn carry_cells(&self, passage: &Passage, customer: &Customer, told: &Customer, carried: &mut Customer) {
        // Where the log does not tell which of several events of one time was first, those that it tells come last.
        let order = customer.order;
        for (cell, same) in self.machine.plan.cells.iter().zip(&passage.cells) {
            let was = same.as_ref().map(|same| &same.kind);
            match (&cell.kind, was) {
                (CellKind::Counter { word } | CellKind::Moment { word, .. }, was) => {
                    let value = match was {
                        Some(CellKind::Counter { word } | CellKind::Moment { word, .. }) => {
                            customer.record.get(*word as usize)
                        }
                        _ => told.record.get(*word as usize),
                    };
                    carried.set_word(*word, value.copied());
                }
                (CellKind::Total { place, .. }, Some(CellKind::Total { place: was, .. })) => {
                    take(&mut carried.totals, *place, customer.totals.get(*was).cloned());
                }
                (CellKind::Total { place, .. }, _) => {
                    let told = told.totals.get(*place).map(|total| total.at_order(order));
                    take(&mut carried.totals, *place, told);
                }
                (CellKind::Rows { place, .. }, Some(CellKind::Rows { place: was, .. })) => {
                    take(&mut carried.rings, *place, customer.rings.get(*was).cloned());
                }
                (CellKind::Rows { place, .. }, _) => {
                    let told = told.rings.get(*place).map(|ring| ring.clone().at_order(order));
                    take(&mut carried.rings, *place, told);
                }
                (CellKind::Days { place, .. }, Some(CellKind::Days { place: was, .. })) => {
                    take(&mut carried.days, *place, customer.days.get(*was).cloned());
                }
                (CellKind::Days { place, .. }, _) => {
                    let told = told.days.get(*place).map(|days| days.clone().at_order(order));
                    take(&mut carried.days, *place, told);
                }
                (CellKind::Periods { place, .. }, Some(CellKind::Periods { place: was, .. })) => {
                    take(&mut carried.periods, *place, customer.periods.get(*was).cloned());
                }
                (CellKind::Periods { place, .. }, _) => {
                    take(&mut carried.periods, *place, told.periods.get(*place).cloned());
                }
            }
        }
    }

    /// When the customer was first seen and last active, and since when conditions have held.
    fn carry_levels(
        &self,
        before: &Self,
        passage: &Passage,
        (customer, told): (&Customer, &Customer),
        carried: &mut Customer,
    ) {
        let word = |of: &Customer, word: u32| of.record.get(word as usize).copied();
        carried.set_word(FIRST_SEEN_WORD, word(customer, FIRST_SEEN_WORD));
        let is_new = self.program.active_since == self.program.generation();
        let active = if is_new { told } else { customer };
        carried.set_word(LAST_ACTIVE_WORD, word(active, LAST_ACTIVE_WORD));
        let (old, new) = (&before.machine.plan, &self.machine.plan);
        for (same, number) in passage.matched.held.iter().zip(0..) {
            let (from, plan, was) = match same {
                Some(was) => (customer, old, was.0),
                None => (told, new, number),
            };
            let holds = from.is_member(&plan.record, SegmentId(plan.segments + was));
            if holds {
                carried.raise(&new.record, SegmentId(new.segments + number));
                carried.set_word(new.record.held + number, word(from, plan.record.held + was));
            }
        }
    }

    /// What is under way in sequences.
    fn carry_sequences(
        &self,
        before: &Self,
        passage: &Passage,
        (mut customer, mut told): (Customer, Customer),
        carried: &mut Customer,
    ) {
        for (same, number) in passage.matched.sequences.iter().zip(0..) {
            let state = match same {
                Some(SequenceId(was)) => {
                    let keeps_more = passage.keeps_more.get(number as usize).is_some_and(|more| *more);
                    let filled = told.sequences.get_mut(number).filter(|_| keeps_more);
                    let told = filled.map(|it| passage.told(it.read(&self.machine))).unwrap_or_default();
                    let event = |event: &Kept| match told.get(&(event.message_id.clone(), event.at)) {
                        Some(told) => told.at_order(event.order),
                        None => passage.event(event),
                    };
                    let state = customer.sequences.get_mut(*was).map(|it| it.read(&before.machine));
                    state.map(|state| state.mapped(event, |place| place))
                }
                None => {
                    let state = told.sequences.get_mut(number).map(|it| it.read(&self.machine));
                    state.map(|state| state.mapped(|event| event.at_order(0), first_of_its_time))
                }
            };
            if let Some(mut state) = state {
                let triggered = passage.matched.triggered.get(number as usize).and_then(Option::as_ref);
                if let (Some(triggered), Some(now)) = (triggered, carried.clock) {
                    let by = customer.sequences.get_mut(triggered.by.0);
                    let waiting = by.map(|by| by.read(&before.machine).waits_from()).unwrap_or_default();
                    state.forget_triggered(triggered, &waiting, now);
                }
                carried.sequences.set(number, sequence::Sequence::of(state));
            }
        }
    }
}

impl Customer {
    fn set_word(&mut self, word: u32, value: Option<i64>) {
        if let (Some(place), Some(value)) = (self.record.get_mut(word as usize), value) {
            *place = value;
        }
    }
}

/// Puts something in its place, where there is something.
fn take<T: Default>(all: &mut Sparse<T>, place: u32, value: Option<T>) {
    if let Some(value) = value {
        all.set(place, value);
    }
}

/// Where something lies that the log tells: before everything else of its time, so that what counts from it on includes all
/// of that time.
fn first_of_its_time((at, _): Stamp) -> Stamp {
    (at, 0)
}
