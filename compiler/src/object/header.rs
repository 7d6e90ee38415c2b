//! The C header of an object file.

use super::{Event, Exports, Field};
use crate::plan::Class;
use std::fmt::Write;

/// The header. Its comments are what a programmer needs to know.
pub(super) fn header(exports: &Exports) -> String {
    let prefix = &exports.prefix;
    let guard = format!("{}_H", prefix.to_ascii_uppercase());
    let mut text = format!(
        "/* Conditions of rules as machine code; made by `segue build --emit object`.\n\
         \x20*\n\
         \x20* Fill an event and ask:\n\
         \x20*\n\
         \x20*     {prefix}_event event;\n\
         \x20*     {prefix}_begin(&event, {event});\n\
         \x20*     … {prefix}_set_…(&event, FIELD, …) …\n\
         \x20*     if ({rule}(&event)) …\n\
         \x20*\n\
         \x20* A field that was not set is missing: a comparison with it does not hold. Events may be filled and asked on\n\
         \x20* many threads; nothing is allocated and nothing kept.\n\
         \x20*/\n\
         #ifndef {guard}\n#define {guard}\n\n#include <stddef.h>\n#include <stdint.h>\n\n\
         #ifdef __cplusplus\nextern \"C\" {{\n#endif\n\n\
         /* A field: tag 0 is missing, 1 known; of texts, what {prefix}_text gives. */\n\
         typedef struct {{\n  int64_t tag;\n  int64_t word;\n}} {prefix}_value;\n\n\
         /* An event. */\n\
         typedef struct {{\n  int64_t kind;\n  {prefix}_value fields[{slots}];\n}} {prefix}_event;\n\n",
        event = exports.events.first().map_or("KIND", |event| &event.constant),
        rule = exports.rules.first().map_or("RULE", |rule| &rule.function),
        slots = exports.slots,
    );
    text.push_str("/* Events. */\nenum {\n");
    for Event { constant, id, name, .. } in &exports.events {
        let _ = writeln!(text, "  {constant} = {}, /* {} */", id.0, comment(name));
    }
    text.push_str("};\n\n");
    let fields = || exports.events.iter().flat_map(|event| &event.fields);
    if fields().next().is_some() {
        text.push_str("/* Fields, by event. */\nenum {\n");
        for Field { constant, slot, class, path } in fields() {
            let _ = writeln!(text, "  {constant} = {slot}, /* {}: {} */", comment(path), word(*class));
        }
        text.push_str("};\n\n");
    }
    let _ = write!(
        text,
        "/* Makes every field missing. */\nvoid {prefix}_begin({prefix}_event *event, int64_t kind);\n\n\
         /* The tag of a text of so many bytes of UTF-8. */\n\
         int64_t {prefix}_text(const char *text, size_t length);\n\n",
    );
    for rule in &exports.rules {
        let title = rule.title.as_ref().map(|title| format!(": {}", comment(title))).unwrap_or_default();
        let _ = writeln!(
            text,
            "/* Whether the `only if` of `{}` holds{title}: 1 or 0; 0 of other events. */\n\
             int64_t {}(const {prefix}_event *event);\n",
            rule.name, rule.function
        );
    }
    text.push_str(&setters(prefix));
    let _ = write!(text, "#ifdef __cplusplus\n}}\n#endif\n\n#endif /* {guard} */\n");
    text
}

fn setters(prefix: &str) -> String {
    let mut text = format!(
        "static inline void {prefix}_set_missing({prefix}_event *event, int field) {{\n\
         \x20 event->fields[field].tag = 0;\n}}\n\n\
         static inline void {prefix}_set_text({prefix}_event *event, int field, const char *text, size_t length) {{\n\
         \x20 event->fields[field].tag = {prefix}_text(text, length);\n\
         \x20 event->fields[field].word = field;\n}}\n\n",
    );
    let kinds = [
        ("number", "millionths", "A number in millionths: 19.99 is 19990000."),
        ("boolean", "value", "0 or 1."),
        ("time", "milliseconds", "A point in time in milliseconds since 1970-01-01 00:00 UTC."),
        ("date", "days", "A calendar day in days since 1970-01-01."),
        ("duration", "milliseconds", "A length of time in milliseconds."),
    ];
    for (kind, unit, words) in kinds {
        let word = if kind == "boolean" { format!("{unit} != 0") } else { unit.to_owned() };
        let _ = write!(
            text,
            "/* {words} */\n\
             static inline void {prefix}_set_{kind}({prefix}_event *event, int field, int64_t {unit}) {{\n\
             \x20 event->fields[field].tag = 1;\n\
             \x20 event->fields[field].word = {word};\n}}\n\n",
        );
    }
    text
}

/// A text within a comment.
fn comment(text: &str) -> String {
    text.chars().map(|it| if it.is_control() { ' ' } else { it }).collect::<String>().replace("*/", "* /")
}

/// A class as its type is called.
fn word(class: Class) -> &'static str {
    match class {
        Class::Boolean => "boolean",
        Class::Number => "number",
        Class::Text => "text",
        Class::Time => "time",
        Class::Date => "date",
        Class::Duration => "duration",
        Class::Value => "not a single value",
    }
}
