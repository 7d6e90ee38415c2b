//! A disk that fails when it is told to, for tests.

use super::{Disk, DiskFile, RealDisk};
use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

/// A disk with so much room, of which single steps can fail.
#[derive(Clone, Debug)]
pub struct FaultyDisk {
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    /// How many bytes may still be written.
    room: AtomicI64,
    /// Steps that write or sync, so far.
    steps: AtomicU64,
    /// The step that fails; none is 0.
    fails: AtomicU64,
    /// A folder in which nothing can be written.
    refused: Mutex<Option<&'static str>>,
    stands: Mutex<Stands>,
    moves: Condvar,
}

#[derive(Debug, Default)]
struct Stands {
    /// Whether nothing comes to be on disk.
    stands: bool,
    /// How many wait for that.
    waiting: usize,
}

/// While this is there, nothing comes to be on disk, and whoever waits for it goes on waiting.
#[derive(Debug)]
pub struct Standing(FaultyDisk);

impl Standing {
    /// Whether anybody waits.
    #[must_use]
    pub fn is_waited_for(&self) -> bool {
        self.0.stands().waiting > 0
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        self.0.stands().stands = false;
        self.0.state.moves.notify_all();
    }
}

impl Default for FaultyDisk {
    fn default() -> Self {
        let state = State {
            room: AtomicI64::new(i64::MAX),
            steps: AtomicU64::new(0),
            fails: AtomicU64::new(0),
            refused: Mutex::default(),
            stands: Mutex::default(),
            moves: Condvar::new(),
        };
        Self { state: Arc::new(state) }
    }
}

impl FaultyDisk {
    /// From now on so many bytes can be written; then the disk is full.
    pub fn leave_room(&self, bytes: i64) {
        self.state.room.store(bytes, Ordering::SeqCst);
    }

    /// From now on nothing can be written in folders of a name; or everywhere again.
    pub fn refuse_in(&self, folder: Option<&'static str>) {
        *self.state.refused.lock().unwrap_or_else(PoisonError::into_inner) = folder;
    }

    /// From now on whoever waits until something is on disk goes on waiting.
    #[must_use]
    pub fn stand(&self) -> Standing {
        self.stands().stands = true;
        Standing(self.clone())
    }

    fn stands(&self) -> MutexGuard<'_, Stands> {
        self.state.stands.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self) {
        let mut stands = self.stands();
        stands.waiting += 1;
        let woken = self.state.moves.wait_while(stands, |stands| stands.stands);
        woken.unwrap_or_else(PoisonError::into_inner).waiting -= 1;
    }

    fn is_refused(&self, path: &Path) -> bool {
        let refused = *self.state.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.is_some_and(|folder| path.parent().is_some_and(|parent| parent.ends_with(folder)))
    }

    /// The step that writes or syncs after so many others fails.
    pub fn fail_after(&self, steps: u64) {
        self.state.fails.store(self.steps() + steps + 1, Ordering::SeqCst);
    }

    /// How many steps there were.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.state.steps.load(Ordering::SeqCst)
    }

    fn step(&self) -> io::Result<()> {
        let step = self.state.steps.fetch_add(1, Ordering::SeqCst) + 1;
        let fails = self.state.fails.load(Ordering::SeqCst) == step;
        if fails { Err(io::Error::other("it was told to fail")) } else { Ok(()) }
    }
}

impl Disk for FaultyDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(FaultyFile { disk: self.clone(), path: path.to_owned(), file: RealDisk.create(path)? }))
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(FaultyFile { disk: self.clone(), path: path.to_owned(), file: RealDisk.append(path)? }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        RealDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        RealDisk.remove(path)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        RealDisk.sync_folder(path)
    }
}

#[derive(Debug)]
struct FaultyFile {
    disk: FaultyDisk,
    path: PathBuf,
    file: Box<dyn DiskFile>,
}

impl DiskFile for FaultyFile {
    /// Where it fails, half of what was to be written is.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let half = bytes.get(..bytes.len() / 2).unwrap_or_default();
        if let Err(error) = self.disk.step() {
            self.file.write(half)?;
            return Err(error);
        }
        if self.disk.is_refused(&self.path) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let length = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        let room = &self.disk.state.room;
        if room.fetch_sub(length, Ordering::SeqCst) < length {
            room.store(0, Ordering::SeqCst);
            self.file.write(half)?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.write(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.disk.wait();
        self.disk.step()?;
        self.file.sync()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.disk.step()?;
        self.file.cut(length)
    }
}
