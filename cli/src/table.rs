//! Records as a table for people.

use segue_compiler::record::{Change, Json, Record};
use segue_compiler::value::Value;
use segue_runtime::{channel::content, words::shown};
use std::io::{self, Write};

/// How wide a line gets before its end is cut: a terminal of usual width.
const WIDTH: usize = 140;

/// Writes records as a table.
pub(crate) fn write(out: &mut dyn Write, records: &[&Record]) -> io::Result<()> {
    let longest =
        |text: &dyn Fn(&Record) -> usize| records.iter().map(|record| text(record)).max().unwrap_or(0);
    let customers = longest(&|record| record.customer().chars().count()).clamp(8, 24);
    let actors = longest(&|record| actor(record).chars().count()).clamp(4, 32);
    let heading = format!("{:<19}  {:<customers$}  {:<actors$}  what", "time (UTC)", "customer", "rule");
    writeln!(out, "{heading}")?;
    for record in records {
        let at = segue_compiler::record::Instant(record.at()).to_string();
        let time = at.get(..19).unwrap_or(&at).replace('T', " ");
        let (customer, actor) = (shown(record.customer(), customers), shown(actor(record), actors));
        let line = format!("{time}  {customer:<customers$}  {actor:<actors$}  {}", what(record));
        writeln!(out, "{}", shown(line.trim_end(), WIDTH))?;
    }
    Ok(())
}

/// Who did it.
fn actor(record: &Record) -> &str {
    match record {
        Record::Send(it) => &it.rule,
        Record::Call(it) => &it.rule,
        Record::Suppressed(it) => &it.rule,
        Record::Set(it) => &it.rule,
        Record::Emit(it) => &it.rule,
        Record::Segment(it) => &it.segment,
    }
}

fn what(record: &Record) -> String {
    match record {
        Record::Send(it) => format!("{} to {}: {}", it.channel, it.to, content(&it.content)),
        Record::Call(it) => format!("calls {}: {}", it.hook, content(&it.payload)),
        Record::Suppressed(it) => match &it.channel {
            Some(channel) => format!("no {channel}: {}", it.reason.word()),
            None => format!("not started: {}", it.reason.word()),
        },
        Record::Segment(it) => match it.change {
            Change::Enter => "entered".to_owned(),
            Change::Leave => "left".to_owned(),
        },
        Record::Set(it) => format!("sets {} to {}", it.field, value(&it.value)),
        Record::Emit(it) => format!("makes \"{}\": {}", it.event, content(&it.properties)),
    }
}

fn value(value: &Json) -> String {
    match value {
        Json::Value(Value::Text(text)) => text.to_string(),
        other => serde_json::to_string(other).unwrap_or_default(),
    }
}
