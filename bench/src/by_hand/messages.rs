//! What rules do: messages with their consent, addresses and rates, calls, and consent that is recorded.

use super::{
    customer::{Customer, Profile},
    ids::{Ids, Origin},
    line::{Amount, Event},
    names::{Channel, Limit, RULES, Rule, Segment},
    records::{Because, Content, Deed, Reason, Record, Records, What},
    texts::{Span, Texts},
    time::{Millis, NEVER},
};

/// Where what happens is written down.
pub(super) struct Desk {
    /// Ids, addresses and what messages say.
    pub(super) texts: Texts,
    /// What happened.
    pub(super) records: Records,
    /// Makes ids.
    ids: Ids,
    /// What the messages say that always say the same, by rule.
    fixed: [[Span; 2]; RULES],
}

/// What triggered a rule.
#[derive(Clone, Copy)]
pub(super) struct Trigger {
    /// What its ids are made of.
    pub(super) origin: Origin,
    /// What is told of it.
    pub(super) because: Because,
}

impl Trigger {
    /// The match of a sequence, or of one event: by its last event, of which the call's id is `message`.
    pub(super) fn by_match(event: Event, first: Option<Span>, message: Span, at: Millis) -> Self {
        let because = Because { event: Some(event), message, segment: None, at };
        Self { origin: Origin::Match(first, message), because }
    }

    /// A segment that was entered; `message` is the id of the call that is applied, if one is.
    pub(super) fn entered(segment: Segment, event: Option<Event>, message: Span, at: Millis) -> Self {
        // An `identify` is told of only by the id of what it brings about.
        let told = event.map(|_| message).unwrap_or_default();
        let because = Because { event, message: told, segment: Some(segment), at };
        Self { origin: Origin::Entered(segment, at, message), because }
    }
}

/// What the message of a rule says, where that is always the same: subject or title, and body.
fn fixed(rule: Rule) -> [&'static str; 2] {
    match rule {
        Rule::AnyCartLeft => ["Still thinking?", "We keep it for you."],
        Rule::Bags => ["Bags", "Picked for you."],
        Rule::BrowseLeft => ["Still looking?", "It is still here."],
        Rule::FirstOrder => ["Your first order", ""],
        Rule::LeftWindow => ["Seen enough?", "Ten per cent off today."],
        Rule::Luxury => ["A personal shopper", "Just for you."],
        Rule::PricingPage => ["Questions about prices?", "We answer them."],
        Rule::SecondLook => ["Again?", "You have looked at it before."],
        Rule::Shoes => ["Shoes", "Picked for you."],
        Rule::ThankLoyal => ["Thank you", "Delivery is free from now on."],
        Rule::WinBack => ["We miss you", "Come back."],
        Rule::CartReminder
        | Rule::Confirmation
        | Rule::Coupons
        | Rule::EngagedCustomer
        | Rule::Hello
        | Rule::LargeOrder
        | Rule::Newsletter
        | Rule::Upsell
        | Rule::WelcomeSpender => ["", ""],
    }
}

impl Desk {
    /// With room for what comes of a stream of so many bytes.
    pub(super) fn with_room(bytes: usize) -> Self {
        let mut texts = Texts::with_room(bytes);
        let mut all = [[Span::default(); 2]; RULES];
        for (kept, rule) in all.iter_mut().zip(Rule::ALL) {
            *kept = fixed(rule).map(|text| texts.keep(text));
        }
        Self { texts, records: Records::with_room(bytes), ids: Ids::default(), fixed: all }
    }

    /// What a message says that is always the same.
    pub(super) fn fixed(&self, rule: Rule) -> [Span; 2] {
        self.fixed[rule as usize]
    }

