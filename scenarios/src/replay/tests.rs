use models::autoscaler::kubernetes::ControllerSettings;

use super::*;
use crate::manifest;

const HPA: &str = "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: web}\nspec:\n  \
                   scaleTargetRef: {kind: Deployment, name: web}\n  maxReplicas: 20\n  metrics:\n  \
                   - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}\n";

/// A load of 100, of 400 from 60 s on, of 100 again from 300 s on. It ends at 840 s, for its usual step is 240 s.
const LOAD: [(i64, Option<f64>); 4] =
    [(0, Some(100.0)), (60_000, Some(400.0)), (300_000, Some(100.0)), (600_000, Some(100.0))];

fn scaler(text: &str) -> Scaler {
    let read = manifest::read("web.yaml", text, &ControllerSettings::default());
    read.unwrap_or_else(|wrong| panic!("{wrong}")).scalers[0].clone()
}

fn series(points: impl IntoIterator<Item = (i64, Option<f64>)>) -> Arc<Series> {
    Arc::new(Series::of(points))
}

fn feed(scaler: &Scaler, series: Arc<Series>, taken: Taken) -> Feed {
    Feed::new(scaler.metrics()[0].clone(), series, taken).expect("a feed")
}

/// One replica carries 100.
fn of_100() -> Taken {
    Taken { meaning: Some(Meaning::Total), capacity: Some(100.0), factor: None }
}

fn run(text: &str, points: &[(i64, Option<f64>)], taken: Taken, options: &Options) -> Replay {
    let scaler = scaler(text);
    let feed = feed(&scaler, series(points.iter().copied()), taken);
    replay(scaler, &[feed], &["load.csv"], options).unwrap_or_else(|wrong| panic!("{wrong:?}"))
}

fn changes(replay: &Replay) -> Vec<(f64, i32, i32)> {
    replay.changes.iter().map(|change| (change.at, change.from, change.to.expect("a count"))).collect()
}

fn close(a: Option<f64>, b: f64) -> bool {
    a.is_some_and(|a| (a - b).abs() < 1e-9)
}

/// 100 on 2 is 50 %. At 60 s 400 on 2 are 200 %: 8 are wanted, 4 allowed; at 75 s 100 % on 4: 8. At 300 s 12 % ask for
/// 2; the last wish for 8 is that of 285 s, which counts until 585 s. 8 are needed from 60 s to 300 s: 4 are missing
/// for 15 s.
#[test]
fn replicas_of_an_open_loop_are_there_at_once() {
    let replay = run(HPA, &LOAD, of_100(), &Options::default());
    assert_eq!(changes(&replay), [(60.0, 2, 4), (75.0, 4, 8), (600.0, 8, 2)]);
    let summary = &replay.summary;
    assert_eq!((replay.window.to, replay.decisions, summary.worst), (840.0, 56, Some(4)));
    assert!(close(summary.under, 15.0 / 840.0) && close(summary.over, 300.0 / 840.0), "{summary:?}");
    assert!(close(summary.missing_hours, 60.0 / 3600.0) && close(summary.surplus_hours, 0.5), "{summary:?}");
    let hours = (60.0 * 2.0 + 15.0 * 4.0 + 525.0 * 8.0 + 240.0 * 2.0) / 3600.0;
    assert!(close(Some(summary.replica_hours), hours), "{summary:?}");
    assert_eq!(replay.changes[0].value, Some(200.0));
    assert_eq!(replay.changes[0].reason, "ScaleUpLimit");
    let held = replay.reasons.iter().find(|reason| reason.reason == "ScaleDownStabilized").expect("a window");
    assert_eq!(held.count, 20, "from 300 s to 585 s");
}

