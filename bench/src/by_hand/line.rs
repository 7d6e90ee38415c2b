//! A line of the stream, read into its fields, which borrow from it.

use super::time::{self, Millis};
use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};
use std::fmt;

/// A call of a tracker: something that a customer did, or what is known of them. `T` are its texts.
#[derive(Deserialize)]
pub(super) struct Call<T> {
    /// Which of the two.
    #[serde(rename = "type")]
    kind: Kind,
    /// The id of the call.
    #[serde(rename = "messageId")]
    pub(super) message_id: T,
    /// Whose it is.
    #[serde(rename = "userId")]
    pub(super) customer: T,
    /// What was done, if it is a `track`.
    pub(super) event: Option<Event>,
    /// The fields of the event.
    #[serde(default)]
    pub(super) properties: Properties<T>,
    /// What an `identify` says.
    #[serde(default)]
    pub(super) traits: Traits<T>,
    /// When it was.
    #[serde(rename = "timestamp", deserialize_with = "instant")]
    pub(super) at: Millis,
}

/// The kinds of calls that the stream has.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    /// Somebody did something.
    Track,
    /// Something is known of somebody.
    Identify,
}

/// The events that rules look at, by their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    ProductViewed,
    ProductAdded,
    OrderCompleted,
    PageViewed,
    FormSubmitted,
    MessageOpened,
    MessageClicked,
    /// Any other, of which only is known that it happened.
    Other,
}

/// The fields of all events, as far as rules look at them; each has its name in the pack.
#[derive(Deserialize)]
#[serde(default)]
pub(super) struct Properties<T> {
    pub(super) product_id: Option<T>,
    pub(super) category: Option<Category>,
    pub(super) price: Option<Amount>,
    pub(super) cart_id: Option<T>,
    pub(super) path: Option<T>,
    pub(super) order_id: Option<T>,
    pub(super) total: Option<Amount>,
    pub(super) coupon: Option<T>,
    pub(super) form_id: Option<T>,
}

/// The traits of a customer that rules and messages look at; each has its name in the pack.
#[derive(Deserialize)]
#[serde(default)]
pub(super) struct Traits<T> {
    pub(super) first_name: Option<T>,
    pub(super) phone: Option<T>,
    pub(super) email: Option<T>,
    pub(super) push_token: Option<T>,
    pub(super) plan: Option<T>,
    pub(super) consent: Option<SaidConsent>,
}

/// What an `identify` says about consent: for each channel yes, no or nothing.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub(super) struct SaidConsent {
    pub(super) sms: Option<bool>,
    pub(super) email: Option<bool>,
    pub(super) push: Option<bool>,
}

/// The categories that rules tell apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Category {
    Shoes,
    Bags,
    Other,
}

/// An amount, in millionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Amount(pub(super) i64);

/// An id as a number: the same number is the same id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Id(u64);

/// Reads a line and gives the call to `act`; false where it is no call of these kinds.
pub(super) fn read(line: &str, mut act: impl FnMut(&Call<&str>)) -> bool {
    if let Ok(call) = serde_json::from_str::<Call<&str>>(line) {
        return call.is_whole() && {
            act(&call);
            true
        };
    }
    // A text in which something is escaped cannot be borrowed.
    match serde_json::from_str::<Call<String>>(line) {
        Ok(call) if call.is_whole() => {
            act(&call.borrowed());
            true
        }
        Ok(_) | Err(_) => false,
    }
}

impl<T> Call<T> {
    /// Whether there is an event where there must be one, and only there.
    fn is_whole(&self) -> bool {
        (self.kind == Kind::Track) == self.event.is_some()
    }
}

impl Call<String> {
    /// The same with borrowed texts.
    fn borrowed(&self) -> Call<&str> {
        let Self { kind, message_id, customer, event, properties, traits, at } = self;
        Call {
            kind: *kind,
            message_id,
            customer,
            event: *event,
            properties: Properties {
                product_id: properties.product_id.as_deref(),
                cart_id: properties.cart_id.as_deref(),
                path: properties.path.as_deref(),
                order_id: properties.order_id.as_deref(),
                coupon: properties.coupon.as_deref(),
                form_id: properties.form_id.as_deref(),
                category: properties.category,
                price: properties.price,
                total: properties.total,
            },
            traits: Traits {
                first_name: traits.first_name.as_deref(),
                phone: traits.phone.as_deref(),
                email: traits.email.as_deref(),
                push_token: traits.push_token.as_deref(),
                plan: traits.plan.as_deref(),
                consent: traits.consent,
            },
            at: *at,
        }
    }
}

