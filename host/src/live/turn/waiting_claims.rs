//! Requests for work that wait until there is some, in the order in which they came.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::error::{EngineError, Overload};
use crate::limits::CALLERS_PER_REQUEST_MAX;
use crate::live::values::callers::Caller;
use crate::live::values::claim_request::ClaimRequest;
use crate::live::values::work::Claim;

/// Which of the requests.
pub(in crate::live) type Ticket = u64;

/// A caller that has asked for work.
pub(crate) struct ClaimCaller {
    pub(crate) to: oneshot::Sender<Result<Vec<Claim>, EngineError>>,
    /// It counts for as long as it waits.
    pub(crate) counted: Caller,
}

impl ClaimCaller {
    fn answer(self, answer: Result<Vec<Claim>, EngineError>) {
        drop(self.counted);
        // A caller that has gone away asks again, by the same request.
        let _ = self.to.send(answer);
    }
}

/// A caller, and when it waits no longer, by the monotonic clock.
struct Waiter {
    caller: ClaimCaller,
    until: Duration,
}

impl Waiter {
    fn waits(&self, now: Duration) -> bool {
        now < self.until && !self.has_gone()
    }

    fn has_gone(&self) -> bool {
        self.caller.to.is_closed()
    }
}

struct Waiting {
    ticket: Ticket,
    request: Arc<ClaimRequest>,
    /// Those who made this request, again and again. Each waits for as long as it said.
    waiters: Vec<Waiter>,
    /// Whether the store, as it is, has nothing that this request has claimed before.
    is_new: bool,
    /// Whether it waits for the next turn, however short it was to wait: it holds what
    /// cannot be written in this one.
    is_held_back: bool,
}

impl Waiting {
    /// Whether somebody has waited long enough by now.
    fn any_expires(&self, now: Duration) -> bool {
        !self.is_held_back && self.waiters.iter().any(|it| !it.waits(now))
    }
}

/// The requests that wait.
#[derive(Default)]
pub(crate) struct WaitingClaims {
    waiting: Vec<Waiting>,
    next: Ticket,
    /// The version of the store that is known to have nothing of the new ones.
    version: Option<u64>,
    /// Whether they are served before own workers in this turn. It alternates.
    pub(in crate::live) go_first: bool,
}

impl WaitingClaims {
    /// A request comes in, at this time. A repeated one waits with the first, and for what
    /// the first asks for.
    pub(in crate::live) fn push(
        &mut self,
        request: ClaimRequest,
        caller: ClaimCaller,
        now: Duration,
    ) {
        let until = now.saturating_add(request.wait);
        let same = |waiting: &&mut Waiting| {
            waiting.request.worker_id == request.worker_id
                && waiting.request.request_id == request.request_id
        };
        if let Some(waiting) = self.waiting.iter_mut().find(same) {
            waiting.waiters.retain(|waiter| !waiter.has_gone());
            let count = waiting.waiters.len();
            if count >= CALLERS_PER_REQUEST_MAX {
                return caller.answer(Err(Overload::Request { waiting: count }.into()));
            }
            return waiting.waiters.push(Waiter { caller, until });
        }
        self.next += 1;
        self.waiting.push(Waiting {
            ticket: self.next,
            request: Arc::new(request),
            waiters: vec![Waiter { caller, until }],
            is_new: false,
            is_held_back: false,
        });
    }

    pub(in crate::live) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// A turn begins, on this version of the store. What others claimed by the same
    /// requests has to be looked for in each version.
    pub(in crate::live) fn begin_turn(&mut self, version: u64) {
        self.go_first = !self.go_first;
        for waiting in &mut self.waiting {
            waiting.is_held_back = false;
        }
        if self.version != Some(version) {
            self.version = Some(version);
            for waiting in &mut self.waiting {
                waiting.is_new = false;
            }
        }
    }

