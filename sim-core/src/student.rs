//! Quantiles of the normal and of Student's t distribution.

use std::f64::consts::{FRAC_2_PI, FRAC_PI_2};

/// Above this many degrees of freedom, the expansion is as exact as the sum.
const EXPANSION_FROM: u32 = 200;

/// The critical value of Student's t: a share `confidence` of the distribution is within it of 0.
///
/// Exact up to 200 degrees of freedom: there the distribution function is a finite sum, inverted by bisection.
/// Above, the expansion in 1/degrees has converged.
///
/// Source: Abramowitz, Stegun, *Handbook of Mathematical Functions* (1964), 26.7.3 to 26.7.5.
///
/// # Panics
///
/// When `degrees` is 0 or `confidence` is not strictly between 0 and 1.
///
/// ```
/// // Ten replications, 95 %.
/// assert!((sim_core::student_t(9, 0.95) - 2.262157).abs() < 1e-6);
/// ```
pub fn student_t(degrees: u32, confidence: f64) -> f64 {
    assert!(degrees > 0, "Student's t has at least one degree of freedom");
    assert!(confidence > 0.0 && confidence < 1.0, "a confidence is between 0 and 1, not {confidence}");
    if degrees > EXPANSION_FROM {
        return expansion(f64::from(degrees), normal_quantile(0.5 + confidence / 2.0));
    }
    let (mut low, mut high) = (0.0, FRAC_PI_2);
    loop {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            return f64::from(degrees).sqrt() * middle.tan();
        }
        if share_within(degrees, middle) < confidence { low = middle } else { high = middle }
    }
}

/// The share of Student's t that is within `t` of 0: 1 minus the p-value of a two-sided test.
///
/// Source: Abramowitz, Stegun, *Handbook of Mathematical Functions* (1964), 26.7.3 and 26.7.4.
///
/// # Panics
///
/// When `degrees` is 0.
///
/// ```
/// assert!((sim_core::student_share(9, 2.262157) - 0.95).abs() < 1e-6);
/// ```
pub fn student_share(degrees: u32, t: f64) -> f64 {
    assert!(degrees > 0, "Student's t has at least one degree of freedom");
    share_within(degrees, (t.abs() / f64::from(degrees).sqrt()).atan())
}

/// The share of Student's t within sqrt(degrees) tan(theta) of 0.
fn share_within(degrees: u32, theta: f64) -> f64 {
    let (sin, cos) = theta.sin_cos();
    let odd = degrees % 2 == 1;
    let (first, start) = if odd { (cos, 3) } else { (1.0, 2) };
    let (mut term, mut sum) = (first, 0.0);
    for k in (start..=degrees).step_by(2) {
        sum += term;
        term *= cos * cos * f64::from(k - 1) / f64::from(k);
    }
    if odd { FRAC_2_PI * (theta + sin * sum) } else { sin * sum }
}

/// Student's t from the normal quantile `x`.
fn expansion(degrees: f64, x: f64) -> f64 {
    let y = x * x;
    let g1 = x * (y + 1.0) / 4.0;
    let g2 = x * ((5.0 * y + 16.0) * y + 3.0) / 96.0;
    let g3 = x * (((3.0 * y + 19.0) * y + 17.0) * y - 15.0) / 384.0;
    let g4 = x * ((((79.0 * y + 776.0) * y + 1482.0) * y - 1920.0) * y - 945.0) / 92160.0;
    x + (g1 + (g2 + (g3 + g4 / degrees) / degrees) / degrees) / degrees
}

/// The `p`-quantile of the standard normal distribution, to about 16 digits.
///
/// Source: Wichura, *Algorithm AS 241: The Percentage Points of the Normal Distribution*, Applied Statistics
/// 37(3), 1988, PPND16.
///
/// # Panics
///
/// When `p` is not strictly between 0 and 1.
///
/// ```
/// assert!((sim_core::normal_quantile(0.975) - 1.959964).abs() < 1e-6);
/// ```
pub fn normal_quantile(p: f64) -> f64 {
    assert!(p > 0.0 && p < 1.0, "a quantile is between 0 and 1, not {p}");
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        return q * ratio(0.180_625 - q * q, &CENTRE);
    }
    let r = (-p.min(1.0 - p).ln()).sqrt();
    let x = if r <= 5.0 { ratio(r - 1.6, &FLANK) } else { ratio(r - 5.0, &TAIL) };
    x.copysign(q)
}

/// Two polynomials, lowest power first: one over the other.
type Ratio = [[f64; 8]; 2];

