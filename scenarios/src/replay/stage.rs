//! What a controller finds when it looks: the recorded load on replicas that are there.

use std::collections::BTreeMap;
use std::sync::Arc;

use models::autoscaler::controller::World;
use models::autoscaler::knative::Scraped;
use models::autoscaler::kubernetes::pass::Target;
use models::autoscaler::kubernetes::{
    Container, MetricError, MetricSource, Phase, Pod, Ready, Sample, Template,
};
use models::autoscaler::pipeline::{Pipeline, Reading, Readings};
use sim_core::{SimTime, Span};

use crate::manifest::MetricKind;

use super::feed::{Feed, Told};
use super::score::Score;
use super::time::Millis;
use super::track::Track;
use super::{Loop, Plan};

/// How long the world has been as it begins when the replay begins: every sample that a controller asks for is there.
pub(super) const LEAD: Span = Span::from_nanos(600_000_000_000);
/// What a container requests of everything, in thousandths: large, so that whole percent survive.
const REQUEST: i64 = 100_000_000;
/// The container of pods whose containers no metric names.
const CONTAINER: &str = "main";

/// Replicas under a recorded load.
pub(super) struct Stage<'a> {
    plan: &'a Plan,
    feeds: &'a [Feed],
    /// The time of the recording at the start of the clock.
    zero: Millis,
    now: SimTime,
    set: i32,
    pods: Vec<Pod>,
    next_pod: u32,
    template: Arc<Template>,
    tracks: Vec<Track>,
    pub(super) score: Score,
}

impl<'a> Stage<'a> {
    /// So many ready replicas, [`LEAD`] before the recording begins.
    pub(super) fn new(plan: &'a Plan, feeds: &'a [Feed], begin: Millis, start: i32) -> Self {
        let mut stage = Self {
            plan,
            feeds,
            zero: begin - (LEAD.as_nanos() / 1_000_000) as Millis,
            now: SimTime::ZERO,
            set: 0,
            pods: Vec::new(),
            next_pod: 0,
            template: Arc::new(template(feeds)),
            tracks: feeds.iter().map(|_| Track::default()).collect(),
            score: Score::new(begin),
        };
        stage.grow(start, SimTime::ZERO);
        stage.set = start;
        stage.follow_recorded();
        stage.note();
        stage
    }

    /// The replicas that are set.
    pub(super) fn set(&self) -> i32 {
        self.set
    }

    /// The time of the recording.
    pub(super) fn millis(&self, time: SimTime) -> Millis {
        self.zero + (time.as_nanos() / 1_000_000) as Millis
    }

    fn time(&self, millis: Millis) -> SimTime {
        let since = u64::try_from(millis.saturating_sub(self.zero)).unwrap_or(0);
        SimTime::from_nanos(since.saturating_mul(1_000_000))
    }

    /// Lets time pass. Between two changes everything stays as it is.
    pub(super) fn advance(&mut self, to: SimTime) {
        while self.now < to {
            let next = self.next_change().min(to);
            for track in &mut self.tracks {
                track.pass(next.since(self.now));
            }
            if self.now >= SimTime::ZERO + LEAD {
                self.score.pass(next.since(self.now));
            }
            self.now = next;
            self.follow_recorded();
            for pod in &mut self.pods {
                if let Some(ready) = pod.ready.as_mut() {
                    ready.is |= ready.since <= next;
                }
            }
            self.note();
        }
    }

    /// When a load or the readiness of a pod changes next.
    fn next_change(&self) -> SimTime {
        let millis = self.millis(self.now);
        let series = self.feeds.iter().map(|feed| (&feed.series, self.plan.stale_after));
        let recorded = self.plan.recorded.iter().map(|series| (series, Millis::MAX));
        let changes = series
            .chain(recorded)
            .filter_map(|(series, stale_after)| series.next_change(millis, stale_after));
        let becomes_ready = self.pods.iter().filter_map(|pod| pod.ready).filter(|ready| !ready.is);
        let times = changes.map(|millis| self.time(millis)).chain(becomes_ready.map(|ready| ready.since));
        times.filter(|time| *time > self.now).min().unwrap_or(SimTime::MAX)
    }

