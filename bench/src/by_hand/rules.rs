//! The twenty rules: what each does at one moment of a customer. First segments change, then rules have their
//! turns, in the order of their names.

use super::{
    customer::Customer,
    line::{Amount, Call, Event, Properties},
    messages::{Desk, Trigger, escaped, euros},
    names::{Rule, Segment, Segments},
    records::{Content, Reason, Record, What},
    sequences::{Cart, Completed, Waits},
    texts::Span,
    time::{DAY, Millis},
};

/// From which price on `cart_reminder` reminds.
const REMINDED_PRICE: Amount = Amount::whole(50);
/// From which total on an order is large.
const LARGE: Amount = Amount::whole(800);
/// The totals of orders that `upsell` looks at.
const UPSELL: std::ops::RangeInclusive<Amount> = Amount::whole(40)..=Amount::whole(80);

/// One moment of one customer.
pub(super) struct Moment<'m> {
    /// Whose it is.
    pub(super) customer: &'m mut Customer,
    /// Where what happens is written down.
    pub(super) desk: &'m mut Desk,
    /// When it is.
    pub(super) now: Millis,
    /// The call that is applied; none where only time passes.
    pub(super) call: Option<&'m Call<&'m str>>,
    /// The id of the call; empty where there is none.
    pub(super) message: Span,
}

/// Lets all moments up to and including an instant pass at which something happens by time alone.
pub(super) fn pass(customer: &mut Customer, until: Millis, desk: &mut Desk) {
    while customer.next_change <= until {
        let now = customer.next_change;
        let completed = customer.sequences.end(now);
        Moment { customer, desk, now, call: None, message: Span::default() }.happen(&completed);
    }
}

impl<'m> Moment<'m> {
    /// What happens at this moment, after events were remembered and sequences moved.
    pub(super) fn happen(&mut self, completed: &Completed) {
        let entered = self.change_segments();
        let event = self.call.and_then(|call| call.event);
        let is_looked_at =
            matches!(event, Some(Event::OrderCompleted | Event::PageViewed | Event::FormSubmitted));
        if is_looked_at || !entered.is_empty() || completed.any() {
            self.first_turns(entered, completed);
            self.last_turns(entered, completed);
        }
        self.customer.next_change = self.customer.change_after(self.now);
    }

    /// Lets segments be entered and left; gives those that were entered.
    fn change_segments(&mut self) -> Segments {
        let (before, now) = (self.customer.segments, self.customer.segments_now(self.now));
        if before == now {
            return Segments::default();
        }
        self.customer.segments = now;
        let entered = now.without(before);
        for segment in Segment::ALL {
            if before.has(segment) != now.has(segment) {
                let what = What::Segment { segment, entered: entered.has(segment) };
                self.desk.records.push(Record { at: self.now, customer: self.customer.id, what });
            }
        }
        entered
    }

    /// The rules from `any_cart_left` to `hello`.
    fn first_turns(&mut self, entered: Segments, completed: &Completed) {
        let order = self.order();
        if let Some(waited) = &completed.any_cart {
            self.send_fixed(Rule::AnyCartLeft, waited.trigger(Event::ProductAdded));
        }
        self.send_to_members(Rule::Bags, Segment::BagFan, entered);
        if let Some(waited) = &completed.browse {
            self.send_fixed(Rule::BrowseLeft, waited.trigger(Event::ProductViewed));
        }
        for cart in &completed.carts {
            self.cart_reminder(cart);
        }
        if let Some(order) = order {
            self.confirmation(order);
        }
        self.tell_of_members(Rule::Coupons, Segment::CouponHunter, Content::Flag, entered);
        self.tell_of_members(Rule::EngagedCustomer, Segment::Engaged, Content::Flag, entered);
        if let Some(order) = order.filter(|_| completed.first_order) {
            self.first_order(order);
        }
        if entered.has(Segment::Newcomer) {
            self.hello();
        }
    }

    /// The rules from `large_order` to `win_back`.
    fn last_turns(&mut self, entered: Segments, completed: &Completed) {
        let order = self.order();
        if let Some(order) = order {
            self.large_order(order);
        }
        self.send_to_members(Rule::LeftWindow, Segment::WindowShopper, entered);
        self.send_to_members(Rule::Luxury, Segment::LuxuryBrowser, entered);
        if let Some(call) = self.call {
            match call.event {
                Some(Event::FormSubmitted) => self.newsletter(&call.properties),
                Some(Event::PageViewed) => self.pricing_page(&call.properties),
                _ => {}
            }
        }
        if let Some(first) = completed.first_look {
            let trigger = Trigger::by_match(Event::ProductViewed, Some(first), self.message, self.now);
            self.send_fixed(Rule::SecondLook, trigger);
        }
        if entered.has(Segment::ShoeFan) {
            self.shoes();
        }
        self.send_to_members(Rule::ThankLoyal, Segment::Loyal, entered);
        if let Some(order) = order {
            self.upsell(order);
        }
        let spent = Content::Spent(self.customer.spent());
        self.tell_of_members(Rule::WelcomeSpender, Segment::BigSpender, spent, entered);
        self.send_to_members(Rule::WinBack, Segment::Lapsed, entered);
    }

    /// The order that is applied at this moment, if it is one.
    fn order(&self) -> Option<&'m Properties<&'m str>> {
        self.call.filter(|call| call.event == Some(Event::OrderCompleted)).map(|call| &call.properties)
    }

    /// The event of this moment as what triggers a rule.
    fn by_event(&self, event: Event) -> Trigger {
        Trigger::by_match(event, None, self.message, self.now)
    }

