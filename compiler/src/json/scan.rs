//! Where in a text the bytes stand that a string cannot just go on with, found for many bytes at once.

/// How many bytes are looked at together.
pub(super) const WIDTH: usize = 64;

/// A bit for each of the [`WIDTH`] bytes from a place on that is a quote, an escape, or may not stand in a string.
#[inline]
pub(super) fn marks(text: &[u8], at: usize) -> u64 {
    let rest = text.get(at..).unwrap_or_default();
    if let Some(block) = rest.first_chunk() {
        return of_block(block);
    }
    // Near its end a longer text is looked at from so far before it that nothing needs to be copied.
    if let Some(block) = text.last_chunk() {
        let before = WIDTH - rest.len();
        return u32::try_from(before)
            .ok()
            .and_then(|before| of_block(block).checked_shr(before))
            .unwrap_or(0);
    }
    let mut block = [b' '; WIDTH];
    if let Some(start) = block.get_mut(..rest.len()) {
        start.copy_from_slice(rest);
    }
    of_block(&block)
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
                let is_marked = matches!(byte, b'"' | b'\\' | 0..0x20);
                let expected = u64::from(is_marked) << place;
                for (before, after) in
                    [(0, 0), (0, WIDTH), (7, 0), (WIDTH, 0), (WIDTH, 3), (WIDTH + 9, WIDTH)]
                {
                    // What is before is of no matter.
                    let mut bytes = vec![b'"'; before];
                    bytes.resize(before + place + 1 + after, b'x');
                    bytes[before + place] = byte;
                    let is = (byte, place, before, after);
                    assert_eq!(marks(&bytes, before), expected, "{is:?}");
                }
            }
        }
    }
}
