//! The queue of deadlines does what a sorted set of (instant, place) does, whatever happens to it.

use segue_runtime::deadlines::{Deadlines, Due};
use segue_tests::random::Random;
use std::collections::{BTreeMap, BTreeSet};

const DAY: i64 = 86_400_000;
/// 2026-01-05 08:00 UTC.
const NOW: i64 = 1_767_600_000_000;

/// What the queue should be: slow, and plain to see.
#[derive(Default)]
struct Model {
    places: BTreeMap<u32, i64>,
    order: BTreeSet<(i64, u32)>,
}

impl Model {
    fn schedule(&mut self, place: u32, at: i64) {
        self.remove(place);
        self.places.insert(place, at);
        self.order.insert((at, place));
    }

    fn remove(&mut self, place: u32) -> Option<i64> {
        let at = self.places.remove(&place)?;
        self.order.remove(&(at, place));
        Some(at)
    }

    fn pop(&mut self, until: i64) -> Option<Due> {
        let (at, place) = self.order.first().copied().filter(|(at, _)| *at <= until)?;
        self.remove(place);
        Some(Due { at, place })
    }
}

/// An instant at any distance from now, before or after: mostly near, now and then at an end of time.
fn instant(random: &mut Random, now: i64) -> i64 {
    if random.chance(2) {
        return [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX][random.below(7)];
    }
    let distance = (random.bits() >> (1 + random.below(63))).cast_signed();
    // Many share an instant or a leaf.
    let distance = if random.chance(30) { distance & !0xFFF } else { distance };
    if random.chance(15) { now.saturating_sub(distance) } else { now.saturating_add(distance) }
}

#[test]
fn the_queue_is_a_sorted_set() {
    let histories = std::env::var("SEGUE_SEEDS").ok().and_then(|it| it.parse().ok()).unwrap_or(400);
    for seed in 0..histories {
        history(seed);
    }
}

/// One queue, and all that happens to it.
fn history(seed: u64) {
    let mut random = Random::new(seed);
    let mut now = *[NOW, 0, i64::MIN, i64::MAX].get(random.below(12)).unwrap_or(&NOW);
    let (mut queue, mut model) = (Deadlines::new(now), Model::default());
    // Few places are moved often, many lie close together.
    let places = [1, 3, 30, 1_000][random.below(4)];
    let step = [1, 5_000, 600_000, DAY, 90 * DAY, 1 << 50][random.below(6)];
    for number in 0..600 {
        let place = random.below(places) as u32;
        match random.below(10) {
            0..5 => {
                let at = instant(&mut random, now);
                queue.schedule(place, at);
                model.schedule(place, at);
            }
            5 => assert_eq!(queue.remove(place), model.remove(place), "seed {seed}, {number}"),
            6 => {
                // One at a time, with something scheduled in between.
                assert_eq!(queue.pop(now), model.pop(now), "seed {seed}, {number}");
            }
            7 if random.chance(5) => now = instant(&mut random, now),
            _ => {
                now = now.saturating_add(random.below(step as usize) as i64);
                loop {
                    let (found, expected) = (queue.pop(now), model.pop(now));
                    assert_eq!(found, expected, "seed {seed}, {number}, until {now}");
                    if found.is_none() {
                        break;
                    }
                }
            }
        }
        agree(&queue, &model, place, (seed, number));
    }
    let rest: Vec<Due> = queue.due(i64::MAX).collect();
    let expected: Vec<Due> = std::iter::from_fn(|| model.pop(i64::MAX)).collect();
    assert_eq!(rest, expected, "seed {seed}, all that is left");
    assert_eq!(queue.wake_at(), None);
}

/// Compares all that can be seen.
fn agree(queue: &Deadlines, model: &Model, place: u32, at: (u64, i32)) {
    assert_eq!(queue.len(), model.order.len(), "{at:?}");
    assert_eq!(queue.at(place), model.places.get(&place).copied(), "{at:?}");
    let first = model.order.first().map(|(at, _)| *at);
    assert_eq!(queue.wake_at().is_some(), first.is_some(), "{at:?}");
    assert!(queue.wake_at() <= first, "{at:?}: woken late, {:?} for {first:?}", queue.wake_at());
}

#[test]
fn waking_when_told_is_enough() {
    for seed in 0..50 {
        let mut random = Random::new(seed);
        let mut queue = Deadlines::new(NOW);
        let mut expected = BTreeSet::new();
        for place in 0..200 {
            let at = instant(&mut random, NOW);
            queue.schedule(place, at);
            expected.insert(Due { at, place });
        }
        let (mut found, mut wakes) = (Vec::new(), 0);
        while let Some(at) = queue.wake_at() {
            let before = found.len();
            found.extend(queue.due(at));
            assert!(found[before..].iter().all(|due| due.at == at), "seed {seed}: late");
            wakes += 1;
            assert!(wakes < 200 * 8, "seed {seed}: woken in vain again and again");
        }
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "seed {seed}");
    }
}
