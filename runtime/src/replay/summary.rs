//! What a replay counted.

use super::goals::GoalSummary;
use crate::{
    fuse::{Blown, Fuse},
    source::Envelope,
    words::{counted, thousands},
};
use segue_compiler::{
    execution::{Counts, Outcome},
    goal,
    record::{Change, Instant, Reason, Record},
    typed::Program,
    value::Millis,
};
use std::{collections::BTreeMap, fmt, sync::Arc};

/// What a replay counted. Printed, it is a page for people.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Calls applied in order.
    pub applied: u64,
    /// Calls applied behind the customer's clock.
    pub late: u64,
    /// Calls whose id was known.
    pub duplicate: u64,
    /// Calls that may be duplicates and only stopped and cancelled.
    pub doubtful: u64,
    /// Calls stamped after their arrival.
    pub quarantined: u64,
    /// Calls after the end.
    pub after_end: u64,
    /// Lines that were no calls.
    pub rejected: u64,
    /// Anonymous customers who were joined with known ones.
    pub joined: u64,
    /// Calls that would have joined two known customers.
    pub unmerged: u64,
    /// Rows of profiles.
    pub profiles: u64,
    /// Rows of profiles that could not be used.
    pub rejected_profiles: u64,
    /// Customers.
    pub customers: u64,
    /// Per rule, in order of name.
    pub rules: BTreeMap<Arc<str>, RuleSummary>,
    /// By position of the rules that have a goal: name, and what came of it.
    pub goals: BTreeMap<u32, (Arc<str>, GoalSummary)>,
    /// Per segment, in the program's order.
    pub segments: Vec<SegmentSummary>,
    /// Limits and broken fields.
    pub counts: Counts,
    /// The time of the last call that was applied.
    pub last: Option<Millis>,
    /// Where time stopped.
    pub end: Option<Millis>,
    /// The last deadline that passed after the end.
    pub drained: Option<Millis>,
    /// Customers with deadlines beyond what `--drain` waits for.
    pub undrained: u64,
}

/// What one rule did.
#[derive(Clone, Debug, Default)]
pub struct RuleSummary {
    /// Runs that started.
    pub fired: u64,
    /// Messages.
    pub sent: u64,
    /// Calls of systems.
    pub called: u64,
    /// Profile fields and consents set.
    pub set: u64,
    /// Events made.
    pub emitted: u64,
    /// Times that messages were held.
    pub held: u64,
    /// What was not done, by reason.
    pub suppressed: BTreeMap<Reason, u64>,
    /// Of the contents that could not be made the first by step, then by words.
    pub fault: Option<(u32, Arc<str>)>,
    /// The times of its messages, where there is a fuse.
    sends: Vec<Millis>,
    /// When the fuse would have stopped it.
    pub blown: Option<(Fuse, Blown)>,
}

/// What one segment saw.
#[derive(Clone, Debug)]
pub struct SegmentSummary {
    /// Its name.
    pub name: Arc<str>,
    /// Times a customer came in.
    pub entered: u64,
    /// Times a customer went out.
    pub left: u64,
    /// Customers within at the end.
    pub members: u64,
}

impl Summary {
    /// All rules and segments with nothing counted.
    pub(super) fn of(program: &Program) -> Self {
        let segment =
            |name: &Arc<str>| SegmentSummary { name: name.clone(), entered: 0, left: 0, members: 0 };
        let goals = program.rules.iter().zip(0..).filter(|(rule, _)| rule.goal.is_some());
        Self {
            goals: goals
                .map(|(rule, number)| (number, (rule.name.clone(), GoalSummary::default())))
                .collect(),
            rules: program.rules.iter().map(|rule| (rule.name.clone(), RuleSummary::default())).collect(),
            segments: program.segments.iter().map(|it| segment(&it.name)).collect(),
            ..Self::default()
        }
    }

    /// Lines read, calls or not.
    #[must_use]
    pub fn read(&self) -> u64 {
        self.applied
            + self.late
            + self.duplicate
            + self.doubtful
            + self.quarantined
            + self.after_end
            + self.rejected
    }

    /// Adds what another part of the customers counted.
    pub(super) fn add(&mut self, other: Self) {
        self.applied += other.applied;
        self.late += other.late;
        self.duplicate += other.duplicate;
        self.doubtful += other.doubtful;
        self.quarantined += other.quarantined;
        self.after_end += other.after_end;
        self.rejected += other.rejected;
        self.joined += other.joined;
        self.unmerged += other.unmerged;
        self.profiles += other.profiles;
        self.rejected_profiles += other.rejected_profiles;
        self.customers += other.customers;
        for (name, rule) in other.rules {
            self.count(&name, |all| all.add(rule));
        }
        for (rule, (name, goal)) in other.goals {
            self.goals.entry(rule).or_insert_with(|| (name, GoalSummary::default())).1.add(goal);
        }
        for (segment, other) in self.segments.iter_mut().zip(other.segments) {
            segment.entered += other.entered;
            segment.left += other.left;
            segment.members += other.members;
        }
        self.counts += other.counts;
        self.last = self.last.max(other.last);
        self.end = self.end.max(other.end);
        self.drained = self.drained.max(other.drained);
        self.undrained += other.undrained;
    }

