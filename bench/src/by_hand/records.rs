//! What happened, kept in few bytes, and put in order at the end.

use super::{
    ids::ActionId,
    line::{Amount, Event},
    names::{Rule, Segment},
    texts::{Span, Texts},
    time::{Millis, NEVER},
};

/// Everything that happened, in the order of happening, and in the order in which it is told.
#[derive(Debug)]
pub(super) struct Records {
    /// In the order of happening.
    all: Vec<Record>,
    /// What was done, which has more to be told than the rest.
    deeds: Vec<Deed>,
    /// The places in `all` by time, then customer, then happening; empty until they are sorted.
    order: Vec<u32>,
}

/// One thing that happened to one customer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    /// When.
    pub(super) at: Millis,
    /// To whom: the id.
    pub(super) customer: Span,
    /// What.
    pub(super) what: What,
}

/// What can happen.
#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    /// A segment was entered, or else left.
    Segment { segment: Segment, entered: bool },
    /// `newsletter` recorded consent to the topic by e-mail.
    Consent,
    /// A rule did not run, or a message was not sent.
    Suppressed { id: ActionId, rule: Rule, reason: Reason },
    /// A message was sent, or a system called: what lies at this place.
    Done(u32),
}

/// Why nothing was sent, in the order in which it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    Limit,
    Condition,
    Consent,
    NoAddress,
    Cap,
}

/// A message or call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deed {
    /// Its id.
    pub(super) id: ActionId,
    /// The rule that does it.
    pub(super) rule: Rule,
    /// What is sent, or given to the system.
    pub(super) content: Content,
    /// What triggered the rule.
    pub(super) because: Because,
}

/// What is sent or given.
#[derive(Clone, Copy, Debug)]
pub(super) enum Content {
    /// A message to an address: of an e-mail subject and body, of a push title and body, of an SMS only the
    /// second.
    Message { to: Span, texts: [Span; 2] },
    /// That something is so.
    Flag,
    /// How much was spent.
    Spent(Amount),
    /// An order and its total, as far as they are known.
    Order { order: Option<Span>, total: Option<Amount> },
}

/// What triggered a rule.
#[derive(Clone, Copy, Debug)]
pub(super) struct Because {
    /// The event; none where only time passed.
    pub(super) event: Option<Event>,
    /// The id of its call; empty where there is no event.
    pub(super) message: Span,
    /// The segment that was entered, if it was that.
    pub(super) segment: Option<Segment>,
    /// The time of the event, or of entering.
    pub(super) at: Millis,
}

impl Reason {
    /// The reason as it is printed.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Condition => "condition",
            Self::Consent => "consent",
            Self::NoAddress => "no_address",
            Self::Cap => "cap",
        }
    }

    /// The step that was not done; 0 where the run itself did not begin.
    pub(super) fn step(self) -> u32 {
        match self {
            Self::Limit | Self::Condition => 0,
            Self::Consent | Self::NoAddress | Self::Cap => 1,
        }
    }
}

/// About how many bytes of a stream lead to one record.
const STREAM_BYTES: usize = 300;
/// About how many records there are for one message or call.
const RECORDS_OF_DEED: usize = 3;

impl Records {
    /// With room for what comes of a stream of so many bytes.
    pub(super) fn with_room(bytes: usize) -> Self {
        let count = bytes / STREAM_BYTES;
        Self {
            all: Vec::with_capacity(count),
            deeds: Vec::with_capacity(count / RECORDS_OF_DEED),
            order: Vec::new(),
        }
    }

    /// Keeps what happened.
    pub(super) fn push(&mut self, record: Record) {
        self.all.push(record);
    }

    /// Keeps what was done for a customer.
    pub(super) fn push_deed(&mut self, at: Millis, customer: Span, deed: Deed) {
        let place = u32::try_from(self.deeds.len()).unwrap_or(u32::MAX);
        self.deeds.push(deed);
        self.push(Record { at, customer, what: What::Done(place) });
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// What was done.
    pub(super) fn deed(&self, place: u32) -> Option<&Deed> {
        self.deeds.get(place as usize)
    }

    /// All records in order.
    pub(super) fn sorted(&self) -> impl Iterator<Item = &Record> {
        self.order.iter().filter_map(|place| self.all.get(*place as usize))
    }

    /// Puts the records in order: by time, then by the customer's id, then as they happened.
    ///
    /// What events cause comes in order of time, as they do. Only what time causes is found when its customer
    /// is looked at next, and so has to be sorted; the rest is merged with it.
    pub(super) fn sort(&mut self, texts: &Texts) {
        let mut found_later = self.in_time(false).collect::<Vec<_>>();
        found_later.sort_unstable();
        let mut others = found_later.into_iter().peekable();
        let mut all = Vec::with_capacity(self.all.len());
        for (at, place) in self.in_time(true) {
            while let Some(earlier) = others.next_if(|(other, _)| *other < at) {
                all.push(earlier);
            }
            all.push((at, place));
        }
        all.extend(others);
        let customer = |place: u32| self.all.get(place as usize).map(|it| it.customer).unwrap_or_default();
        for moment in all.chunk_by_mut(|(one, _), (other, _)| one == other) {
            // Mostly it is one customer's.
            let first = moment.first().map(|(_, place)| customer(*place));
            if moment.iter().any(|(_, place)| Some(customer(*place)) != first) {
                moment.sort_by(|(_, one), (_, other)| {
                    texts.get(customer(*one)).cmp(texts.get(customer(*other)))
                });
            }
        }
        self.order = all.into_iter().map(|(_, place)| place).collect();
    }

    /// The times and places of the records that came in order of time, or else of those that came too late
    /// for that.
    fn in_time(&self, in_time: bool) -> impl Iterator<Item = (Millis, u32)> {
        let mut latest = NEVER;
        let times = self.all.iter().map(|record| record.at).zip(0..);
        times.filter(move |(at, _)| {
            let comes_in_time = *at >= latest;
            latest = latest.max(*at);
            comes_in_time == in_time
        })
    }
}
