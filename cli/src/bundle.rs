//! Rules within an executable: a copy of this program with a project behind its end.
//!
//! Behind the program lie the project's files, compressed, and at the very end a trailer of fixed size by which the program
//! finds them when it starts: `length (8) · SHA-256 (32) · format (4) · nothing (4) · mark (16)`, numbers little-endian. That
//! they should be there stands within the program itself ([`PLACE`]), so that one whose end is gone does not run others.

use crate::output::Problem;
use segue_runtime::words::reason;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    hint::black_box,
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// The path by which commands open the rules within.
pub(crate) const INSIDE: &str = "the rules inside";
/// What the trailer ends with.
const MARK: &[u8; 16] = b"segue rules here";
/// The format of what lies behind the program.
const FORMAT: u32 = 1;
const TRAILER: usize = 64;
/// How long a place is, and where one begins: places in a file are multiples of it, as places in memory are.
const PLACE_LENGTH: usize = 64;
/// What the last byte of [`PLACE`] is in a program with rules behind it.
const WITH_RULES: u8 = b'1';
/// The most that a project's files take, compressed (256 MiB): what a damaged trailer says must not fill the memory.
const MAX_LENGTH: u64 = 256 << 20;
/// The most that they take unpacked (1 GiB): far more than texts of messages do.
const MAX_TEXT: u64 = 1 << 30;
/// How much is tried to make it small; more takes long and saves little of texts.
const LEVEL: i32 = 9;

/// A project's files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bundle {
    /// What the rules are called.
    pub(crate) name: String,
    /// `segue.toml`.
    pub(crate) config: String,
    /// Rule files: names from the project's folder, and texts.
    pub(crate) sources: Vec<(String, String)>,
    /// Content files by their path.
    pub(crate) files: BTreeMap<String, String>,
}

/// A piece of the program that is found in its file.
#[repr(align(64))]
struct Place([u8; PLACE_LENGTH]);

/// Says whether rules lie behind the program; building one writes it anew in the copy. Nothing else in the program has this
/// text: it is looked for by what stands here.
static PLACE: Place = Place(*b"segue: whether rules lie behind the end of this file, 1 if so: 0");

static OWN: OnceLock<Option<Bundle>> = OnceLock::new();

/// The rules within this executable, if there are any.
pub(crate) fn own() -> Option<&'static Bundle> {
    OWN.get().and_then(Option::as_ref)
}

/// What [`PLACE`] says in this very program. The compiler must not know it: it is changed in the file.
fn place() -> &'static [u8; PLACE_LENGTH] {
    &black_box(&PLACE).0
}

/// Looks for rules within this executable; to be called first.
pub(crate) fn find() -> Result<Option<&'static Bundle>, Problem> {
    let has_rules = place().last() == Some(&WITH_RULES);
    let found = match std::env::current_exe().and_then(File::open) {
        Ok(file) => expected(read(file)?, has_rules)?,
        Err(error) if has_rules => {
            let why = reason(&error);
            return Err(Problem::words(format!(
                "this program cannot read the rules within it: {why}; let its file be read by whoever runs it"
            )));
        }
        // Whoever cannot read itself has no rules inside that it could use.
        Err(_) => None,
    };
    Ok(OWN.get_or_init(|| found).as_ref())
}

/// What was found; refuses a program that should have rules and has none any more.
fn expected(found: Option<Bundle>, has_rules: bool) -> Result<Option<Bundle>, Problem> {
    match found {
        None if has_rules => Err(damaged()),
        found => Ok(found),
    }
}

fn damaged() -> Problem {
    Problem::words("the rules within this program are damaged: build it anew")
}

/// Writes into a copy of this program that rules lie behind it.
fn mark(copy: &Path) -> io::Result<()> {
    // Its system ends a program that was changed within.
    if cfg!(target_vendor = "apple") {
        return Ok(());
    }
    let bytes = fs::read(copy)?;
    let at = bytes.chunks_exact(PLACE_LENGTH).position(|chunk| chunk == place());
    let at = at.ok_or_else(|| {
        io::Error::other("this `segue` was changed after it was built, as by packing it; take it as it was")
    })?;
    let mut file = fs::OpenOptions::new().write(true).open(copy)?;
    file.seek(SeekFrom::Start(((at + 1) * PLACE_LENGTH - 1) as u64))?;
    file.write_all(&[WITH_RULES])
}

