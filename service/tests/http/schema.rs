//! The description of the ports, and whether JSON is as a schema says.

use super::wire::Answer;
use serde_json::Value;
use std::collections::BTreeSet;

pub(crate) struct Description(Value);

impl Description {
    pub(crate) fn parse(text: &str) -> Self {
        Self(serde_json::from_str(text).unwrap())
    }

    pub(crate) fn paths(&self) -> BTreeSet<&str> {
        self.0["paths"].as_object().unwrap().keys().map(|path| &**path).collect()
    }

    pub(crate) fn operation(&self, path: &str, method: &str) -> Option<&Value> {
        self.0["paths"][path].get(method.to_lowercase())
    }

    /// Every path with each of its methods.
    pub(crate) fn operations(&self) -> impl Iterator<Item = (&str, &'static str)> {
        let methods = ["GET", "POST", "PUT", "DELETE"];
        self.paths().into_iter().flat_map(move |path| {
            methods
                .into_iter()
                .filter(move |method| self.operation(path, method).is_some())
                .map(move |it| (path, it))
        })
    }

    /// The schema of an answer; `Some(None)` where it is no JSON, none where it is not described.
    fn answer(&self, path: &str, method: &str, status: u16) -> Option<Option<&Value>> {
        let answer = self.operation(path, method)?["responses"].get(status.to_string())?;
        Some(self.resolved(answer)["content"].get("application/json").map(|it| &it["schema"]))
    }

    /// Sees to it that an answer is one that is described.
    pub(crate) fn fits(&self, path: &str, method: &str, answer: &Answer) {
        let schema = self.answer(path, method, answer.status);
        let schema =
            schema.unwrap_or_else(|| panic!("{method} {path} answers {} undescribed", answer.status));
        if let Some(schema) = schema {
            let body: Value = serde_json::from_str(&answer.body).unwrap();
            let faults = faults(self, schema, &body, "");
            assert!(faults.is_empty(), "{method} {path} {}: {faults:?} in {}", answer.status, answer.body);
        }
    }

    /// What a reference leads to, or the value itself.
    fn resolved<'v>(&'v self, value: &'v Value) -> &'v Value {
        match value["$ref"].as_str() {
            Some(path) => self
                .0
                .pointer(path.strip_prefix('#').unwrap())
                .unwrap_or_else(|| panic!("{path} leads nowhere")),
            None => value,
        }
    }
}

/// In what a value is not as a schema says. What of schemas is used in the description is known here, and nothing else.
pub(crate) fn faults(description: &Description, schema: &Value, value: &Value, place: &str) -> Vec<String> {
    let schema = description.resolved(schema);
    if let Some(either) = schema["oneOf"].as_array() {
        let fitting = either.iter().filter(|it| faults(description, it, value, place).is_empty()).count();
        return if fitting == 1 {
            Vec::new()
        } else {
            vec![format!("{place}: {fitting} of several schemas fit")]
        };
    }
    let mut found = Vec::new();
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !types.is_empty() && !types.iter().any(|it| is_of(value, it)) {
        found.push(format!("{place}: {value} is not of {types:?}"));
    }
    if let Some(words) = schema["enum"].as_array().filter(|words| !words.contains(value)) {
        found.push(format!("{place}: {value} is none of {words:?}"));
    }
    if let Some(only) = schema.get("const").filter(|only| *only != value) {
        found.push(format!("{place}: {value} is not {only}"));
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.is_object() && value.get(name).is_none() {
            found.push(format!("{place}: `{name}` is missing"));
        }
    }
    for (name, member) in value.as_object().into_iter().flatten() {
        let place = format!("{place}/{name}");
        match (schema["properties"].get(name), schema.get("additionalProperties")) {
            (Some(schema), _) => found.extend(faults(description, schema, member, &place)),
            (None, Some(Value::Bool(false))) => found.push(format!("{place} is not described")),
            (None, Some(schema)) => found.extend(faults(description, schema, member, &place)),
            (None, None) => {}
        }
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        found.extend(faults(description, &schema["items"], item, &format!("{place}/{index}")));
    }
    found
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => panic!("the description has the type {kind}"),
    }
}

#[test]
fn faults_are_found() {
    let description = Description(serde_json::json!({ "x": { "type": "string", "enum": ["a"] } }));
    let schema = serde_json::json!({ "type": "object", "required": ["a", "b"], "additionalProperties": false,
        "properties": { "a": { "$ref": "#/x" }, "b": { "type": ["integer", "null"] }, "c": { "type": "array", "items": { "const": 1 } } } });
    for (value, count) in [
        (serde_json::json!({ "a": "a", "b": null }), 0),
        (serde_json::json!({ "a": "b", "b": 1.5, "c": [1, 2], "d": 1 }), 4),
        (serde_json::json!({ "b": 1 }), 1),
        (serde_json::json!([]), 1),
    ] {
        assert_eq!(faults(&description, &schema, &value, "").len(), count, "{value}");
    }
}