/// The kubelet has looked at 60 s and 70 s by the pass of 75 s: 100 % of 2 ask for 4, ready at 105 s. Until their
/// samples are trusted they count as idle and nothing is added. At 135 s all four are seen at 100 % (120 s to 130 s):
/// 8, ready at 165 s. 6 are missing for 45 s and 4 for 60 s.
#[test]
fn replicas_of_a_closed_loop_have_to_start_and_to_be_seen() {
    let options = Options { how: Loop::Closed, ..Options::default() };
    let replay = run(HPA, &LOAD[..3], of_100(), &options);
    assert_eq!(changes(&replay)[..2], [(75.0, 2, 4), (135.0, 4, 8)]);
    let summary = &replay.summary;
    assert_eq!(summary.worst, Some(6));
    assert!(close(summary.missing_hours, (6.0 * 45.0 + 4.0 * 60.0) / 3600.0), "{summary:?}");
    assert_eq!(replay.changes[0].value, Some(100.0), "no replica is used by more than 100 %");
}

/// 100 % of 4 replicas that were there all along: 8 would have been wanted, from the first pass on.
#[test]
fn recorded_replicas_stay_what_they_were() {
    let recorded = Some(series([(0, Some(4.0))]));
    let options = Options { how: Loop::Recorded, recorded, ..Options::default() };
    let replay = run(HPA, &[(0, Some(100.0)), (60_000, Some(100.0))], Taken::default(), &options);
    assert_eq!(changes(&replay), [(0.0, 4, 8)]);
    assert_eq!((replay.decisions, replay.summary.disagrees), (8, Some(1.0)));
    let counts = replay.summary.replicas.expect("counts");
    assert_eq!((counts.min, counts.max, replay.summary.worst), (4, 4, Some(4)));
}

/// The values of 0 s and 60 s are 300 s old at 360 s; after that there is none until 600 s.
#[test]
fn a_metric_that_was_not_recorded_freezes_the_count() {
    let points = [(0, Some(100.0)), (60_000, Some(100.0)), (600_000, Some(400.0)), (660_000, Some(400.0))];
    let replay = run(HPA, &points, of_100(), &Options::default());
    let failed =
        replay.reasons.iter().find(|reason| reason.reason == "FailedGetResourceMetric").expect("a gap");
    assert_eq!(failed.count, 15, "375 s to 585 s");
    assert_eq!(changes(&replay)[0], (600.0, 2, 4));
    assert!((replay.summary.unknown - 239.999 / 720.0).abs() < 1e-9, "{:?}", replay.summary);
}

/// 10 and 0 in turns, a minute each, and no window: 5 up, 1 down after each minute. Every change but the first turns.
#[test]
fn flapping_is_a_turn_within_ten_minutes() {
    let behavior = "  behavior: {scaleDown: {stabilizationWindowSeconds: 0}}\n";
    let points: Vec<(i64, Option<f64>)> =
        (0..10).map(|minute| (minute * 60_000, Some(if minute % 2 == 0 { 50.0 } else { 200.0 }))).collect();
    let replay = run(&format!("{HPA}{behavior}"), &points, of_100(), &Options::default());
    assert_eq!(changes(&replay)[..3], [(60.0, 1, 4), (120.0, 4, 1), (180.0, 1, 4)]);
    assert_eq!((replay.summary.changes, replay.summary.flaps), (9, 8));
    assert!((replay.summary.flaps_per_hour - 48.0).abs() < 1e-9);
    let calm = Options { flap_window: Span::from_nanos(59_000_000_000), ..Options::default() };
    assert_eq!(run(&format!("{HPA}{behavior}"), &points, of_100(), &calm).summary.flaps, 0);
}

#[test]
fn a_price_counts_replica_hours() {
    let price = Price::parse("2 USD/replica-hour");
    let replay = run(
        HPA,
        &[(0, Some(200.0)), (1_800_000, Some(200.0))],
        of_100(),
        &Options { price, ..Options::default() },
    );
    let cost = replay.summary.cost.expect("a cost");
    assert!((cost.amount - 8.0).abs() < 1e-9, "4 replicas for an hour: {cost:?}");
    assert_eq!(Price::parse("2 dollars"), None);
}