    /// Whether a rule may run; where its limit is reached, that is written down.
    pub(super) fn may_run(&mut self, customer: &Customer, rule: Rule, trigger: Trigger, now: Millis) -> bool {
        let is_reached = rule.limit().is_some_and(|(place, limit)| match limit {
            Limit::Once => customer.runs[place] != NEVER,
            Limit::Per(length) => customer.runs[place] + length > now,
        });
        if is_reached {
            self.suppressed(customer, rule, trigger, Reason::Limit, now);
        }
        !is_reached
    }

    /// Writes down that a rule did nothing, and why.
    pub(super) fn suppressed(
        &mut self,
        customer: &Customer,
        rule: Rule,
        trigger: Trigger,
        reason: Reason,
        now: Millis,
    ) {
        let id = self.ids.of(&self.texts, rule, customer.id, trigger.origin, reason.step());
        let what = What::Suppressed { id, rule, reason };
        self.records.push(Record { at: now, customer: customer.id, what });
    }

    /// Sends the message of a rule, unless something keeps it back; only then is it asked what it says.
    pub(super) fn send(
        &mut self,
        customer: &mut Customer,
        rule: Rule,
        trigger: Trigger,
        now: Millis,
        says: impl FnOnce(&mut Self, &Profile) -> [Span; 2],
    ) {
        let Some(channel) = rule.channel() else { return };
        let is_bound = !rule.is_transactional();
        let to = customer.profile.addresses[channel as usize];
        let kept_back = if is_bound && !customer.profile.consent[channel as usize].allows() {
            Some(Reason::Consent)
        } else if to.is_empty() {
            Some(Reason::NoAddress)
        } else if is_bound && customer.sent.is_full(channel, now) {
            Some(Reason::Cap)
        } else {
            None
        };
        if let Some(reason) = kept_back {
            self.suppressed(customer, rule, trigger, reason, now);
            return;
        }
        let texts = says(self, &customer.profile);
        self.done(customer, rule, trigger, Content::Message { to, texts }, now);
        if let Some((place, _)) = rule.limit() {
            customer.runs[place] = now;
        }
        if is_bound {
            customer.sent.count(channel, now);
        }
    }

    /// Writes down what a rule did.
    pub(super) fn done(
        &mut self,
        customer: &Customer,
        rule: Rule,
        trigger: Trigger,
        content: Content,
        now: Millis,
    ) {
        let id = self.ids.of(&self.texts, rule, customer.id, trigger.origin, 1);
        self.records.push_deed(now, customer.id, Deed { id, rule, content, because: trigger.because });
    }

    /// Records consent to the topic by e-mail.
    pub(super) fn grant_consent(&mut self, customer: &mut Customer, now: Millis) {
        self.records.push(Record { at: now, customer: customer.id, what: What::Consent });
        customer.profile.consent[Channel::Email as usize].record_marketing(true, now);
    }

    /// A text with the customer's first name in it, or another word where that is not known.
    pub(super) fn with_name(&mut self, profile: &Profile, before: &str, or: &str, after: &str) -> Span {
        // The name is in the same place as what is written: it has to be taken out.
        let name = self.texts.get(profile.first_name);
        let name = if name.is_empty() { or.to_owned() } else { name.to_owned() };
        self.texts.join(&[before, &name, after])
    }
}

/// An amount of euros with two places, rounded half to even.
pub(super) fn euros(amount: Amount) -> String {
    let (cents, rest) = (amount.0.div_euclid(10_000), amount.0.rem_euclid(10_000));
    let cents = cents + i64::from(rest > 5_000 || rest == 5_000 && cents % 2 != 0);
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}€{}.{:02}", cents.unsigned_abs() / 100, cents.unsigned_abs() % 100)
}

/// A text as it stands in an e-mail, where some signs mean something.
pub(super) fn escaped(text: &str) -> String {
    let mut all = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '<' => all.push_str("&lt;"),
            '>' => all.push_str("&gt;"),
            '&' => all.push_str("&amp;"),
            '"' => all.push_str("&quot;"),
            '\'' => all.push_str("&#x27;"),
            '/' => all.push_str("&#x2f;"),
            sign => all.push(sign),
        }
    }
    all
}
