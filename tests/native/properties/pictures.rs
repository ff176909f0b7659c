//! Pictures of generated workflows: all nodes and edges once, no box on another, edges that
//! lead down, and the same bytes each time.

use std::collections::BTreeMap;

use proptest::prelude::*;
use refrain::picture::{dot, mermaid, of_workflow, svg, text};
use refrain_guest::strategies::workflows;
use regex::Regex;

use crate::properties::{fail, holds};

/// The left, top, right and bottom of a box.
type Box = [f64; 4];

/// What a picture in SVG says of the nodes and edges of the outermost workflow.
struct Read {
    /// The boxes, by node.
    boxes: BTreeMap<String, Box>,
    /// The ends of the edges: the nodes, and the heights.
    edges: Vec<(String, String, f64, f64)>,
    /// The ids of all elements.
    ids: Vec<String>,
}

fn read(svg: &str) -> Read {
    let regex = |text: &str| Regex::new(text).expect("a pattern");
    let node = regex(r#"<g class="node [^"]*" id="[^"]*" data-node="([^"/]*)">.*"#);
    let rect = regex(r#"<rect class="box" x="(\S+)" y="(\S+)" width="(\S+)" height="(\S+)""#);
    let slanted = regex(r#"<path class="box" d="M(\S+) (\S+)H(\S+?)L\S+ \S+?L\S+ (\S+?)H"#);
    let edge = regex(
        r#"data-from="([^"/]*)" data-to="([^"/]*)">.*<path class="line" d="M\S+ ([0-9.-]+)[^"]*"/><path class="head" d="M\S+ (\S+?)l"#,
    );
    let number = |text: &str| text.parse::<f64>().expect("a number");
    let mut boxes = BTreeMap::new();
    // A description may have several lines.
    let parts = svg
        .split("\n<g ")
        .map(|part| format!("<g {}", part.replace('\n', " ")));
    let mut edges = Vec::new();
    for part in parts {
        if let Some(found) = node.captures(&part) {
            let shape = match (rect.captures(&part), slanted.captures(&part)) {
                (Some(it), _) => {
                    let [x, y, width, height] = [1, 2, 3, 4].map(|group| number(&it[group]));
                    [x, y, x + width, y + height]
                }
                (None, Some(it)) => {
                    let [x, y, right, bottom] = [1, 2, 3, 4].map(|group| number(&it[group]));
                    [x - 12.0, y, right + 12.0, bottom]
                }
                (None, None) => panic!("a node without a box: {part}"),
            };
            assert_eq!(boxes.insert(found[1].to_owned(), shape), None, "{part}");
        }
        if let Some(found) = edge.captures(&part) {
            let ends = (found[1].to_owned(), found[2].to_owned());
            edges.push((ends.0, ends.1, number(&found[3]), number(&found[4])));
        }
    }
    let id = regex(r#" id="([^"]*)""#);
    let ids = id.captures_iter(svg).map(|it| it[1].to_owned());
    Read {
        boxes,
        edges,
        ids: ids.collect(),
    }
}

#[test]
fn pictures_have_every_node_and_edge_once_and_none_on_another() {
    holds(150, workflows(), |workflow| {
        let picture = of_workflow(workflow.text()).map_err(fail)?;
        let drawn = svg(&picture);
        let read = read(&drawn);
        // The scheduler's own count; edges to the end are not among its edges.
        let plan = workflow.plan();
        let is_inner = |to: &str| to != "end";
        let nodes = read.boxes.keys().filter(|it| is_inner(it)).count();
        let edges = read.edges.iter().filter(|it| is_inner(&it.1)).count();
        prop_assert_eq!(nodes, plan.nodes.len(), "{}", drawn);
        prop_assert_eq!(edges, plan.edges.len(), "{}", drawn);
        for (from, to, top, bottom) in &read.edges {
            let (from, to) = (read.boxes[from], read.boxes[to]);
            prop_assert_eq!((from[3], to[1]), (*top, *bottom));
            prop_assert!(top < bottom, "an edge leads down: {}", drawn);
        }
        let boxes: Vec<&Box> = read.boxes.values().collect();
        for (place, one) in boxes.iter().enumerate() {
            for other in &boxes[..place] {
                let beside = one[0] >= other[2] || other[0] >= one[2];
                let above = one[1] >= other[3] || other[1] >= one[3];
                prop_assert!(beside || above, "{:?} {:?}", one, other);
            }
        }
        let mut ids = read.ids.clone();
        ids.sort_unstable();
        ids.dedup();
        prop_assert_eq!(ids.len(), read.ids.len(), "no id twice");
        let (all, _) = picture.size();
        let drawn_nodes = read.ids.iter().filter(|id| id.starts_with("node-")).count();
        prop_assert_eq!(drawn_nodes, all);
        Ok(())
    });
}

#[test]
fn the_same_workflow_is_drawn_in_the_same_bytes_in_every_form() {
    holds(60, workflows(), |workflow| {
        let drawn = || -> Result<Vec<String>, TestCaseError> {
            let picture = of_workflow(workflow.text()).map_err(fail)?;
            let mut all = vec![svg(&picture), mermaid(&picture), dot(&picture)];
            for columns in [20, 40, 80, 160] {
                let drawn = text(&picture, columns);
                // What these ids hold takes a column a character.
                let widest = drawn.lines().map(|line| line.chars().count()).max();
                prop_assert!(widest.unwrap_or(0) <= columns, "{}", drawn);
                for node in &picture.nodes {
                    prop_assert!(columns < 80 || drawn.contains(&node.id), "{}", drawn);
                }
                all.push(drawn);
            }
            Ok(all)
        };
        prop_assert_eq!(drawn()?, drawn()?);
        Ok(())
    });
}
