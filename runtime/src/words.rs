//! How other people's text is shown within messages.

use crate::limits::SHOWN_CHARACTERS;
use std::io;

/// A short piece of a text in backticks, without characters that would act on a terminal.
#[must_use]
pub fn quote(text: &str) -> String {
    format!("`{}`", shown(text, SHOWN_CHARACTERS))
}

/// At most `limit` characters of a text on one line; characters that act on a terminal or turn the direction of what
/// follows are left out.
#[must_use]
pub fn shown(text: &str, limit: usize) -> String {
    let acts = |it: &char| it.is_control() || matches!(it, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let mut characters =
        text.chars().map(|it| if it.is_whitespace() { ' ' } else { it }).filter(|it| !acts(it));
    let mut shown: String = characters.by_ref().take(limit).collect();
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}

/// Why the system could not do something, in plain words.
#[must_use]
pub fn reason(error: &io::Error) -> String {
    let words = match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or folder",
        io::ErrorKind::PermissionDenied => "the system does not permit it",
        io::ErrorKind::StorageFull => "the disk is full",
        io::ErrorKind::IsADirectory => "it is a folder",
        io::ErrorKind::NotADirectory => "a part of the path is a file, not a folder",
        io::ErrorKind::AlreadyExists => "something else has this name",
        io::ErrorKind::QuotaExceeded => "the quota is used up",
        io::ErrorKind::FileTooLarge => "files may not get as large",
        io::ErrorKind::AddrInUse => "another program listens there",
        io::ErrorKind::AddrNotAvailable => "this machine has no such address",
        io::ErrorKind::ReadOnlyFilesystem => "it lies on a disk that can only be read",
        _ => {
            let words = error.to_string();
            return words.split(" (os error").next().unwrap_or_default().to_owned();
        }
    };
    words.to_owned()
}

/// `one event`, `12 events`: a number with its noun, thousands parted by commas.
#[must_use]
pub fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(count))
}

/// Digits with thousands parted by commas.
#[must_use]
pub fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut parted = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            parted.push(',');
        }
        parted.push(digit);
    }
    parted
}

/// ` (did you mean `x`?)` when a known word is near, else nothing.
#[must_use]
pub fn did_you_mean(word: &str, known: &[&str]) -> String {
    nearest(word, known).map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"))
}

/// The known word that was probably meant.
#[must_use]
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let word = word.to_lowercase();
    let allowed = (word.chars().count() / 3).clamp(1, 3);
    let near = known.iter().map(|it| (strsim::damerau_levenshtein(&word, it), *it)).min()?;
    (near.0 <= allowed).then_some(near.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_safe_and_short() {
        assert_eq!(quote("a\u{1b}[31mb\nc\u{202e}"), "`a[31mb c`");
        assert_eq!(shown("abcdef", 3), "abc…");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(counted(1, "event"), "1 event");
        assert_eq!(did_you_mean("trak", &["track", "page"]), " (did you mean `track`?)");
        assert_eq!(did_you_mean("purchase", &["track", "page"]), "");
    }
}
