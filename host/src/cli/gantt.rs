//! A timeline drawn with characters: a row for each node, a column for each part of the time.

use std::collections::{HashMap, HashSet};

use refrain::model::{instance_of, undone_by};
use refrain::replay::timeline::{Activity, Span, Timeline, Track};
use refrain::store::Timestamp;

use super::output::Paint;
use super::text::{Text, text};
use super::time::span;

/// Rows of a chart: more than anyone reads.
const ROWS_MAX: usize = 200;

/// The widest a name is shown, in columns.
const NAME_MAX: usize = 28;

/// Columns of the time that a node took.
const TOOK: usize = 12;

/// Columns of a part that is folded.
const FOLDED: usize = 2;

/// A time in which nobody is at work is folded if it is longer than this part of the whole.
const FOLDED_PART: u64 = 8;

/// Shorter ones are not, in milliseconds: all of them can be read as they are.
const FOLDED_MS_MIN: u64 = 1000;

/// A chart to be printed.
pub(super) struct Gantt<'a> {
    timeline: &'a Timeline,
    axis: Axis,
    rows: Vec<Row<'a>>,
    /// The columns of the names.
    names: usize,
}

/// A node; a map with all of its instances, or what undoes these.
struct Row<'a> {
    name: String,
    tracks: Vec<&'a Track>,
    instances: usize,
    is_critical: bool,
}

impl<'a> Gantt<'a> {
    /// The chart of this timeline, at most so many columns wide.
    pub(super) fn of(timeline: &'a Timeline, width: usize) -> Self {
        let rows = rows(timeline);
        let names = rows.iter().map(|row| row.label().width()).max();
        let names = names.unwrap_or(0).min(NAME_MAX).min(width / 3);
        let columns = width.saturating_sub(names + 2 + TOOK).max(8);
        Self {
            axis: Axis::of(timeline, columns),
            timeline,
            rows,
            names,
        }
    }

    /// The chart, with what its marks mean.
    pub(super) fn text(&self, colours: bool) -> Text {
        let mut text = self.ruler();
        let mut used = Vec::new();
        for row in self.rows.iter().take(ROWS_MAX) {
            let cells = self.axis.cells(row);
            for cell in &cells {
                if !used.contains(cell) {
                    used.push(*cell);
                }
            }
            let line = text!(
                "{} {} {}",
                row.label().cut(self.names).padded(self.names),
                drawn(&cells, colours),
                text!("{}", row.took(self.timeline)).aligned_right(TOOK - 1)
            );
            text.push(&text!("{}\n", line.trimmed()));
        }
        if self.rows.len() > ROWS_MAX {
            let more = self.rows.len() - ROWS_MAX;
            text.push(&text!("and {} more, which --json shows\n", more));
        }
        text.push(&legend(&used));
        text.push(&self.axis.folded());
        text
    }

    fn ruler(&self) -> Text {
        let whole = Text::word(&span(self.timeline.until - self.timeline.from));
        let columns = self.axis.columns();
        let mut marks = vec!['-'; columns];
        for part in self.axis.parts.iter().filter(|part| part.is_folded) {
            marks[part.first..part.first + part.columns].fill('/');
        }
        text!(
            "{} {} {}\n",
            Text::new().padded(self.names),
            Text::word(&marks.into_iter().collect::<String>()),
            whole.aligned_right(TOOK - 1)
        )
    }
}

fn rows(timeline: &Timeline) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    let mut places = HashMap::new();
    let critical = timeline.critical_path.iter();
    let critical: HashSet<&str> = critical.map(|step| step.node_id.as_str()).collect();
    for track in timeline.tracks.iter().filter(|track| track.has_run()) {
        let name = row_of(&track.id);
        let place = *places.entry(name.clone()).or_insert_with(|| {
            rows.push(Row {
                name,
                tracks: Vec::new(),
                instances: 0,
                is_critical: false,
            });
            rows.len() - 1
        });
        let row = &mut rows[place];
        row.instances += usize::from(row.name != track.id);
        row.is_critical |= critical.contains(track.id.as_str());
        row.tracks.push(track);
    }
    rows
}

