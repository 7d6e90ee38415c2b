//! Sessions: events that nobody sent, made of gaps in what the customer does [3].

use super::{
    Reference,
    customer::{Customer, Event},
    instant::Cause,
};
use crate::{
    consent::Stamp,
    event::{Call, Incoming},
    execution::Output,
    session::{self, Session},
    typed::EventId,
    value::{Millis, Value},
};
use std::sync::Arc;

impl Reference {
    /// Whether a call begins a session.
    pub(super) fn begins_session(&self, customer: &Customer, call: &Incoming<'_>, now: Millis) -> bool {
        let Call::Track { event, .. } = &call.call else { return false };
        let declared = self.program.event(event).and_then(|id| self.program.events.get(id.0 as usize));
        let active = !declared.is_some_and(|declared| declared.passive);
        self.program.sessions && active && Session::begins(customer.session.as_ref(), call.at, now)
    }

    /// A session begins, at its place before the event that begins it. `starts` is whether that is not too late to start
    /// something.
    pub(super) fn start_session(
        &self,
        customer: &mut Customer,
        first: Stamp,
        now: Millis,
        starts: bool,
        out: &mut Output,
    ) {
        let session = Session::beginning(first);
        customer.session = Some(session.clone());
        if let Some(id) = self.built_in.session_started {
            self.make_session_event(customer, id, &session, first, (now, starts), out);
        }
    }

    /// What the customer does belongs to the session.
    pub(super) fn continue_session(&self, customer: &mut Customer, event: &Event) {
        if let Some(session) = customer.session.as_mut().filter(|_| event.active) {
            session.add(event.at(), session::is_page(&event.name));
        }
    }

    /// Ends the session if its time has come; tells whether that made an event.
    pub(super) fn end_session(&self, customer: &mut Customer, now: Millis, out: &mut Output) -> bool {
        let Some(end) = customer.session.as_mut().and_then(|session| session.finish(now)) else {
            return false;
        };
        let (Some(id), Some(session)) = (self.built_in.session_ended, customer.session.clone()) else {
            return false;
        };
        let stamp = customer.next_stamp(end);
        self.make_session_event(customer, id, &session, stamp, (now, true), out);
        true
    }

    /// When the session ends, and when it is this session no longer.
    pub(super) fn session_deadline(&self, customer: &Customer) -> Option<Millis> {
        let (session, clock) = (customer.session.as_ref()?, customer.clock?);
        let over = Some(session.is_over_from()).filter(|over| *over > clock);
        session.comes_to_its_end().into_iter().chain(over).min()
    }

    fn make_session_event(
        &self,
        customer: &mut Customer,
        id: EventId,
        session: &Session,
        stamp: Stamp,
        (now, starts): (Millis, bool),
        out: &mut Output,
    ) {
        let Some(declared) = self.program.events.get(id.0 as usize) else { return };
        let value = |name: &str| {
            if declared.name.as_ref() == session::ENDED { session.field(name) } else { Value::Missing }
        };
        let message_id: Arc<str> = Arc::from(session.message_id(&declared.name, &customer.id));
        let event = Arc::new(Event {
            stamp,
            id: Some(id),
            name: declared.name.clone(),
            message_id: message_id.clone(),
            fields: declared.fields.iter().map(|field| value(&field.name)).collect(),
            zone: self.zone(customer),
            active: false,
        });
        self.remember(customer, &event, now);
        self.follow_goals(customer, &event, now);
        let completed = self.move_sequences(customer, &event, now, starts, &mut out.counts);
        let cause = Cause {
            event: Some(event),
            id: message_id,
            completed,
            starts_nothing: !starts,
            ..Cause::default()
        };
        self.instant(customer, now, &cause, out);
    }
}
