//! Conditions that can never hold, or always do, by intervals of what is compared with constants.

use super::Checker;
use crate::{
    calendar::MAX_STREAK,
    diagnostics::conditions::{self, About},
    plan::Class,
    typed::{Aggregate, Bound, Comparison, Expr, ExprKind, Function, visit, wait::WEEKDAYS},
    value::{Decimal, Value},
};
use segue_grammar::Span;

/// What is known of a condition before anything happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Never,
    Always,
    Open,
}

impl Checker<'_> {
    /// Reports parts of a condition that can never hold or always do, and negations that meet optional fields.
    pub(super) fn judge(&mut self, condition: &Expr) {
        let verdict = self.verdict(condition, Some(About::Customers));
        if verdict == Verdict::Open {
            self.time_since(condition);
        }
    }

    /// Reports parts of a condition after `where` that can never hold of an event, or always do.
    pub(super) fn judge_where(&mut self, condition: &Expr) {
        self.verdict(condition, Some(About::Events));
    }

    /// The same of the condition of an `if`, before steps or after a value.
    pub(super) fn judge_if(&mut self, condition: &Expr) {
        self.verdict(condition, Some(About::Way));
    }

    /// Finds the innermost part that is decided and reports it once, if that is asked for.
    fn verdict(&mut self, expr: &Expr, report: Option<About>) -> Verdict {
        let before = self.diagnostics.len();
        let verdict = match &expr.kind {
            ExprKind::Literal(Value::Boolean(true)) => Verdict::Always,
            ExprKind::Literal(Value::Boolean(false)) => Verdict::Never,
            ExprKind::Not(inner) => match self.verdict(inner, None) {
                Verdict::Never => Verdict::Always,
                Verdict::Always => Verdict::Never,
                Verdict::Open => Verdict::Open,
            },
            ExprKind::And(list) => {
                let parts: Vec<Verdict> = list.iter().map(|it| self.verdict(it, report)).collect();
                if parts.contains(&Verdict::Never) || contradicts(list) {
                    Verdict::Never
                } else {
                    all(&parts, Verdict::Always)
                }
            }
            ExprKind::Or(list) => {
                let parts: Vec<Verdict> = list.iter().map(|it| self.verdict(it, report)).collect();
                if parts.contains(&Verdict::Always) { Verdict::Always } else { all(&parts, Verdict::Never) }
            }
            ExprKind::AtLeastOf { count, conditions } => {
                for condition in conditions {
                    self.verdict(condition, report);
                }
                if *count as usize > conditions.len() { Verdict::Never } else { Verdict::Open }
            }
            ExprKind::Held { condition, .. } => match self.verdict(condition, report) {
                Verdict::Never => Verdict::Never,
                Verdict::Always | Verdict::Open => Verdict::Open,
            },
            ExprKind::Compare { operator, left, right } => comparison(*operator, left, right),
            ExprKind::Between { value, low, high } => match (number(low), number(high)) {
                (Some(low), Some(high)) if low > high => Verdict::Never,
                _ if comparison(Comparison::GreaterOrEqual, value, low) == Verdict::Never
                    || comparison(Comparison::LessOrEqual, value, high) == Verdict::Never =>
                {
                    Verdict::Never
                }
                _ => Verdict::Open,
            },
            ExprKind::In { value, choices } => self.choices(value, choices),
            ExprKind::Did { bound: Bound::AtLeast, count: 0, .. } => Verdict::Always,
            _ => Verdict::Open,
        };
        if let Some(about) = report
            && verdict != Verdict::Open
            && self.diagnostics.len() == before
        {
            let about = if is_of_weekday(expr) { About::Weekday } else { about };
            let words = self.text(expr.span).to_owned();
            self.report(conditions::decided(expr.span, verdict == Verdict::Always, &words, about));
        }
        verdict
    }

    /// Of the choices of an `in`, each that the value can never be is a slip, also where others are left.
    fn choices(&mut self, value: &Expr, choices: &[Expr]) -> Verdict {
        let never = |choice: &&Expr| comparison(Comparison::Equal, value, choice) == Verdict::Never;
        let slips: Vec<&Expr> = choices.iter().filter(never).collect();
        if slips.len() == choices.len() && !choices.is_empty() {
            return Verdict::Never;
        }
        let about = if is_weekday(value) { About::Weekday } else { About::Choice };
        for choice in slips.into_iter().filter(|_| !matches!(value.kind, ExprKind::Literal(_))) {
            let words = format!("{} = {}", self.text(value.span), self.text(choice.span));
            self.report(conditions::decided(choice.span, false, &words, about));
        }
        Verdict::Open
    }

    /// Wherever something is compared with a `time since`, it must be a constant: only then is the instant of the change
    /// known.
    pub(super) fn time_since(&mut self, expr: &Expr) {
        let mut refused: Vec<Span> = Vec::new();
        visit::expression(expr, &mut |part| match &part.kind {
            ExprKind::Compare { left, right, .. } => refused.extend(self.uncertain(left, right)),
            ExprKind::Between { value, low, high } => {
                refused.extend([low, high].into_iter().find_map(|bound| self.uncertain(value, bound)));
            }
            ExprKind::In { value, choices } => {
                refused.extend(choices.iter().find_map(|choice| self.uncertain(value, choice)));
            }
            _ => {}
        });
        for span in refused {
            self.report(conditions::time_since(span));
        }
    }

    /// The side of a comparison that changes with time in a way whose instant is not known.
    fn uncertain(&self, left: &Expr, right: &Expr) -> Option<Span> {
        let known = self.is_time_since(left) && self.is_constant_duration(right)
            || self.is_constant_duration(left) && self.is_time_since(right);
        if known {
            return None;
        }
        [left, right].into_iter().find(|side| self.passes(side)).map(|side| side.span)
    }

    /// Whether a value becomes another one as time passes, as `time since` does.
    fn passes(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::TimeSince { .. } => true,
            ExprKind::Let(id) => self.program.lets.get(id.0 as usize).is_some_and(|definition| {
                definition.arms.iter().any(|(value, _)| self.passes(value)) || self.passes(&definition.value)
            }),
            ExprKind::Call { arguments, .. } => arguments.iter().any(|argument| self.passes(argument)),
            ExprKind::Arithmetic { left, right, .. } => self.passes(left) || self.passes(right),
            _ => false,
        }
    }

    /// Whether this is a `time since`, written as such or through lets without conditions.
    fn is_time_since(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::TimeSince { .. } => true,
            ExprKind::Let(id) => self.program.lets.get(id.0 as usize).is_some_and(|definition| {
                definition.arms.is_empty() && self.is_time_since(&definition.value)
            }),
            _ => false,
        }
    }

    fn is_constant_duration(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Literal(_) => true,
            ExprKind::Let(id) => self.program.lets.get(id.0 as usize).is_some_and(|definition| {
                definition.arms.is_empty() && self.is_constant_duration(&definition.value)
            }),
            _ => false,
        }
    }
}

