//! Autoscalers inside of a system: courses of decisions worked out by hand.

#![expect(clippy::unwrap_used, reason = "a test may")]

use std::fs;
use std::path::Path;

use models::blueprint::{Blueprint, Outcome};
use models::observe::{LifeObservation, Observations, Segment};
use models::{Replication, replicate};
use scenarios::{Scenario, Source};
use sim_core::{CancelFlag, SimTime};

/// The plan of a scenario, beside which there are files.
fn plan_beside(name: &str, files: &[(&str, &str)], text: &str) -> Blueprint {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("scaling").join(name);
    fs::create_dir_all(&folder).unwrap();
    for (file, content) in files {
        fs::write(folder.join(file), content).unwrap();
    }
    let text = format!("warmup: 0s\n{text}");
    let source = Source::from_text("scaling", text.clone(), &folder).unwrap();
    let (scenario, doubts) = Scenario::load(&source, &[]).unwrap_or_else(|wrong| panic!("{wrong}\n{text}"));
    assert!(doubts.is_empty(), "{doubts}");
    scenario.compile()
}

/// Measured every five seconds from the first on, so that what happens at full seconds does not fall on an edge.
fn observe(text: &str) -> Observations {
    observe_plan(plan_beside("alone", &[], text))
}

fn observe_plan(mut plan: Blueprint) -> Observations {
    let cuts = (0..).map(|k| SimTime::from_nanos((5 * k + 1) * 1_000_000_000));
    let end = SimTime::ZERO + plan.duration;
    plan.cuts = cuts.take_while(|cut| *cut < end).collect();
    let observations =
        replicate(&plan, &Replication { seed: 1, index: 0, breakdown: true }, &CancelFlag::new());
    crate::laws::check(&plan, &observations);
    observations
}

/// When the first autoscaler changed the number of replicas after the first second, and to what.
fn course_of(observations: &Observations) -> Vec<(u64, u64)> {
    let wanted = |segment: &Segment| segment.autoscalers[0].wanted.n_end;
    let told = |pair: &[Segment]| (pair[1].to.as_seconds() as u64 / 5 * 5, wanted(&pair[1]));
    let changes = observations.segments.windows(2).filter(|pair| wanted(&pair[0]) != wanted(&pair[1]));
    changes.map(told).collect()
}

fn course(text: &str) -> Vec<(u64, u64)> {
    course_of(&observe(text))
}

/// Second from which so many replicas are ready for the first time.
fn ready_from(observations: &Observations, ready: usize) -> Option<u64> {
    let is = |segment: &&Segment| {
        let life = segment.services[0].life.as_ref().unwrap();
        life.ready_ns.get(ready).is_some_and(|nanos| *nanos > 0)
    };
    observations.segments.iter().find(is).map(|segment| segment.to.as_seconds() as u64 / 5 * 5)
}

/// Seconds that replicas were in a state, over the whole run.
fn in_state(observations: &Observations, state: &str) -> f64 {
    let at = LifeObservation::STATES.iter().position(|known| *known == state).unwrap();
    let of = |segment: &Segment| segment.services[0].life.as_ref().unwrap().state_ns[at] as f64 / 1e9;
    observations.segments.iter().map(of).sum()
}

fn reasons(observations: &Observations, reason: &str) -> u64 {
    let of = |segment: &Segment| segment.autoscalers[0].reasons.get(reason).copied().unwrap_or(0);
    observations.segments.iter().map(of).sum()
}

/// Replicas of 5/s each, a target of 70 % and a step from 10/s to 80/s.
fn step(startup: &str, more: &str) -> String {
    format!(
        "duration: 800s
traffic: {{users: {{rate: {{steps: {{0s: 10/s, 300s: 80/s}}}}, arrivals: even, to: web.get}}}}
services:
  web: {{replicas: 3, cores: 1, workers: 4, queue: 20, startup: {startup}, endpoints: {{get: [{{cpu: 200ms}}]}}}}
autoscalers:
  web:
    hpa:
      minReplicas: 3
      maxReplicas: 100
      metrics: [{{type: Resource, resource: {{name: cpu, target: {{type: Utilization, averageUtilization: 70}}}}}}]
{more}"
    )
}

/// Cores that are busy all the time read 100 %, so each wave is `ceil(n / 70 %)`: 5, 8, 12, 18. Then 80/s are 89 % of 18;
/// but the twelve that were there first still work off their queues at 670 s, 24 requests each that get fewer by
/// 0.56/s, so that the mean is 96 %, which makes 25.
///
/// The first wave is decided when the scrape of 315 s tells of the 10 s before 310 s. Its replicas are ready 60 s later,
/// at 375 s. Their first samples are of times before that; the one of 20 s that ends at 390 s begins too early, and that
/// of 400 s, told at 405 s, is the first that counts: 90 s from wave to wave.
#[test]
fn a_saturated_signal_grows_in_waves() {
    assert_eq!(course(&step("60s", "")), [(315, 5), (405, 8), (495, 12), (585, 18), (675, 25)]);
}

