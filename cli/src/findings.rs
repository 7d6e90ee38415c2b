//! Diagnostics for people and for tools.

use crate::output::tell;
use clap::ValueEnum;
use miette::{GraphicalReportHandler, GraphicalTheme};
use segue_compiler::{
    diagnostics::{Diagnostic, Severity},
    project::{Project, report},
};
use std::io::{IsTerminal, stderr};

/// How diagnostics are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// With the rules' text, the place underlined
    #[default]
    Human,
    /// A line each: file, line, column, code, message
    Short,
}

/// How reports are drawn: in colour on a terminal, unless `NO_COLOR` is set.
pub(crate) fn handler() -> GraphicalReportHandler {
    let colour = stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    GraphicalReportHandler::new_themed(theme).with_width(100)
}

/// Shows diagnostics.
pub(crate) fn show(diagnostics: &[Diagnostic], project: &Project, format: Format) {
    let handler = handler();
    for diagnostic in diagnostics {
        match format {
            Format::Short => tell(&short(diagnostic, project)),
            Format::Human => {
                let mut text = String::new();
                match handler.render_report(&mut text, &report(diagnostic, project)) {
                    Ok(()) => tell(text.trim_end_matches('\n')),
                    Err(_) => tell(&short(diagnostic, project)),
                }
            }
        }
    }
}

/// `8 errors, 1 warning`.
pub(crate) fn count(diagnostics: &[Diagnostic]) -> String {
    let of = |severity| diagnostics.iter().filter(|it| it.severity == severity).count();
    let words = |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    match (of(Severity::Error), of(Severity::Warning)) {
        (errors, 0) => words(errors, "error"),
        (0, warnings) => words(warnings, "warning"),
        (errors, warnings) => format!("{}, {}", words(errors, "error"), words(warnings, "warning")),
    }
}

fn short(diagnostic: &Diagnostic, project: &Project) -> String {
    let source = project.sources.get(diagnostic.span.source.0 as usize);
    let (name, text) = source.map_or(("", ""), |source| (&source.name, &source.text));
    let (line, column) = place(text, diagnostic.span.start as usize);
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let help = diagnostic.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
    format!("{name}:{line}:{column}: {severity}[{}]: {}{help}", diagnostic.code, diagnostic.message)
}

/// Line and column of a byte, both from 1; columns count characters.
pub(crate) fn place(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}
