//! A call that may be a duplicate whose id was let go early: it stops and cancels, and neither counts nor starts anything.

use super::{
    Engine,
    customer::Customer,
    frame::{Frame, Reading, Tracked},
    host::Occasion,
    instant::Moment,
};
use segue_compiler::{event::Incoming, execution::Output, plan::Task, value::Millis};

impl Engine {
    /// Applies a call that may be a duplicate.
    pub(super) fn apply_doubtful(
        &self,
        customer: &mut Customer,
        (incoming, reading): (&Incoming<'_>, &mut Reading),
        now: Millis,
        out: &mut Output,
    ) {
        // What is said of the profile gives way to whatever was recorded at the same time, so that saying it again
        // changes nothing.
        let first_of_its_time = (incoming.at, 0);
        self.record_zone(customer, incoming.time_zone, first_of_its_time);
        let mut moment = Moment { now, out, consequences: None };
        match Tracked::of(&incoming.call, incoming.message_id) {
            Some(event) => {
                let order = customer.next_order();
                let frame = reading.event(order, &mut moment.out.counts);
                self.follow_messaging(customer, frame, event);
                self.cancel(customer, frame, now);
                let mut effects = self.evaluate(customer, now);
                self.follow(customer, &mut effects, Some(frame), incoming.message_id, false, &mut moment);
            }
            None => {
                self.record_call(customer, &incoming.call, first_of_its_time, &mut moment.out.counts);
                self.change_instant(customer, incoming.message_id, false, &mut moment);
            }
        }
        self.plan_schedules(customer);
    }

    /// Ends what an event that is not counted ends.
    fn cancel(&self, customer: &mut Customer, event: &Frame, now: Millis) {
        // Code counts as it goes; what it did to the record is undone.
        let record = customer.record.clone();
        let occasion = Occasion { now, event: Some((event, false)), run: None, cancels_only: true };
        self.run(customer, occasion, None, Task::Event { event: event.event, due: false });
        customer.record = record;
    }
}
