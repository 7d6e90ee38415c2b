//! Disks that are full, or fail to write, under the service as a process.

use crate::{
    live::{Service, post, setting},
    world::World,
};
use std::{
    fs,
    io::{self, Write},
    path::Path,
    process::Command,
    thread,
    time::Duration,
};

/// How often the disk is full, or writing fails: before the file system is full for good, and the log begins another file.
const ROUNDS: u64 = 4;
/// For how long, so that deadlines come due meanwhile and clients try again many times.
const FULL: Duration = Duration::from_millis(1_200);
/// Size of the file system under test: room for what clients send while there is some.
const SIZE: &str = "size=24m,mode=0777";
/// How long a client waits from one batch to the next, so that the fastest program does not fill that by itself.
const PACE: Duration = Duration::from_millis(10);

/// A file system of its own, in memory; unmounted at the end.
struct Mount {
    folder: tempfile::TempDir,
    by: &'static [&'static str],
}

impl Mount {
    /// Needs rights that not every machine gives.
    fn new() -> Result<Self, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap().to_owned();
        let mut reasons = String::new();
        for by in [&[][..], &["sudo", "-n"]] {
            let line: Vec<&str> =
                [by, &["mount", "-t", "tmpfs", "-o", SIZE, "tmpfs", &path]].concat().into_iter().collect();
            match Command::new(line[0]).args(&line[1..]).output() {
                Ok(output) if output.status.success() => return Ok(Self { folder, by }),
                Ok(output) => reasons += &String::from_utf8_lossy(&output.stderr),
                Err(error) => reasons += &format!("{}: {error}\n", line[0]),
            }
        }
        Err(reasons)
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Leaves no room, as far as the file system counts.
    fn fill(&self) {
        let mut ballast = fs::File::create(self.path().join("ballast")).unwrap();
        for size in [1 << 16, 1 << 10, 1] {
            let piece = vec![0; size];
            while ballast.write_all(&piece).is_ok() {}
        }
        assert_eq!(ballast.write(&[0]).unwrap_err().kind(), io::ErrorKind::StorageFull);
    }

    fn make_room(&self) {
        fs::remove_file(self.path().join("ballast")).unwrap();
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let path = self.folder.path().to_str().unwrap().to_owned();
        let line: Vec<&str> = [self.by, &["umount", &path]].concat();
        let _ = Command::new(line[0]).args(&line[1..]).status();
    }
}

/// Says aloud, past what collects the words of tests, that something was not tested.
fn skipped(what: &str, why: &str) {
    let _ = writeln!(io::stderr(), "SKIPPED: {what}: {}", why.trim());
}

/// It says that nothing can be taken, until it can be again; meanwhile it works.
fn is_full_for_a_while(service: &Service) {
    service.wait_for(|| service.readiness() == Some(503));
    thread::sleep(FULL);
    assert_eq!(service.readiness(), Some(503), "it is full: {}", service.words());
}

#[test]
fn on_a_full_disk_it_refuses_and_loses_nothing_and_goes_on_when_there_is_room() {
    let mount = match Mount::new() {
        Ok(mount) => mount,
        Err(why) => return skipped("a full disk, since no file system can be mounted", &why),
    };
    let seed = setting("SEGUE_SEED", 1);
    let mut world = World::new(Some(&mount.path().join("data")));
    world.service.start();
    world.service.wait_until_ready();
    let seen = world.send_while(seed, PACE, |world| {
        for round in 0..ROUNDS {
            thread::sleep(Duration::from_millis(700));
            mount.fill();
            is_full_for_a_while(&world.service);
            if round % 2 == 1 {
                // Who starts while there is no room waits for it.
                world.kill();
                world.service.start();
                is_full_for_a_while(&world.service);
                // And ends at once when it is told to.
                world.end_without_room();
                world.service.start();
            }
            mount.make_room();
            world.service.wait_until_ready();
        }
        thread::sleep(Duration::from_millis(300));
    });
    assert!(seen.refused > 20, "{}", seen.refused);
    let words = world.service.words();
    assert!(words.contains("calls are refused until it can: the disk is full"), "{words}");
    assert!(words.contains("the log can be written again"), "{words}");
    world.end(&seen);
}

