//! The service as a process to which bad things happen while clients send: what was acknowledged is there, once, and what was
//! decided and delivered is what the log leads to.
//!
//! `SEGUE_KILLS=200 cargo test --release -p segue --test crash killed -- --nocapture` kills more often; `SEGUE_SEED` chooses when.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod full;
#[path = "../live/mod.rs"]
mod live;
mod world;

use live::{Random, setting};
use std::{thread, time::Duration};
use world::World;

/// How often the service is killed, unless said.
const KILLS: u64 = 12;

#[test]
fn killed_again_and_again_it_loses_nothing_and_decides_nothing_twice() {
    let (kills, seed) = (setting("SEGUE_KILLS", KILLS), setting("SEGUE_SEED", 1));
    let mut world = World::new(None);
    world.service.start();
    world.service.wait_until_ready();
    let seen = world.send_while(seed, Duration::ZERO, |world| {
        let mut random = Random(seed);
        for _ in 0..kills {
            thread::sleep(Duration::from_millis(50 + random.below(900)));
            world.kill();
            world.service.start();
            // Sometimes it is killed while it is still coming up.
            if random.below(4) > 0 {
                world.service.wait_until_ready();
            }
        }
        world.service.wait_until_ready();
        thread::sleep(Duration::from_millis(300));
    });
    world.end(&seen);
}
