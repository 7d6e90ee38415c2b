//! Profile files: traits that are known before the first event.

mod records;
mod table;

use crate::{
    limits::MAX_LINE_BYTES,
    source::{Input, Line, Lines, Progress, Reject, SourceError, name_of, traits_fault},
};
use segue_compiler::{json::JsonText, typed::ProfileField};
use std::{
    io::{self, BufRead, Read},
    path::Path,
};

/// What a line of a profile file gave.
#[derive(Debug)]
pub enum Row<'a> {
    /// Traits of a customer.
    Traits {
        /// The customer.
        customer: &'a str,
        /// A JSON object.
        traits: JsonText<'a>,
    },
    /// A line that could not be used.
    Reject(Reject<'a>),
    /// Something about the file as a whole, for people.
    Note(String),
}

/// Reads a profile file from start to end: NDJSON (`{"user_id": …, traits…}` or `{"userId": …, "traits": {…}}`) or CSV
/// with a header, told by its first character. `fields` says what type the cells of a CSV column become; with `strict` what
/// breaks its declaration there is rejected.
///
/// # Errors
/// When the file cannot be read, or is CSV whose first line does not name each column once, `user_id` among them.
pub fn read(
    path: &Path,
    fields: &[ProfileField],
    strict: bool,
    take: &mut dyn FnMut(Row<'_>),
) -> Result<(), SourceError> {
    let mut input = Input::open(path, &Progress::default())?;
    let start = start(&mut *input.reader).map_err(|error| SourceError::Read {
        file: input.name.clone(),
        line: 0,
        error,
    })?;
    let text = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&start);
    let first = text.trim_ascii_start().first().copied();
    let header = text.to_vec();
    input.reader = Box::new(io::Cursor::new(start).chain(input.reader));
    match first {
        None => Ok(()),
        Some(b'{') => read_lines(input, strict.then_some(fields), take),
        Some(_) => table::read(input, &header, (fields, strict), take),
    }
}

/// Says what in traits breaks their declaration, where they must keep to one.
fn keep_to(declared: Option<&[ProfileField]>, traits: JsonText<'_>) -> Result<(), String> {
    declared.and_then(|fields| traits_fault(fields, traits)).map_or(Ok(()), Err)
}

/// The input up to the end of the first line with something on it, or as much as a line may have.
fn start(reader: &mut dyn BufRead) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    let mut reader = reader.take(MAX_LINE_BYTES as u64);
    while reader.read_until(b'\n', &mut start)? > 0 && start.trim_ascii().is_empty() {}
    Ok(start)
}