    /// Writes down how things stand from now on.
    fn note(&mut self) {
        let ready = self.ready();
        let millis = self.millis(self.now);
        let mut needed = Some(self.plan.fewest);
        for (index, feed) in self.feeds.iter().enumerate() {
            let load = self.load(feed, ready);
            let most = if self.plan.how == Loop::Closed { feed.most() } else { f64::INFINITY };
            let per_replica = load.map(|load| (load / f64::from(ready.max(1))).min(most));
            self.tracks[index].note(self.now, load, per_replica);
            let of_feed = load.filter(|_| self.knows_load(feed)).and_then(|load| feed.needed(load));
            needed = needed.zip(of_feed).map(|(most, one)| most.max(one));
        }
        self.score.note(millis, self.set, ready, needed);
    }

    /// Whether the load is told by the recording alone.
    fn knows_load(&self, feed: &Feed) -> bool {
        feed.is_load() || self.plan.recorded.is_some()
    }

    /// The load of all replicas together.
    fn load(&self, feed: &Feed, ready: i32) -> Option<f64> {
        let value = feed.value(self.millis(self.now), self.plan.stale_after)?;
        if feed.is_load() {
            return Some(value);
        }
        Some(value * f64::from(self.recorded_count().unwrap_or(ready.max(1))))
    }

    fn recorded_count(&self) -> Option<i32> {
        let count = self.plan.recorded.as_ref()?.at(self.millis(self.now), Millis::MAX)?;
        Some(count.round() as i32)
    }

    fn follow_recorded(&mut self) {
        if let (Loop::Recorded, Some(count)) = (self.plan.how, self.recorded_count()) {
            self.resize(count, SimTime::ZERO);
        }
    }

    /// Writes the count that a controller wants.
    pub(super) fn scale(&mut self, to: i32) {
        let ready = match self.plan.how {
            Loop::Closed => self.now.saturating_add(self.plan.startup),
            Loop::Open | Loop::Recorded => SimTime::ZERO,
        };
        self.resize(to, ready);
        self.note();
    }

    fn resize(&mut self, to: i32, ready: SimTime) {
        let there = self.pods.len() as i32;
        if to > there {
            self.grow(to - there, ready);
        } else {
            // The youngest go first, as a ReplicaSet does.
            self.pods.truncate(to.max(0) as usize);
        }
        self.set = to;
    }

    fn grow(&mut self, more: i32, since: SimTime) {
        let started = if since == SimTime::ZERO { SimTime::ZERO } else { self.now };
        for _ in 0..more {
            self.pods.push(Pod {
                id: self.next_pod,
                phase: Phase::Running,
                ready: Some(Ready { is: since <= self.now, since }),
                started: Some(started),
                deleting: false,
                template: self.template.clone(),
            });
            self.next_pod = self.next_pod.wrapping_add(1);
        }
    }

    fn ready(&self) -> i32 {
        self.pods.iter().filter(|pod| pod.is_ready()).count() as i32
    }

    /// What the controller is told of a metric now.
    fn told(&self, index: usize) -> Option<f64> {
        let feed = &self.feeds[index];
        let (total, per_replica) = self.reading(index, self.pipeline(&feed.metric.kind).as_ref())?;
        Some(feed.tell(total, per_replica))
    }

    /// The same as it is held against the target: a load that is divided by the replicas has been.
    pub(super) fn held(&self, index: usize) -> Option<f64> {
        let feed = &self.feeds[index];
        let (total, per_replica) = self.reading(index, self.pipeline(&feed.metric.kind).as_ref())?;
        Some(feed.hold(total, per_replica))
    }

    /// The pipeline between a metric and its reader; none where it is read at once.
    fn pipeline(&self, kind: &MetricKind) -> Option<Pipeline> {
        if self.plan.how != Loop::Closed {
            return None;
        }
        let usual = match kind {
            MetricKind::Resource | MetricKind::Container(_) => Pipeline::metrics_server(),
            MetricKind::External if self.plan.live => Pipeline::live(),
            MetricKind::Pods | MetricKind::Object | MetricKind::External => Pipeline::prometheus(),
            MetricKind::Scraped(_) => Pipeline::live(),
            MetricKind::Statistic => Pipeline { scrape: self.plan.period, ..Pipeline::cloudwatch(true) },
        };
        Some(Pipeline {
            scrape: self.plan.scrape.unwrap_or(usual.scrape),
            delay: self.plan.age.unwrap_or(usual.delay),
            ..usual
        })
    }

