//! What is known of one customer.

use super::{
    days::{Days, Periods},
    frame::{Frame, Kept},
    machine::Machine,
    merge::Shift,
    ring::Ring,
    run::Waiting,
    schedule::Schedules,
    sequence::Sequence,
    sparse::Sparse,
    total::Total,
};
use segue_compiler::{
    admission::Admission,
    consent::{Consent, Stamp},
    goal::Progress,
    pack::{Broken, Packed, Packer, Unpacker, with_room},
    packed,
    plan::{CellKind, FIRST_SEEN_WORD, LAST_ACTIVE_WORD, NEVER, Plan, RecordLayout, UNSEEN},
    session::Session,
    settle::Held,
    time::Zone,
    typed::{FieldId, Program, SegmentId, TopicId},
    value::{Millis, Value},
};
use smallvec::SmallVec;
use std::{collections::VecDeque, sync::Arc};

/// One customer's state. A copy shares what is large until one of both changes it.
#[derive(Clone)]
pub struct Customer {
    pub(super) id: Arc<str>,
    /// The latest time seen; `None` before the first call.
    pub(super) clock: Option<Millis>,
    /// How many calls and made events were applied.
    pub(super) order: u64,
    /// Calls that are not settled yet.
    pub(super) held: Option<Box<Held>>,
    pub(super) admission: Admission,
    /// The fixed part, laid out by the plan.
    pub(super) record: Box<[i64]>,
    pub(super) rings: Sparse<Ring>,
    pub(super) totals: Sparse<Total>,
    pub(super) days: Sparse<Days>,
    pub(super) periods: Sparse<Periods>,
    /// The latest session, where sessions are asked for.
    pub(super) session: Option<Session>,
    pub(super) sequences: Sparse<Sequence>,
    /// The earliest instant at which a match of a sequence completes by time.
    pub(super) next_match: Option<Millis>,
    /// By field, of those that were recorded: the value and when it was recorded.
    pub(super) profile: Sparse<(Value, Stamp)>,
    /// Texts, lists and objects by slot of the plan.
    pub(super) profile_slots: Sparse<Value>,
    pub(super) consent: Consent,
    /// The customer's own zone.
    pub(super) zone: Option<Zone>,
    /// By rule.
    pub(super) runs: Sparse<Runs>,
    /// The runs that wait, by rule, then in the order in which they began.
    pub(super) waiting: Vec<Waiting>,
    pub(super) sends: VecDeque<Sent>,
    /// By rule, how far its goal is.
    pub(super) goals: Sparse<Progress<Match>>,
    /// The earliest instant at which a segment may change by time; [`i64::MIN`] when that must be found out.
    pub(super) next_change: Millis,
    /// When the service is back, while time passes in which it was down. At rest there is none.
    pub(super) back_at: Option<Millis>,
    /// What is known of schedules; `None` where the program has none.
    pub(super) schedules: Option<Schedules>,
}

/// Runs of one rule.
#[derive(Clone, Debug, Default)]
pub(super) struct Runs {
    /// When those that count were started, oldest first; as many as the limit asks for.
    pub(super) started: VecDeque<Millis>,
    /// Those that do their steps now, by the value that tells them apart.
    pub(super) under_way: SmallVec<[Value; 1]>,
}

/// A message that counts for rates.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) at: Millis,
    pub(super) topic: TopicId,
    pub(super) channel: Arc<str>,
}

/// Events of a match, one for each element.
pub(super) type Events = SmallVec<[Arc<Kept>; 2]>;

/// A completed match.
#[derive(Clone, Debug)]
pub(super) struct Match {
    /// Its events, one for each element.
    pub(super) events: Events,
    /// The place of its first event.
    pub(super) first: Stamp,
}

