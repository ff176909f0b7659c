//! A table is played: facts in, decisions compared, laws checked.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use crate::contract::{Fact, Inspection, Outcome};
use crate::node;
use crate::shell::Scheduler;
use serde_json::Value;

use super::codes;
use super::foresee::foresee;
use super::graph::Graph;
use super::phrase::{self, Phrase};
use super::replay::replay;
use super::row::{Action, Row};
use super::world::{EXECUTION, Memory, step};

/// What a table came to.
#[derive(Debug)]
pub struct Played {
    /// The world with its log.
    pub world: Memory,
    /// The state at the end.
    pub inspection: Inspection,
}

/// What is kept of the machine between two calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Memo {
    Kept,
    Dropped,
    Snapshot,
}

/// The scheduler and its world.
struct Stage<'a> {
    graph: &'a Graph,
    scheduler: Scheduler,
    world: Memory,
    memo: Memo,
    outcome: Option<Outcome>,
}

/// Play a table in all three ways, and replay its log.
pub(super) fn play(table: &str) -> Result<Played, String> {
    let lines = || {
        let lines = table.lines().map(str::trim);
        lines.filter(|line| !line.is_empty() && !line.starts_with('#'))
    };
    let rows: Vec<Row<'_>> = lines().filter_map(Row::read).collect();
    let graph = Graph::read(lines().take_while(|line| Row::read(line).is_none()))?;
    if let Some(line) = lines()
        .skip_while(|line| Row::read(line).is_none())
        .find(|line| Row::read(line).is_none())
    {
        return Err(format!(
            "`{line}` is no row: rows follow the graph and begin with a time"
        ));
    }
    let kept = play_as(Memo::Kept, &graph, &rows)?;
    for memo in [Memo::Dropped, Memo::Snapshot] {
        let other = play_as(memo, &graph, &rows)?;
        if other.world.events != kept.world.events || other.inspection != kept.inspection {
            return Err(format!(
                "with the machine {memo:?} between calls, another log comes of the same table"
            ));
        }
    }
    replay(&kept.world.workflow, &kept.world.events)
        .map_err(|illegal| format!("the log does not replay: {illegal:?}"))?;
    Ok(kept)
}