    /// The total and the mean over replicas as the newest reading has them.
    fn reading(&self, index: usize, pipeline: Option<&Pipeline>) -> Option<(f64, f64)> {
        let track = &self.tracks[index];
        let Some(pipeline) = pipeline else {
            return track.at(self.now);
        };
        let scrape = pipeline.newest_scrape(self.now)?;
        match self.feeds[index].metric.kind {
            MetricKind::Resource | MetricKind::Container(_) => {
                let (before, last) = looks(pipeline, scrape)?;
                let (total, _) = track.at(last)?;
                Some((total, track.mean(before, last)))
            }
            MetricKind::Statistic => {
                let before = pipeline.scrape_before(scrape)?;
                let (total, _) = track.at(scrape)?;
                Some((total, track.mean(before, scrape)))
            }
            _ => track.at(scrape).filter(|_| pipeline.is_fresh(scrape, self.now)),
        }
    }

    fn find(&self, name: &str, wanted: impl Fn(&MetricKind) -> bool) -> Result<usize, MetricError> {
        let is = |feed: &Feed| *feed.metric.name == *name && wanted(&feed.metric.kind);
        self.feeds.iter().position(is).ok_or(MetricError::Unavailable)
    }

    /// What each pod uses, told from two looks at it where there is a pipeline.
    fn used(&self, index: usize, unit: f64) -> Option<Vec<Sample>> {
        let feed = &self.feeds[index];
        let track = &self.tracks[index];
        let Some(pipeline) = self.pipeline(&feed.metric.kind) else {
            let (_, per_replica) = track.at(self.now)?;
            let value_milli = Pipeline::live().milli(per_replica * unit);
            let sample = |pod: &Pod| Sample { pod: pod.id, at: self.now, window: Span::ZERO, value_milli };
            return Some(self.pods.iter().map(sample).collect());
        };
        let (before, last) = looks(&pipeline, pipeline.newest_scrape(self.now)?)?;
        track.at(last)?;
        let sample = |pod: &Pod| {
            let (started, ready) = (pod.started?, pod.ready?.since);
            let used = |at: SimTime| unit * (track.integral(at.max(ready)) - track.integral(ready));
            let mut readings = Readings::default();
            for at in [before, last].into_iter().filter(|at| *at >= started) {
                readings.take(Reading { at, value: if ready < at { used(at) } else { 0.0 } });
            }
            readings.sample(pod.id, &pipeline)
        };
        Some(self.pods.iter().filter_map(sample).collect())
    }

    /// Something measured at every pod that was ready when it was asked.
    fn measured(&self, index: usize) -> Option<Vec<Sample>> {
        let pipeline = self.pipeline(&self.feeds[index].metric.kind);
        let at = pipeline.as_ref().map_or(Some(self.now), |pipeline| pipeline.newest_scrape(self.now))?;
        let (_, per_replica) = self.reading(index, pipeline.as_ref())?;
        let value_milli = Pipeline::live().milli(per_replica);
        let was_ready = |pod: &&Pod| pod.ready.is_some_and(|ready| ready.since <= at);
        let sample = |pod: &Pod| Sample { pod: pod.id, at, window: Span::ZERO, value_milli };
        Some(self.pods.iter().filter(was_ready).map(sample).collect())
    }

    /// A value that belongs to no pod, in thousandths.
    fn value(&self, name: &str, kind: &MetricKind) -> Result<i64, MetricError> {
        let index = self.find(name, |other| other == kind)?;
        let (total, per_replica) =
            self.reading(index, self.pipeline(kind).as_ref()).ok_or(MetricError::Unavailable)?;
        Ok(Pipeline::live().milli(self.feeds[index].tell(total, per_replica)))
    }
}

