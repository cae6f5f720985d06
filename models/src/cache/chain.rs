//! Slots in an order: a doubly linked list through the numbers of slots, and the rules by which the first one goes.

use std::marker::PhantomData;

use sim_core::{Draws, SimTime};

use super::Evict;

const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Links {
    before: u32,
    behind: u32,
}

/// Slots in an order; all changes take constant time.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    links: Vec<Links>,
    first: u32,
    last: u32,
}

impl Chain {
    pub(super) fn new() -> Self {
        Self { links: Vec::new(), first: NONE, last: NONE }
    }

    /// The first slot.
    pub(super) fn first(&self) -> Option<u32> {
        (self.first != NONE).then_some(self.first)
    }

    /// Adds a slot behind all others.
    #[inline]
    pub(super) fn push(&mut self, slot: u32) {
        if self.links.len() <= slot as usize {
            self.links.resize(slot as usize + 1, Links { before: NONE, behind: NONE });
        }
        self.links[slot as usize] = Links { before: self.last, behind: NONE };
        match std::mem::replace(&mut self.last, slot) {
            NONE => self.first = slot,
            last => self.links[last as usize].behind = slot,
        }
    }

    /// Takes a slot out.
    #[inline]
    pub(super) fn take_out(&mut self, slot: u32) {
        let Links { before, behind } = self.links[slot as usize];
        match before {
            NONE => self.first = behind,
            before => self.links[before as usize].behind = behind,
        }
        match behind {
            NONE => self.last = before,
            behind => self.links[behind as usize].before = before,
        }
    }

    /// Brings a slot to the end.
    #[inline]
    pub(super) fn send_to_end(&mut self, slot: u32) {
        if self.last != slot {
            self.take_out(slot);
            self.push(slot);
        }
    }

    /// What stood in slot `from` stands in `to` now, which is not in the list.
    pub(super) fn rename(&mut self, from: u32, to: u32) {
        let links = self.links[from as usize];
        self.links[to as usize] = links;
        match links.before {
            NONE => self.first = to,
            before => self.links[before as usize].behind = to,
        }
        match links.behind {
            NONE => self.last = to,
            behind => self.links[behind as usize].before = to,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.links.len() * size_of::<Links>()
    }
}

/// What brings an entry to the end, and when the first one may go.
pub trait Order {
    /// Whether a use brings an entry to the end.
    const USE_COUNTS: bool = false;
    /// Whether an entry goes only once it has expired.
    const SPARES_THE_LIVING: bool = false;
}

/// A rule by which the first of a list goes. What is stored, again or not, comes last.
#[derive(Clone, Debug)]
pub struct Chained<O> {
    chain: Chain,
    order: PhantomData<O>,
}

impl<O> Default for Chained<O> {
    fn default() -> Self {
        Self { chain: Chain::new(), order: PhantomData }
    }
}

impl<O: Order> Evict for Chained<O> {
    fn stored(&mut self, slot: u32, _: SimTime) {
        self.chain.push(slot);
    }

    #[inline]
    fn used(&mut self, slot: u32, _: SimTime, _: &mut Draws) {
        if O::USE_COUNTS {
            self.chain.send_to_end(slot);
        }
    }

    fn stored_again(&mut self, slot: u32, _: SimTime, _: &mut Draws) {
        self.chain.send_to_end(slot);
    }

    fn removed(&mut self, slot: u32) {
        self.chain.take_out(slot);
    }

    fn moved(&mut self, from: u32, to: u32) {
        self.chain.rename(from, to);
    }

    fn victim(&mut self, _: u32, _: SimTime, _: &mut Draws) -> Option<u32> {
        self.chain.first()
    }

    fn spares_the_living(&self) -> bool {
        O::SPARES_THE_LIVING
    }

    fn bytes(&self) -> usize {
        self.chain.bytes()
    }
}
