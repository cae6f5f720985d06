//! Static priorities by class, without preemption.

use super::{Fifo, Joining, Line, Moment};

/// The most important class first, first come first served within a class.
///
/// Source: Cobham, *Priority Assignment in Waiting Line Problems*, Operations Research 2(1), 1954.
#[derive(Clone, Debug)]
pub struct Priority<T> {
    classes: Vec<Fifo<T>>,
    /// The class whose entry [`Line::first`] returned last.
    served: usize,
}

impl<T> Priority<T> {
    /// A line with a rank for each of `classes` classes.
    pub fn new(classes: usize) -> Self {
        Self { classes: (0..classes.max(1)).map(|_| Fifo::default()).collect(), served: 0 }
    }
}

impl<T: Copy> Line<T> for Priority<T> {
    fn join(&mut self, entry: T, who: Joining) {
        let rank = usize::from(who.class).min(self.classes.len() - 1);
        self.classes[rank].join(entry, who);
    }

    fn first(&mut self, moment: Moment, is_live: impl Fn(T) -> bool) -> Option<T> {
        for (rank, line) in self.classes.iter_mut().enumerate() {
            if let Some(entry) = line.first(moment, &is_live) {
                self.served = rank;
                return Some(entry);
            }
        }
        None
    }

    fn remove_first(&mut self) {
        self.classes[self.served].remove_first();
    }

    fn entries(&self) -> usize {
        self.classes.iter().map(Line::entries).sum()
    }

    fn sweep(&mut self, is_live: impl Fn(T) -> bool) {
        for line in &mut self.classes {
            line.sweep(&is_live);
        }
    }

    fn drain(&mut self) -> Vec<T> {
        self.classes.iter_mut().flat_map(Line::drain).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{joins, serve_all};
    use super::*;

    #[test]
    fn the_most_important_class_goes_first() {
        let mut line = Priority::new(2);
        line.join(1, Joining { class: 1, ..joins(0, 0) });
        line.join(2, joins(1, 0));
        line.join(3, joins(2, 0));
        assert_eq!(serve_all(&mut line), [2, 3, 1]);
    }
}
