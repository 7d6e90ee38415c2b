//! Charts that the bench draws: well-formed, labelled, and with each point where its figures are.

#![expect(clippy::expect_used, reason = "a test that cannot go on says so by panicking")]

use segue_bench::chart::{Axis, Chart, Scale, Series};

fn axis(label: &str, scale: Scale) -> Axis {
    Axis { label: label.to_owned(), scale }
}

fn chart(x: Scale, y: Scale, series: &[(&str, &[(f64, f64)])]) -> Chart {
    let series = series.iter();
    Chart {
        title: "Rules & \"costs\" <of them>".to_owned(),
        source: "a test".to_owned(),
        x: axis("rules", x),
        y: axis("ns an event", y),
        series: series
            .map(|(name, points)| Series { name: (*name).to_owned(), points: points.to_vec() })
            .collect(),
    }
}

/// Tags by name with their attributes, after a check that each is closed and text has no bare marks.
fn tags(svg: &str) -> Vec<(String, String)> {
    let (mut open, mut found) = (Vec::new(), Vec::new());
    let mut rest = svg;
    while let Some(start) = rest.find('<') {
        assert!(!rest[..start].contains('>'), "bare mark in {}", &rest[..start]);
        let end = start + rest[start..].find('>').expect("every tag ends");
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name.to_owned()), "closed in order");
            continue;
        }
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        assert_eq!(attributes.matches('"').count() % 2, 0, "{tag}");
        if !tag.ends_with('/') {
            open.push(name.to_owned());
        }
        found.push((name.to_owned(), attributes.to_owned()));
    }
    assert!(open.is_empty(), "left open: {open:?}");
    found
}

fn attribute(attributes: &str, name: &str) -> f64 {
    let (_, rest) = attributes.split_once(&format!("{name}=\"")).expect(name);
    rest.split('"').next().and_then(|it| it.parse().ok()).expect("a number")
}

/// The points that are drawn.
fn points(svg: &str) -> Vec<(f64, f64)> {
    let circles =
        tags(svg).into_iter().filter(|(name, attributes)| name == "circle" && attributes.contains("r=\"4\""));
    circles.map(|(_, attributes)| (attribute(&attributes, "cx"), attribute(&attributes, "cy"))).collect()
}

fn near(a: f64, b: f64) {
    assert!((a - b).abs() < 0.3, "{a} is not {b}");
}

#[test]
fn tens_are_evenly_spaced_and_costs_in_proportion() {
    let figures: &[(f64, f64)] = &[(10.0, 400.0), (100.0, 800.0), (1_000.0, 400.0), (10_000.0, 1_600.0)];
    let svg = chart(Scale::Logarithmic, Scale::Linear, &[("time", figures)]).svg();
    let found = points(&svg);
    let [a, b, c, d] = found[..] else { panic!("{found:?}") };
    near(b.0 - a.0, c.0 - b.0);
    near(b.0 - a.0, d.0 - c.0);
    near(a.1, c.1);
    // From 400 to 800 as far as from 0 to 400, and half of the way from 800 to 1,600.
    near((a.1 - b.1) * 2.0, b.1 - d.1);
    let ground =
        tags(&svg).iter().filter(|it| it.0 == "line").map(|it| attribute(&it.1, "y1")).fold(0.0, f64::max);
    near(ground - a.1, a.1 - b.1);
}

#[test]
fn every_figure_and_label_can_be_read() {
    let figures: &[(f64, f64)] = &[(1_000.0, 812.4), (1_000_000.0, 1_234.6)];
    let svg = chart(Scale::Logarithmic, Scale::Linear, &[("time", figures)]).svg();
    for text in [
        ">Rules &amp; &quot;costs&quot; &lt;of them&gt;</text>",
        ">a test</text>",
        ">rules</text>",
        ">ns an event</text>",
        ">10,000</text>",
        ">1,000,000</text>",
        ">812</text>",
        ">1,235</text>",
        "time, 1,000,000 rules: 1,235 ns an event",
        r##"fill="#ffffff""##,
    ] {
        assert!(svg.contains(text), "{text} is missing in\n{svg}");
    }
    assert!(!svg.contains("<script"), "no scripts");
}

#[test]
fn several_lines_have_names_and_colours() {
    let figures: &[(f64, f64)] = &[(1.0, 0.25), (2.0, 3.5)];
    let svg = chart(Scale::Places, Scale::Logarithmic, &[("count", figures), ("sum", figures)]).svg();
    assert_eq!(points(&svg).len(), 4);
    for name in [">count</text>", ">sum</text>", ">0.1</text>", ">1</text>", ">10</text>"] {
        assert!(svg.contains(name), "{name} is missing in\n{svg}");
    }
    let colours: Vec<&str> =
        svg.lines().filter_map(|line| line.split_once("stroke=\"")).map(|it| &it.1[..7]).collect();
    let lines: Vec<&&str> =
        colours.iter().filter(|colour| segue_bench::chart::COLOURS.contains(colour)).collect();
    assert!(lines.len() == 2 && lines[0] != lines[1], "{colours:?}");
}

#[test]
fn few_and_odd_figures_are_drawn_as_well() {
    for scale in [Scale::Linear, Scale::Logarithmic, Scale::Places] {
        for figures in [&[][..], &[(0.0, 0.0)], &[(7.0, 7.0)], &[(1.0, f64::NAN), (2.0, 1e9)]] {
            let svg = chart(scale, Scale::Linear, &[("time", figures)]).svg();
            let drawn = figures.iter().filter(|it| it.1.is_finite()).count();
            assert_eq!(points(&svg).len(), drawn, "{scale:?}: {svg}");
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{scale:?}: {svg}");
        }
    }
}
