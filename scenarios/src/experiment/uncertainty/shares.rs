//! How much of a metric's variance over points is noise, and how much is due to which input.
//!
//! **Noise** is what replications of one point differ by: the mean square within points of a one-way random effects
//! model (Searle et al., *Variance Components*, 1992, ch. 3), divided by the replications of a point.
//!
//! **An input's first-order share** is the variance of the part of the metric that depends on it alone. That part is a
//! polynomial in what stands for the input, fitted to the points' means by least squares with all inputs at once; what
//! a fit to noise would add to its variance is taken off. For uniform inputs these are the first-order Sobol indices of
//! a polynomial chaos expansion (Sudret, *Global sensitivity analysis using polynomial chaos expansions*, Reliability
//! Engineering & System Safety 93(7), 2008).
//!
//! What the fit leaves beyond the noise is due to inputs that work together, and to what no such polynomial can follow;
//! it counts once it is beyond chance.

use sim_core::{normal_quantile, student_t};

use crate::results::E;

/// Points that must remain beyond the coefficients of a fit.
const SPARE: usize = 6;

/// Where the variance of a metric over the points comes from, as shares of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shares {
    /// Replications of one point differ.
    pub(crate) noise: E,
    /// By input.
    pub(crate) inputs: Vec<E>,
    /// What is left.
    pub(crate) rest: E,
}

/// By input: what stands for it at each point, one column or more.
pub(crate) type Columns = Vec<Vec<Vec<f64>>>;

/// Points that it takes to tell this many inputs apart.
pub(crate) fn least_points(inputs: usize) -> usize {
    (2 * inputs + SPARE).max(10)
}

/// The shares of the variance of `seen`, which is by point and replication. None where it does not vary, or there are
/// too few points.
///
/// The intervals are of the delete-one jackknife over the points (Efron and Stein, *The Jackknife Estimate of
/// Variance*, Annals of Statistics 9(3), 1981).
pub(crate) fn shares(seen: &[Vec<f64>], inputs: &Columns) -> Option<Shares> {
    let straight: Columns =
        inputs.iter().map(|columns| columns.iter().filter_map(|column| standard(column)).collect()).collect();
    let bent = bent(&straight);
    let enough = seen.len() >= 2 * columns_of(&bent) + SPARE;
    let all: Vec<usize> = (0..seen.len()).collect();
    let design = if enough && Fit::new(&bent, seen, &all).is_some() { bent } else { straight };
    let whole = Parts::of(seen, &design, &all)?;
    let lacks = whole.lacks();
    let without = |left_out: &usize| {
        let kept: Vec<usize> = all.iter().copied().filter(|point| point != left_out).collect();
        Parts::of(seen, &design, &kept)?.shares(lacks)
    };
    let others: Option<Vec<Vec<f64>>> = all.iter().map(without).collect();
    let mut estimates = whole.shares(lacks)?.into_iter().enumerate().map(|(part, share)| {
        let each: Option<Vec<f64>> =
            others.as_ref().map(|others| others.iter().map(|shares| shares[part]).collect());
        jackknife(share, each.as_deref())
    });
    let noise = estimates.next()?;
    let rest = estimates.next()?;
    Some(Shares { noise, rest, inputs: estimates.collect() })
}

fn jackknife(value: f64, each: Option<&[f64]>) -> E {
    let Some(each) = each else { return E { value, lo: None, hi: None } };
    let n = each.len() as f64;
    let mean = each.iter().sum::<f64>() / n;
    let error = (each.iter().map(|share| (share - mean).powi(2)).sum::<f64>() * (n - 1.0) / n).sqrt();
    let half = student_t(each.len() as u32 - 1, 0.95) * error;
    E { value, lo: Some((value - half).max(0.0)), hi: Some((value + half).min(1.0)) }
}

/// The parts of a variance.
struct Parts {
    /// Of a point's mean, as its own replications show; and degrees of freedom.
    noise: (f64, f64),
    /// What the fit leaves; and degrees of freedom.
    left: (f64, f64),
    /// By input.
    inputs: Vec<f64>,
}