impl<T> Default for Properties<T> {
    fn default() -> Self {
        Self {
            product_id: None,
            category: None,
            price: None,
            cart_id: None,
            path: None,
            order_id: None,
            total: None,
            coupon: None,
            form_id: None,
        }
    }
}

impl<T> Default for Traits<T> {
    fn default() -> Self {
        Self { first_name: None, phone: None, email: None, push_token: None, plan: None, consent: None }
    }
}

impl Event {
    /// The name of the event; nothing for one whose name was not kept.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ProductViewed => "Product Viewed",
            Self::ProductAdded => "Product Added",
            Self::OrderCompleted => "Order Completed",
            Self::PageViewed => "Page Viewed",
            Self::FormSubmitted => "Form Submitted",
            Self::MessageOpened => "Message Opened",
            Self::MessageClicked => "Message Clicked",
            Self::Other => "",
        }
    }
}

impl Amount {
    /// So many whole ones.
    pub(super) const fn whole(number: i64) -> Self {
        Self(number * 1_000_000)
    }
}

impl Id {
    /// The number of an id. One of up to seven bytes is its bytes and their count, so that no two are the
    /// same; of a longer one it is a hash that no short one has.
    pub(super) fn of(text: &str) -> Self {
        let mut bytes = xxhash_rust::xxh3::xxh3_64(text.as_bytes()).to_le_bytes();
        bytes[7] = 0xff;
        if let Ok(count @ 0..8) = u8::try_from(text.len()) {
            bytes = [0; 8];
            bytes[..text.len()].copy_from_slice(text.as_bytes());
            bytes[7] = count;
        }
        Self(u64::from_le_bytes(bytes))
    }
}

/// Reads a text by what it says, without keeping it.
struct ByText<T>(fn(&str) -> Option<T>);

impl<T> Visitor<'_> for ByText<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text that says something")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.0)(text).ok_or_else(|| E::custom("it says nothing"))
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(ByText(|text| {
            Some(match text {
                "Product Viewed" => Self::ProductViewed,
                "Product Added" => Self::ProductAdded,
                "Order Completed" => Self::OrderCompleted,
                "Page Viewed" => Self::PageViewed,
                "Form Submitted" => Self::FormSubmitted,
                "Message Opened" => Self::MessageOpened,
                "Message Clicked" => Self::MessageClicked,
                _ => Self::Other,
            })
        }))
    }
}

impl<'de> Deserialize<'de> for Category {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(ByText(|text| {
            Some(match text {
                "shoes" => Self::Shoes,
                "bags" => Self::Bags,
                _ => Self::Other,
            })
        }))
    }
}

/// The largest amount.
const LARGEST: f64 = 9_223_372_036_854.0;

/// Reads the time of a call.
fn instant<'de, D: Deserializer<'de>>(from: D) -> Result<Millis, D::Error> {
    from.deserialize_str(ByText(time::parse))
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Amount;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount")
            }

            #[expect(clippy::cast_possible_truncation, reason = "no larger one comes here")]
            fn visit_f64<E: Error>(self, number: f64) -> Result<Amount, E> {
                if number.abs() > LARGEST {
                    return Err(E::custom("too large"));
                }
                // Amounts of up to a thousand million have their six places exactly in a floating-point
                // number.
                Ok(Amount((number * 1e6 + 0.5_f64.copysign(number)) as i64))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Amount, E> {
                number.checked_mul(1_000_000).map(Amount).ok_or_else(|| E::custom("too large"))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Amount, E> {
                i64::try_from(number).map_err(|_| E::custom("too large")).and_then(|it| self.visit_i64(it))
            }
        }
        from.deserialize_f64(Reader)
    }
}
