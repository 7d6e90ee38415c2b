//! `segue build`: rules as a program of their own, or as an object file for programs of others.

use crate::{
    Ending,
    bundle::Bundle,
    commands::test::failing,
    output::{Problem, tell},
    project::{Opened, guard, open_clean},
};
use clap::ValueEnum;
use segue_compiler::{object::object, project::used_from, settings::ConsentPolicy, typed::Program};
use segue_runtime::words::{counted, reason};
use std::{
    fs,
    path::{Path, PathBuf},
};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A folder of rules, or one rule file
    path: PathBuf,
    /// What is written
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// What it is
    #[arg(long, value_enum, default_value_t)]
    emit: Emit,
    /// Build although nobody knows whether the tests of the rules pass
    #[arg(long)]
    no_tests: bool,
    /// Only errors
    #[arg(long, short)]
    quiet: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Emit {
    /// A program with the rules inside
    #[default]
    Program,
    /// An object file with the conditions that one event decides, and a C header beside it
    Object,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Problem> {
    let (opened, program) = open_clean(&arguments.path)?;
    guard("--output", &arguments.output, &opened.files())?;
    if !arguments.no_tests {
        let (tests, failed) = failing(&opened, &program)?;
        if failed > 0 {
            tell(&format!(
                "error: {} of {} failed, so nothing was built; `--no-tests` builds all the same",
                failed,
                counted(tests as u64, "test")
            ));
            return Ok(Ending::Refused);
        }
    }
    match arguments.emit {
        Emit::Program => build(&opened, arguments),
        Emit::Object => emit_object(&opened, &program, arguments),
    }
}

fn build(opened: &Opened, arguments: &Arguments) -> Result<Ending, Problem> {
    if opened.config.settings.consent == ConsentPolicy::Assumed {
        let how = if opened.config.assumed {
            "there is no `segue.toml`, so consent would be assumed; add one, with `[consent]` and `policy = \"required\"`"
        } else {
            "`segue.toml` assumes consent, as only replays may; write `policy = \"required\"`"
        };
        tell(&format!("error: a program with rules inside sends to those who agreed: {how}"));
        return Ok(Ending::Refused);
    }
    let bundle = bundle(opened, &arguments.output)?;
    let length = bundle.write(&arguments.output)?;
    if !arguments.quiet {
        tell(&format!(
            "{}: {} inside, {} MB",
            arguments.output.display(),
            counted(bundle.sources.len() as u64, "rule file"),
            length / 1_000_000
        ));
    }
    Ok(Ending::Clean)
}

/// The project's files, named from its folder on.
fn bundle(opened: &Opened, output: &Path) -> Result<Bundle, Problem> {
    let path = opened.root.join("segue.toml");
    let config = fs::read_to_string(&path)
        .map_err(|error| Problem::words(format!("cannot read `{}`: {}", path.display(), reason(&error))))?;
    let root = used_from("", &opened.root.display().to_string());
    let named = |name: &str| {
        let inner = Path::new(name).strip_prefix(&root).unwrap_or(Path::new(name));
        inner.display().to_string()
    };
    let sources = opened.project.sources.iter().map(|source| (named(&source.name), source.text.clone()));
    Ok(Bundle {
        name: output.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        config,
        sources: sources.collect(),
        files: opened.project.files.clone(),
    })
}

fn emit_object(opened: &Opened, program: &Program, arguments: &Arguments) -> Result<Ending, Problem> {
    let output = &arguments.output;
    let header = output.with_extension("h");
    if header == *output {
        return Err(Problem::words("the header takes that name; name the object file, such as `rules.o`"));
    }
    guard("--output", &header, &opened.files())?;
    let stem = output.file_stem().unwrap_or_default().to_string_lossy();
    let made = match object(program, &stem) {
        Ok(made) => made,
        Err(error) => {
            tell(&format!("error: {error}"));
            return Ok(Ending::Refused);
        }
    };
    for (path, bytes) in [(output, made.bytes.as_slice()), (&header, made.header.as_bytes())] {
        fs::write(path, bytes).map_err(|error| {
            Problem::words(format!("cannot write `{}`: {}", path.display(), reason(&error)))
        })?;
    }
    if !arguments.quiet {
        for (rule, why) in &made.left_out {
            tell(&format!("note: `{rule}` is not in it: {why}"));
        }
        tell(&format!(
            "{} and {}: the conditions of {}",
            output.display(),
            header.display(),
            counted(made.rules.len() as u64, "rule")
        ));
    }
    Ok(Ending::Clean)
}
