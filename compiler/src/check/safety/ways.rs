//! Which rule leads to which, and the circles that they make.

use std::collections::{BTreeSet, VecDeque};

/// For each rule, those that it leads to.
pub(super) struct Ways(Vec<BTreeSet<usize>>);

impl Ways {
    /// The ways from rules by what they make to rules by what they watch.
    pub(super) fn of<M, W>(makes: &[M], watches: &[W], leads: impl Fn(&M, &W) -> bool) -> Self {
        let to = |from: &M| (0..).zip(watches).filter(|(_, to)| leads(from, to)).map(|(to, _)| to).collect();
        Self(makes.iter().map(to).collect())
    }

    /// These ways and others.
    pub(super) fn and(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(these, those)| these | those).collect())
    }

    /// The ways among some of the rules.
    pub(super) fn among(&self, is_one: &dyn Fn(usize) -> bool) -> Self {
        let to = |(from, to): (usize, &BTreeSet<usize>)| {
            if is_one(from) { to.iter().copied().filter(|to| is_one(*to)).collect() } else { BTreeSet::new() }
        };
        Self(self.0.iter().enumerate().map(to).collect())
    }

    /// The rules that one leads to.
    pub(super) fn from(&self, rule: usize) -> impl Iterator<Item = usize> {
        self.0.get(rule).into_iter().flatten().copied()
    }

    /// The rules of a shortest way, both ends included.
    pub(super) fn shortest(&self, start: usize, end: usize) -> Option<Vec<usize>> {
        let mut before: Vec<Option<usize>> = vec![None; self.0.len()];
        let mut open = VecDeque::from([start]);
        while let Some(rule) = open.pop_front() {
            if rule == end {
                let mut way = vec![rule];
                while let Some(last) = way.last().copied().filter(|last| *last != start) {
                    way.push(before.get(last).copied().flatten()?);
                }
                way.reverse();
                return Some(way);
            }
            for next in self.from(rule).filter(|next| *next != start) {
                if let Some(place @ None) = before.get_mut(next) {
                    *place = Some(rule);
                    open.push_back(next);
                }
            }
        }
        None
    }

    /// The largest sets of rules of which each leads to each, itself too, over any number of steps.
    pub(super) fn circles(&self) -> Vec<BTreeSet<usize>> {
        let mut backwards = Self(vec![BTreeSet::new(); self.0.len()]);
        for (from, to) in self.0.iter().enumerate() {
            for rule in to {
                if let Some(list) = backwards.0.get_mut(*rule) {
                    list.insert(from);
                }
            }
        }
        // Those that are left last lead back to none of those that were left before, unless they are in one circle.
        let mut seen = BTreeSet::new();
        let mut left: Vec<usize> = Vec::new();
        for rule in 0..self.0.len() {
            self.walk(rule, &mut seen, &mut left);
        }
        let mut circles = Vec::new();
        let mut seen = BTreeSet::new();
        for rule in left.into_iter().rev() {
            let mut circle = Vec::new();
            backwards.walk(rule, &mut seen, &mut circle);
            let alone = circle.len() == 1 && !self.from(rule).any(|to| to == rule);
            if !circle.is_empty() && !alone {
                circles.push(circle.into_iter().collect());
            }
        }
        circles
    }

    /// Adds what a rule reaches and was not seen yet, in the order in which it is left again.
    fn walk(&self, start: usize, seen: &mut BTreeSet<usize>, left: &mut Vec<usize>) {
        if !seen.insert(start) {
            return;
        }
        let mut path: Vec<(usize, Vec<usize>)> = vec![(start, self.from(start).collect())];
        while let Some((rule, open)) = path.last_mut() {
            match open.pop() {
                Some(next) if seen.insert(next) => path.push((next, self.from(next).collect())),
                Some(_) => {}
                None => {
                    left.push(*rule);
                    path.pop();
                }
            }
        }
    }
}