fn all(parts: &[Verdict], wanted: Verdict) -> Verdict {
    if !parts.is_empty() && parts.iter().all(|part| *part == wanted) { wanted } else { Verdict::Open }
}

/// The literal number, duration or date of an expression, in its own unit.
fn number(expr: &Expr) -> Option<i64> {
    match &expr.kind {
        ExprKind::Literal(value) => Class::word(value),
        _ => None,
    }
}

/// The least and greatest that an expression can be.
fn range(expr: &Expr) -> (i64, i64) {
    let whole = |count: i64| Decimal::whole(count).map_or(i64::MAX, |number| number.0);
    match &expr.kind {
        ExprKind::Count { .. } | ExprKind::Aggregate { function: Aggregate::DistinctCount, .. } => {
            (0, i64::MAX)
        }
        ExprKind::TimeSince { .. } => (0, i64::MAX),
        ExprKind::Streak { .. } => (0, whole(i64::from(MAX_STREAK))),
        ExprKind::Call { function, .. } => match function {
            Function::Length | Function::Abs => (0, i64::MAX),
            Function::Hour => (0, whole(23)),
            Function::Day => (whole(1), whole(31)),
            Function::Month => (whole(1), whole(12)),
            _ => (i64::MIN, i64::MAX),
        },
        _ => (i64::MIN, i64::MAX),
    }
}