fn ratio(x: f64, [above, below]: &Ratio) -> f64 {
    let polynomial = |c: &[f64; 8]| c.iter().rev().fold(0.0, |sum, c| sum * x + c);
    polynomial(above) / polynomial(below)
}

const CENTRE: Ratio = [
    [
        3.387_132_872_796_366_5,
        1.331_416_678_917_843_8e2,
        1.971_590_950_306_551_3e3,
        1.373_169_376_550_946e4,
        4.592_195_393_154_987e4,
        6.726_577_092_700_87e4,
        3.343_057_558_358_813e4,
        2.509_080_928_730_122_7e3,
    ],
    [
        1.0,
        4.231_333_070_160_091e1,
        6.871_870_074_920_579e2,
        5.394_196_021_424_751e3,
        2.121_379_430_158_659_7e4,
        3.930_789_580_009_271e4,
        2.872_908_573_572_194_3e4,
        5.226_495_278_852_854e3,
    ],
];

const FLANK: Ratio = [
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        2.417_807_251_774_506e-1,
        2.272_384_498_926_918_4e-2,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        6.897_673_349_851e-1,
        1.481_039_764_274_800_8e-1,
        1.519_866_656_361_645_7e-2,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
];

const TAIL: Ratio = [
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        2.965_605_718_285_048_7e-1,
        2.653_218_952_657_612_4e-2,
        1.242_660_947_388_078_4e-3,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        5.998_322_065_558_88e-1,
        1.369_298_809_227_358e-1,
        1.487_536_129_085_061_5e-2,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_7e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
];

#[cfg(test)]
mod tests {
    use super::*;

    /// From tables printed to six digits or more.
    #[test]
    fn critical_values_agree_with_the_tables() {
        for (degrees, confidence, t) in [
            (1, 0.95, 12.706_205),
            (2, 0.95, 4.302_653),
            (3, 0.95, 3.182_446),
            (4, 0.95, 2.776_445),
            (5, 0.95, 2.570_582),
            (9, 0.95, 2.262_157),
            (10, 0.95, 2.228_139),
            (19, 0.95, 2.093_024),
            (29, 0.95, 2.045_230),
            (30, 0.95, 2.042_272),
            (100, 0.95, 1.983_972),
            (120, 0.95, 1.979_930),
            (1, 0.99, 63.656_741),
            (2, 0.99, 9.924_843),
            (9, 0.99, 3.249_836),
            (30, 0.99, 2.749_996),
            (9, 0.90, 1.833_113),
            (1, 0.50, 1.0),
        ] {
            let found = student_t(degrees, confidence);
            assert!((found - t).abs() < 1e-6, "t({degrees}, {confidence}) = {found}, not {t}");
        }
    }

    /// With one and two degrees of freedom the quantile has a closed form.
    #[test]
    fn critical_values_agree_with_the_closed_forms() {
        for confidence in [0.01, 0.3, 0.8, 0.95, 0.999, 0.999_999] {
            let one = (FRAC_PI_2 * confidence).tan();
            let two = confidence * (2.0 / (1.0 - confidence * confidence)).sqrt();
            assert!((student_t(1, confidence) / one - 1.0).abs() < 1e-9);
            assert!((student_t(2, confidence) / two - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn sum_and_expansion_meet() {
        for confidence in [0.5, 0.9, 0.95, 0.99, 0.999] {
            let expanded = expansion(200.0, normal_quantile(0.5 + confidence / 2.0));
            assert!((student_t(200, confidence) - expanded).abs() < 1e-9, "{confidence}");
        }
        assert!((student_t(u32::MAX, 0.95) - normal_quantile(0.975)).abs() < 1e-8);
    }

    #[test]
    fn normal_quantiles_agree_with_the_tables() {
        for (p, x) in [
            (0.5, 0.0),
            (0.6, 0.253_347_103_135_8),
            (0.9, 1.281_551_565_544_6),
            (0.975, 1.959_963_984_540_054),
            (0.995, 2.575_829_303_548_901),
            (0.999, 3.090_232_306_167_813),
            (1e-10, -6.361_340_902_404_056),
            (1e-20, -9.262_340_089_798_408),
        ] {
            assert!((normal_quantile(p) - x).abs() < 1e-12, "{p}: {}", normal_quantile(p));
            if p > 1e-5 {
                assert!((normal_quantile(1.0 - p) + x).abs() < 1e-12);
            }
        }
    }

    #[test]
    #[should_panic(expected = "between 0 and 1")]
    fn certainty_has_no_critical_value() {
        student_t(3, 1.0);
    }
}
