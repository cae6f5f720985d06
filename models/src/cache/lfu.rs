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

/// A counter that loses one each minute: the minute in which it will be at 0.
///
/// So nothing is to be written where it does not rise, and sixteen of them share a line of the cache.
#[derive(Clone, Copy, Debug)]
struct Uses {
    gone: u32,
}

impl Uses {
    fn new(counter: u8, minute: u32) -> Self {
        Self { gone: minute + u32::from(counter) }
    }

    /// The counter, less one for each minute that has passed.
    #[inline]
    fn counter_at(self, minute: u32) -> u8 {
        self.gone.saturating_sub(minute) as u8
    }
}

#[inline]
fn minute(now: SimTime) -> u32 {
    (now.as_nanos() / DECAY_NANOS) as u32
}

/// How likely a use raises a counter, in units of 2^-53: below which of that many equally likely numbers it does.
static RISES_BELOW: [u64; 256] = {
    let mut below = [0; 256];
    let mut counter = 0;
    while counter < u8::MAX {
        let base = counter.saturating_sub(FIRST) as f64;
        let chance = 1.0 / (base * FACTOR + 1.0);
        // A number is below what is not whole if it is below the next that is.
        let scaled = chance * (1_u64 << 53) as f64;
        below[counter as usize] = scaled as u64 + ((scaled as u64 as f64) < scaled) as u64;
        counter += 1;
    }
    below
};

impl Evict for Lfu {
    fn stored(&mut self, slot: u32, now: SimTime) {
        let uses = Uses::new(FIRST, minute(now));
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
        if counter < u8::MAX {
            let rises = draws.next_u64() >> 11 < RISES_BELOW[usize::from(counter)];
            *uses = Uses::new(counter + u8::from(rises), minute);
        }
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
            assert_eq!(lfu.uses[0].counter_at(0), FIRST + 1, "the first use always counts");
            for _ in 0..11 {
                lfu.used(0, SimTime::ZERO, &mut draws);
            }
            sum += u32::from(lfu.uses[0].counter_at(0));
        }
        // P(no rise in 11 uses) is (10/11)^11 = 0.35; the mean rise is 0.65 and a little for those who rise twice.
        let mean = f64::from(sum) / 2_000.0;
        assert!((6.65..6.85).contains(&mean), "{mean}");
    }

    #[test]
    fn counters_lose_one_a_minute() {
        let uses = Uses::new(9, 10);
        assert_eq!((uses.counter_at(10), uses.counter_at(13), uses.counter_at(500)), (9, 6, 0));
    }

    /// 1 at 5 uses, 1/11 at 6, 1/2491 at 254: what is drawn is below just as often as a number in [0, 1) is.
    #[test]
    fn a_rise_is_as_likely_as_the_formula_says() {
        assert_eq!(RISES_BELOW[usize::from(FIRST)], 1 << 53);
        for counter in 0..u8::MAX {
            let chance = 1.0 / (f64::from(counter.saturating_sub(FIRST)) * FACTOR + 1.0);
            let below = RISES_BELOW[usize::from(counter)];
            let unit = |k: u64| k as f64 / (1_u64 << 53) as f64;
            assert!(unit(below - 1) < chance && unit(below) >= chance, "{counter}");
        }
        assert_eq!(RISES_BELOW[6], (1_u64 << 53) / 11 + 1);
    }

    #[test]
    fn the_least_used_of_those_looked_at_goes() {
        let mut lfu = Lfu::default();
        let mut draws = Draws::keyed(1);
        for slot in 0..3 {
            lfu.stored(slot, SimTime::ZERO);
            lfu.uses[slot as usize] = Uses::new(20 - slot as u8, 0);
        }
        let goes = (0..1_000).filter(|_| lfu.victim(3, SimTime::ZERO, &mut draws) == Some(2)).count();
        // Slot 2 is among five draws of three with probability 1 - (2/3)^5 = 0.868.
        assert!(goes.abs_diff(868) < 43, "{goes}");
    }
}
