//! Charts as SVG files: lines and points over two axes, readable wherever an image is, without scripts.

use std::fmt::{self, Write};

/// A chart.
#[derive(Clone, Debug)]
pub struct Chart {
    /// What is shown.
    pub title: String,
    /// Where the figures are from; stands below the title.
    pub source: String,
    /// From left to right.
    pub x: Axis,
    /// From below upwards.
    pub y: Axis,
    /// What is drawn; each gets a line. At most as many as there are [`COLOURS`] can be told apart.
    pub series: Vec<Series>,
}

/// One direction of a chart.
#[derive(Clone, Debug)]
pub struct Axis {
    /// What is counted along it.
    pub label: String,
    /// How figures lie along it.
    pub scale: Scale,
}

/// How figures lie along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// In proportion, from 0.
    Linear,
    /// Each ten times the one before at the same distance.
    Logarithmic,
    /// One after the other, whatever they are.
    Places,
}

/// Figures that belong together.
#[derive(Clone, Debug)]
pub struct Series {
    /// What they are.
    pub name: String,
    /// Pairs along both axes, in order.
    pub points: Vec<(f64, f64)>,
}

impl Series {
    /// The points that can be drawn.
    fn finite(&self) -> impl Iterator<Item = (f64, f64)> {
        self.points.iter().copied().filter(|(x, y)| x.is_finite() && y.is_finite())
    }
}

/// Those of lines, which can be told apart by most who see colours differently.
pub const COLOURS: [&str; 4] = ["#1b5e9b", "#c8553d", "#2f7d4f", "#7a5195"];

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = WIDTH - 40.0;
const TOP: f64 = 96.0;
const BOTTOM: f64 = HEIGHT - 60.0;
/// How far the first and the last point stand off the sides, so that their figures have room.
const INSET: f64 = 36.0;

/// Figures along an axis, mapped to the span of the picture.
struct Mapped {
    scale: Scale,
    /// What the ends of the axis stand for: figures, exponents of ten, or positions.
    from: f64,
    to: f64,
    /// Where lines and labels are, in figures.
    ticks: Vec<f64>,
}

impl Chart {
    /// Draws it.
    #[must_use]
    pub fn svg(&self) -> String {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ = self.draw(&mut out);
        out
    }

    /// The figures as lines of text.
    #[must_use]
    pub fn table(&self) -> String {
        let mut out = String::new();
        for series in &self.series {
            for (x, y) in series.finite() {
                let (x, y) = (figure(x), figure(y));
                let _ = writeln!(out, "  {}, {x} {}: {y} {}", series.name, self.x.label, self.y.label);
            }
        }
        out
    }

