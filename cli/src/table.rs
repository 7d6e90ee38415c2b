//! Records as a table for people.

use segue_compiler::{
    record::{Change, Json, Reason, Record},
    time::Zone,
    value::Value,
};
use segue_runtime::{channel::content, words::shown};
use std::io::{self, Write};
use terminal_size::{Width, terminal_size_of};

/// The narrowest table: below this, nothing of what happened would be left.
const LEAST_WIDTH: usize = 60;

/// Writes records as a table: lines as wide as the terminal, or everything where there is none.
pub(crate) fn write(out: &mut dyn Write, records: &[Record]) -> io::Result<()> {
    let width = terminal_size_of(io::stdout()).map(|(Width(width), _)| usize::from(width).max(LEAST_WIDTH));
    write_within(out, records, width)
}

fn write_within(out: &mut dyn Write, records: &[Record], width: Option<usize>) -> io::Result<()> {
    let longest = |text: &dyn Fn(&Record) -> usize| records.iter().map(text).max().unwrap_or(0);
    let customers = longest(&|record| record.customer().chars().count()).clamp(8, 24);
    let actors = longest(&|record| actor(record).chars().count()).clamp(4, 32);
    let cut = |text: &str, column: usize| shown(text, width.map_or(usize::MAX, |_| column));
    let zone = Zone::utc();
    writeln!(out, "{:<19}  {:<customers$}  {:<actors$}  what", "time (UTC)", "customer", "rule")?;
    for record in records {
        let at = segue_compiler::record::Instant(record.at()).to_string();
        let time = at.get(..19).unwrap_or(&at).replace('T', " ");
        let (customer, actor) = (cut(record.customer(), customers), cut(actor(record), actors));
        let line = format!("{time}  {customer:<customers$}  {actor:<actors$}  {}", what(record, &zone));
        // The sign of the cut takes a column too.
        writeln!(out, "{}", cut(line.trim_end(), width.map_or(usize::MAX, |width| width - 1)))?;
    }
    Ok(())
}

/// Who did it.
pub(crate) fn actor(record: &Record) -> &str {
    match record {
        Record::Send(it) => &it.rule,
        Record::Call(it) => &it.rule,
        Record::Suppressed(it) => &it.rule,
        Record::Set(it) => &it.rule,
        Record::Emit(it) => &it.rule,
        Record::Held(it) => &it.rule,
        Record::Segment(it) => &it.segment,
    }
}

/// What they did; times of day are those of a zone.
pub(crate) fn what(record: &Record, zone: &Zone) -> String {
    match record {
        Record::Send(it) => format!("{} to {}: {}", it.channel, it.to, content(&it.content, usize::MAX)),
        Record::Call(it) => format!("calls {}: {}", it.hook, content(&it.payload, usize::MAX)),
        Record::Suppressed(it) => {
            let detail = it.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
            match &it.channel {
                Some(channel) => format!("no {channel}: {}{detail}", it.reason.word()),
                None if it.reason == Reason::Stopped => "ended".to_owned(),
                None => format!("not started: {}", it.reason.word()),
            }
        }
        Record::Held(it) => {
            let until = it.until.map_or_else(String::new, |until| format!(" until {}", zone.print(until.0)));
            format!("{} held{until}: {}", it.channel, it.reason.word())
        }
        Record::Segment(it) => match it.change {
            Change::Enter => "entered".to_owned(),
            Change::Leave => "left".to_owned(),
        },
        Record::Set(it) => format!("sets {} to {}", it.field, value(&it.value)),
        Record::Emit(it) => format!("makes \"{}\": {}", it.event, content(&it.properties, usize::MAX)),
    }
}

fn value(value: &Json) -> String {
    match value {
        Json::Value(Value::Text(text)) => text.to_string(),
        other => serde_json::to_string(other).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use segue_compiler::record::{Instant, SegmentChange};

    #[test]
    fn lines_fit_the_terminal_or_are_whole() {
        let change = |customer: &str| {
            let (customer, segment) = (customer.into(), "loyal".into());
            Record::Segment(SegmentChange { at: Instant(0), customer, segment, change: Change::Enter })
        };
        let long = "c".repeat(200);
        let records = [change("ada"), change(&long)];
        let table = |width| {
            let mut out = Vec::new();
            write_within(&mut out, &records, width).unwrap();
            String::from_utf8(out).unwrap()
        };
        let (narrow, whole) = (table(Some(60)), table(None));
        assert!(narrow.lines().all(|line| line.chars().count() <= 60), "{narrow}");
        assert!(whole.contains(&long) && whole.contains("entered"), "{whole}");
    }
}
