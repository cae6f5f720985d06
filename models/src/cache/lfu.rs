//! The entry goes that is seldom used.

use sim_core::{Draws, SimTime};

use super::Evict;

/// Where the counter of a new entry begins, so that it is not the first to go: `LFU_INIT_VAL`.
const FIRST: u8 = 5;
/// How much rarer each further step is: `lfu-log-factor`.
const FACTOR: f64 = 10.0;
/// How long a counter takes to lose one: `lfu-decay-time`, a minute.
const DECAY_NANOS: u64 = 60_000_000_000;
/// Entries that are looked at for each eviction: `maxmemory-samples`.
const SAMPLES: u32 = 5;

/// Least frequently used, as Redis counts: a logarithmic counter of eight bits that decays, and the lowest of five
/// entries drawn at random goes.
///
/// A use raises a counter c with probability 1 / (10 (c - 5) + 1), so that 255 stands for about a million uses. Redis
/// also remembers the best candidates from one eviction to the next, which is left out here.
///
/// Source: Redis, *Key eviction*, "The new LFU mode"; `evict.c`, `LFULogIncr` and `LFUDecrAndReturn`; `redis.conf`.
#[derive(Clone, Debug, Default)]
pub struct Lfu {
    uses: Vec<Uses>,
}

#[derive(Clone, Copy, Debug)]
struct Uses {
    counter: u8,
    /// The minute in which the counter was last brought up to date.
    minute: u32,
}

impl Uses {
    /// The counter, less one for each minute that has passed.
    fn counter_at(self, minute: u32) -> u8 {
        let passed = minute.saturating_sub(self.minute);
        self.counter.saturating_sub(passed.min(u32::from(u8::MAX)) as u8)
    }
}

fn minute(now: SimTime) -> u32 {
    (now.as_nanos() / DECAY_NANOS) as u32
}

impl Evict for Lfu {
    fn stored(&mut self, slot: u32, now: SimTime) {
        let uses = Uses { counter: FIRST, minute: minute(now) };
        if self.uses.len() <= slot as usize {
            self.uses.resize(slot as usize + 1, uses);
        }
        self.uses[slot as usize] = uses;
    }

    #[inline]
    fn used(&mut self, slot: u32, now: SimTime, draws: &mut Draws) {
        let uses = &mut self.uses[slot as usize];
        let minute = minute(now);
        let counter = uses.counter_at(minute);
        let base = f64::from(counter.saturating_sub(FIRST));
        let rises = counter < u8::MAX && draws.unit() < 1.0 / (base * FACTOR + 1.0);
        *uses = Uses { counter: counter + u8::from(rises), minute };
    }

    fn stored_again(&mut self, slot: u32, now: SimTime, draws: &mut Draws) {
        self.used(slot, now, draws);
    }

    fn removed(&mut self, _: u32) {}

    fn moved(&mut self, from: u32, to: u32) {
        self.uses[to as usize] = self.uses[from as usize];
    }

    fn victim(&mut self, entries: u32, now: SimTime, draws: &mut Draws) -> Option<u32> {
        let minute = minute(now);
        let counter = |slot: &u32| self.uses[*slot as usize].counter_at(minute);
        (0..SAMPLES).map(|_| draws.below(entries)).min_by_key(counter)
    }

    fn bytes(&self) -> usize {
        self.uses.len() * size_of::<Uses>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A new counter rises at once, then with probability 1/11: after 12 uses it is at about 7.
    #[test]
    fn counters_rise_by_the_logarithm_of_the_uses() {
        let mut draws = Draws::keyed(3);
        let mut sum = 0;
        for _ in 0..2_000 {
            let mut lfu = Lfu::default();
            lfu.stored(0, SimTime::ZERO);
            lfu.used(0, SimTime::ZERO, &mut draws);
            assert_eq!(lfu.uses[0].counter, FIRST + 1, "the first use always counts");
            for _ in 0..11 {
                lfu.used(0, SimTime::ZERO, &mut draws);
            }
            sum += u32::from(lfu.uses[0].counter);
        }
        // P(no rise in 11 uses) is (10/11)^11 = 0.35; the mean rise is 0.65 and a little for those who rise twice.
        let mean = f64::from(sum) / 2_000.0;
        assert!((6.65..6.85).contains(&mean), "{mean}");
    }

    #[test]
    fn counters_lose_one_a_minute() {
        let uses = Uses { counter: 9, minute: 10 };
        assert_eq!((uses.counter_at(10), uses.counter_at(13), uses.counter_at(500)), (9, 6, 0));
    }

    #[test]
    fn the_least_used_of_those_looked_at_goes() {
        let mut lfu = Lfu::default();
        let mut draws = Draws::keyed(1);
        for slot in 0..3 {
            lfu.stored(slot, SimTime::ZERO);
            lfu.uses[slot as usize].counter = 20 - slot as u8;
        }
        let goes = (0..1_000).filter(|_| lfu.victim(3, SimTime::ZERO, &mut draws) == Some(2)).count();
        // Slot 2 is among five draws of three with probability 1 - (2/3)^5 = 0.868.
        assert!(goes.abs_diff(868) < 43, "{goes}");
    }
}
