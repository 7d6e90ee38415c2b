//! "expected …, found …" in the words of an author.

use super::cut::shown;
use super::grammar::Rule;
use super::mend::Mended;
use super::token::{Kind, Tokens};
use super::traps::{Place, SEVERAL_AFTER_WHERE};
use super::words;
use crate::codes;
use crate::diagnostic::Diagnostic;

/// How many expectations a message lists at most.
const LISTED: usize = 5;

/// What is said about a place that cannot be read; `end` is where the phrase ends if nothing was left of it.
pub(super) fn diagnostic(
    tokens: Tokens<'_>,
    mended: &Mended,
    place: usize,
    end: Option<usize>,
    rules: &[Rule],
) -> Diagnostic {
    let index = tokens.all.partition_point(|token| token.end <= place);
    let token = tokens.get(index).filter(|_| end.is_none());
    let (span, found, word) = match (token, end) {
        (Some(token), _) => {
            let text = tokens.slice(token);
            (mended.span(token.start, token.end), format!("found `{}`", shown(text)), text)
        }
        (None, Some(end)) => {
            // The last token is marked, so that something visible is underlined.
            let last = tokens
                .all
                .partition_point(|token| token.end <= end)
                .checked_sub(1)
                .and_then(|at| tokens.get(at));
            let span =
                last.map_or_else(|| mended.span(end, end), |token| mended.span(token.start, token.end));
            (span, "found the end".to_owned(), "")
        }
        (None, None) => (mended.span(place, place), "found the end".to_owned(), ""),
    };
    let label = if end.is_some() { "something is missing after this" } else { "" };
    let (expected, keywords) = expectations(rules);
    let message = match expected.as_slice() {
        [] if word.is_empty() => "this ends too early".to_owned(),
        [] => format!("unexpected `{}`", shown(word)),
        [first] => format!("expected {first}, {found}"),
        [before @ .., last] => format!("expected {} or {last}, {found}", before.join(", ")),
    };
    let said = Diagnostic::error(codes::SYNTAX, span, message).label(label);
    let braces = rules.contains(&Rule::s_open) || rules.contains(&Rule::block);
    let place = Place { tokens, index, word, keywords: &keywords, rules };
    match help(place, braces) {
        Some(help) => said.help(help),
        None => said,
    }
}

/// One way out, where the place suggests it.
fn help(place: Place<'_>, braces: bool) -> Option<String> {
    let Place { tokens, index, word, keywords, .. } = place;
    if let Some(known) = known_trap(tokens, index, word, keywords, braces).or_else(|| place.help()) {
        return Some(known);
    }
    if tokens.kind(index) != Some(Kind::Word) || word.is_empty() {
        return None;
    }
    let known: Vec<&str> = keywords.iter().filter_map(|phrase| phrase.split(' ').next()).collect();
    if known.contains(&word) {
        let phrase =
            keywords.iter().find(|phrase| phrase.split(' ').next() == Some(word) && phrase.contains(' '));
        return phrase.map(|phrase| format!("write `{phrase}`"));
    }
    words::nearest(word, &[known.as_slice()]).map(|near| format!("did you mean `{near}`?"))
}

/// Mistakes that many make and whose place tells what was meant.
fn known_trap(
    tokens: Tokens<'_>,
    index: usize,
    word: &str,
    keywords: &[String],
    braces: bool,
) -> Option<String> {
    let before = tokens.before(index);
    if braces && let Some(help) = steps_without_braces(tokens, index) {
        return Some(help);
    }
    let expects = |phrase: &str| keywords.iter().any(|known| known == phrase);
    if word == "(" && before == "in" {
        return Some("a list stands in brackets: `in [\"a\", \"b\"]`".to_owned());
    }
    if matches!(word, "in" | "at" | "exactly" | "between" | "since" | "then" | "within")
        && joins_after_where(tokens, index)
    {
        return Some(SEVERAL_AFTER_WHERE.to_owned());
    }
    if matches!(word, "and" | "or") && follows_trigger(tokens, index) && !joins_after_where(tokens, index + 1)
    {
        return Some("a trigger is one event or sequence; write the condition as `only if …`".to_owned());
    }
    if tokens.kind(index) == Some(Kind::Number) && matches!(tokens.word(index + 1), "times" | "time") {
        return Some(format!("write `exactly {word} times` or `at least {word} times`"));
    }
    if tokens.kind(index) == Some(Kind::Number) && before == "holdout" {
        return Some(format!("write `{word}%`"));
    }
    if word == "in"
        && expects("within")
        && !expects("in the last")
        && tokens.kind(index + 1) == Some(Kind::Number)
    {
        return Some("write `within`".to_owned());
    }
    if word == "(" && tokens.kind(index.wrapping_sub(1)) == Some(Kind::Word) {
        return Some("a function and its `(` stand together, as in `lower(text)`".to_owned());
    }
    None
}

