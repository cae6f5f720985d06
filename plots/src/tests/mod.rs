//! Whole pictures: what must be on them, and that nothing collides.

mod fixtures;

use std::path::Path;

use hockeystick_tests::results;
use roxmltree::{Document, Node, ParsingOptions};
use scenarios::results::{E, Fate, Report, SweepReport};

use crate::palette;
use crate::scene::{Anchor, Rect, Text};
use crate::{PlotError, compare_svg, report_html, run_svg, sensitivity_svg, solve_svg, sweep_svg};

/// Writes the pictures for people to look at: `GALLERY=folder cargo test -p plots gallery -- --ignored`.
#[test]
#[ignore = "writes files"]
fn gallery() {
    let folder = std::env::var("GALLERY").expect("GALLERY names a folder");
    let write = |name: &str, bytes: &[u8]| std::fs::write(Path::new(&folder).join(name), bytes).unwrap();
    for (name, svg) in pictures() {
        write(&format!("{name}.svg"), svg.as_bytes());
        #[cfg(feature = "png")]
        write(&format!("{name}.png"), &crate::to_png(&svg, 1.0).unwrap());
    }
    for (name, html) in pages() {
        write(&format!("{name}.html"), html.as_bytes());
    }
}

/// Every picture by name.
fn pictures() -> Vec<(&'static str, String)> {
    let sweeps = [
        ("hockey_stick", fixtures::hockey_stick()),
        ("two_points", fixtures::bare(fixtures::sweep(&[10.0, 30.0]))),
        ("one_point", fixtures::bare(fixtures::sweep(&[10.0]))),
        ("one_idle_point", fixtures::bare(fixtures::sweep(&[0.0]))),
        ("all_overloaded", fixtures::sweep(&[50.0, 60.0, 70.0])),
        ("wide", fixtures::wide()),
        ("grid_few", fixtures::grid(&[4, 6, 8], 10)),
        ("grid_seven", fixtures::grid(&[2, 3, 4, 5, 6, 7, 8], 10)),
        ("grid_many", fixtures::grid(&[1, 2, 3, 4, 5, 6, 7, 8, 10], 10)),
        ("grid_huge", fixtures::grid(&(1..=30).collect::<Vec<_>>(), 40)),
        ("fates", fixtures::fates()),
        ("long_names", fixtures::long_names()),
        ("nothing_known", fixtures::nothing_known()),
        ("replicas", fixtures::replicas()),
    ];
    let sweeps = sweeps.iter().map(|(name, sweep)| (*name, sweep_svg(sweep).unwrap()));
    let others = [
        ("run", run_svg(&fixtures::run()).unwrap()),
        ("run_of_one", run_svg(&fixtures::run_of_one()).unwrap()),
        ("scaled", run_svg(&fixtures::scaled()).unwrap()),
        ("comparison", compare_svg(&fixtures::comparison()).unwrap()),
        ("solved", solve_svg(&fixtures::solved()).unwrap()),
        ("capacity", solve_svg(&fixtures::capacity()).unwrap()),
        ("ranking", sensitivity_svg(&results::ranking()).unwrap()),
    ];
    sweeps.chain(others).collect()
}

/// Every page by name.
fn pages() -> Vec<(&'static str, String)> {
    vec![
        ("page_of_a_sweep", report_html(&fixtures::hockey_stick()).unwrap()),
        ("page_of_a_grid", report_html(&fixtures::grid(&[4, 6, 8], 10)).unwrap()),
        ("page_of_long_names", report_html(&fixtures::long_names()).unwrap()),
        ("page_of_a_run", report_html(&fixtures::run()).unwrap()),
        ("page_of_an_empty_run", report_html(&fixtures::empty_report()).unwrap()),
        ("page_of_an_answer", report_html(&fixtures::solved()).unwrap()),
        ("page_of_guesses", report_html(&fixtures::guesses()).unwrap()),
        ("page_of_a_ranking", report_html(&results::ranking()).unwrap()),
        ("page_of_a_comparison", report_html(&fixtures::comparison()).unwrap()),
    ]
}

