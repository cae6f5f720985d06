//! Messages that wait, in the order in which they came.

use std::collections::VecDeque;

use sim_core::SimTime;

use crate::attribute::Label;

/// A message while it waits.
///
/// It is what its steps will need to know: when it came, which one it is, whose it is, and by what its draws go. What
/// happens to it later is kept beside those that are being worked on, which are few.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message {
    /// When it reached the queue.
    pub(crate) sent: SimTime,
    /// Its number among the messages of the queue.
    pub(crate) number: u64,
    /// Names its draws.
    pub(crate) draw_key: u64,
    /// Its key, tenant, user and bytes.
    pub(crate) label: Label,
    /// Its class.
    pub(crate) class: u16,
}

// Ten million of them wait in less than half a gigabyte.
const _: () = assert!(size_of::<Message>() <= 48);

/// Messages of a chunk.
const CHUNK: usize = 1024;

/// A sequence of messages that grows at its end and is forgotten from its beginning.
///
/// It is kept in chunks: a vector that doubles would need three times the memory of what waits while it grows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    chunks: VecDeque<Vec<Message>>,
    /// Number of the first message of the first chunk.
    base: u64,
    /// Number of the first message that is kept, and of the next one to come.
    first: u64,
    end: u64,
    /// A chunk to be used again.
    spare: Option<Vec<Message>>,
}

impl Log {
    /// Adds a message at the end.
    pub(crate) fn push(&mut self, message: Message) {
        if self.chunks.back().is_none_or(|chunk| chunk.len() == CHUNK) {
            let chunk = self.spare.take().unwrap_or_else(|| Vec::with_capacity(CHUNK));
            self.chunks.push_back(chunk);
        }
        if let Some(chunk) = self.chunks.back_mut() {
            chunk.push(message);
        }
        self.end += 1;
    }

    /// The number of the next message to come.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// Message number `number`, which must be kept.
    pub(crate) fn at(&self, number: u64) -> &Message {
        let position = (number - self.base) as usize;
        &self.chunks[position / CHUNK][position % CHUNK]
    }

    /// The messages from number `from` on.
    pub(crate) fn from(&self, from: u64) -> impl Iterator<Item = &Message> {
        let skipped = (from.max(self.first) - self.base) as usize;
        let chunks = self.chunks.iter().skip(skipped / CHUNK).enumerate();
        chunks.flat_map(move |(i, chunk)| &chunk[if i == 0 { skipped % CHUNK } else { 0 }..])
    }

    /// Forgets the messages before number `first`.
    pub(crate) fn forget_before(&mut self, first: u64) {
        self.first = self.first.max(first);
        while self.base + CHUNK as u64 <= self.first {
            let Some(mut chunk) = self.chunks.pop_front() else { return };
            self.base += CHUNK as u64;
            chunk.clear();
            self.spare = Some(chunk);
        }
    }

    /// Bytes that are taken.
    pub(crate) fn bytes(&self) -> usize {
        self.chunks.len() * CHUNK * size_of::<Message>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(number: u64) -> Message {
        let sent = SimTime::from_nanos(number);
        Message { sent, number, draw_key: 0, label: Label::default(), class: 0 }
    }

    #[test]
    fn what_is_kept_is_found_by_its_number() {
        let mut log = Log::default();
        let mut kept = 0;
        for number in 0..5_000 {
            log.push(message(number));
            if number % 3 == 0 {
                kept += 2;
                log.forget_before(kept.min(log.end()));
            }
        }
        assert_eq!(log.end(), 5_000);
        let numbers: Vec<u64> = log.from(kept).map(|message| message.number).collect();
        assert_eq!(numbers, (kept..5_000).collect::<Vec<_>>());
        assert!((kept..5_000).all(|number| log.at(number).number == number));
        let later: Vec<u64> = log.from(4_990).map(|message| message.number).collect();
        assert_eq!(later, (4_990..5_000).collect::<Vec<_>>());
    }

    #[test]
    fn all_can_be_forgotten() {
        let mut log = Log::default();
        (0..CHUNK as u64).for_each(|number| log.push(message(number)));
        log.forget_before(CHUNK as u64);
        assert_eq!((log.from(CHUNK as u64).count(), log.bytes()), (0, 0));
        log.push(message(CHUNK as u64));
        assert_eq!(log.at(CHUNK as u64).number, CHUNK as u64);
    }

    #[test]
    fn ten_million_messages_take_less_than_half_a_gigabyte() {
        let mut log = Log::default();
        (0..100_000).for_each(|number| log.push(message(number)));
        assert!(log.bytes() / 1_000 <= 64 * 100, "{} bytes for 100,000", log.bytes());
    }
}
