//! Letters that names do not have, and characters that nobody sees.

use crate::parse::words;

/// Letters of other alphabets with those that stand for them where there are no others.
const PLAIN: &[(&str, &str)] = &[
    ("àáâãäåāăą", "a"),
    ("æ", "ae"),
    ("çćč", "c"),
    ("ďđð", "d"),
    ("èéêëēėęě", "e"),
    ("ğģ", "g"),
    ("ìíîïīįı", "i"),
    ("ķ", "k"),
    ("ļľł", "l"),
    ("ñńņň", "n"),
    ("òóôõöøőō", "o"),
    ("œ", "oe"),
    ("ŕř", "r"),
    ("śşšș", "s"),
    ("ß", "ss"),
    ("ţťț", "t"),
    ("þ", "th"),
    ("ùúûüūůűų", "u"),
    ("ýÿ", "y"),
    ("źżž", "z"),
];

/// Characters that take no room, by their names.
const UNSEEN: &[(char, &str)] = &[
    ('\u{AD}', "a soft hyphen"),
    ('\u{200B}', "a zero-width space"),
    ('\u{200C}', "a zero-width non-joiner"),
    ('\u{200D}', "a zero-width joiner"),
    ('\u{200E}', "a left-to-right mark"),
    ('\u{200F}', "a right-to-left mark"),
    ('\u{2060}', "a word joiner"),
];

/// What a character that nobody sees is called.
pub(super) fn unseen(character: char) -> Option<&'static str> {
    UNSEEN.iter().find(|(known, _)| *known == character).map(|(_, name)| *name)
}

/// The name that is nearest to a word with other letters.
pub(super) fn name(word: &str) -> String {
    let mut name = String::new();
    for letter in word.to_lowercase().chars() {
        match PLAIN.iter().find(|(letters, _)| letters.contains(letter)) {
            Some((_, plain)) => name.push_str(plain),
            None if letter.is_ascii() => name.push(letter),
            None if name.ends_with('_') => {}
            None => name.push('_'),
        }
    }
    let name = name.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    if name.starts_with(|c: char| c.is_ascii_lowercase()) && !words::is_taken(name) {
        return name.to_owned();
    }
    if name.is_empty() { "my_name".to_owned() } else { format!("my_{name}") }
}
