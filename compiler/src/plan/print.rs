//! The plan as text, for people.

use super::{
    Cell, CellKind, CellSource, FIXED_SLOTS, FrameRef, Handler, NO_ELEMENT, Node, NodeId, Order, Plan,
    QueryResult, WindowSpan,
};
use crate::{
    calendar::{Calendar, Habit},
    cost::{Assumed, Size, Sizes},
    typed::{EventId, Program, SegmentId, SequenceId},
};
use std::fmt::Write;

/// State layout and cost, and what each event does.
#[must_use]
pub fn summary(program: &Program, plan: &Plan) -> String {
    let printer = Printer { program, plan };
    let mut text = String::new();
    printer.state(&mut text);
    printer.handlers(&mut text);
    text
}

/// Every node, cell and handler.
#[must_use]
pub fn ir(program: &Program, plan: &Plan) -> String {
    let printer = Printer { program, plan };
    let mut text = String::new();
    for (node, number) in plan.nodes.iter().zip(0_u32..) {
        let kind = if node.is_condition() { "?" } else { " " };
        line(&mut text, &format!("  %{number}{kind} = {}", printer.operation(node)));
    }
    for (cell, number) in plan.cells.iter().zip(0_u32..) {
        line(&mut text, &format!("  cell {number}: {}", printer.cell(cell)));
    }
    for (segment, node) in program.segments.iter().zip(&plan.levels) {
        line(&mut text, &format!("  segment {} holds when %{}", segment.name, node.0));
    }
    for (node, number) in plan.levels.iter().skip(program.segments.len()).zip(0_u32..) {
        line(&mut text, &format!("  held {number} holds when %{}", node.0));
    }
    text
}

struct Printer<'p> {
    program: &'p Program,
    plan: &'p Plan,
}

fn line(text: &mut String, content: &str) {
    text.push_str(content.trim_end());
    text.push('\n');
}

