//! Sessions: events that are made of gaps in what the customer does.

use super::{
    Engine,
    customer::Customer,
    frame::{Frame, Tracked},
    instant::Moment,
};
use segue_compiler::{
    consent::Stamp,
    event::Incoming,
    execution::Output,
    limits::MAX_CONSEQUENCES,
    session::{self, Session},
    typed::EventId,
    value::{Millis, Value},
};

impl Engine {
    /// Whether a call begins a session.
    pub(super) fn begins_session(&self, customer: &Customer, incoming: &Incoming<'_>, now: Millis) -> bool {
        if !self.program.sessions {
            return false;
        }
        let Some(event) = Tracked::of(&incoming.call, incoming.message_id) else { return false };
        self.is_active(self.machine.events.get(event.name).map(EventId))
            && Session::begins(customer.session.as_ref(), incoming.at, now)
    }

    /// Whether an event is something that customers do; those that are not declared are.
    pub(super) fn is_active(&self, event: Option<EventId>) -> bool {
        let declared = event.and_then(|id| self.program.events.get(id.0 as usize));
        declared.is_none_or(|event| !event.passive)
    }

    /// A session begins, at its place before the event that begins it.
    pub(super) fn start_session(
        &self,
        customer: &mut Customer,
        first: Stamp,
        starts: bool,
        moment: &mut Moment<'_>,
    ) {
        let session = Session::beginning(first);
        // What lies in the session may be other than what lay in none.
        customer.next_change = i64::MIN;
        customer.session = Some(session.clone());
        if let Some(event) = self.sessions.started {
            let id = session.message_id(session::STARTED, &customer.id);
            let frame = self.made(event, &id, first.0, first.1, |_| Value::Missing);
            self.event_instant(customer, &frame, starts, moment);
        }
    }

    /// What the customer does belongs to the session.
    pub(super) fn continue_session(&self, customer: &mut Customer, event: &Frame) {
        if let Some(session) = customer.session.as_mut() {
            session.add(event.at, session::is_page(&event.name));
        }
    }

    /// Ends the session if its time has come.
    pub(super) fn end_session(&self, customer: &mut Customer, now: Millis, out: &mut Output) -> bool {
        let Some(end) = customer.session.as_mut().and_then(|session| session.finish(now)) else {
            return false;
        };
        if let (Some(event), Some(session)) = (self.sessions.ended, customer.session.clone()) {
            let id = session.message_id(session::ENDED, &customer.id);
            let order = customer.next_order();
            let frame = self.made(event, &id, end, order, |name| session.field(name));
            let mut moment = Moment { now, out, consequences: Some(MAX_CONSEQUENCES) };
            self.event_instant(customer, &frame, true, &mut moment);
        }
        true
    }
}
