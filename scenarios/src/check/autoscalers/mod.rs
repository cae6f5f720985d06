//! Autoscalers: their law, what its metrics are, and what stands between a decision and a replica.

mod aws;

use std::collections::BTreeMap;
use std::sync::Arc;

use models::autoscaler::controller::{Controller, OwnController, OwnLaw};
use models::autoscaler::knative::ScalingMetric;
use models::autoscaler::knative::collect::SCRAPE_INTERVAL;
use models::autoscaler::kubernetes::{Container, ControllerSettings, Template};
use models::autoscaler::own::{Common, Concurrency, Entry, Latency, QueueDepth, Schedule};
use models::autoscaler::pipeline::{Pipeline, Rounding};
use models::autoscaler::plan::{AutoscalerPlan, Gauge, Nodes, Placement, Signal};
use models::blueprint::{PoolId, PoolPlan, PoolScope, ServiceId};
use sim_core::{SimTime, Span};

use super::{Checker, constant, span};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::expect::figure_of;
use crate::manifest::{self, Block, Law, MetricKind, Scaler, WantedMetric};
use crate::metric::{Figure, Subject};
use crate::scenario::Parts;
use crate::spec::{
    ActivatorSpec, At, AutoscalerSpec, ControllerSpec, MetricGiven, Named, NamedEntry, NodesSpec,
    PipelineSpec, Priced, ScheduleSpec, Text,
};
use crate::tree::{Place, quoted};
use crate::words::{did_you_mean, listed};

/// The laws that an autoscaler can have.
const LAWS: [&str; 11] = [
    "hpa",
    "manifest",
    "keda",
    "knative",
    "aws_target_tracking",
    "aws_step",
    "queue_depth",
    "concurrency",
    "latency",
    "schedule",
    "predictive",
];

/// A law, and what it asks for.
struct Chosen {
    controller: Controller,
    most: i32,
    asks: Vec<Asked>,
}

/// A metric that a law asks for.
struct Asked {
    name: Box<str>,
    kind: MetricKind,
    /// What it is, where the law says so itself.
    path: Option<At<Text>>,
    pipeline: Pipeline,
}

/// What belongs together while one autoscaler is checked.
#[derive(Clone, Copy)]
struct Of<'a> {
    spec: &'a AutoscalerSpec,
    place: Place,
    service: ServiceId,
    parts: &'a Parts,
}

impl Of<'_> {
    fn service_name(&self) -> &str {
        &self.parts.services[self.service.index()].name
    }
}

