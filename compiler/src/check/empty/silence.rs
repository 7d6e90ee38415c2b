//! Whether a condition may hold of somebody for no other reason than that they did nothing, whatever their profile says.

use super::Empty;
use crate::typed::{Expr, ExprKind, LetId, visit};
use std::collections::BTreeSet;

/// What may become of a condition, for one profile or another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct May(u8);

impl May {
    /// It does not hold.
    const FAIL: Self = Self(1);
    /// It holds by what the profile says.
    const BE_SAID: Self = Self(2);
    /// It holds, and would not if something had been done.
    pub(super) const BE_SILENT: Self = Self(4);

    fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn includes(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Each of what may become of one condition together with each of another. Of two that must both hold the weaker counts,
    /// else the stronger: first comes what fails, then what silence makes hold, then what is said.
    fn together(self, other: Self, both: bool) -> Self {
        let ranked = [Self::FAIL, Self::BE_SILENT, Self::BE_SAID];
        let mut all = Self(0);
        for (one, rank) in ranked.iter().zip(0_usize..).filter(|(one, _)| self.includes(**one)) {
            for (two, other_rank) in ranked.iter().zip(0_usize..).filter(|(two, _)| other.includes(**two)) {
                all = all.or(if (rank < other_rank) == both { *one } else { *two });
            }
        }
        all
    }

    /// At least so many of some conditions.
    fn at_least(count: usize, all: &[Self]) -> Self {
        let of = |which: fn(Self) -> bool| all.iter().filter(|it| which(**it)).count();
        let silent = of(|it| it.includes(Self::BE_SILENT));
        let is_said = of(|it| it == Self::BE_SAID);
        let may_be_said = of(|it| it.includes(Self::BE_SAID));
        let must_hold = of(|it| !it.includes(Self::FAIL));
        // What the profile has to say beside all silent ones, so that they make the difference.
        let said = count.saturating_sub(silent).max(is_said);
        let others = of(|it| it.includes(Self::BE_SAID) && !it.includes(Self::BE_SILENT));
        let mut may = Self(0);
        for (is_possible, which) in [
            (must_hold < count, Self::FAIL),
            (may_be_said >= count, Self::BE_SAID),
            (said < count && said <= others && silent > 0, Self::BE_SILENT),
        ] {
            may = if is_possible { may.or(which) } else { may };
        }
        may
    }
}

impl Empty<'_> {
    /// What may become of a condition, or of its contrary, on an empty history. What the profile says is taken as unknown,
    /// and what different conditions ask of it as independent.
    pub(super) fn may(&self, expr: &Expr, negated: bool) -> May {
        match &expr.kind {
            ExprKind::Not(inner) => self.may(inner, !negated),
            ExprKind::And(list) | ExprKind::Or(list) => {
                let both = matches!(expr.kind, ExprKind::And(_)) != negated;
                let parts = list.iter().map(|it| self.may(it, negated));
                parts.reduce(|one, two| one.together(two, both)).unwrap_or(May::FAIL)
            }
            ExprKind::AtLeastOf { count, conditions } => {
                let parts: Vec<May> = conditions.iter().map(|it| self.may(it, negated)).collect();
                let count = *count as usize;
                May::at_least(if negated { (parts.len() + 1).saturating_sub(count) } else { count }, &parts)
            }
            ExprKind::InSegment(id) => {
                let level =
                    self.segments.get(id.0 as usize).and_then(|levels| super::at(levels, self.elapsed));
                level.map_or(May::FAIL, |level| if negated { level.contrary } else { level.may })
            }
            ExprKind::Held { condition, duration, .. } if self.elapsed >= *duration => {
                self.may(condition, negated)
            }
            ExprKind::Let(id) => match self.program.lets.get(id.0 as usize) {
                Some(definition) if definition.arms.is_empty() => self.may(&definition.value, negated),
                _ => self.asked(expr, negated),
            },
            _ => self.asked(expr, negated),
        }
    }

    /// As [`Empty::may`], of what is no condition made of others.
    fn asked(&self, expr: &Expr, negated: bool) -> May {
        if self.is_of_the_profile_alone(expr) {
            May::FAIL.or(May::BE_SAID)
        } else if self.holds(expr) != negated {
            May::BE_SILENT
        } else {
            May::FAIL
        }
    }

    /// Whether an expression asks for the profile, and for nothing that was done.
    fn is_of_the_profile_alone(&self, expr: &Expr) -> bool {
        let (mut of_profile, mut of_history) = (false, false);
        let (mut lets, mut seen): (Vec<LetId>, BTreeSet<LetId>) = (Vec::new(), BTreeSet::new());
        let mut look = |expr: &Expr, lets: &mut Vec<LetId>| {
            visit::expression(expr, &mut |part| match &part.kind {
                ExprKind::Profile { .. } | ExprKind::Consent { .. } => of_profile = true,
                ExprKind::Let(id) => lets.push(*id),
                ExprKind::Did { .. }
                | ExprKind::Count { .. }
                | ExprKind::Aggregate { .. }
                | ExprKind::LastOf { .. }
                | ExprKind::TimeSince { .. }
                | ExprKind::Streak { .. }
                | ExprKind::Regularly { .. }
                | ExprKind::NoActivity(_)
                | ExprKind::KnownFor(_)
                | ExprKind::Held { .. }
                | ExprKind::InSegment(_) => of_history = true,
                _ => {}
            });
        };
        look(expr, &mut lets);
        while let Some(id) = lets.pop() {
            let Some(definition) = self.program.lets.get(id.0 as usize).filter(|_| seen.insert(id)) else {
                continue;
            };
            for (value, condition) in &definition.arms {
                look(value, &mut lets);
                look(condition, &mut lets);
            }
            look(&definition.value, &mut lets);
        }
        of_profile && !of_history
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_enough_are_counted_as_one_by_one() {
        let parts: Vec<May> = (1..8).map(May).collect();
        let one = |may: May| {
            [May::FAIL, May::BE_SILENT, May::BE_SAID].into_iter().filter(move |it| may.includes(*it))
        };
        for (first, second) in parts.iter().flat_map(|one| parts.iter().map(move |two| (*one, *two))) {
            for third in &parts {
                let all = [first, second, *third];
                for count in 0..=4 {
                    let mut expected = May(0);
                    for a in one(first) {
                        for b in one(second) {
                            for c in one(*third) {
                                let holds = |which: fn(May) -> bool| {
                                    [a, b, c].into_iter().filter(|it| which(*it)).count() >= count
                                };
                                expected = expected.or(if holds(|it| it == May::BE_SAID) {
                                    May::BE_SAID
                                } else if holds(|it| it != May::FAIL) {
                                    May::BE_SILENT
                                } else {
                                    May::FAIL
                                });
                            }
                        }
                    }
                    assert_eq!(May::at_least(count, &all), expected, "{count} of {all:?}");
                    if count == 1 || count == 3 {
                        let both = count == 3;
                        let together = first.together(second, both).together(*third, both);
                        assert_eq!(together, expected, "{count} of {all:?}");
                    }
                }
            }
        }
    }
}
