//! Whose a call is, read no further than that takes.

use super::{Line, envelope::text_line, name_of};
use crate::limits::HEAD_BYTES;
use segue_compiler::json::Reader;
use std::borrow::Cow;

/// Whom a line names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Whose<'a> {
    pub(crate) customer: Cow<'a, str>,
    /// Whether it is by `userId`.
    pub(crate) known: bool,
}

/// Whom a line names, if it says nothing of who is who. None where only reading all of it tells; what it tells of may still
/// turn out to be no call.
pub(crate) fn whose(kind: Line, line: &[u8]) -> Option<Whose<'_>> {
    if kind != Line::Whole {
        return None;
    }
    let head = line.get(..HEAD_BYTES).filter(|head| head.len() < line.len());
    // A letter may be cut in two.
    let head = head.and_then(|head| Some(head.utf8_chunks().next()?.valid()));
    head.and_then(|head| named(head, true)).or_else(|| named(text_line(line).ok()?, false))
}

/// Whom a line names, as far as this part of it tells; `goes_on` says whether there is more of it.
fn named(text: &str, goes_on: bool) -> Option<Whose<'_>> {
    let mut reader = Reader::new(text);
    reader.open().ok()?;
    // Whether it is a call that may say who somebody is.
    let mut tells: Option<bool> = None;
    let (mut user, mut anonymous) = (None, None);
    while let Some((key, json)) = reader.member().ok()? {
        if goes_on && reader.is_at_end() {
            // A number may go on, too.
            return None;
        }
        match &*key.name() {
            "type" => match json.plain()? {
                "track" | "page" | "screen" | "group" => tells = Some(false),
                "identify" => tells = Some(true),
                _ => return None,
            },
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
        let rest = r#""messageId":"m","event":"E","groupId":"g","previousId":"p","properties":{"type":"odd","userId":"z"},"timestamp":"2026-01-05T10:00:00Z""#;
        let nothing = String::new();
        let (mut named, mut unclear) = (0, 0);
        for kind in &kinds {
            for user in user.iter().chain([&nothing]) {
                for anonymous in anonymous.iter().chain([&nothing]) {
                    for order in [[kind, user, anonymous], [anonymous, user, kind], [user, kind, anonymous]] {
                        let some: Vec<&str> = order
                            .into_iter()
                            .map(String::as_str)
                            .chain([rest])
                            .filter(|it| !it.is_empty())
                            .collect();
                        let line = format!("{{{}}}", some.join(","));
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
        assert!(named > 200 && unclear > 200, "{named} {unclear}");
    }

    #[test]
    fn reads_no_further_than_it_must() {
        let named = |customer: &'static str, known| Some(Whose { customer: Cow::Borrowed(customer), known });
        assert_eq!(of(r#"{"type":"track","userId":"u","#), named("u", true));
        assert_eq!(of(r#"{"type":"identify","userId":"u","traits":{}}"#), named("u", true));
        assert_eq!(of(r#"{"type":"track","userId":null,"anonymousId":"a"}"#), named("a", false));
        for line in [
            r#"{"type":"track","anonymousId":"a","#,
            r#"{"type":"identify","userId":"u","#,
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
        // Letters of two bytes, and a number, lie across the place where the head ends.
        for length in HEAD_BYTES - 60..HEAD_BYTES + 4 {
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
