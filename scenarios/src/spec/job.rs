//! Jobs as written.

use super::{At, DistributionSpec, List, Name, Required, StepSpec, Text, Time, spec, words};

spec! {
    /// Work that no caller waits for: what is done for the messages of a queue, or what starts by itself, on a clock or
    /// on a condition. It runs on the replicas of a service and uses what they have, as requests do; of `workers`, only
    /// the consumers of a queue take one. Where a run is under way, none starts.
    JobSpec: "a job" {
        /// The service on whose replicas it runs.
        service: Required<At<Name>>,
        /// When its clock begins to tick, and without `every` does so once; with `when` alone, from when on it counts.
        /// Counted from the start of the run, or from when the replica is ready. A distribution is drawn for each
        /// replica, so that they do not all start together.
        at: Option<DistributionSpec<Time>> => "after one `every`; with `when` alone, at once" (""),
        /// Time from one start to the next, on a clock: `60s`, or `{exp: 1h}` for random ones. It goes on while a run
        /// is under way, so a run that takes longer makes it miss one. Variants meet the same times.
        every: Option<DistributionSpec<Time>> => "it has no clock" (""),
        /// What must hold: a formula over levels, such as `heap.free < 20%`. With `every` it is looked at when the
        /// clock ticks. Without, a run starts at the moment it begins to hold, and again when a run has ended and it
        /// still holds.
        when: Option<At<Text>> => "nothing" (""),
        /// What has runs of its own: each `replica`, or the `service`, which runs it on the first replica that is
        /// ready.
        per: At<OnceInWord> = "replica" ("the JVM collects garbage in each process, cron runs on each machine"),
        /// The steps of one run: of a queue's consumers, what is done for one message.
        do_steps ["do"]: Required<List<StepSpec>>,
    }
}

words! {
    /// What has runs of its own.
    OnceInWord: "`replica` or `service`" {
        /// Each replica has its own clock and its own condition.
        Replica = "replica",
        /// The service has one clock and one run at a time.
        Service = "service",
    }
}
