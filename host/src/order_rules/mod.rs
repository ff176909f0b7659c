//! The trust boundary of orders: a guest decides *when* a node is worked on,
//! the workflow says *what* that work is.
//!
//! Whatever a guest orders must be a work item that the workflow holds: one of
//! its nodes, the `kind` of that node to the letter (but for what the expressions in its
//! texts come to), the queue of that kind, the attempts of its retry policy. Live and in an audit the same rules are
//! asked. They say nothing of `input`: it comes from expressions and from
//! state, and is the guest's word.

mod literal;
mod children;
mod payload;
mod node;
mod rules;
mod awaited;
mod cache;

pub(crate) use awaited::{Awaited, SaidOfChild, stopped, uncancelled};
pub(crate) use cache::RulesCache;
pub(crate) use children::{ChildRules, unfounded};
pub(crate) use rules::{Attempts, OrderRules};
