//! What an object begins with, where it is written as most are: looked at quote by quote, which is several times faster than
//! reading it.

use super::scan;

/// The members that what may be an object begins with, as far as each is a string without escapes: `{"name":"value",…`, with
/// at most one space after each sign. Of what follows nothing is known, nor whether it is JSON, or UTF-8.
#[derive(Clone, Debug)]
pub struct PlainMembers<'a> {
    text: &'a [u8],
    /// How far they were looked at: here stands what comes before the next one.
    at: usize,
    /// Of the [`scan::WIDTH`] bytes from `marked` on, those that were not looked at and that a string cannot just go on with.
    marks: u64,
    marked: usize,
}

impl<'a> PlainMembers<'a> {
    /// Those of a text.
    #[must_use]
    #[inline]
    pub fn of(text: &'a [u8]) -> Self {
        Self { text, at: 0, marks: scan::marks(text, 0), marked: 0 }
    }

    /// Where the next quote stands, if nothing that needs care stands before it.
    #[inline(always)]
    fn quote(&mut self) -> Option<usize> {
        while self.marks == 0 {
            self.marked = self.marked.checked_add(scan::WIDTH).filter(|marked| *marked < self.text.len())?;
            self.marks = scan::marks(self.text, self.marked);
        }
        let place = self.marked.checked_add(self.marks.trailing_zeros() as usize)?;
        self.marks &= self.marks.wrapping_sub(1);
        (self.text.get(place) == Some(&b'"')).then_some(place)
    }

    /// Whether from one place to another there is this sign, and nothing else but a space.
    #[inline(always)]
    fn is_between(&self, from: usize, to: usize, sign: u8) -> bool {
        match self.text.get(from..to) {
            Some([first] | [first, b' ']) => *first == sign,
            Some(_) | None => false,
        }
    }
}

/// Ends for good with the first member that is none of them.
impl<'a> Iterator for PlainMembers<'a> {
    /// Name and value.
    type Item = (&'a [u8], &'a [u8]);

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let before = if self.at == 0 { b'{' } else { b',' };
        let [name, name_end, value, value_end] = [self.quote()?, self.quote()?, self.quote()?, self.quote()?];
        if !self.is_between(self.at, name, before) || !self.is_between(name_end + 1, value, b':') {
            // No sign stands there.
            self.at = self.text.len();
            return None;
        }
        self.at = value_end + 1;
        Some((self.text.get(name + 1..name_end)?, self.text.get(value + 1..value_end)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<(&str, &str)> {
        let text_of = |bytes| std::str::from_utf8(bytes).unwrap();
        PlainMembers::of(text.as_bytes()).map(|(name, value)| (text_of(name), text_of(value))).collect()
    }

    #[test]
    fn ends_where_something_else_begins() {
        let (one, two) = (("a", "x"), ("bb", ""));
        for (text, expected) in [
            (r#"{"a":"x","bb":""}"#, vec![one, two]),
            (r#"{ "a": "x", "bb": "","c":1,"d":"y"}"#, vec![one, two]),
            (r#"{"a":"x","bb":"","c":{"d":"y"}}"#, vec![one, two]),
            (r#"{"a":"x","bb":"","c":"\n"}"#, vec![one, two]),
            (r#"{"a":"x","bb":"","\u0063":"d"}"#, vec![one, two]),
            (r#"{"a":"x","bb":""  ,"c":"d"}"#, vec![one, two]),
            (r#"{"a":"x","bb":"" "c":"d"}"#, vec![one, two]),
            (r#"{"a":"x","bb":"","c" :"d"}"#, vec![one, two]),
            (r#"{"a":"x"}{"c":"d"}"#, vec![one]),
            ("{\"a\":\"x\",\"b\":\"\t\"}", vec![one]),
            (r#"{"a":"x","b":"#, vec![one]),
            (r#"{"a":"x","b"#, vec![one]),
            (r#"["a":"x"]"#, vec![]),
            (r#" {"a":"x"}"#, vec![]),
            (r#"{,"a":"x"}"#, vec![]),
            ("{}", vec![]),
            ("{", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(of(text), expected, "{text}");
            let mut members = PlainMembers::of(text.as_bytes());
            assert_eq!(members.by_ref().count(), expected.len());
            assert_eq!(members.next(), None, "{text}");
        }
    }

    #[test]
    fn long_ones_are_found_wherever_they_end() {
        for length in 0..3 * scan::WIDTH {
            let (name, value) = ("n".repeat(length), "å".repeat(length / 2));
            let text = format!(r#"{{"{name}":"{value}","a":"{name}"}}"#);
            assert_eq!(of(&text), [(&*name, &*value), ("a", &*name)]);
        }
    }
}
