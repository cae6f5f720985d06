//! Attributes of requests: the key, tenant and user by which routes tell them apart.

use sim_core::distribution::Distribution;
use sim_core::{Draws, Zipf};

/// Separate the draws of the attributes from each other and from all else that a request draws.
const SALT_KEY: u64 = 0x8EBC_6AF0_9C88_C6E3;
const SALT_TENANT: u64 = 0x5895_58CB_CFBE_1B31;
const SALT_USER: u64 = 0x1D8E_4E27_C47D_124F;
const SALT_BYTES: u64 = 0xEB44_ACCA_B455_D165;

/// How the values of an attribute are spread over requests. Values are numbers from 0.
#[derive(Clone, Debug, PartialEq)]
pub enum Spread {
    /// A few values are popular: value k with a probability proportional to `(k + 1)^-s`.
    Zipf(Zipf),
    /// All of so many values are equally likely.
    Uniform(u32),
    /// Cumulative share and value.
    Shares(Vec<(f64, u32)>),
}

impl Spread {
    /// Probability of the most frequent value.
    pub fn largest_share(&self) -> f64 {
        match self {
            Self::Zipf(law) => law.share_of_first(),
            Self::Uniform(values) => 1.0 / f64::from(*values),
            Self::Shares(shares) => {
                let mut below = 0.0;
                let own = |&(to, _): &(f64, u32)| to - std::mem::replace(&mut below, to);
                shares.iter().map(own).fold(0.0, f64::max)
            }
        }
    }

    fn draw(&self, key: u64) -> u32 {
        let mut draws = Draws::keyed(key);
        match self {
            Self::Zipf(law) => law.sample(&mut draws),
            Self::Uniform(values) => draws.below(*values),
            Self::Shares(shares) => {
                let draw = draws.unit();
                let taken = shares.iter().find(|(share, _)| draw < *share).or(shares.last());
                taken.map_or(0, |&(_, value)| value)
            }
        }
    }
}

/// What the requests of a traffic differ in. What is missing is 0; for `user`, the number of a closed traffic's
/// user.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes {
    /// What the request asks for.
    pub key: Option<Spread>,
    /// On whose account.
    pub tenant: Option<Spread>,
    /// Who sent it.
    pub user: Option<Spread>,
    /// How large it is.
    pub bytes: Option<Distribution>,
}

/// The attributes of one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Label {
    /// What it asks for.
    pub key: u32,
    /// On whose account.
    pub tenant: u32,
    /// Who sent it.
    pub user: u32,
    /// How many bytes it carries; as many as fit.
    pub bytes: u32,
}

impl Attributes {
    /// The label of the request with this key, sent by this user.
    #[inline]
    pub fn label(&self, draw_key: u64, user: u32) -> Label {
        let value = |spread: &Option<Spread>, salt: u64, otherwise: u32| match spread {
            Some(spread) => spread.draw(draw_key ^ salt),
            None => otherwise,
        };
        Label {
            key: value(&self.key, SALT_KEY, 0),
            tenant: value(&self.tenant, SALT_TENANT, 0),
            user: value(&self.user, SALT_USER, user),
            bytes: match &self.bytes {
                Some(law) => law.sample(&mut Draws::keyed(draw_key ^ SALT_BYTES)).round() as u32,
                None => 0,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_do_not_share_their_draws() {
        let attributes = Attributes {
            key: Some(Spread::Uniform(1_000_000)),
            tenant: Some(Spread::Uniform(1_000_000)),
            user: None,
            bytes: None,
        };
        let label = attributes.label(7, 3);
        assert_ne!(label.key, label.tenant);
        assert_eq!(label.user, 3);
        let alone = Attributes { key: Some(Spread::Uniform(1_000_000)), ..Attributes::default() };
        assert_eq!(alone.label(7, 3), Label { key: label.key, tenant: 0, user: 3, bytes: 0 });
    }

    #[test]
    fn the_most_frequent_value_is_known() {
        let share = |spread: Spread| spread.largest_share();
        assert!((share(Spread::Shares(vec![(0.2, 0), (0.7, 1), (1.0, 2)])) - 0.5).abs() < 1e-12);
        assert!((share(Spread::Uniform(8)) - 0.125).abs() < 1e-12);
    }

    #[test]
    fn shares_are_met() {
        let spread = Spread::Shares(vec![(0.4, 2), (1.0, 5)]);
        let whales = (0..10_000).filter(|&key| spread.draw(key) == 2).count();
        assert!(whales.abs_diff(4_000) < 200, "{whales}");
    }
}
