//! The disk as the service writes to it, so that tests can make it fail.
//!
//! Only writing goes through here; what is read is checked against its checksums.

mod faulty;

pub use faulty::{FaultyDisk, Standing};

use std::{
    fmt::Debug,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::Path,
};

/// Where files are written.
pub trait Disk: Debug + Send + Sync {
    /// A new file; one that is there already is emptied.
    ///
    /// # Errors
    /// When the system refuses.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// A file that is there, to be written at its end.
    ///
    /// # Errors
    /// When the system refuses.
    fn append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Gives a file another name; whatever had it is gone. Durable after [`Disk::sync_folder`].
    ///
    /// # Errors
    /// When the system refuses.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// When the system refuses.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes what was created, renamed and removed in a folder durable.
    ///
    /// # Errors
    /// When the system refuses.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;
}

/// A file that is written at its end.
pub trait DiskFile: Debug + Send {
    /// Writes all of it. After an error any part may be written.
    ///
    /// # Errors
    /// When the system refuses.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Returns when what was written is on disk.
    ///
    /// # Errors
    /// When the system refuses.
    fn sync(&mut self) -> io::Result<()>;

    /// Cuts the file to a length.
    ///
    /// # Errors
    /// When the system refuses.
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

/// The disk of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        // Appending, so that what comes after a cut stands at the end and leaves no hole.
        File::create(path)?;
        self.append(path)
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(OpenOptions::new().append(true).open(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }
}

impl DiskFile for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }
}