#[test]
fn where_writing_fails_it_refuses_and_loses_nothing_and_goes_on_when_it_can() {
    if !can_limit() {
        return skipped("errors of writing", "there is no prlimit");
    }
    let seed = setting("SEGUE_SEED", 2);
    let mut world = World::new(None);
    world.service.by = UNMOVED.to_vec();
    world.service.start();
    world.service.wait_until_ready();
    let seen = world.send_while(seed, PACE, |world| {
        for _ in 0..ROUNDS {
            thread::sleep(Duration::from_millis(700));
            let length = longest(&world.service.data.join("log"));
            limit(&world.service, &format!("{}:unlimited", length + 6_000));
            is_full_for_a_while(&world.service);
            limit(&world.service, "unlimited");
            world.service.wait_until_ready();
        }
        thread::sleep(Duration::from_millis(300));
    });
    assert!(seen.refused > 20, "{}", seen.refused);
    let words = world.service.words();
    assert!(words.contains("calls are refused until it can"), "{words}");
    world.end(&seen);
}

#[test]
fn rules_of_a_watched_folder_wait_for_room() {
    if !can_limit() {
        return skipped("rules that cannot be written", "there is no prlimit");
    }
    let mut world = World::new(None);
    let service = &mut world.service;
    let project = service.project.clone();
    let change = |file: &str, from: &str, to: &str| {
        let path = project.join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from));
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    };
    change("segue.toml", "[service]\n", "[service]\nwatch = true\n");
    let more = |to: &str| change("rules.segue", "", &format!("segment {to} {{ did any event }}\n"));
    service.by = UNMOVED.to_vec();
    service.start();
    service.wait_until_ready();
    // So long that what the service says of itself fits into a file.
    let call =
        format!(r#"{{"userId":"ada","event":"Filler","properties":{{"text":"{}"}}}}"#, "x".repeat(20_000));
    assert_eq!(post(service.address, "POST", "/v1/track", &call).unwrap().0, 200);
    limit(service, &format!("{}:unlimited", longest(&service.data.join("log"))));
    more("first");
    let told = |service: &Service, words: &str| service.words().matches(words).count();
    let (refused, taken) = ("the rules stay as they are: nothing can be written", "other rules are in force");
    service.wait_for(|| told(service, refused) == 1);
    // It is tried again and again, and told once.
    thread::sleep(3 * FULL);
    assert_eq!((told(service, refused), told(service, taken)), (1, 0), "{}", service.words());
    limit(service, "unlimited");
    service.wait_for(|| told(service, taken) == 1);
    service.wait_until_ready();
    // And later changes are as ever.
    more("second");
    service.wait_for(|| told(service, taken) == 2);
    assert_eq!(told(service, refused), 1, "{}", service.words());
    service.end();
}

/// The signal that comes where a file may not get longer ends who does not ignore it.
const UNMOVED: [&str; 4] = ["sh", "-c", r#"trap "" XFSZ; exec "$@""#, "sh"];

fn can_limit() -> bool {
    Command::new("prlimit").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// From now on files may have so many bytes: what is beyond is not written, a part of the last entries is.
fn limit(service: &Service, bytes: &str) {
    let of = format!("--fsize={bytes}");
    let limited = Command::new("prlimit").args(["--pid", &service.id().to_string(), &of]).output().unwrap();
    assert!(limited.status.success(), "{}", String::from_utf8_lossy(&limited.stderr));
}

/// The length of the longest file of a folder.
fn longest(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).unwrap().filter_map(Result::ok);
    files.filter_map(|file| Some(file.metadata().ok()?.len())).max().unwrap()
}
