//! Values and exact decimal arithmetic: what both executors mean by a number.

pub use ecow::EcoString as Text;
use std::{fmt, sync::Arc};

/// Milliseconds since 1970-01-01 UTC.
pub type Millis = i64;

/// A value of the language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Value {
    /// Absent, null or invalid.
    #[default]
    Missing,
    /// `true` or `false`.
    Boolean(bool),
    /// An exact decimal.
    Number(Decimal),
    /// Text; up to 15 bytes, as most are that rules compare, need no memory of their own.
    Text(Text),
    /// An instant.
    Time(Millis),
    /// A calendar day, in days since 1970-01-01.
    Date(i32),
    /// A length of time in milliseconds.
    Duration(i64),
    /// A list.
    List(Arc<[Value]>),
    /// An object: its declared fields in the order declared, missing ones left out.
    Object(Arc<[(Arc<str>, Value)]>),
}

impl Value {
    /// Makes a text.
    #[must_use]
    #[inline(always)]
    pub fn text(text: &str) -> Self {
        Self::Text(Text::from(text))
    }

    /// Whether there is a value.
    #[must_use]
    pub fn is_known(&self) -> bool {
        !matches!(self, Self::Missing)
    }

    /// The text, when it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The value that a path reaches. Through a list it is the list of what is reached, missing ones left out and
    /// nested lists joined into one.
    #[must_use]
    pub fn at(&self, path: &[Arc<str>]) -> Self {
        let Some((first, rest)) = path.split_first() else { return self.clone() };
        match self {
            Self::Object(fields) => fields
                .iter()
                .find(|(name, _)| name == first)
                .map_or(Self::Missing, |(_, value)| value.at(rest)),
            Self::List(items) => {
                let mut reached = Vec::new();
                for item in items.iter() {
                    match item.at(path) {
                        Self::Missing => {}
                        Self::List(inner) => reached.extend(inner.iter().cloned()),
                        value @ (Self::Boolean(_)
                        | Self::Number(_)
                        | Self::Text(_)
                        | Self::Time(_)
                        | Self::Date(_)
                        | Self::Duration(_)
                        | Self::Object(_)) => reached.push(value),
                    }
                }
                Self::List(reached.into())
            }
            Self::Missing
            | Self::Boolean(_)
            | Self::Number(_)
            | Self::Text(_)
            | Self::Time(_)
            | Self::Date(_)
            | Self::Duration(_) => Self::Missing,
        }
    }

    /// The value as it is kept in a customer's state: texts cut to [`KEPT_TEXT_BYTES`] at a character boundary.
    #[must_use]
    pub fn kept(&self) -> Self {
        match self {
            Self::Text(text) if text.len() > KEPT_TEXT_BYTES => {
                let mut end = KEPT_TEXT_BYTES;
                while !text.is_char_boundary(end) {
                    end -= 1;
                }
                Self::text(text.get(..end).unwrap_or_default())
            }
            Self::List(items) => Self::List(items.iter().map(Self::kept).collect()),
            Self::Object(fields) => {
                Self::Object(fields.iter().map(|(name, value)| (name.clone(), value.kept())).collect())
            }
            Self::Missing
            | Self::Boolean(_)
            | Self::Number(_)
            | Self::Text(_)
            | Self::Time(_)
            | Self::Date(_)
            | Self::Duration(_) => self.clone(),
        }
    }
}

/// How much of a text is kept in a customer's state: enough for names, ids and replies, and a bound on memory.
pub const KEPT_TEXT_BYTES: usize = 256;

/// An exact decimal: a whole number of millionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Decimal(pub i64);

/// How many units of [`Decimal`] make one.
pub const MILLIONTHS: i64 = 1_000_000;

impl Decimal {
    /// The largest and, negated, the smallest value: ± 9.2 × 10¹².
    pub const MAX: Self = Self(i64::MAX);

    /// Makes a whole number; `None` when out of range.
    #[must_use]
    pub fn whole(number: i64) -> Option<Self> {
        number.checked_mul(MILLIONTHS).map(Self)
    }

