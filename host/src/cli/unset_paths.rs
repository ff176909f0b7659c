//! What the executions of one session read that was never there. Their schedulers are asked
//! while the engine lives, and what they say is told when it has ended.

use std::collections::BTreeMap;

use refrain::Engine;
use refrain::id::ExecutionId;
use refrain::render::UnsetPath;
use refrain::store::ExecutionRecord;

use super::seen::Seen;
use super::unset;
use super::watch::Watch;

/// Of so many executions of one workflow the scheduler is asked, where each end is told as
/// it comes: the first of them show it.
const ASKED_MAX: u32 = 10;

/// The paths, by execution.
#[derive(Default)]
pub(super) struct UnsetPaths {
    found: BTreeMap<ExecutionId, Vec<UnsetPath>>,
    /// Of how many executions of each workflow and version the scheduler was asked, where
    /// each end is told as it comes.
    asked: BTreeMap<(String, String), u32>,
}

impl UnsetPaths {
    /// Asks about one that is watched, and about its children.
    pub(super) async fn ask(
        &mut self,
        engine: &Engine,
        watch: &mut Watch,
        record: &ExecutionRecord,
    ) -> anyhow::Result<()> {
        let written = watch.written(record)?;
        let Some(seen) = watch.one(record.id) else {
            return Ok(());
        };
        let has_children = seen.nodes.iter().any(|node| node.child);
        let mut paths = unset::of(engine, seen, &written).await?;
        if has_children {
            let written = |record: &ExecutionRecord| watch.written(record);
            paths.extend(unset::below(engine, record.id, written).await?);
        }
        self.found.insert(record.id, paths);
        Ok(())
    }

    /// Asks about one whose end is told as it comes, unless enough of its workflow were
    /// asked about.
    pub(super) async fn ask_at_its_end(
        &mut self,
        engine: &Engine,
        watch: &mut Watch,
        seen: &Seen,
    ) -> anyhow::Result<Vec<UnsetPath>> {
        let record = &seen.record;
        let workflow = (record.workflow_id.clone(), record.workflow_version.clone());
        let asked = self.asked.entry(workflow).or_default();
        *asked += 1;
        if *asked > ASKED_MAX {
            return Ok(Vec::new());
        }
        let written = watch.written(record)?;
        unset::of(engine, seen, &written).await
    }

    /// Those of one that was watched to the end.
    pub(super) fn of(&self, id: ExecutionId) -> &[UnsetPath] {
        self.found.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Those of all that were watched to the end.
    pub(super) fn all(&self) -> impl Iterator<Item = &UnsetPath> {
        self.found.values().flatten()
    }
}
