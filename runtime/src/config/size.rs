//! Sizes in bytes.

use crate::words::nearest;

/// Units and their bytes. A KB is 1,024 bytes, as trackers count what they send.
const UNITS: [(&str, u64); 5] =
    [("bytes", 1), ("KB", 1 << 10), ("MB", 1 << 20), ("GB", 1 << 30), ("TB", 1 << 40)];

/// Reads a size such as `32 KB` or `1_000 bytes`.
///
/// # Errors
/// What to write instead, for a person.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let end = text.find(|it: char| !it.is_ascii_digit() && it != '_').unwrap_or(text.len());
    let (digits, word) = text.split_at(end);
    let Ok(count) = digits.replace('_', "").parse::<u64>() else {
        return Err("write a number and a unit, such as \"500 KB\"".to_owned());
    };
    let unit = word.trim();
    if let Some((_, bytes)) = UNITS.iter().find(|(name, _)| *name == unit).filter(|_| word.starts_with(' ')) {
        return count.checked_mul(*bytes).ok_or_else(|| "at most 16,777,215 TB".to_owned());
    }
    let lower = unit.to_lowercase();
    let short = lower.replace("ib", "b");
    let meant = UNITS.iter().map(|(name, _)| *name).find(|name| {
        let name = name.to_lowercase();
        name == short || name.strip_suffix('b') == Some(&short) || short == "b" && name == "bytes"
    });
    match meant.or_else(|| nearest(&lower, &UNITS.map(|(name, _)| name))) {
        Some(name) => Err(format!("write \"{count} {name}\"")),
        None => Err("the units are bytes, KB, MB, GB and TB".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sizes() {
        assert_eq!(parse_size("32 KB"), Ok(32_768));
        assert_eq!(parse_size("1_000 bytes"), Ok(1_000));
        assert_eq!(parse_size("2 GB"), Ok(2 << 30));
        for (text, help) in [
            ("32kb", "write \"32 KB\""),
            ("32 KiB", "write \"32 KB\""),
            ("5 M", "write \"5 MB\""),
            ("5 b", "write \"5 bytes\""),
            ("5 pages", "the units are bytes, KB, MB, GB and TB"),
            ("much", "write a number and a unit, such as \"500 KB\""),
            ("99999999999 GB", "at most 16,777,215 TB"),
        ] {
            assert_eq!(parse_size(text), Err(help.to_owned()), "{text}");
        }
    }
}
