//! Making a world in which something goes wrong smaller, as long as it still does.

use super::{World, world::names};
use crate::drive::Entry;
use serde_json::{Value, json};

/// The most worlds that are tried.
const TRIES: usize = 3_000;

/// The smallest world found for which `fails` holds, which it does for this one.
pub fn shrink(world: World, fails: impl FnMut(&World) -> bool) -> World {
    let mut search = Search { world, fails, tries: TRIES };
    loop {
        let before = search.world.clone();
        search.settings();
        search.changes();
        search.customers();
        search.entries();
        search.declarations();
        search.lines();
        search.calls();
        if search.world == before || search.tries == 0 {
            return search.world;
        }
    }
}

struct Search<F> {
    world: World,
    fails: F,
    tries: usize,
}

impl<F: FnMut(&World) -> bool> Search<F> {
    /// Takes a smaller world if something still goes wrong in it.
    fn take(&mut self, world: World) -> bool {
        if self.tries == 0 || world == self.world {
            return false;
        }
        self.tries -= 1;
        let fails = (self.fails)(&world);
        if fails {
            self.world = world;
        }
        fails
    }

    fn settings(&mut self) {
        self.take(World { settle: 0, ..self.world.clone() });
        self.take(World { lateness: 600_000, ..self.world.clone() });
    }

    /// Fewer changes of rules, the last one's rules earlier, and a log that tells of all.
    fn changes(&mut self) {
        for place in (0..self.world.changes.len()).rev() {
            let mut world = self.world.clone();
            world.changes.remove(place);
            if self.take(world) {
                continue;
            }
            let mut world = self.world.clone();
            let Some(change) = world.changes.get_mut(place) else { continue };
            change.log_from = None;
            self.take(world);
        }
        if let [first, ..] = self.world.changes.as_slice() {
            // Without the first rules.
            let mut world = self.world.clone();
            world.rules.clone_from(&first.rules);
            world.changes.remove(0);
            self.take(world);
        }
    }

    /// All that a customer did.
    fn customers(&mut self) {
        for name in names(&self.world.log) {
            let mut world = self.world.clone();
            world.log.retain(|entry| match entry {
                Entry::Call(call) => {
                    !["userId", "anonymousId", "previousId"].iter().any(|key| call[key] == name.as_str())
                }
                Entry::Erase(customer) => *customer != name,
                Entry::Clock(_) | Entry::Up(_) | Entry::Restart(_) => true,
            });
            self.take(world);
        }
    }

    /// Entries of the log, many at once, then fewer.
    fn entries(&mut self) {
        let mut length = self.world.log.len().div_ceil(2);
        while length > 0 {
            let mut from = 0;
            while from < self.world.log.len() {
                let mut world = self.world.clone();
                let to = (from + length).min(world.log.len());
                world.log.drain(from..to);
                if !self.take(world) {
                    from += length;
                }
            }
            length /= 2;
        }
    }

    /// Declarations, in all programs that have them or in one.
    fn declarations(&mut self) {
        for program in 0..=self.world.changes.len() {
            for number in (0..self.rules(program).len()).rev() {
                let Some(text) = self.rules(program).get(number).cloned() else { continue };
                self.take_text(program, &text, "");
            }
        }
    }

    /// Lines within declarations, a block with all that is in it, or only its first and last line.
    fn lines(&mut self) {
        for program in 0..=self.world.changes.len() {
            for number in 0..self.rules(program).len() {
                let mut line = 1;
                while let Some(text) = self.rules(program).get(number).cloned() {
                    let lines = lines_of(&text);
                    if line + 1 >= lines.len() {
                        break;
                    }
                    let end = end_of(&lines, line);
                    let whole = without(&lines, |it| (line..=end).contains(&it));
                    let opened = without(&lines, |it| it == line || it == end);
                    if !self.take_text(program, &text, &whole)
                        && (end == line || !self.take_text(program, &text, &opened))
                    {
                        line += 1;
                    }
                }
            }
        }
    }

    /// The declarations of a program: the first one, or one that takes its place.
    fn rules(&self, program: usize) -> &[String] {
        match program.checked_sub(1) {
            None => &self.world.rules,
            Some(change) => self.world.changes.get(change).map_or(&[], |change| &change.rules),
        }
    }

    /// Another text in place of a declaration, in all programs that have it, else in one; no text leaves it out.
    fn take_text(&mut self, program: usize, old: &str, new: &str) -> bool {
        let exchanged = |which: &dyn Fn(usize) -> bool| {
            let mut world = self.world.clone();
            let all = [&mut world.rules].into_iter();
            let all = all.chain(world.changes.iter_mut().map(|change| &mut change.rules));
            for (rules, _) in all.zip(0..).filter(|(_, number)| which(*number)) {
                rules.iter_mut().filter(|it| *it == old).for_each(|it| new.clone_into(it));
                rules.retain(|it| !it.is_empty());
            }
            world
        };
        let (everywhere, here) = (exchanged(&|_| true), exchanged(&|number| number == program));
        self.take(everywhere) || self.take(here)
    }

    /// What calls say, and when they arrive.
    fn calls(&mut self) {
        for place in 0..self.world.log.len() {
            let Some(Entry::Call(call)) = self.world.log.get(place) else { continue };
            let at = call.get("timestamp").cloned();
            let mut smaller = Vec::new();
            for (part, fields) in ["properties", "traits"].iter().filter_map(|it| Some((it, call.get(it)?))) {
                for name in fields.as_object().into_iter().flatten().map(|(name, _)| name.clone()) {
                    smaller.push((*part, Some(name)));
                }
            }
            smaller.push(("context", None));
            for (part, name) in smaller {
                self.change_call(place, |call| match (name, call.get_mut(part)) {
                    (Some(name), Some(Value::Object(fields))) => drop(fields.remove(&name)),
                    (None, _) => drop(call.as_object_mut().map(|call| call.remove(part))),
                    _ => {}
                });
            }
            if let Some(at) = at {
                self.change_call(place, |call| call["receivedAt"] = json!(at));
            }
        }
    }

    /// Another call in place of one, if the log still is one: arrivals do not go back.
    fn change_call(&mut self, place: usize, change: impl FnOnce(&mut Value)) {
        let mut world = self.world.clone();
        if let Some(Entry::Call(call)) = world.log.get_mut(place) {
            change(call);
        }
        if world.log.iter().filter_map(super::world::time).is_sorted() {
            self.take(world);
        }
    }
}

fn lines_of(declaration: &str) -> Vec<String> {
    declaration.split_inclusive('\n').map(str::to_owned).collect()
}

/// The last line of a block that begins with a line, or that line. A line such as `} otherwise {` ends one and begins
/// another, and goes with both.
fn end_of(lines: &[String], first: usize) -> usize {
    let mut depth = 0_i32;
    for (line, number) in lines.iter().zip(0..).skip(first) {
        let text = line.trim();
        depth -= i32::from(text.starts_with('}') && number > first);
        depth += i32::from(text.ends_with('{'));
        if depth <= 0 {
            return number;
        }
    }
    first
}

fn without(lines: &[String], is_dropped: impl Fn(usize) -> bool) -> String {
    lines.iter().zip(0..).filter(|(_, number)| !is_dropped(*number)).map(|(line, _)| line.as_str()).collect()
}
