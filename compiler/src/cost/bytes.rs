//! How many bytes things take at rest: the same sums for somebody usual and for the most that anybody can take.

use super::Needs;
use crate::{
    admission::FINGERPRINT_BYTES,
    calendar::ZONE_DAYS,
    limits::{
        EXACT_EVENTS, MAX_CHANNEL_BYTES, MAX_CHANNELS, MAX_GOAL_RUNS, MAX_IDS, MAX_ITEMS, MAX_MATCHES,
        MAX_NAME_BYTES, MAX_RUNS,
    },
    plan::{Cell, CellKind, CellSource, Class, Node, NodeId, OpKind, Plan},
    typed::{Anchor, EventId, EventType, Limit, Overlap, Program, SequenceId, StepKind, Trigger, visit},
    types::Type,
    value::KEPT_TEXT_BYTES,
};
use std::collections::BTreeSet;

/// What is taken for given of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assumed {
    /// How many events lie in a window.
    pub events: u64,
    /// How many matches of a sequence are under way.
    pub matches: u64,
    /// How many stretches of a window hold older events.
    pub stretches: u64,
    /// On how many of the days that are asked for something happened.
    pub days: u64,
    /// The bytes of a text, and of a name or id.
    pub text: u64,
    /// See `text`.
    pub name: u64,
    /// The items of a list.
    pub items: u64,
    /// Message ids that are known, messages that count for one rate, and channels with consent.
    pub ids: u64,
    /// See `ids`.
    pub sent: u64,
    /// See `ids`.
    pub channels: u64,
    /// Whether messages are held.
    pub held: bool,
}

impl Assumed {
    /// Somebody usual: four events in each window, one match under way, a few messages.
    pub const USUAL: Self = Self {
        events: 4,
        matches: 1,
        stretches: 0,
        days: 4,
        text: 16,
        name: 24,
        items: 3,
        ids: 8,
        sent: 2,
        channels: 2,
        held: false,
    };
    /// The most that anybody can take.
    pub const WORST: Self = Self {
        events: EXACT_EVENTS as u64,
        matches: MAX_MATCHES as u64,
        stretches: EXACT_EVENTS as u64 + 2,
        days: u64::MAX,
        text: KEPT_TEXT_BYTES as u64,
        name: MAX_NAME_BYTES as u64,
        items: MAX_ITEMS as u64,
        ids: MAX_IDS as u64,
        sent: u64::MAX,
        // And the word on all of them.
        channels: MAX_CHANNELS as u64 + 1,
        held: true,
    };
}

/// An instant of our years, as bytes.
const INSTANT: u64 = 8;
/// An instant that may be none.
const MAYBE_INSTANT: u64 = 11;
/// A place in a customer's order of application (fewer than 2³⁵ events), and a time with it.
const ORDER: u64 = 6;
const STAMP: u64 = INSTANT + ORDER;
/// A word of the fixed part that changed: where it is and what it says.
const WORD: u64 = 13;
/// How many things follow; and the number of one of them.
const COUNT: u64 = 3;
/// A number of any size.
const NUMBER: u64 = 9;
/// A sum.
const SUM: u64 = 16;
/// How many segments' bits a word holds.
const BITS: u64 = 64;

/// Sizes of what a plan keeps.
pub(crate) struct Sizes<'p> {
    program: &'p Program,
    plan: &'p Plan,
}

impl<'p> Sizes<'p> {
    /// The latest session.
    pub(crate) const SESSION: u64 = 3 * STAMP + 2 * NUMBER + 4;
    /// The mark of a schedule's last occurrence.
    pub(crate) const SCHEDULE: u64 = 2 * COUNT + MAYBE_INSTANT;

    pub(crate) fn new(program: &'p Program, plan: &'p Plan) -> Self {
        Self { program, plan }
    }

    /// All that is kept because of something.
    pub(super) fn of(&self, needs: &Needs, assumed: Assumed) -> u64 {
        let cells = needs.cells.iter().filter_map(|id| self.plan.cell(*id)).map(|it| self.cell(it, assumed));
        let sequences = needs.sequences.iter().map(|id| self.sequence(*id, assumed));
        let rules = needs.rules.iter().map(|place| self.rule(*place, assumed));
        // Since when a condition has held is a word besides its bit.
        let held = needs.held.len() as u64;
        let segments = (needs.segments + held).div_ceil(BITS) * WORD + held * WORD;
        cells.chain(sequences).chain(rules).chain([segments]).fold(0, u64::saturating_add)
    }