    fn draw(&self, out: &mut String) -> fmt::Result {
        let figures = |pick: fn((f64, f64)) -> f64| {
            self.series.iter().flat_map(Series::finite).map(pick).collect::<Vec<f64>>()
        };
        let x = Mapped::new(self.x.scale, figures(|point| point.0));
        let y = Mapped::new(self.y.scale, figures(|point| point.1));
        writeln!(
            out,
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" font-family="system-ui, sans-serif" font-size="13" fill="#333333">"##
        )?;
        let (title, source) = (escaped(&self.title), escaped(&self.source));
        writeln!(out, "<title>{title}</title>\n<desc>{}</desc>", escaped(&self.table()))?;
        writeln!(out, r##"<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>"##)?;
        writeln!(out, r#"<text x="20" y="30" font-size="17" font-weight="600">{title}</text>"#)?;
        writeln!(out, r##"<text x="20" y="50" font-size="11" fill="#666666">{source}</text>"##)?;
        self.draw_axes(&x, &y, out)?;
        for (series, colour) in self.series.iter().zip(COLOURS.iter().cycle()) {
            let points = series.finite().map(|point| (x.x(point.0), y.y(point.1)));
            draw_line(&points.collect::<Vec<_>>(), colour, out)?;
        }
        if self.series.len() > 1 {
            self.draw_legend(out)?;
        } else {
            self.draw_figures(&x, &y, out)?;
        }
        writeln!(out, "</svg>")
    }

    fn draw_axes(&self, x: &Mapped, y: &Mapped, out: &mut String) -> fmt::Result {
        for tick in &y.ticks {
            let (at, label) = (y.y(*tick), figure(*tick));
            writeln!(
                out,
                r##"<line x1="{LEFT}" y1="{at:.1}" x2="{RIGHT}" y2="{at:.1}" stroke="#dddddd"/><text x="{:.1}" y="{:.1}" text-anchor="end">{label}</text>"##,
                LEFT - 8.0,
                at + 4.0
            )?;
        }
        for tick in &x.ticks {
            let (at, label) = (x.x(*tick), figure(*tick));
            writeln!(
                out,
                r##"<line x1="{at:.1}" y1="{BOTTOM}" x2="{at:.1}" y2="{:.1}" stroke="#666666"/><text x="{at:.1}" y="{:.1}" text-anchor="middle">{label}</text>"##,
                BOTTOM + 5.0,
                BOTTOM + 20.0
            )?;
        }
        writeln!(out, r##"<line x1="{LEFT}" y1="{BOTTOM}" x2="{RIGHT}" y2="{BOTTOM}" stroke="#666666"/>"##)?;
        let middle = LEFT.midpoint(RIGHT);
        let below = HEIGHT - 16.0;
        let label = escaped(&self.x.label);
        writeln!(out, r#"<text x="{middle}" y="{below}" text-anchor="middle">{label}</text>"#)?;
        let label = escaped(&self.y.label);
        writeln!(out, r#"<text x="20" y="{}">{label}</text>"#, TOP - 24.0)
    }

    /// The figure of each point, above it.
    fn draw_figures(&self, x: &Mapped, y: &Mapped, out: &mut String) -> fmt::Result {
        for (along, value) in self.series.iter().flat_map(Series::finite) {
            let (at, above, label) = (x.x(along), y.y(value) - 10.0, figure(value));
            writeln!(
                out,
                r#"<text x="{at:.1}" y="{above:.1}" text-anchor="middle" font-weight="600">{label}</text>"#
            )?;
        }
        Ok(())
    }

    fn draw_legend(&self, out: &mut String) -> fmt::Result {
        let mut at = LEFT.midpoint(RIGHT) - 100.0;
        let above = TOP - 24.0;
        for (series, colour) in self.series.iter().zip(COLOURS.iter().cycle()) {
            writeln!(
                out,
                r#"<circle cx="{at:.1}" cy="{:.1}" r="5" fill="{colour}"/><text x="{:.1}" y="{above}">{}</text>"#,
                above - 4.0,
                at + 10.0,
                escaped(&series.name)
            )?;
            // About as wide as the name is printed, and a gap.
            at += 44.0 + 7.5 * series.name.chars().count() as f64;
        }
        Ok(())
    }
}

fn draw_line(points: &[(f64, f64)], colour: &str, out: &mut String) -> fmt::Result {
    let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    writeln!(
        out,
        r#"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="2.5"/>"#,
        path.join(" ")
    )?;
    for (x, y) in points {
        writeln!(out, r#"<circle cx="{x:.1}" cy="{y:.1}" r="4" fill="{colour}"/>"#)?;
    }
    Ok(())
}

impl Mapped {
    fn new(scale: Scale, mut figures: Vec<f64>) -> Self {
        figures.sort_by(f64::total_cmp);
        figures.dedup();
        let (least, most) = (figures.first().copied().unwrap_or(1.0), figures.last().copied().unwrap_or(1.0));
        match scale {
            Scale::Linear => {
                let step = step(most);
                let count = (most / step).ceil().max(1.0);
                let ticks = (0..=count as u32).map(|number| f64::from(number) * step).collect();
                Self { scale, from: 0.0, to: count * step, ticks }
            }
            Scale::Logarithmic => {
                let from = least.max(1e-3).log10().floor();
                let to = most.max(1e-3).log10().ceil().max(from + 1.0);
                let ticks = (from as i32..=to as i32).map(|power| 10_f64.powi(power)).collect();
                Self { scale, from, to, ticks }
            }
            Scale::Places => {
                let last = figures.len().max(1) as f64;
                Self { scale, from: -0.5, to: last - 0.5, ticks: figures }
            }
        }
    }

    /// Where a figure lies between the ends, from 0 to 1.
    fn part(&self, value: f64) -> f64 {
        let value = match self.scale {
            Scale::Linear => value,
            Scale::Logarithmic => value.max(1e-3).log10(),
            Scale::Places => self.ticks.iter().position(|tick| *tick == value).unwrap_or(0) as f64,
        };
        (value - self.from) / (self.to - self.from)
    }

    fn x(&self, value: f64) -> f64 {
        LEFT + INSET + self.part(value) * (RIGHT - LEFT - 2.0 * INSET)
    }

    fn y(&self, value: f64) -> f64 {
        BOTTOM - self.part(value) * (BOTTOM - TOP)
    }
}

/// A round distance of lines, of which about five reach the largest figure.
fn step(most: f64) -> f64 {
    let rough = if most > 0.0 { most / 5.0 } else { 1.0 };
    let power = 10_f64.powf(rough.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|times| times * power).find(|it| *it >= rough).unwrap_or(rough)
}

/// A figure as it is printed: three digits, more where it has them before the point, thousands parted.
#[must_use]
pub fn figure(value: f64) -> String {
    let decimals = match value.abs() {
        0.0 => 0,
        less if less < 1.0 => 3,
        less if less < 10.0 => 2,
        less if less < 100.0 => 1,
        _ => 0,
    };
    let text = format!("{value:.decimals$}");
    let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
    let mut parted = String::new();
    for (digit, left) in whole.chars().zip((0..whole.len()).rev()) {
        parted.push(digit);
        if left > 0 && left % 3 == 0 && digit != '-' {
            parted.push(',');
        }
    }
    match rest.trim_end_matches('0') {
        "" => parted,
        rest => format!("{parted}.{rest}"),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