fn parse(text: &str) -> Document<'_> {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).unwrap()
}

fn of_class<'a>(document: &'a Document, class: &'static str) -> Vec<Node<'a, 'a>> {
    document.descendants().filter(|node| node.attribute("class") == Some(class)).collect()
}

fn number(node: &Node, name: &str) -> f64 {
    node.attribute(name).unwrap().parse().unwrap()
}

/// The box of each line of text, as the layout sees it.
fn boxes(document: &Document) -> Vec<(String, Rect)> {
    let texts = document.descendants().filter(|node| node.has_tag_name("text"));
    let bounds = |node: Node| {
        let words: String = node.children().filter(Node::is_text).filter_map(|n| n.text()).collect();
        let mut text =
            Text::new(number(&node, "x"), number(&node, "y"), number(&node, "font-size"), "", words.clone());
        text.bold = node.attribute("font-weight").is_some();
        text.anchor = match node.attribute("text-anchor") {
            Some("end") => Anchor::End,
            Some("middle") => Anchor::Middle,
            _ => Anchor::Start,
        };
        (words, text.bounds())
    };
    texts.map(bounds).collect()
}

/// Words of the picture, joined.
fn words(document: &Document) -> String {
    boxes(document).into_iter().map(|(words, _)| words).collect::<Vec<_>>().join("\n")
}

fn page_of(document: &Document) -> Rect {
    let root = document.root_element();
    Rect { left: 0.0, top: 0.0, right: number(&root, "width"), bottom: number(&root, "height") }
}

fn assert_apart(name: &str, page: Rect, boxes: &[(String, Rect)]) {
    for (i, (words, at)) in boxes.iter().enumerate() {
        assert!(page.holds(at), "{name}: `{words}` leaves the page: {at:?}");
        for (other_words, other) in &boxes[i + 1..] {
            assert!(!at.overlaps(other), "{name}: `{words}` and `{other_words}` overlap: {at:?} {other:?}");
        }
    }
}

#[test]
fn words_stay_on_the_page_and_apart() {
    for (name, svg) in pictures() {
        let document = parse(&svg);
        let boxes = boxes(&document);
        assert!(boxes.len() > 8, "{name} has too few words to prove anything");
        assert_apart(name, page_of(&document), &boxes);
    }
}

/// Sweeps with random loads, gaps, overloads, units and markers.
#[test]
fn words_stay_apart_on_any_sweep() {
    let mut noise = fixtures::Noise::new(42);
    let mut share = || 0.5 + 0.5 * noise.next();
    for round in 0..150 {
        let size = 10_f64.powf(6.0 * share() - 3.0);
        let loads: Vec<f64> = (0..=(12.0 * share()) as usize).map(|_| 60.0 * share()).collect();
        let mut sweep = if share() < 0.3 { fixtures::long_names() } else { fixtures::sweep(&loads) };
        for point in &mut sweep.points {
            for load in point.at.values_mut() {
                *load *= size;
            }
            for traffic in point.result.traffic.values_mut() {
                let latency = &mut traffic.latency;
                for e in [&mut latency.mean, &mut latency.p50, &mut latency.p99, &mut latency.p999] {
                    let stretch = 10_f64.powf(2.0 * share());
                    *e = e.filter(|_| share() < 0.9).map(|e| E { value: e.value * stretch, ..e });
                }
            }
        }
        for curve in &mut sweep.theory {
            for (load, _) in &mut curve.curve {
                *load *= size;
            }
        }
        let capacity = 60.0 * share() * size;
        sweep.units = vec![["/s", "s", "users", ""][round % 4].to_owned()];
        if let (Some(knee), Some(found), Some(safe)) = (&mut sweep.knee, &mut sweep.capacity, &mut sweep.safe)
        {
            (knee.value, found.value) = (60.0 * share() * size, capacity);
            (safe.from, safe.to) = (0.6 * capacity, 0.7 * capacity);
        }
        let svg = sweep_svg(&sweep).unwrap();
        let document = parse(&svg);
        assert_apart(&format!("round {round}"), page_of(&document), &boxes(&document));
    }
}

