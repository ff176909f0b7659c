//! Links: edges between two nodes, those that kinds name included, and one link for
//! what is one edge.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;

use super::plan::On;
use crate::condition::Expression;

/// One edge between two nodes, by their places in
/// [`Source::nodes`](super::source::Source::nodes).
pub(super) struct Link {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) rule: Rule,
    pub(super) on: On,
    pub(super) origin: Origin,
}

/// How a link becomes live.
pub(super) enum Rule {
    Chosen,
    Ordinary(Option<Expression>),
    /// Ordinary, and only there because a kind names its end: it gives way to
    /// an edge that is written between the same nodes.
    Implied,
}

/// Where a link was written.
pub(super) enum Origin {
    Edge(usize),
    Kind(String),
}

impl Origin {
    pub(super) fn pointer(&self) -> String {
        match self {
            Self::Edge(index) => format!("/edges/{index}"),
            Self::Kind(pointer) => pointer.clone(),
        }
    }
}

/// Sort, and make one link of what is one edge: exact repeats, an implied edge
/// and the one written for it, a choice and the edge written for it. What an edge
/// that is written for a choice says of a failure stays an edge of its own.
pub(super) fn merge(links: &mut Vec<Link>) {
    links.sort_by(Link::order);
    let mut merged: Vec<Link> = Vec::with_capacity(links.len());
    let mut choice = None;
    for mut link in links.drain(..) {
        let ends = (link.from, link.to);
        if choice == Some(ends) && link.on == On::Always {
            link.on = On::Failure;
        }
        if matches!(link.rule, Rule::Chosen) && choice != Some(ends) {
            choice = Some(ends);
        } else if is_told(&link, merged.last(), choice == Some(ends)) {
            continue;
        }
        merged.push(link);
    }
    *links = merged;
}

/// Whether an edge says nothing that the links before it do not. `is_chosen`: one of
/// them is a choice between the same nodes.
fn is_told(link: &Link, before: Option<&Link>, is_chosen: bool) -> bool {
    let before = before.filter(|before| (before.from, before.to) == (link.from, link.to));
    match (&link.rule, before.map(|before| (&before.rule, before.on))) {
        (Rule::Chosen, _) => is_chosen,
        (Rule::Implied, before) => before.is_some(),
        (Rule::Ordinary(_), _) if is_chosen && link.on == On::Success => true,
        (Rule::Ordinary(this), Some((Rule::Ordinary(that), on))) => (this, link.on) == (that, on),
        (Rule::Ordinary(_), _) => false,
    }
}

impl Link {
    /// The order of links: by their ends, and among those of the same ends what takes in
    /// others first.
    fn order(&self, other: &Self) -> Ordering {
        fn key(link: &Link) -> (usize, usize, u8, On, Option<&str>) {
            let (rank, condition) = match &link.rule {
                Rule::Chosen => (0, None),
                Rule::Ordinary(condition) => (1, condition.as_ref().map(Expression::text)),
                Rule::Implied => (2, None),
            };
            (link.from, link.to, rank, link.on, condition)
        }
        key(self).cmp(&key(other))
    }
}
