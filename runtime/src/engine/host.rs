//! The functions that machine code calls, and the context that it hands to them.
#![expect(unsafe_code, reason = "machine code calls in with a pointer to the context")]

use super::{
    Engine,
    customer::{Customer, Match, Opened},
    days::{Days, Periods},
    frame::Frame,
    machine::Machine,
    ring::Ring,
    sequence::{self, Completed, Sequence},
    sparse::Sparse,
    total::Total,
};
use segue_compiler::{
    abi::{FRAME_ANSWER, Header, HostTable, NO_DEADLINE, Slot},
    consent::Consent,
    execution::Counts,
    limits::MAX_ELEMENTS,
    module::{Answers, Call, Condition},
    plan::{CellId, Class, ConditionId, FIXED_SLOTS, NodeId, Task},
    session::Session,
    time::Zone,
    typed::{Program, ScheduleId, SegmentId, SequenceId},
    value::{Millis, Value},
};

/// What a call of machine code works on. Machine code knows its first field.
#[repr(C)]
pub(super) struct Context<'a> {
    pub(super) header: Header,
    pub(super) machine: &'a Machine,
    pub(super) program: &'a Program,
    record: *mut i64,
    words: usize,
    pub(super) rings: &'a mut Sparse<Ring>,
    pub(super) totals: &'a mut Sparse<Total>,
    pub(super) days: &'a mut Sparse<Days>,
    pub(super) periods: &'a mut Sparse<Periods>,
    pub(super) sequences: &'a mut Sparse<Sequence>,
    pub(super) profile_slots: &'a Sparse<Value>,
    pub(super) consent: &'a Consent,
    pub(super) zone: &'a Zone,
    /// The latest session, where sessions are asked for.
    pub(super) session: Option<&'a Session>,
    /// The event that is being applied.
    pub(super) this: Option<&'a Frame>,
    /// The match that triggered the run.
    pub(super) run: Option<&'a Opened>,
    /// Whether the event is not too late to start something.
    pub(super) starts: bool,
    /// Whether the event does nothing but cancel.
    pub(super) cancels_only: bool,
    /// How late an event may be that starts something.
    pub(super) lateness: i64,
    /// The row that is being made.
    pub(super) columns: Vec<Value>,
    pub(super) temporaries: Vec<Value>,
    /// The query under way: its ring, the positions that it looks at, those that it keeps.
    pub(super) queried: u32,
    pub(super) rows: Vec<usize>,
    pub(super) kept: Vec<usize>,
    pub(super) row_slots: Vec<Slot>,
    /// While the plan is interpreted, the values below a query's condition that are the same for every row.
    pub(super) ahead: Vec<(NodeId, Slot)>,
    pub(super) edges: Vec<(SegmentId, bool)>,
    /// Whether an event played a role in a sequence.
    pub(super) moved: bool,
    pub(super) matches: Vec<(SequenceId, Match)>,
    pub(super) counts: Counts,
}

/// What machine code is run for.
#[derive(Clone, Copy, Default)]
pub(super) struct Occasion<'a> {
    pub(super) now: Millis,
    /// The event that is being applied, and whether it is not too late to start something.
    pub(super) event: Option<(&'a Frame, bool)>,
    /// The match that triggered the run.
    pub(super) run: Option<&'a Opened>,
    /// Whether the event does nothing but cancel: it feeds no cell and begins no match.
    pub(super) cancels_only: bool,
}

/// What a call of machine code did besides its result.
#[derive(Default)]
pub(super) struct Effects {
    /// Segments that changed, in order of evaluation.
    pub(super) edges: Vec<(SegmentId, bool)>,
    /// Matches that were completed, in order.
    pub(super) matches: Vec<(SequenceId, Match)>,
    /// Schedules that came round.
    pub(super) scheduled: Vec<ScheduleId>,
    pub(super) counts: Counts,
    /// The value that was computed, where one was.
    pub(super) value: Value,
    /// The earliest next deadline that is left in the header.
    pub(super) deadline: Millis,
    /// The runs whose wait is over, in order.
    pub(super) waits_over: Vec<(u32, u64)>,
}

