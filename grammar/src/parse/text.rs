//! What a string literal says: quotes off, escapes resolved, the common indentation of several lines removed.

/// The escape at the start of a text: its length in bytes and the character it stands for, if it is one.
pub(super) fn escape_at(text: &str) -> (usize, Option<char>) {
    let mut characters = text.chars();
    characters.next();
    let Some(second) = characters.next() else { return (text.len().min(1), None) };
    let length = 1 + second.len_utf8();
    match second {
        '"' | '\\' => (length, Some(second)),
        'n' => (length, Some('\n')),
        't' => (length, Some('\t')),
        'u' => {
            let code = text.get(length..).and_then(|rest| rest.strip_prefix('{'));
            let Some((hex, _)) = code.and_then(|rest| rest.split_once('}')) else { return (length, None) };
            if hex.len() > 6 || hex.is_empty() || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return (length, None);
            }
            (length + hex.len() + 2, u32::from_str_radix(hex, 16).ok().and_then(char::from_u32))
        }
        _ => (length, None),
    }
}

/// The text of a literal with its quotes. A `"""` text loses the line break after the opening quotes, a blank last
/// line and the indentation that all its lines share.
pub(super) fn resolve(literal: &str) -> String {
    let triple = literal.strip_prefix("\"\"\"").and_then(|rest| rest.strip_suffix("\"\"\""));
    if let Some(inside) = triple {
        return unescape(&dedent(inside));
    }
    let inside = literal.strip_prefix('"').unwrap_or(literal);
    unescape(inside.strip_suffix('"').unwrap_or(inside))
}

fn unescape(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        result.push_str(rest.get(..at).unwrap_or(""));
        let escape = rest.get(at..).unwrap_or("");
        let (length, meaning) = escape_at(escape);
        match meaning {
            Some(character) => result.push(character),
            // Already reported; the text stays as written.
            None => result.push_str(escape.get(..length).unwrap_or("")),
        }
        rest = escape.get(length.max(1)..).unwrap_or("");
    }
    result.push_str(rest);
    result
}

fn dedent(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let Some(body) = text.strip_prefix('\n') else { return text };
    let body = match body.rsplit_once('\n') {
        Some((before, last)) if last.trim().is_empty() => before,
        Some(_) | None => body,
    };
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let common = body.lines().filter(|line| !line.trim().is_empty()).map(indent).min().unwrap_or(0);
    let lines: Vec<&str> =
        body.split('\n').map(|line| line.get(common..).unwrap_or_else(|| line.trim_start())).collect();
    lines.join("\n")
}
