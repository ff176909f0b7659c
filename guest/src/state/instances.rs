//! The instances of a map (rule R21).

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::node_record::NodeRecord;

/// The instances of a map that was expanded (rule R21).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Instances {
    /// The JSON of all elements, one after another. Empty once the map has completed, if
    /// nothing undoes its instances: then no further attempt is ordered.
    pub items: String,
    /// Where each element ends in it.
    pub ends: Vec<u32>,
    /// Those to which something has happened, by their index.
    pub runs: Vec<Option<Box<InstanceRecord>>>,
    /// What the others are.
    pub fresh: NodeRecord,
    /// What the list of all outputs that are kept comes to, in bytes.
    pub output_bytes: u64,
    /// Whether an output is nested too deeply to stand in a list in the state.
    pub is_too_deep: bool,
}

impl Instances {
    /// Those of a map over these elements, none of which has begun.
    #[must_use]
    pub fn new<'a>(items: impl Iterator<Item = &'a str>, max_attempts: u32) -> Self {
        let mut all = String::new();
        let ends = items
            .map(|item| {
                all.push_str(item.trim_ascii());
                u32::try_from(all.len()).expect("a list is no larger than a payload")
            })
            .collect();
        all.shrink_to_fit();
        Self {
            items: all,
            ends,
            runs: Vec::new(),
            fresh: NodeRecord::fresh(max_attempts),
            output_bytes: 0,
            is_too_deep: false,
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u32 {
        u32::try_from(self.ends.len()).unwrap_or(u32::MAX)
    }

    /// The element of an instance, JSON. `None` if there is no such instance, or the
    /// elements are not kept any more.
    #[must_use]
    pub fn item(&self, index: u32) -> Option<&str> {
        let index = index as usize;
        let start = match index.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        self.items
            .get(start as usize..*self.ends.get(index)? as usize)
    }

    /// The record of an instance.
    #[must_use]
    pub fn record(&self, index: u32) -> &NodeRecord {
        self.touched(index).map_or(&self.fresh, |run| &run.record)
    }

    /// What has become of an instance, if anything has happened to it.
    #[must_use]
    pub fn touched(&self, index: u32) -> Option<&InstanceRecord> {
        self.runs.get(index as usize)?.as_deref()
    }

    /// What has become of an instance, to be changed.
    pub(crate) fn touch(&mut self, index: u32) -> &mut InstanceRecord {
        let index = index as usize;
        if index >= self.runs.len() {
            self.runs.resize_with(index + 1, || None);
        }
        let fresh = &self.fresh;
        self.runs[index].get_or_insert_with(|| {
            let record = fresh.clone();
            Box::new(InstanceRecord {
                record,
                output: None,
            })
        })
    }

    /// The outputs by index, where there are any.
    pub(crate) fn outputs(&self) -> impl Iterator<Item = Option<&str>> {
        (0..self.count()).map(|index| self.touched(index)?.output.as_deref())
    }

    /// Forget what nobody needs once the map has completed. What undoes an instance still
    /// sees its element.
    pub(crate) fn shed(&mut self, are_undone: bool) {
        if !are_undone {
            self.items = String::new();
        }
        self.output_bytes = 0;
        for run in self.runs.iter_mut().flatten() {
            run.output = None;
        }
    }
}

/// An instance to which something has happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InstanceRecord {
    /// Where it is.
    pub record: NodeRecord,
    /// What it produced, JSON: until the map has completed.
    pub output: Option<Box<str>>,
}