/// The same with the boxes that a renderer makes from the font itself.
#[cfg(feature = "png")]
#[test]
fn words_stay_on_the_page_and_apart_in_the_real_font() {
    use resvg::usvg;
    fn texts(group: &usvg::Group, found: &mut Vec<(String, Rect)>) {
        for node in group.children() {
            match node {
                usvg::Node::Group(group) => texts(group, found),
                usvg::Node::Text(text) => {
                    let at = text.abs_bounding_box();
                    let words = text.chunks().iter().map(usvg::TextChunk::text).collect();
                    let (left, right) = (f64::from(at.left()), f64::from(at.right()));
                    // The font's line box is higher than its letters: leave out the leading.
                    let trim = 0.2 * f64::from(at.height());
                    let (top, bottom) = (f64::from(at.top()) + trim, f64::from(at.bottom()) - 0.5 * trim);
                    found.push((words, Rect { left, top, right, bottom }));
                }
                _ => {}
            }
        }
    }
    for (name, svg) in pictures() {
        let tree = crate::png::tree(&svg).unwrap();
        let mut found = Vec::new();
        texts(tree.root(), &mut found);
        let document = parse(&svg);
        let ours = boxes(&document);
        assert_eq!(found.len(), ours.len(), "{name}");
        for ((words, real), (_, layout)) in found.iter().zip(&ours) {
            assert!(real.width() <= layout.width() + 2.0, "{name}: `{words}` is wider than its box");
        }
        assert_apart(name, page_of(&document), &found);
    }
}

/// Four latencies, throughput, errors and four utilizations at each point.
#[test]
fn every_point_is_drawn() {
    let sweep = fixtures::hockey_stick();
    let svg = sweep_svg(&sweep).unwrap();
    let marks = of_class(&parse(&svg), "mark").len();
    assert_eq!(marks, (4 + 1 + 1 + 4) * sweep.points.len());
    let grid = fixtures::grid(&[1, 2, 3, 4, 5, 6, 7, 8, 10], 10);
    assert_eq!(of_class(&parse(&sweep_svg(&grid).unwrap()), "mark").len(), 90);
    let compare = fixtures::comparison();
    let with_base = compare.differences.iter().filter(|row| row.base.value > 0.0).count();
    assert_eq!(of_class(&parse(&compare_svg(&compare).unwrap()), "mark").len(), with_base);
}

#[test]
fn overloaded_points_are_hollow() {
    let svg = sweep_svg(&fixtures::hockey_stick()).unwrap();
    let document = parse(&svg);
    let marks = of_class(&document, "mark");
    let hollow = marks.iter().filter(|mark| mark.attribute("fill") == Some("#ffffff"));
    let tips: Vec<&str> = hollow.filter_map(|mark| mark.first_element_child()?.text()).collect();
    assert_eq!(tips.len(), 2 * 10, "two of the loads are beyond saturation");
    assert!(tips.iter().all(|tip| tip.ends_with("no steady state")), "{tips:?}");
    assert!(words(&document).contains("grows without bound"));
}

#[test]
fn the_picture_names_what_it_found() {
    let svg = sweep_svg(&fixtures::hockey_stick()).unwrap();
    let document = parse(&svg);
    let words = words(&document);
    for label in [
        "Latency of shoppers (log scale)",
        "knee 31.4/s",
        "capacity 34.7/s",
        "safe 20.8/s to 24.3/s",
        "p99 < 600 ms",
        "errors < 1 %",
        "theory: M/M/4",
        "mean",
        "p50",
        "p99",
        "p99.9",
        "db_connections",
        "web.workers",
        "offered",
        "20 replications per point · 95 % intervals (independent replications, Student t) · seed 1 · hockeystick 0.1.0",
    ] {
        assert!(words.lines().any(|line| line == label), "`{label}` is missing in\n{words}");
    }
    assert_eq!(of_class(&document, "knee").len(), 1);
    assert_eq!(of_class(&document, "reference").len(), 4 + 1, "four closed forms and the diagonal");
}