/// Who starts within 10 s waits for the samples alone: ready at 325 s, the window from 310 s to 330 s begins too early,
/// that from 330 s to 340 s counts and is told at 345 s.
#[test]
fn samples_take_half_a_minute_however_fast_a_start_is() {
    assert_eq!(course(&step("10s", ""))[..3], [(315, 5), (345, 8), (375, 12)]);
}

/// With a source that looks whenever it is asked, the first window that begins after 375 s ends at 390 s.
#[test]
fn a_faster_source_shortens_the_waves() {
    let more = "    pipeline: {refresh: 0s}\n";
    assert_eq!(course(&step("60s", more))[..3], [(315, 5), (390, 8), (465, 12)]);
}

/// What is told 20 s late is decided on at the next pass after that.
#[test]
fn answers_that_take_their_time_are_seen_later() {
    let more = "    pipeline: {delay: 20s}\n";
    assert_eq!(course(&step("60s", more))[0], (345, 5), "315 s and 20 s are over at 345 s");
}

/// All answers lost: no sample, no opinion.
#[test]
fn a_metric_that_never_arrives_freezes_the_count() {
    let seen = observe(&step("60s", "    pipeline: {loss: 100%}\n"));
    assert_eq!(course_of(&seen), []);
    assert_eq!(reasons(&seen, "FailedGetResourceMetric"), 54, "every 15 s from 0 s to 795 s");
}

/// A third of a core is requested, and two thirds are used: 200 %. Three replicas become `ceil(3 * 200 / 70)` = 9, but not
/// more than twice as many at once: 6, and with three of them idle 100 % of six are 9 again.
#[test]
fn utilization_is_a_share_of_what_is_requested() {
    let more = "    requests: {cpu: 333m}\n";
    assert_eq!(course(&step("60s", more))[..2], [(15, 6), (30, 9)]);
}

/// Two replicas fill the only node. Four more are wanted at 105 s, the pass after the fewest were raised; the next scan
/// is at 110 s and asks for two nodes, which are there at 170 s. Then 2 s of scheduling, 8 s of pulling and 20 s of
/// starting: ready at 200 s.
#[test]
fn replicas_wait_for_nodes() {
    let seen = observe(
        "duration: 300s
traffic: {users: {rate: 1/s, arrivals: even, to: web.get}}
services: {web: {replicas: 2, cores: 1, startup: 20s, endpoints: {get: [{cpu: 10ms}]}}}
autoscalers:
  web:
    hpa: {minReplicas: 2, maxReplicas: 9}
    scheduling: 2s
    pull: 8s
    nodes: {pods: 2, ready: 1, provision: 60s}
events: [{at: 100s, set: {autoscalers.web.hpa.minReplicas: 6}}]
",
    );
    assert_eq!(course_of(&seen), [(105, 6)]);
    assert_eq!(ready_from(&seen, 6), Some(200));
    assert!((in_state(&seen, "starting") - 4.0 * 95.0).abs() < 1e-6);
    let nodes = |at: usize| seen.segments[at].autoscalers[0].nodes.n_end;
    assert_eq!((nodes(33), nodes(34)), (1, 3), "until 166 s and until 171 s");
}

/// What an event sets holds until the autoscaler's next pass, and what it does not set stays as it is: a slower service
/// keeps the five replicas that the autoscaler has made of three.
#[test]
fn events_set_what_they_name_and_nothing_else() {
    let slow = step("60s", "events: [{at: 317s, set: {services.web.speed: 0.9}}]\n");
    assert_eq!(course(&slow)[..2], [(315, 5), (405, 8)]);
    let set = step("60s", "events: [{at: 317s, set: {services.web.replicas: 4}}]\n");
    // Three are busy and a fourth is starting: 75 % of four are within tolerance. But five were wanted a moment ago.
    assert_eq!(course(&set)[..3], [(315, 5), (320, 4), (330, 5)]);
}

/// A queue of 400, 20/s and 0.5 s each, to be empty in 100 s: 400 / 100 / 2 + 20 / 2 = 12 workers.
#[test]
fn a_queue_gets_what_empties_it_in_time() {
    let seen = observe(
        "duration: 60s
traffic: {orders: {rate: 20/s, arrivals: even, to: shop.buy}}
services:
  shop: {endpoints: {buy: [{send: orders}]}}
  worker: {replicas: 1, endpoints: {none: [{delay: 1ms}]}}
queues: {orders: {consumers: {job: bill, members: 1}}}
jobs: {bill: {service: worker, do: [{delay: 1h}]}}
autoscalers:
  worker:
    queue_depth: {backlog: orders.lag, rate: orders.sent, drain: 100s, per_message: 500ms}
",
    );
    // At 15 s 300 wait: 1.5 + 10; at 30 s 600: 3 + 10; at 45 s 900: 4.5 + 10.
    assert_eq!(course_of(&seen), [(15, 12), (30, 13), (45, 15)]);
}

