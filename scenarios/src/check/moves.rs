//! Steps that take and give, and conditions on what is left.

use models::blueprint::{Compare, LevelTest, Measure, RateStyle, Spacing, Stock};
use sim_core::distribution::Distribution;

use super::{Checker, constant, services_of};
use crate::scenario::Move;
use crate::spec::{Amount, At, GiveStep, GuardWord, Spec, TakeStep, Text, UnitsSpec, any_quantity};
use crate::tree::{Node, quoted};
use crate::words::{did_you_mean, listed};

impl Checker<'_> {
    /// A `take` step of `service`.
    pub(super) fn take(&mut self, service: &str, step: &TakeStep) -> Option<Move> {
        let stock = self.stock_named(service, &step.take);
        let units = self.units(step.units.as_ref());
        let (stock, units) = (stock?, units?);
        let name = &step.take.value.0;
        let guarded = match (&step.guard, stock) {
            (Some(guard), Stock::Rate(_)) => {
                let help = "leave it out: nobody takes more of a rate than it allows";
                self.error(guard.place, "only what is taken from a volume has a `guard`", help);
                return None;
            }
            (guard, _) => guard.as_ref().is_none_or(|guard| guard.value == GuardWord::Atomic),
        };
        let most = match stock {
            Stock::Rate(id) => match self.rates[id.index()].style {
                RateStyle::Token { burst } => burst,
                RateStyle::Leaky => f64::INFINITY,
                RateStyle::FixedWindow { limit, .. } | RateStyle::SlidingWindow { limit, .. } => limit,
            },
            Stock::Volume(id) if guarded => self.volumes[id.index()].volume,
            Stock::Volume(_) => f64::INFINITY,
        };
        let place = step.units.as_ref().map_or(step.take.place, |units| units.place);
        match &units {
            Some(units) if units.is_constant() && units.mean() > most * (1.0 + 1e-9) => {
                let message = format!("`{name}` never has {} at once, at most {most}", units.mean());
                let help = match stock {
                    Stock::Rate(_) => "take fewer units, or give the rate a larger `burst` or window",
                    Stock::Volume(_) => "take fewer units, or raise `volume`",
                };
                self.error(place, message, help);
                return None;
            }
            None if matches!(stock, Stock::Rate(_)) => {
                let help = "say how many: `units: 1`";
                self.error(place, "a rate has no end, so nobody takes all of it", help);
                return None;
            }
            _ => {}
        }
        Some(Move { stock, units, guarded })
    }

    /// A `give` step of `service`.
    pub(super) fn give(&mut self, service: &str, step: &GiveStep) -> Option<Move> {
        let stock = self.stock_named(service, &step.give);
        let units = self.units(step.units.as_ref());
        let (stock, units) = (stock?, units?);
        if let Stock::Rate(_) = stock {
            let message = format!("`{}` is a rate, which only the clock refills", step.give.value.0);
            self.error(step.give.place, message, "leave the step out, or make it a `volume`");
            return None;
        }
        Some(Move { stock, units, guarded: true })
    }

    /// How many units; within, none for all.
    #[expect(clippy::option_option, reason = "no mistake, and no number")]
    fn units(&mut self, units: Option<&At<UnitsSpec>>) -> Option<Option<Distribution>> {
        match units.map(|units| &units.value) {
            None => constant(1.0).map(Some),
            Some(UnitsSpec::All) => Some(None),
            Some(UnitsSpec::Drawn(units)) => self.distribution(units).map(Some),
        }
    }

    /// The rate or volume that a step of `service` means: its own, one of the top level, or `service.resource`.
    fn stock_named(&mut self, service: &str, at: &At<Text>) -> Option<Stock> {
        let name = at.value.0.as_str();
        let own = self.stocks.get(&format!("{service}.{name}")).copied();
        if let Some(stock) = own.or_else(|| self.stocks.get(name).copied()) {
            let spacing = match stock {
                Stock::Rate(id) => self.rates[id.index()].spacing,
                Stock::Volume(id) => self.volumes[id.index()].spacing,
            };
            if let Spacing::Replica(owner) = spacing
                && self.services.get(service) != Some(&owner)
            {
                let owner = services_of(self.spec)[owner.index()].name.clone();
                let message = format!(
                    "`{name}` is one in each replica of `{owner}`, so `{service}` cannot take from it or give to it"
                );
                let help = format!("do it in a step of `{owner}`, or use `per: cluster`");
                self.error(at.place, message, help);
                return None;
            }
            return Some(stock);
        }
        let is_pool =
            self.pool_names.contains_key(&format!("{service}.{name}")) || self.pool_names.contains_key(name);
        if is_pool {
            let help = format!("write `{{hold: {name}, do: [...]}}`");
            self.error(at.place, format!("`{name}` has slots, which are held and given back"), help);
            return None;
        }
        if self.told(service, name) {
            return None;
        }
        let prefix = format!("{service}.");
        let known = || self.stocks.keys().map(|known| known.strip_prefix(&prefix).unwrap_or(known));
        let help = match did_you_mean(name, known()) {
            Some(guess) => guess,
            None if self.stocks.is_empty() => {
                let name = name.rsplit('.').next().unwrap_or(name);
                format!("add it to `resources`: `{name}: {{rate: 100/s}}` or `{name}: {{volume: 1000}}`")
            }
            None => format!("add it to `resources`, or use one of {}", listed(known())),
        };
        self.error(at.place, format!("there is no rate or volume {}", quoted(name)), help);
        None
    }

    /// The condition `stock.level > 0`.
    pub(super) fn level_test(&mut self, service: &str, at: &At<Text>) -> Option<LevelTest> {
        const FORM: &str = "write `stock.level > 0`, `heap.free < 20%` or `disk.used >= 3GB`";
        let text = at.value.0.as_str();
        let Some((path, compare, bound)) = comparison(text) else {
            self.error(at.place, format!("expected a condition on a volume, found {}", quoted(text)), FORM);
            return None;
        };
        let (name, measure) = match path.rsplit_once('.') {
            Some((name, "level" | "free")) => (name, Measure::Level),
            Some((name, "used")) => (name, Measure::Used),
            _ => {
                let message = format!("expected the level of a volume, found {}", quoted(path));
                self.error(at.place, message, FORM);
                return None;
            }
        };
        let node = Node::plain(bound, at.place);
        let (bound, of_volume) = match any_quantity(&node) {
            Some(("%", share)) => (share, true),
            _ => (Amount::read(&node, self.sink)?.units, false),
        };
        let name = At { value: Text(name.into()), place: at.place };
        match self.stock_named(service, &name)? {
            Stock::Volume(volume) => Some(LevelTest { volume, measure, compare, bound, of_volume }),
            Stock::Rate(_) => {
                let message = format!("`{}` is a rate, which has no level", name.value.0);
                self.error(at.place, message, "a condition looks at a `volume`");
                None
            }
        }
    }
}