impl Printer<'_> {
    fn state(&self, text: &mut String) {
        let record = &self.plan.record;
        let fixed = u64::from(record.words) * 8;
        line(text, "state per customer");
        line(
            text,
            &format!(
                "  {:>9}  record while awake: first seen, last active, {} segments, cells of one word, {} profile fields",
                Size(fixed),
                self.program.segments.len(),
                record.profile.len()
            ),
        );
        let sizes = Sizes::new(self.program, self.plan);
        let at_most = |bytes: u64| format!("≤ {}", Size(bytes));
        for cell in &self.plan.cells {
            let size = at_most(sizes.cell(cell, Assumed::WORST));
            line(text, &format!("  {size:>9}  {}", self.cell(cell)));
        }
        for (sequence, number) in self.plan.sequences.iter().zip(0_u32..) {
            let bytes = sizes.sequence(SequenceId(number), Assumed::WORST);
            if bytes > 0 {
                let (size, name) = (at_most(bytes), self.sequence(number, sequence.then_no));
                line(text, &format!("  {size:>9}  matches of {name}"));
            }
        }
        if self.program.sessions {
            line(text, &format!("  {:>9}  the latest session", at_most(Sizes::SESSION)));
        }
        for plan in &self.plan.schedules {
            let (size, rules) = (at_most(Sizes::SCHEDULE), self.rules(&plan.rules));
            let when = plan.schedule.words(self.program);
            line(text, &format!("  {size:>9}  last occurrence of {when}, the trigger of {rules}"));
        }
        line(
            text,
            "  Customers at rest are bytes, and what never happened takes none; `segue check --cost` adds up.",
        );
    }

    fn handlers(&self, text: &mut String) {
        line(text, "");
        line(text, "work per event");
        for (handler, number) in self.plan.handlers.iter().zip(0_u32..) {
            if handler.feeds.is_empty() && handler.roles.is_empty() && handler.touched.is_empty() {
                continue;
            }
            let name = self.program.events.get(number as usize).map_or("", |event| &*event.name);
            line(text, &format!("  \"{name}\"{}", self.fields(EventId(number))));
            self.handler(text, handler);
        }
        if !(self.plan.other.feeds.is_empty()
            && self.plan.other.roles.is_empty()
            && self.plan.other.touched.is_empty())
        {
            line(text, "  any other event");
            self.handler(text, &self.plan.other);
        }
    }

    fn fields(&self, event: EventId) -> String {
        let (Some(ty), Some(layout)) =
            (self.program.events.get(event.0 as usize), self.plan.layouts.get(event.0 as usize))
        else {
            return String::new();
        };
        let names: Vec<&str> = layout
            .fields
            .iter()
            .filter_map(|used| ty.fields.get(used.field as usize))
            .map(|field| &*field.name)
            .collect();
        if names.is_empty() { " reads no field".to_owned() } else { format!(" reads {}", names.join(", ")) }
    }

    fn handler(&self, text: &mut String, handler: &Handler) {
        for cell in &handler.feeds {
            if let Some(cell) = self.plan.cell(*cell) {
                line(text, &format!("    feeds {}", self.cell(cell)));
            }
        }
        for role in &handler.roles {
            let then_no =
                self.plan.sequences.get(role.sequence.0 as usize).and_then(|sequence| sequence.then_no);
            let sequence = self.sequence(role.sequence.0, then_no);
            let part = if role.element == NO_ELEMENT {
                "cancels".to_owned()
            } else {
                format!("is element {} of", role.element + 1)
            };
            line(text, &format!("    {part} {sequence}"));
        }
        let names: Vec<String> = handler.touched.iter().map(|it| self.segment(it.segment)).collect();
        if !names.is_empty() {
            line(text, &format!("    evaluates {}", names.join(", ")));
        }
    }

    fn segment(&self, level: SegmentId) -> String {
        match (self.program.segments.get(level.0 as usize), self.plan.held(level)) {
            (Some(segment), _) => segment.name.to_string(),
            (None, held) => held.map(|held| format!("held {}", held.0)).unwrap_or_default(),
        }
    }

    /// The names of rules.
    fn rules(&self, rules: &[u32]) -> String {
        let names = rules.iter().filter_map(|rule| self.program.rules.get(*rule as usize));
        names.map(|rule| &*rule.name).collect::<Vec<_>>().join(", ")
    }

    /// A sequence by the rules that it triggers.
    fn sequence(&self, number: u32, then_no: Option<i64>) -> String {
        let triggered = self.plan.sequences.get(number as usize).map(|sequence| self.rules(&sequence.rules));
        let what = match triggered.filter(|rules| !rules.is_empty()) {
            None => format!("sequence {number}"),
            Some(rules) => format!("the trigger of {rules}"),
        };
        match then_no {
            Some(within) => format!("{what} (deadline {})", duration(within)),
            None => what,
        }
    }

    fn cell(&self, cell: &Cell) -> String {
        let kind = match &cell.kind {
            CellKind::Counter { .. } => "count of".to_owned(),
            CellKind::Moment { first: true, .. } => "first time of".to_owned(),
            CellKind::Moment { first: false, .. } => "last time of".to_owned(),
            CellKind::Total { .. } => "totals of".to_owned(),
            CellKind::Rows { capacity, reach, distinct, .. } => {
                let distinct = if *distinct { " distinct" } else { "" };
                let within = reach.map_or(String::new(), |reach| format!(" within {}", duration(reach)));
                format!("newest {capacity}{distinct}{within} of")
            }
            CellKind::Days { reach, .. } => format!("totals of each of the last {reach} days of"),
            CellKind::Periods { unit, reach, .. } => {
                format!("which of the last {reach} {} had", format!("{unit:?}").to_lowercase())
            }
        };
        let source = match &cell.source {
            CellSource::Sequence { sequence, .. } => self.sequence(sequence.0, None),
            CellSource::Events { events: None, filter, .. } => format!("any event{}", self.filter(*filter)),
            CellSource::Events { events: Some(events), filter, .. } => {
                let name = |id: &EventId| {
                    self.program.events.get(id.0 as usize).map(|event| format!("\"{}\"", event.name))
                };
                let names: Vec<String> = events.iter().filter_map(name).collect();
                format!("{}{}", names.join(" or "), self.filter(*filter))
            }
        };
        format!("{kind} {source}")
    }

    fn filter(&self, filter: NodeId) -> String {
        if matches!(self.plan.node(filter), Node::Constant(true)) {
            String::new()
        } else {
            format!(" where %{}", filter.0)
        }
    }

    /// A node as one operation over others.
    fn operation(&self, node: &Node) -> String {
        match node {
            Node::Missing => "missing".to_owned(),
            Node::Word(word) => format!("word {word}"),
            Node::Text(text) => {
                format!("text {:?}", self.plan.texts.get(text.0 as usize).map_or("", |text| &**text))
            }
            Node::Slot { frame, slot, class } => {
                format!("{} as {class:?}", slot_name(*frame, *slot)).to_lowercase()
            }
            Node::Profile { slot, class } => {
                let field = self.plan.record.profile.get(*slot as usize).map(|slot| slot.field);
                let field = field.and_then(|field| self.program.profile.get(field.0 as usize));
                format!("profile.{} as {class:?}", field.map_or("", |field| &*field.field.name))
                    .to_lowercase()
            }
            Node::Window { cell, function, span, .. } => {
                let function =
                    function.map_or("count".to_owned(), |function| format!("{function:?}").to_lowercase());
                format!("{function} of cell {} {}", cell.0, window(*span))
            }
            Node::Days { cell, function, calendar, .. } => {
                let function =
                    function.map_or("count".to_owned(), |function| format!("{function:?}").to_lowercase());
                format!("{function} of cell {} {}", cell.0, days(*calendar))
            }
            Node::Habit(cell, habit) => format!("{} of cell {}", periods(*habit), cell.0),
            Node::Query { cell, filter, span, result, .. } => {
                let filter = filter.map(|filter| format!(" where %{}", filter.0)).unwrap_or_default();
                format!("{} of cell {} {}{filter}", query(*result), cell.0, window(*span))
            }
            Node::InSegment(segment) => format!("in segment {}", self.segment(*segment)),
            Node::Held { held, duration: length } => {
                format!("held {} has held for {}", held.0, duration(*length))
            }
            Node::NoActivity(length) => format!("no activity for {}", duration(*length)),
            Node::KnownFor(length) => format!("known for {}", duration(*length)),
            Node::Within(moment, length) => format!("%{} in the last {}", moment.0, duration(*length)),
            Node::Elapsed(order, moment, length) => {
                format!("time since %{} {} {}", moment.0, sign(*order), duration(*length))
            }
            Node::Constant(holds) => if *holds { "always" } else { "never" }.to_owned(),
            Node::Compare(order, left, right) => format!("%{} {} %{}", left.0, sign(*order), right.0),
            Node::Counter(cell) => format!("count in cell {}", cell.0),
            Node::Moment(cell) => format!("time in cell {}", cell.0),
            Node::Nth(cell) => format!("oldest time of cell {} when full", cell.0),
            Node::Total(cell, function) => format!("{function:?} of cell {}", cell.0).to_lowercase(),
            other => {
                let name = format!("{other:?}");
                let name: String = name.chars().take_while(|letter| letter.is_alphanumeric()).collect();
                let operands: Vec<String> = other.operands().iter().map(|id| format!("%{}", id.0)).collect();
                format!("{} {}", name.to_lowercase(), operands.join(" "))
            }
        }
    }
}

