//! Reading from front to back what may be JSON.

use super::{JsonText, Key, MAX_DEPTH, NotJson, Written, scan};

/// Reads a text that may not be JSON from front to back.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    text: &'a str,
    pub(super) at: usize,
    /// Of the [`scan::WIDTH`] bytes from `marked` on, those that a string cannot just go on with.
    marks: u64,
    marked: usize,
}

/// From where to where something stands in a text.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: usize,
    end: usize,
}

/// Where a member stands, whose value ends where the reader is.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    /// What is between the quotes of its name.
    key: Span,
    key_written: Written,
    value: usize,
    value_written: Written,
}

/// What stands where a member may.
enum Member {
    Found(Found),
    End,
    /// Something that is written with space, or is none.
    Spaced,
}

impl<'a> Reader<'a> {
    /// A reader at the start of a text.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self::after(text, 0)
    }

    /// A reader that so many bytes were read before.
    #[inline]
    pub(super) fn after(text: &'a str, at: usize) -> Self {
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
        let mut found = Found::default();
        // What was found is put together here, of single numbers: read back as a whole, where it was written in pieces, it
        // would be waited for.
        let Found { key, key_written, value, value_written } = match self.plain_member()? {
            Member::Found(found) => found,
            Member::End => return Ok(None),
            Member::Spaced => {
                if !self.spaced_member(&mut found)? {
                    return Ok(None);
                }
                found
            }
        };
        // INVARIANT: names and values begin and end at ASCII bytes.
        let between = self.text.get(key.start..key.end).unwrap_or_default();
        Ok(Some((Key { between, written: key_written }, self.since(value, value_written))))
    }

    /// As [`Reader::member`], of members written without space: `{"key":` or `,"key":`, as nearly all are.
    #[inline(always)]
    fn plain_member(&mut self) -> Result<Member, NotJson> {
        let bytes = self.text.as_bytes();
        let start = match bytes.get(self.at.wrapping_sub(1)..) {
            Some([b'{', b'"', ..]) => self.at.wrapping_add(1),
            Some([before, b',', b'"', ..]) if *before != b'{' => self.at.wrapping_add(2),
            Some([before, b'}', ..]) if *before != b',' => {
                self.at = self.at.wrapping_add(1);
                return Ok(Member::End);
            }
            Some(_) | None => return Ok(Member::Spaced),
        };
        let end = self.plain_end(start);
        let Some([b'"', b':', first, ..]) = bytes.get(end..) else { return Ok(Member::Spaced) };
        let value = end.wrapping_add(2);
        let value_written = if *first == b'"' {
            self.at = value.wrapping_add(1);
            self.rest_of_string()?
        } else if *first > b' ' {
            self.at = value;
            self.skip_value()?
        } else {
            return Ok(Member::Spaced);
        };
        let key = Span { start, end };
        Ok(Member::Found(Found { key, key_written: Written::Plainly, value, value_written }))
    }

    /// As [`Reader::member`], however it is written; whether there is one.
    #[inline(never)]
    fn spaced_member(&mut self, found: &mut Found) -> Result<bool, NotJson> {
        if self.ends(b'{', b'}')? {
            return Ok(false);
        }
        let start = self.at;
        found.key_written = self.skip_string()?;
        found.key = Span { start: start + 1, end: self.at - 1 };
        self.space();
        self.take(b':')?;
        self.space();
        found.value = self.at;
        found.value_written = self.skip_value()?;
        Ok(true)
    }

    /// Makes sure that nothing but space follows.
    ///
    /// # Errors
    /// When something does.
    pub fn end(&mut self) -> Result<(), NotJson> {
        self.space();
        if self.at == self.text.len() { Ok(()) } else { Err(self.fault()) }
    }

    pub(super) fn item(&mut self) -> Result<Option<JsonText<'a>>, NotJson> {
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

    pub(super) fn fault(&self) -> NotJson {
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
    pub(super) fn space(&mut self) {
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
    pub(super) fn value(&mut self) -> Result<JsonText<'a>, NotJson> {
        let start = self.at;
        let written = self.skip_value()?;
        Ok(self.since(start, written))
    }

    /// Goes past the value that begins here.
    fn skip_value(&mut self) -> Result<Written, NotJson> {
        match self.peek() {
            b'"' => self.skip_string(),
            b'{' | b'[' => self.skip_nested().map(|()| Written::Plainly),
            _ => self.skip_scalar().map(|()| Written::Plainly),
        }
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
        self.rest_of_string()
    }

    /// Goes past a string whose first quote was read.
    #[inline(always)]
    fn rest_of_string(&mut self) -> Result<Written, NotJson> {
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