    /// A cell.
    pub(crate) fn cell(&self, cell: &Cell, assumed: Assumed) -> u64 {
        match &cell.kind {
            CellKind::Counter { .. } | CellKind::Moment { .. } => WORD,
            CellKind::Total { class, .. } => COUNT + total(self.scalar(*class, assumed)),
            CellKind::Rows { capacity, columns, stretch, .. } => {
                let values = columns.iter().enumerate().map(|(number, class)| {
                    let node = self.column(&cell.source, number);
                    self.column_value(&cell.source, *class, node, number + 1 == columns.len(), assumed)
                });
                let row = sum(values).saturating_add(STAMP + 1);
                let older = match (stretch, columns.last()) {
                    (None, _) => 0,
                    (Some(_), class) => {
                        let value = class.map_or(0, |class| self.scalar(*class, assumed));
                        assumed.stretches * (INSTANT + total(value))
                    }
                };
                let rows = u64::from(*capacity).min(assumed.events).saturating_mul(row);
                rows.saturating_add(older).saturating_add(3 * COUNT)
            }
            CellKind::Days { class, reach, .. } => {
                let value = class.map_or(0, |class| self.scalar(class, assumed));
                periods(*reach).min(assumed.days).saturating_mul(ORDER + total(value)) + 2 * COUNT
            }
            CellKind::Periods { reach, .. } => {
                (periods(*reach).min(assumed.days).div_ceil(BITS) + 1) * NUMBER + ORDER + 2 * COUNT
            }
        }
    }

    /// The node that fills a column.
    fn column(&self, source: &CellSource, number: usize) -> Option<NodeId> {
        match source {
            CellSource::Events { columns, .. } => columns.get(number).copied(),
            CellSource::Sequence { .. } => None,
        }
    }

    fn column_value(
        &self,
        source: &CellSource,
        class: Class,
        node: Option<NodeId>,
        is_last: bool,
        assumed: Assumed,
    ) -> u64 {
        let CellSource::Events { events, object, .. } = source else { return self.scalar(class, assumed) };
        if class != Class::Value {
            return self.scalar(class, assumed);
        }
        let of_events: Vec<EventId> = match events {
            Some(events) => events.clone(),
            None => Vec::new(),
        };
        if *object && is_last {
            return self.largest(&of_events, |event| whole(event, assumed));
        }
        let slot = match node.map(|node| self.plan.node(node)) {
            Some(Node::Slot { slot, .. }) => Some(*slot),
            _ => None,
        };
        let of_slot = |event: &EventType, id: EventId| {
            slot.and_then(|slot| self.slot_type(event, id, slot)).map(|ty| of_type(&ty, assumed))
        };
        let known = of_events.iter().filter_map(|id| of_slot(self.program.events.get(id.0 as usize)?, *id));
        // A list that is calculated is no larger than the events that it is calculated of.
        known.max().unwrap_or_else(|| self.largest(&of_events, |event| whole(event, assumed)))
    }

    fn largest(&self, events: &[EventId], size: impl Fn(&EventType) -> u64) -> u64 {
        let declared = self.program.events.iter().zip((0..).map(EventId));
        let among = declared.filter(|(_, id)| events.is_empty() || events.contains(id));
        among.map(|(event, _)| size(event)).max().unwrap_or(0)
    }

    /// The type of what a slot of an event holds.
    fn slot_type(&self, event: &EventType, id: EventId, slot: u32) -> Option<Type> {
        let layout = self.plan.layouts.get(id.0 as usize)?;
        layout.fields.iter().find_map(|used| {
            let filled = used.slots.iter().find(|filled| filled.slot == slot)?;
            event.fields.get(used.field as usize)?.ty.at(&filled.path)
        })
    }

    /// The most that matches of a sequence take.
    pub(crate) fn sequence(&self, id: SequenceId, assumed: Assumed) -> u64 {
        let Some(sequence) = self.plan.sequences.get(id.0 as usize) else { return 0 };
        if sequence.is_plain() {
            return 0;
        }
        let begun = COUNT + 1 + 2 * MAYBE_INSTANT;
        if sequence.within.len() == 1 && sequence.then_no.is_none() {
            return begun;
        }
        let keyed = sequence.same.values().any(|slots| !slots.is_empty());
        let (followed, elsewhere) = if keyed { (assumed.matches, assumed.matches) } else { (1, 1) };
        let elements = sequence.within.len() as u64;
        let of_key = sequence.same.values().map(Vec::len).max().unwrap_or(0) as u64;
        let key = of_key * text(assumed) + STAMP + 2 * COUNT + 1 + STAMP;
        // Those that are not complete, and those that wait for what must not come.
        let (open, waiting) = (elements > 1, sequence.then_no.is_some());
        let (open_each, waiting_each) = match sequence.anchor {
            Anchor::Latest => (elements - 1, 1),
            Anchor::Earliest => ((elements - 1) * assumed.matches, 1),
            Anchor::Each => (assumed.matches, assumed.matches),
        };
        let matches = if open { open_each } else { 0 } + if waiting { waiting_each } else { 0 };
        let event = self.kept(id, assumed);
        let one = elements.saturating_mul(event) + STAMP + INSTANT + 2 * COUNT;
        let under_way = matches.saturating_mul(one);
        let with_matches = followed.saturating_mul(key.saturating_add(under_way));
        // Of others only what must not come is known.
        let denied = if sequence.then_no.is_some() { elsewhere * key } else { 0 };
        with_matches.saturating_add(denied).saturating_add(begun)
    }

