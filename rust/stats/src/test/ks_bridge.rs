//! The largest absolute value of a Brownian bridge over given points: the limit of the permutation
//! distribution of the Kolmogorov-Smirnov statistic with tie blocks.
//!
//! The bridge is watched at the ends of the cells only. A Brownian motion from 0 is followed from end to end:
//! its density inside of `[-c, c]` is carried over a gap by quadrature, and what lands outside is weighed
//! with the density of still coming back to 0 at the end. Only that is summed, so small p-values keep their
//! digits.
use crate::null::kolmogorov_sf;
use statrs::function::erf::erfc;
use std::f64::consts::{PI, SQRT_2};

/// Points that are closer than this share of the rows are taken for continuous watching in between, which
/// makes the p-value larger: by a tenth at p = .05 if all gaps are this wide, and not at all if all are
/// infinitely small. It bounds the number of gaps, and their width that of the nodes.
const CONTINUOUS: f64 = 1e-3;

/// Below this the bridge is not asked: the continuous p-value, which is larger, serves as well.
const NEGLIGIBLE: f64 = 1e-8;

/// Distance of the nodes in standard deviations of the smallest gap.
const SPACING: f64 = 0.5;

/// What a node beyond the end of a trapezoidal rule adds to it, and the node as far inside takes off it, in
/// units of the spacing: the Euler-Maclaurin series with its odd derivatives as central differences up to
/// the ninth, -1/12, 11/720, -191/60480, 2497/3628800, -14797/95800320.
///
/// The density is smooth beyond the end. Gregory's one-sided differences, which would not need nodes there,
/// have errors some hundred times as large.
const END: [f64; 5] = [
    -11_639_731.0 / 159_667_200.0,
    299_093.0 / 13_305_600.0,
    -203_257.0 / 35_481_600.0,
    230_371.0 / 239_500_800.0,
    -14_797.0 / 191_600_640.0,
];

/// `P(max |B(t)| >= c)` over `shares`, ascending and between 0 and 1, of a Brownian bridge B.
pub(super) fn p_value(shares: impl Iterator<Item = f64>, c: f64) -> f64 {
    let continuous = kolmogorov_sf(c);
    if continuous < NEGLIGIBLE || c <= 0.0 {
        return continuous;
    }
    let gaps = gaps(shares);
    if gaps.iter().any(|gap| gap.watched && c * c < gap.length / 100.0) {
        // Survival of a gap is below 4 / pi exp(-pi^2 length / (8 c^2)).
        return 1.0;
    }
    bridge(&gaps, c, SPACING).min(continuous)
}

/// A stretch between two points, or one along which all points are watched.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Gap {
    length: f64,
    watched: bool,
}

/// The gaps from 0 to 1, none shorter than [`CONTINUOUS`]. Watched stretches that would be grow into their
/// neighbour, so that no point is left out.
fn gaps(shares: impl Iterator<Item = f64>) -> Vec<Gap> {
    let mut gaps: Vec<Gap> = vec![];
    let mut last = 0.0;
    for share in shares.chain([1.0]) {
        let mut next = Gap { length: share - last, watched: share - last < CONTINUOUS };
        last = share;
        if let Some(top) = gaps.last_mut().filter(|top| top.watched) {
            if !next.watched {
                let short = (CONTINUOUS - top.length).max(0.0);
                // What is left would be too short itself.
                next.watched = next.length - short < CONTINUOUS;
                if !next.watched {
                    top.length += short;
                    next.length -= short;
                }
            }
            if next.watched {
                top.length += next.length;
                continue;
            }
        }
        gaps.push(next);
    }
    // At the end there is only the neighbour before.
    if let [.., before, end] = gaps.as_mut_slice()
        && end.watched
        && end.length < CONTINUOUS
    {
        let short = CONTINUOUS - end.length;
        if before.length - short < CONTINUOUS {
            before.length += end.length;
            before.watched = true;
            gaps.pop();
        } else {
            before.length -= short;
            end.length += short;
        }
        merge_watched(&mut gaps);
    }
    gaps
}

