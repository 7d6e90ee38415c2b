//! What customers did: sequences, patterns, windows, counts.

use super::Build;
use super::expr::one_space;
use crate::ast::{
    Aggregate, Anchor, Bound, Element, Expr, ExprKind, Literal, Name, NumberText, Pattern, PatternEvents,
    Sequence, Times, Window, WindowKind,
};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::parse::grammar::{Node, Rule, has, kid, kids};
use crate::span::Span;

impl Build<'_> {
    /// The forms that look at history.
    pub(super) fn behaviour(&self, node: &Node<'_>) -> Option<ExprKind> {
        let pattern = || self.pattern(&kid(node, Rule::pattern)?);
        Some(match node.as_rule() {
            Rule::did => self.did(node)?,
            Rule::no_activity => ExprKind::NoActivity(self.kid_duration(node)?),
            Rule::known_for => ExprKind::KnownFor(self.kid_duration(node)?),
            Rule::at_least_of => ExprKind::AtLeastOf {
                count: self.kid_number(node)?,
                conditions: kids(node, Rule::expr).map(|part| self.expr(&part)).collect::<Option<_>>()?,
            },
            Rule::in_segment => ExprKind::InSegment {
                segment: self.kid_name(node, Rule::name)?,
                negated: has(node, Rule::k_not),
            },
            Rule::count => ExprKind::Count { pattern: pattern()?, window: self.kid_window(node)? },
            Rule::last_of => ExprKind::LastOf {
                count: self.kid_number(node)?,
                pattern: pattern()?,
                distinct_by: kid(node, Rule::distinct_by).and_then(|by| self.kid_path(&by)),
                window: self.kid_window(node)?,
            },
            Rule::aggregate => ExprKind::Aggregate {
                function: aggregate(kid(node, Rule::aggregate_word)?.as_str()),
                value: Box::new(self.sum(&kid(node, Rule::flat_sum)?)?),
                pattern: pattern()?,
                window: self.kid_window(node)?,
            },
            Rule::time_since => ExprKind::TimeSince { first: has(node, Rule::k_first), pattern: pattern()? },
            Rule::streak => ExprKind::Streak { pattern: pattern()?, unit: self.day_or_week(node)? },
            _ => return None,
        })
    }

    /// `days` or `weeks`, in the singular.
    fn day_or_week(&self, node: &Node<'_>) -> Option<Name> {
        let name = self.kid_name(node, Rule::days_or_weeks)?;
        Some(Name { text: name.text.trim_end_matches('s').to_owned(), span: name.span })
    }

    fn did(&self, node: &Node<'_>) -> Option<ExprKind> {
        let sequence = self.sequence(&kid(node, Rule::sequence)?)?;
        if let Some(regularly) = kid(node, Rule::regularly) {
            return self.regularly(sequence, &regularly);
        }
        let times = match kid(node, Rule::times) {
            Some(times) => Some(self.times(&times)?),
            None => None,
        };
        Some(ExprKind::Did { sequence, times, window: self.kid_window(node)? })
    }

    fn regularly(&self, sequence: Sequence, node: &Node<'_>) -> Option<ExprKind> {
        let span = sequence.span;
        let plain =
            sequence.anchor == Anchor::Latest && sequence.then_no.is_none() && sequence.same.is_empty();
        let mut elements = sequence.elements.into_iter();
        let (Some(element), None) = (elements.next(), elements.next()) else { return self.not_regular(span) };
        if !plain || element.first_time.is_some() || element.name.is_some() {
            return self.not_regular(span);
        }
        let mut numbers = kids(node, Rule::number).map(|number| self.number(&number));
        Some(ExprKind::Regularly {
            pattern: element.pattern,
            at_least: numbers.next()?,
            of_last: numbers.next()?,
            unit: self.day_or_week(node)?,
        })
    }

    fn not_regular(&self, span: Span) -> Option<ExprKind> {
        let said = "`in at least … of the last …` follows a single event, not a sequence";
        let said = Diagnostic::error(codes::SYNTAX, span, said);
        self.say(said.help("name the event alone: `did \"Event\" in at least 3 of the last 7 days`"));
        None
    }

    fn times(&self, node: &Node<'_>) -> Option<Times> {
        let bound = if has(node, Rule::k_at_least) {
            Bound::AtLeast
        } else if has(node, Rule::k_at_most) {
            Bound::AtMost
        } else {
            Bound::Exactly
        };
        Some(Times { bound, count: self.kid_number(node)?, span: self.span(node) })
    }

    /// A `sequence`.
    pub(super) fn sequence(&self, node: &Node<'_>) -> Option<Sequence> {
        let anchor = if has(node, Rule::k_each) {
            Anchor::Each
        } else if has(node, Rule::k_earliest) {
            Anchor::Earliest
        } else {
            Anchor::Latest
        };
        let mut elements = vec![self.element(&kid(node, Rule::element)?)?];
        for then in kids(node, Rule::then_element) {
            elements.push(self.element(&then)?);
        }
        let then_no = match kid(node, Rule::then_no) {
            Some(no) => Some(self.element(&no)?),
            None => None,
        };
        let same = kid(node, Rule::with_same)
            .map_or_else(Vec::new, |same| kids(&same, Rule::path).map(|path| self.path(&path)).collect());
        Some(Sequence { anchor, elements, then_no, same, span: self.span(node) })
    }

    fn element(&self, node: &Node<'_>) -> Option<Element> {
        Some(Element {
            pattern: self.pattern(&kid(node, Rule::pattern)?)?,
            first_time: kid(node, Rule::first_time).map(|first| self.span(&first)),
            name: match kid(node, Rule::as_name) {
                Some(name) => Some(self.declared(&name)?),
                None => None,
            },
            within: kid(node, Rule::within).and_then(|within| self.kid_duration(&within)),
            span: self.span(node),
        })
    }

    /// A `pattern`.
    pub(super) fn pattern(&self, node: &Node<'_>) -> Option<Pattern> {
        let events = kid(node, Rule::pattern_events)?;
        let filter = match kid(node, Rule::where_part) {
            Some(part) => Some(Box::new(self.where_part(&part)?)),
            None => None,
        };
        let events = if has(&events, Rule::k_any_event) {
            PatternEvents::Any(self.span(&events))
        } else {
            PatternEvents::Named(kids(&events, Rule::string).map(|event| self.name(&event)).collect())
        };
        Some(Pattern { events, filter, span: self.span(node) })
    }

    /// The window among the children; `Some(None)` where there is none.
    fn kid_window(&self, node: &Node<'_>) -> Option<Option<Window>> {
        match kid(node, Rule::window) {
            Some(window) => self.window(&window).map(Some),
            None => Some(None),
        }
    }

    fn window(&self, node: &Node<'_>) -> Option<Window> {
        let inner = node.clone().into_inner().next()?;
        let kind = match inner.as_rule() {
            Rule::in_the_last => match kid(&inner, Rule::calendar_days) {
                Some(days) => {
                    let one = || NumberText {
                        text: kid(&days, Rule::k_calendar_days)
                            .map_or_else(String::new, |unit| self.one(&unit)),
                        span: self.span(&days),
                    };
                    WindowKind::CalendarDays(self.kid_number(&days).unwrap_or_else(one))
                }
                None => WindowKind::InTheLast(self.kid_duration(&inner)?),
            },
            Rule::ago => {
                let mut durations = kids(&inner, Rule::duration).map(|duration| self.duration(&duration));
                WindowKind::Ago { from: durations.next()??, to: durations.next()?? }
            }
            Rule::since => WindowKind::Since(Box::new(self.since(&inner)?)),
            Rule::k_in_this_match => WindowKind::InThisMatch,
            Rule::k_this_session => WindowKind::ThisSession,
            Rule::k_today => WindowKind::Today,
            Rule::k_this_week => WindowKind::ThisWeek,
            Rule::k_this_month => WindowKind::ThisMonth,
            _ => return None,
        };
        Some(Window { kind, span: self.span(node) })
    }

    fn since(&self, node: &Node<'_>) -> Option<Expr> {
        let (written, literal) = match kid(node, Rule::instant) {
            Some(instant) => (instant.clone(), Literal::Instant(one_space(instant.as_str()))),
            None => {
                let date = kid(node, Rule::date)?;
                (date.clone(), Literal::Date(date.as_str().to_owned()))
            }
        };
        Some(Expr { kind: ExprKind::Literal(literal), span: self.span(&written) })
    }
}

fn aggregate(words: &str) -> Aggregate {
    match words.get(..2) {
        Some("su") => Aggregate::Sum,
        Some("av") => Aggregate::Average,
        Some("sm") => Aggregate::Smallest,
        Some("la") if words == "last" => Aggregate::Last,
        Some("la") => Aggregate::Largest,
        Some("fi") => Aggregate::First,
        Some("mo") => Aggregate::MostFrequent,
        Some(_) | None => Aggregate::DistinctCount,
    }
}