fn read_lines(
    input: Input,
    declared: Option<&[ProfileField]>,
    take: &mut dyn FnMut(Row<'_>),
) -> Result<(), SourceError> {
    let mut lines = Lines::new(input.reader);
    let mut line = Vec::new();
    loop {
        let kind = lines.next(&mut line).map_err(|error| SourceError::Read {
            file: input.name.clone(),
            line: lines.number(),
            error,
        })?;
        let result = match kind {
            None => return Ok(()),
            Some(Line::TooLong) => Err("the line is too long".to_owned()),
            Some(Line::Whole) => read_line(&line, declared, take),
        };
        if let Err(reason) = result {
            take(Row::Reject(Reject { file: &input.name, number: lines.number(), reason, line: None }));
        }
    }
}

fn read_line(
    line: &[u8],
    declared: Option<&[ProfileField]>,
    take: &mut dyn FnMut(Row<'_>),
) -> Result<(), String> {
    let text = std::str::from_utf8(line).map_err(|_| "not UTF-8 text".to_owned())?;
    let row = JsonText::parse(text).map_err(|_| "not JSON".to_owned())?;
    if row.members().is_none() {
        return Err("not a JSON object".to_owned());
    }
    let customer = match name_of(row.member("user_id"), "user_id")? {
        Some(id) => Some(id),
        None => name_of(row.member("userId"), "userId")?,
    };
    let customer = customer.ok_or("`user_id` is missing: it says whose traits these are")?;
    let traits = row.member("traits").filter(|traits| traits.members().is_some()).unwrap_or(row);
    keep_to(declared, traits)?;
    take(Row::Traits { customer: &customer, traits });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use segue_compiler::{
        types::{Field, Type},
        value::Value,
    };

    fn rows(content: &str) -> Vec<String> {
        try_rows(content, false).unwrap()
    }

    fn try_rows(content: &str, strict: bool) -> Result<Vec<String>, SourceError> {
        let field = |name: &str, ty| ProfileField {
            field: Field { name: name.into(), ty, optional: true },
            default: Value::Missing,
        };
        let fields = [
            field("first_name", Type::Text),
            field("age", Type::Number),
            field("vip", Type::Boolean),
            field("tags", Type::List(Box::new(Type::Text))),
        ];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("profiles");
        std::fs::write(&path, content).unwrap();
        let mut rows = Vec::new();
        read(&path, &fields, strict, &mut |row| {
            rows.push(match row {
                Row::Traits { customer, traits } => format!("{customer} {}", traits.text()),
                Row::Reject(reject) => format!("{}: {}", reject.number, reject.reason),
                Row::Note(words) => {
                    words.rsplit_once(": no rule").map_or_else(String::new, |(_, words)| words.to_owned())
                }
            });
        })?;
        Ok(rows)
    }

    #[test]
    fn reads_ndjson() {
        let content =
            "{\"user_id\":1,\"age\":3}\n\n{\"userId\":\"b\",\"traits\":{\"age\":4}}\n{\"age\":5}\n[\n";
        assert_eq!(
            rows(content),
            [
                "1 {\"user_id\":1,\"age\":3}",
                "b {\"age\":4}",
                "4: `user_id` is missing: it says whose traits these are",
                "5: not JSON"
            ]
        );
    }

    #[test]
    fn reads_csv_by_declared_types() {
        let content = "\u{feff}user_id;first_name;age;vip;tags;consent.sms;consent.email.news;other\n\
            a;\"Ada \"\"L\"\"\";42.5;TRUE;\"[\"\"x\"\"]\";true;no;7\n\
            b;;old;;;;;\n\
            ;Bob;;;;;;\n\
            c;too;short\n";
        assert_eq!(
            rows(content),
            [
                " reads the column `other`: `profile` does not declare it",
                r#"a {"first_name":"Ada \"L\"","age":42.5,"vip":true,"tags":["x"],"other":"7","consent":{"sms":true,"email":{"news":false}}}"#,
                r#"b {"age":"old"}"#,
                "4: `user_id` is empty",
                "5: 3 columns, but the first line names 8",
            ]
        );
    }

    #[test]
    fn strictly_traits_keep_to_their_declaration() {
        let broken =
            "the traits break the declaration of the profile: its field `age` should be of type number";
        let csv = "user_id,age,first_name\na,old,Ada\nb,7,Ben\nc,,Cyd\n";
        assert_eq!(
            try_rows(csv, true).unwrap(),
            [
                &format!("2: {broken}, found `\"old\"`"),
                r#"b {"age":7,"first_name":"Ben"}"#,
                r#"c {"first_name":"Cyd"}"#
            ]
        );
        let lines =
            "{\"user_id\":\"a\",\"age\":true}\n{\"userId\":\"b\",\"traits\":{\"age\":null,\"other\":1}}\n";
        assert_eq!(
            try_rows(lines, true).unwrap(),
            [&format!("1: {broken}, found `true`"), r#"b {"age":null,"other":1}"#]
        );
    }

    #[test]
    fn a_quote_that_is_not_closed_swallows_nothing() {
        let open =
            "a quote `\"` is opened and not closed; close it, or write `\"\"` for a quote within a cell";
        let content = "user_id,first_name,age\n\
            a,\"Ada,1\n\
            b,Ben,2\n\
            c,\"Cyd \"the\" cat\",3\n\
            d,\"Dan\nand Di\",4\n\
            e,\"Eve\" ,5\n\
            f,\"Fay,6\n\
            g,5\" pipe,7\n";
        assert_eq!(
            rows(content),
            [
                &format!("2: {open}"),
                r#"b {"first_name":"Ben","age":2}"#,
                "4: expected `,` or the end of the line after a closing quote, found `the\" cat\",3`; \
                    write `\"\"` for a quote within a cell",
                r#"d {"first_name":"Dan\nand Di","age":4}"#,
                r#"e {"first_name":"Eve","age":5}"#,
                &format!("8: {open}"),
                r#"g {"first_name":"5\" pipe","age":7}"#,
            ]
        );
    }

    #[test]
    fn a_header_names_each_column_once() {
        let words = |content: &str| try_rows(content, false).unwrap_err().to_string();
        assert!(words("user_id,age,age\na,1,2\n").ends_with("it names the column `age` twice"));
        assert!(words("user_id,userId\na,b\n").ends_with("it names the column `user_id` twice"));
        assert!(words("user_id,\"age\na,1\n").contains("is opened and not closed"));
        assert!(words("id,age\n").contains("no column `user_id`"));
        assert_eq!(
            rows("user_id,agee\n"),
            [" reads the column `agee`: `profile` does not declare it (did you mean `age`?)"]
        );
    }
}
