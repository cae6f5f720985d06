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

/// Cores that are busy all the time read 100 %, so each wave is `ceil(n / 70 %)`: 5, 8, 12, 18. Then 80/s are 89 % of
/// 18; but the twelve that were there first still work off their queues at 670 s, 24 requests each that get fewer by
/// 0.56/s, so that the mean is 96 %, which makes 25.
///
/// The first wave is decided when the scrape of 315 s tells of the 10 s before 310 s. Its replicas are ready 60 s
/// later, at 375 s. Their first samples are of times before that; the one of 20 s that ends at 390 s begins too early,
/// and that of 400 s, told at 405 s, is the first that counts: 90 s from wave to wave.
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

/// A third of a core is requested, and two thirds are used: 200 %. Three replicas become `ceil(3 * 200 / 70)` = 9, but
/// not more than twice as many at once: 6, and with three of them idle 100 % of six are 9 again.
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

/// How many nodes there are at first, and when that changes.
fn nodes_of(observations: &Observations) -> Vec<(u64, u64)> {
    let mut course: Vec<(u64, u64)> = Vec::new();
    for segment in &observations.segments {
        let nodes = segment.autoscalers[0].nodes.n_end;
        if course.last().is_none_or(|(_, before)| *before != nodes) {
            course.push((segment.to.as_seconds() as u64 / 5 * 5, nodes));
        }
    }
    course
}

/// Hours of nodes over the whole run.
fn node_hours(observations: &Observations) -> f64 {
    let of = |segment: &Segment| segment.autoscalers[0].nodes.integral as f64 / 3_600e9;
    observations.segments.iter().map(of).sum()
}

/// One request a second, and a timetable: `replicas` at first, `then` from 102 s until 302 s.
fn on_nodes(replicas: u32, then: u32, nodes: &str) -> Observations {
    observe(&format!(
        "duration: 1200s
traffic: {{users: {{rate: 1/s, arrivals: even, to: web.get}}}}
services: {{web: {{replicas: {replicas}, startup: 20s, endpoints: {{get: [{{delay: 10ms}}]}}}}}}
autoscalers:
  web:
    min: {replicas}
    schedule: [{{from: 102s, until: 302s, replicas: {then}}}]
    scheduling: 2s
    pull: 8s
    nodes: {{{nodes}, provision: 60s}}
"
    ))
}

/// Two replicas fill the only node. Four more are wanted at 102 s: two nodes are asked for at 110 s and are there at
/// 170 s. At 302 s they are empty, which is seen at 310 s; for longer than 10 min at 920 s: one node for 1200 s and two
/// for 750 s.
#[test]
fn empty_nodes_are_given_back() {
    let seen = on_nodes(2, 6, "pods: 2");
    assert_eq!(nodes_of(&seen), [(0, 1), (170, 3), (920, 1)]);
    assert!((node_hours(&seen) - 2700.0 / 3600.0).abs() < 1e-9);
    let one_stays = on_nodes(2, 6, "pods: 2, min: 2");
    assert_eq!(
        nodes_of(&one_stays),
        [(0, 2), (170, 3), (920, 2)],
        "two there from the start, one is asked for"
    );
}

/// Not needed since 310 s and for longer than a minute at 380 s; but nothing is given back until 710 s, 10 min after
/// two were asked for.
#[test]
fn nodes_are_kept_for_a_while_after_one_was_asked_for() {
    assert_eq!(nodes_of(&on_nodes(2, 6, "pods: 2, unneeded: 1m")), [(0, 1), (170, 3), (710, 1)]);
    assert_eq!(
        nodes_of(&on_nodes(2, 6, "pods: 2, unneeded: 1m, after_add: 0s")),
        [(0, 1), (170, 3), (380, 1)]
    );
}