    /// An event as part of a match: the fields that rules read of the largest.
    fn kept(&self, sequence: SequenceId, assumed: Assumed) -> u64 {
        let events = self.program.events.iter().zip(&self.plan.layouts).zip((0..).map(EventId));
        let values = events.map(|((event, layout), id)| {
            sum(layout.kept.iter().map(|slot| {
                let ty = self.slot_type(event, id, *slot);
                2 + ty.map_or(text(assumed), |ty| of_type(&ty, assumed))
            }))
        });
        // Of events that are not declared the name is kept, too.
        let any = self.plan.other.roles.iter().any(|role| role.sequence == sequence);
        let names = (1 + u64::from(any)) * (COUNT + assumed.name);
        values.max().unwrap_or(0).saturating_add(names + STAMP + COUNT)
    }

    /// The largest event as it is kept, declared or not.
    fn any_event(&self, assumed: Assumed) -> u64 {
        let id = SequenceId(u32::MAX);
        self.kept(id, assumed).saturating_add(COUNT + assumed.name)
    }

    /// What is kept of a rule itself: runs that count for its limit, its goal, the last occurrence of its schedule.
    fn rule(&self, place: usize, assumed: Assumed) -> u64 {
        let Some(rule) = self.program.rules.get(place) else { return 0 };
        let limit = match rule.limit {
            None => 0,
            Some(Limit::Once) => 3 * COUNT + INSTANT,
            Some(Limit::Per { count, .. }) => {
                3 * COUNT + u64::from(count).min(assumed.sent.saturating_mul(2)) * INSTANT
            }
        };
        let goal =
            rule.goal.as_ref().map_or(0, |_| 3 * COUNT + assumed.matches.min(MAX_GOAL_RUNS as u64) * STAMP);
        let schedule = match rule.trigger {
            Trigger::Schedule(_) => Self::SCHEDULE,
            _ => 0,
        };
        limit.saturating_add(goal).saturating_add(schedule).saturating_add(self.runs(place, assumed))
    }

    /// Runs of a rule that wait, or whose message is held.
    fn runs(&self, place: usize, assumed: Assumed) -> u64 {
        let (Some(rule), Some(plan)) = (self.program.rules.get(place), self.plan.rules.get(place)) else {
            return 0;
        };
        let waits = plan.operations.iter().any(|operation| match operation.kind {
            OpKind::Wait(_) | OpKind::WaitFor { .. } => true,
            OpKind::Send { .. } => assumed.held,
            _ => false,
        });
        let runs = match (waits, &rule.overlap) {
            (false, _) => return 0,
            (true, Overlap::Skip | Overlap::Restart) => 1,
            (true, Overlap::Per(_)) => assumed.matches.min(MAX_RUNS as u64),
        };
        let name = COUNT + assumed.name;
        let (events, parts) = match rule.trigger.sequence() {
            Some(id) => {
                let elements = self.plan.sequences.get(id.0 as usize).map_or(0, |it| it.within.len() as u64);
                (elements.saturating_mul(self.kept(id, assumed)), elements)
            }
            None => (0, 4),
        };
        // The event that it was answered with, and its messages: an id of 16 bytes and a channel.
        let is = |kind: &OpKind| match kind {
            OpKind::WaitFor { .. } => (1, 0),
            OpKind::Send { .. } | OpKind::Reply { .. } => (0, 1),
            _ => (0, 0),
        };
        let kinds = plan.operations.iter().map(|operation| is(&operation.kind));
        let (answers, messages) = kinds.fold((0_u64, 0_u64), |all, one| (all.0.max(one.0), all.1 + one.1));
        let answer = answers.saturating_mul(self.any_event(assumed));
        let channel = COUNT + assumed.name.min(MAX_CHANNEL_BYTES as u64);
        let sent = messages * (16 + channel);
        // Whose it was, what its ids are made of and why it began; where it is, and what is held.
        let memory =
            (parts + 4) * name + text(assumed) + 4 * STAMP + 4 * MAYBE_INSTANT + 12 * COUNT + channel;
        runs.saturating_mul(sum([events, answer, sent, memory].into_iter()))
    }

