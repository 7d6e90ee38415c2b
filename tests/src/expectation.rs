//! Diagnostic pages: a program that is wrong in one way, with what the checker says of it.
//!
//! A line that is reported ends with `#~ error[CODE]` or `#~ warning[CODE]`; where such an ending would change what the
//! line means, the following line says `#~^ error[CODE]`. `#! repeat N TEXT` stands for a line with the text so many times
//! (`\n` in it is a new line), where a mistake takes more room than a page has; `#! among others` says that the page's own
//! code is reported, besides what the repeated lines give.

use segue_compiler::{
    diagnostics::Severity,
    project::{Project, Source, compile},
};
use std::{collections::BTreeSet, fs, path::Path};

/// Checks a page: exactly what is expected must be reported, its own code among it.
///
/// # Panics
/// When it is not.
pub fn check(path: &Path) {
    let page = fs::read_to_string(path).unwrap();
    let code = path.file_stem().and_then(|stem| stem.to_str()).unwrap();
    assert!(
        page.starts_with(&format!("# {code}: ")),
        "{}: the first line is `# {code}: what it means`",
        path.display()
    );
    let expected = expectations(&page);
    let own = format!("[{code}]");
    let among_others = page.contains("#! among others");
    assert!(
        among_others || expected.iter().any(|(_, it)| it.ends_with(&own)),
        "{}: expects no `{code}`",
        path.display()
    );
    let text = written_out(&page);
    let project =
        Project { sources: vec![Source { name: code.to_owned(), text: text.clone() }], ..Project::default() };
    let found: BTreeSet<(usize, String)> = compile(&project)
        .diagnostics
        .iter()
        .map(|it| {
            let line = text.get(..it.span.start as usize).unwrap_or(&text).matches('\n').count() + 1;
            let severity = match it.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            (line, format!("{severity}[{}]", it.code))
        })
        .collect();
    if among_others {
        assert!(found.iter().any(|(_, it)| it.ends_with(&own)), "{}: found {found:?}", path.display());
        return;
    }
    assert_eq!(found, expected, "{}: found, then expected", path.display());
}

/// Lines, from 1, and what is expected there.
fn expectations(page: &str) -> BTreeSet<(usize, String)> {
    let mut expected = BTreeSet::new();
    for (line, number) in page.lines().zip(1_usize..) {
        let Some((_, words)) = line.split_once("#~") else { continue };
        let above = words.chars().take_while(|it| *it == '^').count();
        expected.insert((number - above, words.get(above..).unwrap().trim().to_owned()));
    }
    expected
}

/// The page with repeats written out.
fn written_out(page: &str) -> String {
    let line = |line: &str| match line.strip_prefix("#! repeat ").and_then(|rest| rest.split_once(' ')) {
        Some((count, text)) => text.replace("\\n", "\n").repeat(count.parse().unwrap()) + "\n",
        None => format!("{line}\n"),
    };
    page.lines().map(line).collect()
}
