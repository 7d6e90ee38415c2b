//! The peers on Node.js: a script measures itself and hands back its answers and figures.

use crate::{
    measure::{COLUMNS, Row, check},
    peers::Fault,
};
use serde::Deserialize;
use std::{fs, path::Path, process::Command};

/// What the script prints.
#[derive(Deserialize)]
struct Measured {
    name: String,
    /// A digit for each event: the bits of its answers.
    answers: String,
    /// By column, in nanoseconds.
    figures: [f64; COLUMNS.len()],
}

/// Runs the script in a folder over lines.
///
/// # Errors
/// When Node.js or the script fails, or a peer answers otherwise than expected.
pub(crate) fn measure(
    folder: &Path,
    lines: &[String],
    expected: &[u8],
    rounds: usize,
) -> Result<Vec<Row>, Fault> {
    let path = std::env::temp_dir().join(format!("segue-peers-{}.ndjson", std::process::id()));
    fs::write(&path, lines.join("\n"))?;
    let output = Command::new("node")
        .arg(folder.join("measure.mjs"))
        .arg(&path)
        .arg(rounds.to_string())
        .output()
        .map_err(|error| format!("node: {error}"))?;
    fs::remove_file(&path)?;
    if !output.status.success() {
        return Err(format!("node: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let measured: Vec<Measured> = serde_json::from_slice(&output.stdout)?;
    let mut rows = Vec::new();
    for peer in measured {
        let answers: Vec<u8> = peer.answers.bytes().map(|digit| digit.wrapping_sub(b'0')).collect();
        check(&peer.name, &answers, expected)?;
        rows.push(Row { name: peer.name, figures: peer.figures.map(Some) });
    }
    Ok(rows)
}
