//! What rules cost: bytes of a customer at rest, when something is due, and work for each event, declaration by declaration.
//!
//! A customer at rest is written as bytes (see [`crate::pack`]), and what never happened takes none. So there are three
//! numbers: of somebody who did nothing, of somebody usual, and the most that anybody can take.

mod bytes;
mod due;
mod print;
mod work;

pub use bytes::Assumed;
pub(crate) use bytes::Sizes;
pub use print::{Size, print};
pub use work::Work;

use crate::{
    limits::MAX_CUSTOMER_BYTES,
    plan::{CellId, Content, Node, NodeId, OpKind, Plan, RulePlan},
    typed::{HeldId, Program, SequenceId, wait::Until},
};
use std::collections::BTreeSet;

/// What rules cost.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cost {
    /// What is kept of every customer, whatever rules say.
    pub common: Vec<Line>,
    /// Segments, named values and rules. What several of them need is kept once, but counted in each.
    pub declarations: Vec<Line>,
    /// All together, each thing once.
    pub total: Bytes,
}

/// What one thing costs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    /// What, as in `segment loyal`.
    pub what: String,
    /// Its bytes.
    pub bytes: Bytes,
    /// After what something is due because of it.
    pub due: Vec<String>,
    /// Its work for each event.
    pub work: Work,
}

/// Bytes of a customer at rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bytes {
    /// Of somebody who did nothing.
    pub fixed: u64,
    /// Of somebody usual (see [`Assumed::USUAL`]).
    pub typical: u64,
    /// At most.
    pub worst: u64,
}

impl Bytes {
    fn and(self, other: Self) -> Self {
        Self {
            fixed: self.fixed.saturating_add(other.fixed),
            typical: self.typical.saturating_add(other.typical),
            worst: self.worst.saturating_add(other.worst),
        }
    }
}

impl Cost {
    /// What has no bound that a customer's state could be held to.
    pub fn unbounded(&self) -> impl Iterator<Item = &Line> {
        self.common.iter().chain(&self.declarations).filter(|line| line.bytes.worst > MAX_CUSTOMER_BYTES)
    }
}

/// Finds out what a program costs.
#[must_use]
pub fn cost(program: &Program, plan: &Plan) -> Cost {
    let sizes = Sizes::new(program, plan);
    let both = |of: &dyn Fn(Assumed) -> u64| Bytes {
        fixed: 0,
        typical: of(Assumed::USUAL),
        worst: of(Assumed::WORST),
    };
    let common = bytes::common(program)
        .into_iter()
        .map(|(what, fixed, of)| Line {
            what: what.to_owned(),
            bytes: Bytes { fixed, ..both(&|assumed| of(&sizes, assumed)) },
            ..Line::default()
        })
        .collect::<Vec<_>>();
    let mut all = Needs::default();
    let mut declarations = Vec::new();
    let uses = uses(program, plan);
    for (declaration, own) in uses {
        let needs = own.needs(plan);
        declarations.push(Line {
            bytes: both(&|assumed| sizes.of(&needs, assumed)),
            due: due::due(program, &declaration),
            work: work::work(program, plan, &declaration, &own),
            what: declaration.words(program),
        });
        all.cells.extend(&needs.cells);
        all.sequences.extend(&needs.sequences);
        all.held.extend(&needs.held);
        all.segments += needs.segments;
        all.rules.extend(&needs.rules);
    }
    let total = both(&|assumed| sizes.of(&all, assumed));
    let total = common.iter().fold(total, |total, line| total.and(line.bytes));
    Cost { common, declarations, total }
}

/// A declaration, by its position.
#[derive(Clone, Copy, Debug)]
enum Declaration {
    Segment(usize),
    Let(usize),
    Rule(usize),
}

impl Declaration {
    fn words(self, program: &Program) -> String {
        let (kind, name) = match self {
            Self::Segment(place) => ("segment", program.segments.get(place).map(|it| &it.name)),
            Self::Let(place) => ("let", program.lets.get(place).map(|it| &it.name)),
            Self::Rule(place) => ("rule", program.rules.get(place).map(|it| &it.name)),
        };
        format!("{kind} {}", name.map_or("", |name| name))
    }
}

/// What a declaration is made of in the plan.
#[derive(Clone, Debug, Default)]
struct Uses {
    /// Conditions and values.
    nodes: Vec<NodeId>,
    /// The sequence that triggers it.
    sequence: Option<SequenceId>,
    /// Its own bits and words.
    segment: bool,
    rule: Option<usize>,
}

/// What is kept because of something.
#[derive(Clone, Debug, Default)]
struct Needs {
    cells: BTreeSet<CellId>,
    sequences: BTreeSet<SequenceId>,
    held: BTreeSet<HeldId>,
    segments: u64,
    rules: BTreeSet<usize>,
}