#[test]
fn a_path_that_is_no_load_shows_what_suffices() {
    let svg = sweep_svg(&fixtures::replicas()).unwrap();
    let document = parse(&svg);
    let words = words(&document);
    for label in ["enough from 3 replicas", "services.web.replicas (replicas)", "1", "5"] {
        assert!(words.lines().any(|line| line == label), "`{label}` is missing in\n{words}");
    }
    assert!(!words.contains("knee") && !words.contains("capacity") && !words.contains("1.5"), "{words}");
}

/// A load twice as large is twice as far from the axis' start, which is 0 here.
#[test]
fn points_stand_where_their_figures_are() {
    let svg = sweep_svg(&fixtures::bare(fixtures::sweep(&[8.0, 16.0, 32.0]))).unwrap();
    let document = parse(&svg);
    let ticks = boxes(&document);
    let tick = |label: &str| {
        ticks
            .iter()
            .rfind(|(words, _)| words == label)
            .map(|(_, at)| f64::midpoint(at.left, at.right))
            .unwrap()
    };
    let (zero, twenty) = (tick("0"), tick("20/s"));
    let curves = of_class(&document, "curve");
    let mean: Vec<f64> = curves[0]
        .attribute("points")
        .unwrap()
        .split(' ')
        .map(|p| p.split_once(',').unwrap().0.parse().unwrap())
        .collect();
    let expected: Vec<f64> =
        [8.0, 16.0, 32.0].iter().map(|load| zero + load / 20.0 * (twenty - zero)).collect();
    assert!(mean.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 0.2), "{mean:?} {expected:?}");
}

#[test]
fn small_spans_are_linear_and_large_ones_logarithmic() {
    let title = |loads: &[f64]| {
        words(&parse(&sweep_svg(&fixtures::sweep(loads)).unwrap()))
            .contains("Latency of shoppers (log scale)")
    };
    assert!(!title(&[10.0, 20.0]));
    assert!(title(&[10.0, 39.0, 60.0]));
}

#[test]
fn gaps_break_the_lines() {
    let svg = run_svg(&fixtures::run_of_one()).unwrap();
    let document = parse(&svg);
    let lines = of_class(&document, "curve").len();
    // Three percentiles, throughput, offered, two queues and replicas in two parts, two utilizations in one.
    assert_eq!(lines, 8 * 2 + 2);
    assert!(words(&document).contains("warm-up"));
}