impl Checker<'_> {
    /// The autoscalers, in the order of their names; with the pools in front of the services that have an activator.
    pub(super) fn all_autoscalers(&mut self, parts: &mut Parts) {
        let mut all: Vec<AutoscalerPlan> = Vec::new();
        let mut pools = Vec::new();
        let spec = self.spec;
        for entry in spec.autoscalers.iter().flat_map(Named::sorted) {
            let Some(mut plan) = self.autoscaler(entry, parts) else { continue };
            if let Some(pool) = self.activator(entry, &plan, parts) {
                plan.activator = Some(PoolId((parts.pools.len() + pools.len()) as u32));
                pools.push(pool);
            }
            if let Some(other) = all.iter().find(|other| other.service == plan.service) {
                let scaled = &parts.services[plan.service.index()].name;
                let message =
                    format!("`{}` and `{}` scale the same service, `{scaled}`", other.name, plan.name);
                self.error(entry.place, message, "keep one of them: each would undo what the other does");
            }
            all.push(plan);
        }
        parts.autoscalers = all;
        parts.pools.extend(pools);
    }

    /// Where requests wait for the activator of an autoscaler, if it has one.
    fn activator(
        &mut self,
        entry: &NamedEntry<AutoscalerSpec>,
        plan: &AutoscalerPlan,
        parts: &Parts,
    ) -> Option<PoolPlan> {
        let given = entry.value.as_ref().and_then(|spec| spec.activator.clone());
        let is_knative = matches!(plan.controller, Controller::Knative(_));
        let usual = || is_knative.then(|| ActivatorSpec::usual(entry.place)).flatten();
        let ActivatorSpec { queue, timeout } = given.or_else(usual)?;
        let service = &parts.services[plan.service.index()].name;
        let name = format!("{service}.activator");
        if parts.pools.iter().any(|pool| pool.name == name) {
            let message =
                format!("`{service}` has a resource `activator`, as what stands in front of it is called");
            self.error(entry.place, message, "call the resource something else");
        }
        Some(PoolPlan {
            queue: queue.value.count,
            timeout: constant(timeout.value.seconds),
            ..PoolPlan::new(format!("services.{name}"), name, 0, PoolScope::One)
        })
    }

    fn autoscaler(&mut self, entry: &NamedEntry<AutoscalerSpec>, parts: &Parts) -> Option<AutoscalerPlan> {
        let spec = entry.value.as_ref()?;
        let service = match &spec.service {
            Some(at) => self.service_named(at)?,
            None => self.scaled(&entry.name, entry.place)?,
        };
        let of = Of { spec, place: entry.place, service, parts };
        let chosen = self.law(of)?;
        let gauges = self.gauges(of, &chosen.asks);
        Some(AutoscalerPlan {
            path: format!("autoscalers.{}", entry.name),
            name: entry.name.clone(),
            service,
            gauges,
            template: self.template(of, &chosen.asks),
            placement: Placement {
                scheduling: spec.scheduling.as_ref().and_then(|law| self.distribution(law)),
                pull: spec.pull.as_ref().and_then(|law| self.distribution(law)),
                nodes: spec
                    .nodes
                    .as_ref()
                    .and_then(|nodes| self.nodes(nodes, of.service_name()))
                    .map(Box::new),
            },
            controller: chosen.controller,
            activator: None,
            most: chosen.most.unsigned_abs().min(AutoscalerPlan::MOST_REPLICAS),
        })
    }

    /// The service that an autoscaler is called like.
    fn scaled(&mut self, name: &str, place: Place) -> Option<ServiceId> {
        if let Some(id) = self.services.get(name) {
            return Some(*id);
        }
        let known = || self.services.keys().copied();
        let help = did_you_mean(name, known()).unwrap_or_else(|| {
            format!("call it like a service, or write `service: {}`", known().next().unwrap_or("web"))
        });
        self.error(place, format!("there is no service {} to scale", quoted(name)), help);
        None
    }

    // Laws -------------------------------------------------------------------------------------------------

    fn law(&mut self, of: Of<'_>) -> Option<Chosen> {
        self.has_one_law(of)?;
        self.check_strays(of);
        let spec = of.spec;
        let settings = settings(&spec.controller);
        if let Some(node) = &spec.hpa {
            let hpa = manifest::hpa_of_spec(&node.0, &settings, self.sink)?;
            return Some(self.of_inline(of, Law::Hpa(hpa, settings), Vec::new()));
        }
        if let Some(node) = &spec.keda {
            let read = manifest::keda_of_spec(&node.0, &settings, self.sink)?;
            return Some(self.of_inline(of, Law::Keda(read.object, settings), read.open));
        }
        if let Some(node) = &spec.knative {
            let (config, revision) = manifest::knative_of_spec(&node.0, self.sink)?;
            return Some(self.of_inline(of, Law::Knative(config, revision), Vec::new()));
        }
        if let Some(file) = &spec.manifest {
            return self.of_manifest(of, file, &settings);
        }
        if spec.aws_target_tracking.is_some() || spec.aws_step.is_some() || spec.predictive.is_some() {
            return self.aws_group(of);
        }
        self.own_law(of)
    }

    /// A law that stands in the scenario as it would stand in a manifest.
    fn of_inline(&mut self, of: Of<'_>, law: Law, open: Vec<Box<str>>) -> Chosen {
        let scaler = Scaler { name: None, target: None, place: of.place, law, start: None, open };
        self.of_scaler(of, scaler)
    }

    /// Nothing where there is no law, or more than one, which has been told.
    fn has_one_law(&mut self, of: Of<'_>) -> Option<()> {
        let spec = of.spec;
        let is_given = [
            spec.hpa.is_some(),
            spec.manifest.is_some(),
            spec.keda.is_some(),
            spec.knative.is_some(),
            spec.aws_target_tracking.is_some(),
            spec.aws_step.is_some(),
            spec.queue_depth.is_some(),
            spec.concurrency.is_some(),
            spec.latency.is_some(),
        ];
        let given: Vec<&str> = LAWS.iter().zip(is_given).filter(|(_, is)| *is).map(|(law, _)| *law).collect();
        match given.as_slice() {
            [] if spec.schedule.is_some() || spec.predictive.is_some() => Some(()),
            [_] => Some(()),
            [] => {
                let help = format!("write one of {}", listed(LAWS));
                self.error(of.place, "it is not said by which law the replicas are counted", help);
                None
            }
            several => {
                let message = format!("an autoscaler has one law, found {}", listed(several.iter().copied()));
                self.error(of.place, message, "keep one; of a service there is one autoscaler only");
                None
            }
        }
    }

    /// What belongs to another law than that of the autoscaler.
    fn check_strays(&mut self, of: Of<'_>) {
        let spec = of.spec;
        let by_manifest =
            spec.hpa.is_some() || spec.manifest.is_some() || spec.keda.is_some() || spec.knative.is_some();
        let is_own = spec.queue_depth.is_some() || spec.concurrency.is_some() || spec.latency.is_some();
        if let Some(predictive) =
            spec.predictive.as_ref().filter(|_| by_manifest || is_own || spec.schedule.is_some())
        {
            let help = "write it beside `aws_target_tracking` or `aws_step`, or alone; a `schedule` is what our own laws have";
            self.error(predictive.ahead.place, "this law has no forecast", help);
        }
        if by_manifest {
            let bounds = [spec.min.as_ref().map(|min| min.place), spec.max.as_ref().map(|max| max.place)];
            for place in bounds.into_iter().flatten() {
                let help = "write it there: `minReplicas` and `maxReplicas` of Kubernetes, for one";
                self.error(place, "the fewest and the most replicas stand in the manifest", help);
            }
        }
        if let Some(entries) = spec
            .schedule
            .as_ref()
            .filter(|_| by_manifest || spec.aws_target_tracking.is_some() || spec.aws_step.is_some())
            && let Some(entry) = entries.items.first()
        {
            let help = "change its fewest replicas by the clock instead: `events: [{at: 45m, for: 45m, set: \
                        {autoscalers.web.hpa.minReplicas: 24}}]`";
            self.error(entry.from.place, "this law has no timetable", help);
        }
    }

    /// The law of a manifest in a file of its own.
    fn of_manifest(&mut self, of: Of<'_>, file: &At<Text>, settings: &ControllerSettings) -> Option<Chosen> {
        let text = self.text_of(file)?;
        let read = match manifest::read(&file.value.0, &text, settings) {
            Ok(read) => read,
            Err(mistakes) => {
                self.told_elsewhere(&mistakes, file.place);
                return None;
            }
        };
        self.told_elsewhere(&read.warnings, file.place);
        match read.scaler_of(of.service_name()) {
            Ok(scaler) => Some(self.of_scaler(of, scaler.clone())),
            Err(diagnostic) => {
                self.sink.report(diagnostic.at(file.place));
                None
            }
        }
    }

    /// Tells what is told of another file, where that file is named.
    fn told_elsewhere(&mut self, told: &Diagnostics, place: Place) {
        for each in told.list() {
            let at = told
                .position(each)
                .map_or_else(String::new, |(name, line, column)| format!("{name}:{line}:{column}: "));
            let message = format!("{at}{}", each.message);
            self.sink
                .report(Diagnostic { message, path: None, related: Vec::new(), ..each.clone() }.at(place));
        }
    }

    fn of_scaler(&mut self, of: Of<'_>, mut scaler: Scaler) -> Chosen {
        let named = of.spec.metrics.as_ref().map_or(&[][..], |names| &names.entries);
        for (name, _, given) in named {
            let Some(target) = &given.target else { continue };
            if scaler.open.iter().any(|open| **open == **name) {
                scaler.aim(name, (target.value.number * 1000.0).round() as i64);
            } else {
                let message = format!("the law itself says what {} aims at", quoted(name));
                self.error(target.place, message, format!("write `{{{name}: {}}}`", given.of.value.0));
            }
        }
        scaler.forget_open();
        let replicas = of.parts.services[of.service.index()].replicas;
        let replicas = i32::try_from(replicas).unwrap_or(i32::MAX);
        let source = match &scaler.law {
            Law::Hpa(..) => Pipeline::prometheus(),
            Law::Keda(..) => Pipeline::live(),
            Law::Aws(group) => Pipeline { scrape: group.period(), ..Pipeline::cloudwatch(true) },
            Law::Knative(..) => Pipeline { scrape: SCRAPE_INTERVAL, ..Pipeline::live() },
        };
        let asked = |WantedMetric { name, kind, .. }| {
            let is_resource = matches!(kind, MetricKind::Resource | MetricKind::Container(_));
            let pipeline = if is_resource { Pipeline::metrics_server() } else { source };
            Asked { name, kind, path: None, pipeline }
        };
        let asks = scaler.metrics().into_iter().map(asked).collect();
        let controller = scaler.controller(replicas, SimTime::ZERO);
        Chosen { controller, most: scaler.bounds().1, asks }
    }

    /// Fewest and most replicas.
    fn fewest_and_most(&mut self, of: Of<'_>) -> Option<(i32, i32)> {
        let min = of.spec.min.as_ref().map_or(1, |min| min.value.count);
        let max = of.spec.max.as_ref();
        if let Some(max) = max.filter(|max| max.value.count < min) {
            let message = format!("at most {} replicas are fewer than at least {min}", max.value.count);
            self.error(max.place, message, "the most has to be at least the fewest");
            return None;
        }
        let most = max.map_or(i32::MAX, |max| i32::try_from(max.value.count).unwrap_or(i32::MAX));
        Some((i32::try_from(min).unwrap_or(i32::MAX), most))
    }

    fn own_law(&mut self, of: Of<'_>) -> Option<Chosen> {
        let spec = of.spec;
        let (min, max) = self.fewest_and_most(of)?;
        let common = Common {
            min,
            max,
            interval: span(&spec.interval)?,
            stabilization: span(&spec.stabilization)?,
            tolerance: spec.tolerance.value.fraction,
        };
        if common.interval == Span::ZERO {
            self.error(
                spec.interval.place,
                "there is no time between two decisions",
                "write `interval: 15s`",
            );
            return None;
        }
        let pipeline =
            Pipeline { scrape: Common::default().interval, rounding: Rounding::None, ..Pipeline::live() };
        let mut asks = Vec::new();
        let mut ask = |name: &str, path: Option<At<Text>>| {
            asks.push(Asked { name: name.into(), kind: MetricKind::Statistic, path, pipeline });
            Box::<str>::from(name)
        };
        let law = if let Some(law) = &spec.queue_depth {
            let (backlog, rate) =
                (ask("backlog", Some(law.backlog.clone())), ask("rate", Some(law.rate.clone())));
            let (drain, per_message) = (span(&law.drain)?, span(&law.per_message)?);
            if drain == Span::ZERO {
                self.error(law.drain.place, "no queue is emptied in no time", "write `drain: 1m`");
                return None;
            }
            OwnLaw::QueueDepth {
                law: QueueDepth { drain, per_message, slots: law.slots.value.count },
                backlog,
                rate,
            }
        } else if let Some(law) = &spec.concurrency {
            let target = law.target.value.number;
            if target <= 0.0 {
                self.error(law.target.place, "a target has to be above 0", "write `target: 35`");
                return None;
            }
            let own =
                || At { value: Text(format!("services.{}.in_flight", of.service_name())), place: of.place };
            let in_flight = ask("in_flight", Some(law.of.clone().unwrap_or_else(own)));
            OwnLaw::Concurrency { law: Concurrency { target }, in_flight }
        } else if let Some(law) = &spec.latency {
            let target = span(&law.target)?;
            if target == Span::ZERO {
                self.error(law.target.place, "a target has to be above 0", "write `target: 200ms`");
                return None;
            }
            OwnLaw::Latency { law: Latency::new(target), latency: ask("latency", Some(law.of.clone())) }
        } else {
            OwnLaw::Schedule
        };
        let schedule = self.schedule(spec.schedule.as_ref().map_or(&[], |list| list.items.as_slice()))?;
        let controller = Controller::Own(OwnController::new(common, law, schedule));
        Some(Chosen { controller, most: max, asks })
    }

    fn schedule(&mut self, list: &[ScheduleSpec]) -> Option<Schedule> {
        let mut entries = Vec::new();
        for entry in list {
            let (from, until) = (span(&entry.from)?, span(&entry.until)?);
            if until <= from {
                let help = "write the end behind the beginning: `{from: 45m, until: 90m, replicas: 24}`";
                self.error(entry.until.place, "this entry ends before it begins", help);
            }
            let replicas = i32::try_from(entry.replicas.value.count).unwrap_or(i32::MAX);
            entries.push(Entry { from, until, replicas });
        }
        Some(Schedule { entries, repeat: None })
    }

    // What laws go by --------------------------------------------------------------------------------------

    fn gauges(&mut self, of: Of<'_>, asks: &[Asked]) -> Vec<Gauge> {
        let named = of.spec.metrics.as_ref().map_or(&[][..], |names| &names.entries);
        let is_given = |asked: &&Asked| asked.path.is_none() && !matches!(asked.kind, MetricKind::Scraped(_));
        for (name, place, _) in named {
            if !asks.iter().filter(is_given).any(|asked| *asked.name == **name) {
                let known = || asks.iter().filter(is_given).map(|asked| &*asked.name);
                let help = did_you_mean(name, known()).unwrap_or_else(|| match known().next() {
                    Some(_) => format!("it asks for {}", listed(known())),
                    None => "what it goes by stands in the law itself".into(),
                });
                self.error(*place, format!("the law asks for no metric {}", quoted(name)), help);
            }
        }
        let mut gauges = Vec::new();
        for asked in asks {
            let given =
                named.iter().find(|(name, ..)| **name == *asked.name).map(|(.., MetricGiven { of, .. })| of);
            let Some(signal) = self.signal(of, asked, asked.path.as_ref().or(given)) else { continue };
            let pipeline = pipeline(&of.spec.pipeline, asked.pipeline);
            gauges.push(Gauge { name: asked.name.clone(), signal, pipeline });
        }
        gauges
    }

    /// What a metric is in the system; none where a mistake has been told, or where nobody can see it.
    fn signal(&mut self, of: Of<'_>, asked: &Asked, given: Option<&At<Text>>) -> Option<Signal> {
        let name = &*asked.name;
        if given.is_none() && is_cpu(asked) {
            if of.parts.services[of.service.index()].cores.is_none() {
                let service = of.service_name();
                let help = format!("say how many each replica has: `services.{service}.cores: 2`");
                self.error(of.place, format!("`{service}` has no cores whose use could be measured"), help);
            }
            return Some(Signal::Cpu);
        }
        match asked.kind {
            MetricKind::Scraped(ScalingMetric::Concurrency) => return Some(Signal::Concurrency(of.service)),
            MetricKind::Scraped(ScalingMetric::Rps) => return Some(Signal::Received(of.service)),
            _ => {}
        }
        if matches!(asked.kind, MetricKind::Resource | MetricKind::Container(_)) {
            let told = Diagnostic::warning(format!("how much {} replicas use is not modelled", quoted(name)));
            self.sink
                .report(told.at(of.place).help("the metric fails in every pass, as if nobody measured it"));
            return None;
        }
        let Some(path) = given else {
            let help = format!(
                "say what it is in the model: `metrics: {{{name}: {}.in_flight}}`",
                of.service_name()
            );
            self.error(of.place, format!("it is not said what the metric {} is", quoted(name)), help);
            return None;
        };
        let (subject, figure) = match figure_of(&path.value.0, of.parts) {
            Ok(found) => found,
            Err((message, help)) => {
                self.error(path.place, message, help);
                return None;
            }
        };
        let Some(signal) = signal_of(subject, figure, of.service) else {
            let help = "what monitoring can see: `in_flight` and `offered` of a service, `offered` of a traffic, `lag` and \
                        `sent` of a queue, `queue_length` and `in_use` of a resource, a percentile of an endpoint";
            let message = format!("an autoscaler cannot go by {}", quoted(&path.value.0));
            self.error(path.place, message, help);
            return None;
        };
        if asked.kind == MetricKind::Pods && !is_of_pods(signal, of.service) {
            let service = of.service_name();
            let help = format!("a metric of pods is one of `{service}.in_flight` and `{service}.offered`");
            let message = format!("{} is not measured at each replica of `{service}`", quoted(&path.value.0));
            self.error(path.place, message, help);
        }
        Some(signal)
    }

    /// What the pods of the service are made of: one container.
    fn template(&mut self, of: Of<'_>, asks: &[Asked]) -> Arc<Template> {
        let cores = of.parts.services[of.service.index()].cores;
        let mut requests_milli: BTreeMap<Box<str>, i64> = BTreeMap::new();
        if let Some(cores) = cores {
            requests_milli.insert("cpu".into(), (cores.cores * 1000.0).round() as i64);
        }
        if let Some(block) = of.spec.requests.as_ref().and_then(|node| Block::of(&node.0, self.sink)) {
            for resource in ["cpu", "memory"] {
                if let Some(milli) = block.quantity(resource, self.sink) {
                    requests_milli.insert(resource.into(), milli);
                }
            }
            block.finish(self.sink);
        }
        // A law that looks at a container means the one that the service is.
        let named = asks.iter().find_map(|asked| match &asked.kind {
            MetricKind::Container(name) => Some(name.clone()),
            _ => None,
        });
        let name = named.unwrap_or_else(|| of.service_name().into());
        let container = Container { name, requests_milli, restarts_always: false };
        Arc::new(Template { containers: vec![container], ..Template::default() })
    }

    fn nodes(&mut self, spec: &NodesSpec, service: &str) -> Option<Nodes> {
        let scan = span(&spec.scan)?;
        if scan == Span::ZERO {
            self.error(
                spec.scan.place,
                "there is no time between two looks at the nodes",
                "write `scan: 10s`",
            );
        }
        Some(Nodes {
            pods: spec.pods.value.count,
            ready: spec.ready.value.count.max(spec.min.value.count),
            min: spec.min.value.count,
            provision: self.distribution(&spec.provision)?,
            scan,
            utilization: spec.utilization.value.fraction,
            unneeded: span(&spec.unneeded)?,
            after_add: span(&spec.after_add)?,
            price: self.price(service, Priced::Node),
        })
    }
}

