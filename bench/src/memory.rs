//! How much memory this process takes, as Linux tells it.

use std::fs;

/// Memory of this process in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// What is resident now.
    pub now: u64,
    /// The most that ever was.
    pub peak: u64,
}

impl Memory {
    /// What is taken now; none where the system does not tell, as only Linux does here.
    #[must_use]
    pub fn taken() -> Option<Self> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        Some(Self { now: bytes(&status, "VmRSS:")?, peak: bytes(&status, "VmHWM:")? })
    }
}

/// A figure of the status, which is in KiB.
fn bytes(status: &str, name: &str) -> Option<u64> {
    let figure = status.lines().find_map(|line| line.strip_prefix(name))?;
    Some(figure.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

/// Bytes as MiB.
#[must_use]
pub fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
