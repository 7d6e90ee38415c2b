//! What is known of one customer.

use super::{
    line::{Amount, Call, Category, Event, SaidConsent, Traits},
    names::{Channel, LIMITED, Segment, Segments},
    sequences::Sequences,
    texts::{Span, Texts},
    time::{DAY, Millis, NEVER, NEVER_MORE},
    windows::{Latest, Spent},
};

/// One customer, with typed fields for what the twenty rules ask.
#[derive(Debug)]
pub(super) struct Customer {
    /// The first instant after the latest event at which something changes by time alone.
    pub(super) next_change: Millis,
    /// The id.
    pub(super) id: Span,
    /// The segments that the customer is in.
    pub(super) segments: Segments,
    /// What is under way.
    pub(super) sequences: Sequences,
    /// What is known for sending.
    pub(super) profile: Profile,
    /// When messages were sent that count for the topic's rates.
    pub(super) sent: Sent,
    /// When each rule that has a limit last ran and did something.
    pub(super) runs: [Millis; LIMITED],
    /// What was put into carts.
    pub(super) added: Latest<3>,
    /// The time of the first call.
    first_seen: Millis,
    /// The time of the latest event; there may have been none.
    last_event: Millis,
    /// Orders, of those who made any; most never do.
    orders: Option<Box<Orders>>,
    /// Looks at shoes.
    shoes: Latest<3>,
    /// Looks at bags.
    bags: Latest<3>,
    /// Looks at what is expensive.
    luxury: Latest<2>,
    /// Looks at anything.
    views: Latest<10>,
    /// Messages that were opened or clicked.
    engaged: Latest<2>,
}

/// The orders of a customer.
#[derive(Debug, Default)]
struct Orders {
    /// All.
    all: Latest<3>,
    /// Those with a coupon.
    coupons: Latest<2>,
    /// What was spent.
    spent: Spent,
}

/// What `identify` calls said.
#[derive(Debug, Default)]
pub(super) struct Profile {
    /// The first name.
    pub(super) first_name: Span,
    /// Addresses, by channel.
    pub(super) addresses: [Span; Channel::ALL.len()],
    /// Consent, by channel.
    pub(super) consent: [Consent; Channel::ALL.len()],
    /// Whether there is a plan, and it is not `pro`.
    pub(super) is_below_pro: bool,
}

/// What was said about one channel.
#[derive(Debug, Default)]
pub(super) struct Consent {
    /// About all of it.
    whole: Option<Word>,
    /// About the topic `marketing` on it.
    marketing: Option<Word>,
}

/// A yes or a no, and when it was said.
#[derive(Clone, Copy, Debug)]
struct Word {
    /// Whether it is a yes.
    granted: bool,
    /// When it was said.
    at: Millis,
}

/// The messages of the topic: `3 per 7 days, sms 1 per 1 day`.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// On any channel.
    all: Latest<3>,
    /// By SMS.
    sms: Latest<1>,
}

/// From which price on a look is one at something expensive.
const LUXURY: Amount = Amount::whole(500);
/// How much a big spender spends.
const BIG: Amount = Amount::whole(1_000);
/// How long somebody is a newcomer.
const NEW: Millis = 3 * DAY;
/// How long somebody does nothing who has lapsed.
const LAPSED: Millis = 30 * DAY;
/// How long somebody is known, looks and does not order who is a window shopper.
const SHOPPING: Millis = 7 * DAY;

impl Customer {
    /// A customer who is seen for the first time.
    pub(super) fn new(id: Span, at: Millis) -> Self {
        Self {
            next_change: NEVER_MORE,
            id,
            segments: Segments::default(),
            sequences: Sequences::default(),
            profile: Profile::default(),
            sent: Sent::default(),
            runs: [NEVER; LIMITED],
            added: Latest::default(),
            first_seen: at,
            last_event: NEVER,
            orders: None,
            shoes: Latest::default(),
            bags: Latest::default(),
            luxury: Latest::default(),
            views: Latest::default(),
            engaged: Latest::default(),
        }
    }

    /// Takes an event into the windows.
    pub(super) fn remember(&mut self, event: Event, call: &Call<&str>) {
        let (at, properties) = (call.at, &call.properties);
        self.last_event = at;
        match event {
            Event::ProductViewed => {
                self.views.happened(at);
                match properties.category {
                    Some(Category::Shoes) => self.shoes.happened(at),
                    Some(Category::Bags) => self.bags.happened(at),
                    Some(Category::Other) | None => {}
                }
                if properties.price >= Some(LUXURY) {
                    self.luxury.happened(at);
                }
            }
            Event::ProductAdded => self.added.happened(at),
            Event::OrderCompleted => {
                let orders = self.orders.get_or_insert_default();
                orders.all.happened(at);
                if properties.coupon.is_some() {
                    orders.coupons.happened(at);
                }
                if let Some(total) = properties.total {
                    orders.spent.add(at, total);
                }
            }
            Event::MessageOpened | Event::MessageClicked => self.engaged.happened(at),
            Event::PageViewed | Event::FormSubmitted | Event::Other => {}
        }
    }