/// Three batches of requests that stay for good: 30 in flight, 10 at each.
#[test]
fn concurrency_is_shared_out() {
    let text = "duration: 60s
traffic: {users: {rate: 1/s, arrivals: even, to: web.get}}
services: {web: {endpoints: {get: [{delay: 1h}]}}}
autoscalers: {web: {concurrency: {target: 10}}}
";
    // 15 at 15 s, 30 at 30 s, 45 at 45 s; those that have just come count.
    assert_eq!(course(text), [(15, 2), (30, 3), (45, 5)]);
}

/// A timetable alone: it is looked at at its edges, here told in the five seconds that end after them.
#[test]
fn a_timetable_sets_its_replicas() {
    let text = "duration: 100s
traffic: {users: {rate: 1/s, to: web.get}}
services: {web: {replicas: 2, endpoints: {get: [{delay: 1ms}]}}}
autoscalers: {web: {min: 2, schedule: [{from: 32s, until: 63s, replicas: 7}]}}
";
    assert_eq!(course(text), [(35, 7), (65, 2)]);
}

/// No replica is left: whoever comes is refused, as by a service of Kubernetes without endpoints.
#[test]
fn nobody_answers_where_nobody_is_left() {
    let seen = observe(
        "duration: 100s
traffic: {users: {rate: 1/s, arrivals: even, to: web.get}}
services: {web: {endpoints: {get: [{delay: 1ms}]}}}
autoscalers: {web: {min: 0, schedule: [{from: 50.5s, until: 80.5s, replicas: 1}]}}
",
    );
    assert_eq!(course_of(&seen), [(50, 1), (80, 0)]);
    let of = |outcome: Outcome| -> u64 {
        seen.segments.iter().map(|row| row.traffics[0].outcomes[usize::from(outcome.0)]).sum()
    };
    assert_eq!(of(Outcome::OK), 30);
}

/// A manifest with two autoscalers: the one that scales what is called like the service is what stands in the scenario.
#[test]
fn a_manifest_is_what_stands_in_it() {
    let spec = "minReplicas: 3, maxReplicas: 9, metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 60}}}]";
    let hpa = |name: &str, spec: &str| {
        format!(
            "---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {{name: {name}-hpa}}\n\
             spec: {{scaleTargetRef: {{kind: Deployment, name: {name}}}, {spec}}}\n"
        )
    };
    let manifest = hpa("other", "maxReplicas: 2") + &hpa("web", spec);
    let scaled = |law: &str| {
        let text = format!(
            "duration: 1m
traffic: {{users: {{rate: 1/s, to: web.get}}}}
services: {{web: {{replicas: 3, cores: 1, endpoints: {{get: [{{cpu: 1ms}}]}}}}}}
autoscalers: {{web: {{{law}}}}}
"
        );
        plan_beside("manifest", &[("hpa.yaml", &manifest)], &text).autoscalers.remove(0)
    };
    assert_eq!(scaled("manifest: hpa.yaml"), scaled(&format!("hpa: {{{spec}}}")));
}

/// A trigger of KEDA is asked when KEDA looks: 299 or 300 messages at 15 s, 100 for each replica; and so on.
#[test]
fn keda_goes_by_the_lag_of_now() {
    let object = "apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: worker}
spec:
  scaleTargetRef: {name: worker}
  minReplicaCount: 1
  maxReplicaCount: 50
  triggers:
  - {type: kafka, name: lag, metadata: {bootstrapServers: \"kafka:9092\", consumerGroup: bill, topic: orders, lagThreshold: \"100\"}}
";
    let plan = plan_beside(
        "keda",
        &[("worker.yaml", object)],
        "duration: 50s
traffic: {orders: {rate: 20/s, arrivals: even, to: shop.buy}}
services:
  shop: {endpoints: {buy: [{send: orders}]}}
  worker: {replicas: 1, endpoints: {none: [{delay: 1ms}]}}
queues: {orders: {consumers: {job: bill, members: 1}}}
jobs: {bill: {service: worker, do: [{delay: 1h}]}}
autoscalers:
  worker: {manifest: worker.yaml, metrics: {lag: orders.lag}}
",
    );
    assert_eq!(course_of(&observe_plan(plan)), [(15, 3), (30, 6), (45, 9)]);
}