impl Parts {
    fn of(seen: &[Vec<f64>], design: &Columns, points: &[usize]) -> Option<Self> {
        let fit = Fit::new(design, seen, points)?;
        Some(Self {
            noise: noise(points.iter().map(|point| seen[*point].as_slice())),
            left: (fit.residual, fit.freedom),
            inputs: (0..design.len()).map(|input| fit.variance_of(input)).collect(),
        })
    }

    /// Whether the fit leaves more than noise, beyond a chance of 5 %: the test for lack of fit against pure error,
    /// with the F distribution by Paulson, *An approximate normalization of the analysis of variance distribution*,
    /// Annals of Mathematical Statistics 13(2), 1942.
    fn lacks(&self) -> bool {
        let ((noise, of_noise), (left, of_left)) = (self.noise, self.left);
        if noise <= 0.0 || of_noise <= 0.0 {
            return left > 0.0;
        }
        let root = (left / noise).cbrt();
        let (a, b) = (2.0 / (9.0 * of_left), 2.0 / (9.0 * of_noise));
        ((1.0 - b) * root - (1.0 - a)) / (b * root * root + a).sqrt() > normal_quantile(0.95)
    }

    /// Noise, rest and inputs as shares of their sum. What is left and is no lack of fit is noise, and tells of it as
    /// well as replications do.
    fn shares(&self, lacks: bool) -> Option<Vec<f64>> {
        let ((noise, of_noise), (left, of_left)) = (self.noise, self.left);
        let (noise, rest) = if lacks {
            (noise, (left - noise).max(0.0))
        } else {
            ((noise * of_noise + left * of_left) / (of_noise + of_left), 0.0)
        };
        let parts: Vec<f64> = [noise, rest].into_iter().chain(self.inputs.iter().copied()).collect();
        let sum: f64 = parts.iter().sum();
        (sum > 0.0 && sum.is_finite()).then(|| parts.iter().map(|part| part / sum).collect())
    }
}

/// Variance of a point's mean that its own replications show, and its degrees of freedom.
fn noise<'a>(points: impl Iterator<Item = &'a [f64]>) -> (f64, f64) {
    let (mut squares, mut freedom, mut replications, mut count) = (0.0, 0.0, 0.0, 0.0);
    for point in points {
        let mean = mean(point);
        squares += point.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
        freedom += point.len() as f64 - 1.0;
        replications += point.len() as f64;
        count += 1.0;
    }
    if freedom > 0.0 { (squares / freedom / (replications / count), freedom) } else { (0.0, 0.0) }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The column with mean 0 and variance 1; none where it is constant.
fn standard(column: &[f64]) -> Option<Vec<f64>> {
    let mean = mean(column);
    let variance = column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / column.len() as f64;
    // What differs by rounding alone is constant.
    let varies = variance > 1e-20 * mean.powi(2);
    varies.then(|| column.iter().map(|x| (x - mean) / variance.sqrt()).collect())
}

/// The columns, and their squares where an input has a single one.
fn bent(inputs: &Columns) -> Columns {
    let with_square = |columns: &Vec<Vec<f64>>| match columns.as_slice() {
        [x] => {
            let square = standard(&x.iter().map(|x| x * x).collect::<Vec<f64>>());
            std::iter::once(x.clone()).chain(square).collect()
        }
        _ => columns.clone(),
    };
    inputs.iter().map(with_square).collect()
}

fn columns_of(inputs: &Columns) -> usize {
    inputs.iter().map(Vec::len).sum()
}

/// A fit of some points' means by least squares.
struct Fit<'a> {
    /// By input and column, at all points.
    design: &'a Columns,
    coefficients: Vec<f64>,
    /// Inverse of the matrix of the normal equations.
    inverse: Vec<Vec<f64>>,
    /// Variance that it leaves.
    residual: f64,
    /// Degrees of freedom of that.
    freedom: f64,
}