    pub(super) fn count_call(&mut self, envelope: &Envelope<'_>, outcome: Outcome, until: Option<Millis>) {
        match outcome {
            Outcome::Quarantined if until.is_some_and(|until| envelope.at > until) => self.after_end += 1,
            Outcome::Quarantined => self.quarantined += 1,
            // It is counted when it is applied.
            Outcome::Held => {}
            Outcome::Applied | Outcome::Late | Outcome::Duplicate | Outcome::Doubtful => {
                self.count_settled(outcome);
            }
        }
        if matches!(outcome, Outcome::Applied | Outcome::Late | Outcome::Held) {
            self.last = self.last.max(Some(envelope.at));
        }
    }

    /// Counts a call by what became of it in the end.
    pub(super) fn count_settled(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Applied => self.applied += 1,
            Outcome::Late => self.late += 1,
            Outcome::Duplicate => self.duplicate += 1,
            Outcome::Doubtful => self.doubtful += 1,
            Outcome::Quarantined => self.quarantined += 1,
            Outcome::Held => {}
        }
    }

    pub(super) fn count_fired(&mut self, rule: &Arc<str>) {
        self.count(rule, |rule| rule.fired += 1);
    }

    pub(super) fn count_record(&mut self, record: &Record) {
        match record {
            Record::Send(it) => self.count(&it.rule, |rule| rule.sent += 1),
            Record::Call(it) => self.count(&it.rule, |rule| rule.called += 1),
            Record::Set(it) => self.count(&it.rule, |rule| rule.set += 1),
            Record::Emit(it) => self.count(&it.rule, |rule| rule.emitted += 1),
            Record::Suppressed(it) => self.count(&it.rule, |rule| {
                *rule.suppressed.entry(it.reason).or_default() += 1;
                if let Some(detail) = it.detail.as_ref().filter(|_| it.reason == Reason::Content) {
                    rule.note_fault((it.step, detail.clone()));
                }
            }),
            Record::Held(it) => self.count(&it.rule, |rule| rule.held += 1),
            Record::Segment(it) => {
                if let Some(segment) = self.segments.iter_mut().find(|segment| segment.name == it.segment) {
                    match it.change {
                        Change::Enter => segment.entered += 1,
                        Change::Leave => segment.left += 1,
                    }
                }
            }
        }
    }

    /// Counts what came of one customer's goals.
    pub(super) fn count_goals(&mut self, outcomes: &[goal::Outcome]) {
        for outcome in outcomes {
            if let Some((_, summary)) = self.goals.get_mut(&outcome.rule) {
                summary.count(*outcome);
            }
        }
    }

    /// Remembers when a message was sent.
    pub(super) fn note_send(&mut self, record: &Record) {
        if let Record::Send(it) = record {
            self.count(&it.rule, |rule| rule.sends.push(it.at.0));
        }
    }

    /// Finds out which rules the fuse would have stopped.
    pub(super) fn check_fuse(&mut self, fuse: Fuse) {
        for rule in self.rules.values_mut() {
            let sends = std::mem::take(&mut rule.sends);
            rule.blown = fuse.blown(&sends).map(|blown| (fuse, blown));
        }
    }

    /// Counts something of a rule.
    fn count(&mut self, name: &Arc<str>, of: impl FnOnce(&mut RuleSummary)) {
        match self.rules.get_mut(name) {
            Some(rule) => of(rule),
            None => of(self.rules.entry(name.clone()).or_default()),
        }
    }

    fn events(&self) -> String {
        let mut words = format!(
            "{} read: {} applied",
            counted(self.read(), "event"),
            thousands(self.applied + self.late)
        );
        let mut part = |count: u64, before: &str, after: &str| {
            if count > 0 {
                words.push_str(&format!("{before}{}{after}", thousands(count)));
            }
        };
        part(self.late, " (", " of them late)");
        part(self.duplicate, ", ", " duplicate");
        part(self.doubtful, ", ", " that may be duplicates");
        part(self.quarantined, ", ", " stamped after their arrival and set aside");
        part(self.after_end, ", ", " after the end and set aside");
        part(self.rejected, ", ", " rejected");
        words
    }

    /// What was read, in two lines.
    #[must_use]
    pub fn input(&self) -> String {
        let mut words = format!("{}\n{}", self.events(), counted(self.customers, "customer"));
        if self.joined > 0 {
            let joined = counted(self.joined, "anonymous one");
            words.push_str(&format!(", {joined} joined with them"));
        }
        if self.profiles > 0 {
            words.push_str(&format!(", {} loaded", counted(self.profiles, "profile")));
        }
        if self.rejected_profiles > 0 {
            words.push_str(&format!(", {} rejected", counted(self.rejected_profiles, "profile")));
        }
        if let Some(end) = self.end {
            words.push_str(&format!("; time stopped at {}", Instant(end)));
        }
        if let Some(drained) = self.drained.filter(|drained| Some(*drained) > self.end) {
            words.push_str(&format!(" and went on to the last deadline at {}", Instant(drained)));
        }
        words.push('\n');
        words
    }

    /// Lines about what is unusual, each a sentence.
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let mut note = |count: u64, noun: &str, words: &str| {
            if count > 0 {
                notes.push(format!("{} {words}", counted(count, noun)));
            }
        };
        let counts = &self.counts;
        note(
            counts.invalid_fields,
            "field",
            "in use broke the declaration and were taken as missing; `--strict` says which",
        );
        note(counts.matches_dropped, "open sequence", "dropped: a customer had more at once than the limit");
        note(
            counts.runs_refused,
            "trigger",
            "that started nothing: a customer had as many runs of the rule as the limit",
        );
        note(
            counts.consequences_dropped,
            "consequence",
            "that triggered nothing: an instant had more than the limit",
        );
        note(counts.window_overflow, "event", "only counted in groups: a window held more than the limit");
        note(counts.ids_dropped, "message id", "let go early: a customer had more than the limit");
        note(
            counts.settled_early,
            "event",
            "not held as long as `settle` says: a customer had more than the limit",
        );
        note(
            counts.goals_forgotten,
            "run",
            "no longer followed to the goal: a customer had more than the limit in vain",
        );
        note(
            counts.runs_ended,
            "run",
            "ended by a change of rules: the rule is gone, or reads what has another type now",
        );
        note(self.unmerged, "call", "that would have joined two known customers, who stay apart");
        note(
            self.undrained,
            "customer",
            "with deadlines more than ten years after the end, which were not waited for",
        );
        notes
    }
}