/// `if … send …` and `otherwise send …`: their steps stand in braces.
fn steps_without_braces(tokens: Tokens<'_>, index: usize) -> Option<String> {
    if !words::STEPS.contains(&tokens.word(index)) {
        return None;
    }
    let line = (index.saturating_sub(64)..index).rev();
    let starts = |at: &usize| {
        let word = tokens.word(*at);
        matches!(word, "{" | "}" | "otherwise")
            || words::CLAUSES.contains(&word)
            || words::STEPS.contains(&word)
    };
    let start = line.clone().find(starts).filter(|at| matches!(tokens.word(*at), "if" | "otherwise"))?;
    if tokens.before(start) == "stop" && tokens.same_line(start) {
        return None;
    }
    let mut depth = 0_usize;
    let ends = |at: &usize| {
        match tokens.word(*at) {
            "{" => depth += 1,
            "}" if depth == 0 => return true,
            "}" => depth -= 1,
            _ => {}
        }
        !tokens.same_line(*at)
    };
    let end = (index + 1..index + 64).find(ends).unwrap_or(index + 1);
    let text = |from: usize, to: usize| {
        let (from, to) = (tokens.get(from)?.start, tokens.get(to)?.end);
        tokens.text.get(from..to).filter(|text| text.len() <= 80 && !text.contains('\n'))
    };
    let head = text(start, index - 1).map_or_else(|| format!("{} …", tokens.word(start)), str::to_owned);
    // Of a step that goes on beyond its line only the word is shown, so that all braces have their partners.
    let whole = text(index, end - 1).filter(|step| step.matches('{').count() == step.matches('}').count());
    let step = whole.map_or_else(|| format!("{} …", tokens.word(index)), str::to_owned);
    Some(format!("write `{head} {{ {step} }}`"))
}

/// Whether the line of a place starts with `when`.
fn follows_trigger(tokens: Tokens<'_>, index: usize) -> bool {
    let line = (index.saturating_sub(64)..index).rev();
    let clause =
        |at: &usize| words::CLAUSES.contains(&tokens.word(*at)) || words::STEPS.contains(&tokens.word(*at));
    let start = line.clone().find(clause);
    start.is_some_and(|at| tokens.word(at) == "when" && tokens.before(at) != "stop")
}

/// Whether a `where` without parentheses and then `and` or `or` stand shortly before a place.
pub(super) fn joins_after_where(tokens: Tokens<'_>, index: usize) -> bool {
    let mut joined = false;
    for at in (index.saturating_sub(24)..index).rev() {
        match tokens.word(at) {
            "and" | "or" => joined = true,
            "where" => return joined && tokens.word(at + 1) != "(",
            "{" | "}" => return false,
            _ => {}
        }
    }
    false
}

/// The expectations to list, and all keyword phrases among them.
fn expectations(rules: &[Rule]) -> (Vec<String>, Vec<String>) {
    let mut main: Vec<String> = Vec::new();
    let mut minor: Vec<String> = Vec::new();
    let mut keywords = Vec::new();
    for rule in rules {
        let name = format!("{rule:?}");
        if let Some(phrase) = name.strip_prefix("k_") {
            keywords.push(phrase.replace('_', " "));
        }
        if name == "unit" || name == "duration" {
            keywords.extend(words::UNITS.iter().map(|unit| (*unit).to_owned()));
        }
        let (words, weight) = describe(&name);
        // After `in the last 3` a unit is what is missing, and not a way to go on.
        let weight = weight || name == "unit" && rules.contains(&Rule::k_calendar_days);
        let list = if weight { &mut main } else { &mut minor };
        if !words.is_empty() && !list.contains(&words) {
            list.push(words);
        }
    }
    if main.is_empty() {
        main = minor;
    }
    if main.len() > LISTED {
        // A long list helps nobody: the general words come first and speak for the rest.
        main.sort_by_key(|words| words.starts_with('`'));
        main.truncate(LISTED);
    }
    (main, keywords)
}