fn play_as(memo: Memo, graph: &Graph, rows: &[Row<'_>]) -> Result<Played, String> {
    let first = rows.first().ok_or("a table needs a row")?;
    let mut stage = Stage {
        graph,
        scheduler: Scheduler::new(),
        world: Memory::new(graph, first.at),
        memo,
        outcome: None,
    };
    let mut played = Vec::new();
    for row in rows {
        let found = stage
            .row(row)
            .map_err(|error| format!("the row `{}`: {error}", row.line))?;
        played.push((row, found));
        let (_, found) = &played[played.len() - 1];
        if found.len() != row.expected.len()
            || !found
                .iter()
                .zip(&row.expected)
                .all(|(phrase, expected)| phrase.is(expected))
        {
            return Err(difference(&played));
        }
    }
    let inspection = stage.inspect()?;
    Ok(Played {
        world: stage.world,
        inspection,
    })
}

/// The table as it was found, up to the row that differs.
fn difference(played: &[(&Row<'_>, Vec<Phrase>)]) -> String {
    let mut text = "the last of these rows differs:\n".to_owned();
    for (row, found) in played {
        let (actions, _) = row.line.split_once("=>").unwrap_or((row.line, ""));
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        text += &format!("  {} => {}\n", actions.trim(), found.join(", "));
    }
    let expected = played
        .last()
        .map_or(String::new(), |(row, _)| row.expected.join(", "));
    text + &format!("expected: {expected}\n")
}

impl Stage<'_> {
    fn row(&mut self, row: &Row<'_>) -> Result<Vec<Phrase>, String> {
        self.world.now = row.at;
        if let [question] = row.actions.as_slice()
            && let Some(answer) = self.answer(question)?
        {
            return Ok(vec![answer]);
        }
        let mut actions = row.actions.as_slice();
        if let [cut, rest @ ..] = actions
            && cut.verb == "cut"
        {
            self.cut(cut)?;
            actions = rest;
        }
        let foreseen = foresee(&self.world, self.graph, actions)?;
        let outcome = self.step(foreseen.facts)?;
        let refused = outcome.refused.iter();
        let refused: Vec<_> = refused.map(|it| (it.index, it.message.clone())).collect();
        if refused != foreseen.refused {
            return Err(format!(
                "together, these facts are refused: {refused:?}; each alone, these: {:?}",
                foreseen.refused
            ));
        }
        let refused = refused.into_iter();
        let mut found: Vec<Phrase> = refused
            .map(|(_, reason)| Phrase::new("refused", reason))
            .collect();
        self.go_on(foreseen.last_sequence, outcome, &mut found)?;
        self.check_items()?;
        Ok(found)
    }

    /// The log becomes that of a fork, of which the scheduler knows nothing yet.
    fn cut(&mut self, action: &Action<'_>) -> Result<(), String> {
        let common = action.subject()?;
        let common = common
            .parse()
            .map_err(|_| format!("`cut {common}` names no event"))?;
        self.scheduler.forget(EXECUTION);
        self.world.fork_at(common)
    }

    /// Step until there is no more.
    fn go_on(
        &mut self,
        mut seen: usize,
        mut outcome: Outcome,
        found: &mut Vec<Phrase>,
    ) -> Result<(), String> {
        loop {
            found.extend(self.world.events[seen..].iter().map(phrase::of));
            seen = self.world.events.len();
            self.remember()?;
            let more = outcome.more;
            if more {
                found.push(Phrase::new("more", ""));
            }
            let next = self.step(Vec::new())?;
            if !more {
                return self.check_settled(seen, outcome, next);
            }
            outcome = next;
        }
    }

    /// When there is no more, a further step comes to nothing.
    fn check_settled(
        &mut self,
        seen: usize,
        outcome: Outcome,
        next: Outcome,
    ) -> Result<(), String> {
        let settled = Outcome {
            refused: Vec::new(),
            ..outcome
        };
        if self.world.events.len() > seen || next != settled {
            return Err(format!(
                "after {settled:?} a further step comes to {next:?}"
            ));
        }
        self.outcome = Some(settled);
        Ok(())
    }

    fn step(&mut self, facts: Vec<Fact>) -> Result<Outcome, String> {
        self.recall();
        step(&mut self.world, &mut self.scheduler, facts)
            .map_err(|error| format!("the step failed: {error:?}"))
    }

    fn recall(&mut self) {
        if self.memo != Memo::Kept {
            self.scheduler.forget(EXECUTION);
        }
    }

    fn remember(&mut self) -> Result<(), String> {
        if self.memo == Memo::Snapshot {
            let snapshot = self.scheduler.snapshot(&mut self.world, EXECUTION);
            self.world.snapshot =
                Some(snapshot.map_err(|error| format!("no snapshot: {error:?}"))?);
        }
        Ok(())
    }

    fn inspect(&mut self) -> Result<Inspection, String> {
        self.scheduler
            .inspect(&mut self.world, EXECUTION)
            .map_err(|error| format!("{error:?}"))
    }

    /// The queue holds exactly what is in flight.
    fn check_items(&mut self) -> Result<(), String> {
        let inspection = self.inspect()?;
        let state: Value =
            serde_json::from_str(&inspection.state).map_err(|error| error.to_string())?;
        let nodes = state["nodes"].as_object().ok_or("inspect shows no nodes")?;
        let is_in_flight = |node: &Value| {
            matches!(
                node["state"].as_str(),
                Some("scheduled" | "running" | "backing_off")
            )
        };
        let runs = nodes.iter().flat_map(|(id, node)| {
            let instances = node["instances"]["runs"].as_object();
            let instances = instances.into_iter().flatten();
            let instances =
                instances.map(move |(index, it)| (format!("{id}[{index}]"), &it["run"]));
            [(id.clone(), node)].into_iter().chain(instances)
        });
        let runs = runs.flat_map(|(id, run)| {
            let undo = run["undo"].as_object();
            let undo = undo.map(|undo| (format!("{id}!undo"), &undo["run"]));
            [(id, run)].into_iter().chain(undo)
        });
        let mut in_flight: Vec<String> = runs
            .filter(|(_, run)| is_in_flight(run))
            .map(|(id, _)| id)
            .collect();
        in_flight.sort_unstable();
        if in_flight != self.world.in_flight() {
            return Err(format!(
                "in flight are {in_flight:?}, but on the queue are {:?}",
                self.world.in_flight()
            ));
        }
        Ok(())
    }

    // ---- questions -------------------------------------------------------------

    fn answer(&mut self, question: &Action<'_>) -> Result<Option<Phrase>, String> {
        let answer = match question.verb {
            "status" => {
                let status = self.outcome.as_ref().map(|outcome| outcome.status);
                Phrase::new(status.map_or("unknown", crate::inspect::status_name), "")
            }
            "wake" => {
                let wake = self.outcome.as_ref().and_then(|outcome| outcome.next_wake);
                Phrase::new(
                    wake.map_or_else(|| "never".to_owned(), |wake| phrase::time(Some(wake))),
                    "",
                )
            }
            "explain" => self.explain(question.subject()?)?,
            "inspect" => {
                let inspection = self.inspect()?;
                pointed(&inspection.state, question.subject()?)?
            }
            "child" => {
                let child = self.world.children.get(question.subject()?);
                let child = child.ok_or("it has no child")?;
                pointed(
                    &child.order.input,
                    question.words().next().unwrap_or_default(),
                )?
            }
            "item" => {
                let item = self
                    .world
                    .last_item(question.subject()?)
                    .ok_or("it has no work item")?;
                pointed(
                    &item.item.payload,
                    question.words().next().unwrap_or_default(),
                )?
            }
            _ => return Ok(None),
        };
        Ok(Some(answer))
    }

    fn explain(&mut self, node_id: &str) -> Result<Phrase, String> {
        let explained = self.scheduler.explain(&mut self.world, EXECUTION, node_id);
        let explanation = explained.map_err(|error| format!("{error:?}"))?;
        let reasons: Vec<String> = explanation.reasons.iter().map(codes::reason).collect();
        Ok(Phrase::new(
            node::name(explanation.state),
            reasons.join(" | "),
        ))
    }
}

fn pointed(json: &str, pointer: &str) -> Result<Phrase, String> {
    let value: Value = serde_json::from_str(json).map_err(|error| error.to_string())?;
    let value = value
        .pointer(pointer)
        .ok_or_else(|| format!("nothing is at `{pointer}` in {json}"))?;
    Ok(Phrase::new(value.to_string(), ""))
}
