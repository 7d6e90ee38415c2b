//! The names of the pack: its segments, rules and channels, and what each rule is.

use super::time::{DAY, Millis};

/// The segments, in the order in which they are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    BagFan,
    CouponHunter,
    Engaged,
    Lapsed,
    Loyal,
    LuxuryBrowser,
    Newcomer,
    ShoeFan,
    BigSpender,
    WindowShopper,
}

/// A set of segments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Segments(u16);

/// The rules, in the order of their turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    AnyCartLeft,
    Bags,
    BrowseLeft,
    CartReminder,
    Confirmation,
    Coupons,
    EngagedCustomer,
    FirstOrder,
    Hello,
    LargeOrder,
    LeftWindow,
    Luxury,
    Newsletter,
    PricingPage,
    SecondLook,
    Shoes,
    ThankLoyal,
    Upsell,
    WelcomeSpender,
    WinBack,
}

/// How many rules there are.
pub(super) const RULES: usize = Rule::WinBack as usize + 1;

/// Where messages are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channel {
    Sms,
    Email,
    Push,
}

/// How many rules have a limit.
pub(super) const LIMITED: usize = 12;

/// How often a rule may run for one customer.
#[derive(Clone, Copy)]
pub(super) enum Limit {
    /// Once in a life.
    Once,
    /// Once in so many milliseconds.
    Per(Millis),
}

impl Segment {
    /// All of them, in order.
    pub(super) const ALL: [Self; 10] = [
        Self::BagFan,
        Self::CouponHunter,
        Self::Engaged,
        Self::Lapsed,
        Self::Loyal,
        Self::LuxuryBrowser,
        Self::Newcomer,
        Self::ShoeFan,
        Self::BigSpender,
        Self::WindowShopper,
    ];

    /// The name in the pack.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::BagFan => "bag_fan",
            Self::CouponHunter => "coupon_hunter",
            Self::Engaged => "engaged",
            Self::Lapsed => "lapsed",
            Self::Loyal => "loyal",
            Self::LuxuryBrowser => "luxury_browser",
            Self::Newcomer => "newcomer",
            Self::ShoeFan => "shoe_fan",
            Self::BigSpender => "big_spender",
            Self::WindowShopper => "window_shopper",
        }
    }
}

impl Segments {
    /// Puts a segment in, if something holds.
    pub(super) fn put(&mut self, segment: Segment, holds: bool) {
        self.0 |= u16::from(holds) << segment as u16;
    }

    /// Whether a segment is in.
    pub(super) fn has(self, segment: Segment) -> bool {
        self.0 >> segment as u16 & 1 == 1
    }

    /// The segments that are here and not there.
    pub(super) fn without(self, there: Self) -> Self {
        Self(self.0 & !there.0)
    }

    /// Whether none is in.
    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl Rule {
    /// All of them, in order.
    pub(super) const ALL: [Self; RULES] = [
        Self::AnyCartLeft,
        Self::Bags,
        Self::BrowseLeft,
        Self::CartReminder,
        Self::Confirmation,
        Self::Coupons,
        Self::EngagedCustomer,
        Self::FirstOrder,
        Self::Hello,
        Self::LargeOrder,
        Self::LeftWindow,
        Self::Luxury,
        Self::Newsletter,
        Self::PricingPage,
        Self::SecondLook,
        Self::Shoes,
        Self::ThankLoyal,
        Self::Upsell,
        Self::WelcomeSpender,
        Self::WinBack,
    ];

    /// The name in the pack.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::AnyCartLeft => "any_cart_left",
            Self::Bags => "bags",
            Self::BrowseLeft => "browse_left",
            Self::CartReminder => "cart_reminder",
            Self::Confirmation => "confirmation",
            Self::Coupons => "coupons",
            Self::EngagedCustomer => "engaged_customer",
            Self::FirstOrder => "first_order",
            Self::Hello => "hello",
            Self::LargeOrder => "large_order",
            Self::LeftWindow => "left_window",
            Self::Luxury => "luxury",
            Self::Newsletter => "newsletter",
            Self::PricingPage => "pricing_page",
            Self::SecondLook => "second_look",
            Self::Shoes => "shoes",
            Self::ThankLoyal => "thank_loyal",
            Self::Upsell => "upsell",
            Self::WelcomeSpender => "welcome_spender",
            Self::WinBack => "win_back",
        }
    }

    /// Its limit, and its place among the rules that have one.
    pub(super) fn limit(self) -> Option<(usize, Limit)> {
        Some(match self {
            Self::AnyCartLeft => (0, Limit::Per(14 * DAY)),
            Self::Bags => (1, Limit::Per(14 * DAY)),
            Self::BrowseLeft => (2, Limit::Per(7 * DAY)),
            Self::CartReminder => (3, Limit::Per(7 * DAY)),
            Self::Hello => (4, Limit::Once),
            Self::LeftWindow => (5, Limit::Per(30 * DAY)),
            Self::Luxury => (6, Limit::Per(30 * DAY)),
            Self::PricingPage => (7, Limit::Per(30 * DAY)),
            Self::SecondLook => (8, Limit::Per(7 * DAY)),
            Self::Shoes => (9, Limit::Per(14 * DAY)),
            Self::ThankLoyal => (10, Limit::Once),
            Self::WinBack => (11, Limit::Per(60 * DAY)),
            Self::Confirmation
            | Self::Coupons
            | Self::EngagedCustomer
            | Self::FirstOrder
            | Self::LargeOrder
            | Self::Newsletter
            | Self::Upsell
            | Self::WelcomeSpender => return None,
        })
    }

    /// Where its message is sent, or what is called instead; neither, if it only records consent.
    pub(super) fn channel(self) -> Option<Channel> {
        match self {
            Self::CartReminder | Self::Hello => Some(Channel::Sms),
            Self::AnyCartLeft
            | Self::Confirmation
            | Self::FirstOrder
            | Self::Luxury
            | Self::PricingPage
            | Self::ThankLoyal
            | Self::WinBack => Some(Channel::Email),
            Self::Bags | Self::BrowseLeft | Self::LeftWindow | Self::SecondLook | Self::Shoes => {
                Some(Channel::Push)
            }
            Self::Coupons
            | Self::EngagedCustomer
            | Self::LargeOrder
            | Self::Newsletter
            | Self::Upsell
            | Self::WelcomeSpender => None,
        }
    }

    /// Whether its message is outside of consent and rates.
    pub(super) fn is_transactional(self) -> bool {
        matches!(self, Self::Confirmation | Self::FirstOrder)
    }
}

impl Channel {
    /// All of them, in order.
    pub(super) const ALL: [Self; 3] = [Self::Sms, Self::Email, Self::Push];

    /// The name in the pack.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Email => "email",
            Self::Push => "push",
        }
    }
}