/// Reads what lies behind a program.
fn read(mut file: impl Read + Seek) -> Result<Option<Bundle>, Problem> {
    let mut trailer = [0; TRAILER];
    if file.seek(SeekFrom::End(-64)).is_err() || file.read_exact(&mut trailer).is_err() {
        return Ok(None);
    }
    let Some((numbers, MARK)) = trailer.split_last_chunk() else { return Ok(None) };
    let (Some((length, rest)), Some(format)) = (numbers.split_first_chunk(), numbers.get(40..44)) else {
        return Err(damaged());
    };
    if format != FORMAT.to_le_bytes() {
        return Err(Problem::words("the rules within this program are of another version: build it anew"));
    }
    let length = u64::from_le_bytes(*length);
    let back = i64::try_from(length).ok().filter(|_| length <= MAX_LENGTH).ok_or_else(damaged)?;
    file.seek(SeekFrom::End(-64 - back)).map_err(|_| damaged())?;
    let mut payload = Vec::new();
    file.take(length).read_to_end(&mut payload).map_err(|_| damaged())?;
    if Some(Sha256::digest(&payload).as_slice()) != rest.get(..32) {
        return Err(damaged());
    }
    let mut text = Vec::new();
    let unpacked = zstd::Decoder::new(payload.as_slice()).map_err(|_| damaged())?;
    unpacked.take(MAX_TEXT).read_to_end(&mut text).map_err(|_| damaged())?;
    serde_json::from_slice(&text).map(Some).map_err(|_| damaged())
}

impl Bundle {
    /// What is put behind a program.
    fn behind(&self) -> io::Result<Vec<u8>> {
        let text = serde_json::to_vec(self)?;
        let mut bytes = zstd::encode_all(text.as_slice(), LEVEL)?;
        let digest = Sha256::digest(&bytes);
        let length = bytes.len() as u64;
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&digest);
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(MARK);
        Ok(bytes)
    }

    /// Writes this program with the rules within it. What stood there is replaced at once, or not at all.
    pub(crate) fn write(&self, to: &Path) -> Result<u64, Problem> {
        let failed =
            |error: io::Error| Problem::words(format!("cannot write `{}`: {}", to.display(), reason(&error)));
        let own = std::env::current_exe().map_err(failed)?;
        let unfinished = unfinished(to);
        let written = fs::copy(&own, &unfinished).and_then(|length| {
            mark(&unfinished)?;
            let behind = self.behind()?;
            let mut file = fs::OpenOptions::new().append(true).open(&unfinished)?;
            file.write_all(&behind)?;
            file.sync_all()?;
            drop(file);
            fs::rename(&unfinished, to)?;
            Ok(length + behind.len() as u64)
        });
        written.map_err(|error| {
            // It is as if nothing had been tried.
            let _ = fs::remove_file(&unfinished);
            failed(error)
        })
    }
}

/// Where a file is written before it takes its place.
fn unfinished(to: &Path) -> PathBuf {
    let mut name = to.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    to.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn bundle() -> Bundle {
        Bundle {
            name: "shop".to_owned(),
            config: "[consent]\npolicy = \"required\"\n".to_owned(),
            sources: vec![("rules.segue".to_owned(), "event \"A\" {}".repeat(1_000))],
            files: BTreeMap::from([("mail.html".to_owned(), "<p>".to_owned())]),
        }
    }

    fn program() -> Vec<u8> {
        let mut program = b"the program itself".repeat(100);
        program.extend(bundle().behind().unwrap());
        program
    }

    #[test]
    fn what_is_put_behind_a_program_is_found() {
        assert_eq!(read(Cursor::new(program())).unwrap(), Some(bundle()));
        assert!(program().len() < 4_000, "it is compressed");
        assert_eq!(read(Cursor::new(b"short")).unwrap(), None);
        assert_eq!(read(Cursor::new(b"the program itself".repeat(100))).unwrap(), None);
    }

    #[test]
    fn damage_is_told_wherever_it_is() {
        let whole = program();
        let rules = whole.len() - bundle().behind().unwrap().len();
        for place in rules..whole.len() - MARK.len() {
            // The bytes that say nothing may change.
            if (whole.len() - 20..whole.len() - 16).contains(&place) {
                continue;
            }
            let mut damaged = whole.clone();
            damaged[place] ^= 1;
            assert!(read(Cursor::new(damaged)).is_err(), "{place}");
        }
        let mut longer = whole;
        let length = longer.len() - TRAILER;
        longer[length..length + 8].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(read(Cursor::new(longer)).is_err());
    }
}
