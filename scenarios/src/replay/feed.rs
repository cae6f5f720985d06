//! A metric of a controller with what was recorded of it.

use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::manifest::{Goal, MetricKind, WantedMetric};

use super::recording::Series;

/// What a recorded value says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The load of all replicas together.
    Total,
    /// The mean of what each replica has.
    PerReplica,
    /// The mean share of each replica that is in use, in percent.
    Utilization,
}

/// How a recorded value is to be taken, as far as the reader says so.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Taken {
    /// What it says; by the kind of the metric where nothing is said.
    pub meaning: Option<Meaning>,
    /// Load that one replica carries at 100 %, in units of the recorded value.
    pub capacity: Option<f64>,
    /// What recorded values are multiplied by first.
    pub factor: Option<f64>,
}

/// How the controller is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// The sum over replicas.
    Total,
    /// The mean over replicas.
    PerReplica,
    /// The mean share in use, in percent.
    Percent,
}

/// A metric with its series.
#[derive(Clone, Debug)]
pub struct Feed {
    pub(super) metric: WantedMetric,
    pub(super) series: Arc<Series>,
    pub(super) meaning: Meaning,
    pub(super) told: Told,
    /// What one replica carries at 100 %, in units of the load.
    pub(super) full: Option<f64>,
    /// What one replica carries at its target; nothing where the target does not say.
    pub(super) share: Option<f64>,
    factor: f64,
}

impl Feed {
    /// A metric that is fed by `series`.
    ///
    /// # Errors
    ///
    /// When it is not known what the values mean. The message has no place: it belongs to the command line.
    pub fn new(metric: WantedMetric, series: Arc<Series>, taken: Taken) -> Result<Self, Diagnostic> {
        let goal = metric.goals.first().copied();
        let meaning = taken.meaning.unwrap_or_else(|| usual(&metric, goal));
        let told = told(&metric.kind, goal, meaning, taken.capacity);
        // A share of a replica needs no unit: the whole is 100 %.
        let full = if meaning == Meaning::Utilization { Some(100.0) } else { taken.capacity };
        if told == Told::Percent && full.is_none() {
            let unknown =
                format!("`{}` is held against a share of each replica, and a load is recorded", metric.name);
            return Err(Diagnostic::error(unknown)
                .help("say what one replica carries at 100 % with `--capacity`, or `--value utilization`"));
        }
        let share = goal.and_then(|goal| match (goal, told) {
            (Goal::Utilization(percent) | Goal::Value(percent), Told::Percent) => {
                full.map(|full| full * percent / 100.0)
            }
            (Goal::PerReplica(value), _) | (Goal::Value(value), Told::PerReplica) => Some(value),
            (Goal::Utilization(_) | Goal::Value(_) | Goal::Threshold(_), _) => None,
        });
        Ok(Self { metric, series, meaning, told, full, share, factor: taken.factor.unwrap_or(1.0) })
    }

    /// The recorded value that holds at a time.
    pub(super) fn value(&self, millis: i64, stale_after: i64) -> Option<f64> {
        self.series.at(millis, stale_after).map(|value| value * self.factor)
    }

    /// Whether the load is known whatever the replicas do.
    pub(super) fn is_load(&self) -> bool {
        self.meaning == Meaning::Total
    }

    /// The most that a replica has, where its use cannot exceed 100 %.
    pub(super) fn most(&self) -> f64 {
        let in_use = self.told == Told::Percent || self.meaning == Meaning::Utilization;
        self.full.filter(|_| in_use).unwrap_or(f64::INFINITY)
    }

    /// What a load of each replica is called when the controller is told.
    pub(super) fn tell(&self, total: f64, per_replica: f64) -> f64 {
        match self.told {
            Told::Total => total,
            Told::PerReplica => per_replica,
            Told::Percent => per_replica / self.full.unwrap_or(100.0) * 100.0,
        }
    }

