//! The call tree: starting calls, answers upwards and cancellation downwards.

use sim_core::{Calendar, SimTime, mix};

use super::frame::{Frame, Kind, Link, NONE, State};
use super::visit::{Sent, Visitor};
use super::{Packed, System};
use crate::blueprint::{CallId, Outcome};
use crate::observe::Ended;

/// Frames that one event may make without a look at the room that they take.
const FEW: u32 = 1_000;

/// What an answer means for the frame that waited for it.
#[derive(Clone, Copy)]
pub(super) enum Next {
    /// It can go on.
    Run(u32),
    /// It ends with this outcome.
    Finish(u32, Outcome),
    /// Nothing yet.
    Wait,
}

/// A call that is about to be sent.
pub(super) struct Made {
    pub(super) call: CallId,
    /// The calling replica, or the one that stands for a traffic's clients.
    pub(super) caller: u32,
    pub(super) request: u32,
    /// Who waits for it.
    pub(super) link: Link,
    pub(super) draw_key: u64,
    /// Depth of the caller in the call tree.
    pub(super) depth: u32,
}

impl System<'_> {
    // The tree ---------------------------------------------------------------------------------------------

    #[inline]
    /// Opens a blank frame that works for `request`, for which `link` waits.
    ///
    /// It is filled in place: built elsewhere and moved, every field would be stored twice.
    pub(super) fn open_frame(&mut self, request: u32, link: Link, now: SimTime) -> (u32, &mut Frame) {
        let row = self.requests.at_mut(request);
        row.frames += 1;
        let account = if row.weight > 0 { self.trace_begin(request, link, now) } else { NONE };
        let (key, frame) = self.frames.claim(Frame::blank);
        self.deadlines.set(key.index(), sim_core::SimTime::MAX);
        *frame = Frame::blank();
        frame.account = account;
        frame.request = request;
        frame.link = link;
        frame.arrived = now;
        (key.index(), frame)
    }

    /// Makes `child` the first child of `parent`.
    #[inline]
    pub(super) fn adopt(&mut self, parent: u32, child: u32) {
        let row = self.frames.at_mut(parent);
        let next = std::mem::replace(&mut row.first_child, child);
        if next != NONE {
            self.frames.at_mut(next).previous_sibling = child;
        }
        self.frames.at_mut(child).next_sibling = next;
    }

    /// Takes a frame out of the call tree: nobody waits for it any more.
    #[inline]
    pub(super) fn leave_parent(&mut self, index: u32) {
        let frame = self.frames.at_mut(index);
        let parent = std::mem::replace(&mut frame.link, Link::NOBODY).parent;
        if parent.is_none() {
            return;
        }
        let next = std::mem::replace(&mut frame.next_sibling, NONE);
        let previous = std::mem::replace(&mut frame.previous_sibling, NONE);
        if next != NONE {
            self.frames.at_mut(next).previous_sibling = previous;
        }
        if previous != NONE {
            self.frames.at_mut(previous).next_sibling = next;
        } else if let Some(parent) = self.frames.get_mut(parent)
            && parent.first_child == index
        {
            parent.first_child = next;
        }
    }

    /// Lets the children of a frame run on for nobody.
    #[inline]
    pub(super) fn orphan_children(&mut self, index: u32) {
        let mut child = std::mem::replace(&mut self.frames.at_mut(index).first_child, NONE);
        while child != NONE {
            let row = self.frames.at_mut(child);
            child = std::mem::replace(&mut row.next_sibling, NONE);
            row.previous_sibling = NONE;
            row.link = Link::NOBODY;
        }
    }

    /// Removes a frame that was stopped.
    fn forget(&mut self, index: u32, now: SimTime) {
        let request = self.frames.at(index).request;
        self.forget_records(index, Outcome::CANCELLED, now);
        self.frames.vacate(index);
        self.drop_request(request);
    }

    /// Removes the records that a frame, which ends with `outcome`, keeps beside itself.
    pub(super) fn forget_records(&mut self, index: u32, outcome: Outcome, now: SimTime) {
        let frame = self.frames.at(index);
        let (mut loops, account) = (frame.loops, frame.account);
        let watch = if frame.kind == Kind::Call { frame.at } else { NONE };
        if account != NONE {
            self.trace_end(index, outcome, now);
        }
        if watch != NONE {
            self.forget_watch(watch);
        }
        while loops != NONE {
            loops = self.rounds.remove(loops).outer;
        }
    }

    #[inline]
    pub(super) fn drop_request(&mut self, request: u32) {
        let row = self.requests.at_mut(request);
        row.frames -= 1;
        if row.frames == 0 && row.ended {
            self.requests.vacate(request);
        }
    }

    // Calls ------------------------------------------------------------------------------------------------

    /// Makes the call that a step asks for. Returns the frame to go on with.
    pub(super) fn call(
        &mut self,
        index: u32,
        call: CallId,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> Option<u32> {
        let key = self.frames.key_of(index);
        let frame = self.frames.at_mut(index);
        frame.state = State::Calling;
        let (caller, request, depth) = (frame.replica, frame.request, frame.depth);
        let link = Link { parent: key, epoch: frame.epoch };
        let round = u64::from(frame.round).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        let salt = self.plan.calls[call.index()].salt;
        let draw_key = mix(frame.draw_key ^ salt.wrapping_add(round));
        let made = || Made { call, caller, request, link, draw_key, depth };
        if let Some(leaf) = self.short_way(call, self.requests.at(request).weight) {
            return self.call_leaf(leaf, &made(), now, calendar);
        }
        self.spawn(&made(), now, calendar)
    }

    /// Starts a call for whoever `link` names. Returns the frame to run, if it can run already.
    #[inline]
    pub(super) fn spawn(
        &mut self,
        made: &Made,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> Option<u32> {
        match self.plan.calls[made.call.index()].policy {
            Some(policy) => self.call_under(policy, made, now, calendar),
            None => self.attempt(made, None, now, calendar),
        }
    }

    /// Sends a request to an endpoint; to a replica that the call watched as `avoids` was not sent to yet, if there is
    /// one.
    #[inline]
    pub(super) fn attempt(
        &mut self,
        made: &Made,
        avoids: Option<u32>,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> Option<u32> {
        if self.goes_too_deep(made.depth) {
            return None;
        }
        let Made { call, caller, request, link, draw_key, .. } = *made;
        if self.deadlines.has_passed(link.parent, now) {
            return Some(self.refuse_late(request, caller, link, now));
        }
        let (replica, balancer) = match avoids {
            None => self.choose_replica(caller, call, request, draw_key, now),
            Some(watch) => {
                let tried = self.watches.at(watch).tried;
                let chosen = self.choose_untried(caller, call, request, draw_key, tried, now);
                self.add_tried(watch, self.replicas[chosen.0 as usize].local);
                chosen
            }
        };
        self.enter_service(made, replica, balancer, now, calendar)
    }

    /// Whether a caller at this depth may call no further: the call is never made, and the run ends at the next look.
    #[inline]
    fn goes_too_deep(&mut self, depth: u32) -> bool {
        let is_deep = depth >= self.plan.limits.call_depth;
        if is_deep {
            self.halt = Some(Ended::CallDepth);
        }
        is_deep
    }

    /// Whether there is room for so many frames more, of which one event wants to make all. Where there is none they are
    /// never made, and the run ends at the next look: it comes too late for what grows so fast.
    pub(super) fn has_room_for(&mut self, frames: u32, calendar: &Calendar<Packed>) -> bool {
        if frames <= FEW {
            return true;
        }
        let more = u64::from(frames) * size_of::<Frame>() as u64;
        let has_room = self.bytes(calendar) + more <= self.plan.limits.memory;
        if !has_room {
            self.halt = Some(Ended::MemoryLimit);
        }
        has_room
    }

    /// Sends a call the short way, or the long one if the leaf cannot take it.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "what is sent is made only to be taken apart")]
    pub(super) fn call_leaf(
        &mut self,
        leaf: u32,
        made: &Made,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> Option<u32> {
        let Made { call, caller, request, link, draw_key, depth } = *made;
        if self.goes_too_deep(depth) {
            return None;
        }
        let (replica, balancer) = self.choose_for_leaf(leaf, caller, call, draw_key, now);
        let class = self.requests.at(request).class;
        let sent = Sent { visitor: Visitor::frame(link), class, replica, balancer, draw_key };
        if self.visit(leaf, sent, now, calendar) {
            return None;
        }
        let made = Made { call, caller, request, link, draw_key, depth };
        self.enter_service(&made, replica, balancer, now, calendar)
    }

    /// Opens the frame of a request at the service that it is sent to.
    pub(super) fn enter_service(
        &mut self,
        made: &Made,
        replica: u32,
        balancer: u32,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> Option<u32> {
        let plan = self.plan;
        let call = &plan.calls[made.call.index()];
        let endpoint = &plan.endpoints[call.endpoint.index()];
        let (index, row) = self.open_frame(made.request, made.link, now);
        row.pc = endpoint.entry.0;
        row.replica = replica;
        row.call = made.call;
        row.draw_key = made.draw_key;
        row.depth = made.depth + 1;
        row.balancer = balancer;
        row.sent = now;
        if !made.link.parent.is_none() {
            self.adopt(made.link.parent.index(), index);
        }
        self.deadlines.pass(made.link.parent, index);
        if call.takes_time() {
            self.travel(index, now, calendar);
            return None;
        }
        self.services[endpoint.service.index()].present.enter(now);
        self.receive(index, replica, now);
        Some(index)
    }

    // The network ------------------------------------------------------------------------------------------

    /// Sends the answer on its way: a frame of its own, so that the callee need not wait for its arrival.
    pub(super) fn send_reply(
        &mut self,
        from: u32,
        link: Link,
        outcome: Outcome,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) {
        let frame = *self.frames.at(from);
        self.frames.at_mut(from).balancer = NONE; // The answer on its way still counts as outstanding.
        let end = self.end_address;
        let (index, row) = self.open_frame(frame.request, link, now);
        row.replica = frame.replica;
        row.call = frame.call;
        row.draw_key = frame.draw_key;
        row.depth = frame.depth;
        row.pc = end;
        row.kind = Kind::Reply;
        row.outcome = outcome;
        row.balancer = frame.balancer;
        row.sent = frame.sent;
        if let Some(watcher) = self.frames.get(link.parent).filter(|parent| parent.kind == Kind::Call) {
            // The policy watches over the answer now.
            let (watch, key) = (watcher.at, self.frames.key_of(index));
            self.follow_answer(watch, link.epoch, key);
        }
        if self.frames.contains(link.parent) {
            self.adopt(link.parent.index(), index);
        }
        self.trace_hand_over(from, index);
        self.travel(index, now, calendar);
    }

    // Answers ----------------------------------------------------------------------------------------------

    /// Tells whoever waits that frame `from` ended with `outcome`. Returns a frame that can go on.
    ///
    /// A frame that fails because of it ends too, and so on up the tree.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "who is told by a visit is told that it went well, and by no frame"
    )]
    pub(super) fn answer(
        &mut self,
        link: Link,
        from: u32,
        outcome: Outcome,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) -> Option<u32> {
        if link.is_to_traffic() {
            self.complete(self.frames.at(from).request, from, outcome, now, calendar);
            return None;
        }
        let parent = self.frames.get(link.parent)?;
        let index = link.parent.index();
        let next = match parent.kind {
            Kind::Call => self.attempt_ended(index, link.epoch, from, outcome, now, calendar),
            _ if parent.epoch != link.epoch => Next::Wait, // It has moved on: this branch was not needed.
            _ if parent.state == State::Calling => {
                self.trace_take_over(from, index, now);
                let row = self.frames.at_mut(index);
                row.state = State::Ready;
                row.epoch = row.epoch.wrapping_add(1);
                if outcome.is_answer() {
                    row.quality = row.quality.max(outcome);
                    Next::Run(index)
                } else {
                    Next::Finish(index, outcome)
                }
            }
            _ => self.branch_ended(index, from, outcome, now),
        };
        match next {
            Next::Run(next) => Some(next),
            Next::Wait => None,
            Next::Finish(ended, outcome) => self.finish(ended, outcome, now, calendar),
        }
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "most branches are not the last, and only counted")]
    fn branch_ended(&mut self, index: u32, from: u32, outcome: Outcome, now: SimTime) -> Next {
        let row = self.frames.at_mut(index);
        row.pending -= 1;
        if outcome.is_answer() {
            row.needed -= 1;
            row.quality = row.quality.max(outcome);
        } else if row.outcome.is_answer() {
            row.outcome = outcome;
        }
        if (1..=row.pending).contains(&row.needed) {
            return Next::Wait;
        }
        self.branches_decided(index, from, now)
    }

    /// Enough branches have answered, or too few are left to do so.
    #[inline(never)]
    fn branches_decided(&mut self, index: u32, from: u32, now: SimTime) -> Next {
        let row = self.frames.at_mut(index);
        let decided = row.needed == 0;
        let outcome = std::mem::replace(&mut row.outcome, Outcome::OK);
        row.state = State::Ready;
        row.epoch = row.epoch.wrapping_add(1);
        let cancels = row.cancels;
        self.trace_take_over(from, index, now);
        if cancels {
            self.cancel_children(index, now);
        } else {
            self.orphan_children(index);
        }
        if decided { Next::Run(index) } else { Next::Finish(index, outcome) }
    }

    // Cancellation -----------------------------------------------------------------------------------------

    pub(super) fn cancel_children(&mut self, index: u32, now: SimTime) {
        loop {
            let child = self.frames.at(index).first_child;
            if child == NONE {
                return;
            }
            self.cancel(child, now);
        }
    }

    /// Stops a frame and everything below it, wherever it is.
    pub(super) fn cancel(&mut self, index: u32, now: SimTime) {
        self.leave_parent(index);
        let mut doomed = std::mem::take(&mut self.doomed);
        doomed.push(index);
        while let Some(index) = doomed.pop() {
            let mut child = self.frames.at(index).first_child;
            while child != NONE {
                doomed.push(child);
                child = self.frames.at(child).next_sibling;
            }
            self.orphan_children(index);
            self.stop(index, now);
        }
        self.doomed = doomed;
    }

    /// Takes one frame out of whatever it is in, and forgets it.
    fn stop(&mut self, index: u32, now: SimTime) {
        let frame = *self.frames.at(index);
        if frame.account != NONE && self.trace.records() {
            self.record_stop(&frame, now);
        }
        self.leave_wait(index, now);
        if frame.kind == Kind::Call {
            self.leave_policy(index, now);
        }
        if frame.kind == Kind::Endpoint && frame.state != State::Travelling {
            if !frame.replied {
                let endpoint = self.plan.calls[frame.call.index()].endpoint;
                self.endpoints[endpoint.index()].failed += 1;
            }
            let service = self.replicas[frame.replica as usize].service as usize;
            self.services[service].present.leave(frame.arrived, now);
        }
        if frame.kind == Kind::Job {
            self.job_ended(index, Outcome::CANCELLED, true, now);
        }
        self.release_balancer(index, None, now);
        self.release_all(index, Outcome::CANCELLED, now);
        if frame.runs_on_replica() {
            self.leave_replica(frame.replica, now);
        }
        self.forget(index, now);
    }

    /// Takes a frame out of the line that it waits in, or off the cores.
    pub(super) fn leave_wait(&mut self, index: u32, now: SimTime) {
        let frame = *self.frames.at(index);
        match frame.state {
            State::Queued => {
                self.leave_line(index, now);
                self.pools[self.instances[frame.at as usize].pool as usize].cancelled += 1;
            }
            State::Metered => self.leave_rate(index, now).cancelled += 1,
            State::Blocked => self.leave_volume(index, now).cancelled += 1,
            State::Awaiting => self.leave_herd(index, now).cancelled += 1,
            State::Sending => self.leave_senders(index, now),
            State::Computing | State::CoreQueued => self.stop_burst(&frame, index, now),
            State::Pausing => self.resume(index, now),
            _ => {}
        }
    }

    fn stop_burst(&mut self, frame: &Frame, index: u32, now: SimTime) {
        let service = self.replicas[frame.replica as usize].service as usize;
        let cores = frame.at as usize;
        self.cores[cores].advance(now);
        if frame.state == State::Computing {
            let got = self.cores[cores].stop(frame.ticket);
            self.services[service].cores.met += got;
        }
        self.services[service].cores.present.leave(frame.since, now);
        self.frames.at_mut(index).state = State::Ready;
        self.ready.add(super::Task::Cores(frame.at));
    }
}
