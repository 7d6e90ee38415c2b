//! JSON text read in place: checked once, then cut into members and items without building a tree.
//!
//! It accepts what RFC 8259 does, in UTF-8, nested at most [`MAX_DEPTH`] deep; `tests/tests/json.rs` compares it with
//! `serde_json` on random and mutilated texts.

mod plain;
mod reader;
mod scan;

pub use plain::PlainMembers;
pub use reader::Reader;

use std::borrow::Cow;

/// How deep a text may nest: no tracker's call does, and whoever reads a value may walk it by recursion.
pub const MAX_DEPTH: u32 = 127;

/// A JSON value as the text that it was written as, without space around it; the text is known to be valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonText<'a> {
    text: &'a str,
    written: Written,
}

/// How a value is written. As wide as what stands beside it, so that all of a [`JsonText`] is copied as whole words: a
/// processor waits where what it reads was written in other pieces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(usize)]
enum Written {
    /// As it reads.
    #[default]
    Plainly,
    /// As a string with escapes.
    WithEscapes,
}

/// A text is not JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotJson {
    /// The byte at which that shows.
    pub at: usize,
}

impl<'a> JsonText<'a> {
    /// The value that a text is, space around it left out.
    ///
    /// # Errors
    /// When the text is not one JSON value, or nests too deep.
    #[inline]
    pub fn parse(text: &'a str) -> Result<Self, NotJson> {
        let mut reader = Reader::new(text);
        reader.space();
        let value = reader.value()?;
        reader.space();
        if reader.at == text.len() { Ok(value) } else { Err(reader.fault()) }
    }

    /// The text.
    #[must_use]
    #[inline]
    pub fn text(self) -> &'a str {
        self.text
    }

    /// The first byte, which tells the kind: `{`, `[`, `"`, `t`, `f`, `n`, `-` or a digit.
    #[must_use]
    #[inline]
    pub fn first(self) -> u8 {
        self.text.as_bytes().first().copied().unwrap_or(b'n')
    }

    /// Whether it is `null`.
    #[must_use]
    #[inline]
    pub fn is_null(self) -> bool {
        self.first() == b'n'
    }

    /// Whether it is a number.
    #[must_use]
    #[inline]
    pub fn is_number(self) -> bool {
        matches!(self.first(), b'-' | b'0'..=b'9')
    }

    /// A boolean.
    #[must_use]
    #[inline]
    pub fn boolean(self) -> Option<bool> {
        match self.first() {
            b't' => Some(true),
            b'f' => Some(false),
            _ => None,
        }
    }

    /// A string, borrowed where it has no escapes; `None` when it is none, or has half of a surrogate pair.
    #[must_use]
    #[inline]
    pub fn string(self) -> Option<Cow<'a, str>> {
        match self.written {
            Written::Plainly => self.plain().map(Cow::Borrowed),
            Written::WithEscapes => serde_json::from_str(self.text).ok().map(Cow::Owned),
        }
    }

    /// A string without escapes; `None` when it is none.
    #[must_use]
    #[inline]
    pub fn plain(self) -> Option<&'a str> {
        let between = self.text.strip_prefix('"')?.strip_suffix('"')?;
        (self.written == Written::Plainly).then_some(between)
    }

    /// The members of an object in the order of the text; `None` when it is none.
    #[must_use]
    #[inline]
    pub fn members(self) -> Option<Members<'a>> {
        (self.first() == b'{').then(|| Members(Reader::after(self.text, 1)))
    }

    /// The items of a list; `None` when it is none.
    #[must_use]
    pub fn items(self) -> Option<Items<'a>> {
        (self.first() == b'[').then(|| Items(Reader::after(self.text, 1)))
    }

    /// A member of an object by name; of several the last.
    #[must_use]
    pub fn member(self, name: &str) -> Option<Self> {
        self.members()?.filter(|(key, _)| key.is(name)).last().map(|(_, value)| value)
    }
}

/// The name of a member.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    /// What stands between its quotes.
    between: &'a str,
    written: Written,
}

impl<'a> Key<'a> {
    /// Whether it is this name.
    #[must_use]
    #[inline]
    pub fn is(self, name: &str) -> bool {
        self.between == name || !self.is_plain() && self.text().is_some_and(|key| *key == *name)
    }

    /// Whether it has no escapes, and so is written as it reads.
    #[must_use]
    #[inline]
    pub fn is_plain(self) -> bool {
        self.written == Written::Plainly
    }

    /// The name between its quotes as it is written: equal names without escapes are written alike.
    #[must_use]
    #[inline]
    pub fn plain(self) -> &'a str {
        self.between
    }

    /// The name as it reads, however it is written: what is written differently may be the same. Where it has half of a
    /// surrogate pair, as it is written.
    #[must_use]
    #[inline]
    pub fn name(self) -> Cow<'a, str> {
        if self.is_plain() {
            Cow::Borrowed(self.between)
        } else {
            self.text().unwrap_or(Cow::Borrowed(self.between))
        }
    }

    /// The name; `None` when it has half of a surrogate pair.
    #[must_use]
    pub fn text(self) -> Option<Cow<'a, str>> {
        match self.written {
            Written::Plainly => Some(Cow::Borrowed(self.between)),
            Written::WithEscapes => {
                serde_json::from_str(&format!("\"{}\"", self.between)).ok().map(Cow::Owned)
            }
        }
    }
}

/// The members of an object.
#[derive(Clone, Debug)]
pub struct Members<'a>(Reader<'a>);

impl<'a> Iterator for Members<'a> {
    type Item = (Key<'a>, JsonText<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        // INVARIANT: the text is valid, so that no member is a fault.
        self.0.member().ok().flatten()
    }
}

/// The items of a list.
#[derive(Clone, Debug)]
pub struct Items<'a>(Reader<'a>);

impl<'a> Iterator for Items<'a> {
    type Item = JsonText<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        // INVARIANT: the text is valid, so that no item is a fault.
        self.0.item().ok().flatten()
    }
}
