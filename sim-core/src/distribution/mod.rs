//! Distributions of times and amounts: one law per file, and [`Distribution`], any of them.
//!
//! Values are plain `f64` in whatever unit the caller uses, never negative. Every law knows its exact moments,
//! for the theory shown beside the simulation.

mod constant;
mod empirical;
mod erlang;
mod error;
mod exponential;
mod gamma;
mod hyper_exp;
mod log_normal;
mod mixture;
mod normal;
pub mod numeric;
mod pareto;
mod quantiles;
pub mod special;
#[cfg(test)]
mod testing;
mod uniform;
mod weibull;
mod ziggurat;

use rand::Rng;

pub use constant::Constant;
pub use empirical::Empirical;
pub use erlang::Erlang;
pub use error::DistributionError;
pub use exponential::Exponential;
pub use gamma::Gamma;
pub use hyper_exp::HyperExp;
pub use log_normal::{Known, LogNormal};
pub use mixture::Mixture;
pub use normal::Normal;
pub use pareto::Pareto;
pub use quantiles::Quantiles;
pub use uniform::Uniform;
pub use weibull::Weibull;

/// What every law can do. Times are not negative, so neither is any value here.
pub trait Law {
    /// The word for the law in messages and tables.
    const FAMILY: &'static str;

    /// The expected value; infinite where it diverges.
    fn mean(&self) -> f64;

    /// The expected square; infinite where it diverges.
    fn second_moment(&self) -> f64;

    /// The expected cube; infinite where it diverges.
    fn third_moment(&self) -> f64;

    /// The squared coefficient of variation, variance over squared mean; 0 for a law that is always 0.
    fn scv(&self) -> f64 {
        let mean = self.mean();
        if mean == 0.0 {
            return 0.0;
        }
        let second = self.second_moment();
        if second.is_infinite() { f64::INFINITY } else { (second / (mean * mean) - 1.0).max(0.0) }
    }

    /// A value drawn with the numbers of `rng`.
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64;

    /// The probability of a value of at most `x`.
    fn cdf(&self, x: f64) -> f64;

    /// The probability of a value above `x`, precise where it is tiny.
    fn survival(&self, x: f64) -> f64 {
        1.0 - self.cdf(x)
    }

    /// The smallest `x` with `cdf(x) >= p`, for `p` from 0 to 1; infinite where there is none.
    fn quantile(&self, p: f64) -> f64 {
        numeric::smallest(|x| self.cdf(x) >= p, self.mean())
    }

    /// The smallest `x` with `survival(x) <= q`: `quantile(1 - q)`, precise where `q` is tiny.
    fn upper_quantile(&self, q: f64) -> f64 {
        numeric::smallest(|x| self.survival(x) <= q, self.mean())
    }

    /// The law of `factor` times the value; `factor` is positive and finite.
    #[must_use]
    fn scaled(&self, factor: f64) -> Self;
}

/// Runs the same expression on the law inside a [`Distribution`].
macro_rules! each {
    ($distribution:expr, $law:ident => $body:expr) => {
        match $distribution {
            Distribution::Constant($law) => $body,
            Distribution::Exponential($law) => $body,
            Distribution::Uniform($law) => $body,
            Distribution::Normal($law) => $body,
            Distribution::LogNormal($law) => $body,
            Distribution::Gamma($law) => $body,
            Distribution::Erlang($law) => $body,
            Distribution::HyperExp($law) => $body,
            Distribution::Weibull($law) => $body,
            Distribution::Pareto($law) => $body,
            Distribution::Mixture($law) => $body,
            Distribution::Quantiles($law) => $body,
            Distribution::Empirical($law) => $body,
        }
    };
}

/// Any of the laws. Made from a member: `Exponential::new(0.005)?.into()`.
///
/// ```
/// use sim_core::Draws;
/// use sim_core::distribution::{Distribution, Exponential};
///
/// let service = Distribution::from(Exponential::new(0.005)?);
/// assert_eq!((service.mean(), service.scv()), (0.005, 1.0));
/// assert!(service.sample(&mut Draws::keyed(7)) > 0.0);
/// # Ok::<(), sim_core::distribution::DistributionError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Distribution {
    /// Always the same value.
    Constant(Constant),
    /// Memoryless.
    Exponential(Exponential),
    /// Any value between two bounds is as likely as any other.
    Uniform(Uniform),
    /// The bell curve, cut off at 0.
    Normal(Normal),
    /// Its logarithm is normal.
    LogNormal(LogNormal),
    /// Gamma, by mean and coefficient of variation.
    Gamma(Gamma),
    /// The sum of equal exponential phases.
    Erlang(Erlang),
    /// One of several exponential phases.
    HyperExp(HyperExp),
    /// A power of an exponential value.
    Weibull(Weibull),
    /// A power-law tail, bounded or not.
    Pareto(Pareto),
    /// One of several laws.
    Mixture(Mixture),
    /// Given by its quantiles.
    Quantiles(Quantiles),
    /// One of a list of measured values.
    Empirical(Empirical),
}

