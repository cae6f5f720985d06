//! What `solve` is to find.

use std::collections::BTreeSet;

use models::autoscaler::plan::AutoscalerPlan;

use super::sweep::{axis, single};
use crate::diagnostic::Diagnostic;
use crate::goal::{Aim, Goal, GoalAxis, Measure};
use crate::metric::Expectation;
use crate::scenario::{Parts, Service};
use crate::spec::{At, NamedEntry, ScenarioSpec, Sink, SolveSpec, SweepSpec, Text, UnitPriceSpec};
use crate::sweep::{Axis, traffic_of};
use crate::tree::{Assignment, Node, Place, apply, find, quoted};
use crate::words::{did_you_mean, listed};

/// Most points among which an answer is looked for.
const MOST: usize = 100_000;

/// What the word `cost` stands for, beside paths.
const COST: &str = "cost";

/// The goal of the scenario's `solve`; mistakes go to the sink.
pub(crate) fn goal(
    spec: &ScenarioSpec,
    tree: &Node,
    parts: &Parts,
    expectations: &[Expectation],
    sink: &mut Sink,
) -> Option<Goal> {
    let At { value: solve, place } = spec.solve.as_ref()?;
    let checker = Checker { spec, solve, place: *place, tree, parts };
    let before = sink.list.len();
    checker.expects_something(expectations, sink);
    let goal = checker.goal(sink);
    goal.filter(|_| sink.list.len() == before)
}

struct Checker<'a> {
    spec: &'a ScenarioSpec,
    solve: &'a SolveSpec,
    place: Place,
    tree: &'a Node,
    parts: &'a Parts,
}

impl<'a> Checker<'a> {
    fn goal(&self, sink: &mut Sink) -> Option<Goal> {
        let aim = self.aim(sink);
        let axes: Vec<Axis> =
            self.entries().iter().filter_map(|entry| axis(entry, sink)).map(ascending).collect();
        self.check_paths(&axes, sink);
        self.check_prices(&axes, sink);
        let (aim, of) = aim?;
        if axes.len() < self.entries().len() {
            return None; // What is wrong with them has been told.
        }
        let open = self.solve.over.is_none();
        let axes = if open { vec![self.own_value(aim, of, sink)?] } else { axes };
        let measure = self.measure(of, &axes, sink)?;
        count(&axes, self.place, sink)?;
        let sought = |at: usize| measure == Measure::Path(at);
        let axes = axes.into_iter().enumerate().map(|(at, axis)| GoalAxis {
            // Of what is to be much, much is hard; that little of what is to be little is hard goes without saying.
            more_is_easier: if sought(at) { aim == Aim::Minimize } else { traffic_of(&axis.path).is_none() },
            price: self.price(&axis.path),
            axis,
        });
        Some(Goal {
            aim,
            axes: axes.collect(),
            of: measure,
            open,
            replications: self.solve.replications.value.count,
            points: self.solve.points.value.count,
        })
    }

