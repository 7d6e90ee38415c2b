//! What came over the wire, as plain bytes.

use super::Unreadable;
use flate2::read::MultiGzDecoder;
use std::{borrow::Cow, io::Read};

/// Unpacks a body. Never more than `most` bytes are made of it, however small it is packed.
///
/// # Errors
/// When it is packed in an unknown way, broken, or longer than that.
pub fn unpack<'a>(body: &'a [u8], encoding: Option<&str>, most: usize) -> Result<Cow<'a, [u8]>, Unreadable> {
    match encoding.map(str::trim).filter(|it| !it.is_empty() && !it.eq_ignore_ascii_case("identity")) {
        None if body.len() > most => Err(Unreadable::TooLong(most)),
        None => Ok(Cow::Borrowed(body)),
        Some(gzip) if gzip.eq_ignore_ascii_case("gzip") || gzip.eq_ignore_ascii_case("x-gzip") => {
            let mut plain = Vec::new();
            let read = MultiGzDecoder::new(body).take(most as u64 + 1).read_to_end(&mut plain);
            match read {
                Ok(length) if length > most => Err(Unreadable::TooLong(most)),
                Ok(_) => Ok(Cow::Owned(plain)),
                Err(_) => Err(Unreadable::Packed),
            }
        }
        Some(other) => {
            let shown = segue_runtime::words::shown(other, segue_runtime::limits::SHOWN_CHARACTERS);
            Err(Unreadable::Encoding(shown))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn gzip_is_unpacked() {
        let body = packed(b"{}");
        assert_eq!(&*unpack(&body, Some("gzip"), 2).unwrap(), b"{}");
        assert_eq!(&*unpack(b"{}", None, 2).unwrap(), b"{}");
        assert_eq!(unpack(b"{}!", Some("identity"), 2), Err(Unreadable::TooLong(2)));
        assert_eq!(unpack(b"{}", Some("br"), 2), Err(Unreadable::Encoding("br".to_owned())));
        assert_eq!(unpack(b"{}", Some("gzip"), 2), Err(Unreadable::Packed));
        assert_eq!(unpack(&body[..body.len() - 5], Some("gzip"), 2), Err(Unreadable::Packed));
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        let bomb = packed(&vec![b' '; 100 << 20]);
        assert!(bomb.len() < 200 << 10);
        assert_eq!(unpack(&bomb, Some("gzip"), 512_000), Err(Unreadable::TooLong(512_000)));
    }
}