/// They have one panel, in which what is wanted stands beside them; without an autoscaler, one for the number alone.
#[test]
fn replicas_are_shown_once() {
    let titles = |report: &Report| {
        let all = boxes(&parse(&run_svg(report).unwrap()));
        let is = |words: &&str| ["Replicas", "Replicas of web", "wanted", "Nodes"].contains(words);
        all.iter().map(|(words, _)| words.as_str()).filter(is).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(titles(&fixtures::run_of_one()), ["Replicas"]);
    let mut scaled = titles(&fixtures::scaled());
    scaled.sort();
    assert_eq!(scaled, ["Nodes", "Replicas of web", "wanted"]);
}

#[test]
fn the_distribution_has_an_axis_of_nines() {
    let svg = run_svg(&fixtures::run()).unwrap();
    let document = parse(&svg);
    let ticks = boxes(&document);
    let at = |label: &str| {
        ticks
            .iter()
            .find(|(words, _)| words == label)
            .map(|(_, at)| f64::midpoint(at.left, at.right))
            .unwrap()
    };
    let decade = at("99 %") - at("90 %");
    assert!((at("99.9 %") - at("99 %") - decade).abs() < 0.3);
    assert!((at("99.999 %") - at("99.99 %") - decade).abs() < 0.3);
}

#[test]
fn a_heat_map_replaces_more_curves_than_colours() {
    let few = sweep_svg(&fixtures::grid(&[4, 6, 8], 10)).unwrap();
    let many = sweep_svg(&fixtures::grid(&[1, 2, 3, 4, 5, 6, 7, 8, 10], 10)).unwrap();
    assert!(words(&parse(&few)).contains("slots = 6") && few.contains("class=\"curve\""));
    assert!(words(&parse(&many)).contains("slots = 6") && !many.contains("class=\"curve\""));
}

#[test]
fn a_map_of_fates_has_a_colour_for_each_and_says_how_sure_it_is() {
    let sweep = fixtures::fates();
    let svg = sweep_svg(&sweep).unwrap();
    let document = parse(&svg);
    let marks = of_class(&document, "mark");
    assert_eq!(marks.len(), sweep.points.len());
    let of =
        |wanted: Fate| sweep.points.iter().filter(|p| p.outcome.is_some_and(|o| o.fate == wanted)).count();
    for (fate, color) in [
        (Fate::Stable, palette::BLUE),
        (Fate::Recovers, palette::ORANGE),
        (Fate::StaysDown, palette::VERMILLION),
    ] {
        assert!(of(fate) > 0);
        assert_eq!(marks.iter().filter(|mark| mark.attribute("fill") == Some(color.line)).count(), of(fate));
    }
    let words = words(&document);
    for word in ["What becomes of shoppers.ok > 99%", "70 %", "stays down", "events.0.for"] {
        assert!(words.contains(word), "{word}: {words}");
    }
}

#[test]
fn the_same_results_give_the_same_bytes() {
    assert_eq!(pictures(), pictures());
    assert_eq!(pages(), pages());
}

#[test]
fn no_figure_that_is_not_a_number_reaches_the_page() {
    let mut sweep = fixtures::hockey_stick();
    for point in &mut sweep.points {
        let Some(shoppers) = point.result.traffic.get_mut("shoppers") else { continue };
        for e in
            [&mut shoppers.latency.p99, &mut shoppers.throughput, &mut shoppers.errors].into_iter().flatten()
        {
            e.value = f64::NAN;
            e.hi = Some(f64::INFINITY);
        }
    }
    let svg = sweep_svg(&sweep).unwrap();
    assert!(!svg.contains("NaN") && !svg.contains("inf"));
}

#[test]
fn pages_are_whole_and_fetch_nothing() {
    for (name, html) in pages() {
        let document = parse(&html);
        assert!(!html.contains("<script") && !html.contains("src=") && !html.contains("url("), "{name}");
        let links = html.match_indices("http").map(|(at, _)| &html[at..html.len().min(at + 20)]);
        assert!(
            links.clone().all(|link| link.starts_with("http://www.w3.org/")),
            "{name}: {:?}",
            links.collect::<Vec<_>>()
        );
        let columns = |row: Node| row.children().filter(Node::is_element).count();
        for table in document.descendants().filter(|node| node.tag_name().name() == "table") {
            let rows: Vec<usize> =
                table.descendants().filter(|n| n.tag_name().name() == "tr").map(columns).collect();
            assert!(rows.len() > 1 && rows.iter().all(|n| *n == rows[0]), "{name}: {rows:?}");
        }
    }
}

#[test]
fn a_page_of_a_sweep_has_a_row_for_each_point() {
    let sweep = fixtures::hockey_stick();
    let html = report_html(&sweep).unwrap();
    let document = parse(&html);
    let rows = document.descendants().filter(|node| node.tag_name().name() == "tr").count();
    assert_eq!(rows, sweep.points.len() + 1);
    assert!(html.contains("capacity is 34.7 requests per second") && html.contains("✗ not met"));
}

#[test]
fn there_is_no_picture_of_nothing() {
    let empty = SweepReport { points: Vec::new(), ..fixtures::hockey_stick() };
    assert!(matches!(sweep_svg(&empty), Err(PlotError::NoPoints)));
    assert!(matches!(report_html(&empty), Err(PlotError::NoPoints)));
    assert!(matches!(run_svg(&fixtures::empty_report()), Err(PlotError::NoSeries)));
    let mut compare = fixtures::comparison();
    compare.differences.clear();
    assert!(matches!(compare_svg(&compare), Err(PlotError::NoDifferences)));
}

#[test]
fn a_run_cut_short_says_so() {
    let mut report: Report = fixtures::run();
    report.complete = false;
    report.cut_short = vec!["10 min of wall time".into()];
    assert!(words(&parse(&run_svg(&report).unwrap())).contains("cut short: 10 min of wall time"));
}
