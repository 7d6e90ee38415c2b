//! Texts as fewer bytes than they have letters: ids that are numbers to their ends, and hexadecimal ones, which are most of
//! the texts that customers rest with.

use super::{Broken, Form, Packer, Unpacker};
use crate::value::Text;

/// How a text is written: how many bits of the number before it say it, and what they say. The rest of that number is a
/// count of bytes.
const KIND_BITS: u32 = 2;
/// As it is.
const PLAIN: u64 = 0;
/// So many bytes as they are, then a number.
const NUMBERED: u64 = 1;
/// So many bytes of two hexadecimal digits each.
const HEXADECIMAL: u64 = 2;
/// The same with the hyphens of a UUID.
const UUID: u64 = 3;

/// The most digits whose number fits into 64 bits.
const MAX_DIGITS: usize = 19;
/// The least hexadecimal digits that are written as such.
const MIN_HEXADECIMAL: usize = 4;
/// The length of a UUID, and where its hyphens stand.
const UUID_LENGTH: usize = 36;
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

impl Packer {
    /// Writes a text, [shortly](Packer::shortly) if so it is.
    pub fn short_text(&mut self, text: &str) {
        if self.form != Form::Short {
            self.text(text);
            return;
        }
        let bytes = text.as_bytes();
        if bytes.len() == UUID_LENGTH && is_uuid(bytes) {
            self.number(16 << KIND_BITS | UUID);
            self.digits(bytes.iter().copied().filter(|byte| *byte != b'-'));
        } else if is_hexadecimal(bytes) {
            self.number((bytes.len() as u64 / 2) << KIND_BITS | HEXADECIMAL);
            self.digits(bytes.iter().copied());
        } else if let Some((prefix, number)) = numbered(bytes) {
            self.number((prefix.len() as u64) << KIND_BITS | NUMBERED);
            self.raw(prefix);
            self.number(number);
        } else {
            self.number((bytes.len() as u64) << KIND_BITS | PLAIN);
            self.raw(bytes);
        }
    }

    /// Writes hexadecimal digits, two in a byte.
    fn digits(&mut self, mut digits: impl Iterator<Item = u8>) {
        while let (Some(high), Some(low)) = (digits.next(), digits.next()) {
            self.bytes.push(value(high) << 4 | value(low));
        }
    }
}

impl Unpacker<'_> {
    /// Reads what [`Packer::short_text`] wrote.
    ///
    /// # Errors
    /// When it is no text.
    pub fn short_text(&mut self) -> Result<Text, Broken> {
        if self.form != Form::Short {
            return self.text().map(Text::from);
        }
        let head = self.number()?;
        let length = self.at_most(head >> KIND_BITS)?;
        let bytes = self.raw(length)?;
        let kind = head & !(u64::MAX << KIND_BITS);
        if kind == PLAIN || kind == NUMBERED {
            let mut text = Text::from(std::str::from_utf8(bytes).map_err(|_| Broken)?);
            if kind == NUMBERED {
                push_number(&mut text, self.number()?);
            }
            return Ok(text);
        }
        let mut text = Text::new();
        for byte in bytes {
            if kind == UUID && HYPHENS.contains(&text.len()) {
                text.push('-');
            }
            text.push(digit(byte >> 4));
            text.push(digit(byte & 0xf));
        }
        Ok(text)
    }
}

/// The digits at the end of a text, of which the first is not 0, and what stands before them; none where it is not worth it.
fn numbered(bytes: &[u8]) -> Option<(&[u8], u64)> {
    let digits = bytes.iter().rev().take(MAX_DIGITS).take_while(|byte| byte.is_ascii_digit()).count();
    let (before, digits) = bytes.split_at(bytes.len() - digits);
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    let (_, digits) = digits.split_at(zeros);
    let number = digits.iter().fold(0_u64, |number, digit| number * 10 + u64::from(digit - b'0'));
    (digits.len() > 1).then(|| (bytes.get(..before.len() + zeros).unwrap_or_default(), number))
}

fn push_number(text: &mut Text, mut number: u64) {
    let mut digits = [b'0'; 20];
    let mut length = 0;
    for place in digits.iter_mut().rev() {
        *place += (number % 10) as u8;
        number /= 10;
        length += 1;
        if number == 0 {
            break;
        }
    }
    let digits = digits.get(digits.len() - length..).unwrap_or_default();
    text.push_str(std::str::from_utf8(digits).unwrap_or_default());
}

/// Whether a text is an even number of hexadecimal digits. What has no letter among them is a number.
fn is_hexadecimal(bytes: &[u8]) -> bool {
    bytes.len() >= MIN_HEXADECIMAL
        && bytes.len().is_multiple_of(2)
        && bytes.iter().all(|byte| is_digit(*byte))
        && bytes.iter().any(u8::is_ascii_lowercase)
}

fn is_uuid(bytes: &[u8]) -> bool {
    let is_right = |(place, byte): (usize, &u8)| {
        if HYPHENS.contains(&place) { *byte == b'-' } else { is_digit(*byte) }
    };
    bytes.iter().enumerate().all(is_right)
}

fn is_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// The value of a hexadecimal digit.
fn value(digit: u8) -> u8 {
    if digit.is_ascii_digit() { digit - b'0' } else { digit - b'a' + 10 }
}

/// The hexadecimal digit of a value.
fn digit(value: u8) -> char {
    char::from(if value < 10 { b'0' + value } else { b'a' + value - 10 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(text: &str) -> Vec<u8> {
        let mut packer = Packer::default();
        packer.shortly();
        packer.short_text(text);
        packer.finish()
    }

    #[test]
    fn ids_take_few_bytes() {
        let lengths = [
            ("", 1),
            ("m", 2),
            ("m7", 3),
            ("m12345678", 6),
            ("+4712345678", 7),
            ("p0001234", 7),
            ("18446744073709551615", 11),
            ("99999999999999999999", 11),
            ("123e4567-e89b-12d3-a456-426614174000", 17),
            ("123E4567-e89b-12d3-a456-426614174000", 31),
            ("4fdf313b03d235e55e8bfed4b8c3b749", 17),
            ("4fdf313b03d235e55e8bfed4b8c3b74", 32),
            ("c123", 3),
            ("æøå-42", 9),
            ("ada@example.com", 16),
        ];
        for (text, length) in lengths {
            let bytes = packed(text);
            let mut from = Unpacker::new(&bytes, 0).shortly();
            assert_eq!((from.short_text().as_deref(), from.is_empty()), (Ok(text), true));
            assert!(bytes.len() <= length, "{text}: {} bytes", bytes.len());
            for length in 0..bytes.len() {
                assert_eq!(Unpacker::new(&bytes[..length], 0).shortly().short_text(), Err(Broken), "{text}");
            }
        }
    }

    #[test]
    fn every_number_at_the_end_is_read_as_it_was() {
        let powers = (0..20).map(|power| 10_u64.pow(power));
        for number in powers.flat_map(|power| [power - 1, power, power + 1]).chain([u64::MAX]) {
            for text in
                [format!("{number}"), format!("0{number}"), format!("id-{number}"), format!("a{number}")]
            {
                let bytes = packed(&text);
                assert_eq!(Unpacker::new(&bytes, 0).shortly().short_text().as_deref(), Ok(&*text));
            }
        }
    }
}