impl Engine {
    /// Carries out a task on a customer; `class` is that of the value which it leaves, if it leaves one.
    pub(super) fn run(
        &self,
        customer: &mut Customer,
        occasion: Occasion<'_>,
        class: Option<Class>,
        task: Task,
    ) -> (i64, Effects) {
        let header =
            Header { now: occasion.now, deadline: NO_DEADLINE, tag: 0, word: 0, row: std::ptr::null() };
        // The event, the trigger, the elements of the match, and the answer.
        let mut frames = [std::ptr::null::<Slot>(); FRAME_ANSWER as usize + 1];
        let slots = |frame: &Frame| frame.slots.as_ptr();
        if let Some((event, _)) = occasion.event {
            frames[0] = slots(event);
        }
        let elements = occasion.run.map(|run| run.frames.as_slice()).unwrap_or_default();
        frames[1] = elements.last().map_or(std::ptr::null(), slots);
        for (place, element) in frames[2..2 + MAX_ELEMENTS].iter_mut().zip(elements) {
            *place = slots(element);
        }
        if let Some(answer) = occasion.run.and_then(|run| run.answer.as_ref()) {
            frames[FRAME_ANSWER as usize] = slots(answer);
        }
        let mut context = Context {
            header,
            machine: &self.machine,
            program: &self.program,
            record: customer.record.as_mut_ptr(),
            words: customer.record.len(),
            rings: &mut customer.rings,
            totals: &mut customer.totals,
            days: &mut customer.days,
            periods: &mut customer.periods,
            sequences: &mut customer.sequences,
            profile_slots: &customer.profile_slots,
            consent: &customer.consent,
            zone: customer.zone.as_ref().unwrap_or(&self.settings.time_zone),
            session: customer.session.as_ref(),
            this: occasion.event.map(|(event, _)| event),
            run: occasion.run,
            cancels_only: occasion.cancels_only,
            starts: occasion.event.is_none_or(|(_, starts)| starts),
            lateness: self.settings.lateness,
            columns: Vec::new(),
            temporaries: Vec::new(),
            queried: 0,
            rows: Vec::new(),
            kept: Vec::new(),
            row_slots: Vec::new(),
            ahead: Vec::new(),
            edges: Vec::new(),
            moved: false,
            matches: Vec::new(),
            counts: Counts::default(),
        };
        // SAFETY: the record has the plan's words (`Customer::new`); the frames are slot arrays of the plan's layouts, of the
        // events that code for this occasion looks at.
        let result = unsafe { context.carry_out(task, &frames) };
        let value = class.map(|class| context.value(context.header.tag, context.header.word, class));
        let Context { header: Header { deadline, .. }, mut edges, matches, counts, moved, .. } = context;
        if moved {
            customer.schedule_matches();
        }
        // Code evaluates segments as it suits; they are told in their own order.
        edges.sort_unstable_by_key(|(segment, _)| *segment);
        let value = value.unwrap_or_default();
        (result, Effects { edges, matches, counts, value, deadline, ..Effects::default() })
    }
}

impl Context<'_> {
    /// Carries out a task, by machine code where there is some.
    ///
    /// # Safety
    /// The record has the plan's words, and `frames` has, for each frame that code for this task looks at, a pointer to the
    /// slots of its layout.
    unsafe fn carry_out(&mut self, task: Task, frames: &[*const Slot]) -> i64 {
        let machine = self.machine;
        let Some(code) = &machine.code else { return self.interpret(task) };
        let record = self.record;
        let header = (&raw mut *self).cast::<Header>();
        // SAFETY: the context begins with its header (`repr(C)`) and lives until the call returns, as do record and frames,
        // which are as `Call` demands by the contract of this function. Nobody else touches them meanwhile.
        let mut call = unsafe { Call::new(header, record, frames) };
        code.run(task, &mut call)
    }

    /// A word of the record.
    pub(super) fn word(&self, word: u32) -> i64 {
        let word = word as usize;
        if word >= self.words {
            return 0;
        }
        // SAFETY: the record has `words` words, and only machine code, which is not running or waits for this function, and
        // host functions touch it.
        unsafe { *self.record.add(word) }
    }

    /// Sets a word of the record.
    pub(super) fn set_word(&mut self, word: u32, value: i64) {
        let word = word as usize;
        if word < self.words {
            // SAFETY: see `word`.
            unsafe { *self.record.add(word) = value }
        }
    }

    /// Feeds the cells that count a sequence's matches.
    pub(super) fn feed(&mut self, sequence: SequenceId, at: Millis, order: u64) {
        let (record, words) = (self.record, self.words);
        let add = |word: u32| {
            let word = word as usize;
            if word < words {
                // SAFETY: the record has `words` words, and only machine code, which is waiting for this function, and
                // host functions touch it.
                unsafe { *record.add(word) += 1 };
            }
        };
        let completed = Completed { at, order, now: self.header.now, zone: self.zone };
        sequence::feed(self.machine, sequence, completed, add, self.rings, self.days);
    }
}

