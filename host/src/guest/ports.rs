//! The contract's imports, handed on to whoever's [`Ports`] the current call
//! came with.
//!
//! Nothing is decided here. A port's [`StoreError`] is kept aside and the
//! guest is cut off, so that the error reaches the caller as it was. The
//! imports are linked by hand, because those that `bindgen!` would link do not
//! see the store, and with it the fuel.

use wasmtime::component::{Linker, LinkerInstance};
use wasmtime::{Engine, StoreContextMut};

use super::fuel::{self, Meter, Transferred, event_bytes, item_bytes};
use super::sandbox::{CallLimits, Caps};
use super::{GuestFailure, Ports};
use crate::contract::{Event, WorkItem};
use crate::store::StoreError;

/// What stands between an instance and the world.
pub(super) struct HostState<P> {
    /// The ports of the current call, if it is about an execution.
    pub(super) ports: Option<P>,
    /// The error of the port that ended the current call.
    pub(super) store_error: Option<StoreError>,
    /// What the instance may take.
    pub(super) limits: CallLimits,
    /// What of it the instance still may hold.
    pub(super) caps: Caps,
    /// What of it the current call was given to burn.
    pub(super) meter: Meter,
}

/// The contract's imports, and nothing else.
pub(super) fn linker<P: Ports>(engine: &Engine) -> wasmtime::Result<Linker<HostState<P>>> {
    let mut linker = Linker::new(engine);
    linker.instance("refrain:scheduler/types@0.1.0")?;
    storage(linker.instance("refrain:scheduler/storage@0.1.0")?)?;
    clock(linker.instance("refrain:scheduler/clock@0.1.0")?)?;
    queue(linker.instance("refrain:scheduler/queue@0.1.0")?)?;
    Ok(linker)
}

fn storage<P: Ports>(mut storage: LinkerInstance<'_, HostState<P>>) -> wasmtime::Result<()> {
    storage.func_wrap("load-workflow", |store, ()| {
        ask(
            store,
            "storage.load-workflow",
            P::load_workflow,
            |meter, text| meter.workflow(text),
        )
    })?;
    storage.func_wrap("load-snapshot", |store, ()| {
        ask(
            store,
            "storage.load-snapshot",
            P::load_snapshot,
            |meter, snapshot| meter.snapshot(snapshot.as_ref()),
        )
    })?;
    storage.func_wrap("read-events", |store, (first, max)| {
        ask(
            store,
            "storage.read-events",
            |ports| ports.read_events(first, max),
            |meter, events| meter.events(events),
        )
    })?;
    storage.func_wrap(
        "append-events",
        |mut store, (expected, events): (u64, Vec<Event>)| {
            fuel::take(&mut store, events.iter().map(event_bytes).sum());
            ask(
                store,
                "storage.append-events",
                |ports| ports.append_events(expected, events),
                |_, _| Transferred::default(),
            )
        },
    )
}

fn clock<P: Ports>(mut clock: LinkerInstance<'_, HostState<P>>) -> wasmtime::Result<()> {
    clock.func_wrap("now", |store, ()| {
        ask(
            store,
            "clock.now",
            |ports| Ok(ports.now()),
            |_, _| Transferred::default(),
        )
    })
}

fn queue<P: Ports>(mut queue: LinkerInstance<'_, HostState<P>>) -> wasmtime::Result<()> {
    queue.func_wrap("enqueue", |mut store, (item,): (WorkItem,)| {
        fuel::take(&mut store, item_bytes(&item));
        ask(
            store,
            "queue.enqueue",
            |ports| ports.enqueue(item),
            |_, _| Transferred::default(),
        )
    })?;
    queue.func_wrap("cancel", |mut store, (node_id, attempt): (String, u32)| {
        fuel::take(&mut store, node_id.len());
        ask(
            store,
            "queue.cancel",
            |ports| ports.cancel(&node_id, attempt),
            |_, _| Transferred::default(),
        )
    })
}

/// Put a question of the guest to the ports, and settle its fuel.
fn ask<P: Ports, T>(
    mut store: StoreContextMut<'_, HostState<P>>,
    import: &'static str,
    question: impl FnOnce(&mut P) -> Result<T, StoreError>,
    transferred: impl FnOnce(&mut Meter, &T) -> Transferred,
) -> wasmtime::Result<(T,)> {
    let state = store.data_mut();
    let answer = state.answer(import, question)?;
    if state.limits.fuel.is_none() {
        return Ok((answer,));
    }
    let transferred = transferred(&mut state.meter, &answer);
    let gain = state.meter.gain(transferred, state.limits);
    let left = store.get_fuel()?.saturating_sub(transferred.cost());
    store.set_fuel(left.saturating_add(gain))?;
    Ok((answer,))
}

impl<P: Ports> HostState<P> {
    pub(super) fn new(limits: CallLimits) -> Self {
        Self {
            ports: None,
            store_error: None,
            limits,
            caps: Caps::new(limits),
            meter: Meter::default(),
        }
    }

    fn answer<T>(
        &mut self,
        import: &'static str,
        question: impl FnOnce(&mut P) -> Result<T, StoreError>,
    ) -> wasmtime::Result<T> {
        let ports = self
            .ports
            .as_mut()
            .ok_or(GuestFailure::OutOfPlace { import })?;
        question(ports).map_err(|error| {
            let cut_off = wasmtime::format_err!("{import}: {error}");
            self.store_error = Some(error);
            cut_off
        })
    }
}
