//! What is in flight: requests, the frames in which they run, and the calls that a policy watches over.

use sim_core::{Key, SimTime};

use crate::attribute::Label;
use crate::blueprint::{CallId, Outcome};
use crate::policy::Permit;

/// Stands for "none" where an index is kept.
pub(super) const NONE: u32 = u32::MAX;

pub(super) type FrameKey = Key<Frame>;

/// A request: what a traffic sends into the system.
///
/// It stays until the last frame that works for it is gone, which may be long after it was answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    /// Its traffic.
    pub(super) traffic: u32,
    /// The user who sent it, of a closed traffic.
    pub(super) user: u32,
    /// When it was meant to start.
    pub(super) start: SimTime,
    /// Frames that work for it.
    pub(super) frames: u32,
    /// Attempts that its traffic has made.
    pub(super) attempts: u32,
    /// How many requests it stands for in the account of where the time goes; 0 if it is not looked at.
    pub(super) weight: u32,
    /// Its key, tenant and user.
    pub(super) label: Label,
    /// Its class.
    pub(super) class: u16,
    /// Whether its traffic has its outcome.
    pub(super) ended: bool,
}

impl Request {
    /// A request of nobody.
    pub(super) fn blank() -> Self {
        Self {
            traffic: NONE,
            user: NONE,
            start: SimTime::ZERO,
            frames: 0,
            attempts: 0,
            weight: 0,
            label: Label::default(),
            class: 0,
            ended: true,
        }
    }
}

/// What a frame is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// About to run its next operation.
    Ready,
    /// On its way to the service.
    Travelling,
    /// Waiting for a pool: `at` is the instance.
    Queued,
    /// In a step that takes its time.
    Delayed,
    /// On the cores: `at` is the instance.
    Computing,
    /// Waiting for a core of an event loop: `at` is the instance.
    CoreQueued,
    /// Waiting for the reply to a call.
    Calling,
    /// Waiting for branches.
    Joining,
    /// Waiting before the next attempt.
    BackingOff,
    /// Waiting for an end of the calls that its caller has in flight.
    Limited,
    /// Waiting for units of a rate: `at` is the instance.
    Metered,
    /// Waiting until somebody gives to a volume: `at` is the tank.
    Blocked,
    /// Served in a batch.
    Batched,
    /// Waiting for what somebody else fetches for a cache: `at` is the group.
    Awaiting,
    /// Waiting for room on a queue: `at` is the queue.
    Sending,
    /// In a pause: `at` is what stands still.
    Pausing,
}

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A request at an endpoint of a service.
    Endpoint,
    /// A branch of an `all` step: runs on its parent's replica.
    Branch,
    /// A call that a policy watches over: its children are the attempts, `at` is its [`Watch`].
    Call,
    /// A reply on its way back, carrying `outcome`.
    Reply,
    /// Opens a connection for nobody.
    Opener,
    /// A run of a job, which nobody waits for.
    Job,
    /// Fetches an answer for a cache, on nobody's behalf.
    Refresher,
}

/// Who waits for a frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    /// The frame; [`Key::NONE`] for nobody, or for the request itself if `epoch` is [`Link::REQUEST`].
    pub(super) parent: FrameKey,
    /// What the parent was waiting for: its epoch, or the number of the attempt.
    pub(super) epoch: u32,
}

impl Link {
    const REQUEST: u32 = u32::MAX;

    /// Nobody waits.
    pub(super) const NOBODY: Self = Self { parent: Key::NONE, epoch: 0 };

    /// The traffic waits.
    pub(super) const TO_TRAFFIC: Self = Self { parent: Key::NONE, epoch: Self::REQUEST };

    /// Whether nobody waits.
    pub(super) fn is_to_nobody(self) -> bool {
        self.parent.is_none() && self.epoch != Self::REQUEST
    }

    /// Whether the traffic itself waits.
    pub(super) fn is_to_traffic(self) -> bool {
        self.parent.is_none() && self.epoch == Self::REQUEST
    }
}

/// A request at an endpoint, a branch of it, or a call under a policy: one node of the call tree.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// The next operation.
    pub(super) pc: u32,
    /// The replica it runs on (of a call: the caller's).
    pub(super) replica: u32,
    /// Its request.
    pub(super) request: u32,
    /// The call that made it, which names its endpoint. A branch has that of its parent.
    pub(super) call: CallId,
    /// Who waits for it.
    pub(super) link: Link,
    /// Counts what it has waited for: a reply to something older is not for it.
    pub(super) epoch: u32,
    /// Instance or record that its state refers to.
    pub(super) at: u32,
    /// When it reached the service.
    pub(super) arrived: SimTime,
    /// When its current wait began.
    pub(super) since: SimTime,
    /// When its caller sent it.
    pub(super) sent: SimTime,
    /// Names the current burst to its cores; of an opener, the instance that it opens for.
    pub(super) ticket: u32,
    /// When it gives up waiting for a pool.
    pub(super) patience: SimTime,
    /// Names its place in the call tree for its draws.
    pub(super) draw_key: u64,
    /// Rounds of `repeat` that it has begun: part of the names of its draws.
    pub(super) round: u32,
    /// Innermost record of what it holds.
    pub(super) holds: u32,
    /// Innermost record of the rounds left.
    pub(super) loops: u32,
    /// Its first child in the call tree.
    pub(super) first_child: u32,
    /// Its siblings there.
    pub(super) next_sibling: u32,
    /// See `next_sibling`.
    pub(super) previous_sibling: u32,
    /// Branches still out.
    pub(super) pending: u32,
    /// Answers still needed from them.
    pub(super) needed: u32,
    /// The caller's balancer that counts it as outstanding.
    pub(super) balancer: u32,
    /// Its account of where the time goes.
    pub(super) account: u32,
    /// Depth in the call tree.
    pub(super) depth: u32,
    /// Outcome of the first branch that failed, or that a reply carries.
    pub(super) outcome: Outcome,
    /// The poorest answer that it has got: its own can be no better.
    pub(super) quality: Outcome,
    /// What it is doing.
    pub(super) state: State,
    /// What it is.
    pub(super) kind: Kind,
    /// Whether the last fork stops its remaining branches.
    pub(super) cancels: bool,
    /// Whether it has answered already and merely runs on.
    pub(super) replied: bool,
}