/// Joins the last two gaps if both are watched.
fn merge_watched(gaps: &mut Vec<Gap>) {
    if let [.., before, end] = gaps.as_mut_slice()
        && before.watched
        && end.watched
    {
        before.length += end.length;
        gaps.pop();
    }
}

/// The nodes: `0, h, 2h, ... c` and a few beyond; the density is even.
struct Nodes {
    /// Their distance.
    h: f64,
    /// The index of `c`.
    edge: usize,
    /// Weights of the quadrature over `[-c, c]` of an even function that is known at `0, h, ...`.
    weights: Vec<f64>,
}

impl Nodes {
    fn new(c: f64, distance: f64) -> Self {
        let edge = (c / distance).ceil().max(1.0) as usize;
        let h = c / edge as f64;
        let count = edge + END.len() + 1;
        let mut weights = vec![0.0; count];
        // Folded at 0: every node but that one stands for two.
        weights[0] = h;
        weights[1..edge].fill(2.0 * h);
        weights[edge] += h;
        for (k, &end) in END.iter().enumerate() {
            weights[edge + k + 1] += 2.0 * h * end;
            let inside = edge.abs_diff(k + 1);
            weights[inside] -= 2.0 * h * end;
        }
        Self { h, edge, weights }
    }

    fn position(&self, index: usize) -> f64 {
        index as f64 * self.h
    }
}

fn density(x: f64, variance: f64) -> f64 {
    (-x * x / (2.0 * variance)).exp() / (2.0 * PI * variance).sqrt()
}

/// `P(Z > z)`; the ten digits of this `erfc` are more than the quadrature has.
fn tail(z: f64) -> f64 {
    erfc(z / SQRT_2) / 2.0
}

fn bridge(gaps: &[Gap], c: f64, spacing: f64) -> f64 {
    let smallest = gaps.iter().map(|gap| gap.length).fold(1.0, f64::min);
    let nodes = Nodes::new(c, spacing * smallest.sqrt());
    let count = nodes.weights.len();
    // Full and padded, so that every shift of a kernel stays inside.
    let mut spread = vec![0.0; 6 * count];
    let middle = 3 * count;
    let mut inside = vec![0.0; count];
    let mut kernel = vec![0.0; 2 * count];
    let (mut escaped, mut time) = (0.0, 0.0);
    for (index, gap) in gaps.iter().enumerate() {
        let left = 1.0 - time;
        let after = if index + 1 == gaps.len() { 0.0 } else { left - gap.length };
        let way_out = |x: f64| escape(x, gap, left, after, c);
        if index == 0 {
            escaped += way_out(0.0);
        } else {
            let parts = inside.iter().zip(&nodes.weights).enumerate();
            escaped += parts.map(|(i, (f, w))| f * w * way_out(nodes.position(i))).sum::<f64>();
        }
        if after == 0.0 {
            break;
        }
        fill_kernel(&mut kernel, gap, &nodes);
        if index == 0 {
            inside.copy_from_slice(&kernel[..count]);
        } else {
            spread[middle] = inside[0] * nodes.weights[0];
            for i in 1..count {
                let mass = inside[i] * nodes.weights[i] / 2.0;
                spread[middle + i] = mass;
                spread[middle - i] = mass;
            }
            convolve(&mut inside, &spread, middle, &kernel);
        }
        time += gap.length;
    }
    escaped / density(0.0, 1.0)
}