impl Distribution {
    /// The expected value; infinite where it diverges.
    pub fn mean(&self) -> f64 {
        each!(self, law => law.mean())
    }

    /// The squared coefficient of variation, variance over squared mean; infinite where it diverges.
    pub fn scv(&self) -> f64 {
        each!(self, law => law.scv())
    }

    /// The variance; infinite where it diverges.
    pub fn variance(&self) -> f64 {
        let mean = self.mean();
        if mean == 0.0 { 0.0 } else { self.scv() * mean * mean }
    }

    /// The expected square; infinite where it diverges.
    pub fn second_moment(&self) -> f64 {
        each!(self, law => law.second_moment())
    }

    /// The expected cube; infinite where it diverges.
    pub fn third_moment(&self) -> f64 {
        each!(self, law => law.third_moment())
    }

    /// A value drawn with the numbers of `rng`: a request's `Draws`, or a `Stream`.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a call would put the generator into memory")]
    pub fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        // The most common ones go without the jump table.
        match self {
            Self::Exponential(law) => law.sample(rng),
            Self::Constant(law) => law.sample(rng),
            _ => self.sample_any(rng),
        }
    }

    #[inline(never)]
    fn sample_any<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        each!(self, law => law.sample(rng))
    }

    /// The probability of a value of at most `x`.
    pub fn cdf(&self, x: f64) -> f64 {
        each!(self, law => law.cdf(x))
    }

    /// The probability of a value above `x`, precise where it is tiny.
    pub fn survival(&self, x: f64) -> f64 {
        each!(self, law => law.survival(x))
    }

    /// The smallest `x` with `cdf(x) >= p`; infinite where there is none.
    ///
    /// # Panics
    ///
    /// When `p` is not from 0 to 1.
    pub fn quantile(&self, p: f64) -> f64 {
        assert!((0.0..=1.0).contains(&p), "there is no quantile {p}");
        each!(self, law => law.quantile(p))
    }

    /// The smallest `x` with `survival(x) <= q`: `quantile(1 - q)`, precise where `q` is tiny.
    ///
    /// # Panics
    ///
    /// When `q` is not from 0 to 1.
    pub fn upper_quantile(&self, q: f64) -> f64 {
        assert!((0.0..=1.0).contains(&q), "there is no upper quantile {q}");
        each!(self, law => law.upper_quantile(q))
    }

    /// The law of `factor` times the value.
    ///
    /// # Panics
    ///
    /// When `factor` is not positive and finite.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        assert!(factor > 0.0 && factor.is_finite(), "cannot scale a distribution by {factor}");
        each!(self, law => law.scaled(factor).into())
    }

    /// Whether the value is always the same.
    pub fn is_constant(&self) -> bool {
        self.scv() == 0.0
    }

    /// Whether this is the exponential law, by whatever name.
    pub fn is_exponential(&self) -> bool {
        let one = |x: f64| (x - 1.0).abs() < 1e-12;
        match self {
            Self::Exponential(_) => true,
            Self::Erlang(law) => law.phases() == 1,
            Self::Gamma(law) => one(law.scv()),
            Self::Weibull(law) => one(law.shape()),
            _ => false,
        }
    }

    /// The word for the law in messages and tables: `exp`, `lognormal`, ...
    pub fn family(&self) -> &'static str {
        fn family_of<L: Law>(_: &L) -> &'static str {
            L::FAMILY
        }
        each!(self, law => family_of(law))
    }
}

/// One `From` per member.
macro_rules! from_members {
    ($($member:ident),*) => {$(
        impl From<$member> for Distribution {
            fn from(law: $member) -> Self {
                Self::$member(law)
            }
        }
    )*};
}

from_members!(
    Constant,
    Exponential,
    Uniform,
    Normal,
    LogNormal,
    Gamma,
    Erlang,
    HyperExp,
    Weibull,
    Pareto,
    Mixture,
    Quantiles,
    Empirical
);