/// Units of a pool that a frame holds, above those it took before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    /// The instance; [`NONE`] for a fetch for a cache, whose number is in `units`.
    pub(super) instance: u32,
    /// How many units.
    pub(super) units: u32,
    /// How many were in use then, its own included.
    pub(super) in_use: u32,
    /// Since when.
    pub(super) since: SimTime,
    /// The record below.
    pub(super) outer: u32,
    /// The connection in the slot; [`NONE`] if there is none.
    pub(super) connection: u32,
}

impl Arena<Held> {
    /// What a frame holds, by the record that was made last.
    pub(super) fn below(&self, last: u32) -> impl Iterator<Item = &Held> {
        let record = |at: u32| (at != NONE).then(|| self.peek(at));
        std::iter::successors(record(last), move |held| record(held.outer))
    }
}

/// Rounds that a `repeat` has left, above those of the loops around it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rounds {
    pub(super) left: u32,
    pub(super) outer: u32,
}

/// What a policy knows about a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watch {
    /// The call.
    pub(super) call: CallId,
    /// What its caller remembers of the policy.
    pub(super) memory: u32,
    /// Whose figures it counts in.
    pub(super) usage: u32,
    /// Attempts begun.
    pub(super) attempts: u32,
    /// Copies sent of the present attempt.
    pub(super) copies: u32,
    /// Copies sent of all attempts.
    pub(super) sent: u32,
    /// First of the copies that are out, the oldest first.
    pub(super) flights: u32,
    /// The replica that it was sent to last, and those before; kept only where they are to be avoided.
    pub(super) tried: u32,
    /// The last back-off, in nanoseconds.
    pub(super) backoff: u64,
    /// When the present attempt was sent.
    pub(super) since: SimTime,
    /// When the next copy is to be sent.
    pub(super) hedge_at: SimTime,
    /// When all attempts together must have ended.
    pub(super) deadline: SimTime,
    /// Until when whoever asked its caller wants an answer.
    pub(super) inherited: SimTime,
    /// Leave of the breaker to make the present attempt.
    pub(super) permit: Option<Permit>,
    /// Whether the present attempt is one of those in flight that a limit counts.
    pub(super) in_flight: bool,
    /// Whether it counts among its caller's retries.
    pub(super) retrying: bool,
    /// Whether its fallback runs.
    pub(super) falls_back: bool,
}

/// A copy of an attempt that is out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flight {
    /// Its number among all copies of the call: what its answer is known by.
    pub(super) number: u32,
    /// Its number among the copies of the attempt: 0 is the first.
    pub(super) copy: u32,
    /// Its frame.
    pub(super) frame: FrameKey,
    /// When it was sent.
    pub(super) since: SimTime,
    /// When it times out.
    pub(super) timeout: SimTime,
    /// The next copy that is out.
    pub(super) next: u32,
}

/// A replica that a call was sent to.
#[derive(Clone, Copy, Debug)]
pub(super) struct TriedReplica {
    /// Its number in its service.
    pub(super) local: u32,
    /// The one before.
    pub(super) before: u32,
}

/// Records that frames link together, reused after they are given back.
#[derive(Clone, Debug)]
pub(super) struct Arena<T> {
    rows: Vec<T>,
    free: Vec<u32>,
}

impl<T: Clone> Arena<T> {
    pub(super) fn new() -> Self {
        Self { rows: Vec::new(), free: Vec::new() }
    }

    #[inline]
    pub(super) fn insert(&mut self, row: T) -> u32 {
        if let Some(index) = self.free.pop() {
            self.rows[index as usize] = row;
            index
        } else {
            self.rows.push(row);
            (self.rows.len() - 1) as u32
        }
    }

    /// A row filled with whatever is at hand, for the caller to write over in place: what it owns is used again.
    pub(super) fn claim(&mut self, filler: impl FnOnce() -> T) -> (u32, &mut T) {
        let index = self.free.pop().unwrap_or_else(|| {
            self.rows.push(filler());
            (self.rows.len() - 1) as u32
        });
        (index, &mut self.rows[index as usize])
    }

    /// Gives back a row whose content is of no use any more.
    pub(super) fn vacate(&mut self, index: u32) {
        self.free.push(index);
    }

    /// Puts a row where its number says; for those who take rows over from another arena.
    pub(super) fn insert_at(&mut self, index: u32, row: T) {
        let beyond = self.rows.len() as u32..index;
        if (index as usize) < self.rows.len() {
            self.free.retain(|&free| free != index);
            self.rows[index as usize] = row;
        } else {
            self.free.extend(beyond);
            self.rows.resize(index as usize + 1, row);
        }
    }

    #[inline]
    pub(super) fn remove(&mut self, index: u32) -> T {
        self.free.push(index);
        self.rows[index as usize].clone()
    }

    #[inline]
    pub(super) fn at(&mut self, index: u32) -> &mut T {
        &mut self.rows[index as usize]
    }

    /// All rows, those that were given back too.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.rows.iter()
    }

    #[inline]
    pub(super) fn peek(&self, index: u32) -> &T {
        &self.rows[index as usize]
    }

    /// Rows at the high-water mark.
    pub(super) fn high_water(&self) -> usize {
        self.rows.len()
    }
}
