//! Whose a call is, read no further than that takes.

use super::{Line, envelope::text_line, name_of};
use crate::limits::MAX_NAME_BYTES;
use memchr::memmem::Finder;
use segue_compiler::json::{PlainMembers, Reader};
use std::{borrow::Cow, sync::LazyLock};

/// Whom a line names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Whose<'a> {
    pub(crate) customer: Cow<'a, str>,
    /// Whether it is by `userId`.
    pub(crate) known: bool,
}

/// The ids that a call may have.
static USER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("userId"));
static ANONYMOUS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("anonymousId"));

/// Whom a line names, if it says nothing of who is who. None where only reading all of it tells; what it tells of may still
/// turn out to be no call.
pub(crate) fn whose(kind: Line, line: &[u8]) -> Option<Whose<'_>> {
    if kind != Line::Whole {
        return None;
    }
    plainly(line).or_else(|| named(text_line(line).ok()?))
}

/// As [`whose`], where it stands in front and is written plainly, as in nearly all that trackers send.
fn plainly(line: &[u8]) -> Option<Whose<'_>> {
    let mut tells: Option<bool> = None;
    let (mut user, mut anonymous) = (None, None);
    for (name, value) in PlainMembers::of(line) {
        match name {
            b"type" => tells = Some(tells_who(value)?),
            b"userId" => user = id(value),
            b"anonymousId" => anonymous = id(value),
            _ => continue,
        }
        if tells == Some(false)
            && let Some(customer) = user
        {
            return Some(Whose { customer: Cow::Borrowed(customer), known: true });
        }
    }
    tells?;
    let (customer, known, other) = match (user, anonymous) {
        (Some(user), None) => (user, true, &ANONYMOUS),
        (None, Some(anonymous)) => (anonymous, false, &USER),
        (Some(_), Some(_)) | (None, None) => return None,
    };
    // Wherever the other one stands, it may be written with escapes, too.
    let may_stand = other.find(line).is_some() || memchr::memchr(b'\\', line).is_some();
    (!may_stand).then_some(Whose { customer: Cow::Borrowed(customer), known })
}

/// Whether a call of a type may say who somebody is; none of others than the usual ones.
fn tells_who(kind: &[u8]) -> Option<bool> {
    match kind {
        b"track" | b"page" | b"screen" | b"group" => Some(false),
        b"identify" => Some(true),
        _ => None,
    }
}

/// An id as it is written without escapes, if it can be one.
fn id(written: &[u8]) -> Option<&str> {
    let is_one = (1..=MAX_NAME_BYTES).contains(&written.len());
    std::str::from_utf8(written).ok().filter(|_| is_one)
}