fn sign(order: Order) -> &'static str {
    match order {
        Order::Equal => "=",
        Order::Less => "<",
        Order::LessOrEqual => "<=",
        Order::Greater => ">",
        Order::GreaterOrEqual => ">=",
    }
}

fn slot_name(frame: FrameRef, slot: u32) -> String {
    let frame = match frame {
        FrameRef::This => "this".to_owned(),
        FrameRef::Trigger => "event".to_owned(),
        FrameRef::Answer => "answer".to_owned(),
        FrameRef::Element(number) => format!("element{number}"),
        FrameRef::Row => return format!("row.{slot}"),
    };
    match slot {
        0 => format!("{frame}.at"),
        1 => format!("{frame}.message_id"),
        2 => format!("{frame}.event_name"),
        slot => format!("{frame}.slot{}", slot - FIXED_SLOTS),
    }
}

fn query(result: QueryResult) -> String {
    match result {
        QueryResult::Count => "count".to_owned(),
        QueryResult::Aggregate(function) => format!("{function:?}").to_lowercase(),
        QueryResult::Newest { count, distinct: true } => format!("newest {count} distinct"),
        QueryResult::Newest { count, distinct: false } => format!("newest {count}"),
        QueryResult::FirstTime => "first time".to_owned(),
        QueryResult::LastTime => "last time".to_owned(),
        QueryResult::Habit(_, habit) => periods(habit),
    }
}

fn window(span: WindowSpan) -> String {
    match span {
        WindowSpan::All => String::new(),
        WindowSpan::Last(length) => format!("in the last {}", duration(length)),
        WindowSpan::Ago { near, far } => format!("between {} and {} ago", duration(near), duration(far)),
        WindowSpan::ThisMatch => "in this match".to_owned(),
        WindowSpan::ThisSession => "this session".to_owned(),
        WindowSpan::Calendar(calendar) => days(calendar),
    }
}

fn days(calendar: Calendar) -> String {
    match calendar {
        Calendar::Days(1) => "today".to_owned(),
        Calendar::Days(count) => format!("in the last {count} calendar days"),
        Calendar::Week => "this week".to_owned(),
        Calendar::Month => "this month".to_owned(),
    }
}

fn periods(habit: Habit) -> String {
    match habit {
        Habit::Of(last) => format!("number in the last {last}"),
        Habit::Streak => "streak".to_owned(),
    }
}

/// Milliseconds in the largest unit that is whole.
pub(crate) fn duration(length: i64) -> String {
    let units = [("days", 86_400_000), ("hours", 3_600_000), ("minutes", 60_000), ("seconds", 1_000)];
    let unit = units.into_iter().find(|(_, size)| length % size == 0 && length >= *size);
    let (name, count) = unit.map_or(("milliseconds", length), |(name, size)| (name, length / size));
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write!(text, "{count} {}", if count == 1 { name.trim_end_matches('s') } else { name });
    text
}