impl<'a> Fit<'a> {
    /// None where columns depend on each other, or there are too few points.
    fn new(design: &'a Columns, seen: &[Vec<f64>], points: &[usize]) -> Option<Self> {
        let columns: Vec<Vec<f64>> = design
            .iter()
            .flatten()
            .map(|column| centred(points.iter().map(|point| column[*point])))
            .collect();
        let freedom = points.len().checked_sub(columns.len() + 1).filter(|freedom| *freedom > 0)? as f64;
        let average = mean(&points.iter().map(|point| mean(&seen[*point])).collect::<Vec<f64>>());
        let means = centred(points.iter().map(|point| mean(&seen[*point])));
        let matrix = columns.iter().map(|a| columns.iter().map(|b| product(a, b)).collect()).collect();
        let inverse = inverse(matrix)?;
        let right: Vec<f64> = columns.iter().map(|a| product(a, &means)).collect();
        let coefficients: Vec<f64> = inverse.iter().map(|row| product(row, &right)).collect();
        let left = means.iter().enumerate().map(|(point, y)| {
            let fitted: f64 = columns.iter().zip(&coefficients).map(|(a, b)| a[point] * b).sum();
            (y - fitted).powi(2)
        });
        let residual = left.sum::<f64>() / freedom;
        // What is left of an exact fit is rounding.
        let exact = residual < 1e-18 * product(&means, &means).max(average.powi(2) * 1e-6);
        Some(Self { design, coefficients, inverse, residual: if exact { 0.0 } else { residual }, freedom })
    }

    /// Variance, over all points, of what depends on one input alone.
    fn variance_of(&self, input: usize) -> f64 {
        let first = self.design[..input].iter().map(Vec::len).sum::<usize>();
        let own = &self.design[input];
        let mut variance = 0.0;
        for (i, a) in own.iter().enumerate() {
            for (j, b) in own.iter().enumerate() {
                let together = product(a, b) / a.len() as f64;
                let (i, j) = (first + i, first + j);
                let chance = self.residual * self.inverse[i][j];
                variance += together * (self.coefficients[i] * self.coefficients[j] - chance);
            }
        }
        variance.max(0.0)
    }
}

fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The values less their mean.
fn centred(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let values: Vec<f64> = values.collect();
    let mean = mean(&values);
    values.into_iter().map(|value| value - mean).collect()
}

/// The inverse by elimination with pivots; none where there is none to speak of.
fn inverse(mut matrix: Vec<Vec<f64>>) -> Option<Vec<Vec<f64>>> {
    let n = matrix.len();
    let largest = matrix.iter().flatten().fold(0.0_f64, |most, x| most.max(x.abs()));
    let mut inverse: Vec<Vec<f64>> =
        (0..n).map(|i| (0..n).map(|j| if i == j { 1.0 } else { 0.0 }).collect()).collect();
    for column in 0..n {
        let pivot =
            (column..n).max_by(|a, b| matrix[*a][column].abs().total_cmp(&matrix[*b][column].abs()))?;
        if matrix[pivot][column].abs() <= 1e-9 * largest {
            return None;
        }
        matrix.swap(column, pivot);
        inverse.swap(column, pivot);
        let scale = matrix[column][column];
        for side in [&mut matrix, &mut inverse] {
            side[column].iter_mut().for_each(|x| *x /= scale);
        }
        for row in (0..n).filter(|row| *row != column) {
            let factor = matrix[row][column];
            for side in [&mut matrix, &mut inverse] {
                let pivot = side[column].clone();
                side[row].iter_mut().zip(pivot).for_each(|(x, p)| *x -= factor * p);
            }
        }
    }
    Some(inverse)
}

#[cfg(test)]
mod tests {
    use sim_core::Stream;

    use super::*;

    const POINTS: u32 = 40;

    /// The middles of as many strata in an order of its own, and a number that is drawn anew whenever it is asked for.
    fn stratified(name: &str) -> Vec<f64> {
        let mut order: Vec<u32> = (0..POINTS).collect();
        order.sort_by_cached_key(|point| Stream::new(1, *point, name, "test").next_u64());
        order.iter().map(|rank| (f64::from(*rank) + 0.5) / f64::from(POINTS)).collect()
    }

    fn seen(value: impl Fn(usize, u32) -> f64) -> Vec<Vec<f64>> {
        (0..POINTS as usize).map(|point| vec![value(point, 0), value(point, 1)]).collect()
    }