    /// The same as it is held against the target.
    pub(super) fn hold(&self, total: f64, per_replica: f64) -> f64 {
        match (self.told, self.metric.goals.first()) {
            (Told::Total, Some(Goal::PerReplica(_))) => per_replica,
            _ => self.tell(total, per_replica),
        }
    }

    /// `%`, or nothing.
    pub(super) fn unit(&self) -> &'static str {
        if self.told == Told::Percent || self.meaning == Meaning::Utilization { "%" } else { "" }
    }

    /// Replicas that a load needs to be at the target, or below.
    pub(super) fn needed(&self, load: f64) -> Option<i32> {
        // A sum of floating point numbers that should be whole may lie a hair above.
        self.share.map(|share| (load / share - 1e-9).ceil().clamp(0.0, f64::from(i32::MAX)) as i32)
    }
}

/// What the values of a metric usually say.
fn usual(metric: &WantedMetric, goal: Option<Goal>) -> Meaning {
    match (&metric.kind, goal) {
        (MetricKind::Resource | MetricKind::Container(_), Some(Goal::Utilization(_))) => Meaning::Utilization,
        (MetricKind::Statistic, _) if metric.name.contains("Utilization") => Meaning::Utilization,
        (MetricKind::Object | MetricKind::External | MetricKind::Scraped(_), _) => Meaning::Total,
        _ => Meaning::PerReplica,
    }
}

fn told(kind: &MetricKind, goal: Option<Goal>, meaning: Meaning, capacity: Option<f64>) -> Told {
    match (kind, goal) {
        (MetricKind::Resource | MetricKind::Container(_), Some(Goal::Utilization(_))) => Told::Percent,
        (MetricKind::Object | MetricKind::External, Some(Goal::Value(_))) if meaning != Meaning::Total => {
            Told::PerReplica
        }
        (MetricKind::Object | MetricKind::External | MetricKind::Scraped(_), _) => Told::Total,
        // A load of known capacity is told as a share of it: `CPUUtilization`.
        (MetricKind::Statistic, _) if meaning != Meaning::PerReplica && capacity.is_some() => Told::Percent,
        (MetricKind::Statistic, _) if meaning == Meaning::Utilization => Told::Percent,
        (MetricKind::Resource | MetricKind::Container(_) | MetricKind::Pods | MetricKind::Statistic, _) => {
            Told::PerReplica
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(name: &str, kind: MetricKind, goal: Goal, taken: Taken) -> Result<Feed, Diagnostic> {
        Feed::new(WantedMetric { name: name.into(), kind, goals: vec![goal] }, Arc::default(), taken)
    }

    /// 250 requests a second on replicas that carry 100 at most and 50 at the target: 5. At a target of 60 % it is 60:
    /// 4.2, so 5. On 4 replicas that is 62.5 %.
    #[test]
    fn a_load_needs_replicas_by_target_and_capacity() {
        let taken = Taken { meaning: Some(Meaning::Total), capacity: Some(100.0), factor: None };
        let half = feed("cpu", MetricKind::Resource, Goal::Utilization(50.0), taken).expect("a feed");
        assert_eq!((half.needed(250.0), half.needed(250.1)), (Some(5), Some(6)));
        let more = feed("CPUUtilization", MetricKind::Statistic, Goal::Value(60.0), taken).expect("a feed");
        assert_eq!(more.needed(250.0), Some(5));
        assert!((more.tell(250.0, 62.5) - 62.5).abs() < 1e-12 && (more.most() - 100.0).abs() < 1e-12);
        let queue =
            feed("lag", MetricKind::External, Goal::PerReplica(50.0), Taken::default()).expect("a feed");
        assert_eq!(
            (queue.meaning, queue.needed(120.0), queue.most()),
            (Meaning::Total, Some(3), f64::INFINITY)
        );
    }

    #[test]
    fn a_load_without_a_capacity_is_no_share() {
        let taken = Taken { meaning: Some(Meaning::Total), ..Taken::default() };
        let wrong = feed("cpu", MetricKind::Resource, Goal::Utilization(50.0), taken).expect_err("unknown");
        assert!(wrong.help.expect("help").contains("--capacity"));
    }
}