/// The last two times at which the source behind a scrape had looked.
fn looks(pipeline: &Pipeline, scrape: SimTime) -> Option<(SimTime, SimTime)> {
    let last = pipeline.looked(scrape);
    let mut before = pipeline.scrape_before(scrape)?;
    while pipeline.looked(before) == last {
        before = pipeline.scrape_before(before)?;
    }
    Some((pipeline.looked(before), last))
}

/// Pods whose containers request enough of everything that is asked for.
fn template(feeds: &[Feed]) -> Template {
    let resources = || {
        let of = |kind: &MetricKind| matches!(kind, MetricKind::Resource | MetricKind::Container(_));
        feeds.iter().filter(move |feed| of(&feed.metric.kind))
    };
    let requests: BTreeMap<Box<str>, i64> =
        resources().map(|feed| (feed.metric.name.clone(), REQUEST)).collect();
    let mut names: Vec<Box<str>> = Vec::new();
    for feed in resources() {
        if let MetricKind::Container(name) = &feed.metric.kind
            && !names.contains(name)
        {
            names.push(name.clone());
        }
    }
    if names.is_empty() {
        names.push(CONTAINER.into());
    }
    let container = |name| Container { name, requests_milli: requests.clone(), restarts_always: false };
    Template { containers: names.into_iter().map(container).collect(), ..Template::default() }
}

impl MetricSource for Stage<'_> {
    fn resource(&self, resource: &str, container: Option<&str>) -> Result<Vec<Sample>, MetricError> {
        let index = self.find(resource, |kind| match (kind, container) {
            (MetricKind::Resource, None) => true,
            (MetricKind::Container(name), Some(container)) => **name == *container,
            _ => false,
        })?;
        let feed = &self.feeds[index];
        let containers = if container.is_some() { 1 } else { self.template.containers.len() };
        // In shares of the request where the target is one, in units of the recording otherwise.
        let unit = match (feed.told, feed.full) {
            (Told::Percent, Some(full)) => (REQUEST * containers as i64) as f64 / 1000.0 / full,
            _ => 1.0,
        };
        self.used(index, unit).ok_or(MetricError::Unavailable)
    }

    fn pods(&self, metric: &str) -> Result<Vec<Sample>, MetricError> {
        let index = self.find(metric, |kind| *kind == MetricKind::Pods)?;
        self.measured(index).ok_or(MetricError::Unavailable)
    }

    fn object(&self, metric: &str) -> Result<i64, MetricError> {
        self.value(metric, &MetricKind::Object)
    }

    fn external(&self, metric: &str) -> Result<Vec<i64>, MetricError> {
        Ok(vec![self.value(metric, &MetricKind::External)?])
    }
}

impl World for Stage<'_> {
    fn target(&self) -> Target<'_> {
        Target { spec_replicas: self.set, status_replicas: self.pods.len() as i32, pods: &self.pods }
    }

    fn scrape(&self) -> Vec<Scraped> {
        let each = |pod: &Scraped| vec![*pod; self.ready() as usize];
        self.scraped(|_, per_replica| per_replica).as_ref().map(each).unwrap_or_default()
    }

    /// Without replicas all requests wait at the activator.
    fn activator(&self) -> Scraped {
        let all = if self.ready() == 0 { self.scraped(|total, _| total) } else { None };
        all.unwrap_or_default()
    }

    fn proxied(&self) -> Option<Span> {
        Some(Span::ZERO)
    }

    fn statistic(&self, metric: &str) -> Option<f64> {
        let index = self.find(metric, |kind| *kind == MetricKind::Statistic).ok()?;
        self.told(index)
    }
}

impl Stage<'_> {
    fn scraped(&self, of: fn(f64, f64) -> f64) -> Option<Scraped> {
        let index = self.feeds.iter().position(|feed| matches!(feed.metric.kind, MetricKind::Scraped(_)))?;
        let (total, per_replica) =
            self.reading(index, self.pipeline(&self.feeds[index].metric.kind).as_ref())?;
        let value = of(total, per_replica);
        Some(Scraped { concurrency: value, rps: value, ..Scraped::default() })
    }
}