    /// The segments that the customer is in now.
    pub(super) fn segments_now(&mut self, now: Millis) -> Segments {
        let mut segments = Segments::default();
        if let Some(orders) = &mut self.orders {
            orders.spent.forget(now);
            segments.put(Segment::CouponHunter, orders.coupons.all_within(180 * DAY, now));
            segments.put(Segment::Lapsed, self.last_event + LAPSED <= now);
            segments.put(Segment::Loyal, orders.all.all_within(90 * DAY, now));
            segments.put(Segment::BigSpender, orders.spent.sum() >= BIG);
        }
        segments.put(Segment::BagFan, self.bags.all_within(DAY, now));
        segments.put(Segment::Engaged, self.engaged.all_within(30 * DAY, now));
        segments.put(Segment::LuxuryBrowser, self.luxury.all_within(7 * DAY, now));
        segments.put(Segment::Newcomer, self.last_event != NEVER && now < self.first_seen + NEW);
        segments.put(Segment::ShoeFan, self.shoes.all_within(DAY, now));
        segments.put(
            Segment::WindowShopper,
            self.views.all_within(SHOPPING, now) && self.shops_windows_from() <= now,
        );
        segments
    }

    /// From when on somebody who looks at things is a window shopper.
    fn shops_windows_from(&self) -> Millis {
        self.first_seen.max(self.last_order()) + SHOPPING
    }

    /// The first instant after now at which something changes if nothing happens: something that waits is
    /// over, or a segment of now is left or entered.
    pub(super) fn change_after(&self, now: Millis) -> Millis {
        let is_in = |segment: Segment| self.segments.has(segment);
        let mut next = self.sequences.next_end();
        let mut leaves = |segment: Segment, at: Millis| {
            if is_in(segment) {
                next = next.min(at);
            }
        };
        leaves(Segment::BagFan, self.bags.leaves(DAY));
        leaves(Segment::Engaged, self.engaged.leaves(30 * DAY));
        leaves(Segment::LuxuryBrowser, self.luxury.leaves(7 * DAY));
        leaves(Segment::Newcomer, self.first_seen + NEW);
        leaves(Segment::ShoeFan, self.shoes.leaves(DAY));
        leaves(Segment::WindowShopper, self.views.leaves(SHOPPING));
        if let Some(orders) = &self.orders {
            leaves(Segment::CouponHunter, orders.coupons.leaves(180 * DAY));
            leaves(Segment::Loyal, orders.all.leaves(90 * DAY));
            leaves(Segment::BigSpender, orders.spent.leaves());
            if !is_in(Segment::Lapsed) {
                next = next.min(self.last_event + LAPSED);
            }
        }
        if !is_in(Segment::WindowShopper) && self.views.all_within(SHOPPING, now) {
            next = next.min(self.shops_windows_from());
        }
        next
    }

    /// Whether there was an order in the last so many milliseconds.
    pub(super) fn ordered_within(&self, length: Millis, now: Millis) -> bool {
        self.last_order() + length > now
    }

    /// The time of the latest order, if there was one.
    fn last_order(&self) -> Millis {
        self.orders.as_ref().map_or(NEVER, |orders| orders.all.latest())
    }

    /// What was spent in the last 365 days, as of the last moment.
    pub(super) fn spent(&self) -> Amount {
        self.orders.as_ref().map(|orders| orders.spent.sum()).unwrap_or_default()
    }
}

impl Profile {
    /// Records what an `identify` says.
    pub(super) fn record(&mut self, traits: &Traits<&str>, at: Millis, texts: &mut Texts) {
        // Mostly the same is said again, and need not be kept twice.
        let mut keep = |field: &mut Span, said: Option<&str>| {
            if let Some(said) = said.filter(|said| texts.get(*field) != *said) {
                *field = texts.keep(said);
            }
        };
        let [sms, email, push] = &mut self.addresses;
        keep(&mut self.first_name, traits.first_name);
        keep(sms, traits.phone);
        keep(email, traits.email);
        keep(push, traits.push_token);
        if let Some(plan) = traits.plan {
            self.is_below_pro = plan != "pro";
        }
        if let Some(SaidConsent { sms, email, push }) = traits.consent {
            for (consent, said) in self.consent.iter_mut().zip([sms, email, push]) {
                if let Some(granted) = said {
                    consent.record(granted, at);
                }
            }
        }
    }
}

impl Consent {
    /// Records what is said about the whole channel, which takes the place of what was said about a topic on
    /// it.
    fn record(&mut self, granted: bool, at: Millis) {
        let word = Word { granted, at };
        if word.wins(self.whole) {
            self.whole = Some(word);
            self.marketing = self.marketing.filter(|topic| !word.wins(Some(*topic)));
        }
    }

    /// Records what is said about the topic.
    pub(super) fn record_marketing(&mut self, granted: bool, at: Millis) {
        let word = Word { granted, at };
        if word.wins(self.whole) && word.wins(self.marketing) {
            self.marketing = Some(word);
        }
    }

    /// Whether messages of the topic may be sent: where nobody said no, it is taken for a yes, as replays do.
    pub(super) fn allows(&self) -> bool {
        self.marketing.or(self.whole).is_none_or(|word| word.granted)
    }
}

impl Word {
    /// Whether this later word counts: always, but of two at the same moment the no.
    fn wins(self, before: Option<Self>) -> bool {
        before.is_none_or(|before| before.at < self.at || before.granted || !self.granted)
    }
}

impl Sent {
    /// A message of the topic is sent.
    pub(super) fn count(&mut self, channel: Channel, at: Millis) {
        self.all.happened(at);
        if channel == Channel::Sms {
            self.sms.happened(at);
        }
    }

    /// Whether one more would be too many.
    pub(super) fn is_full(&self, channel: Channel, now: Millis) -> bool {
        self.all.all_within(7 * DAY, now) || channel == Channel::Sms && self.sms.all_within(DAY, now)
    }
}
