//! Tokens of the hand scan that runs before pest: enough to cut the text and to know habits from other languages.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A word, also one with an apostrophe such as `didn't`.
    Word,
    /// Digits with underscores and a fraction.
    Number,
    /// `2026-01-31`, also where digits are missing.
    Date,
    /// `08:00`, also where digits are missing.
    Time,
    /// A string in any quotes.
    Text,
    /// Operators and brackets.
    Mark,
}

/// A stretch of text outside comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// What it is.
    pub(super) kind: Kind,
    /// First byte.
    pub(super) start: usize,
    /// One past the last byte.
    pub(super) end: usize,
    /// Whether nothing but white space stands before it on its line.
    pub(super) leads: bool,
    /// Bytes between the start of the line and the token; only meaningful where it leads.
    pub(super) column: usize,
}

/// Tokens with the text they were cut from.
#[derive(Clone, Copy)]
pub(super) struct Tokens<'a> {
    /// The text.
    pub(super) text: &'a str,
    /// The tokens in order.
    pub(super) all: &'a [Token],
}

impl<'a> Tokens<'a> {
    /// The token at a position of the list.
    pub(super) fn get(self, index: usize) -> Option<Token> {
        self.all.get(index).copied()
    }

    /// The text of the token at a position; empty where there is none.
    pub(super) fn word(self, index: usize) -> &'a str {
        self.get(index).map_or("", |token| self.slice(token))
    }

    /// The text of the token before a position; empty where there is none.
    pub(super) fn before(self, index: usize) -> &'a str {
        index.checked_sub(1).map_or("", |previous| self.word(previous))
    }

    /// The kind of the token at a position.
    pub(super) fn kind(self, index: usize) -> Option<Kind> {
        self.get(index).map(|token| token.kind)
    }

    /// The text of a token.
    pub(super) fn slice(self, token: Token) -> &'a str {
        self.text.get(token.start..token.end).unwrap_or("")
    }

    /// Whether two neighbours touch.
    pub(super) fn touches(self, index: usize) -> bool {
        match (self.get(index), self.get(index + 1)) {
            (Some(left), Some(right)) => left.end == right.start,
            (None, _) | (_, None) => false,
        }
    }

    /// Whether a position holds a token that does not lead its line.
    pub(super) fn same_line(self, index: usize) -> bool {
        self.get(index).is_some_and(|token| !token.leads)
    }
}
