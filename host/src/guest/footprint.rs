//! The resources that guest instances take, all together.

use super::{Instance, Ports};
use crate::limits::{CODE_BYTES_MAX, GUESTS_AT_WORK_MAX};

/// The sum of the resources of some instances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Footprint {
    instances: usize,
    memory_bytes: usize,
    /// The machine code that they keep from being dropped.
    code_bytes: usize,
}

impl Footprint {
    /// The sum with one instance more.
    pub(crate) fn with<P: Ports>(self, instance: &Instance<P>) -> Self {
        Self {
            instances: self.instances + 1,
            memory_bytes: self.memory_bytes + instance.memory_bytes(),
            code_bytes: self.code_bytes + instance.code_bytes(),
        }
    }

    /// The sum without this instance, which is one of them.
    pub(crate) fn without<P: Ports>(self, instance: &Instance<P>) -> Self {
        Self {
            instances: self.instances - 1,
            memory_bytes: self.memory_bytes - instance.memory_bytes(),
            code_bytes: self.code_bytes - instance.code_bytes(),
        }
    }

    /// Whether this is too much for instances that wait while another one works, if
    /// they may hold this much memory.
    pub(crate) fn is_over(self, memory_bytes_max: usize) -> bool {
        self.instances >= GUESTS_AT_WORK_MAX
            || self.memory_bytes > memory_bytes_max
            || self.code_bytes > CODE_BYTES_MAX
    }
}
