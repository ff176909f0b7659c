//! A workflow in the built-in component and in memory.

use anyhow::Result;
use refrain::guest::{CallLimits, InMemoryExecution, Library, MemoryPorts, Sandbox};
use refrain::id::ExecutionId;

/// An execution of this workflow, started in the built-in component.
///
/// # Errors
/// When the component does not run, or refuses the workflow.
pub fn start(workflow: &str) -> Result<InMemoryExecution> {
    start_in(
        &mut Library::new(Sandbox::new(CallLimits::default())?),
        workflow,
    )
}

/// The same in the built-in component of this library.
///
/// # Errors
/// When the component does not run, or refuses the workflow.
pub fn start_in(library: &mut Library, workflow: &str) -> Result<InMemoryExecution> {
    let digest = library.built_in().to_owned();
    let ports = MemoryPorts::new(workflow, 1_000);
    let started = ports.started(ExecutionId::random(), digest.parse()?);
    let instance = library.instance(&digest)?;
    Ok(InMemoryExecution::start(instance, ports, started)?)
}
