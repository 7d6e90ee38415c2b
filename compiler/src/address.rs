//! Addresses: what can be one. A message to anything else would only cost a bounce.

/// What is wrong with an address of a channel; `None` when it can be one. Only `sms` and `email` have rules of their own;
/// what other channels take, whoever delivers knows.
#[must_use]
pub fn fault(channel: &str, address: &str) -> Option<&'static str> {
    match channel {
        "sms" if !is_phone(address) => Some("not a phone number in international form, such as +4790000000"),
        "email" if !is_email(address) => Some("not an e-mail address"),
        _ => None,
    }
}

/// The fewest digits of a number with its country code: no country has shorter ones.
const LEAST_DIGITS: usize = 7;
/// The most digits of a number with its country code, by E.164.
const MOST_DIGITS: usize = 15;

/// Whether a text is a number by E.164: `+`, then country code and number in digits, without spaces.
fn is_phone(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (LEAST_DIGITS..=MOST_DIGITS).contains(&digits.len())
            && digits.bytes().all(|it| it.is_ascii_digit())
            && !digits.starts_with('0')
    })
}

/// The longest address, by RFC 5321 (a path of 256 bytes has angle brackets around it).
const MOST_ADDRESS_BYTES: usize = 254;
/// The longest part before the `@`, by RFC 5321.
const MOST_LOCAL_BYTES: usize = 64;
/// The longest part between dots of a domain, by RFC 1035.
const MOST_LABEL_BYTES: usize = 63;

/// Whether a text is a mailbox on the internet: a dot-atom of RFC 5322 (with the letters that RFC 6531 adds) at a domain
/// name of two labels or more. Quoted names and literal addresses are allowed by the standard, and nobody has one.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    text.len() <= MOST_ADDRESS_BYTES
        && local.len() <= MOST_LOCAL_BYTES
        && is_local(local)
        && is_domain(domain)
}

fn is_local(text: &str) -> bool {
    let is_atom = |it: char| is_letter(it) || "!#$%&'*+-/=?^_`{|}~".contains(it);
    text.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atom))
}

fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=MOST_LABEL_BYTES).contains(&label.len())
            && label.chars().all(|it| is_letter(it) || it == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    text.contains('.') && text.split('.').all(is_label) && !last.bytes().all(|it| it.is_ascii_digit())
}

/// A letter or digit: of any alphabet beyond ASCII.
fn is_letter(it: char) -> bool {
    it.is_ascii_alphanumeric() || !it.is_ascii() && it.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phone_numbers() {
        for good in ["+4790000000", "+6834000", "+290123456789012"] {
            assert!(is_phone(good), "{good}");
        }
        for bad in [
            "",
            "+",
            "4790000000",
            "004790000000",
            "+47 900 00 000",
            "+0790000000",
            "+683400",
            "+2901234567890123",
            "+47-900-00-000",
            " +4790000000",
            "+4790000000\n",
            "+٤٧٩٠٠٠٠٠٠٠",
        ] {
            assert!(!is_phone(bad), "{bad}");
        }
    }

    #[test]
    fn mailboxes() {
        let long = "a".repeat(64);
        let label = "b".repeat(63);
        for good in [
            "ada@example.com",
            "ada.lovelace+news@mail.example.co.uk",
            "o'brien@example.com",
            "блз@пример.рф",
            "ada@xn--bcher-kva.example",
            "1@2.no",
            &format!("{long}@example.com"),
            &format!("a@{label}.com"),
        ] {
            assert!(is_email(good), "{good}");
        }
        for bad in [
            "",
            "ada",
            "ada@",
            "@example.com",
            "ada@localhost",
            "ada@example..com",
            "ada@.example.com",
            "ada@example.com.",
            "ada@-example.com",
            "ada@example-.com",
            "ada@ex_ample.com",
            "ada@127.0.0.1",
            "ada@[127.0.0.1]",
            ".ada@example.com",
            "ada.@example.com",
            "a..da@example.com",
            "ada @example.com",
            "ada@example.com ",
            "ada@exa mple.com",
            "ada@b@example.com",
            "\"ada\"@example.com",
            "Ada <ada@example.com>",
            "ada@example.com,bob@example.com",
            &format!("{long}a@example.com"),
            &format!("a@{label}b.com"),
            &format!("{long}@{label}.{label}.{label}.com"),
        ] {
            assert!(!is_email(bad), "{bad}");
        }
    }

    #[test]
    fn other_channels_have_addresses_of_their_own() {
        assert_eq!(fault("push", "any token"), None);
        assert!(fault("sms", "ada@example.com").is_some() && fault("email", "+4790000000").is_some());
    }
}
