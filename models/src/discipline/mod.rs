//! Disciplines: who of those who wait is served next.

mod adaptive_lifo;
mod codel;
mod edf;
mod fifo;
mod lifo;
mod priority;
mod random;
mod ranked;
mod sjf;

use sim_core::{SimTime, Span};

use crate::blueprint;
pub use adaptive_lifo::AdaptiveLifo;
pub use codel::Codel;
pub use edf::{ByDeadline, Edf};
pub use fifo::Fifo;
pub use lifo::Lifo;
pub use priority::Priority;
pub use random::Random;
pub use ranked::{Rank, Ranked};
pub use sjf::{BySize, Sjf};

/// Who joins a line. What its discipline does not go by may be left blank.
#[derive(Clone, Copy, Debug)]
pub struct Joining {
    /// When.
    pub now: SimTime,
    /// How many wait already.
    pub ahead: u32,
    /// Its importance, 0 the highest.
    pub class: u16,
    /// How much it will have to do once it is served.
    pub size: Span,
    /// When it has to be served.
    pub deadline: SimTime,
}

impl Joining {
    /// Somebody of `class` who joins a line whose discipline goes by nothing else.
    #[inline]
    pub fn of_class(class: u16, ahead: u32, now: SimTime) -> Self {
        Self { now, ahead, class, size: Span::ZERO, deadline: SimTime::MAX }
    }
}

/// The moment at which somebody can be served.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// When it is.
    pub now: SimTime,
    /// How many wait; 1 is nobody but the one who is served.
    pub waiting: u32,
}

/// Keeps those who wait, in the order in which they will be served.
///
/// Entries of those who gave up stay until they come up or are swept out: `is_live` tells which still count.
pub trait Line<T: Copy> {
    /// Joins the line.
    fn join(&mut self, entry: T, who: Joining);

    /// Whose turn it is, without removing it. Entries that are no longer live are removed on the way.
    fn first(&mut self, moment: Moment, is_live: impl Fn(T) -> bool) -> Option<T>;

    /// Whether the entry that [`Line::first`] has just returned is turned away instead of served.
    #[inline]
    fn refuses(&self) -> bool {
        false
    }

    /// Removes the entry that [`Line::first`] has just returned.
    fn remove_first(&mut self);

    /// Entries kept, live or not.
    fn entries(&self) -> usize;

    /// Removes the entries that are no longer live.
    fn sweep(&mut self, is_live: impl Fn(T) -> bool);

    /// Takes out all entries, those that joined first in front as far as the line knows.
    fn drain(&mut self) -> Vec<T>;
}

/// The line in front of one instance of a pool.
#[derive(Clone, Debug)]
pub enum Waiting<T> {
    /// See [`Fifo`].
    Fifo(Fifo<T>),
    /// See [`Lifo`].
    Lifo(Lifo<T>),
    /// See [`Priority`].
    Priority(Priority<T>),
    /// See [`Random`].
    Random(Random<T>),
    /// See [`Sjf`].
    Sjf(Sjf<T>),
    /// See [`Edf`].
    Edf(Edf<T>),
    /// See [`Codel`].
    Codel(Box<Codel<T>>),
    /// See [`AdaptiveLifo`].
    AdaptiveLifo(Box<AdaptiveLifo<T>>),
}

impl<T: Copy> Waiting<T> {
    /// An empty line under `order` for `classes` classes. `stream` names its own draws, if it makes any.
    pub fn new(order: blueprint::Discipline, classes: usize, stream: u64) -> Self {
        match order {
            blueprint::Discipline::Fifo => Self::Fifo(Fifo::default()),
            blueprint::Discipline::Lifo => Self::Lifo(Lifo::default()),
            blueprint::Discipline::Priority => Self::Priority(Priority::new(classes)),
            blueprint::Discipline::Random => Self::Random(Random::new(stream)),
            blueprint::Discipline::Sjf => Self::Sjf(Sjf::default()),
            blueprint::Discipline::Edf => Self::Edf(Edf::default()),
            blueprint::Discipline::Codel(plan) => Self::Codel(Box::new(Codel::new(plan))),
            blueprint::Discipline::AdaptiveLifo { above, codel } => {
                Self::AdaptiveLifo(Box::new(AdaptiveLifo::new(above, codel)))
            }
        }
    }
}