/// Whether a value is known whatever happened.
fn is_always_known(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Literal(_) | ExprKind::Count { .. } | ExprKind::Streak { .. } => true,
        ExprKind::Aggregate { function, .. } => matches!(function, Aggregate::Sum | Aggregate::DistinctCount),
        _ => false,
    }
}

/// Whether an expression is `weekday(…)`.
fn is_weekday(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Call { function: Function::Weekday, .. })
}

/// Whether a condition compares a day of the week.
fn is_of_weekday(condition: &Expr) -> bool {
    match &condition.kind {
        ExprKind::Not(inner) => is_of_weekday(inner),
        ExprKind::Compare { left, right, .. } => is_weekday(left) || is_weekday(right),
        ExprKind::In { value, .. } => is_weekday(value),
        _ => false,
    }
}

/// Whether a day of the week is compared with a text that is none.
fn is_of_no_day(left: &Expr, right: &Expr) -> bool {
    let word = match (&left.kind, &right.kind) {
        (_, ExprKind::Literal(Value::Text(word))) if is_weekday(left) => word,
        (ExprKind::Literal(Value::Text(word)), _) if is_weekday(right) => word,
        _ => return false,
    };
    !WEEKDAYS.contains(&word.as_str())
}

fn comparison(operator: Comparison, left: &Expr, right: &Expr) -> Verdict {
    if is_of_no_day(left, right) {
        return match operator {
            Comparison::Equal => Verdict::Never,
            Comparison::NotEqual => Verdict::Always,
            _ => Verdict::Open,
        };
    }
    let (operator, value, bound) = match (number(left), number(right)) {
        (_, Some(bound)) => (operator, left, bound),
        (Some(bound), None) => (mirrored(operator), right, bound),
        (None, None) => return Verdict::Open,
    };
    let (low, high) = number(value).map_or_else(|| range(value), |word| (word, word));
    let (never, always) = match operator {
        Comparison::Equal => (bound < low || bound > high, low == high && low == bound),
        Comparison::NotEqual => (low == high && low == bound, bound < low || bound > high),
        Comparison::Less => (low >= bound, high < bound),
        Comparison::LessOrEqual => (low > bound, high <= bound),
        Comparison::Greater => (high <= bound, low > bound),
        Comparison::GreaterOrEqual => (high < bound, low >= bound),
    };
    match (never, always && is_always_known(value)) {
        (true, _) => Verdict::Never,
        (false, true) => Verdict::Always,
        (false, false) => Verdict::Open,
    }
}

fn mirrored(operator: Comparison) -> Comparison {
    match operator {
        Comparison::Equal | Comparison::NotEqual => operator,
        Comparison::Less => Comparison::Greater,
        Comparison::LessOrEqual => Comparison::GreaterOrEqual,
        Comparison::Greater => Comparison::Less,
        Comparison::GreaterOrEqual => Comparison::LessOrEqual,
    }
}

/// Whether comparisons of one value with constants leave it no room.
fn contradicts(list: &[Expr]) -> bool {
    let mut rooms: Vec<(&Expr, i64, i64)> = Vec::new();
    for part in list {
        let ExprKind::Compare { operator, left, right } = &part.kind else { continue };
        let (Some(bound), None) = (number(right), number(left)) else { continue };
        let (low, high) = match operator {
            Comparison::Equal => (bound, bound),
            Comparison::NotEqual => continue,
            Comparison::Less => (i64::MIN, bound.saturating_sub(1)),
            Comparison::LessOrEqual => (i64::MIN, bound),
            Comparison::Greater => (bound.saturating_add(1), i64::MAX),
            Comparison::GreaterOrEqual => (bound, i64::MAX),
        };
        match rooms.iter_mut().find(|(value, ..)| **value == **left) {
            Some((_, least, most)) => (*least, *most) = ((*least).max(low), (*most).min(high)),
            None => rooms.push((left, low, high)),
        }
    }
    rooms.iter().any(|(_, low, high)| low > high)
}
