//! Attributes of requests: values are numbers, and names are numbered for all traffics together.

use std::collections::BTreeSet;

use models::attribute::{Attributes, Spread};
use sim_core::Zipf;
use sim_core::distribution::Distribution;

use super::Checker;
use super::traffic::cumulative;
use crate::spec::{At, AttributesSpec, ByWord, SpreadSpec, TrafficSpec};

/// An attribute as written.
type Written = fn(&AttributesSpec) -> Option<&At<SpreadSpec>>;

const KEY: Written = |attributes| attributes.key.as_ref();
const TENANT: Written = |attributes| attributes.tenant.as_ref();
const USER: Written = |attributes| attributes.user.as_ref();

impl<'a> Checker<'a> {
    /// What the requests of a traffic differ in.
    pub(super) fn attributes(&mut self, spec: &'a TrafficSpec) -> Attributes {
        Attributes {
            key: self.spread(spec, KEY),
            tenant: self.spread(spec, TENANT),
            user: self.spread(spec, USER),
            bytes: self.bytes(spec),
        }
    }

    fn bytes(&mut self, spec: &'a TrafficSpec) -> Option<Distribution> {
        let law = spec.attributes.as_ref()?.bytes.as_ref()?;
        self.distribution(law)
    }

    fn spread(&mut self, spec: &'a TrafficSpec, written: Written) -> Option<Spread> {
        let at = written(spec.attributes.as_ref()?)?;
        match &at.value {
            SpreadSpec::Uniform(values) => Some(Spread::Uniform(values.count)),
            SpreadSpec::Zipf(zipf) => {
                let law = Zipf::new(zipf.n.value.count, zipf.s.value.number).map(Spread::Zipf);
                if law.is_none() {
                    self.error(zipf.s.place, "this is no exponent", "write `{zipf: {s: 1.1, n: 1M}}`");
                }
                law
            }
            SpreadSpec::Weights(weights) => {
                let names = self.names_of(written);
                let number = |name: &str| names.iter().position(|known| *known == name).unwrap_or(0) as u32;
                let mut shares: Vec<(f64, u32)> =
                    weights.entries.iter().map(|(name, _, share)| (*share, number(name))).collect();
                shares.sort_by_key(|(_, value)| *value);
                Some(Spread::Shares(cumulative(shares)))
            }
        }
    }

    /// The names of tenants, by value.
    pub(super) fn tenants(&self) -> Vec<String> {
        self.names_of(TENANT).into_iter().map(str::to_owned).collect()
    }

    /// How many names the traffics give to an attribute's values.
    pub(super) fn names_of_attribute(&self, by: ByWord) -> u32 {
        let written = match by {
            ByWord::Key => KEY,
            ByWord::Tenant => TENANT,
            ByWord::User | ByWord::Class => USER,
        };
        self.names_of(written).len() as u32
    }

    /// The names that any traffic gives to an attribute's values, sorted: their places number them.
    fn names_of(&self, written: Written) -> BTreeSet<&'a str> {
        let mut names = BTreeSet::new();
        for at in self.traffic_specs().filter_map(|spec| written(spec.attributes.as_ref()?)) {
            if let SpreadSpec::Weights(weights) = &at.value {
                names.extend(weights.entries.iter().map(|(name, ..)| name.as_str()));
            }
        }
        names
    }
}
