//! Keywords with capitals.

use super::{Scan, words};
use crate::codes;
use crate::parse::token::Kind;

/// Words after which a name stands, so that a capital is the author's own.
const BEFORE_NAMES: &[&str] =
    &["where", "of", "same", "by", "as", "enters", "leaves", "segment", "was", "use"];
/// Words that follow a value.
const AFTER_VALUES: &[&str] =
    &["is", "in", "not", "contains", "starts", "ends", "matches", "between", "and", "or", "within"];

impl Scan<'_, '_> {
    /// `WHEN`, `At Least`: a run of keywords with capitals is one finding.
    pub(super) fn capitals(&mut self, index: usize) -> usize {
        if !self.is_capital(index) {
            return 0;
        }
        let mut last = index;
        while self.tokens.same_line(last + 1) && self.is_capital(last + 1) {
            last += 1;
        }
        let (Some(from), Some(to)) = (self.tokens.get(index), self.tokens.get(last)) else { return 0 };
        let shown = self.tokens.text.get(from.start..to.end).unwrap_or("");
        let lower = shown.to_ascii_lowercase();
        let said = format!("keywords are written small; found `{shown}`");
        self.replace(codes::HABIT_CAPITAL, index, last, said, &lower)
    }

    /// Whether a word is a keyword but for its capitals, in a place where it is not the name of a field.
    fn is_capital(&self, index: usize) -> bool {
        let word = self.tokens.word(index);
        if self.tokens.kind(index) != Some(Kind::Word) || !word.bytes().any(|byte| byte.is_ascii_uppercase())
        {
            return false;
        }
        let lower = word.to_ascii_lowercase();
        let before = self.tokens.before(index).to_ascii_lowercase();
        let next = self.tokens.word(index + 1).to_ascii_lowercase();
        if before == "." || next == ":" || next == "." || !words::is_keyword(&lower) {
            return false;
        }
        if words::RESERVED.contains(&lower.as_str()) || lower == "in" && matches!(next.as_str(), "(" | "[") {
            return true;
        }
        if words::DECLARATIONS.contains(&before.as_str()) || BEFORE_NAMES.contains(&before.as_str()) {
            // `any Event`, `count OF "A"` and the like still stand before a quoted name.
            return self.tokens.kind(index + 1) == Some(Kind::Text) && before != "where";
        }
        if words::UNITS.contains(&lower.as_str())
            && self.tokens.kind(index.wrapping_sub(1)) == Some(Kind::Number)
        {
            return true;
        }
        let leads = self.tokens.get(index).is_some_and(|token| token.leads);
        let opens = self.tokens.kind(index.wrapping_sub(1)) == Some(Kind::Mark)
            && !matches!(before.as_str(), ")" | "}");
        let goes_on = self.tokens.same_line(index + 1) && self.tokens.kind(index + 1) != Some(Kind::Mark);
        if AFTER_VALUES.contains(&next.as_str()) && (opens || AFTER_VALUES.contains(&before.as_str())) {
            return false;
        }
        let in_list = before == "," && !goes_on;
        if opens && !leads && next != "of" && (in_list || !matches!(before.as_str(), "{" | ";" | ",")) {
            return false;
        }
        goes_on || next == "{" || words::is_keyword(&before) && !AFTER_VALUES.contains(&before.as_str())
    }
}
