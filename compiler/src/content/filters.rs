//! The filters of the language.

use super::Moment;
use crate::{
    time::{self, Zone},
    value::{Decimal, divide_half_even},
};
use minijinja::{Environment, value::Value as Rendered};

pub(super) fn add(environment: &mut Environment<'static>) {
    environment.add_filter("default", default);
    environment.add_filter("d", default);
    environment.add_filter("money", money);
    environment.add_filter("date", date);
    environment.add_filter("link", link);
}

/// Another value for one that is undefined, null or empty text.
fn default(value: Rendered, other: Option<Rendered>) -> Rendered {
    let absent = value.is_undefined() || value.is_none() || value.as_str() == Some("");
    if absent { other.unwrap_or_else(|| Rendered::from("")) } else { value }
}

/// An amount with two decimals, rounded half-even, and its currency; undefined for what is no number.
fn money(value: Rendered, currency: &str) -> Rendered {
    // Floating-point numbers print their shortest digits, which are those of the decimal that they were made from.
    let digits = value.to_string();
    if value.is_undefined() || value.is_none() {
        return Rendered::UNDEFINED;
    }
    let Some(amount) = Decimal::parse(&digits) else { return Rendered::UNDEFINED };
    Rendered::from(self::amount(amount, currency))
}

/// An amount with two decimals, and its currency.
pub(super) fn amount(amount: Decimal, currency: &str) -> String {
    let cents = divide_half_even(i128::from(amount.0), 10_000);
    let sign = if cents < 0 { "-" } else { "" };
    let (whole, rest) = (cents.unsigned_abs() / 100, cents.unsigned_abs() % 100);
    match currency {
        "USD" => format!("{sign}${whole}.{rest:02}"),
        "EUR" => format!("{sign}€{whole}.{rest:02}"),
        "GBP" => format!("{sign}£{whole}.{rest:02}"),
        "NOK" | "SEK" | "DKK" => format!("{sign}{whole}.{rest:02} kr"),
        other => format!("{sign}{whole}.{rest:02} {other}"),
    }
}

/// A time (in the customer's zone) or date by a `strftime` format; undefined for what is neither, or a wrong format.
fn date(value: Rendered, format: &str) -> Rendered {
    let moment = match value.downcast_object_ref::<Moment>() {
        Some(moment) => Some(moment.clone()),
        None => value.as_str().and_then(read),
    };
    moment.and_then(|moment| moment.format(format)).map_or(Rendered::UNDEFINED, Rendered::from)
}

/// A text that says a day or an instant.
fn read(text: &str) -> Option<Moment> {
    let date = time::parse_date(text).map(Moment::Date);
    date.or_else(|| time::parse_instant(text).map(|at| Moment::Time(at, Zone::utc())))
}

/// A link whose use is told apart by name: the address with `segue_link=name` among its parameters.
fn link(value: Rendered, name: &str) -> Rendered {
    let Some(address) = value.as_str() else { return Rendered::UNDEFINED };
    let (address, fragment) = match address.split_once('#') {
        Some((address, fragment)) => (address, format!("#{fragment}")),
        None => (address, String::new()),
    };
    let separator = if address.contains('?') { '&' } else { '?' };
    Rendered::from(format!("{address}{separator}segue_link={}{fragment}", escaped(name)))
}

/// A name as a query parameter's value.
fn escaped(name: &str) -> String {
    let mut out = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
