//! Results of tests in the form that JUnit made common.

use std::{collections::BTreeMap, fmt::Write};

/// A test that was run.
pub(crate) struct Case {
    /// The rule file.
    pub(crate) file: String,
    /// The line on which it begins.
    pub(crate) line: usize,
    /// Its title.
    pub(crate) title: String,
    /// What was expected, and what happened instead.
    pub(crate) failure: Option<(String, String)>,
}

/// The report: a suite for each rule file, in order of name. It holds no times, so that equal results are equal bytes.
pub(crate) fn junit(cases: &[Case]) -> String {
    let mut suites: BTreeMap<&str, Vec<&Case>> = BTreeMap::new();
    for case in cases {
        suites.entry(&case.file).or_default().push(case);
    }
    let counts = |cases: &[&Case]| {
        let failed = cases.iter().filter(|case| case.failure.is_some()).count();
        format!("tests=\"{}\" failures=\"{failed}\" errors=\"0\" skipped=\"0\"", cases.len())
    };
    let all: Vec<&Case> = cases.iter().collect();
    // Writing to a text does not fail.
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(out, "<testsuites name=\"segue test\" {}>", counts(&all));
    for (file, cases) in suites {
        let file = escaped(file);
        let _ = writeln!(out, "  <testsuite name=\"{file}\" {}>", counts(&cases));
        for case in cases {
            let title = escaped(&case.title);
            let open = format!(
                "    <testcase classname=\"{file}\" name=\"{title}\" file=\"{file}\" line=\"{}\"",
                case.line
            );
            match &case.failure {
                None => {
                    let _ = writeln!(out, "{open}/>");
                }
                Some((message, details)) => {
                    let (message, details) = (escaped(message), escaped(details));
                    let _ = writeln!(
                        out,
                        "{open}>\n      <failure message=\"{message}\">{details}</failure>\n    </testcase>"
                    );
                }
            }
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

/// A text within XML: the five signs written as names, line ends kept, and what XML cannot hold replaced.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            '\r' => out.push_str("&#13;"),
            '\0'..='\x1F' | '\u{FFFE}' | '\u{FFFF}' => out.push('�'),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_within_their_places() {
        let failure = Some(("a < b & \"c\"\u{1}".to_owned(), "line 1\nline '2'".to_owned()));
        let case = Case { file: "a&b.segue".to_owned(), line: 7, title: "<one>".to_owned(), failure };
        let text = junit(&[case]);
        assert!(text.contains("<testsuite name=\"a&amp;b.segue\" tests=\"1\" failures=\"1\""), "{text}");
        assert!(text.contains("name=\"&lt;one&gt;\" file=\"a&amp;b.segue\" line=\"7\">"), "{text}");
        assert!(
            text.contains("message=\"a &lt; b &amp; &quot;c&quot;�\">line 1&#10;line &apos;2&apos;<"),
            "{text}"
        );
    }
}
