//! `ScaledJob`: jobs that are started for what waits in a queue and never stopped.
//!
//! Source: kedacore/keda, `apis/keda/v1alpha1/scaledjob_types.go`, `pkg/scaling/executor/scale_jobs.go`,
//! `pkg/scaling/scaledjob/metrics.go`.

use sim_core::Span;

use super::super::kubernetes::seconds;

/// A `ScaledJob`.
#[derive(Clone, Debug, PartialEq)]
pub struct ScaledJob {
    /// Time between two looks at the triggers. `pollingInterval`, 30 s.
    pub polling_interval: Span,
    /// Jobs that always run. `minReplicaCount`, 0.
    pub min_replicas: Option<i32>,
    /// Most jobs. `maxReplicaCount`, 100.
    pub max_replicas: Option<i32>,
    /// How running jobs are counted.
    pub strategy: JobStrategy,
    /// How several triggers become one.
    pub fold: Fold,
}

impl Default for ScaledJob {
    fn default() -> Self {
        Self {
            polling_interval: seconds(30),
            min_replicas: None,
            max_replicas: None,
            strategy: JobStrategy::Default,
            fold: Fold::Max,
        }
    }
}

/// Jobs at most, where nothing is said.
const MOST_JOBS: i64 = 100;

impl ScaledJob {
    /// Jobs that always run; never more than the most.
    pub fn min(&self) -> i64 {
        let min = self.min_replicas.map_or(0, i64::from);
        self.max_replicas.map_or(min, |max| min.min(i64::from(max)))
    }

    /// Jobs that may run beside those. Where nothing is said of the most, the fewest are not taken off; where the
    /// fewest are more than the most, neither.
    pub fn max(&self) -> i64 {
        match (self.max_replicas, self.min_replicas) {
            (None, _) => MOST_JOBS,
            (Some(max), Some(min)) if min > max => i64::from(max),
            (Some(max), _) => i64::from(max) - self.min(),
        }
    }
}

/// How running jobs are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum JobStrategy {
    /// `default`: each stands for a message that is still in the queue.
    #[default]
    Default,
    /// `custom`: a fixed number and a share of them do.
    Custom {
        /// `customScalingQueueLengthDeduction`
        deduction: i64,
        /// `customScalingRunningJobPercentage`, from 0 to 1.
        share: f64,
    },
    /// `accurate`: a running job has taken its message out of the queue.
    Accurate,
    /// `eager`: all slots are used as soon as there is anything to do.
    Eager,
}

impl JobStrategy {
    /// The strategy of a manifest. A `custom` one whose share is not a number is the default one, as is a name that
    /// is not known.
    pub fn named(name: &str, deduction: Option<i64>, share: Option<&str>) -> Self {
        match (name, share.map(str::parse)) {
            ("custom", Some(Ok(share))) => Self::Custom { deduction: deduction.unwrap_or(0), share },
            ("accurate", _) => Self::Accurate,
            ("eager", _) => Self::Eager,
            _ => Self::Default,
        }
    }

    /// How many jobs may be started, and how many are asked for.
    ///
    /// `most` is what the queue asks for, `running` counts jobs that have not ended without those that always run,
    /// `pending` those of them without a running pod, and `cap` how many may run.
    pub fn limits(self, most: i64, running: i64, pending: i64, cap: i64, scale_to: i64) -> (i64, i64) {
        match self {
            Self::Default => (most - running, scale_to),
            Self::Custom { deduction, share } => {
                let counted = (running as f64 * share) as i64;
                ((most - deduction - counted).min(cap), scale_to)
            }
            Self::Accurate if most + running - pending > cap => (cap - running, scale_to),
            Self::Accurate => (most - pending, scale_to),
            Self::Eager => ((cap - running - pending).min(most), cap),
        }
    }
}

/// How several triggers become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fold {
    /// The one with the longest queue.
    #[default]
    Max,
    /// The one with the shortest queue.
    Min,
    /// Their mean.
    Avg,
    /// Their sum.
    Sum,
}

/// What a trigger says of its queue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Queue {
    /// Messages in it.
    pub length: f64,
    /// Messages for one job.
    pub target: f64,
    /// Whether the trigger is active.
    pub active: bool,
}

/// What all triggers say together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// Whether there is anything to do.
    pub active: bool,
    /// Jobs that are asked for.
    pub scale_to: i64,
    /// Jobs that the queues ask for at most.
    pub most: i64,
}

/// Triggers folded into one; those that are not active have no say.
pub fn fold(job: &ScaledJob, queues: &[Queue]) -> Demand {
    let cap = job.max() as f64;
    let active = || queues.iter().filter(|queue| queue.active);
    let most = |queue: &Queue| (queue.length / queue.target).min(cap);
    let (length, most) = match job.fold {
        Fold::Max | Fold::Min => {
            let mut chosen: Option<&Queue> = None;
            for queue in active() {
                let better = match (job.fold, chosen) {
                    (Fold::Min, None) => true,
                    (Fold::Min, Some(best)) => best.length == 0.0 || queue.length < best.length,
                    (_, best) => queue.length > best.map_or(0.0, |best| best.length),
                };
                if better {
                    chosen = Some(queue);
                }
            }
            chosen.map_or((0.0, 0.0), |queue| (queue.length, most(queue)))
        }
        Fold::Avg | Fold::Sum => {
            let count = active().count().max(1) as f64;
            let share = if job.fold == Fold::Avg { count } else { 1.0 };
            let length: f64 = active().map(|queue| queue.length).sum();
            (length / share, active().map(most).sum::<f64>() / share)
        }
    };
    let any = match job.fold {
        Fold::Max => active().any(|queue| queue.length > 0.0),
        _ => active().next().is_some(),
    };
    Demand { active: any || job.min() > 0, scale_to: length.ceil() as i64, most: most.min(cap).ceil() as i64 }
}

/// What one look decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// Jobs that may be started; can be below zero.
    pub effective_max: i64,
    /// Jobs that are asked for.
    pub scale_to: i64,
}

impl Start {
    /// Jobs to start.
    pub fn jobs(self) -> i64 {
        self.scale_to.min(self.effective_max).max(0)
    }
}

/// Jobs to start, given how many run and how many of those have no running pod yet.
pub fn decide(job: &ScaledJob, demand: &Demand, running: i64, pending: i64) -> Start {
    let min = job.min();
    if running < min {
        return Start { effective_max: min - running, scale_to: min - running };
    }
    let (effective_max, scale_to) =
        job.strategy.limits(demand.most, running - min, pending, job.max(), demand.scale_to);
    Start { effective_max, scale_to }
}
