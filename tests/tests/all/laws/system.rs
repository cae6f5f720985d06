//! Random small systems, as scenario files.
//!
//! Calls lead from services to later ones and resources are taken in one order, so that nothing can lock itself up:
//! once traffic has stopped, everything comes to an end.

use std::fmt::{self, Display, Formatter, Write as _};

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// Traffic stops after this many seconds.
const TRAFFIC_ENDS: &str = "2s";

#[derive(Clone, Debug)]
pub(super) struct System {
    services: Vec<Service>,
    traffics: Vec<Traffic>,
    policies: Vec<Policy>,
    shared: Shared,
    flows: Flows,
    caches: Caches,
    messages: Messages,
    starters: Vec<Starter>,
    events: Vec<Event>,
    faults: Vec<Fault>,
    /// Nothing is cancelled, the network takes no time, and most calls have no policy: leaves are visited the
    /// short way.
    calm: bool,
}

#[derive(Clone, Debug)]
struct Service {
    replicas: u8,
    workers: Option<(u8, Option<u8>)>,
    cores: Option<&'static str>,
    scheduling: Option<&'static str>,
    /// Contention and a quota.
    brakes: Option<&'static str>,
    /// What is said of the workers' line.
    line: Option<&'static str>,
    /// A resource of its own: slots, queue, timeout, order, and who may enter.
    own: (u8, Option<u8>, Option<&'static str>, &'static str, Option<&'static str>),
    /// How its slots are opened and closed, if they are connections.
    connections: Option<&'static str>,
    pick: &'static str,
    /// How its callers judge its health.
    health: Option<&'static str>,
    pinned: bool,
    latency: Option<&'static str>,
    /// Bandwidth, loss and connections, of routes with a latency.
    network: Option<&'static str>,
    /// How replicas begin and end.
    life: Option<&'static str>,
    /// What decides how many replicas there are.
    scaler: Option<&'static str>,
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
enum Step {
    Cpu(&'static str),
    /// CPU time that goes by bytes.
    Read(&'static str),
    Delay(&'static str),
    /// Stops the cores, where there are any.
    Pause(&'static str),
    /// Holds the service's own resource.
    Hold(u8, Vec<Step>),
    /// Holds the resource that all share.
    Borrow(u8, &'static str),
    /// Looks into the cache of the service's replicas.
    Look,
    /// Puts a message on a queue.
    Send(u8),
    /// Takes from or gives to the rate and the volume, looks into caches that all share, is served in a batch, or holds
    /// what each key has its own of.
    Flow(&'static str),
    Call(u8, Option<u8>),
    All {
        branches: Vec<Vec<Step>>,
        each: &'static str,
        wait_for: Option<u8>,
        cancel: bool,
    },
    Repeat(&'static str, Vec<Step>),
    Choose(u8, Vec<Step>, Vec<Step>),
    ByClass(Vec<Step>, Vec<Step>),
    Reply,
    Fail(u8),
}

#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own in the scenario")]
struct Policy {
    timeout: Option<&'static str>,
    total: Option<&'static str>,
    cancel: bool,
    deadline: bool,
    shared: bool,
    retry: Option<(u8, &'static str, Option<&'static str>)>,
    breaker: Option<&'static str>,
    limit: Option<&'static str>,
    hedge: Option<&'static str>,
    avoid_tried: bool,
    fallback: Option<&'static str>,
}

#[derive(Clone, Debug)]
struct Traffic {
    /// Users who think, or a rate.
    users: Option<u8>,
    rate: u8,
    arrivals: &'static str,
    batch: Option<&'static str>,
    to: u8,
    policy: Option<u8>,
    classes: bool,
    /// A spread of its keys, tenants and users.
    spread: Option<&'static str>,
}

#[derive(Clone, Debug)]
struct Shared {
    slots: u8,
    per: &'static str,
    order: &'static str,
    timeout: Option<&'static str>,
    guard: Option<&'static str>,
}

/// What is not held, served together, or one for each value.
#[derive(Clone, Debug)]
struct Flows {
    quota: &'static str,
    stock: &'static str,
    gpu: &'static str,
    row: &'static str,
}

/// What is said of the caches in replicas, of the one that all share, and of the copy; and what fetching takes.
#[derive(Clone, Debug)]
struct Caches {
    near: &'static str,
    pages: &'static str,
    copy: &'static str,
    misses: (&'static str, &'static str),
}

/// Queues, and two jobs that work off their messages.
#[derive(Clone, Debug)]
struct Messages {
    log: (u8, &'static str, &'static str),
    line: (&'static str, &'static str),
    jobs: [(u8, Vec<Step>); 2],
}

/// A job that starts by itself.
#[derive(Clone, Debug)]
struct Starter {
    service: u8,
    start: &'static str,
    per: &'static str,
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
struct Event {
    at_ms: u16,
    for_ms: Option<u16>,
    service: u8,
    what: u8,
}

/// Something that happens to replicas, zones or the network.
#[derive(Clone, Debug)]
struct Fault {
    at_ms: u16,
    for_ms: u16,
    service: u8,
    other: u8,
    what: u8,
}

const LIVES: [&str; 5] = [
    "startup: 20ms",
    "startup: {delay: {exp: 50ms}, warm: 200ms, slowdown: 3}",
    "drain: 10ms",
    "drain: 0s\n    startup: {exp: 10ms}",
    "zones: [a, b]",
];
/// Autoscalers that look while there is traffic, and seldom enough to look for hours after that.
const SCALERS: [&str; 5] = [
    "min: 1, interval: 1h, schedule: [{from: 300ms, until: 900ms, replicas: 5}, {from: 1200ms, until: 1500ms, replicas: 3}]",
    "min: 1, interval: 1h, schedule: [{from: 100ms, until: 2500ms, replicas: 6}], scheduling: {exp: 20ms}, pull: 30ms, nodes: {pods: 2, provision: {exp: 200ms}, scan: 50ms}",
    "min: 1, interval: 1h, schedule: [{from: 100ms, until: 400ms, replicas: 6}, {from: 700ms, until: 1200ms, replicas: 4}], nodes: {pods: 3, ready: 3, provision: 50ms, scan: 100ms, utilization: 90%, unneeded: 100ms, after_add: 0s}",
    "concurrency: {target: 2}, max: 5, interval: 4s, stabilization: 4s, pipeline: {scrape: 2s, loss: 20%}",
    "hpa: {maxReplicas: 6, metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}], behavior: {scaleDown: {stabilizationWindowSeconds: 0}}}, controller: {sync: 4s}, pipeline: {scrape: 2s, refresh: 0s}",
];
const TIMES: [&str; 8] = [
    "0s",
    "1ms",
    "30ms",
    "{exp: 5ms}",
    "{exp: 40ms}",
    "{uniform: [0ms, 20ms]}",
    "{lognormal: {mean: 10ms, cv: 3}}",
    "{mixture: [[90%, 1ms], [10%, 300ms]]}",
];
const LIMITS: [&str; 4] = ["1ms", "10ms", "50ms", "400ms"];
const PATIENCES: [&str; 6] = ["1ms", "10ms", "50ms", "400ms", "{exp: 20ms}", "{uniform: [0ms, 100ms]}"];
const PATIENT_LIMIT: &str = "{calls: 2, queue: 1}";
const PICKS: [&str; 10] = [
    "{least: {choices: 2, replacement: true}}",
    "first",
    "peak_ewma",
    "{weighted: [3, 0, 1]}",
    "{hash: key}",
    "{ring: {by: tenant, points: 3}}",
    "{range: key}",
    "{hash: class}",
    "{sticky: {by: user, for: {exp: 100ms}}}",
    "{sticky: {by: user, for: 50ms, pick: peak_ewma}}",
];
const HEALTH: [&str; 3] = [
    "{eject: {errors: 1, for: 20ms}}",
    "{eject: {errors: 2, for: 50ms, max: 100%}, panic: 100%}",
    "{check: 7ms, fall: 2, rise: 1, panic: 0%}",
];
/// Clocks stop with the traffic, and a condition that holds leads to something that ends it.
const STARTS: [&str; 8] = [
    "every: 7ms",
    "every: {exp: 60ms}, at: 5ms",
    "every: {uniform: [1ms, 200ms]}, at: {exp: 100ms}, when: tide.level < 8",
    "every: 30ms, when: tide.used > 2 or stock.size > 40",
    "at: {uniform: [0s, 1s]}",
    "at: 1500ms",
    "when: tide.level < 6",
    "when: tide.level + 1 < 0.5 * tide.size, at: {uniform: [0ms, 500ms]}",
];
const FLOWS: [&str; 14] = [
    "{take: tide, units: 2, guard: none}",
    "{take: tide, units: {uniform: [0, 3]}}",
    "{take: heap, units: {uniform: [0, 8]}}",
    "{take: quota}",
    "{take: quota, units: {uniform: [0, 3]}}",
    "{take: stock}",
    "{take: stock, units: {uniform: [0, 8]}}",
    "{take: stock, units: 2, guard: none}",
    "{take: stock, units: all}",
    "{give: stock, units: 3}",
    "{choose: [{when: stock.level > 2, do: [{take: stock}]}, {when: stock.used >= 80%, do: [{give: stock, units: all}]}]}",
    "{hold: gpu}",
    "{hold: row, do: [{delay: {exp: 10ms}}]}",
    "{hold: row, do: [{hold: gpu}, {take: quota}]}",
];
const QUOTAS: [&str; 7] = [
    "rate: 20/s, burst: 5",
    "rate: 600/min, burst: 4, per: tenant, queue: 3",
    "rate: 30/s, burst: 3, per: key, queue: 2, timeout: 30ms",
    "rate: 40/s, style: leaky, queue: 4",
    "rate: 50/s, style: leaky, queue: 2, per: class, timeout: 40ms",
    "rate: 10/s, style: fixed_window, per: user, queue: 5, timeout: 300ms",
    "rate: 30/s, style: sliding_window, window: 200ms, queue: 5",
];
// Nobody may wait for ever: who gives may be behind who takes.
const STOCKS: [&str; 4] = [
    "volume: 50",
    "volume: 10, level: 4, per: key",
    "volume: 12, on_full: block, timeout: 60ms",
    "volume: 9, on_full: block, queue: 3, timeout: 1s, per: tenant",
];
const GPUS: [&str; 4] = [
    "slots: 1, batch: {max: 4, time: {exp: 15ms}}",
    "slots: 2, batch: {max: 3, delay: 5ms, time: {base: 10ms, each: 2ms}}",
    "slots: 1, timeout: 50ms, batch: {max: 3, min: 2, delay: 2ms, time: 7ms}",
    "slots: 1, queue: 2, per: class, order: lifo, batch: {max: 2, delay: 10ms, time: 0s}",
];
const ROWS: [&str; 3] = [
    "slots: 1, per: key",
    "slots: 2, per: tenant, queue: 1, order: lifo",
    "slots: 1, per: user, timeout: 20ms",
];
const LOOKS: [&str; 6] = [
    "{get: pages}",
    "{get: pages, key: tenant}",
    "{get: copy}",
    "{put: pages}",
    "{put: pages, remove: true}",
    "{put: copy}",
];
const CACHES: [&str; 9] = [
    "ttl: 100ms, coalesce: cluster",
    "size: 2, coalesce: replica, negative: 20ms",
    "size: 3, evict: fifo, ttl: 50ms, jitter: 30%, coalesce: service, hit: [{delay: 1ms}]",
    "size: 2, evict: random, store: add",
    "size: 1, evict: none, on_full: fail, ttl: 200ms, coalesce: cluster",
    "size: 4, evict: lfu, warm: 50%",
    "ttl: 30ms, stale_while: 100ms, coalesce: cluster, negative: 5ms",
    "ttl: 60ms, early: 2, coalesce: cluster, expire: after_access",
    "ttl: 20ms, stale_while: 50ms, early: 1",
];
const COPIES: [&str; 3] = [
    "lag: 50ms",
    "lag: {exp: 30ms}, hit: [{delay: 1ms}]",
    "lag: 1s, pin_writer: 200ms, miss: [{call: origin.read}]",
];
/// Nobody who waits for a fetch holds what the fetch needs.
const MISSES: [&str; 8] = [
    "[{delay: {exp: 20ms}}]",
    "[{call: origin.read}]",
    "[{cpu: 5ms}, {fail: broken, rate: 40%}]",
    "[{hold: shared, do: [{delay: 5ms}]}]",
    "[{all: [{delay: 3ms}, {call: origin.read}], each: 2, wait_for: 1}]",
    "[reply, {delay: {uniform: [0ms, 30ms]}}]",
    "[{take: quota}, {repeat: 2, do: [{delay: 5ms}]}]",
    "[]",
];
/// Nobody waits for ever for a message, so each is tried a few times only.
const LOG_CONSUMERS: [&str; 7] = [
    "{job: j0, members: 2}",
    "{job: j0, members: 5, batch: 3, rebalance: {cooperative: 20ms}}",
    "{job: j0, per: replica, batch: 10, rebalance: {eager: 5ms}}",
    "{a: {job: j0, members: 2, batch: 4, ack: before}, b: {job: j1, members: 3, each: batch, rebalance: static}}",
    "{job: j1, members: 3, batch: 5, poll: 400ms, rebalance: {eager: 10ms}}",
    "{job: j1, members: 3, batch: 5, poll: 400ms, rebalance: {cooperative: 10ms}}",
    "{job: j1, members: 2, per: replica, batch: 2, rebalance: {static: 30ms}}",
];
const LOGS: [&str; 5] = [
    "by: key, attempts: 2",
    "by: tenant, attempts: 3, backoff: 10ms, dead_letter: grave",
    "attempts: 2, backoff: {exp: 20ms}, retention: 300ms",
    "order: key, attempts: 4, limit: 5, on_full: drop",
    "by: user, attempts: 1, latency: 2ms, replicate: 5ms, dead_letter: grave",
];
const LINE_CONSUMERS: [&str; 4] = [
    "{job: j1, members: 3}",
    "{job: j1, members: 2, batch: 4, ack: before}",
    "{x: {job: j0, per: replica}, y: {job: j1, batch: 3, each: batch}}",
    "{job: j0, members: 2, batch: 3}",
];
const LINES: [&str; 4] = [
    "attempts: 3, visibility: 50ms, dead_letter: grave",
    "attempts: 2, backoff: 5ms, visibility: 30ms",
    "attempts: 5, visibility: 1s, retention: 200ms",
    "attempts: 2, limit: 4, order: key, latency: 1ms",
];
const SENDS: [&str; 6] = [
    "{send: log}",
    "{send: log, acks: 0}",
    "{send: log, acks: 1}",
    "{send: line}",
    "{send: line, acks: 0}",
    "{send: hall}",
];
/// What is written of a service is written of a job that runs there, with this bit in its number.
const JOB: usize = 1 << 16;
const SCHEDULING: [&str; 8] = [
    "run_to_completion",
    "sjf",
    "srpt",
    "psjf",
    "foreground_background",
    "lifo_preemptive",
    "{priority: preemptive}",
    "{priority: non_preemptive}",
];
const BRAKES: [&str; 3] = [
    "contention: {sigma: 5%, kappa: 0.01}",
    "throttle: {period: 20ms}",
    "contention: {sigma: 20%}, throttle: {host_cores: 2}",
];
const NETWORK: [&str; 5] = [
    "bandwidth: 1MB/s",
    "loss: 20%, retransmit: 5ms",
    "loss: 100%, retransmit: 1ms",
    "connect: {round_trips: 2, keep_alive: 20ms, idle: 1}",
    "bandwidth: 100kB/s, loss: 1%, connect: {keep_alive: 0s}",
];
/// What comes out of the sessions is closed in the end, so that it all goes back.
const CONNECTIONS: [&str; 5] = [
    "connect: 5ms",
    "connect: {exp: 5ms}, idle: 50ms, from: sessions",
    "idle: 0s, from: sessions",
    "connect: 3ms, idle: 1s, max_life: {exp: 100ms}, from: sessions",
    "connect: {exp: 30ms}, max_life: {uniform: [2m, 4m]}, eager: true",
];
const ORDERS: [&str; 9] = [
    "fifo",
    "lifo",
    "priority",
    "random",
    "edf",
    "{codel: 5ms}",
    "{codel: {target: 1ms, interval: 3ms}}",
    "{adaptive_lifo: 1}",
    "{adaptive_lifo: {above: 2, codel: {target: 2ms, interval: 10ms}}}",
];
const GUARDS: [&str; 7] = [
    "drop_abandoned: true",
    "admit: {iron: 50%}",
    "admit: {iron: 0%, gold: 70%}, drop_abandoned: true",
    "adapt: {aimd: {min: 2, max: 6, timeout: 20ms}}",
    "adapt: {vegas: {min: 2, max: 9, probe: 2}}, admit: {iron: 60%}",
    "adapt: {gradient: {min: 2, max: 6, window: 0s, queue: 1}}, drop_abandoned: true",
    "adapt: {aimd: {backoff: 50%, min: 2, max: 40, window: 100ms}}",
];

fn time() -> impl Strategy<Value = &'static str> + Clone {
    select(&TIMES[..])
}

fn limit() -> impl Strategy<Value = Option<&'static str>> {
    option::of(select(&LIMITS[..]))
}

fn patience() -> impl Strategy<Value = Option<&'static str>> {
    option::of(select(&PATIENCES[..]))
}

fn guard() -> impl Strategy<Value = Option<&'static str>> {
    option::weighted(0.3, select(&GUARDS[..]))
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let leaf = prop_oneof![
        4 => time().prop_map(Step::Cpu),
        1 => time().prop_map(Step::Read),
        3 => time().prop_map(Step::Delay),
        1 => time().prop_map(Step::Pause),
        5 => (any::<u8>(), option::of(any::<u8>())).prop_map(|(to, policy)| Step::Call(to, policy)),
        2 => (1..=2_u8, time()).prop_map(|(units, time)| Step::Borrow(units, time)),
        4 => select(&FLOWS[..]).prop_map(Step::Flow),
        2 => select(&LOOKS[..]).prop_map(Step::Flow),
        1 => Just(Step::Look),
        3 => any::<u8>().prop_map(Step::Send),
        1 => Just(Step::Reply),
        1 => (0..=40_u8).prop_map(Step::Fail),
    ];
    let step = leaf.prop_recursive(3, 12, 3, |inner| {
        let some = vec(inner, 1..=3);
        let each = select(&["1", "2", "3", "0", "{uniform: [0, 3]}"][..]);
        let times = select(&["2", "0", "3", "{uniform: [0, 4]}"][..]);
        prop_oneof![
            (1..=2_u8, some.clone()).prop_map(|(units, steps)| Step::Hold(units, steps)),
            (vec(some.clone(), 1..=3), each, option::of(1..=3_u8), any::<bool>()).prop_map(
                |(branches, each, wait_for, cancel)| Step::All { branches, each, wait_for, cancel }
            ),
            (times, some.clone()).prop_map(|(times, steps)| Step::Repeat(times, steps)),
            (0..=100_u8, some.clone(), some.clone()).prop_map(|(share, a, b)| Step::Choose(share, a, b)),
            (some.clone(), some).prop_map(|(a, b)| Step::ByClass(a, b)),
        ]
    });
    vec(step, 1..=3)
}

/// An autoscaler for one service in twelve, by what else it is: that others are as they would be without.
fn scaler(steps: &[Step], slots: u8, replicas: u8) -> Option<&'static str> {
    let number = format!("{steps:?}").len() + 5 * usize::from(slots) + 11 * usize::from(replicas);
    SCALERS.get(number % (12 * SCALERS.len())).copied()
}

fn service() -> impl Strategy<Value = Service> {
    let workers = option::of((1..=4_u8, option::of(0..=3_u8)));
    let cores = option::of(select(&["1", "2", "0.5", "1.5"][..]));
    let own = (2..=3_u8, option::of(0..=3_u8), patience(), select(&ORDERS[..]), guard());
    let own = (own, option::weighted(0.3, select(&CONNECTIONS[..])));
    let line = option::weighted(
        0.4,
        prop_oneof![
            2 => select(&GUARDS[..]),
            1 => select(&["order: random", "order: lifo", "order: sjf", "timeout: {exp: 30ms}", "order: {codel: {target: 1ms, interval: 5ms}}"][..]),
        ],
    );
    let own = (own, line);
    let picks = prop_oneof![
        select(&["round_robin", "random", "{least: 2}", "least_connections", "join_idle"][..]),
        select(&PICKS[..])
    ];
    let health = option::weighted(0.3, select(&HEALTH[..]));
    let latency = option::weighted(0.3, select(&["1ms", "{exp: 2ms}"][..]));
    let network = option::of(select(&NETWORK[..]));
    let leaf = prop_oneof![time().prop_map(Step::Cpu), time().prop_map(Step::Delay)];
    let steps = prop_oneof![2 => steps(), 1 => leaf.prop_map(|step| vec![step])];
    let lives = option::weighted(0.25, select(&LIVES[..]));
    let route = (picks, health, prop::bool::weighted(0.2), latency, (network, lives));
    let scheduling = (option::of(select(&SCHEDULING[..])), option::weighted(0.2, select(&BRAKES[..])));
    (1..=3_u8, workers, (cores, scheduling), own, route, steps).prop_map(
        |(replicas, workers, (cores, (scheduling, brakes)), (own, line), route, steps)| {
            let (own, connections) = own;
            let (pick, health, pinned, latency, (network, lives)) = route;
            let scaler = scaler(&steps, own.0, replicas);
            Service {
                replicas,
                workers,
                cores,
                scheduling,
                brakes,
                line,
                own,
                connections,
                pick,
                health,
                pinned,
                latency,
                network,
                life: lives,
                // A list of weights is of as many replicas as there are, and a share of the CPU one of some.
                scaler: scaler
                    .filter(|law| !pick.contains("weighted") && (cores.is_some() || !law.starts_with("hpa"))),
                steps,
            }
        },
    )
}

fn policy() -> impl Strategy<Value = Policy> {
    let backoff = select(
        &[
            "0s",
            "5ms",
            "{base: 2ms, max: 20ms}",
            "{base: 2ms, jitter: decorrelated}",
            "{base: 3ms, jitter: equal}",
            "{exp: 4ms}",
        ][..],
    );
    let budget = option::of(select(
        &[
            "budget: 10%",
            "budget: {ratio: 50%, cap: 2, credit: success}",
            "budget: {cap: 4, credit: success, spend: failure, reserve: 50%}",
            "parallel: 1",
        ][..],
    ));
    let breaker = select(
        &[
            "{window: 5 calls, min_calls: 2, open: 100ms, probes: 1}",
            "{window: 1s, min_calls: 3, failures: 30%, slow: 20ms, open: 50ms, probes: 2}",
            "{window: 200ms, min_calls: 1, slow: 5ms, slow_share: 100%, open: 300ms, probes: 3}",
        ][..],
    );
    let calls = select(&["1", PATIENT_LIMIT, "{calls: 1, queue: 5, timeout: 20ms}"][..]);
    let hedge = select(
        &[
            "{after: 5ms}",
            "{after: 0s, max: 2, tied: true}",
            "{after: 1ms, max: 2, cancel: false}",
            "{after: p50, tied: true}",
        ][..],
    );
    let fallback = select(
        &[
            "[]",
            "[{delay: 1ms}]",
            "[{hold: shared, do: [{delay: 10ms}]}, {cpu: 1ms}]",
            "[{fail: broken, rate: 50%}]",
        ][..],
    );
    let times = (limit(), limit(), any::<bool>(), any::<bool>(), option::of((1..=3_u8, backoff, budget)));
    let rare = 0.3;
    let states = (
        option::weighted(rare, breaker),
        option::weighted(rare, calls),
        option::weighted(rare, hedge),
        option::weighted(rare, fallback),
        any::<bool>(),
        any::<bool>(),
    );
    (times, states).prop_map(
        |(
            (timeout, total, cancel, deadline, retry),
            (breaker, limit, hedge, fallback, shared, avoid_tried),
        )| Policy {
            timeout,
            total,
            cancel,
            deadline,
            shared,
            retry,
            breaker,
            // Callers that share a limit call each other: who waits there without end can wait for itself.
            limit: limit.filter(|limit| !shared || *limit != PATIENT_LIMIT),
            hedge,
            avoid_tried,
            fallback,
        },
    )
}

fn traffic() -> impl Strategy<Value = Traffic> {
    let arrivals = select(
        &[
            "poisson",
            "even",
            "{renewal: {gamma: {mean: 1s, cv: 2}}}",
            "{mmpp: [[1/s, 900ms], [10/s, 100ms], [0/s, 50ms]]}",
        ][..],
    );
    let batch = option::weighted(0.3, select(&["3", "{uniform: [0, 4]}"][..]));
    let policy = option::of(any::<u8>());
    let spread = option::of(select(
        &["{uniform: 5}", "{zipf: {s: 1.1, n: 100}}", "{weights: {a: 40%, b: 0%, c: 60%}}"][..],
    ));
    let who = (any::<bool>(), spread);
    (option::weighted(0.3, 1..=8_u8), 1..=40_u8, arrivals, batch, any::<u8>(), policy, who).prop_map(
        |(users, rate, arrivals, batch, to, policy, (classes, spread))| Traffic {
            users,
            rate,
            arrivals,
            batch,
            to,
            policy,
            classes,
            spread,
        },
    )
}

fn event() -> impl Strategy<Value = Event> {
    (0..3_000_u16, option::of(1..2_000_u16), any::<u8>(), any::<u8>())
        .prop_map(|(at_ms, for_ms, service, what)| Event { at_ms, for_ms, service, what })
}

fn fault() -> impl Strategy<Value = Fault> {
    (0..3_000_u16, 1..2_000_u16, any::<u8>(), any::<u8>(), any::<u8>())
        .prop_map(|(at_ms, for_ms, service, other, what)| Fault { at_ms, for_ms, service, other, what })
}

/// Systems of up to five services.
pub(super) fn systems() -> impl Strategy<Value = System> {
    let shared = (2..=4_u8, select(&["cluster", "class"][..]), select(&ORDERS[..]), patience(), guard())
        .prop_map(|(slots, per, order, timeout, guard)| {
            // What is done while it is held is known.
            let order = if order == "random" { "sjf" } else { order };
            Shared { slots, per, order, timeout, guard }
        });
    let events = prop_oneof![Just(Vec::new()), vec(event(), 1..=4)];
    let flows = (select(&QUOTAS[..]), select(&STOCKS[..]), select(&GPUS[..]), select(&ROWS[..]))
        .prop_map(|(quota, stock, gpu, row)| Flows { quota, stock, gpu, row });
    let misses = (select(&MISSES[..]), select(&MISSES[..]));
    let caches = (select(&CACHES[..]), select(&CACHES[..]), select(&COPIES[..]), misses)
        .prop_map(|(near, pages, copy, misses)| Caches { near, pages, copy, misses });
    let starter = (any::<u8>(), select(&STARTS[..]), select(&["replica", "service"][..]), steps())
        .prop_map(|(service, start, per, steps)| Starter { service, start, per, steps });
    let starters = prop_oneof![1 => Just(Vec::new()), 2 => vec(starter, 1..=3)];
    let flows = (flows, caches);
    let log = (1..=4_u8, select(&LOGS[..]), select(&LOG_CONSUMERS[..]));
    let line = (select(&LINES[..]), select(&LINE_CONSUMERS[..]));
    let job = || (any::<u8>(), steps());
    let messages = (log, line, [job(), job()]).prop_map(|(log, line, jobs)| Messages { log, line, jobs });
    let faults = prop_oneof![2 => Just(Vec::new()), 1 => vec(fault(), 1..=4)];
    let parts =
        (vec(service(), 1..=5), vec(traffic(), 1..=3), vec(policy(), 1..=3), shared, (events, faults));
    (parts, (flows, messages, starters), any::<bool>()).prop_map(
        |(
            (services, traffics, policies, shared, (events, faults)),
            ((flows, caches), messages, starters),
            calm,
        )| System {
            services,
            traffics,
            policies,
            shared,
            flows,
            caches,
            messages,
            starters,
            events,
            faults,
            calm,
        },
    )
}

impl Display for System {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // Autoscalers go on looking when there is no traffic any more.
        let events = if self.services.iter().any(|row| row.scaler.is_some()) { "400k" } else { "200k" };
        writeln!(f, "duration: 10h\nwarmup: 1s\nlimits: {{events: {events}}}\ntraffic:")?;
        for (i, traffic) in self.traffics.iter().enumerate() {
            self.write_traffic(f, i, traffic)?;
        }
        // Somebody has to have each class, and each attribute.
        let attributes = "{key: {uniform: 9}, tenant: {uniform: 3}, user: {uniform: 4}}";
        let rate = format!("{{steps: {{0s: 1/s, {TRAFFIC_ENDS}: 0/s}}}}");
        writeln!(f, "  some: {{rate: {rate}, to: s0.go, attributes: {attributes}}}")?;
        writeln!(f, "  gold: {{rate: {{steps: {{0s: 1/s, {TRAFFIC_ENDS}: 0/s}}}}, to: s0.go, class: gold}}")?;
        writeln!(
            f,
            "  iron: {{rate: {{steps: {{0s: 1/s, {TRAFFIC_ENDS}: 0/s}}}}, to: s0.go, class: iron, priority: [gold, iron]}}"
        )?;
        writeln!(f, "services:")?;
        for (i, service) in self.services.iter().enumerate() {
            self.write_service(f, i, service)?;
        }
        writeln!(f, "  origin: {{workers: 2, queue: 3, endpoints: {{read: [{{delay: {{exp: 10ms}}}}]}}}}")?;
        writeln!(f, "  hall: {{endpoints: {{go: [{{delay: 1ms}}]}}}}")?;
        let Caches { near, pages, copy, misses: (miss, behind) } = &self.caches;
        writeln!(f, "caches:\n  pages: {{{pages}, miss: {miss}}}\n  copy: {{follows: s0, {copy}}}")?;
        for i in 0..self.services.len() {
            // Every other one has the shared one behind it.
            let behind = if i % 2 == 0 { "[{get: pages}, {delay: 1ms}]" } else { behind };
            writeln!(f, "  near{i}: {{at: s{i}, {near}, miss: {behind}}}")?;
        }
        self.write_messages(f)?;
        let scaled = self.services.iter().enumerate().filter_map(|(i, row)| Some((i, row.scaler?)));
        let scaled: Vec<String> = scaled.map(|(i, law)| format!("  s{i}: {{{law}}}\n")).collect();
        if !scaled.is_empty() {
            write!(f, "autoscalers:\n{}", scaled.concat())?;
        }
        let Shared { slots, per, order, timeout, guard } = &self.shared;
        let (order, guard) = (self.ordered(order), guarded(*guard));
        writeln!(
            f,
            "resources:\n  shared: {{slots: {slots}, per: {per}, order: {order}{}{guard}}}",
            wait(*timeout)
        )?;
        writeln!(f, "  sessions: {{slots: 4, queue: 3, timeout: 40ms}}")?;
        let Flows { quota, stock, gpu, row } = &self.flows;
        writeln!(f, "  quota: {{{quota}}}\n  stock: {{{stock}}}\n  gpu: {{{gpu}}}\n  row: {{{row}}}")?;
        writeln!(f, "  tide: {{volume: 20, level: 10}}")?;
        writeln!(f, "routes:")?;
        for (i, service) in self.services.iter().enumerate() {
            let latency = service.latency.filter(|_| !self.calm);
            let network = service.network.filter(|_| latency.is_some());
            let network = network.map(|network| format!(", {network}")).unwrap_or_default();
            let latency = latency.map(|latency| format!(", latency: {latency}{network}")).unwrap_or_default();
            // There are as many weights as replicas.
            let weights = "[3, 0, 1"[..3 * usize::from(service.replicas) - 1].to_owned() + "]";
            let pick = service.pick.replace("[3, 0, 1]", &weights);
            let health = service.health.map(|health| format!(", health: {health}")).unwrap_or_default();
            let connections = if service.pinned { "pinned" } else { "per_call" };
            writeln!(f, "  s{i}: {{pick: {pick}, connections: {connections}{health}{latency}}}")?;
        }
        writeln!(f, "policies:")?;
        for (i, policy) in self.policies.iter().enumerate() {
            let mut fields = vec![format!("cancel: {}", policy.cancel && !self.calm)];
            fields.extend(policy.timeout.map(|timeout| format!("timeout: {timeout}")));
            fields.extend(policy.total.map(|total| format!("total: {total}")));
            fields.push(format!("deadline: {}, shared: {}", policy.deadline && !self.calm, policy.shared));
            fields.push(format!("avoid_tried: {}", policy.avoid_tried));
            fields.extend(policy.retry.map(|(attempts, backoff, budget)| {
                let budget = budget.map(|budget| format!(", {budget}")).unwrap_or_default();
                format!("retry: {{attempts: {attempts}, backoff: {backoff}{budget}}}")
            }));
            let others = [
                ("breaker", policy.breaker),
                ("limit", policy.limit),
                ("hedge", policy.hedge.filter(|_| !self.calm)),
                ("fallback", policy.fallback),
            ];
            fields.extend(others.into_iter().filter_map(|(key, value)| Some(format!("{key}: {}", value?))));
            writeln!(f, "  p{i}: {{{}}}", fields.join(", "))?;
        }
        self.write_events(f)
    }
}

impl Service {
    /// Whether its workers adapt.
    fn adapts(&self) -> bool {
        self.line.is_some_and(|line| line.contains("adapt:"))
    }

    /// Whether it is known beforehand how long its requests take.
    fn is_measured(&self) -> bool {
        is_measured(&self.steps)
    }
}

fn is_measured(steps: &[Step]) -> bool {
    steps.iter().all(|step| matches!(step, Step::Cpu(_) | Step::Delay(_) | Step::Reply))
}

fn guarded(guard: Option<&str>) -> String {
    guard.map(|guard| format!(", {guard}")).unwrap_or_default()
}

fn wait(timeout: Option<&str>) -> String {
    timeout.map(|timeout| format!(", timeout: {timeout}")).unwrap_or_default()
}

impl System {
    /// An order for which there is what it goes by: a deadline somewhere.
    fn ordered(&self, order: &'static str) -> &'static str {
        let urgent = !self.calm && self.policies.iter().any(|policy| policy.deadline);
        if order == "edf" && !urgent { "random" } else { order }
    }

    /// The policy of a call, if it is to have one.
    fn keep(&self, policy: Option<u8>) -> Option<u8> {
        policy.filter(|policy| !self.calm || policy % 4 == 0)
    }

    fn write_traffic(&self, f: &mut Formatter<'_>, i: usize, traffic: &Traffic) -> fmt::Result {
        write!(f, "  t{i}: {{to: s{}.go", usize::from(traffic.to) % self.services.len())?;
        if let Some(users) = traffic.users {
            write!(f, ", users: {users}, think: {{exp: 50ms}}")?;
        } else {
            let Traffic { rate, arrivals, .. } = traffic;
            let batch = traffic.batch.map(|batch| format!(", batch: {batch}")).unwrap_or_default();
            let steps = format!("{{0s: {rate}/s, {TRAFFIC_ENDS}: 0/s}}");
            write!(f, ", rate: {{steps: {steps}}}, arrivals: {arrivals}{batch}")?;
        }
        if let Some(policy) = self.keep(traffic.policy) {
            write!(f, ", policy: p{}", usize::from(policy) % self.policies.len())?;
        }
        let mut attributes = Vec::new();
        attributes.extend(traffic.classes.then(|| "class: {gold: 30%, iron: 70%}".to_owned()));
        if let Some(spread) = traffic.spread {
            attributes.extend(["key", "tenant", "user"].map(|name| format!("{name}: {spread}")));
        }
        if attributes.is_empty() {
            return writeln!(f, "}}");
        }
        writeln!(f, ", attributes: {{{}, bytes: {{exp: 2kB}}}}}}", attributes.join(", "))
    }

    fn write_service(&self, f: &mut Formatter<'_>, i: usize, service: &Service) -> fmt::Result {
        writeln!(f, "  s{i}:\n    replicas: {}", service.replicas)?;
        if let Some((workers, queue)) = service.workers {
            let at_it = |job: &&(u8, Vec<Step>)| usize::from(job.0) % self.services.len() == i;
            let mut jobs = self.messages.jobs.iter().filter(at_it);
            let measured = service.is_measured() && jobs.all(|(_, steps)| is_measured(steps));
            let line = service.line.filter(|line| *line != "order: sjf" || measured);
            // A limit does not begin below its least.
            let least = if service.adapts() { 2 } else { 1 };
            writeln!(f, "    workers: {}", workers.max(least))?;
            line.map_or(Ok(()), |line| {
                writeln!(
                    f,
                    "    {}",
                    line.replace(", adapt", "\n    adapt")
                        .replace(", drop", "\n    drop")
                        .replace("}, admit", "}\n    admit")
                )
            })?;
            if let Some(queue) = queue {
                writeln!(f, "    queue: {queue}")?;
            }
        }
        let mut cpus = String::new();
        if let Some(cores) = service.cores {
            match service.brakes {
                Some(brakes) => cpus = format!(", cpus: {{cores: {cores}, {brakes}}}"),
                None => writeln!(f, "    cores: {cores}")?,
            }
            // An event loop has whole cores.
            let fits = |word: &&str| *word != "run_to_completion" || !cores.contains('.');
            if let Some(scheduling) = service.scheduling.filter(fits) {
                writeln!(f, "    scheduling: {scheduling}")?;
            }
        }
        let (slots, queue, timeout, order, guard) = service.own;
        let queue = queue.map(|queue| format!(", queue: {queue}")).unwrap_or_default();
        let (wait, order, guard) = (wait(timeout), self.ordered(order), guarded(guard));
        let connections = service.connections.map(|plan| format!(", {plan}")).unwrap_or_default();
        let mut steps = String::new();
        self.write_steps(&mut steps, &service.steps, i, false)?;
        let heap = if steps.contains("heap") { ", heap: {volume: 30, on_full: restart}" } else { "" };
        writeln!(
            f,
            "    resources: {{own: {{slots: {slots}, order: {order}{queue}{wait}{guard}{connections}}}{cpus}{heap}}}"
        )?;
        service.life.map_or(Ok(()), |life| writeln!(f, "    {life}"))?;
        writeln!(f, "    endpoints: {{go: {steps}}}")
    }

    fn write_messages(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Messages { log: (partitions, log, takers), line: (line, others), jobs } = &self.messages;
        writeln!(f, "queues:\n  log: {{partitions: {partitions}, {log}, consumers: {takers}}}")?;
        writeln!(f, "  line: {{{line}, consumers: {others}}}\n  grave: {{}}")?;
        // Who waits for room waits for somebody who waits for nobody.
        writeln!(f, "  hall: {{limit: 2, on_full: block, consumers: {{job: usher, members: 2}}}}")?;
        writeln!(f, "jobs:\n  usher: {{service: hall, do: [{{delay: {{exp: 5ms}}}}]}}")?;
        for (number, (service, steps)) in jobs.iter().enumerate() {
            let service = usize::from(*service) % self.services.len();
            let mut text = String::new();
            self.write_steps(&mut text, steps, service | JOB, false)?;
            // Only services whose own steps use it have a heap.
            let text = text.replace("take: heap", "take: stock");
            writeln!(f, "  j{number}: {{service: s{service}, do: {text}}}")?;
        }
        for (number, Starter { service, start, per, steps }) in self.starters.iter().enumerate() {
            let service = usize::from(*service) % self.services.len();
            let mut text = String::new();
            self.write_steps(&mut text, steps, service | JOB, false)?;
            let text = text.replace("take: heap", "take: stock");
            // What every value has for itself has no level that a job could look at.
            let start = if self.flows.stock.contains("per:") {
                start.replace("stock", "tide")
            } else {
                (*start).into()
            };
            let refill = "[{repeat: 1, do: ".to_owned() + &text + "}, {give: tide, units: 5}]";
            writeln!(f, "  own{number}: {{service: s{service}, {start}, per: {per}, do: {refill}}}")?;
        }
        Ok(())
    }

    /// Writes the steps of service `i`; what it holds already it does not hold again.
    fn write_steps(&self, out: &mut String, steps: &[Step], i: usize, holding: bool) -> fmt::Result {
        out.push('[');
        for (n, step) in steps.iter().enumerate() {
            if n > 0 {
                out.push_str(", ");
            }
            self.write_step(out, step, i, holding)?;
        }
        out.push(']');
        Ok(())
    }

    fn write_step(&self, out: &mut String, step: &Step, at: usize, holding: bool) -> fmt::Result {
        let (i, is_job) = (at & !JOB, at & JOB != 0);
        match step {
            // Nobody that a job calls sends messages, so that there is an end of them.
            Step::Send(_) if is_job || i + 1 == self.services.len() => out.write_str("{delay: 1ms}"),
            Step::Send(which) => out.write_str(SENDS[usize::from(*which) % SENDS.len()]),
            Step::Cpu(time) => write!(out, "{{cpu: {time}}}"),
            Step::Read(time) => write!(out, "{{cpu: {time}, per_byte: 1us}}"),
            Step::Delay(time) => write!(out, "{{delay: {time}}}"),
            Step::Pause(time) => {
                let verb = if self.services[i].cores.is_some() { "pause" } else { "delay" };
                write!(out, "{{{verb}: {time}}}")
            }
            Step::Hold(_, steps) if holding => {
                out.push_str("{repeat: 1, do: ");
                self.write_steps(out, steps, at, true)?;
                out.write_char('}')
            }
            Step::Hold(units, steps) => {
                let units = if self.services[i].connections.is_some() { &1 } else { units };
                write!(out, "{{hold: own, units: {units}, do: ")?;
                self.write_steps(out, steps, at, true)?;
                out.write_char('}')
            }
            Step::Borrow(units, time) => {
                write!(out, "{{hold: shared, units: {units}, do: [{{delay: {time}}}]}}")
            }
            Step::Flow(step) => out.write_str(step),
            Step::Look => write!(out, "{{get: near{i}}}"),
            Step::Call(to, policy) => {
                let later = self.services.len() - i - 1;
                if later == 0 {
                    return out.write_str("{delay: 1ms}");
                }
                let to = if is_job { (later - 1) as u8 } else { *to };
                write!(out, "{{call: s{}.go", i + 1 + usize::from(to) % later)?;
                if let Some(policy) = self.keep(*policy) {
                    write!(out, ", policy: p{}", usize::from(policy) % self.policies.len())?;
                }
                if to % 3 == 0 {
                    out.write_str(", bytes: 3kB, reply_bytes: {exp: 4kB}")?;
                }
                out.write_char('}')
            }
            Step::All { branches, each, wait_for, cancel } => {
                let cancel = *cancel && !self.calm;
                out.push_str("{all: [");
                for (n, branch) in branches.iter().enumerate() {
                    out.push_str(if n > 0 { ", " } else { "" });
                    // A branch of one call has no frame of its own.
                    match branch.as_slice() {
                        [call @ Step::Call(..)] => self.write_step(out, call, at, holding)?,
                        steps => self.write_steps(out, steps, at, holding)?,
                    }
                }
                // More than there are is refused when the number is known.
                let most = each.parse::<usize>().map_or(3, |each| each * branches.len());
                match wait_for.map(usize::from).filter(|wait_for| *wait_for <= most) {
                    Some(wait_for) => {
                        write!(out, "], each: {each}, wait_for: {wait_for}, cancel: {cancel}}}")
                    }
                    None => write!(out, "], each: {each}, cancel: {cancel}}}"),
                }
            }
            Step::Repeat(times, steps) => {
                write!(out, "{{repeat: {times}, do: ")?;
                self.write_steps(out, steps, at, holding)?;
                out.write_char('}')
            }
            Step::Choose(share, one, other) => {
                write!(out, "{{choose: [{{weight: {share}%, do: ")?;
                self.write_steps(out, one, at, holding)?;
                out.push_str("}, {else: ");
                self.write_steps(out, other, at, holding)?;
                out.write_str("}]}")
            }
            Step::ByClass(gold, other) => {
                out.push_str("{choose: [{class: gold, do: ");
                self.write_steps(out, gold, at, holding)?;
                out.push_str("}, {else: ");
                self.write_steps(out, other, at, holding)?;
                out.write_str("}]}")
            }
            Step::Reply => out.write_str("reply"),
            Step::Fail(percent) => write!(out, "{{fail: broken, rate: {percent}%}}"),
        }
    }

    fn write_fault(&self, f: &mut Formatter<'_>, fault: &Fault) -> fmt::Result {
        let Fault { at_ms, for_ms, what, .. } = *fault;
        let number = usize::from(fault.service) % self.services.len();
        let other = usize::from(fault.other) % self.services.len();
        let other = if other == number { "some".to_owned() } else { format!("s{other}") };
        let zoned =
            self.services.iter().any(|service| service.life.is_some_and(|life| life.contains("zones")));
        let (at, lasts) = (format!("at: {at_ms}ms"), format!("for: {for_ms}ms"));
        match what % 9 {
            0 | 1 => writeln!(f, "  - {{{at}, crash: s{number}, restart: {for_ms}ms}}"),
            2 => writeln!(f, "  - {{{at}, every: {{exp: 3h}}, crash: s{number}, replicas: 1}}"),
            3 => writeln!(f, "  - {{mttf: {{exp: 2h}}, crash: s{number}, restart: {{exp: {for_ms}ms}}}}"),
            4 => writeln!(f, "  - {{{at}, {lasts}, partition: [s{number}, {other}]}}"),
            5 => writeln!(
                f,
                "  - {{{at}, {lasts}, latency: {{between: [s{number}, {other}], add: {{exp: 5ms}}}}}}"
            ),
            6 => writeln!(f, "  - {{{at}, {lasts}, loss: {{between: [s{number}, {other}], share: 30%}}}}"),
            7 if zoned => writeln!(f, "  - {{{at}, {lasts}, lose: {{zone: a}}}}"),
            7 => writeln!(f, "  - {{{at}, crash: s{number}, restart: never}}"),
            _ => writeln!(f, "  - {{{at}, deploy: s{number}, surge: 50%}}"),
        }
    }

    /// Entries go or expire, or a cache changes.
    fn write_cache_event(f: &mut Formatter<'_>, event: &Event) -> fmt::Result {
        let at = event.at_ms;
        let settings =
            ["caches.pages.coalesce: replica", "caches.copy.lag: 300ms", "caches.near0.coalesce: cluster"];
        match event.what / 13 % 6 {
            0 => writeln!(f, "  - {{at: {at}ms, flush: pages}}"),
            1 => writeln!(f, "  - {{at: {at}ms, flush: near0, share: 50%}}"),
            2 => writeln!(f, "  - {{at: {at}ms, expire: pages, share: 70%}}"),
            n => {
                let set = settings[usize::from(n) - 3];
                let lasting = event.for_ms.map(|ms| format!("for: {ms}ms, ")).unwrap_or_default();
                writeln!(f, "  - {{at: {at}ms, {lasting}set: {{{set}}}}}")
            }
        }
    }

    fn write_events(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let users: Vec<usize> =
            (0..self.traffics.len()).filter(|&i| self.traffics[i].users.is_some()).collect();
        let clocks: Vec<usize> =
            (0..self.starters.len()).filter(|&i| self.starters[i].start.contains("every")).collect();
        if self.events.is_empty() && self.faults.is_empty() && users.is_empty() && clocks.is_empty() {
            return Ok(());
        }
        writeln!(f, "events:")?;
        for i in clocks {
            writeln!(f, "  - {{at: {TRAFFIC_ENDS}, set: {{jobs.own{i}.every: 1d}}}}")?;
        }
        for fault in &self.faults {
            self.write_fault(f, fault)?;
        }
        for event in &self.events {
            let number = usize::from(event.service) % self.services.len();
            let service = &self.services[number];
            if event.what % 12 == 8 {
                let replicas = 1 + event.what / 12 % service.replicas;
                write!(f, "  - {{at: {}ms, ", event.at_ms)?;
                if let Some(for_ms) = event.for_ms {
                    write!(f, "for: {for_ms}ms, ")?;
                }
                writeln!(f, "fail: s{number}, replicas: {replicas}, after: {{exp: 1ms}}, outcome: down}}")?;
                continue;
            }
            if event.what % 11 == 10 {
                let sets = [
                    "resources.quota.rate: 90/s",
                    "resources.stock.volume: 20",
                    "resources.row.slots: 2",
                    "resources.gpu.batch.max: 5",
                    "queues.log.up: false",
                    "queues.log.partitions: 6",
                    "queues.line.visibility: 20ms",
                    "queues.line.attempts: 1",
                    "queues.hall.limit: 9",
                    "jobs.usher.do.0.delay: 9ms",
                ];
                write!(f, "  - {{at: {}ms, ", event.at_ms)?;
                if let Some(for_ms) = event.for_ms {
                    write!(f, "for: {for_ms}ms, ")?;
                }
                writeln!(f, "set: {{{}}}}}", sets[usize::from(event.what / 11) % sets.len()])?;
                continue;
            }
            if event.what % 13 == 12 {
                Self::write_cache_event(f, event)?;
                continue;
            }
            let weighted = service.pick.contains("weighted");
            let (set, for_ms) = match event.what % 12 {
                // A replica more or less would need another list of weights.
                0 | 1 if weighted => (format!("services.s{number}.speed: 0.5"), event.for_ms),
                0 => (format!("services.s{number}.replicas: 1"), event.for_ms),
                1 => (format!("services.s{number}.replicas: 4"), event.for_ms),
                2 if service.workers.is_some() && !service.adapts() => {
                    (format!("services.s{number}.workers: 1"), event.for_ms)
                }
                3 if service.workers.is_some() => (format!("services.s{number}.workers: 6"), event.for_ms),
                4 if service.cores.is_some() => {
                    let path = if service.brakes.is_some() { "resources.cpus.cores" } else { "cores" };
                    let change = match event.what / 9 % 4 {
                        0 => "scheduling: lifo_preemptive".to_owned(),
                        1 => "scheduling: foreground_background".to_owned(),
                        2 => "scheduling: sharing".to_owned(),
                        _ => format!("{path}: 3"),
                    };
                    (format!("services.s{number}.{change}"), event.for_ms)
                }
                5 => (format!("services.s{number}.resources.own.slots: 5"), event.for_ms),
                6 => (format!("services.s{number}.speed: 0"), Some(event.for_ms.unwrap_or(500))),
                9 => (format!("services.s{number}.resources.own.order: lifo"), event.for_ms),
                10 => (format!("services.s{number}.resources.own.timeout: {{exp: 5ms}}"), event.for_ms),
                11 if service.workers.is_some() => {
                    (format!("services.s{number}.order: random"), event.for_ms)
                }
                _ => (format!("services.s{number}.speed: 0.25"), event.for_ms),
            };
            write!(f, "  - {{at: {}ms, ", event.at_ms)?;
            if let Some(for_ms) = for_ms {
                write!(f, "for: {for_ms}ms, ")?;
            }
            writeln!(f, "set: {{{set}}}}}")?;
        }
        for i in users {
            writeln!(f, "  - {{at: {TRAFFIC_ENDS}, set: {{traffic.t{i}.think: 1d}}}}")?;
        }
        Ok(())
    }
}
