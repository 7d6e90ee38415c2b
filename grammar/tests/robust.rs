//! Whatever is read, the parser answers, soon and without a panic. (Time is not measured: these inputs would take
//! minutes or end the stack if they were read the wrong way.)

use segue_grammar::ast::File;
use segue_grammar::{Diagnostic, SourceId, codes, limits, parse};

const TOUR: &str = include_str!("tour.segue");

/// The length of the inputs that repeat something: so long that what is not linear would be felt.
const LONG: usize = 1 << 16;

fn read(text: &str) -> (File, Vec<Diagnostic>) {
    let (file, diagnostics) = parse(SourceId(0), text);
    assert!(diagnostics.len() <= limits::MAX_DIAGNOSTICS + 1);
    for diagnostic in &diagnostics {
        assert!(codes::CODES.contains(&diagnostic.code), "{}", diagnostic.code);
        let spans = std::iter::once(diagnostic.span).chain(diagnostic.related.iter().map(|(span, _)| *span));
        for span in spans {
            let (start, end) = (span.start as usize, span.end as usize);
            assert!(text.get(start..end).is_some(), "{span:?} in {text:?}: {diagnostic:?}");
        }
        assert!(
            !diagnostic.message.ends_with('.') && !diagnostic.message.contains("k_"),
            "{}",
            diagnostic.message
        );
    }
    let ordered = diagnostics.windows(2).all(|pair| pair[0].span.start <= pair[1].span.start);
    assert!(ordered);
    (file, diagnostics)
}

fn refused(text: &str) -> Vec<Diagnostic> {
    let (_, diagnostics) = read(text);
    assert!(!diagnostics.is_empty());
    diagnostics
}

#[test]
fn long_sources() {
    let long = "x".repeat(10 << 20);
    assert_eq!(refused(&long)[0].code, "too-long");
    for unit in [
        "\"",
        "'",
        "“",
        "„",
        "\"\"\"",
        "\"\"\"\\",
        "\n\\\"\"\"",
        "\"{{\" ",
        "\"{{ \"x",
        "{",
        "}",
        "(",
        ")",
        "[",
        "==",
        "\\",
        "a-",
        "1-",
        "30d ",
        "not ",
        "then ",
        "where ",
        "\u{0}",
        "é",
        "#\n",
        "//\n",
        "/*",
        "rule x {\n",
        "rule x { when \"A\" }\n",
        "x\n",
        "let x = 1\n",
        "WHEN ",
        "WHEN \"A\" ",
        "2026-1-1T",
        "1:00",
        "segmnt x {}\n",
        "\"}",
        "'}",
        "! ",
        "; ",
        "at least 3 ",
    ] {
        read(&unit.repeat(LONG / unit.len()));
        let inside = format!("rule x {{\n when {}", unit.repeat(LONG / 4 / unit.len()));
        read(&inside);
    }
    for body in [
        "send sms \"x\"\n",
        "wait 1 day\n",
        "limit once ",
        "limitt once\n",
        "stop, ",
        "if a {\n",
        "stop when\n",
    ] {
        read(&format!("rule x {{\n{}\n}}", body.repeat(LONG / body.len())));
        read(&format!("rule x {{\nif a {{\n{}\n}}\nlimt }}", body.repeat(LONG / 4 / body.len())));
    }
    read(&format!("let x = {}1", "1 + ".repeat(LONG / 4)));
    read(&format!("segment x {{ {} a }}", "a and ".repeat(LONG / 8)));
    read(&format!("segment x {{ did \"A\" {} }}", "then \"B\" within 1 day ".repeat(LONG / 32)));
    read(&format!("rule x {{ {} {{ }} }}", "if a { } otherwise ".repeat(LONG / 32)));
}

#[test]
fn deep_sources() {
    for unit in [
        "(",
        "[",
        "{",
        "not ",
        "did \"A\" where (",
        "a in [",
        "lower(",
        "at least 2 of (",
        "if a {",
        "wait up to 1 day for \"A\" {",
        "split { a 50% {",
        "then ",
        "list of ",
        "x: {",
        "did \"A\" where did \"A\" where ",
        "sum of ",
        "sum of sum of 1 + ",
        "- ",
        "between 1 and ",
        "x between (",
        "not (",
        "(not not ",
        "count of \"A\" where (count of ",
        "(a and (b or ",
        "[[(",
        "did each ",
    ] {
        for times in [10, 40, 2_000] {
            for head in [
                "segment x { ",
                "let x = ",
                "rule x { when ",
                "rule x { ",
                "event \"X\" { x: ",
                "test \"t\" { customer a { x: ",
                "",
            ] {
                read(&format!("{head}{}", unit.repeat(times)));
                read(&format!("{head}{}{}", unit.repeat(times), ")]}".repeat(times)));
            }
        }
    }
    let fits = |depth: usize| format!("segment x {{ {}a{} }}", "(".repeat(depth), ")".repeat(depth));
    assert!(read(&fits(limits::MAX_DEPTH - 1)).1.is_empty());
    assert_eq!(refused(&fits(limits::MAX_DEPTH))[0].code, "too-deep");
    let nots = |depth: usize| format!("segment x {{ {}a }}", "not ".repeat(depth));
    assert!(read(&nots(limits::MAX_DEPTH - 1)).1.is_empty());
    assert_eq!(refused(&nots(limits::MAX_DEPTH))[0].code, "too-deep");
}

/// A small generator of numbers, so that each run is the same.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }
}

#[test]
fn mutations_of_the_tour() {
    let mut numbers = Numbers(42);
    let scraps = [
        "{", "}", "(", ")", "\"", "'", "\"\"\"", "\n", "==", "!", "not", "where", "then no", "“", "ø",
        "\u{0}", "30d", "2026-1-1", "rule", "#", "//", ";", ",", "-", "{{", "}}", "WHEN", "\\", "\r",
        "max of", "%", "a-b", "8:00",
    ];
    for _ in 0..2000 {
        let mut text = TOUR.to_owned();
        for _ in 0..=numbers.below(4) {
            let mut at = numbers.below(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            let mut end = (at + numbers.below(12)).min(text.len());
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            match numbers.below(3) {
                0 => text.replace_range(at..end.max(at), ""),
                1 => text.insert_str(at, scraps[numbers.below(scraps.len())]),
                _ => text.truncate(at.max(1)),
            }
            if text.is_empty() {
                text.push('x');
            }
        }
        read(&text);
    }
}

#[test]
fn random_text() {
    let mut numbers = Numbers(7);
    for _ in 0..500 {
        let bytes: Vec<u8> = (0..numbers.below(2000)).map(|_| numbers.below(256) as u8).collect();
        read(&String::from_utf8_lossy(&bytes));
        let words: Vec<&str> = TOUR.split(' ').collect();
        let shuffled: Vec<&str> =
            (0..numbers.below(300)).map(|_| words[numbers.below(words.len())]).collect();
        read(&shuffled.join(" "));
    }
}

#[test]
fn every_beginning_of_the_tour() {
    for at in (0..TOUR.len()).filter(|at| TOUR.is_char_boundary(*at)).step_by(3) {
        read(&TOUR[..at]);
    }
}