impl RuleSummary {
    /// Keeps the least, so that it does not matter in which order they come.
    fn note_fault(&mut self, fault: (u32, Arc<str>)) {
        if self.fault.as_ref().is_none_or(|known| fault < *known) {
            self.fault = Some(fault);
        }
    }

    fn add(&mut self, other: Self) {
        self.fired += other.fired;
        self.sent += other.sent;
        self.called += other.called;
        self.set += other.set;
        self.emitted += other.emitted;
        self.held += other.held;
        if let Some(fault) = other.fault {
            self.note_fault(fault);
        }
        self.sends.extend(other.sends);
        for (reason, count) in other.suppressed {
            *self.suppressed.entry(reason).or_default() += count;
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.input())?;
        for (name, rule) in &self.rules {
            writeln!(f, "{name}: {rule}")?;
            if let Some((step, why)) = &rule.fault {
                writeln!(f, "{name}: the content of step {step} could not be made: {why}")?;
            }
        }
        for (name, goal) in self.goals.values().filter(|(_, goal)| *goal != GoalSummary::default()) {
            writeln!(f, "{name}: {goal}")?;
        }
        for (name, (fuse, blown)) in self.rules.iter().filter_map(|(name, rule)| Some((name, rule.blown?))) {
            let Blown { at, messages } = blown;
            let messages = counted(messages, "message");
            writeln!(
                f,
                "{name}: live, the fuse of {fuse} would stop it at {}, before {messages}",
                Instant(at)
            )?;
        }
        for segment in &self.segments {
            let SegmentSummary { name, entered, left, members } = segment;
            let [entered, left, members] = [*entered, *left, *members].map(thousands);
            writeln!(f, "segment {name}: {members} in it, {entered} entered, {left} left")?;
        }
        for note in self.notes() {
            writeln!(f, "{note}")?;
        }
        Ok(())
    }
}

impl fmt::Display for RuleSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let suppressed: u64 = self.suppressed.values().sum();
        let parts = [
            (self.fired, "fired"),
            (self.sent, "sent"),
            (self.called, "called"),
            (self.set, "set"),
            (self.emitted, "emitted"),
            (self.held, "held"),
            (suppressed, "suppressed"),
        ];
        let done: Vec<String> = parts
            .iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, word)| format!("{} {word}", thousands(*n)))
            .collect();
        if done.is_empty() {
            return f.write_str("never fired");
        }
        f.write_str(&done.join(", "))?;
        if suppressed > 0 {
            let reasons: Vec<String> = self
                .suppressed
                .iter()
                .map(|(reason, count)| format!("{} {}", thousands(*count), reason.word()))
                .collect();
            write!(f, " ({})", reasons.join(", "))?;
        }
        Ok(())
    }
}