/// The density of going from `x` to somewhere outside of `[-c, c]` (or, where the gap is watched, of touching
/// its ends), and then to 0 in the time that is left.
fn escape(x: f64, gap: &Gap, left: f64, after: f64, c: f64) -> f64 {
    // At the end of the gap a motion that has to be at 0 later is normal.
    let shrink = after / left;
    let sd = (gap.length * shrink).sqrt();
    // An end that is this many deviations away is never reached: the density is below 1e-300.
    const NEVER: f64 = 37.0;
    let beyond = |x: f64| {
        let (near, far) = ((c - x * shrink) / sd, (c + x * shrink) / sd);
        let above = if near < NEVER { tail(near) } else { 0.0 };
        above + if far < NEVER { tail(far) } else { 0.0 }
    };
    let mut found = if after > 0.0 { density(x, left) * beyond(x) } else { 0.0 };
    if gap.watched {
        // Mirror images that end inside: every one of them touched an end on its way.
        for k in 1..=images(c, gap.length) {
            let sign = if k % 2 == 1 { 1.0 } else { -1.0 };
            for shift in [2.0 * k as f64 * c, -2.0 * k as f64 * c] {
                let image = shift + if k % 2 == 1 { -x } else { x };
                // Both tails on the far side of the mean, so that they are small where the result is.
                let mean = (image * shrink).abs();
                let within = if after > 0.0 { tail((mean - c) / sd) - tail((mean + c) / sd) } else { 1.0 };
                found += sign * density(image, left) * within;
            }
        }
    }
    found
}

/// How many mirror images on either side matter: from the next one on the density is below exp(-40).
fn images(c: f64, length: f64) -> usize {
    ((80.0 * length).sqrt() / (2.0 * c) + 1.0).ceil() as usize
}

/// The density of a step of `0, h, 2h, ...` over a gap. Over a watched gap it is that of an even density which
/// is killed at both ends, by mirror images.
fn fill_kernel(kernel: &mut [f64], gap: &Gap, nodes: &Nodes) {
    let images = if gap.watched { images(nodes.edge as f64 * nodes.h, gap.length) as i64 } else { 0 };
    for (d, value) in kernel.iter_mut().enumerate() {
        *value = (-images..=images)
            .map(|k| {
                let x = (d as f64 - (2 * k) as f64 * nodes.edge as f64) * nodes.h;
                let image = density(x, gap.length);
                if k % 2 == 0 { image } else { -image }
            })
            .sum();
    }
}