/// The parts of `left op right`.
fn comparison(text: &str) -> Option<(&str, Compare, &str)> {
    let at = text.find(['<', '>', '=', '≤', '≥'])?;
    let (left, rest) = text.split_at(at);
    let forms = [
        ("<=", Compare::AtMost),
        ("≤", Compare::AtMost),
        (">=", Compare::AtLeast),
        ("≥", Compare::AtLeast),
        ("==", Compare::Equal),
        ("<", Compare::Less),
        (">", Compare::Greater),
        ("=", Compare::Equal),
    ];
    let (op, compare) = forms.into_iter().find(|(op, _)| rest.starts_with(op))?;
    let right = rest[op.len()..].trim();
    (!left.trim().is_empty() && !right.is_empty()).then(|| (left.trim(), compare, right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_taken_apart() {
        assert_eq!(comparison("stock.level > 0"), Some(("stock.level", Compare::Greater, "0")));
        assert_eq!(comparison("heap.free<=20%"), Some(("heap.free", Compare::AtMost, "20%")));
        assert_eq!(comparison("a.used = 3GB"), Some(("a.used", Compare::Equal, "3GB")));
        assert_eq!(
            (comparison("stock.level"), comparison("> 3"), comparison("a.level >")),
            (None, None, None)
        );
    }
}