    fn near(e: E, share: f64, by: f64) {
        assert!((e.value - share).abs() <= by, "{e:?} is not {share} ± {by}");
    }

    /// Of x + 2y with x and y uniform, variances are as 1 to 4: shares of 20 % and 80 %, and nothing else.
    #[test]
    fn a_plane_is_split_by_the_squares_of_its_slopes() {
        let (x, y) = (stratified("x"), stratified("y"));
        let seen = seen(|point, _| 5.0 + x[point] + 2.0 * y[point]);
        let shares = shares(&seen, &vec![vec![x], vec![y]]).unwrap();
        near(shares.inputs[0], 0.2, 1e-9);
        near(shares.inputs[1], 0.8, 1e-9);
        assert_eq!((shares.noise.value, shares.rest.value), (0.0, 0.0));
        assert!(shares.inputs[0].hi.unwrap() - shares.inputs[0].lo.unwrap() < 0.02, "{shares:?}");
    }

    /// Replications at ± d have a mean square within of 2 d^2, and their means half of that.
    #[test]
    fn what_replications_differ_by_is_noise() {
        let x = stratified("x");
        // The two of a point are symmetric, so their mean is exact, and all of it would be the input's but for the
        // noise.
        let seen = seen(|point, replication| x[point] + if replication == 0 { 0.2 } else { -0.2 });
        let shares = shares(&seen, &vec![vec![x]]).unwrap();
        let variance = (1.0 - 1.0 / f64::from(POINTS * POINTS)) / 12.0;
        // A parabola leaves 37 degrees of freedom of these 40 points, and nothing in them, which is noise too.
        let noise = 0.04 * 40.0 / 77.0;
        near(shares.noise, noise / (variance + noise), 1e-9);
        near(shares.inputs[0], variance / (variance + noise), 1e-9);
    }

    /// Of (x - 1/2)^2, all is due to x, though no line would show it: 1/180 of variance.
    #[test]
    fn a_curve_is_followed() {
        let (x, y) = (stratified("x"), stratified("y"));
        let seen = seen(|point, _| (x[point] - 0.5).powi(2));
        let shares = shares(&seen, &vec![vec![x], vec![y]]).unwrap();
        near(shares.inputs[0], 1.0, 1e-9);
        near(shares.inputs[1], 0.0, 1e-9);
    }

    /// Of (x - 1/2)(y - 1/2), neither alone does anything: all of it is left.
    #[test]
    fn what_inputs_do_together_is_left() {
        let (x, y) = (stratified("x"), stratified("y"));
        let seen = seen(|point, _| (x[point] - 0.5) * (y[point] - 0.5));
        let shares = shares(&seen, &vec![vec![x], vec![y]]).unwrap();
        assert!(shares.rest.value > 0.85, "{shares:?}");
    }

    #[test]
    fn what_does_not_vary_has_no_shares() {
        let x = stratified("x");
        assert_eq!(shares(&seen(|_, _| 3.0), &vec![vec![x]]), None);
    }

    /// The 95th percentile of F with 10 and 20 degrees of freedom is 2.348 (tables); one percent beside it decides.
    #[test]
    fn what_is_left_counts_beyond_chance() {
        let parts = |ratio: f64| Parts { noise: (1.0, 20.0), left: (ratio, 10.0), inputs: Vec::new() };
        assert!(!parts(2.32).lacks());
        assert!(parts(2.38).lacks());
        assert!(Parts { noise: (0.0, 20.0), ..parts(1.0) }.lacks(), "without noise all counts");
        assert_eq!(parts(4.0).shares(true), Some(vec![0.25, 0.75]));
        assert_eq!(parts(1.3).shares(false), Some(vec![1.0, 0.0]));
    }

    #[test]
    fn an_inverse_by_hand() {
        let found = inverse(vec![vec![0.0, 2.0], vec![4.0, 2.0]]).unwrap();
        assert_eq!(found, [[-0.25, 0.25], [0.5, 0.0]]);
        assert_eq!(inverse(vec![vec![1.0, 2.0], vec![2.0, 4.0]]), None);
    }
}