/// The row that a node, instance or compensation is shown in.
fn row_of(id: &str) -> String {
    match (undone_by(id), instance_of(undone_by(id).unwrap_or(id))) {
        (None, Some((map, _))) => map.to_owned(),
        (Some(_), Some((map, _))) => format!("{map}[]!undo"),
        (_, None) => id.to_owned(),
    }
}

impl Row<'_> {
    fn label(&self) -> Text {
        let critical = if self.is_critical { "* " } else { "  " };
        match self.instances {
            0 => text!("{}{}", critical, self.name),
            count => text!("{}{} ({})", critical, self.name, count),
        }
    }

    /// From its beginning to its end.
    fn took(&self, timeline: &Timeline) -> String {
        let from = self.tracks.iter().filter_map(|it| it.since).min();
        let until = self
            .tracks
            .iter()
            .map(|it| it.ended_at.unwrap_or(timeline.until));
        match (from, until.max()) {
            (Some(from), Some(until)) => span(until.saturating_sub(from)),
            _ => String::new(),
        }
    }
}

/// What is drawn in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cell {
    Empty,
    /// It was settled there, and took no time.
    Settled,
    At(Rank),
}

/// An activity; where several fall into one column, the greatest is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank(u8);

/// All activities, the least telling first, each with its mark, colour and name.
const MARKS: [(Activity, char, Paint, &str); 9] = [
    (Activity::Instances, '+', Paint::Dim, "its instances"),
    (Activity::Child, '=', Paint::Blue, "its child"),
    (Activity::Queue, '.', Paint::Plain, "in its queue"),
    (Activity::Time, ':', Paint::Yellow, "waits for a time"),
    (Activity::Event, '@', Paint::Yellow, "waits for an event"),
    (Activity::Person, '?', Paint::Yellow, "waits for a person"),
    (Activity::BackOff, '~', Paint::Yellow, "back-off"),
    (Activity::Held, '!', Paint::Red, "held"),
    (Activity::Work, '#', Paint::Green, "work"),
];

/// What an activity is called.
pub(super) fn name(activity: Activity) -> &'static str {
    let found = MARKS.iter().find(|(it, ..)| *it == activity);
    found.map_or("another activity", |(.., name)| name)
}

impl Cell {
    fn of(activity: Activity) -> Self {
        let place = MARKS.iter().position(|(it, ..)| *it == activity);
        // A newer kind of activity is at least not nothing.
        Self::At(Rank(place.map_or(0, |place| place as u8)))
    }

    fn mark(self) -> (char, Paint) {
        match self {
            Self::Empty => (' ', Paint::Plain),
            Self::Settled => ('|', Paint::Plain),
            Self::At(Rank(place)) => {
                let (_, mark, paint, _) = MARKS[usize::from(place)];
                (mark, paint)
            }
        }
    }
}

/// Cells as characters, those of one colour together.
fn drawn(cells: &[Cell], colours: bool) -> Text {
    let mut text = Text::new();
    for run in cells.chunk_by(|a, b| a == b) {
        let (mark, paint) = run[0].mark();
        let run = String::from(mark).repeat(run.len());
        text.push(&paint.on(&run, colours));
    }
    text
}

/// What the marks mean that were used.
fn legend(used: &[Cell]) -> Text {
    let marks = MARKS.iter().rev();
    let marks = marks.filter(|(activity, ..)| used.contains(&Cell::of(*activity)));
    let mut each: Vec<Text> = marks
        .map(|(_, mark, _, name)| text!("{} {}", Text::word(&mark.to_string()), *name))
        .collect();
    if used.contains(&Cell::Settled) {
        each.push(text!("| settled at once"));
    }
    match each.is_empty() {
        true => Text::new(),
        false => text!("\n{}\n", Text::joined(each, "   ")),
    }
}

/// How time becomes columns.
struct Axis {
    parts: Vec<Part>,
}

/// A part of the time that is drawn evenly.
struct Part {
    from: Timestamp,
    until: Timestamp,
    first: usize,
    columns: usize,
    is_folded: bool,
}

