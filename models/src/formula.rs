//! Formulas over the levels of volumes: conditions, amounts, and factors of times.

use std::sync::Arc;

use crate::blueprint::{Compare, Measure, VolumeId};

/// Operands that wait for their operator, at most.
pub const MOST_PENDING: usize = 16;

/// A part of a [`Formula`], behind its operands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Term {
    /// A number.
    Number(f64),
    /// What is seen of a volume.
    Of(VolumeId, Measure),
    /// Minus the operand.
    Minus,
    /// 1 if the operand is 0, or else 0.
    Not,
    /// The logarithm of the operand to base 2; of 1 for operands below 1.
    Log2,
    /// The square root of the operand; of 0 for operands below 0.
    Sqrt,
    /// The sum.
    Add,
    /// The first without the second.
    Subtract,
    /// The product.
    Multiply,
    /// The first by the second; 0 where that is 0.
    Divide,
    /// The smaller one.
    Min,
    /// The larger one.
    Max,
    /// 1 if they compare like this, or else 0.
    Compare(Compare),
    /// 1 if neither is 0, or else 0.
    And,
    /// 1 if one is not 0, or else 0.
    Or,
}

impl Term {
    /// How many operands it takes.
    fn operands(self) -> usize {
        match self {
            Self::Number(_) | Self::Of(..) => 0,
            Self::Minus | Self::Not | Self::Log2 | Self::Sqrt => 1,
            Self::Add
            | Self::Subtract
            | Self::Multiply
            | Self::Divide
            | Self::Min
            | Self::Max
            | Self::Compare(_)
            | Self::And
            | Self::Or => 2,
        }
    }
}

/// A number that follows from levels. Conditions are 1 where they hold and 0 where they do not.
///
/// What has no value in mathematics has one here, so that no level can stop a run: see [`Term`].
#[derive(Clone, Debug, PartialEq)]
pub struct Formula {
    terms: Arc<[Term]>,
}

impl Formula {
    /// The formula whose terms stand behind their operands; none if they do not fit together, or if more than
    /// [`MOST_PENDING`] operands have to wait.
    pub fn new(terms: impl Into<Arc<[Term]>>) -> Option<Self> {
        let terms = terms.into();
        let mut pending = 0_usize;
        for term in terms.iter() {
            pending = pending.checked_sub(term.operands())? + 1;
            if pending > MOST_PENDING {
                return None;
            }
        }
        (pending == 1).then_some(Self { terms })
    }

    /// Its value, given what is seen of volumes.
    pub fn value(&self, mut seen: impl FnMut(VolumeId, Measure) -> f64) -> f64 {
        let mut pending = [0.0; MOST_PENDING];
        let mut top = 0_usize;
        for &term in self.terms.iter() {
            top -= term.operands();
            let (a, b) = (pending[top], pending[(top + 1) % MOST_PENDING]);
            pending[top] = match term {
                Term::Number(number) => number,
                Term::Of(volume, measure) => seen(volume, measure),
                Term::Minus => -a,
                Term::Not => truth(a == 0.0),
                Term::Log2 => libm::log2(a.max(1.0)),
                Term::Sqrt => a.max(0.0).sqrt(),
                Term::Add => a + b,
                Term::Subtract => a - b,
                Term::Multiply => a * b,
                Term::Divide => {
                    if b == 0.0 {
                        0.0
                    } else {
                        a / b
                    }
                }
                Term::Min => a.min(b),
                Term::Max => a.max(b),
                Term::Compare(compare) => truth(compare.holds(a, b)),
                Term::And => truth(a != 0.0 && b != 0.0),
                Term::Or => truth(a != 0.0 || b != 0.0),
            };
            top += 1;
        }
        pending[0]
    }

    /// The volumes that it looks at.
    pub fn volumes(&self) -> impl Iterator<Item = VolumeId> + '_ {
        self.terms.iter().filter_map(|term| if let Term::Of(volume, _) = term { Some(*volume) } else { None })
    }
}

fn truth(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEAD: VolumeId = VolumeId(0);
    const ROWS: VolumeId = VolumeId(1);

    fn value(terms: &[Term]) -> f64 {
        let seen = |volume: VolumeId, measure| match (volume, measure) {
            (DEAD, Measure::Level) => 300.0,
            (ROWS, Measure::Level) => 1_000.0,
            (_, Measure::Used) => 8.0,
            (_, Measure::Size) => 4_000.0,
            _ => f64::NAN,
        };
        Formula::new(terms).unwrap().value(seen)
    }

    fn is(terms: &[Term], result: f64) {
        assert!((value(terms) - result).abs() < 1e-12, "{terms:?} is not {result}");
    }

    #[test]
    fn the_condition_of_a_vacuum_holds_above_its_threshold() {
        // dead.level > 50 + 0.2 * rows.level: 300 > 250.
        let above = [Term::Number(50.0), Term::Number(0.2), Term::Of(ROWS, Measure::Level)];
        let sum = [Term::Multiply, Term::Add, Term::Compare(Compare::Greater)];
        let terms = [&[Term::Of(DEAD, Measure::Level)], &above[..], &sum[..]].concat();
        is(&terms, 1.0);
    }

    #[test]
    fn every_operator_does_what_it_says() {
        for (a, b, term, result) in [
            (7.0, 2.0, Term::Subtract, 5.0),
            (7.0, 2.0, Term::Divide, 3.5),
            (7.0, 0.0, Term::Divide, 0.0),
            (7.0, 2.0, Term::Min, 2.0),
            (7.0, 2.0, Term::Max, 7.0),
            (7.0, 0.0, Term::And, 0.0),
            (7.0, 0.0, Term::Or, 1.0),
        ] {
            is(&[Term::Number(a), Term::Number(b), term], result);
        }
        for (a, term, result) in [
            (3.0, Term::Minus, -3.0),
            (3.0, Term::Not, 0.0),
            (0.0, Term::Not, 1.0),
            (8.0, Term::Log2, 3.0),
            (0.0, Term::Log2, 0.0),
            (9.0, Term::Sqrt, 3.0),
            (-1.0, Term::Sqrt, 0.0),
        ] {
            is(&[Term::Number(a), term], result);
        }
        is(&[Term::Of(DEAD, Measure::Used)], 8.0);
    }

    #[test]
    fn what_does_not_fit_together_is_no_formula() {
        assert_eq!(Formula::new(vec![]), None);
        assert_eq!(Formula::new(vec![Term::Number(1.0), Term::Add]), None);
        assert_eq!(Formula::new(vec![Term::Number(1.0), Term::Number(1.0)]), None);
        assert_eq!(Formula::new(vec![Term::Number(1.0); MOST_PENDING + 1]), None);
    }
}
