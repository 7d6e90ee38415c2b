//! Where in a text the bytes stand that a string cannot just go on with, found for many bytes at once.

/// How many bytes are looked at together.
pub(super) const WIDTH: usize = 64;

/// A bit for each of the next bytes that is a quote, an escape, or may not stand in a string.
#[inline]
pub(super) fn marks(bytes: &[u8]) -> u64 {
    match bytes.first_chunk() {
        Some(block) => of_block(block),
        None => {
            let mut block = [b' '; WIDTH];
            if let Some(start) = block.get_mut(..bytes.len()) {
                start.copy_from_slice(bytes);
            }
            of_block(&block)
        }
    }
}

/// As [`marks`]. Nothing in it depends on a byte before it, so that compilers make one instruction of many bytes.
fn of_block(block: &[u8; WIDTH]) -> u64 {
    /// Brings the lowest bits of eight bytes together in the highest byte.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let mut found = [0_u8; WIDTH];
    for (found, byte) in found.iter_mut().zip(block) {
        *found = u8::from(*byte == b'"') | u8::from(*byte == b'\\') | u8::from(*byte < 0x20);
    }
    let (words, _) = found.as_chunks::<8>();
    let mut marks = 0;
    for (word, place) in words.iter().zip(0..) {
        marks |= (u64::from_le_bytes(*word).wrapping_mul(GATHER) >> 56) << (8 * place);
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_marked_at_its_place() {
        for byte in 0..=u8::MAX {
            for place in 0..WIDTH {
                for length in [place + 1, WIDTH, WIDTH + 3] {
                    let mut bytes = vec![b'x'; length];
                    bytes[place] = byte;
                    let is_marked = matches!(byte, b'"' | b'\\' | 0..0x20);
                    assert_eq!(marks(&bytes), u64::from(is_marked) << place, "{byte} at {place} of {length}");
                }
            }
        }
    }
}