/// Whom a line names, however it is written.
fn named(text: &str) -> Option<Whose<'_>> {
    let mut reader = Reader::new(text);
    reader.open().ok()?;
    let mut tells: Option<bool> = None;
    let (mut user, mut anonymous) = (None, None);
    while let Some((key, json)) = reader.member().ok()? {
        match &*key.name() {
            "type" => tells = Some(tells_who(json.plain()?.as_bytes())?),
            "userId" => user = name_of(Some(json), "userId").ok()?,
            "anonymousId" => anonymous = name_of(Some(json), "anonymousId").ok()?,
            _ => {}
        }
        if tells == Some(false)
            && let Some(customer) = user.take()
        {
            return Some(Whose { customer, known: true });
        }
    }
    let known = user.is_some();
    match (tells?, user, anonymous) {
        (_, Some(customer), None) | (_, None, Some(customer)) => Some(Whose { customer, known }),
        (_, Some(_), Some(_)) | (_, None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Envelope;

    fn of(line: &str) -> Option<Whose<'_>> {
        whose(Line::Whole, line.as_bytes())
    }

    #[test]
    fn names_whom_the_call_names() {
        // What a line may have, each also before and after the others.
        let kinds = ["track", "identify", "alias", "group", "page", "tra\\u0063k", "odd"]
            .map(|it| format!(r#""type":"{it}""#));
        let ids = ["\"u\"", "\"\"", "null", "7.50", "\"\\u0061 b\"", "true", "{\"userId\":\"x\"}"];
        let user = ids.map(|id| format!(r#""userId":{id}"#));
        let anonymous = ids.map(|id| format!(r#""\u0061nonymousId":{id}"#));
        let rest = r#""messageId":"m","event":"E","groupId":"g","previousId":"p","timestamp":"2026-01-05T10:00:00Z""#;
        let rests = [rest.to_owned(), format!(r#"{rest},"properties":{{"type":"odd","userId":"z"}}"#)];
        let nothing = String::new();
        let ways = rests.iter().flat_map(|rest| [(rest, ","), (rest, ", ")]);
        let (mut named, mut unclear) = (0, 0);
        for ((rest, comma), kind) in ways.flat_map(|way| kinds.iter().map(move |kind| (way, kind))) {
            for user in user.iter().chain([&nothing]) {
                for anonymous in anonymous.iter().chain([&nothing]) {
                    for order in [[kind, user, anonymous], [anonymous, user, kind], [user, kind, anonymous]] {
                        let some: Vec<&str> = order
                            .into_iter()
                            .chain([rest])
                            .map(String::as_str)
                            .filter(|it| !it.is_empty())
                            .collect();
                        let line = format!("{{{}}}", some.join(comma));
                        let (Ok(envelope), Some(whose)) = (Envelope::parse(line.as_bytes()), of(&line))
                        else {
                            unclear += 1;
                            continue;
                        };
                        named += 1;
                        assert_eq!(
                            whose,
                            Whose { customer: envelope.customer, known: envelope.known },
                            "{line}"
                        );
                        assert_eq!(envelope.same_as, None, "{line}");
                    }
                }
            }
        }
        assert!(named > 1_000 && unclear > 1_000, "{named} {unclear}");
    }

    #[test]
    fn a_byte_that_is_another_misleads_nobody() {
        let lines = [
            r#"{"type":"track","messageId":"m","userId":"ada","event":"E","timestamp":1}"#,
            r#"{"type":"identify","messageId":"m","anonymousId":"bo","traits":{"userId":"x"},"timestamp":1}"#,
            r#"{"type": "identify", "userId": "ada", "x": "anonymousId", "timestamp": 1}"#,
            r#"{"type":"page","a":"anonymousId","anonymousId":"bo","timestamp":1,"userId":null}"#,
        ];
        let mut named = 0;
        for line in lines {
            for (place, byte) in
                (0..line.len()).flat_map(|at| b"\"\\,:{}[] x1\x01\xE5".map(|byte| (at, byte)))
            {
                let mut changed = line.as_bytes().to_vec();
                changed[place] = byte;
                if let (Ok(envelope), Some(whose)) = (Envelope::parse(&changed), whose(Line::Whole, &changed))
                {
                    named += 1;
                    let of = Whose { customer: envelope.customer, known: envelope.known };
                    assert_eq!((whose, envelope.same_as), (of, None), "{place} {byte} {line}");
                }
            }
        }
        assert!(named > 500, "{named}");
    }

    #[test]
    fn reads_no_further_than_it_must() {
        let named = |customer: &'static str, known| Some(Whose { customer: Cow::Borrowed(customer), known });
        assert_eq!(of(r#"{"type":"track","userId":"u","#), named("u", true));
        assert_eq!(of(r#"{"type":"track","anonymousId":"a","#), named("a", false));
        assert_eq!(of(r#"{"type":"identify","userId":"u","traits":{}}"#), named("u", true));
        assert_eq!(of(r#"{"type":"identify","traits":{"x":"\n"},"userId":"u"}"#), named("u", true));
        assert_eq!(of(r#"{"type":"track","userId":null,"anonymousId":"a"}"#), named("a", false));
        for line in [
            r#"{"type":"track","anonymousId":"a","userId"#,
            r#"{"type":"identify","userId":"u","\u0061nonymousId":"a"}"#,
            r#"{"type":"identify","userId":"u","x":[],"anonymousId":"a"}"#,
            r#"{"type":"identify","userId":"u","anonymousId":"a"}"#,
            r#"{"type":"alias","userId":"u","previousId":"a"}"#,
            r#"{"userId":"u"}"#,
            "[]",
            "",
        ] {
            assert_eq!(of(line), None, "{line}");
        }
        assert_eq!(whose(Line::TooLong, b""), None);
    }

    #[test]
    fn what_stands_far_behind_is_found() {
        // Letters of two bytes, and a number, lie across the places where as many bytes end as are looked at together.
        for length in 0..140 {
            for filler in ["x".repeat(length), "å".repeat(length / 2), "[]".repeat(length / 2)] {
                for (user, expected) in [("4711", "4711"), ("\"å\\u00e5\"", "åå"), ("\"b\"", "b")] {
                    let line = format!(r#"{{"type":"track","x":"{filler}","userId":{user},"event":"E","#);
                    assert_eq!(
                        of(&line),
                        Some(Whose { customer: Cow::Borrowed(expected), known: true }),
                        "{line}"
                    );
                }
            }
        }
    }
}