/// Three replicas on two nodes for four, spread: two and one. A quarter of the second is requested, so it is not needed
/// from the first look at 10 s on, and drained at 620 s. Its replica is replaced on the other node, where it takes 2 s,
/// 8 s and 20 s. Half of a node is not less than half: with two on each, both stay.
#[test]
fn the_replicas_of_a_node_that_is_given_back_move() {
    let seen = on_nodes(3, 3, "pods: 4, ready: 2");
    assert_eq!(nodes_of(&seen), [(0, 2), (620, 1)]);
    assert!((node_hours(&seen) - 1820.0 / 3600.0).abs() < 1e-9);
    assert!((in_state(&seen, "starting") - 30.0).abs() < 1e-6);
    assert_eq!(seen.segments.iter().map(|row| row.services[0].life.as_ref().unwrap().starts).sum::<u64>(), 1);
    assert_eq!(nodes_of(&on_nodes(4, 4, "pods: 4, ready: 2")), [(0, 2)]);
    assert_eq!(nodes_of(&on_nodes(3, 3, "pods: 4, ready: 2, utilization: 0%")), [(0, 2)]);
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

/// A queue that nobody empties: 20 more each second.
fn growing_queue(law: &str) -> String {
    format!(
        "duration: 50s
traffic: {{orders: {{rate: 20/s, arrivals: even, to: shop.buy}}}}
services:
  shop: {{endpoints: {{buy: [{{send: orders}}]}}}}
  worker: {{replicas: 1, endpoints: {{none: [{{delay: 1ms}}]}}}}
queues: {{orders: {{consumers: {{job: bill, members: 1}}}}}}
jobs: {{bill: {{service: worker, do: [{{delay: 1h}}]}}}}
autoscalers: {{worker: {{{law}}}}}
"
    )
}

/// A queue of 400, 20/s and 0.5 s each, to be empty in 100 s: 400 / 100 / 2 + 20 / 2 = 12 workers.
#[test]
fn a_queue_gets_what_empties_it_in_time() {
    let law = "queue_depth: {backlog: orders.lag, rate: orders.sent, drain: 100s, per_message: 500ms}";
    let seen = observe(&growing_queue(law));
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
    let law = "manifest: worker.yaml, metrics: {lag: orders.lag}";
    let plan = plan_beside("keda", &[("worker.yaml", object)], &growing_queue(law));
    assert_eq!(course_of(&observe_plan(plan)), [(15, 3), (30, 6), (45, 9)]);
}

/// The same law in the scenario: a trigger of a kind that is not known here, with the target that is given beside it.
#[test]
fn keda_stands_in_a_scenario_as_in_its_manifest() {
    let known = "keda: {minReplicaCount: 1, maxReplicaCount: 50, triggers: [{type: redis, name: lag, metadata: \
                 {listLength: \"100\"}}]}, metrics: {lag: orders.lag}";
    assert_eq!(course(&growing_queue(known)), [(15, 3), (30, 6), (45, 9)]);
    let other = "keda: {minReplicaCount: 1, maxReplicaCount: 50, triggers: [{type: our-own, metadata: {}}]}, metrics: \
                 {s0-our-own: {of: orders.lag, target: 100}}";
    let text = growing_queue(other);
    let source = Source::from_text("scaling", format!("warmup: 0s\n{text}"), ".").unwrap();
    let (scenario, doubts) = Scenario::load(&source, &[]).unwrap();
    assert!(doubts.to_string().contains("what a trigger of type `our-own` aims at is not known"), "{doubts}");
    assert_eq!(course_of(&observe_plan(scenario.compile())), [(15, 3), (30, 6), (45, 9)]);
}

/// Twenty requests of 10 s each at 100.5 s; a replica takes ten at once, seven of which it is aimed at, and 5 s to
/// start.
const BURST: &str = "duration: 200s
traffic: {users: {rate: {steps: {0s: 0/s, 100s: 2/s, 100.9s: 0/s}}, arrivals: even, batch: 20, to: web.get}}
services: {web: {startup: 5s, endpoints: {get: [{delay: 10s}]}}}
";

/// Nothing comes until 100.5 s. At 60 s the revision has been active for a window and is taken out of service; the
/// activator has been in the path from the start, so its replica goes at the next decision, at 62 s.
///
/// The first of the twenty makes the activator wake the autoscaler: one replica, ready at 105.5 s. From then on it
/// decides at 102.5 s, 104.5 s and so on. Means of seconds: 10 at 101 s, 20 after that. At 102.5 s the panic window has
/// (1 + 10 + 20) / 3 = 10.3, which needs 2 replicas of 7, twice what counts as there: panic. At 104.5 s it has
/// (1 + 10 + 3 * 20) / 5 = 14.2, which needs 3. The last decision that finds twice as much wanted as there is that of
/// 106.5 s (110 / 6 = 18.3 needs 3, one is ready), so the panic ends with the first one after 166.5 s: 168.5 s. By then
/// ten requests have ended at 115.5 s and ten at 117.5 s: in the seconds up to 168.5 s there are
/// 7 * 20 + 15 + 10 + 5 = 170 / 60 = 2.8 on average, which one replica is enough for. The last of them leaves the window
/// at 178 s: out of service at 178.5 s, gone at 180.5 s.
#[test]
fn knative_goes_to_zero_and_back() {
    let seen = observe(&format!("{BURST}autoscalers: {{web: {{knative: {{containerConcurrency: 10}}}}}}\n"));
    assert_eq!(course_of(&seen), [(65, 0), (100, 1), (105, 3), (170, 1), (180, 0)]);
    assert_eq!(reasons(&seen, "ProxiedForGrace") > 0, reasons(&seen, "Panic") > 0);
    let activator = |segment: &Segment| segment.pools[0].clone();
    let waits: Vec<_> = seen.segments.iter().map(activator).filter(|pool| pool.acquired > 0).collect();
    assert_eq!(waits.iter().map(|pool| pool.acquired).sum::<u64>(), 20);
    let (first, second) = (&waits[0].wait, &waits[1].wait);
    assert_eq!((first.count(), first.mean()), (10, Some(5e9)), "ready at 105.5 s, and full");
    assert_eq!((second.count(), second.mean()), (10, Some(7e9)), "the second one at 107.5 s");
}

/// The activator of a law that never wakes by itself: what waits is told by the service's `in_flight`. At 105 s the law
/// finds twenty, having gone to zero at 15 s; the replica is ready at 110 s and takes all at once.
#[test]
fn an_activator_holds_requests_for_any_law() {
    let law = "min: 0, concurrency: {target: 20}, stabilization: 0s, activator: {}";
    let seen = observe(&format!("{BURST}autoscalers: {{web: {{{law}}}}}\n"));
    assert_eq!(course_of(&seen)[..2], [(15, 0), (105, 1)]);
    let waited = seen.segments.iter().map(|segment| &segment.pools[0].wait).find(|wait| !wait.is_empty());
    assert_eq!(waited.map(|wait| (wait.count(), wait.mean())), Some((20, Some(9.5e9))));
}

/// Beyond its queue the activator turns requests away, and who waits too long for a replica gives up.
#[test]
fn an_activator_has_bounds() {
    let law = |activator: &str| format!("knative: {{}}, activator: {{{activator}}}");
    let ended = |activator: &str, outcome: Outcome| {
        let seen = observe(&format!("{BURST}autoscalers: {{web: {{{}}}}}\n", law(activator)));
        seen.balances[0].of(outcome)
    };
    assert_eq!(ended("queue: 12", Outcome::REJECTED), 8);
    assert_eq!(ended("timeout: 4s", Outcome::TIMED_OUT), 20);
    assert_eq!(ended("", Outcome::OK), 20);
}

/// A manifest and the same annotations in the scenario are the same law, under the same config map.
#[test]
fn knative_stands_in_a_scenario_as_in_its_manifest() {
    let manifest = "apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: web}
spec:
  template:
    metadata: {annotations: {autoscaling.knative.dev/max-scale: \"7\", autoscaling.knative.dev/window: 90s}}
    spec: {containerConcurrency: 10}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: config-autoscaler}
data: {scale-to-zero-grace-period: 45s}
";
    let scaled = |law: &str| {
        let text = format!("{BURST}autoscalers: {{web: {{{law}}}}}\n");
        plan_beside("knative", &[("web.yaml", manifest)], &text).autoscalers.remove(0)
    };
    let inline = "knative: {containerConcurrency: 10, max-scale: 7, window: 90s, config: {scale-to-zero-grace-period: 45s}}";
    assert_eq!(scaled("manifest: web.yaml"), scaled(inline));
}

/// Two of two datapoints of a minute above 70 % add two; one of five minutes below 40 % takes one away. Replicas of 5/s
/// get 9/s: 90 % at 60 s and 120 s. Then four are 45 % busy, which is no reason for either alarm.
#[test]
fn steps_follow_alarms_of_different_periods() {
    let text = |rate: &str| {
        format!(
            "duration: 12m
traffic: {{users: {{rate: {rate}, arrivals: even, to: web.get}}}}
services: {{web: {{replicas: 2, cores: 1, endpoints: {{get: [{{cpu: 200ms}}]}}}}}}
autoscalers:
  web:
    min: 1
    max: 9
    aws_step:
      warmup: 0s
      policies:
        - {{alarm: {{above: 70, evaluation_periods: 2}}, steps: [{{add: 2}}]}}
        - {{alarm: {{below: 40, period: 5m}}, steps: [{{remove: 1}}]}}
"
        )
    };
    assert_eq!(course(&text("9/s")), [(120, 4)]);
    // 3/s are 30 % of two: the mean of five minutes is told at 300 s. One is 60 % busy.
    assert_eq!(course(&text("3/s")), [(300, 1)]);
}

/// Forecasts of 2, 5 and 3 replicas for the hours: five from 55 min on, and never fewer again by the forecast alone.
#[test]
fn a_forecast_raises_and_never_lowers() {
    let text = "duration: 130m
traffic: {users: {rate: 1/s, to: web.get}}
services: {web: {replicas: 2, endpoints: {get: [{delay: 1ms}]}}}
autoscalers: {web: {max: 9, predictive: {forecast: [2, 5, 3]}}}
";
    assert_eq!(course(text), [(3300, 5)]);
}