macro_rules! each_line {
    ($self:ident, $line:ident => $body:expr) => {
        match $self {
            Self::Fifo($line) => $body,
            Self::Lifo($line) => $body,
            Self::Priority($line) => $body,
            Self::Random($line) => $body,
            Self::Sjf($line) => $body,
            Self::Edf($line) => $body,
            Self::Codel($line) => $body,
            Self::AdaptiveLifo($line) => $body,
        }
    };
}

impl<T: Copy> Waiting<T> {
    #[inline(never)]
    fn join_another(&mut self, entry: T, who: Joining) {
        each_line!(self, line => line.join(entry, who));
    }

    /// Joins the line, as [`Line::join`]. What joins is made where it is needed: handed on, it would go through memory.
    #[inline]
    pub fn join_with(&mut self, joins: impl FnOnce() -> (T, Joining)) {
        if let Self::Fifo(line) = self {
            let (entry, who) = joins();
            return line.join(entry, who);
        }
        let (entry, who) = joins();
        self.join_another(entry, who);
    }

    #[inline(never)]
    fn first_of_another(&mut self, moment: Moment, is_live: impl Fn(T) -> bool) -> Option<T> {
        each_line!(self, line => line.first(moment, is_live))
    }

    #[inline(never)]
    fn remove_first_of_another(&mut self) {
        each_line!(self, line => line.remove_first());
    }
}

impl<T: Copy> Line<T> for Waiting<T> {
    // The usual line is asked first: what it does is short, and what the others do is not to make it longer.
    #[inline]
    fn join(&mut self, entry: T, who: Joining) {
        self.join_with(|| (entry, who));
    }

    #[inline]
    fn first(&mut self, moment: Moment, is_live: impl Fn(T) -> bool) -> Option<T> {
        if let Self::Fifo(line) = self {
            return line.first(moment, is_live);
        }
        self.first_of_another(moment, is_live)
    }

    #[inline]
    fn refuses(&self) -> bool {
        match self {
            Self::Codel(line) => line.refuses(),
            Self::AdaptiveLifo(line) => line.refuses(),
            _ => false,
        }
    }

    #[inline]
    fn remove_first(&mut self) {
        if let Self::Fifo(line) = self {
            return line.remove_first();
        }
        self.remove_first_of_another();
    }

    fn entries(&self) -> usize {
        each_line!(self, line => line.entries())
    }

    fn sweep(&mut self, is_live: impl Fn(T) -> bool) {
        each_line!(self, line => line.sweep(is_live));
    }

    fn drain(&mut self) -> Vec<T> {
        each_line!(self, line => line.drain())
    }
}

/// What the tests of the disciplines share.
#[cfg(test)]
mod testing {
    use super::*;

    pub(super) fn at_ms(ms: u64) -> SimTime {
        SimTime::from_nanos(ms * 1_000_000)
    }

    /// Somebody who joins behind `ahead` others after `ms` milliseconds.
    pub(super) fn joins(ahead: u32, ms: u64) -> Joining {
        Joining::of_class(0, ahead, at_ms(ms))
    }

    /// A server is free after `ms` milliseconds while `waiting` wait.
    pub(super) fn free(waiting: u32, ms: u64) -> Moment {
        Moment { now: at_ms(ms), waiting }
    }

    /// Serves everybody, one a millisecond.
    pub(super) fn serve_all<T: Copy>(line: &mut impl Line<T>) -> Vec<T> {
        let mut order = Vec::new();
        while let Some(entry) = line.first(free(line.entries() as u32, order.len() as u64), |_| true) {
            order.push(entry);
            line.remove_first();
        }
        order
    }
}
