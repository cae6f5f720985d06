//! Steps that take and give.

use models::blueprint::{RateStyle, Spacing, Stock};

use super::{Checker, constant, services_of};
use crate::scenario::{Move, Units};
use crate::spec::{At, GiveStep, GuardWord, TakeStep, Text, UnitsSpec};
use crate::tree::quoted;
use crate::words::{did_you_mean, listed};

/// In place of the name of a service, which cannot be this: what is meant may be in any of them.
pub(super) const EVERYWHERE: &str = "*";

impl Checker<'_> {
    /// A `take` step of `service`.
    pub(super) fn take(&mut self, service: &str, step: &TakeStep) -> Option<Move> {
        let stock = self.stock_named(service, &step.take);
        let units = self.units(service, step.units.as_ref());
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
            Units::Drawn(units) if units.is_constant() && units.mean() > most * (1.0 + 1e-9) => {
                let message = format!("`{name}` never has {} at once, at most {most}", units.mean());
                let help = match stock {
                    Stock::Rate(_) => "take fewer units, or give the rate a larger `burst` or window",
                    Stock::Volume(_) => "take fewer units, or raise `volume`",
                };
                self.error(place, message, help);
                return None;
            }
            Units::All if matches!(stock, Stock::Rate(_)) => {
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
        let units = self.units(service, step.units.as_ref());
        let (stock, units) = (stock?, units?);
        if let Stock::Rate(_) = stock {
            let message = format!("`{}` is a rate, which only the clock refills", step.give.value.0);
            self.error(step.give.place, message, "leave the step out, or make it a `volume`");
            return None;
        }
        Some(Move { stock, units, guarded: true })
    }

    /// How many units.
    fn units(&mut self, service: &str, units: Option<&At<UnitsSpec>>) -> Option<Units> {
        let Some(units) = units else { return constant(1.0).map(Units::Drawn) };
        match &units.value {
            UnitsSpec::All => Some(Units::All),
            UnitsSpec::Drawn(law) => self.distribution(law).map(Units::Drawn),
            UnitsSpec::Of(text) => {
                let at = At { value: text.clone(), place: units.place };
                self.number(service, &at).map(Units::Of)
            }
        }
    }

    /// The rate or volume that a step of `service` means: its own, one of the top level, or `service.resource`.
    /// An event is [`EVERYWHERE`].
    pub(super) fn stock_named(&mut self, service: &str, at: &At<Text>) -> Option<Stock> {
        let name = at.value.0.as_str();
        let own = self.stocks.get(&format!("{service}.{name}")).copied();
        if let Some(stock) = own.or_else(|| self.stocks.get(name).copied()) {
            let spacing = match stock {
                Stock::Rate(id) => self.rates[id.index()].spacing,
                Stock::Volume(id) => self.volumes[id.index()].spacing,
            };
            if let Spacing::Replica(owner) = spacing
                && service != EVERYWHERE
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
}
