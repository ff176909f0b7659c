//! What was measured, as a table for people and as one JSON object. What was
//! not measured is in neither.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::super::table::{Table, plain};
use super::super::text::Text;
use super::scale::Point;
use super::statistics::median;

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// So many a second.
    StepsPerS,
    EventsPerS,
    Ns,
    Us,
    Ms,
    Bytes,
    /// Commits for a step.
    CommitsPerStep,
    /// As many times something else.
    Times,
}

/// Something measured.
pub(super) struct Figure {
    key: &'static str,
    what: String,
    value: f64,
    unit: Unit,
    floor: Option<Floor>,
}

/// What a figure is held against.
struct Floor {
    key: &'static str,
    value: f64,
    ratio_key: &'static str,
    ratio: f64,
}

impl Figure {
    /// A figure: its key in JSON, what it is to people, and the value.
    pub(super) fn new(key: &'static str, what: impl Into<String>, value: f64, unit: Unit) -> Self {
        Self {
            key,
            what: what.into(),
            value,
            unit,
            floor: None,
        }
    }

    /// The floor next to it, and what of it was reached.
    pub(super) fn against(
        self,
        (key, value): (&'static str, f64),
        (ratio_key, ratio): (&'static str, f64),
    ) -> Self {
        Self {
            floor: Some(Floor {
                key,
                value,
                ratio_key,
                ratio,
            }),
            ..self
        }
    }
}

/// All that was measured, in its order.
#[derive(Default)]
pub(super) struct Report {
    setting: Vec<(&'static str, Value)>,
    figures: Vec<Figure>,
    scale: Vec<Point>,
}

impl Report {
    /// How it was measured.
    pub(super) fn set(&mut self, key: &'static str, value: impl Into<Value>) {
        self.setting.push((key, value.into()));
    }

    /// A figure more.
    pub(super) fn add(&mut self, figure: Figure) {
        self.figures.push(figure);
    }

    /// The median of these; nothing of none.
    pub(super) fn add_median(
        &mut self,
        key: &'static str,
        what: &'static str,
        values: &[f64],
        unit: Unit,
    ) {
        if !values.is_empty() {
            self.add(Figure::new(key, what, median(values), unit));
        }
    }

    /// What a step costs at more sizes of something.
    pub(super) fn scale(&mut self, points: Vec<Point>) {
        self.scale.extend(points);
    }

    /// The table.
    pub(super) fn text(&self, colours: bool) -> Text {
        let mut table = Table::new(["FIGURE", "MEASURED", "FLOOR", "OF THE FLOOR"]);
        for figure in &self.figures {
            let (floor, ratio) = match &figure.floor {
                None => (String::new(), String::new()),
                Some(floor) => (
                    with_unit(floor.value, figure.unit),
                    format!("{:.0} %", 100.0 * floor.ratio),
                ),
            };
            table.row([
                plain(&figure.what),
                plain(with_unit(figure.value, figure.unit)),
                plain(floor),
                plain(ratio),
            ]);
        }
        for point in &self.scale {
            table.row([
                plain(format!(
                    "a step at {} {}",
                    grouped(&point.size.to_string()),
                    point.grows.key()
                )),
                plain(with_unit(point.ns_per_step / 1e3, Unit::Us)),
                plain(""),
                plain(""),
            ]);
        }
        table.text(0, colours)
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        for (key, value) in &self.setting {
            object.serialize_entry(key, value)?;
        }
        for figure in &self.figures {
            object.serialize_entry(figure.key, &number(figure.value))?;
            if let Some(floor) = &figure.floor {
                object.serialize_entry(floor.key, &number(floor.value))?;
                object.serialize_entry(floor.ratio_key, &number(floor.ratio))?;
            }
        }
        if !self.scale.is_empty() {
            object.serialize_entry("scale", &self.scale)?;
        }
        object.end()
    }
}

impl Serialize for Point {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry(self.grows.key(), &self.size)?;
        object.serialize_entry("ns_per_step", &number(self.ns_per_step))?;
        object.end()
    }
}

fn with_unit(value: f64, unit: Unit) -> String {
    let value = digits(value);
    match unit {
        Unit::StepsPerS => format!("{value} steps/s"),
        Unit::EventsPerS => format!("{value} events/s"),
        Unit::Ns => format!("{value} ns"),
        Unit::Us => format!("{value} µs"),
        Unit::Ms => format!("{value} ms"),
        Unit::Bytes => format!("{value} bytes"),
        Unit::CommitsPerStep => format!("{value} commits/step"),
        Unit::Times => format!("{value} times"),
    }
}

/// A number with as many digits as a measurement has: four.
fn digits(value: f64) -> String {
    let value = four_digits(value);
    let whole = format!("{value:.0}");
    if whole.trim_start_matches('-').len() >= 4 {
        grouped(&whole)
    } else {
        value.to_string()
    }
}

/// Thousands set apart: `31,250`.
fn grouped(whole: &str) -> String {
    let count = whole.len();
    let mut text = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (count - place).is_multiple_of(3) && digit.is_ascii_digit() {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number without a point that says nothing.
fn number(value: f64) -> Value {
    let text = four_digits(value).to_string();
    serde_json::from_str(&text).unwrap_or_else(|_| json!(value))
}

/// Rounded to four digits that count, those before the point kept.
fn four_digits(value: f64) -> f64 {
    let mut scale = 1.0;
    while (value * scale).abs() < 1_000.0 && scale < 1e9 {
        scale *= 10.0;
    }
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::digits;

    #[test]
    fn numbers_have_the_digits_that_count() {
        for (value, text) in [
            (0.0, "0"),
            (0.437_219, "0.4372"),
            (1.0, "1"),
            (12.345_6, "12.35"),
            (999.96, "1,000"),
            (31_250.4, "31,250"),
            (1_234_567.8, "1,234,568"),
        ] {
            assert_eq!(digits(value), text);
        }
    }
}
