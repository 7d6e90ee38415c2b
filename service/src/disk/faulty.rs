//! A disk that fails when it is told to, for tests.

use super::{Disk, DiskFile, RealDisk};
use std::{
    collections::BTreeMap,
    fs, io,
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
    /// Of each file that was written.
    lengths: Mutex<BTreeMap<PathBuf, Arc<Lengths>>>,
}

/// How long a file is, and how much of that is surely on disk, in bytes.
#[derive(Debug, Default)]
struct Lengths {
    written: AtomicU64,
    synced: AtomicU64,
}

impl Lengths {
    fn of(bytes: u64) -> Self {
        Self { written: AtomicU64::new(bytes), synced: AtomicU64::new(bytes) }
    }
}

#[derive(Debug, Default)]
struct Stands {
    /// Whether nothing comes to be on disk.
    stands: bool,
    /// The files that are waited for.
    waiting: Vec<PathBuf>,
}

/// While this is there, nothing comes to be on disk, and whoever waits for it goes on waiting.
#[derive(Debug)]
pub struct Standing(FaultyDisk);

impl Standing {
    /// Whether anybody waits for a file in folders of a name.
    #[must_use]
    pub fn is_waited_for(&self, folder: &str) -> bool {
        self.0.stands().waiting.iter().any(|path| lies_in(path, folder))
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
            lengths: Mutex::default(),
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

    fn wait(&self, path: &Path) {
        let mut stands = self.stands();
        stands.waiting.push(path.to_owned());
        let woken = self.state.moves.wait_while(stands, |stands| stands.stands);
        let waiting = &mut woken.unwrap_or_else(PoisonError::into_inner).waiting;
        if let Some(place) = waiting.iter().position(|other| other == path) {
            waiting.swap_remove(place);
        }
    }

    /// Copies a folder as it would be after the power went out: of each file what was synced. Names are as they are.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn copy_durable(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let (path, copy) = entry.map(|it| (it.path(), to.join(it.file_name())))?;
            if path.is_dir() {
                self.copy_durable(&path, &copy)?;
                continue;
            }
            let synced = self.lengths().get(&path).map(|lengths| lengths.synced.load(Ordering::SeqCst));
            match fs::copy(&path, &copy) {
                // It just got its name, or went.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                copied => copied?,
            };
            if let Some(length) = synced {
                fs::File::options().write(true).open(copy)?.set_len(length)?;
            }
        }
        Ok(())
    }

    fn lengths(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Arc<Lengths>>> {
        self.state.lengths.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_refused(&self, path: &Path) -> bool {
        let refused = *self.state.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.is_some_and(|folder| lies_in(path, folder))
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

/// Whether a file lies in a folder of a name.
fn lies_in(path: &Path, folder: &str) -> bool {
    path.parent().is_some_and(|parent| parent.ends_with(folder))
}

impl Disk for FaultyDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let (disk, path, file) = (self.clone(), path.to_owned(), RealDisk.create(path)?);
        let lengths = Arc::new(Lengths::default());
        self.lengths().insert(path.clone(), lengths.clone());
        Ok(Box::new(FaultyFile { disk, path, file, lengths }))
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let (disk, path, file) = (self.clone(), path.to_owned(), RealDisk.append(path)?);
        let length = fs::metadata(&path)?.len();
        let lengths =
            self.lengths().entry(path.clone()).or_insert_with(|| Lengths::of(length).into()).clone();
        Ok(Box::new(FaultyFile { disk, path, file, lengths }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        RealDisk.rename(from, to)?;
        let mut all = self.lengths();
        if let Some(lengths) = all.remove(from) {
            all.insert(to.to_owned(), lengths);
        }
        Ok(())
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
    /// Also where it has another name by now.
    lengths: Arc<Lengths>,
}

impl FaultyFile {
    fn write_surely(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write(bytes)?;
        self.lengths.written.fetch_add(bytes.len() as u64, Ordering::SeqCst);
        Ok(())
    }
}

impl DiskFile for FaultyFile {
    /// Where it fails, half of what was to be written is.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let half = bytes.get(..bytes.len() / 2).unwrap_or_default();
        if let Err(error) = self.disk.step() {
            self.write_surely(half)?;
            return Err(error);
        }
        if self.disk.is_refused(&self.path) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let length = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        let room = &self.disk.state.room;
        if room.fetch_sub(length, Ordering::SeqCst) < length {
            room.store(0, Ordering::SeqCst);
            self.write_surely(half)?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.write_surely(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.disk.wait(&self.path);
        self.disk.step()?;
        // What is written meanwhile may not be on disk.
        let written = self.lengths.written.load(Ordering::SeqCst);
        self.file.sync()?;
        self.lengths.synced.store(written, Ordering::SeqCst);
        Ok(())
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.disk.step()?;
        self.file.cut(length)?;
        self.lengths.written.store(length, Ordering::SeqCst);
        self.lengths.synced.fetch_min(length, Ordering::SeqCst);
        Ok(())
    }
}
