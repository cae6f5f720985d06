//! Messages that were taken one by one: hidden from others for a while, and back if nobody has dealt with them by then.
//!
//! Source: Amazon SQS, *visibility timeout* and *dead-letter queues*.

use sim_core::{Calendar, Key, SimTime};

use super::{Fate, Message, QueueAlarm, System, Task};
use crate::system::{Alarm, Packed};

/// A message that somebody has taken out of its line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    pub(super) message: Message,
    /// How often it was handed out. Who holds an older number holds nothing.
    pub(super) receipt: u32,
    /// Attempts that have failed, or came to nothing.
    pub(super) failures: u32,
    /// Whether work for it has begun, and whether it has been done.
    pub(super) is_begun: bool,
    pub(super) is_worked: bool,
    /// Whether it can be taken again.
    pub(super) is_back: bool,
}

impl System<'_> {
    /// Hides what was just taken.
    pub(super) fn hide(
        &mut self,
        group: usize,
        key: Key<Taken>,
        receipt: u32,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) {
        let visibility = self.queues.queues[self.queues.groups[group].queue as usize].plan.visibility;
        if visibility > self.plan.duration {
            return;
        }
        let until = now.saturating_add(visibility);
        let row = &mut self.queues.groups[group];
        row.hidden.push_back((until, key, receipt));
        if !row.is_watched {
            row.is_watched = true;
            self.set_alarm(until, Alarm::Queue(QueueAlarm::Visible(group as u32)), calendar);
        }
    }

    /// Messages that have been hidden long enough can be taken again.
    pub(super) fn look_at_hidden(&mut self, group: usize, now: SimTime, calendar: &mut Calendar<Packed>) {
        loop {
            let row = &mut self.queues.groups[group];
            let Some(&(until, key, receipt)) = row.hidden.front() else {
                row.is_watched = false;
                return;
            };
            let is_held = row.taken.get(key).is_some_and(|taken| taken.receipt == receipt && !taken.is_back);
            if is_held && until > now {
                self.set_alarm(until, Alarm::Queue(QueueAlarm::Visible(group as u32)), calendar);
                return;
            }
            row.hidden.pop_front();
            if is_held {
                if let Some(taken) = row.taken.get_mut(key) {
                    taken.failures += 1;
                }
                self.give_back_taken(group, key, now, calendar);
            }
        }
    }

    /// A message may be taken again; or it is dead, or too old.
    pub(super) fn give_back_taken(
        &mut self,
        group: usize,
        key: Key<Taken>,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) {
        let row = &mut self.queues.groups[group];
        let plan = &self.queues.queues[row.queue as usize].plan;
        let Some(taken) = row.taken.get_mut(key) else { return };
        if taken.is_back {
            return;
        }
        let is_late = taken.message.sent.saturating_add(plan.retention) <= now;
        if taken.failures >= plan.attempts || is_late {
            let fate = if is_late { Fate::Lost } else { Fate::Dead };
            self.end_taken(group, key, fate, now, calendar);
            return;
        }
        taken.is_back = true;
        row.returned.push_back(key);
        if let Some(member) = row.wake(&mut self.queues.members) {
            self.ready.add(Task::Poll(member));
        }
    }

    /// A message that was taken leaves.
    pub(super) fn end_taken(
        &mut self,
        group: usize,
        key: Key<Taken>,
        fate: Fate,
        now: SimTime,
        calendar: &mut Calendar<Packed>,
    ) {
        if let Some(taken) = self.queues.groups[group].taken.remove(key) {
            self.ends(group, &taken.message, fate, now, calendar);
        }
    }
}