impl Axis {
    fn of(timeline: &Timeline, columns: usize) -> Self {
        let mut parts = parts(timeline);
        let folded = parts.iter().filter(|part| part.is_folded).count();
        let open = parts.iter().filter(|part| !part.is_folded);
        let whole: u64 = open.clone().map(Part::length).sum();
        let room = columns.saturating_sub(folded * FOLDED).max(open.count()) as u64;
        let (mut first, mut seen, mut drawn) = (0, 0, 0);
        for part in &mut parts {
            part.first = first;
            part.columns = match part.is_folded {
                true => FOLDED,
                false => {
                    // Rounded where each part ends, so that all of them fill the room.
                    seen += part.length();
                    let until = (u128::from(room) * u128::from(seen))
                        .checked_div(u128::from(whole))
                        .unwrap_or(u128::from(room));
                    let until = usize::try_from(until).unwrap_or(columns);
                    let own = until.saturating_sub(drawn).max(1);
                    drawn += own;
                    own
                }
            };
            first += part.columns;
        }
        Self { parts }
    }

    fn columns(&self) -> usize {
        self.parts
            .last()
            .map_or(0, |part| part.first + part.columns)
    }

    /// The column that a moment falls into; at the end, that behind the last one.
    fn column(&self, at: Timestamp) -> usize {
        let place = self.parts.partition_point(|part| part.until <= at);
        let Some(part) = self.parts.get(place) else {
            return self.columns();
        };
        let into = u128::from(at.saturating_sub(part.from)) * part.columns as u128;
        let into = into.checked_div(u128::from(part.length())).unwrap_or(0);
        part.first + usize::try_from(into).unwrap_or(0).min(part.columns - 1)
    }

    fn cells(&self, row: &Row<'_>) -> Vec<Cell> {
        let mut cells = vec![Cell::Empty; self.columns()];
        for track in &row.tracks {
            if let Some(at) = track.ended_at.filter(|_| track.spans.is_empty()) {
                let column = self.column(at).min(cells.len() - 1);
                cells[column] = cells[column].max(Cell::Settled);
            }
            for span in &track.spans {
                let first = self.column(span.from);
                // What is shorter than a column is seen all the same.
                let until = self.column(span.until).max(first + 1);
                for cell in &mut cells[first..until] {
                    *cell = (*cell).max(Cell::of(span.activity));
                }
            }
        }
        cells
    }

    /// What was folded.
    fn folded(&self) -> Text {
        let folded: Vec<Text> = self
            .parts
            .iter()
            .filter(|part| part.is_folded)
            .map(|part| Text::word(&span(part.length())))
            .collect();
        match folded.is_empty() {
            true => Text::new(),
            false => text!(
                "// stands for time in which nobody was at work: {}\n",
                Text::joined(folded, ", ")
            ),
        }
    }
}

impl Part {
    fn length(&self) -> u64 {
        self.until - self.from
    }
}

/// The parts of the time, one behind the other: those that are folded, and those between.
fn parts(timeline: &Timeline) -> Vec<Part> {
    let whole = timeline.until - timeline.from;
    let part = |from, until, is_folded| Part {
        from,
        until,
        first: 0,
        columns: 0,
        is_folded,
    };
    let mut moments = vec![timeline.from, timeline.until];
    let mut work: Vec<(Timestamp, Timestamp)> = Vec::new();
    for Span {
        from,
        until,
        activity,
        ..
    } in timeline.tracks.iter().flat_map(|track| &track.spans)
    {
        moments.extend([*from, *until]);
        if *activity == Activity::Work {
            work.push((*from, *until));
        }
    }
    moments.extend(timeline.tracks.iter().filter_map(|track| track.ended_at));
    moments.sort_unstable();
    moments.dedup();
    work.sort_unstable();
    let mut work = work.into_iter().peekable();
    let (mut parts, mut open_from, mut worked_until) = (Vec::new(), timeline.from, 0);
    for pair in moments.windows(2) {
        let (from, until) = (pair[0], pair[1]);
        while let Some((_, end)) = work.next_if(|(begin, _)| *begin <= from) {
            worked_until = worked_until.max(end);
        }
        let length = until - from;
        let is_long = length.saturating_mul(FOLDED_PART) > whole && length >= FOLDED_MS_MIN;
        if worked_until <= from && is_long {
            if open_from < from {
                parts.push(part(open_from, from, false));
            }
            parts.push(part(from, until, true));
            open_from = until;
        }
    }
    if open_from < timeline.until || parts.is_empty() {
        parts.push(part(open_from, timeline.until, false));
    }
    parts
}
