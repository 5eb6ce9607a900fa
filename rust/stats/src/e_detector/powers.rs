//! Exponentials and logarithms of eight numbers side by side: what evidence spends its time on.
//!
//! All is written in operations that every CPU rounds alike, and none of them is fused with another: a monitor has the
//! same e-values wherever it runs, which those of a C library are not, and the compiler makes vectors of them where its
//! caller is compiled for a CPU that has some.
//!
//! Source: the polynomials of fdlibm (Sun Microsystems 1993), `e_exp.c` and `e_log.c`, whose error is below one unit in
//! the last place.

/// Numbers that are worked on together: one register of AVX-512.
pub const LANES: usize = 8;

/// ln 2 in two parts. A product of the first with the exponent of a double has no error.
const LN_2: (f64, f64) = (6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10);
/// 1.5 times 2^52: what is added to it is rounded to a whole number, which its last bits are then.
const ROUNDS: f64 = 6_755_399_441_055_744.0;
/// Beyond these e^x is no normal number.
const LEAST: f64 = -708.0;
const MOST: f64 = 709.0;

/// e^x; 0 below -708, where it is no normal number, and e^709 above 709.
#[inline(always)]
pub fn exp(x: [f64; LANES]) -> [f64; LANES] {
    const P: [f64; 5] = [
        1.666_666_666_666_660_2e-1,
        -2.777_777_777_701_559_3e-3,
        6.613_756_321_437_934e-5,
        -1.653_390_220_546_525_2e-6,
        4.138_136_797_057_238_5e-8,
    ];
    let mut y = [0.0; LANES];
    for (y, &given) in y.iter_mut().zip(&x) {
        let x = if given < MOST { given } else { MOST };
        let x = if x > LEAST { x } else { LEAST };
        let rounded = x * std::f64::consts::LOG2_E + ROUNDS;
        let k = rounded - ROUNDS;
        let (high, low) = (x - k * LN_2.0, k * LN_2.1);
        let r = high - low;
        let square = r * r;
        let c = r - square * (P[0] + square * (P[1] + square * (P[2] + square * (P[3] + square * P[4]))));
        let fraction = 1.0 + (r * c / (2.0 - c) - low + high);
        let exponent = rounded.to_bits().wrapping_sub(ROUNDS.to_bits()).wrapping_add(1023);
        let power = fraction * f64::from_bits(exponent << 52);
        *y = if given < LEAST { 0.0 } else { power };
    }
    y
}

/// ln x of positive normal numbers.
#[inline(always)]
pub fn ln(x: [f64; LANES]) -> [f64; LANES] {
    const L: [f64; 7] = [
        6.666_666_666_666_735e-1,
        3.999_999_999_940_942e-1,
        2.857_142_874_366_239e-1,
        2.222_219_843_214_978_4e-1,
        1.818_357_216_161_805e-1,
        1.531_383_769_920_937_3e-1,
        1.479_819_860_511_658_6e-1,
    ];
    /// The first bits of the square root of one half, from which on fractions are taken.
    const FIRST: u64 = 0x3fe6_a09e << 32;
    const ONE: u64 = 0x3ff0_0000 << 32;
    /// 2^52, whose last bits are a whole number.
    const WHOLE: u64 = 0x4330_0000 << 32;
    let mut y = [0.0; LANES];
    for (y, &x) in y.iter_mut().zip(&x) {
        let bits = x.to_bits().wrapping_add(ONE - FIRST);
        let k = f64::from_bits(WHOLE | bits >> 52) - (4_503_599_627_370_496.0 + 1023.0);
        let f = f64::from_bits((bits & ((1 << 52) - 1)) + FIRST) - 1.0;
        let half = 0.5 * f * f;
        let s = f / (2.0 + f);
        let z = s * s;
        let w = z * z;
        let even = w * (L[1] + w * (L[3] + w * L[5]));
        let odd = z * (L[0] + w * (L[2] + w * (L[4] + w * L[6])));
        *y = s * (half + (odd + even)) + k * LN_2.1 - half + f + k * LN_2.0;
    }
    y
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// How many doubles lie between two positive ones.
    fn apart(a: f64, b: f64) -> u64 {
        a.to_bits().abs_diff(b.to_bits())
    }

    proptest! {
        #[test]
        fn exponentials_are_those_of_the_c_library(x in prop_oneof![-708.0..709.0, -1.0..1.0, -1e-9..1e-9]) {
            prop_assert!(apart(exp([x; LANES])[3], x.exp()) <= 1, "{}", x);
        }

        #[test]
        fn logarithms_are_those_of_the_c_library(
            x in prop_oneof![1e-300..1e300, 0.05..20.0, 0.999..1.001, (-300.0..300.0).prop_map(f64::exp2)]
        ) {
            let (ours, theirs) = (ln([x; LANES])[5], x.ln());
            prop_assert!(ours == theirs || (ours * theirs > 0.0 && apart(ours.abs(), theirs.abs()) <= 1), "{}", x);
        }
    }

    #[test]
    fn ends_are_those_of_doubles() {
        let x = [0.0, -1e300, -708.5, f64::NEG_INFINITY, 710.0, f64::INFINITY, -0.0, -708.0];
        let most = exp([709.0; LANES])[0];
        assert_eq!(exp(x), [1.0, 0.0, 0.0, 0.0, most, most, 1.0, (-708f64).exp()]);
        assert_eq!(ln([1.0; LANES]), [0.0; LANES]);
    }
}