/// The words for a rule, and whether they say more than "or it goes on here".
fn describe(rule: &str) -> (String, bool) {
    if let Some(phrase) = rule.strip_prefix("k_") {
        let goes_on = GOING_ON_WORDS.contains(&phrase);
        let phrase = match phrase {
            "a" => "a click".to_owned(),
            "an" => "an open".to_owned(),
            _ => phrase.replace('_', " "),
        };
        return (format!("`{phrase}`"), !goes_on);
    }
    let words = |table: &[(&[&str], &str)]| {
        table.iter().find(|(rules, _)| rules.contains(&rule)).map(|(_, words)| (*words).to_owned())
    };
    match words(WORDS) {
        Some(words) => (words, true),
        None => (words(GOING_ON).unwrap_or_default(), false),
    }
}

/// Keywords by which a phrase that is complete may go on.
const GOING_ON_WORDS: &[&str] = &[
    "and",
    "or",
    "is",
    "in",
    "not",
    "between",
    "where",
    "as",
    "then",
    "then_no",
    "with_same",
    "in_the_last",
    "since",
    "in_this_match",
    "this_session",
    "today",
    "this_week",
    "this_month",
    "at_least",
    "at_most",
    "exactly",
    "in_at_least",
    "for_the_first_time",
    "for",
    "distinct_by",
    "each",
    "earliest",
];

/// What an author calls the rules that stand for something of its own.
const WORDS: &[(&[&str], &str)] = &[
    (&["s_open"], "`{`"),
    (&["s_close"], "`}`"),
    (&["s_paren"], "`(`"),
    (&["s_paren_end"], "`)`"),
    (&["s_bracket"], "`[`"),
    (&["s_bracket_end"], "`]`"),
    (&["s_colon"], "`:`"),
    (&["equals"], "`=`"),
    (&["string", "title"], "a text in quotes"),
    (&["name", "segment_name", "channel"], "a name"),
    (&["any_word", "field_name"], "the name of a field"),
    (&["type_expr", "type_name", "type_list"], "a type such as `text` or `number`"),
    (&["duration", "span_of_time", "before_after", "plus_duration"], "a duration such as `2 hours`"),
    (&["number"], "a number"),
    (&["percent"], "a percentage such as `5%`"),
    (&["time"], "a time of day such as `08:00`"),
    (&["date"], "a date such as `2026-01-31`"),
    (&["instant", "moment"], "an instant such as `2026-01-31 08:00`"),
    (&["literal", "literal_value", "literal_object", "literal_list", "boolean"], "a literal value"),
    (&["pattern", "pattern_events", "element", "sequence"], "an event in quotes"),
    (&["day", "days", "weekday"], "a day such as `monday`"),
    (&["days_or_weeks"], "`days` or `weeks`"),
    (&["engagement", "engagement_word"], "`click`, `open`, `reply` or `delivery`"),
    (&["path"], "a field"),
    (
        &[
            "expr",
            "and_expr",
            "not_expr",
            "comparison",
            "sum",
            "product",
            "primary",
            "filter",
            "flat_sum",
            "flat_primary",
            "flat_product",
            "flat_comparison",
            "bare_path",
            "call",
            "call_name",
            "paren",
        ],
        "a value or a condition",
    ),
    (&["aggregate_word"], "`sum`, `average` or the like"),
    (&["clause"], "a clause"),
    (&["step"], "a step"),
    (&["statement", "statement_word"], "a statement"),
    (&["content", "content_fields", "file_ref"], "a text, `{ … }` or a file"),
    (&["block"], "`{`"),
    (&["field_decl", "field_block", "pair", "pairs", "content_pair", "literal_pair"], "a field"),
    (&["rate"], "a rate such as `3 per 7 days`"),
    (
        &[
            "use_decl",
            "event_decl",
            "profile_decl",
            "let_decl",
            "segment_decl",
            "topic_decl",
            "defaults_decl",
            "suppress_decl",
            "rule_decl",
            "test_decl",
        ],
        "a declaration",
    ),
];

/// What an author calls the rules by which a phrase that is complete may go on; those without words are not listed.
const GOING_ON: &[(&[&str], &str)] = &[
    (&["compare_op", "text_word", "comparison_tail", "flat_tail"], "a comparison"),
    (&["unit"], "a unit of time such as `hours`"),
    (&["op_add", "op_sub", "op_mul", "op_div"], "an operator"),
    (&["EOI"], "the end"),
];

#[cfg(test)]
mod tests {
    use super::describe;
    use crate::parse::grammar::Rule;

    #[test]
    fn no_rule_is_named_to_an_author() {
        for rule in Rule::all_rules() {
            let (words, _) = describe(&format!("{rule:?}"));
            assert!(!words.contains('_') && !words.contains("k_"), "{words}");
        }
    }
}
