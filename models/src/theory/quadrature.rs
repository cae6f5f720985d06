//! Numerical integration.

/// Nodes of Gauss-Kronrod with 15 points, from the outside in; every second one is a node of Gauss with 7.
const NODES: [f64; 8] = [
    0.991_455_371_120_812_6,
    0.949_107_912_342_758_5,
    0.864_864_423_359_769_1,
    0.741_531_185_599_394_4,
    0.586_087_235_467_691_1,
    0.405_845_151_377_397_2,
    0.207_784_955_007_898_47,
    0.0,
];
const KRONROD: [f64; 8] = [
    0.022_935_322_010_529_224,
    0.063_092_092_629_978_55,
    0.104_790_010_322_250_18,
    0.140_653_259_715_525_92,
    0.169_004_726_639_267_9,
    0.190_350_578_064_785_4,
    0.204_432_940_075_298_89,
    0.209_482_141_084_727_82,
];
const GAUSS: [f64; 4] =
    [0.129_484_966_168_869_7, 0.279_705_391_489_276_7, 0.381_830_050_505_118_9, 0.417_959_183_673_469_4];

/// Integral of `f` from `low` to `high`, to about 13 digits of the largest part; halves until it is smooth.
///
/// Source: Piessens et al., *QUADPACK* (1983), the 15-point rule.
pub(super) fn integrate(f: &impl Fn(f64) -> f64, low: f64, high: f64) -> f64 {
    const PIECES: u32 = 32;
    let width = (high - low) / f64::from(PIECES);
    let edge = |i: u32| low + width * f64::from(i);
    let rough: f64 = (0..PIECES).map(|i| rule(f, edge(i), edge(i + 1)).0.abs()).sum();
    (0..PIECES).map(|i| halved(f, edge(i), edge(i + 1), 1e-14 * rough, 40)).sum()
}

fn halved(f: &impl Fn(f64) -> f64, low: f64, high: f64, tolerance: f64, depth: u32) -> f64 {
    let (value, error) = rule(f, low, high);
    if error <= tolerance || depth == 0 {
        return value;
    }
    let middle = 0.5 * (low + high);
    halved(f, low, middle, tolerance, depth - 1) + halved(f, middle, high, tolerance, depth - 1)
}

/// The integral, and how far the two rules are apart.
fn rule(f: &impl Fn(f64) -> f64, low: f64, high: f64) -> (f64, f64) {
    let (middle, half) = (0.5 * (low + high), 0.5 * (high - low));
    let (mut kronrod, mut gauss) = (0.0, 0.0);
    for (i, node) in NODES.iter().enumerate() {
        let value = if *node == 0.0 { f(middle) } else { f(middle - half * node) + f(middle + half * node) };
        kronrod += KRONROD[i] * value;
        if i % 2 == 1 {
            gauss += GAUSS[i / 2] * value;
        }
    }
    (kronrod * half, ((kronrod - gauss) * half).abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smooth_and_broken_functions_are_integrated() {
        assert!((integrate(&f64::exp, 0.0, 1.0) - (std::f64::consts::E - 1.0)).abs() < 1e-14);
        assert!(
            (integrate(&|x| (1.0 + 25.0 * x * x).recip(), -1.0, 1.0) - 0.4 * 5.0_f64.atan()).abs() < 1e-13
        );
        let step = |x: f64| if x < 0.3 { 1.0 } else { 0.0 };
        assert!((integrate(&step, 0.0, 1.0) - 0.3).abs() < 1e-11);
    }
}
