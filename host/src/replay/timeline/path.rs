//! The critical path: from the end of an execution back over each node whose end let the
//! next one begin.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::activity::Activity;
use super::tracks::{Track, Tracks};
use crate::model::{NodeState, instance_of};
use crate::store::Timestamp;

/// A node on the critical path.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PathStep {
    /// The node, instance or compensation.
    pub node_id: String,
    /// When it began.
    pub from: Timestamp,
    /// When it was settled; the end of the timeline, if it is not.
    pub until: Timestamp,
    /// Milliseconds from the end of what let it begin to its beginning.
    pub held_ms: u64,
    /// Milliseconds from its beginning to its end, by what they were spent on.
    pub spent: BTreeMap<Activity, u64>,
}

/// The critical path of these nodes, in the order of time.
pub(super) fn critical_path(
    tracks: &Tracks,
    workflow: &Value,
    (begun_at, until): (Timestamp, Timestamp),
) -> Vec<PathStep> {
    let graph = Graph::of(tracks, workflow);
    let mut path = Vec::new();
    let mut current = graph.last();
    while let Some(track) = current {
        let before = graph.before(track);
        let from = track.since.or(track.ended_at).unwrap_or(begun_at);
        let let_begin = before.and_then(|it| it.ended_at).unwrap_or(begun_at);
        path.push(PathStep {
            node_id: track.id.clone(),
            from,
            until: track.ended_at.unwrap_or(until),
            held_ms: from.saturating_sub(let_begin),
            spent: spent(track),
        });
        current = before;
    }
    path.reverse();
    path
}

fn spent(track: &Track) -> BTreeMap<Activity, u64> {
    let mut spent = BTreeMap::new();
    for span in &track.spans {
        *spent.entry(span.activity).or_default() += span.until - span.from;
    }
    spent
}

/// What can have let a node begin.
struct Graph<'a> {
    tracks: &'a [Track],
    by_id: &'a HashMap<String, usize>,
    /// The nodes with an edge to each.
    sources: HashMap<&'a str, Vec<&'a str>>,
    /// Settled nodes, in the order of the events that settled them.
    settled: Vec<&'a Track>,
    /// The instances of each map.
    instances: HashMap<&'a str, Vec<&'a Track>>,
}

impl<'a> Graph<'a> {
    fn of(tracks: &'a Tracks, workflow: &'a Value) -> Self {
        let mut sources: HashMap<&str, Vec<&str>> = HashMap::new();
        for edge in workflow["edges"].as_array().into_iter().flatten() {
            if let (Some(from), Some(to)) = (edge["from"].as_str(), edge["to"].as_str()) {
                sources.entry(to).or_default().push(from);
            }
        }
        let mut instances: HashMap<&str, Vec<&Track>> = HashMap::new();
        for track in &tracks.tracks {
            if let Some((map, _)) = instance_of(&track.id) {
                instances.entry(map).or_default().push(track);
            }
        }
        let ended = tracks.tracks.iter().filter(|it| it.ended_at.is_some());
        let mut settled: Vec<&Track> = ended.collect();
        settled.sort_by_key(|track| track.ended_by);
        Self {
            tracks: &tracks.tracks,
            by_id: &tracks.by_id,
            sources,
            settled,
            instances,
        }
    }

    /// The node that the execution ends with; of those that are under way, the one that began
    /// first.
    fn last(&self) -> Option<&'a Track> {
        let under_way = self.tracks.iter().filter(|it| is_under_way(it));
        let under_way = under_way.filter(|it| instance_of(&it.id).is_none());
        let last = under_way.min_by_key(|it| it.begun_by);
        let last = last.or_else(|| self.settled.iter().rfind(|it| it.has_run()).copied());
        last.map(|track| self.within(track, u64::MAX))
    }

    /// In the place of a map, that of its instances which it was settled by, before this event.
    fn within(&self, track: &'a Track, before: u64) -> &'a Track {
        let instances = self.instances.get(track.id.as_str());
        let instances = instances.into_iter().flatten().copied();
        let under_way = instances.clone().filter(|it| is_under_way(it));
        let settled = instances
            .filter(|it| it.ended_at.is_some() && it.since.is_some() && it.ended_by < before);
        let last = under_way
            .filter(|_| is_under_way(track))
            .min_by_key(|it| it.begun_by)
            .or_else(|| settled.max_by_key(|it| it.ended_by));
        last.filter(|_| track.is_map).unwrap_or(track)
    }

    /// The node whose end let this one begin. `None` if the execution's beginning did.
    fn before(&self, track: &'a Track) -> Option<&'a Track> {
        let order = match track.since {
            Some(_) => track.begun_by,
            None => track.ended_by,
        };
        let begun_at = track.since.or(track.ended_at)?;
        let needed = self.needed(track, order);
        if needed.is_some_and(|it| it.ended_at == Some(begun_at)) {
            return needed;
        }
        // It could have begun before: the end of another one made room for it.
        let place = self.settled.partition_point(|it| it.ended_by < order);
        let same_time = self.settled[..place].iter().rev();
        let mut same_time = same_time.take_while(|it| it.ended_at == Some(begun_at));
        let made_room = same_time.find(|it| it.has_run()).copied();
        made_room.map(|it| self.within(it, order)).or(needed)
    }

    /// The last node that was settled of those that this one needs.
    fn needed(&self, track: &'a Track, order: u64) -> Option<&'a Track> {
        // An instance begins with its map.
        let node = instance_of(&track.id).map_or(track.id.as_str(), |(map, _)| map);
        let sources = self.sources.get(node).into_iter().flatten();
        let sources = sources.filter_map(|id| Some(&self.tracks[*self.by_id.get(*id)?]));
        let settled = sources.filter(|it| is_done(it) && it.ended_by < order);
        let last = settled.max_by_key(|it| it.ended_by)?;
        Some(self.within(last, order))
    }
}

/// Whether edges of it may be live.
fn is_done(track: &Track) -> bool {
    matches!(track.state, NodeState::Completed | NodeState::Failed)
}

fn is_under_way(track: &Track) -> bool {
    track.since.is_some() && track.ended_at.is_none()
}