/// The addresses of the functions below, in the order of the table.
pub(super) fn table() -> HostTable {
    HostTable([
        column as *const u8,
        push as *const u8,
        aggregate as *const u8,
        query_begin as *const u8,
        query_row as *const u8,
        query_keep as *const u8,
        query_end as *const u8,
        query_all as *const u8,
        arithmetic as *const u8,
        call as *const u8,
        consent as *const u8,
        same_text as *const u8,
        same_value as *const u8,
        text_test as *const u8,
        matches as *const u8,
        list_contains as *const u8,
        segment_changed as *const u8,
        role as *const u8,
    ])
}

/// The context behind the pointer that machine code was given.
///
/// # Safety
/// The pointer is the one that [`Engine::run`] made, and its call has not returned.
unsafe fn context<'a>(header: *mut Header) -> &'a mut Context<'a> {
    // SAFETY: by the contract of this function; machine code passes on the pointer that it was given, and calls one
    // host function at a time.
    unsafe { &mut *header.cast::<Context<'a>>() }
}

/// A number that machine code passes: a position that was a `u32` when code was made.
fn position(word: i64) -> u32 {
    u32::try_from(word).unwrap_or(u32::MAX)
}

macro_rules! host {
    ($($(#[$doc:meta])* fn $name:ident($context:ident $(, $argument:ident)*) $(-> $result:ty)? $body:block)*) => {
        $(
            $(#[$doc])*
            extern "C" fn $name(header: *mut Header $(, $argument: i64)*) $(-> $result)? {
                // SAFETY: only machine code calls this, with the pointer that it was given.
                let $context = unsafe { context(header) };
                $body
            }
        )*
    };
}

host! {
    fn column(context, tag, word, class) {
        let value = context.value(tag, word, Class::from_number(class));
        context.columns.push(value);
    }
    fn push(context, cell) {
        context.push(CellId(position(cell)));
    }
    fn aggregate(context, node) {
        context.aggregate(NodeId(position(node)));
    }
    fn query_begin(context, node) -> i64 {
        context.query_begin(NodeId(position(node)))
    }
    fn query_row(context, row) {
        context.query_row(row);
    }
    fn query_keep(context, row) {
        context.query_keep(row);
    }
    fn query_end(context, node) {
        context.query_end(NodeId(position(node)));
    }
    fn query_all(context, node) {
        context.query_all(NodeId(position(node)));
    }
    fn arithmetic(context, node, left, right) {
        context.arithmetic(NodeId(position(node)), left, right);
    }
    fn call(context, node, tag, word) {
        context.call(NodeId(position(node)), tag, word);
    }
    fn consent(context, node) {
        context.consent(NodeId(position(node)));
    }
    fn same_text(context, left, right) -> i64 {
        i64::from(context.text(left) == context.text(right))
    }
    fn same_value(context, left, right) -> i64 {
        i64::from(context.resolve(left) == context.resolve(right))
    }
    fn text_test(context, node, left, right) -> i64 {
        i64::from(context.text_test(NodeId(position(node)), left, right))
    }
    fn matches(context, node, text) -> i64 {
        i64::from(context.matches(NodeId(position(node)), text))
    }
    fn list_contains(context, node, list, tag, word) -> i64 {
        i64::from(context.list_contains(NodeId(position(node)), list, tag, word))
    }
    fn segment_changed(context, segment, level) {
        context.edges.push((SegmentId(position(segment)), level != 0));
    }
    fn role(context, sequence, roles) {
        context.role(SequenceId(position(sequence)), roles.cast_unsigned());
    }
}

/// How many frames a condition of a rule with one element is given: `this`, `event` and the element.
const FRAMES: usize = 3;

/// An event of nobody as machine code is given it.
pub(crate) struct Alone {
    header: Header,
    record: Box<[i64]>,
    /// The event as machine code reads it.
    slots: Box<[Slot]>,
    /// The same event as the host reads it; its slots are those of when the host was asked last.
    opened: Opened,
}

/// A condition that [`Alone`] is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asked {
    /// The rule is about other events.
    Never,
    /// Its code looks at frames only.
    Frames(Condition),
    /// Its code calls the host.
    Host(ConditionId),
}

impl Alone {
    pub(super) fn new(machine: &Machine, frame: Frame) -> Self {
        let header = Header { now: 0, deadline: NO_DEADLINE, tag: 0, word: 0, row: std::ptr::null() };
        let record = vec![0; machine.plan.record.words as usize].into();
        let slots = frame.slots.as_slice().into();
        Self { header, record, slots, opened: Opened { frames: vec![frame], first: (0, 0), answer: None } }
    }

    /// Makes every property missing.
    #[inline]
    pub(crate) fn clear(&mut self) {
        if let Some(slots) = self.slots.get_mut(FIXED_SLOTS as usize..) {
            slots.fill(Slot::default());
        }
        if let Some(values) = self.values().get_mut(FIXED_SLOTS as usize..) {
            values.fill(Value::Missing);
        }
    }

    /// Fills a slot as machine code reads it.
    #[inline]
    pub(super) fn put(&mut self, slot: u32, filled: Slot) {
        if let Some(slot) = self.slots.get_mut(slot as usize) {
            *slot = filled;
        }
    }

    /// Keeps the value of a slot, for the host.
    #[inline]
    pub(super) fn keep(&mut self, slot: u32, value: Value) {
        if let Some(place) = self.values().get_mut(slot as usize) {
            *place = value;
        }
    }

    fn values(&mut self) -> &mut [Value] {
        self.opened.frames.first_mut().map(|frame| &mut *frame.values).unwrap_or_default()
    }

    /// Whether a condition holds. `asked` is what the engine says of the condition and of this event.
    #[inline]
    pub(crate) fn holds(&mut self, engine: &Engine, asked: Asked) -> bool {
        match asked {
            Asked::Never => false,
            Asked::Frames(condition) => {
                let frames = [self.slots.as_ptr(); FRAMES];
                // SAFETY: code that looks at frames only neither reads the header nor hands it to the host; the record has
                // the plan's words; the frames are the slots of an event that the rule is about.
                let mut call = unsafe { Call::new(&raw mut self.header, self.record.as_mut_ptr(), &frames) };
                // SAFETY: the code is the engine's.
                unsafe { condition.holds(&mut call) }
            }
            Asked::Host(condition) => self.ask_with_host(engine, condition),
        }
    }

    /// The bits of those conditions of a set that hold. They are of this event, or it has none of their slots.
    #[inline]
    pub(crate) fn answers(&mut self, answers: &Answers, set: usize) -> u64 {
        let frames = [self.slots.as_ptr(); FRAMES];
        // SAFETY: see `holds`: code of such a set looks at frames only.
        let mut call = unsafe { Call::new(&raw mut self.header, self.record.as_mut_ptr(), &frames) };
        answers.ask(set, &mut call)
    }

    #[cold]
    fn ask_with_host(&mut self, engine: &Engine, condition: ConditionId) -> bool {
        if let Some(frame) = self.opened.frames.first_mut() {
            frame.slots.clear();
            frame.slots.extend_from_slice(&self.slots);
        }
        let frames = [self.slots.as_ptr(); FRAMES];
        let consent = Consent::default();
        let mut context = Context {
            header: Header { now: 0, deadline: NO_DEADLINE, tag: 0, word: 0, row: std::ptr::null() },
            machine: &engine.machine,
            program: &engine.program,
            record: self.record.as_mut_ptr(),
            words: self.record.len(),
            rings: &mut Sparse::default(),
            totals: &mut Sparse::default(),
            days: &mut Sparse::default(),
            periods: &mut Sparse::default(),
            sequences: &mut Sparse::default(),
            profile_slots: &Sparse::default(),
            consent: &consent,
            zone: &engine.settings.time_zone,
            session: None,
            this: None,
            run: Some(&self.opened),
            starts: false,
            cancels_only: false,
            lateness: 0,
            columns: Vec::new(),
            temporaries: Vec::new(),
            queried: 0,
            rows: Vec::new(),
            kept: Vec::new(),
            row_slots: Vec::new(),
            ahead: Vec::new(),
            edges: Vec::new(),
            moved: false,
            matches: Vec::new(),
            counts: Counts::default(),
        };
        // SAFETY: the record has the plan's words; for the frames see `holds`.
        let holds = unsafe { context.carry_out(Task::Condition(condition), &frames) };
        holds != 0
    }
}
