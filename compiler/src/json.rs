//! JSON text read in place: checked once, then cut into members and items without building a tree.
//!
//! It accepts what RFC 8259 does, in UTF-8, nested at most [`MAX_DEPTH`] deep; `tests/tests/json.rs` compares it with
//! `serde_json` on random and mutilated texts.

mod scan;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
enum Written {
    /// As it reads.
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

/// Reads a text that may not be JSON from front to back.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// Of the [`scan::WIDTH`] bytes from `marked` on, those that a string cannot just go on with.
    marks: u64,
    marked: usize,
}

impl<'a> Reader<'a> {
    /// A reader at the start of a text.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self::after(text, 0)
    }

    /// A reader that so many bytes were read before.
    #[inline]
    fn after(text: &'a str, at: usize) -> Self {
        // No byte is near this: nothing is marked yet.
        Self { text, at, marks: 0, marked: usize::MAX / 2 }
    }

    /// Goes past the `{` of an object, after which [`Reader::member`] gives its members.
    ///
    /// # Errors
    /// When there is none.
    pub fn open(&mut self) -> Result<(), NotJson> {
        self.space();
        self.take(b'{')
    }

    /// The next member of the object that was opened; `None` at its end.
    ///
    /// # Errors
    /// When there is neither.
    #[inline(always)]
    pub fn member(&mut self) -> Result<Option<(Key<'a>, JsonText<'a>)>, NotJson> {
        let bytes = self.text.as_bytes();
        // Nearly all are written without space: `{"key":` or `,"key":`.
        let start = match bytes.get(self.at.wrapping_sub(1)..) {
            Some([b'{', b'"', ..]) => self.at,
            Some([before, b',', b'"', ..]) if *before != b'{' => self.at.wrapping_add(1),
            Some(_) | None => return self.spaced_member(),
        };
        let end = self.plain_end(start.wrapping_add(1));
        let Some([b'"', b':', first, ..]) = bytes.get(end..) else { return self.spaced_member() };
        let Some(between) = self.text.get(start.wrapping_add(1)..end) else { return self.spaced_member() };
        let key = Key { between, written: Written::Plainly };
        let value = end.wrapping_add(2);
        if *first == b'"' {
            let end = self.plain_end(value.wrapping_add(1));
            if bytes.get(end) == Some(&b'"') {
                self.at = end.wrapping_add(1);
                return Ok(Some((key, self.since(value, Written::Plainly))));
            }
        }
        self.at = value;
        self.space();
        Ok(Some((key, self.value()?)))
    }

    /// As [`Reader::member`], however it is written.
    #[inline(never)]
    fn spaced_member(&mut self) -> Result<Option<(Key<'a>, JsonText<'a>)>, NotJson> {
        if self.ends(b'{', b'}')? {
            return Ok(None);
        }
        let start = self.at;
        let written = self.skip_string()?;
        // INVARIANT: it begins and ends with quotes.
        let between = self.text.get(start + 1..self.at - 1).unwrap_or_default();
        let key = Key { between, written };
        self.space();
        self.take(b':')?;
        self.space();
        Ok(Some((key, self.value()?)))
    }

    /// Makes sure that nothing but space follows.
    ///
    /// # Errors
    /// When something does.
    pub fn end(&mut self) -> Result<(), NotJson> {
        self.space();
        if self.at == self.text.len() { Ok(()) } else { Err(self.fault()) }
    }

    fn item(&mut self) -> Result<Option<JsonText<'a>>, NotJson> {
        if self.ends(b'[', b']')? { Ok(None) } else { self.value().map(Some) }
    }

    /// Whether an object or list ends here; if not, goes past the comma before its next part.
    #[inline]
    fn ends(&mut self, open: u8, close: u8) -> Result<bool, NotJson> {
        let before = self.text.as_bytes().get(self.at.wrapping_sub(1)).copied();
        let is_first = before == Some(open);
        self.space();
        if self.peek() == close {
            self.at += 1;
            return Ok(true);
        }
        if !is_first {
            self.take(b',')?;
            self.space();
        }
        Ok(false)
    }

    fn fault(&self) -> NotJson {
        NotJson { at: self.at }
    }

    #[inline]
    fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    #[inline]
    fn take(&mut self, byte: u8) -> Result<(), NotJson> {
        if self.peek() != byte {
            return Err(self.fault());
        }
        self.at = self.at.wrapping_add(1);
        Ok(())
    }

    #[inline]
    fn space(&mut self) {
        // Whatever is no space and no sign below it, as nearly always, is seen by one comparison.
        while self.peek() <= b' ' && matches!(self.peek(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at = self.at.wrapping_add(1);
        }
    }

    #[inline]
    fn since(&self, start: usize, written: Written) -> JsonText<'a> {
        // INVARIANT: values begin and end at ASCII bytes.
        JsonText { text: self.text.get(start..self.at).unwrap_or("null"), written }
    }

    /// The value that begins here.
    #[inline]
    fn value(&mut self) -> Result<JsonText<'a>, NotJson> {
        let start = self.at;
        let written = match self.peek() {
            b'"' => self.skip_string()?,
            b'{' | b'[' => self.skip_nested().map(|()| Written::Plainly)?,
            _ => self.skip_scalar().map(|()| Written::Plainly)?,
        };
        Ok(self.since(start, written))
    }

    /// Goes past an object or list and all within, without recursion: a bit for each open one says which it is.
    fn skip_nested(&mut self) -> Result<(), NotJson> {
        let (mut objects, mut depth): (u128, u32) = (0, 0);
        loop {
            // A value begins here.
            match self.peek() {
                byte @ (b'{' | b'[') => {
                    if depth == MAX_DEPTH {
                        return Err(self.fault());
                    }
                    depth += 1;
                    objects = objects << 1 | u128::from(byte == b'{');
                    self.at += 1;
                    self.space();
                    let close = if byte == b'{' { b'}' } else { b']' };
                    if self.peek() != close {
                        if byte == b'{' {
                            self.key()?;
                        }
                        continue;
                    }
                }
                b'"' => self.skip_string().map(|_| ())?,
                _ => self.skip_scalar()?,
            }
            // A value has ended, or an empty container is about to.
            loop {
                self.space();
                let in_object = objects & 1 == 1;
                match self.peek() {
                    b',' => {
                        self.at += 1;
                        self.space();
                        if in_object {
                            self.key()?;
                        }
                        break;
                    }
                    b'}' if in_object => {}
                    b']' if !in_object => {}
                    _ => return Err(self.fault()),
                }
                self.at += 1;
                objects >>= 1;
                depth -= 1;
                if depth == 0 {
                    return Ok(());
                }
            }
        }
    }

    #[inline]
    fn key(&mut self) -> Result<(), NotJson> {
        let bytes = self.text.as_bytes();
        if bytes.get(self.at) == Some(&b'"') {
            let end = self.plain_end(self.at.wrapping_add(1));
            if let Some([b'"', b':', first, ..]) = bytes.get(end..)
                && *first > b' '
            {
                self.at = end.wrapping_add(2);
                return Ok(());
            }
        }
        self.spaced_key()
    }

    /// As [`Reader::key`], however it is written.
    #[inline(never)]
    fn spaced_key(&mut self) -> Result<(), NotJson> {
        self.skip_string()?;
        self.space();
        self.take(b':')?;
        self.space();
        Ok(())
    }

    #[inline]
    fn skip_scalar(&mut self) -> Result<(), NotJson> {
        match self.peek() {
            b'"' => self.skip_string().map(|_| ()),
            b'-' | b'0'..=b'9' => self.skip_number(),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            _ => Err(self.fault()),
        }
    }

    fn word(&mut self, word: &str) -> Result<(), NotJson> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(self.fault());
        }
        self.at += word.len();
        Ok(())
    }

    /// Goes past a string.
    #[inline(always)]
    fn skip_string(&mut self) -> Result<Written, NotJson> {
        self.take(b'"')?;
        self.skip_plain();
        if self.peek() == b'"' {
            self.at = self.at.wrapping_add(1);
            return Ok(Written::Plainly);
        }
        self.skip_escapes().map(|()| Written::WithEscapes)
    }

    /// Goes past what of a string needs no care.
    #[inline]
    fn skip_plain(&mut self) {
        self.at = self.plain_end(self.at);
    }

    /// Where what of a string needs no care ends, if it goes on here.
    #[inline(always)]
    fn plain_end(&mut self, from: usize) -> usize {
        let within = from.wrapping_sub(self.marked);
        let left = if within < scan::WIDTH { self.marks >> within } else { 0 };
        if left == 0 { self.far_end(from) } else { from.wrapping_add(left.trailing_zeros() as usize) }
    }

    /// As [`Reader::plain_end`], beyond what is marked.
    #[inline(never)]
    fn far_end(&mut self, from: usize) -> usize {
        let within = from.wrapping_sub(self.marked);
        let mut at = if within < scan::WIDTH { self.marked.wrapping_add(scan::WIDTH) } else { from };
        while at < self.text.len() {
            (self.marks, self.marked) = (scan::marks(self.text.as_bytes(), at), at);
            if self.marks != 0 {
                return at.wrapping_add(self.marks.trailing_zeros() as usize);
            }
            at = at.wrapping_add(scan::WIDTH);
        }
        self.text.len()
    }

    /// Goes on to the end of a string, from where something stands that needs care.
    #[cold]
    fn skip_escapes(&mut self) -> Result<(), NotJson> {
        let bytes = self.text.as_bytes();
        while self.peek() != b'"' {
            self.take(b'\\')?;
            let length = match self.peek() {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 1,
                b'u' => 5,
                _ => return Err(self.fault()),
            };
            let digits = bytes.get(self.at + 1..self.at + length).ok_or_else(|| self.fault())?;
            if !digits.iter().all(u8::is_ascii_hexdigit) {
                return Err(self.fault());
            }
            self.at += length;
            self.skip_plain();
        }
        self.take(b'"')
    }

    #[inline]
    fn skip_number(&mut self) -> Result<(), NotJson> {
        let bytes = self.text.as_bytes();
        let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
        let mut at = self.at.wrapping_add(usize::from(byte(self.at) == b'-'));
        at = if byte(at) == b'0' { at.wrapping_add(1) } else { self.digits(at)? };
        if byte(at) == b'.' {
            at = self.digits(at.wrapping_add(1))?;
        }
        if matches!(byte(at), b'e' | b'E') {
            at = at.wrapping_add(1);
            at = self.digits(at.wrapping_add(usize::from(matches!(byte(at), b'+' | b'-'))))?;
        }
        self.at = at;
        Ok(())
    }

    /// Where the digits end that begin here.
    #[inline]
    fn digits(&self, from: usize) -> Result<usize, NotJson> {
        let bytes = self.text.as_bytes();
        let mut at = from;
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at = at.wrapping_add(1);
        }
        if at == from { Err(NotJson { at }) } else { Ok(at) }
    }
}
