//! What the steps of one execution in the component cost.

use anyhow::Result;
use refrain_bench::{layered, start};

/// The fuel that one step of a layered graph of so many nodes burns: a claim,
/// and a completion with what follows from it. Parsing the workflow is not counted.
///
/// # Errors
/// When the component fails.
pub fn fuel_per_step(nodes: usize) -> Result<f64> {
    let mut run = start(&layered(nodes))?;
    let (mut fuel, mut steps) = (0_u64, 0_u32);
    while let Some(item) = run.ports.items.first().cloned() {
        run.take_fuel_burnt();
        run.complete(&item.node_id, "{}")?;
        fuel += run.take_fuel_burnt();
        steps += 1;
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "a ratio of fuel is compared roughly"
    )]
    let fuel = fuel as f64;
    Ok(fuel / f64::from(steps))
}
