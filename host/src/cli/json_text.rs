//! JSON for people to read, with its numbers and texts as they are.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use super::text::Text;

/// A JSON object with a line for each of its keys; anything else as it is.
pub(super) fn pretty(json: &str) -> Text {
    Text::json(&in_lines(json))
}

fn in_lines(json: &str) -> String {
    match serde_json::from_str::<BTreeMap<String, &RawValue>>(json) {
        Ok(fields) if !fields.is_empty() => {
            let line = |(key, value): (&String, &&RawValue)| {
                format!("  {}: {value}", Value::from(key.as_str()))
            };
            format!(
                "{{\n{}\n}}",
                fields.iter().map(line).collect::<Vec<_>>().join(",\n")
            )
        }
        _ => json.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::pretty;

    #[test]
    fn objects_get_a_line_a_key_and_nothing_is_respelled() {
        let table = [
            ("{}", "{}"),
            ("1.50", "1.50"),
            (
                r#"{"b":1.50,"a":{"x":[1]}}"#,
                "{\n  \"a\": {\"x\":[1]},\n  \"b\": 1.50\n}",
            ),
        ];
        for (json, text) in table {
            assert_eq!(pretty(json).as_str(), text);
        }
    }
}
