//! The codes of everything the parser can say. They are stable: people look them up and silence tools by them.

/// All codes of this crate, in alphabetical order.
pub const CODES: &[&str] = &[
    BAD_ESCAPE,
    HABIT_CAPITAL,
    HABIT_COMMENT,
    HABIT_DATE,
    HABIT_DURATION,
    HABIT_OPERATOR,
    HABIT_PUNCTUATION,
    HABIT_QUOTE,
    HABIT_WORD,
    HYPHEN_NAME,
    MISSING_SEPARATOR,
    MISSING_TIMES,
    QUOTE_IN_TEMPLATE,
    RESERVED_NAME,
    SNAKE_CASE,
    SYNTAX,
    TOO_DEEP,
    TOO_LONG,
    TOO_MANY,
    UNCLOSED_BRACE,
    UNCLOSED_STRING,
    UNKNOWN_CLAUSE,
    UNKNOWN_DECLARATION,
];

/// A `\` in a string that starts no known escape.
pub const BAD_ESCAPE: &str = "bad-escape";
/// A keyword with capitals.
pub const HABIT_CAPITAL: &str = "habit-capital";
/// A comment as other languages write it.
pub const HABIT_COMMENT: &str = "habit-comment";
/// A date or time of day in another form.
pub const HABIT_DATE: &str = "habit-date";
/// A duration in short form, such as `30d`.
pub const HABIT_DURATION: &str = "habit-duration";
/// An operator of other languages.
pub const HABIT_OPERATOR: &str = "habit-operator";
/// A mark of other languages that is not needed, such as `;`.
pub const HABIT_PUNCTUATION: &str = "habit-punctuation";
/// Quotes other than `"`.
pub const HABIT_QUOTE: &str = "habit-quote";
/// A word of other languages, such as `else` or `max`.
pub const HABIT_WORD: &str = "habit-word";
/// A name with a hyphen.
pub const HYPHEN_NAME: &str = "hyphen-name";
/// Two things of a list with neither a comma nor a new line between them.
pub const MISSING_SEPARATOR: &str = "missing-separator";
/// `at least 3` without `times`.
pub const MISSING_TIMES: &str = "missing-times";
/// A double quote within `{{ … }}` of a string.
pub const QUOTE_IN_TEMPLATE: &str = "quote-in-template";
/// A declared name that is a keyword.
pub const RESERVED_NAME: &str = "reserved-name";
/// A declared name that is not in `snake_case`.
pub const SNAKE_CASE: &str = "snake-case";
/// Something else was expected here.
pub const SYNTAX: &str = "syntax";
/// Nested too deeply.
pub const TOO_DEEP: &str = "too-deep";
/// The source is too long.
pub const TOO_LONG: &str = "too-long";
/// More was found than is shown.
pub const TOO_MANY: &str = "too-many";
/// A bracket without its partner.
pub const UNCLOSED_BRACE: &str = "unclosed-brace";
/// A string without its closing quote.
pub const UNCLOSED_STRING: &str = "unclosed-string";
/// A line in a rule, `defaults`, a test or a block that starts with no known word.
pub const UNKNOWN_CLAUSE: &str = "unknown-clause";
/// A declaration that starts with no known word.
pub const UNKNOWN_DECLARATION: &str = "unknown-declaration";