    /// A value of a class that is no list.
    fn scalar(&self, class: Class, assumed: Assumed) -> u64 {
        match class {
            Class::Text | Class::Value => text(assumed),
            Class::Boolean => 1,
            Class::Number | Class::Time | Class::Date | Class::Duration => 1 + NUMBER,
        }
    }
}

/// A part of what is kept of every customer: its words, how much of it there always is, and how to find out the rest.
type Common = (&'static str, u64, fn(&Sizes<'_>, Assumed) -> u64);

/// What is kept of every customer, whatever rules say.
pub(super) fn common(program: &Program) -> Vec<Common> {
    let mut all: Vec<Common> = vec![
        ("id, clock, first seen, last active", 30, |_, assumed| {
            COUNT + assumed.name + 2 * MAYBE_INSTANT + ORDER + 2 * WORD + 16
        }),
        ("message ids", 0, |_, assumed| {
            assumed.ids * (INSTANT + FINGERPRINT_BYTES as u64) + COUNT + MAYBE_INSTANT
        }),
        ("profile", 0, |sizes, assumed| {
            let fields = sizes.program.profile.iter().map(|it| of_type(&it.field.ty, assumed));
            sum(fields.map(|value| value.saturating_add(COUNT + STAMP)))
        }),
        ("consent", 0, |sizes, assumed| {
            let topics = sizes.program.topics.len() as u64 + 1;
            let name = COUNT + assumed.name.min(MAX_CHANNEL_BYTES as u64);
            assumed.channels * (2 * name + COUNT + topics * (COUNT + 2 + STAMP))
        }),
    ];
    if program.topics.iter().any(|topic| !topic.rates.is_empty()) {
        all.push(("messages that count for rates", 0, |sizes, assumed| {
            let program = sizes.program;
            let most = program.topics.iter().flat_map(|topic| &topic.rates).map(|rate| rate.count).max();
            let kinds = program.topics.len() as u64 * channels(program);
            let message = INSTANT + COUNT + COUNT + assumed.name.min(MAX_CHANNEL_BYTES as u64);
            assumed.sent.min(kinds.saturating_mul(u64::from(most.unwrap_or(0)))).saturating_mul(message)
        }));
    }
    if program.sessions {
        all.push(("session", 0, |_, _| Sizes::SESSION));
    }
    if !program.schedules.is_empty() {
        all.push(("schedules", 10, |_, _| 2 * MAYBE_INSTANT + 2));
    }
    all
}

/// On how many channels rules send.
fn channels(program: &Program) -> u64 {
    let mut found = BTreeSet::new();
    for rule in &program.rules {
        visit::each_step(&rule.steps, &mut |step| {
            if let StepKind::Send { channel, .. } = &step.kind {
                found.insert(channel.clone());
            }
        });
    }
    found.len() as u64
}

/// How many days or weeks are kept for so many that are asked for.
fn periods(reach: i32) -> u64 {
    u64::try_from(reach.saturating_add(ZONE_DAYS)).unwrap_or(0)
}

/// Count, sum, extremes, first and last.
fn total(value: u64) -> u64 {
    ORDER + SUM + 2 * value.max(1) + 2 * (1 + STAMP + value)
}

fn text(assumed: Assumed) -> u64 {
    1 + COUNT + assumed.text
}

/// A value of a type.
fn of_type(ty: &Type, assumed: Assumed) -> u64 {
    match ty {
        Type::Text => text(assumed),
        Type::Boolean => 1,
        Type::Number | Type::Time | Type::Date | Type::Duration => 1 + NUMBER,
        Type::List(item) => assumed.items.saturating_mul(of_type(item, assumed)).saturating_add(1 + COUNT),
        Type::Object(fields) => sum(fields
            .iter()
            .map(|field| of_type(&field.ty, assumed).saturating_add(COUNT + field.name.len() as u64)))
        .saturating_add(1 + COUNT),
    }
}

/// A whole event as an object.
fn whole(event: &EventType, assumed: Assumed) -> u64 {
    let fields = event.fields.iter();
    let fields = fields.map(|it| of_type(&it.ty, assumed).saturating_add(COUNT + it.name.len() as u64));
    // With its time, id and name.
    sum(fields).saturating_add(3 * (COUNT + assumed.name) + 40)
}

fn sum(sizes: impl Iterator<Item = u64>) -> u64 {
    sizes.fold(0, u64::saturating_add)
}
