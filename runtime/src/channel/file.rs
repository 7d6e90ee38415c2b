//! Decisions appended to a file.

use super::{Channel, Delivery, Outcome};
use crate::words;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::Path,
};

/// Appends a line of JSON per decision.
pub struct FileHook {
    file: File,
}

impl FileHook {
    /// Opens a file to append to, with the folders that it lies in.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
            fs::create_dir_all(folder)?;
        }
        Ok(Self { file: OpenOptions::new().create(true).append(true).open(path)? })
    }
}

impl Channel for FileHook {
    fn deliver(&mut self, delivery: &Delivery<'_>) -> Outcome {
        // One write per line: two channels may append to one file.
        let written = serde_json::to_vec(delivery.record).map_err(io::Error::from).and_then(|mut line| {
            line.push(b'\n');
            self.file.write_all(&line)
        });
        match written {
            Ok(()) => Outcome::Delivered { attempts: 1 },
            Err(error) => {
                let reason = words::reason(&error);
                Outcome::Failed { reason, said: None, attempts: 1, retryable: true }
            }
        }
    }
}
