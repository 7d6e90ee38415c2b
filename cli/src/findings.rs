//! Diagnostics for people and for tools.

use crate::output::tell;
use clap::ValueEnum;
use miette::{GraphicalReportHandler, GraphicalTheme};
use segue_compiler::{
    diagnostics::{Diagnostic, Severity},
    findings::{Finding, findings},
    project::Project,
    report::{Report, report, visible},
};
use segue_grammar::codes::TOO_MANY;
use segue_runtime::{config::ConfigError, words::counted};
use std::io::{IsTerminal, stderr};

/// How many findings are shown: nobody reads more, and most of them follow from the first.
const MAX_SHOWN: usize = 100;
/// How much of a message is shown on a line.
const MAX_MESSAGE: usize = 600;

/// How diagnostics are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// With the rules' text, the place underlined
    #[default]
    Human,
    /// A line each: file, line, column, code, message
    Short,
}

/// Shows findings, as many as are read, and counts all of them.
pub(crate) struct Findings {
    format: Format,
    handler: GraphicalReportHandler,
    shown: usize,
    errors: usize,
    warnings: usize,
    /// Whether there are more that were not even looked for.
    more: bool,
}

impl Findings {
    /// Nothing found yet. Reports are drawn in colour on a terminal, unless `NO_COLOR` is set.
    pub(crate) fn new(format: Format) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let colour = stderr().is_terminal() && !plain;
        let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme).with_width(100);
        Self { format, handler, shown: 0, errors: 0, warnings: 0, more: false }
    }

    /// Shows findings in rule files.
    pub(crate) fn rules(&mut self, diagnostics: &[Diagnostic], project: &Project) {
        let (many, told): (Vec<_>, Vec<_>) = diagnostics.iter().partition(|it| it.code == TOO_MANY);
        self.more |= !many.is_empty();
        let (errors, warnings): (Vec<&Diagnostic>, Vec<_>) =
            told.iter().partition(|it| it.severity == Severity::Error);
        // Where not all can be shown, what keeps the rules from running goes first.
        let order =
            if told.len() > MAX_SHOWN { errors.iter().chain(&warnings).copied().collect() } else { told };
        self.errors += errors.len();
        self.warnings += warnings.len();
        for diagnostic in order.into_iter().take(MAX_SHOWN.saturating_sub(self.shown)) {
            self.shown += 1;
            match self.format {
                Format::Short => findings([diagnostic], project).iter().for_each(|it| tell(&short(it))),
                Format::Human => self.draw(&report(diagnostic, project)),
            }
        }
    }

    /// Shows findings in a `segue.toml`.
    pub(crate) fn config(&mut self, errors: &[ConfigError]) {
        self.errors += errors.len();
        for error in errors.iter().take(MAX_SHOWN.saturating_sub(self.shown)) {
            self.shown += 1;
            if self.format == Format::Human {
                self.draw(&error.report());
                continue;
            }
            tell(&short(&error.finding()));
        }
    }

    /// Draws one report that is no finding of the checker.
    pub(crate) fn draw_alone(report: &Report) {
        Self::new(Format::Human).draw(report);
    }

    fn draw(&self, report: &Report) {
        let mut text = String::new();
        for report in std::iter::once(report).chain(&report.elsewhere) {
            // A writer of text does not fail, and what is drawn lies within its text.
            let _ = self.handler.render_report(&mut text, report);
        }
        tell(text.trim_end_matches('\n'));
    }

    /// Whether nothing was found.
    pub(crate) fn none(&self) -> bool {
        self.errors + self.warnings == 0
    }

    /// Whether there are errors.
    pub(crate) fn errors(&self) -> bool {
        self.errors > 0
    }

    /// Whether there are warnings.
    pub(crate) fn warnings(&self) -> bool {
        self.warnings > 0
    }

    /// Says how many findings were not shown.
    pub(crate) fn tell_hidden(&self) {
        let hidden = (self.errors + self.warnings).saturating_sub(self.shown);
        match (hidden, self.more) {
            (0, false) => {}
            (0, true) => tell("and more"),
            (_, false) => tell(&format!("and {hidden} more")),
            (_, true) => tell(&format!("and at least {hidden} more")),
        }
    }

    /// `8 errors, 1 warning`.
    pub(crate) fn count(&self) -> String {
        let mut parts = Vec::new();
        if self.errors > 0 {
            parts.push(counted(self.errors as u64, "error"));
        }
        if self.warnings > 0 {
            parts.push(counted(self.warnings as u64, "warning"));
        }
        format!("{}{}", if self.more { "at least " } else { "" }, parts.join(", "))
    }
}

/// A finding on one line, without what acts on a terminal.
fn short(finding: &Finding) -> String {
    let mut finding = finding.clone();
    for words in [&mut finding.message, &mut finding.file].into_iter().chain(&mut finding.help) {
        *words = visible(words, MAX_MESSAGE);
    }
    finding.to_string()
}
