//! Times at which a resource looks at itself again.
//!
//! They are rarer than steps and calls, so they share one kind of event, and what they are about stands here. An
//! alarm is never called off: whoever it goes to finds out whether there is still something to do.

use sim_core::{Calendar, SimTime};

use super::frame::FrameKey;
use super::queues::QueueAlarm;
use super::scalers::ScalerAlarm;
use super::{Event, Packed, System};

/// What an alarm is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum Alarm {
    /// The first in line for this instance of a rate may go.
    Rate(u32),
    /// The first in line for this instance of a pool has waited long enough for others.
    Batch(u32),
    /// The batch is done.
    BatchDone(u32),
    /// A connection of the instance may have been idle for too long.
    Fill(u32),
    /// The replica has started, unless it has done something else since.
    Started { replica: u32, life: u32 },
    /// The replica has warmed up, the same.
    Warm { replica: u32, life: u32 },
    /// The replica has had its time to finish what it had, the same.
    Drained { replica: u32, life: u32 },
    /// The replica, which has crashed, begins to start, the same.
    Restart { replica: u32, life: u32 },
    /// The replica fails by its own clock.
    Fails { change: u32, replica: u32 },
    /// The clock of a site ticks, unless it was wound anew since.
    Tick { site: u32, wound: u32 },
    /// The condition of a site is looked at once more in this instant.
    LookAgain(u32),
    /// The condition of a change counts from now on.
    Open(u32),
    /// The pause of this frame is over.
    Resume(FrameKey),
    /// Something about a queue, or those who take messages of it.
    Queue(QueueAlarm),
    /// Something about an autoscaler.
    Scaler { scaler: u32, about: ScalerAlarm },
}

impl System<'_> {
    pub(super) fn set_alarm(&mut self, at: SimTime, alarm: Alarm, calendar: &mut Calendar<Packed>) {
        let alarm = self.alarms.insert(alarm);
        calendar.schedule(at, Event::Alarm(alarm).pack());
    }

    pub(super) fn alarm(&mut self, alarm: u32, now: SimTime, calendar: &mut Calendar<Packed>) {
        match self.alarms.remove(alarm) {
            Alarm::Rate(instance) => self.rate_alarm(instance, now, calendar),
            Alarm::Batch(instance) => self.batch_alarm(instance, now, calendar),
            Alarm::BatchDone(batch) => self.batch_done(batch, now, calendar),
            Alarm::Fill(instance) => self.fill_due(instance, now, calendar),
            Alarm::Started { replica, life } => self.started(replica, life, now, calendar),
            Alarm::Warm { replica, life } => self.warmed(replica, life, now),
            Alarm::Drained { replica, life } => self.drained(replica, life, now, calendar),
            Alarm::Restart { replica, life } => self.restart(replica, life, now, calendar),
            Alarm::Fails { change, replica } => self.fails(change, replica, now, calendar),
            Alarm::Tick { site, wound } => self.tick(site, wound, now, calendar),
            Alarm::LookAgain(site) => self.look_again(site, now),
            Alarm::Open(change) => self.open_change(change),
            Alarm::Resume(key) => self.pause_done(key, now),
            Alarm::Queue(alarm) => self.queue_alarm(alarm, now, calendar),
            Alarm::Scaler { scaler, about } => self.scaler_alarm(scaler, about, now, calendar),
        }
    }
}