/// `out[i] = sum of kernel[|i - j|] spread[j]`.
fn convolve(out: &mut [f64], spread: &[f64], middle: usize, kernel: &[f64]) {
    let count = out.len();
    for (x, mass) in out.iter_mut().zip(&spread[middle..]) {
        *x = kernel[0] * mass;
    }
    for (d, &k) in kernel.iter().enumerate().skip(1) {
        if k.abs() < kernel[0] * 1e-17 {
            continue;
        }
        let (below, above) = (&spread[middle - d..][..count], &spread[middle + d..][..count]);
        for ((x, low), high) in out.iter_mut().zip(below).zip(above) {
            *x += k * (low + high);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn equal(cells: u32) -> Vec<f64> {
        (1..cells).map(|i| f64::from(i) / f64::from(cells)).collect()
    }

    fn poisson() -> Vec<f64> {
        let mut term = (-3.0f64).exp();
        let mut sum = 0.0;
        (0..10)
            .map(|k| {
                sum += term;
                term *= 3.0 / f64::from(k + 1);
                sum
            })
            .collect()
    }

    fn zeros() -> Vec<f64> {
        (0..20).map(|i| 0.7 + 0.3 * f64::from(i) / 20.0).collect()
    }

    #[test]
    fn equals_gauss_legendre_quadrature() {
        for (shares, c, p) in [
            (vec![0.97], 0.3, 7.864017934883e-02),
            (equal(33), 0.4, 9.626844703892e-01),
            (equal(33), 1.3, 3.944615629313e-02),
            (equal(33), 2.4, 7.465878511990e-06),
            (equal(500), 1.36, 4.288964158831e-02),
            (poisson(), 1.2, 2.776794133227e-02),
            (zeros(), 1.1, 3.138037439413e-02),
            (vec![0.002, 0.05, 0.06, 0.5, 0.503, 0.9, 0.99], 0.9, 8.090845306107e-02),
        ] {
            let found = p_value(shares.iter().copied(), c);
            assert!((found / p - 1.0).abs() < 2e-5, "{c}: {found:e} is not {p:e}");
        }
    }

    fn gap(length: f64, watched: bool) -> Gap {
        Gap { length, watched }
    }

    /// Rounded to 1e-9, in units of the shortest gap.
    fn lengths(shares: &[f64]) -> Vec<(f64, bool)> {
        let round = |gap: &Gap| ((gap.length / CONTINUOUS * 1e6).round() / 1e6, gap.watched);
        gaps(shares.iter().copied()).iter().map(round).collect()
    }

    #[test]
    fn close_points_are_watched_together_with_some_of_their_neighbourhood() {
        assert_eq!(lengths(&[]), [(1000.0, false)]);
        assert_eq!(lengths(&[0.25]), [(250.0, false), (750.0, false)]);
        // A lone pair of points: the stretch grows into the gap behind.
        assert_eq!(lengths(&[0.5, 0.5004]), [(500.0, false), (1.0, true), (499.0, false)]);
        assert_eq!(lengths(&[0.5, 0.5009, 0.5018]), [(500.0, false), (1.8, true), (498.2, false)]);
        // The gap behind is too short to lose anything.
        assert_eq!(lengths(&[0.5, 0.5004, 0.5015]), [(500.0, false), (1.5, true), (498.5, false)]);
        assert_eq!(lengths(&[0.0002]), [(1.0, true), (999.0, false)]);
        assert_eq!(lengths(&[0.9998]), [(999.0, false), (1.0, true)]);
        assert_eq!(
            lengths(&[0.5, 0.5004, 0.9984, 0.9998]),
            [(500.0, false), (1.0, true), (497.4, false), (1.6, true)]
        );
        // At the end all three become one.
        assert_eq!(lengths(&[0.9974, 0.998, 0.9985, 0.9996]), [(997.4, false), (2.6, true)]);
        let fine: Vec<f64> = (1..5000).map(|i| f64::from(i) / 5000.0).collect();
        assert_eq!(lengths(&fine), [(1000.0, true)]);
    }

    #[test]
    fn watching_without_a_break_is_the_kolmogorov_distribution() {
        for c in [0.4, 0.8, 1.36, 2.5] {
            let whole = bridge(&[gap(1.0, true)], c, SPACING);
            assert!((whole / kolmogorov_sf(c) - 1.0).abs() < 1e-9, "{c}");
            // In pieces, with the quadrature between them.
            let pieces = [gap(0.1, true), gap(0.004, true), gap(0.796, true), gap(0.1, true)];
            let pieced = bridge(&pieces, c, SPACING);
            assert!((pieced / kolmogorov_sf(c) - 1.0).abs() < 2e-5, "{c}: {pieced} {}", kolmogorov_sf(c));
        }
    }

    /// What is watched in addition makes p larger, and not by much.
    #[test]
    fn watching_close_points_is_an_upper_bound() {
        let fine: Vec<f64> = (1..2000).map(|i| f64::from(i) / 2000.0).collect();
        let coarse: Vec<f64> = (1..990).map(|i| f64::from(i) / 990.0).collect();
        for c in [0.7, 1.0, 1.36, 2.0] {
            let [fine, coarse] = [&fine, &coarse].map(|shares| p_value(shares.iter().copied(), c));
            assert!(coarse < fine && fine < coarse * 1.2, "{c}: {coarse} {fine}");
        }
        let mut shares = equal(33);
        let apart = p_value(shares.iter().copied(), 1.3);
        shares.insert(17, shares[16] + 1e-5);
        let paired = p_value(shares.iter().copied(), 1.3);
        assert!(paired > apart && paired < apart * 1.02, "{apart} {paired}");
    }

    #[test]
    fn tiny_p_values_keep_their_digits() {
        // Twice the tail of z = .6 / sqrt(.003 .997), SciPy 1.17.1: 2 norm.sf.
        let found = p_value([0.003].into_iter(), 0.6);
        assert!((found / 5.273314254631123e-28 - 1.0).abs() < 1e-9, "{found:e}");
    }

    #[test]
    fn small_bands_are_always_left() {
        assert_eq!(p_value([0.5].into_iter(), 0.0), 1.0);
        let found = p_value(equal(1500).into_iter(), 1e-3);
        assert_eq!(found, 1.0);
        let found = p_value(equal(33).into_iter(), 1e-3);
        assert!(found > 1.0 - 1e-6 && found <= 1.0, "{found}");
    }
}