    /// Reads digits such as `19.99`, `-3` or `1.5e3`; excess digits round half-even; `None` when it is no number or
    /// out of range.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        plain(text).or_else(|| Self::parse_any(text))
    }

    fn parse_any(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, digits) = match mantissa.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() && fraction.is_empty()
            || !(whole.bytes().chain(fraction.bytes())).all(|b| b.is_ascii_digit())
        {
            return None;
        }
        let magnitude = scaled(whole, fraction, exponent)?;
        i64::try_from(if negative { -magnitude } else { magnitude }).ok().map(Self)
    }

    /// `self + other`; `None` when out of range.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// `self − other`; `None` when out of range.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// `self × other`, rounded half-even; `None` when out of range.
    #[must_use]
    pub fn checked_mul(self, other: Self) -> Option<Self> {
        narrow(divide_half_even(i128::from(self.0) * i128::from(other.0), i128::from(MILLIONTHS)))
    }

    /// `self ÷ other`, rounded half-even; `None` when `other` is 0 or the result is out of range.
    #[must_use]
    pub fn checked_div(self, other: Self) -> Option<Self> {
        if other.0 == 0 {
            return None;
        }
        narrow(divide_half_even(i128::from(self.0) * i128::from(MILLIONTHS), i128::from(other.0)))
    }

    /// The nearest whole number, half-even; `None` when out of range.
    #[must_use]
    pub fn round(self) -> Option<Self> {
        narrow(divide_half_even(i128::from(self.0), i128::from(MILLIONTHS)) * i128::from(MILLIONTHS))
    }

    /// The value without its sign; `None` when out of range.
    #[must_use]
    pub fn checked_abs(self) -> Option<Self> {
        self.0.checked_abs().map(Self)
    }

    /// A 128-bit sum of millionths as a number; beyond the range it stays at the range's end.
    #[must_use]
    pub fn saturating_from(millionths: i128) -> Self {
        Self(i64::try_from(millionths).unwrap_or(if millionths < 0 { i64::MIN } else { i64::MAX }))
    }

    /// `sum ÷ count`, rounded half-even, of a 128-bit sum of millionths; `None` when `count` is 0.
    #[must_use]
    pub fn average(sum: i128, count: u64) -> Option<Self> {
        if count == 0 { None } else { Some(Self::saturating_from(divide_half_even(sum, i128::from(count)))) }
    }
}

fn narrow(value: i128) -> Option<Decimal> {
    i64::try_from(value).ok().map(Decimal)
}

/// The most digits that are read as they come: with six more they still fit into 64 bits.
const PLAIN_DIGITS: usize = 12;

/// Reads what nearly every number is: a few digits, perhaps with a point among them, of which nothing is cut.
fn plain(text: &str) -> Option<Decimal> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let bytes = digits.as_bytes();
    let ends_in_digits = [bytes.first(), bytes.last()].iter().all(|it| it.is_some_and(u8::is_ascii_digit));
    if bytes.len() > PLAIN_DIGITS || !ends_in_digits {
        return None;
    }
    let (mut value, mut places) = (0_i64, None);
    for byte in bytes {
        match (byte, &mut places) {
            (b'0'..=b'9', places) => {
                value = value * 10 + i64::from(byte - b'0');
                *places = places.map(|count| count + 1);
            }
            (b'.', places @ None) => *places = Some(0),
            _ => return None,
        }
    }
    let unit = 10_i64.pow(6_u32.checked_sub(places.unwrap_or(0))?);
    Some(Decimal(if negative { -value * unit } else { value * unit }))
}