impl Uses {
    fn needs(&self, plan: &Plan) -> Needs {
        let mut needs = Needs {
            segments: u64::from(self.segment),
            rules: self.rule.into_iter().collect(),
            sequences: self.sequence.into_iter().collect(),
            ..Needs::default()
        };
        for id in work::reachable(plan, &self.nodes) {
            needs.cells.extend(plan.node(id).cell());
            if let Node::Held { held, .. } = plan.node(id) {
                needs.held.insert(*held);
            }
        }
        for cell in needs.cells.iter().filter_map(|id| plan.cell(*id)) {
            if let crate::plan::CellSource::Sequence { sequence, .. } = cell.source {
                needs.sequences.insert(sequence);
            }
        }
        needs
    }
}

/// Every declaration with what it is made of.
fn uses(program: &Program, plan: &Plan) -> Vec<(Declaration, Uses)> {
    let mut all = Vec::new();
    for place in 0..program.segments.len() {
        let nodes = plan.levels.get(place).copied().into_iter().collect();
        all.push((Declaration::Segment(place), Uses { nodes, segment: true, ..Uses::default() }));
    }
    for place in 0..program.lets.len() {
        let nodes = plan.let_nodes.get(place).cloned().unwrap_or_default();
        all.push((Declaration::Let(place), Uses { nodes, ..Uses::default() }));
    }
    for (place, rule) in program.rules.iter().enumerate() {
        let nodes = plan.rules.get(place).map(|rule| of_rule(program, plan, rule)).unwrap_or_default();
        let sequence = rule.trigger.sequence();
        all.push((Declaration::Rule(place), Uses { nodes, sequence, segment: false, rule: Some(place) }));
    }
    all
}

/// The conditions and values of a rule.
fn of_rule(program: &Program, plan: &Plan, rule: &RulePlan) -> Vec<NodeId> {
    let mut asked = Asked { program, plan, nodes: Vec::new() };
    rule.only_if.into_iter().chain(rule.still_if).for_each(|it| asked.condition(it));
    rule.overlap_per.into_iter().for_each(|it| asked.value(it));
    rule.goal.iter().filter_map(|goal| goal.event.filter).for_each(|it| asked.condition(it));
    [&rule.stop_event, &rule.stop_no]
        .into_iter()
        .flatten()
        .filter_map(|heard| heard.filter)
        .for_each(|it| asked.condition(it));
    asked.nodes.extend(rule.stop_condition.and_then(|watch| plan.watched.get(watch.0 as usize)));
    rule.operations.iter().for_each(|operation| asked.operation(&operation.kind));
    asked.nodes
}

/// Gathers what steps ask for.
struct Asked<'p> {
    program: &'p Program,
    plan: &'p Plan,
    nodes: Vec<NodeId>,
}

impl Asked<'_> {
    fn condition(&mut self, id: crate::plan::ConditionId) {
        self.nodes.extend(self.plan.conditions.get(id.0 as usize));
    }

    fn value(&mut self, id: crate::plan::ValueId) {
        self.nodes.extend(self.plan.values.get(id.0 as usize).map(|value| value.node));
    }

    fn operation(&mut self, operation: &OpKind) {
        match operation {
            OpKind::Send { channel: _, to, content } => {
                to.iter().for_each(|to| self.content(to));
                content.iter().for_each(|(_, content)| self.content(content));
            }
            OpKind::Reply { channel, to, content } => {
                self.value(*channel);
                to.iter().for_each(|to| self.content(to));
                content.iter().for_each(|(_, content)| self.content(content));
            }
            OpKind::WaitFor { up_to: _, heard, otherwise: _ } => {
                heard.filter.into_iter().for_each(|it| self.condition(it));
            }
            OpKind::Call { hook: _, payload } => {
                payload.iter().for_each(|(_, content)| self.content(content));
            }
            OpKind::Set { field: _, value } | OpKind::Wait(Until::Moment { value, .. }) => self.value(*value),
            OpKind::Emit { event: _, fields } => fields.iter().for_each(|(_, id)| self.value(*id)),
            OpKind::Unless(condition, _) => self.condition(*condition),
            OpKind::SetConsent { .. }
            | OpKind::Wait(Until::For(_) | Until::Days { .. } | Until::Clock { .. })
            | OpKind::Split(_)
            | OpKind::Stop
            | OpKind::Jump(_) => {}
        }
    }

    fn content(&mut self, content: &Content) {
        match content {
            Content::Template(id) => self.template(*id),
            Content::Value(id) => self.value(*id),
            Content::Variant { by, variants, otherwise } => {
                self.value(*by);
                variants.iter().for_each(|(_, id)| self.template(*id));
                self.template(*otherwise);
            }
            Content::Object(fields) => fields.iter().for_each(|(_, content)| self.content(content)),
        }
    }

    fn template(&mut self, id: crate::typed::TemplateId) {
        let lets = self.program.templates.get(id.0 as usize).map(|template| template.lets.as_slice());
        for id in lets.unwrap_or_default() {
            if let Some(Some(value)) = self.plan.lets.get(id.0 as usize) {
                self.value(*value);
            }
        }
    }
}