    fn entries(&self) -> &'a [NamedEntry<SweepSpec>] {
        self.solve.over.as_ref().map_or(&[], |over| &over.entries)
    }

    /// What is to be as little or as much as possible.
    fn aim(&self, sink: &mut Sink) -> Option<(Aim, &'a At<Text>)> {
        match (&self.solve.minimize, &self.solve.maximize) {
            (Some(path), None) => Some((Aim::Minimize, path)),
            (None, Some(path)) => Some((Aim::Maximize, path)),
            (Some(_), Some(path)) => {
                let diagnostic = Diagnostic::error("`solve` has `minimize` or `maximize`, not both");
                sink.report(diagnostic.at(path.place).help("remove one of the two"));
                None
            }
            (None, None) => {
                let diagnostic = Diagnostic::error("`solve` says neither `minimize` nor `maximize`");
                let help = "write `minimize: cost`, or `maximize: traffic.shoppers.rate`";
                sink.report(diagnostic.at(self.place).help(help));
                None
            }
        }
    }

    fn expects_something(&self, expectations: &[Expectation], sink: &mut Sink) {
        let written = self.spec.expect.as_ref().map_or(0, |expect| expect.items.len());
        if written == 0 {
            let diagnostic = Diagnostic::error("nothing is expected, so every point would do");
            sink.report(
                diagnostic.at(self.place).help("add `expect: [shoppers.p99 < 250ms]` to the scenario"),
            );
        } else if expectations.len() == written && expectations.iter().all(|e| e.left.names_a_variant()) {
            // Of one that could not be read nothing is known; that has been told.
            let diagnostic = Diagnostic::error("every expectation names a variant, and `solve` runs none");
            sink.report(
                diagnostic.at(self.place).help("add one that names none, such as `shoppers.p99 < 250ms`"),
            );
        }
    }

    /// The path that is maximized with the value that it has, from which others are found by doubling.
    fn own_value(&self, aim: Aim, of: &At<Text>, sink: &mut Sink) -> Option<Axis> {
        let path = &of.value.0;
        if aim == Aim::Minimize {
            let diagnostic = Diagnostic::error("it is not said what `solve` may change").at(of.place);
            sink.report(diagnostic.help("add `over: {services.web.replicas: 1..50}`"));
            return None;
        }
        let example = if path.rsplit('.').next() == Some("rate") { "50/s..1200/s" } else { "1..50" };
        let help = format!("give its values: `over: {{{path}: {example}}}`");
        let Some(node) = find(self.tree, path) else {
            let value = Node::plain("1", of.place);
            let assignment = Assignment { path: path.clone(), place: of.place, value };
            let nowhere = || Diagnostic::error(format!("{} has no value to begin from", quoted(path)));
            let wrong = apply(&mut self.tree.clone(), &assignment).err();
            sink.report(wrong.unwrap_or_else(|| nowhere().at(of.place).help(help)));
            return None;
        };
        let axis = single(path, of.place, node).filter(|axis| axis.values[0].number > 0.0);
        if axis.is_none() {
            let message = format!("the value of {} is no single number that could be doubled", quoted(path));
            sink.report(Diagnostic::error(message).at(of.place).related(node.place, "its value").help(help));
        }
        axis
    }

    fn measure(&self, of: &At<Text>, axes: &[Axis], sink: &mut Sink) -> Option<Measure> {
        let path = of.value.0.as_str();
        if let Some(position) = axes.iter().position(|axis| axis.path == path) {
            return Some(Measure::Path(position));
        }
        if path == COST && self.solve.minimize.is_some() {
            return self.cost(of.place, axes, sink);
        }
        let paths = || axes.iter().map(|axis| axis.path.as_str());
        let help = did_you_mean(path, paths().chain([COST]))
            .unwrap_or_else(|| format!("its paths are {}", listed(paths())));
        sink.report(
            Diagnostic::error(format!("{} is none of the paths of `over`", quoted(path)))
                .at(of.place)
                .help(help),
        );
        None
    }

    /// That what is paid is known before anything runs.
    fn cost(&self, place: Place, axes: &[Axis], sink: &mut Sink) -> Option<Measure> {
        let mut ok = true;
        let mut complain = |message: String, help: &str| {
            sink.report(Diagnostic::error(message).at(place).help(help));
            ok = false;
        };
        let currencies = self.currencies();
        if currencies.len() > 1 {
            let all = listed(currencies.iter().copied());
            complain(format!("prices are in {all}"), "give all of them in one currency");
        }
        if axes.iter().all(|axis| self.price(&axis.path) == 0.0) {
            let help =
                "add `cost: {web: 0.05 USD/replica-hour}` to the scenario, or minimize one of the paths";
            complain("nothing that `over` changes has a price".into(), help);
        }
        for autoscaler in &self.parts.autoscalers {
            let service = &self.parts.services[autoscaler.service.index()];
            if service.life.price.is_some() || autoscaler.price_of_node().is_some() {
                let message = format!(
                    "what {} costs is not known before it runs: an autoscaler decides how many replicas it has",
                    quoted(&service.name)
                );
                complain(message, "minimize one of the paths, or solve without the autoscaler");
            }
        }
        let fixed = |service: &&Service| !axes.iter().any(|axis| axis.path == replicas(service));
        let rest =
            self.parts.services.iter().filter(fixed).filter_map(|service| {
                Some(f64::from(service.replicas) * service.life.price.as_ref()?.per_hour)
            });
        let currency = currencies.first().map_or_else(String::new, |currency| (*currency).to_owned());
        ok.then(|| Measure::Cost { rest: rest.sum(), currency })
    }

    /// The currencies of all prices.
    fn currencies(&self) -> BTreeSet<&str> {
        let replicas = self.parts.services.iter().filter_map(|service| service.life.price.as_ref());
        let units = self.unit_prices().filter_map(|entry| entry.value.as_ref());
        let nodes = self.parts.autoscalers.iter().filter_map(AutoscalerPlan::price_of_node);
        let all = replicas.chain(nodes).map(|price| price.currency.as_str());
        all.chain(units.map(|price| price.0.currency.as_str())).collect()
    }

    fn unit_prices(&self) -> impl Iterator<Item = &'a NamedEntry<UnitPriceSpec>> {
        self.solve.prices.iter().flat_map(|prices| &prices.entries)
    }

    /// What one more of a path costs in an hour.
    fn price(&self, path: &str) -> f64 {
        let service = self.parts.services.iter().find(|service| replicas(service) == path);
        let of_replica =
            service.and_then(|service| service.life.price.as_ref()).map_or(0.0, |price| price.per_hour);
        let of_unit =
            self.unit_prices().find(|entry| entry.name == path).and_then(|entry| entry.value.as_ref());
        of_replica + of_unit.map_or(0.0, |price| price.0.per_hour)
    }

    /// Paths lead somewhere.
    fn check_paths(&self, axes: &[Axis], sink: &mut Sink) {
        for axis in axes {
            if let Err(wrong) = apply(&mut self.tree.clone(), &axis.override_at(0).assignment) {
                sink.report(wrong);
            }
        }
    }

    /// Prices are of paths that change, and of counts.
    fn check_prices(&self, axes: &[Axis], sink: &mut Sink) {
        for entry in self.unit_prices() {
            let Some(priced) = axes.iter().find(|axis| axis.path == entry.name) else {
                let paths = || self.entries().iter().map(|entry| entry.name.as_str());
                if paths().any(|path| path == entry.name) {
                    continue; // Its values are wrong, which has been told.
                }
                let help = did_you_mean(&entry.name, paths()).unwrap_or_else(|| match paths().count() {
                    0 => "add `over`".to_owned(),
                    _ => format!("its paths are {}", listed(paths())),
                });
                let message = format!("{} is none of the paths of `over`", quoted(&entry.name));
                sink.report(Diagnostic::error(message).at(entry.place).help(help));
                continue;
            };
            if !priced.is_whole() {
                let message =
                    format!("{} is no count, so there is no price of one more", quoted(&entry.name));
                sink.report(
                    Diagnostic::error(message)
                        .at(entry.place)
                        .help("price what is counted: replicas, slots, cores"),
                );
            }
        }
    }
}

/// Where the number of replicas of a service stands.
fn replicas(service: &Service) -> String {
    format!("services.{}.replicas", service.name)
}

/// The values from the smallest on, each once.
fn ascending(mut axis: Axis) -> Axis {
    axis.values.sort_by(|a, b| a.number.total_cmp(&b.number));
    axis.values.dedup_by(|a, b| a.number.total_cmp(&b.number).is_eq());
    axis
}

/// That there are not too many points.
fn count(axes: &[Axis], place: Place, sink: &mut Sink) -> Option<()> {
    let product = axes.iter().try_fold(1_usize, |product, axis| product.checked_mul(axis.values.len()));
    if product.is_some_and(|product| product <= MOST) {
        return Some(());
    }
    let all = product
        .map_or_else(|| "more points than can be counted".to_owned(), |product| format!("{product} points"));
    let diagnostic = Diagnostic::error(format!("`over` has {all}, at most {MOST} can be searched")).at(place);
    sink.report(diagnostic.help("give fewer paths, or fewer values of each"));
    None
}
