//! Where a template writes.

use crate::limits::MAX_CONTENT_BYTES;
use std::io::{Error, Write};

/// A text that refuses to grow beyond [`MAX_CONTENT_BYTES`].
#[derive(Debug, Default)]
pub(super) struct Limited(Vec<u8>);

impl Limited {
    /// What was written.
    pub(super) fn text(self) -> Option<String> {
        String::from_utf8(self.0).ok()
    }
}

impl Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_CONTENT_BYTES {
            return Err(Error::other("the text is too long"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
