//! Texts that are kept until the end, one behind the other in one place, so that whoever needs one keeps only
//! where it lies.

/// All texts that are kept: ids, addresses, and what messages say.
#[derive(Debug)]
pub(super) struct Texts(String);

/// Where a text lies; an empty one says that there is none. Four thousand million bytes are more than a
/// stream of a hundred million events leaves behind; what would lie beyond is kept as an empty text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    /// The first byte.
    start: u32,
    /// How many bytes.
    length: u32,
}

/// About how many bytes of a stream leave one byte here.
const STREAM_BYTES: usize = 8;

impl Texts {
    /// With room for the texts of a stream of so many bytes.
    pub(super) fn with_room(bytes: usize) -> Self {
        Self(String::with_capacity(bytes / STREAM_BYTES))
    }

    /// Keeps a text.
    pub(super) fn keep(&mut self, text: &str) -> Span {
        self.join(&[text])
    }

    /// Keeps a text that is made of parts.
    pub(super) fn join(&mut self, parts: &[&str]) -> Span {
        let start = self.0.len();
        for part in parts {
            self.0.push_str(part);
        }
        let place = u32::try_from(start).and_then(|from| Ok((from, u32::try_from(self.0.len() - start)?)));
        place.map_or(Span::default(), |(start, length)| Span { start, length })
    }

    /// A text that was kept.
    pub(super) fn get(&self, span: Span) -> &str {
        let start = span.start as usize;
        self.0.get(start..start + span.length as usize).unwrap_or_default()
    }
}

impl Span {
    /// Whether there is no text.
    pub(super) fn is_empty(self) -> bool {
        self.length == 0
    }
}
