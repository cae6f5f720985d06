//! Results as a terminal shows them: plain text, at most as wide as the page.

mod autoscalers;
mod baseline;
mod caches;
mod compare;
mod figure;
mod flows;
mod lives;
mod outcome;
mod page;
mod queues;
mod rare;
mod replay;
mod run;
mod sensitivity;
mod solve;
mod sweep;
mod table;
mod uncertainty;
mod verify;

#[cfg(test)]
pub(crate) mod fixtures;

pub(crate) use baseline::trend;
pub(crate) use compare::compare;
pub(crate) use figure::{Unit, grouped};
pub(crate) use page::Page;
pub(crate) use rare::rare;
pub(crate) use replay::replay;
pub(crate) use run::{Detail, observed, run};
pub(crate) use sensitivity::sensitivity;
pub(crate) use solve::solve;
pub(crate) use sweep::sweep;
pub(crate) use table::{Cell, Column, Table};
pub(crate) use verify::{observed_on_seeds, verify, verify_markdown};