/// How a metric gets to a law: as from its usual source, unless something else is said.
fn pipeline(spec: &PipelineSpec, usual: Pipeline) -> Pipeline {
    let time = |at: &Option<At<crate::spec::Time>>| at.as_ref().and_then(span);
    Pipeline {
        scrape: time(&spec.scrape).unwrap_or(usual.scrape),
        refresh: time(&spec.refresh).unwrap_or(usual.refresh),
        phase: span(&spec.phase).unwrap_or_default(),
        delay: span(&spec.delay).unwrap_or_default(),
        stale_after: time(&spec.stale_after).or(usual.stale_after),
        rounding: usual.rounding,
        loss: spec.loss.value.fraction,
    }
}

/// Whether a metric is the CPU time that replicas use, by the names that its makers gave it.
fn is_cpu(asked: &Asked) -> bool {
    match asked.kind {
        MetricKind::Resource | MetricKind::Container(_) => &*asked.name == "cpu",
        MetricKind::Statistic => asked.name.ends_with("CPUUtilization"),
        _ => false,
    }
}

/// What monitoring can see of a figure.
fn signal_of(subject: Subject, figure: Figure, scaled: ServiceId) -> Option<Signal> {
    Some(match (subject, figure) {
        (Subject::Service(id), Figure::InFlight) => Signal::InFlight(id),
        (Subject::Service(id), Figure::Offered) => Signal::Received(id),
        (Subject::Traffic(id), Figure::Offered) => Signal::Arrivals(id),
        (Subject::Pool(id), Figure::QueueLength) => Signal::Waiting(id),
        (Subject::Pool(id), Figure::InUse) => Signal::InUse(id),
        (Subject::Queue(id, group), Figure::Lag) => Signal::Lag(id, group),
        (Subject::Queue(id, _), Figure::Sent) => Signal::Sent(id),
        (Subject::Endpoint(id), Figure::Quantile(quantile)) => Signal::Latency(id, quantile),
        (Subject::Cores(id), Figure::Utilization) if id == scaled => Signal::Cpu,
        _ => return None,
    })
}

/// Whether it is measured at each replica of the service.
fn is_of_pods(signal: Signal, scaled: ServiceId) -> bool {
    matches!(signal, Signal::InFlight(id) | Signal::Received(id) if id == scaled)
}

fn settings(spec: &ControllerSpec) -> ControllerSettings {
    let time = |at| span(at).unwrap_or_default();
    ControllerSettings {
        // A pass that is not followed by time would be followed by itself.
        sync_period: time(&spec.sync).max(Span::from_nanos(1_000_000)),
        tolerance: spec.tolerance.value.fraction,
        downscale_stabilization: time(&spec.downscale_stabilization),
        cpu_initialization_period: time(&spec.cpu_initialization),
        initial_readiness_delay: time(&spec.initial_readiness),
        ..ControllerSettings::default()
    }
}
