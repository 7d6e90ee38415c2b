//! A call that may be a duplicate whose id was let go early [1]: it stops and cancels what waits, takes back consent, and
//! neither counts nor starts anything.

use super::{
    Reference,
    customer::{Customer, Event},
    instant::Cause,
};
use crate::{
    event::{Call, Incoming},
    execution::Output,
    time::Zone,
    value::{Millis, Value},
};
use std::sync::Arc;

impl Reference {
    /// Applies a call that may be a duplicate.
    pub(super) fn apply_doubtful(&self, customer: &mut Customer, call: &Incoming<'_>, out: &mut Output) {
        let now = customer.clock.map_or(call.at, |clock| clock.max(call.at));
        customer.consequences = 0;
        // What is said of the profile gives way to whatever was recorded at the same time, so that saying it again
        // changes nothing.
        let first_of_its_time = (call.at, 0);
        if let Some(name) = call.time_zone
            && Zone::named(name).is_some()
            && let Some(field) = self.built_in.time_zone
        {
            customer.record(field, &Value::text(name), first_of_its_time);
        }
        let mut cause = Cause { id: Arc::from(call.message_id), starts_nothing: true, ..Cause::default() };
        match &call.call {
            Call::Track { event, properties, name } => {
                let stamp = customer.next_stamp(call.at);
                let event =
                    self.read_event(customer, call, event, *properties, *name, stamp, &mut out.counts);
                self.obey(customer, &event);
                self.cancel(customer, &event, now);
                cause.event = Some(event);
            }
            Call::Identify { traits } => {
                if let Some(traits) = traits {
                    self.record_traits(customer, *traits, first_of_its_time, &mut out.counts);
                }
            }
            Call::Group { id } => {
                if let Some(field) = self.built_in.group {
                    customer.record(field, &Value::text(id), first_of_its_time);
                }
            }
        }
        self.instant(customer, now, &cause, out);
    }

    /// Ends what an event that is not counted ends.
    fn cancel(&self, customer: &mut Customer, event: &Arc<Event>, now: Millis) {
        self.cancel_sequences(customer, event, now);
    }
}