/// Whoever rests does no steps, so that hardly anything is under way.
impl Packed for Runs {
    fn pack(&self, to: &mut Packer) {
        let Self { started, under_way } = self;
        to.number((started.len() as u64) << 1 | u64::from(!under_way.is_empty()));
        started.iter().for_each(|at| at.pack(to));
        if !under_way.is_empty() {
            under_way.pack(to);
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Broken> {
        if from.is_former() {
            return Ok(Self { started: Packed::unpack(from)?, under_way: Packed::unpack(from)? });
        }
        let head = from.number()?;
        let count = from.at_most(head >> 1)?;
        let mut started = VecDeque::with_capacity(with_room(count));
        for _ in 0..count {
            started.push_back(Packed::unpack(from)?);
        }
        Ok(Self { started, under_way: if head & 1 == 1 { Packed::unpack(from)? } else { SmallVec::new() } })
    }
}

packed!(Sent { at, topic, channel });
packed!(Match { events, first });

/// A match with its events as machine code reads them.
#[derive(Clone, Debug)]
pub(super) struct Opened {
    /// One for each element.
    pub(super) frames: Vec<Frame>,
    /// The place of its first event.
    pub(super) first: Stamp,
    /// The event that ended a wait.
    pub(super) answer: Option<Frame>,
}

impl Match {
    /// The same with other events and another place.
    pub(super) fn mapped(&self, of: impl Fn(&Kept) -> Kept, place: impl Fn(Stamp) -> Stamp) -> Self {
        Self {
            events: self.events.iter().map(|event| Arc::new(of(event))).collect(),
            first: place(self.first),
        }
    }

    /// The same in the order of another customer.
    pub(super) fn shifted(&self, shift: Shift) -> Self {
        let events = self.events.iter().map(|event| Arc::new(event.shifted(shift))).collect();
        Self { events, first: shift.stamp(self.first) }
    }

    pub(super) fn open(&self, machine: &Machine) -> Opened {
        let frames = self.events.iter().map(|event| event.frame(machine)).collect();
        Opened { frames, first: self.first, answer: None }
    }
}

impl Customer {
    pub(super) fn new(id: Arc<str>, record: Box<[i64]>) -> Self {
        Self {
            id,
            clock: None,
            order: 0,
            held: None,
            admission: Admission::default(),
            record,
            rings: Sparse::default(),
            totals: Sparse::default(),
            days: Sparse::default(),
            periods: Sparse::default(),
            session: None,
            sequences: Sparse::default(),
            next_match: None,
            profile: Sparse::default(),
            profile_slots: Sparse::default(),
            consent: Consent::default(),
            zone: None,
            runs: Sparse::default(),
            waiting: Vec::new(),
            sends: VecDeque::new(),
            goals: Sparse::default(),
            next_change: i64::MIN,
            back_at: None,
            schedules: None,
        }
    }

    /// A customer of whom nothing is known, as every other begins.
    pub(super) fn blank(program: &Program, machine: &Machine) -> Self {
        let layout = &machine.plan.record;
        let mut record = vec![0; layout.words as usize];
        for (word, value) in initial_words(machine) {
            if let Some(place) = record.get_mut(word as usize) {
                *place = value;
            }
        }
        let mut customer = Self::new(Arc::from(""), record.into());
        customer.schedules = Schedules::new(&machine.plan);
        for (field, number) in program.profile.iter().zip(0..) {
            if field.default.is_known() {
                customer.fill_slots(machine, FieldId(number), &field.default);
            }
        }
        customer
    }

    /// Begins as a blank customer.
    pub(super) fn of(id: Arc<str>, blank: &Self) -> Self {
        Self {
            profile_slots: blank.profile_slots.clone(),
            zone: blank.zone.clone(),
            schedules: blank.schedules.clone(),
            ..Self::new(id, blank.record.clone())
        }
    }

    /// Finds out when the next match completes by time, after sequences have moved.
    pub(super) fn schedule_matches(&mut self) {
        self.next_match = self.sequences.iter().filter_map(|(_, state)| state.next_deadline()).min();
    }

    /// The value of a profile field: what was recorded, else its default.
    pub(super) fn field<'c>(&'c self, program: &'c Program, field: FieldId) -> Option<&'c Value> {
        let recorded = self.profile.get(field.0).map(|(value, _)| value);
        recorded.or_else(|| program.profile.get(field.0 as usize).map(|field| &field.default))
    }

    /// The place of the next call or made event in the order of application.
    pub(super) fn next_order(&mut self) -> u64 {
        self.order += 1;
        self.order
    }

    /// The place of the latest one.
    pub(super) fn order(&self) -> u64 {
        self.order
    }

    pub(super) fn next_deadline(&self) -> Option<Millis> {
        if !self.is_seen() {
            return None;
        }
        let change = (self.next_change != i64::MAX).then_some(self.next_change);
        let occurrence = self.schedules.as_ref().and_then(|schedules| schedules.next);
        let session = self.session.as_ref().and_then(Session::comes_to_its_end);
        let wait = self.waiting.iter().map(Waiting::next_deadline).min();
        self.next_match.into_iter().chain(session).chain(change).chain(occurrence).chain(wait).min()
    }

    /// Whether a call was applied; before that, time alone changes nothing.
    pub(super) fn is_seen(&self) -> bool {
        self.record.get(FIRST_SEEN_WORD as usize).is_some_and(|first| *first != UNSEEN)
    }

    pub(super) fn is_member(&self, layout: &RecordLayout, segment: SegmentId) -> bool {
        let word = self.record.get((layout.segments + segment.0 / 64) as usize).copied().unwrap_or(0);
        word >> (segment.0 % 64) & 1 == 1
    }

    /// Gives a level, as of the last instant, that holds.
    pub(super) fn raise(&mut self, layout: &RecordLayout, level: SegmentId) {
        if let Some(word) = self.record.get_mut((layout.segments + level.0 / 64) as usize) {
            *word |= 1 << (level.0 % 64);
        }
    }

    /// Begins anew with every condition that must hold without a break.
    pub(super) fn forget_held(&mut self, plan: &Plan) {
        let first = usize::try_from(plan.segments).unwrap_or(usize::MAX);
        for level in first..plan.levels.len() {
            if let Some(word) = self.record.get_mut(plan.record.segments as usize + level / 64) {
                *word &= !(1 << (level % 64));
            }
        }
    }

    /// Counts a call that was applied.
    pub(super) fn seen(&mut self, at: Millis, active: bool) {
        let [first_seen, last_active] = [FIRST_SEEN_WORD as usize, LAST_ACTIVE_WORD as usize];
        if let Some(word) = self.record.get_mut(first_seen)
            && at < *word
        {
            *word = at;
            // Every condition on how long the customer is known may change.
            self.next_change = i64::MIN;
        }
        if let Some(word) = self.record.get_mut(last_active)
            && active
        {
            *word = at.max(*word);
        }
    }
}

/// Words that do not begin as 0.
fn initial_words(machine: &Machine) -> Vec<(u32, i64)> {
    let mut words = vec![(FIRST_SEEN_WORD, UNSEEN), (LAST_ACTIVE_WORD, NEVER)];
    for cell in &machine.plan.cells {
        if let CellKind::Moment { word, first } = cell.kind {
            words.push((word, if first { UNSEEN } else { NEVER }));
        }
    }
    words
}
