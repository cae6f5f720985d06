//! Disciplines: who of those who wait is served next.

mod fifo;
mod lifo;
mod priority;

use crate::blueprint;
pub use fifo::Fifo;
pub use lifo::Lifo;
pub use priority::Priority;

/// Keeps those who wait, in the order in which they will be served.
///
/// Entries of those who gave up stay until they come up or are swept out: `is_live` tells which still count.
pub trait Line<T: Copy> {
    /// Joins the line. `class` is the importance, 0 the highest.
    fn join(&mut self, entry: T, class: u16);

    /// Who is served next, without removing it. Entries that are no longer live are removed on the way.
    fn first(&mut self, is_live: impl Fn(T) -> bool) -> Option<T>;

    /// Removes the entry that [`Line::first`] has just returned.
    fn remove_first(&mut self);

    /// Entries kept, live or not.
    fn entries(&self) -> usize;

    /// Removes the entries that are no longer live.
    fn sweep(&mut self, is_live: impl Fn(T) -> bool);
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
}

impl<T: Copy> Waiting<T> {
    /// An empty line under `order` for `classes` classes.
    pub fn new(order: blueprint::Discipline, classes: usize) -> Self {
        match order {
            blueprint::Discipline::Fifo => Self::Fifo(Fifo::default()),
            blueprint::Discipline::Lifo => Self::Lifo(Lifo::default()),
            blueprint::Discipline::Priority => Self::Priority(Priority::new(classes)),
        }
    }
}

macro_rules! each_line {
    ($self:ident, $line:ident => $body:expr) => {
        match $self {
            Self::Fifo($line) => $body,
            Self::Lifo($line) => $body,
            Self::Priority($line) => $body,
        }
    };
}

impl<T: Copy> Line<T> for Waiting<T> {
    #[inline]
    fn join(&mut self, entry: T, class: u16) {
        each_line!(self, line => line.join(entry, class));
    }

    #[inline]
    fn first(&mut self, is_live: impl Fn(T) -> bool) -> Option<T> {
        each_line!(self, line => line.first(is_live))
    }

    #[inline]
    fn remove_first(&mut self) {
        each_line!(self, line => line.remove_first());
    }

    fn entries(&self) -> usize {
        each_line!(self, line => line.entries())
    }

    fn sweep(&mut self, is_live: impl Fn(T) -> bool) {
        each_line!(self, line => line.sweep(is_live));
    }
}
