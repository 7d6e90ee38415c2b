//! Random programs that only ask what a history says: whatever happened to the customers who had it, together or apart.

use super::{
    DECLARATIONS,
    condition::{Scope, aggregate, condition},
};
use crate::random::Random;

/// What looks forward only, so that it is not the same of two histories put together and of the whole.
const FORWARD_ONLY: [&str; 4] = [" then ", ") for ", "ession", "for the first time"];

/// A program that starts no rule but at "Ask", and whose every condition and value is a function of history, profile and
/// now.
#[must_use]
pub fn facts(random: &mut Random) -> String {
    let mut source = format!("{DECLARATIONS}event \"Ask\" {{}}\n");
    let mut scope = Scope::default();
    for number in 0..=random.below(4) {
        let name = format!("segment_{number}");
        let holds = of_history(random, &|random| condition(random, &scope, 2));
        source.push_str(&format!("segment {name} {{ {holds} }}\n"));
        scope.segments.push(name);
    }
    let values: Vec<String> = (0..4)
        .map(|number| format!("v{number}: {}", of_history(random, &|random| aggregate(random, &scope))))
        .collect();
    let fields = "score: profile.score, tier: profile.tier, flag: profile.flag";
    source.push_str(&format!(
        "rule ask {{\n  when \"Ask\"\n  call crm {{ {}, {fields} }}\n}}\n",
        values.join(", ")
    ));
    source
}

fn of_history(random: &mut Random, make: &dyn Fn(&mut Random) -> String) -> String {
    loop {
        let made = make(random);
        if !FORWARD_ONLY.iter().any(|words| made.contains(words)) {
            return made;
        }
    }
}