    /// The requests that somebody waits for, in their order.
    pub(in crate::live) fn to_serve(&self) -> Vec<(Ticket, Arc<ClaimRequest>)> {
        let waits = |waiting: &&Waiting| waiting.waiters.iter().any(|it| !it.has_gone());
        let waiting = self.waiting.iter().filter(waits);
        waiting
            .map(|it| (it.ticket, Arc::clone(&it.request)))
            .collect()
    }

    /// Whether the store is known to have nothing that this request has claimed.
    pub(in crate::live) fn is_new(&self, ticket: Ticket) -> bool {
        let mut waiting = self.waiting.iter();
        waiting.any(|it| it.ticket == ticket && it.is_new)
    }

    /// The store has nothing that this request has claimed.
    pub(in crate::live) fn found_new(&mut self, ticket: Ticket) {
        for waiting in self.waiting.iter_mut().filter(|it| it.ticket == ticket) {
            waiting.is_new = true;
        }
    }

    /// What this request has claimed before cannot be written in this turn, but perhaps in
    /// the next: it waits for that.
    pub(in crate::live) fn hold_back(&mut self, ticket: Ticket) {
        for waiting in self.waiting.iter_mut().filter(|it| it.ticket == ticket) {
            waiting.is_held_back = true;
        }
    }

    /// What this request has claimed before cannot be told, for this reason.
    pub(in crate::live) fn refuse(&mut self, ticket: Ticket, error: &EngineError) {
        for refused in self.waiting.extract_if(.., |it| it.ticket == ticket) {
            for waiter in refused.waiters {
                waiter.caller.answer(Err(error.clone()));
            }
        }
    }

    /// The queues that they wait for, each once.
    pub(in crate::live) fn queues(&self) -> BTreeSet<String> {
        let queues = self.waiting.iter().flat_map(|it| &it.request.queues);
        queues.cloned().collect()
    }

    /// These were given claims, in a turn that is written.
    pub(in crate::live) fn served(
        &mut self,
        served: impl IntoIterator<Item = (Ticket, Vec<Claim>)>,
    ) {
        for (ticket, claims) in served {
            let place = self.waiting.iter().position(|it| it.ticket == ticket);
            let Some(place) = place else { continue };
            for waiter in self.waiting.remove(place).waiters {
                waiter.caller.answer(Ok(claims.clone()));
            }
        }
    }

    /// Whether somebody has waited long enough by now.
    pub(in crate::live) fn any_expires(&self, now: Duration) -> bool {
        self.waiting.iter().any(|waiting| waiting.any_expires(now))
    }

    /// Whether this version of the store is known to have nothing of the requests that
    /// have waited long enough by now.
    pub(in crate::live) fn have_looked(&self, now: Duration, version: u64) -> bool {
        let mut over = self.waiting.iter().filter(|it| it.any_expires(now));
        self.version == Some(version) && over.all(|waiting| waiting.is_new)
    }

    /// Answers requests that have waited long enough by now: there is nothing.
    pub(in crate::live) fn expire(&mut self, now: Duration) {
        for waiting in self.waiting.iter_mut().filter(|it| !it.is_held_back) {
            for over in waiting.waiters.extract_if(.., |it| !it.waits(now)) {
                over.caller.answer(Ok(Vec::new()));
            }
        }
        self.waiting.retain(|waiting| !waiting.waiters.is_empty());
    }

    /// How long it is until the first of them waits no longer.
    pub(in crate::live) fn until_expiry(&self, now: Duration) -> Option<Duration> {
        let waiters = self.waiting.iter().flat_map(|waiting| &waiting.waiters);
        let first = waiters.map(|waiter| waiter.until).min();
        first.map(|until| until.saturating_sub(now))
    }

    /// There will be nothing for any of them.
    pub(in crate::live) fn fail(&mut self, error: &EngineError) {
        for waiter in self.waiting.drain(..).flat_map(|waiting| waiting.waiters) {
            waiter.caller.answer(Err(error.clone()));
        }
    }
}