    /// A segment that was entered as what triggers a rule.
    fn entered(&self, segment: Segment) -> Trigger {
        Trigger::entered(segment, self.call.and_then(|call| call.event), self.message, self.now)
    }

    /// Sends a message that always says the same, if the rule's limit allows it.
    fn send_fixed(&mut self, rule: Rule, trigger: Trigger) {
        if self.desk.may_run(self.customer, rule, trigger, self.now) {
            self.desk.send(self.customer, rule, trigger, self.now, |desk, _| desk.fixed(rule));
        }
    }

    /// Sends a message that always says the same to those who enter a segment.
    fn send_to_members(&mut self, rule: Rule, segment: Segment, entered: Segments) {
        if entered.has(segment) {
            self.send_fixed(rule, self.entered(segment));
        }
    }

    /// Tells a system of those who enter a segment.
    fn tell_of_members(&mut self, rule: Rule, segment: Segment, content: Content, entered: Segments) {
        if entered.has(segment) {
            self.desk.done(self.customer, rule, self.entered(segment), content, self.now);
        }
    }

    /// A cart has waited for its order for two hours.
    fn cart_reminder(&mut self, cart: &Cart) {
        let (rule, trigger) = (Rule::CartReminder, cart.waits.trigger(Event::ProductAdded));
        if !self.desk.may_run(self.customer, rule, trigger, self.now) {
            return;
        }
        if cart.price < Some(REMINDED_PRICE) {
            self.desk.suppressed(self.customer, rule, trigger, Reason::Condition, self.now);
            return;
        }
        self.desk.send(self.customer, rule, trigger, self.now, |desk, profile| {
            [Span::default(), desk.with_name(profile, "Hi ", "there", ", your cart is waiting.")]
        });
    }

    /// Confirms an order.
    fn confirmation(&mut self, order: &Properties<&str>) {
        let trigger = self.by_event(Event::OrderCompleted);
        self.desk.send(self.customer, Rule::Confirmation, trigger, self.now, |desk, _| {
            let number = escaped(order.order_id.unwrap_or_default());
            let total = order.total.map(euros).unwrap_or_default();
            [desk.texts.join(&["Order ", &number]), desk.texts.join(&["Total ", &total, "."])]
        });
    }

    /// Thanks for the first order.
    fn first_order(&mut self, order: &Properties<&str>) {
        let (rule, trigger) = (Rule::FirstOrder, self.by_event(Event::OrderCompleted));
        self.desk.send(self.customer, rule, trigger, self.now, |desk, _| {
            let [subject, _] = desk.fixed(rule);
            let number = escaped(order.order_id.unwrap_or_default());
            [subject, desk.texts.join(&["Thank you for order ", &number, "."])]
        });
    }

    /// Welcomes a newcomer.
    fn hello(&mut self) {
        let (rule, trigger) = (Rule::Hello, self.entered(Segment::Newcomer));
        if self.desk.may_run(self.customer, rule, trigger, self.now) {
            self.desk.send(self.customer, rule, trigger, self.now, |desk, profile| {
                [Span::default(), desk.with_name(profile, "Welcome, ", "friend", "!")]
            });
        }
    }

    /// Tells sales of a large order without a coupon.
    fn large_order(&mut self, order: &Properties<&str>) {
        if order.total >= Some(LARGE) && order.coupon.is_none() {
            let number = order.order_id.map(|id| self.desk.texts.keep(id));
            let content = Content::Order { order: number, total: order.total };
            let trigger = self.by_event(Event::OrderCompleted);
            self.desk.done(self.customer, Rule::LargeOrder, trigger, content, self.now);
        }
    }

    /// Takes a form for the newsletter as consent.
    fn newsletter(&mut self, form: &Properties<&str>) {
        if form.form_id == Some("newsletter") {
            self.desk.grant_consent(self.customer, self.now);
        }
    }

    /// Offers help with prices.
    fn pricing_page(&mut self, page: &Properties<&str>) {
        if self.customer.profile.is_below_pro && page.path.is_some_and(|path| path.starts_with("/pricing")) {
            self.send_fixed(Rule::PricingPage, self.by_event(Event::PageViewed));
        }
    }

    /// Shows shoes to those who look at them and did not order.
    fn shoes(&mut self) {
        let (rule, trigger) = (Rule::Shoes, self.entered(Segment::ShoeFan));
        if !self.desk.may_run(self.customer, rule, trigger, self.now) {
            return;
        }
        if self.customer.ordered_within(DAY, self.now) {
            self.desk.suppressed(self.customer, rule, trigger, Reason::Condition, self.now);
            return;
        }
        self.desk.send(self.customer, rule, trigger, self.now, |desk, _| desk.fixed(rule));
    }

    /// Tells of a small order by somebody who put much into carts.
    fn upsell(&mut self, order: &Properties<&str>) {
        if !order.total.is_some_and(|total| UPSELL.contains(&total)) {
            return;
        }
        let (rule, trigger) = (Rule::Upsell, self.by_event(Event::OrderCompleted));
        if self.customer.added.all_within(DAY, self.now) {
            self.desk.done(self.customer, rule, trigger, Content::Flag, self.now);
        } else {
            self.desk.suppressed(self.customer, rule, trigger, Reason::Condition, self.now);
        }
    }
}

impl Waits {
    /// What waited until now as what triggers a rule.
    fn trigger(&self, event: Event) -> Trigger {
        Trigger::by_match(event, None, self.message, self.at)
    }
}
