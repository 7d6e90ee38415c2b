//! The sequences of one customer: what waits for something that must not come, and what was looked at once.

use super::{
    line::{Amount, Call, Category, Event, Id},
    texts::Span,
    time::{DAY, HOUR, Millis, NEVER_MORE},
};
use smallvec::SmallVec;
use std::collections::VecDeque;

/// How long a cart waits for its order until `cart_reminder`.
const CART_REMINDER: Millis = 2 * HOUR;
/// How long `any_cart_left` waits for any order.
const ANY_CART_LEFT: Millis = DAY;
/// How long `browse_left` waits for something to be put into a cart.
const BROWSE_LEFT: Millis = 3 * HOUR;
/// From which price on a look counts for `browse_left`: above it.
const BROWSED_PRICE: Amount = Amount::whole(400);
/// From which price on `any_cart_left` counts what was put into a cart.
const CART_PRICE: Amount = Amount::whole(200);
/// How long after a first look a second one completes `second_look`.
const SECOND_LOOK: Millis = 3 * DAY;
/// For how long after that a first look still takes a place: that of late events, which the stream does not
/// have.
const LATENESS: Millis = HOUR / 6;
/// How many carts, or products looked at, are followed at a time; the one that was idle longest is let go.
const FOLLOWED: usize = 64;

/// What one customer has under way.
#[derive(Debug, Default)]
pub(super) struct Sequences {
    /// The carts that wait for their order, the one that was filled last at the end.
    carts: SmallVec<[Cart; 1]>,
    /// What waits for any order.
    any_cart: Option<Waits>,
    /// What waits for something to be put into a cart.
    browse: Option<Waits>,
    /// The first looks at products, the latest at the end.
    looks: VecDeque<Look>,
    /// Whether there ever was an order.
    ordered: bool,
}

/// The event that something waits from; a later one takes its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waits {
    /// The id of its call.
    pub(super) message: Span,
    /// When it happened.
    pub(super) at: Millis,
}

/// A cart that waits for its order, from the last time that something was put into it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cart {
    /// The cart.
    id: Id,
    /// The event.
    pub(super) waits: Waits,
    /// The price of what was put into it.
    pub(super) price: Option<Amount>,
}

/// A first look at a product.
#[derive(Clone, Copy, Debug)]
struct Look {
    /// The product.
    product: Id,
    /// The id of the call.
    message: Span,
    /// When it was.
    at: Millis,
}

/// The matches that are complete at one instant.
#[derive(Debug, Default)]
pub(super) struct Completed {
    /// Of `cart_reminder`, in the order in which the carts were filled.
    pub(super) carts: SmallVec<[Cart; 1]>,
    /// Of `any_cart_left`.
    pub(super) any_cart: Option<Waits>,
    /// Of `browse_left`.
    pub(super) browse: Option<Waits>,
    /// Of `second_look`: the id of the first look's call.
    pub(super) first_look: Option<Span>,
    /// Of `first_order`.
    pub(super) first_order: bool,
}

impl Completed {
    /// Whether there is a match of a sequence of several events.
    pub(super) fn any(&self) -> bool {
        self.first_look.is_some()
            || self.browse.is_some()
            || self.any_cart.is_some()
            || !self.carts.is_empty()
    }
}

impl Sequences {
    /// Moves all sequences by an event; `message` is the id of its call.
    pub(super) fn follow(&mut self, event: Event, call: &Call<&str>, message: Span) -> Completed {
        let mut completed = Completed::default();
        match event {
            Event::ProductViewed => {
                if call.properties.price > Some(BROWSED_PRICE) {
                    self.browse = Some(Waits { message, at: call.at });
                }
                if let Some(product) = call.properties.product_id {
                    completed.first_look = self.look(Look { product: Id::of(product), message, at: call.at });
                }
            }
            Event::ProductAdded => {
                let (waits, price) = (Waits { message, at: call.at }, call.properties.price);
                self.browse = None;
                if price >= Some(CART_PRICE)
                    && matches!(call.properties.category, Some(Category::Shoes | Category::Bags))
                {
                    self.any_cart = Some(waits);
                }
                if let Some(cart) = call.properties.cart_id {
                    self.fill(Cart { id: Id::of(cart), waits, price });
                }
            }
            Event::OrderCompleted => {
                self.any_cart = None;
                if let Some(cart) = call.properties.cart_id.filter(|_| !self.carts.is_empty()) {
                    let ordered = Id::of(cart);
                    self.carts.retain(|cart| cart.id != ordered);
                }
                completed.first_order = !std::mem::replace(&mut self.ordered, true);
            }
            Event::PageViewed
            | Event::FormSubmitted
            | Event::MessageOpened
            | Event::MessageClicked
            | Event::Other => {}
        }
        completed
    }

    /// Something was put into a cart, which waits anew.
    fn fill(&mut self, cart: Cart) {
        self.carts.retain(|other| other.id != cart.id);
        if self.carts.len() == FOLLOWED {
            self.carts.remove(0);
        }
        self.carts.push(cart);
    }

    /// A product was looked at: the id of the first look's call, if this is the second. A match uses up both
    /// looks.
    fn look(&mut self, look: Look) -> Option<Span> {
        while self.looks.front().is_some_and(|first| first.at + SECOND_LOOK + LATENESS < look.at) {
            self.looks.pop_front();
        }
        let place = self.looks.iter().position(|first| first.product == look.product);
        let first = place.and_then(|place| self.looks.remove(place));
        if let Some(first) = first.filter(|first| first.at + SECOND_LOOK >= look.at) {
            return Some(first.message);
        }
        if self.looks.len() == FOLLOWED {
            self.looks.pop_front();
        }
        self.looks.push_back(look);
        None
    }

    /// The next instant at which waiting is over.
    pub(super) fn next_end(&self) -> Millis {
        let end = |waits: &Option<Waits>, length: Millis| waits.map_or(NEVER_MORE, |it| it.at + length);
        let carts = self.carts.first().map_or(NEVER_MORE, |cart| cart.waits.at + CART_REMINDER);
        carts.min(end(&self.any_cart, ANY_CART_LEFT)).min(end(&self.browse, BROWSE_LEFT))
    }

    /// The matches whose waiting is over by now, because what must not come did not.
    pub(super) fn end(&mut self, now: Millis) -> Completed {
        let is_over = |waits: &Waits, length: Millis| waits.at + length <= now;
        let mut completed = Completed {
            any_cart: self.any_cart.take_if(|waits| is_over(waits, ANY_CART_LEFT)),
            browse: self.browse.take_if(|waits| is_over(waits, BROWSE_LEFT)),
            ..Completed::default()
        };
        while self.carts.first().is_some_and(|cart| is_over(&cart.waits, CART_REMINDER)) {
            completed.carts.push(self.carts.remove(0));
        }
        completed
    }
}