/// KEDA polls each 30 s: 80 from 10 s on are found at 30 s. Its autoscaler then goes to 4 and to 8.
#[test]
fn keda_leaves_zero_at_its_next_poll() {
    let object = "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: w}\nspec:\n  \
                  scaleTargetRef: {name: worker}\n  triggers: [{type: kafka, metadata: {lagThreshold: \"10\"}}]\n";
    let points = [(0, Some(0.0)), (10_000, Some(80.0)), (60_000, Some(80.0))];
    let replay = run(object, &points, Taken::default(), &Options { start: Some(0), ..Options::default() });
    assert_eq!(changes(&replay), [(30.0, 0, 1), (30.0, 1, 4), (45.0, 4, 8)]);
}

/// 100 % on 4 against 50 %: the third datapoint above rings at 180 s, and 8 are wanted.
#[test]
fn aws_waits_for_its_alarm() {
    let policy = r#"{"TargetValue": 50, "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"}}"#;
    let points = [(0, Some(400.0)), (300_000, Some(400.0))];
    let options = Options { start: Some(4), ..Options::default() };
    assert_eq!(changes(&run(policy, &points, of_100(), &options)), [(180.0, 4, 8)]);
}

/// A target of 7 for each pod: 70 in flight ask for 10. At 2 s and every 2 s it decides.
#[test]
fn knative_follows_its_windows() {
    let service = "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: hello}\n\
                   spec: {template: {spec: {containerConcurrency: 10}}}\n";
    let points = [(0, Some(70.0)), (60_000, Some(70.0))];
    let replay = run(service, &points, Taken::default(), &Options::default());
    assert_eq!(changes(&replay), [(0.0, 1, 10)]);
    assert_eq!(replay.summary.needed.map(|needed| needed.max), Some(10));
}

/// 400 on one replica that carries 100: 91 % and a tenth of it are 100.1 %, which no replica shows.
#[test]
fn a_target_that_no_replica_exceeds_is_told() {
    let closed = Options { how: Loop::Closed, start: Some(1), ..Options::default() };
    let target = |percent: u32| {
        let text = HPA.replace("averageUtilization: 50", &format!("averageUtilization: {percent}"));
        run(&text, &[(0, Some(400.0)), (300_000, Some(400.0))], of_100(), &closed)
    };
    let high = target(91);
    assert_eq!(changes(&high), []);
    assert!(high.notes.iter().any(|note| note.contains("it never grows")), "{:?}", high.notes);
    assert!(!changes(&target(90)).is_empty());
    assert_eq!(target(90).notes, [] as [String; 0]);
}

/// 60 % on however many, with a target of 50 %: a fifth more each time, for ever.
#[test]
fn a_count_that_runs_away_is_stopped() {
    let scaler = scaler(&HPA.replace("maxReplicas: 20", "maxReplicas: 2000000"));
    let mean = feed(&scaler, series([(0, Some(60.0)), (86_400_000, Some(60.0))]), Taken::default());
    let wrong = replay(scaler, &[mean], &["x"], &Options::default()).expect_err("no end to it");
    assert!(wrong.message.contains("more than 150000 at"), "{wrong:?}");
}

#[test]
fn what_cannot_be_told_is_refused() {
    let scaler = scaler(HPA);
    let load = series([(0, Some(60.0)), (60_000, Some(60.0))]);
    let mean = feed(&scaler, load, Taken::default());
    let closed = Options { how: Loop::Closed, ..Options::default() };
    let wrong = replay(scaler.clone(), std::slice::from_ref(&mean), &["x"], &closed).expect_err("no load");
    assert!(wrong.message.contains("a closed loop needs the load"), "{wrong:?}");
    let open = replay(scaler, &[mean], &["x"], &Options::default()).expect("a replay");
    assert!(open.notes[0].contains("does not answer to these decisions"), "{:?}", open.notes);
    assert_eq!(open.summary.under, None);
}