/// Digits before and after the point, shifted by an exponent, as millionths.
fn scaled(whole: &str, fraction: &str, exponent: i32) -> Option<i128> {
    let digits = whole.bytes().chain(fraction.bytes()).map(|digit| i128::from(digit - b'0'));
    // Place of the last digit relative to millionths: positive digits are shifted left, negative ones rounded away.
    let shift = i64::from(exponent) + 6 - i64::try_from(fraction.len()).ok()?;
    let kept = i64::try_from(whole.len() + fraction.len()).ok()? + shift.min(0);
    let mut value: i128 = 0;
    let mut first_cut = 0;
    let mut cut_beyond = false;
    for (index, digit) in digits.enumerate() {
        let index = i64::try_from(index).ok()?;
        if index < kept {
            value = value.checked_mul(10)?.checked_add(digit)?;
            if value > i128::from(u64::MAX) {
                return None;
            }
        } else if index == kept {
            first_cut = digit;
        } else {
            cut_beyond |= digit != 0;
        }
    }
    for _ in 0..shift.max(0) {
        if value == 0 {
            break;
        }
        value = value.checked_mul(10)?;
        if value > i128::from(u64::MAX) {
            return None;
        }
    }
    let up = first_cut > 5 || first_cut == 5 && (cut_beyond || value % 2 == 1);
    Some(value + i128::from(up))
}

/// Divides and rounds to nearest, ties to even. `divisor` is not 0.
#[must_use]
pub fn divide_half_even(dividend: i128, divisor: i128) -> i128 {
    let quotient = dividend.div_euclid(divisor);
    let remainder = dividend.rem_euclid(divisor);
    let size = divisor.abs();
    let twice = remainder * 2;
    // div_euclid rounds so that the remainder is not negative; moving one step goes in the direction of the divisor.
    if twice > size || twice == size && quotient % 2 != 0 { quotient + divisor.signum() } else { quotient }
}

impl fmt::Display for Decimal {
    /// The shortest digits: `120`, `19.99`, `-0.5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.unsigned_abs();
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, fraction) = (magnitude / 1_000_000, magnitude % 1_000_000);
        if fraction == 0 {
            return write!(f, "{sign}{whole}");
        }
        let digits = format!("{fraction:06}");
        write!(f, "{sign}{whole}.{}", digits.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<i64> {
        Decimal::parse(text).map(|number| number.0)
    }

    #[test]
    fn reads_digits_exactly() {
        assert_eq!(read("0.1"), Some(100_000));
        assert_eq!(read("-19.99"), Some(-19_990_000));
        assert_eq!(read("1.5e3"), Some(1_500_000_000));
        assert_eq!(read("15e-1"), Some(1_500_000));
        assert_eq!(read("0.0000005"), Some(0));
        assert_eq!(read("0.0000015"), Some(2));
        assert_eq!(read("0.00000050001"), Some(1));
        assert_eq!(read("1e-400"), Some(0));
        assert_eq!(read("0e400"), Some(0));
        for bad in ["", "-", ".", "1e", "abc", "1.2.3", "9300000000000", "1e400", "0x10"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_short_reader_agrees_with_the_long_one() {
        for text in [
            "0",
            "-0",
            "7",
            "-7",
            "12.5",
            "0.000001",
            "-0.000001",
            "0.0000001",
            "0.1234567",
            "999999999999",
            "9999999999999",
            "1.",
            ".5",
            "-",
            "-.",
            "1..2",
            "1.2.3",
            "--1",
            "+1",
            "1e2",
            "00012",
            "12345.678901",
        ] {
            if let Some(short) = plain(text) {
                assert_eq!(Some(short), Decimal::parse_any(text), "{text}");
            }
        }
        assert_eq!(plain("-12.5"), Some(Decimal(-12_500_000)));
    }

    #[test]
    fn rounds_half_even() {
        for (dividend, divisor, result) in
            [(5, 2, 2), (7, 2, 4), (-5, 2, -2), (-7, 2, -4), (5, -2, -2), (1, 3, 0), (2, 3, 1), (-2, 3, -1)]
        {
            assert_eq!(divide_half_even(dividend, divisor), result, "{dividend}/{divisor}");
        }
        let third = Decimal(1_000_000).checked_div(Decimal(3_000_000));
        assert_eq!(third, Some(Decimal(333_333)));
        assert_eq!(Decimal(2_500_000).round(), Some(Decimal(2_000_000)));
    }

    #[test]
    fn prints_the_shortest_digits() {
        assert_eq!(Decimal(120_000_000).to_string(), "120");
        assert_eq!(Decimal(-500_000).to_string(), "-0.5");
        assert_eq!(Decimal(19_990_000).to_string(), "19.99");
    }
}
