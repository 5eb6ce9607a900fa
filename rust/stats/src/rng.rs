//! A small seeded generator: the same seed gives the same numbers on every machine and in every release.

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): 64 bits of state, period 2^64.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// A generator that starts from `seed`; every seed is good.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// The next number in `[0, 1)`, uniform in steps of 2^-53.
    pub fn next_f64(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }
}

/// A seed that depends on every one of `parts` and on their order.
pub(crate) fn seed_of(parts: impl Iterator<Item = u64>) -> u64 {
    parts.fold(0, |seed, part| mix(seed.wrapping_add(0x9e37_79b9_7f4a_7c15) ^ part))
}

/// The finaliser of SplitMix64: a bijection in which every bit of the input moves every bit of the
/// output.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first outputs for seed 1234567 that the reference C code (prng.di.unimi.it/splitmix64.c)
    /// prints.
    #[test]
    fn equals_the_published_generator() {
        let mut rng = Rng::new(1_234_567);
        let first = [rng.next_u64(), rng.next_u64(), rng.next_u64()];
        assert_eq!(first, [6457827717110365317, 3203168211198807973, 9817491932198370423]);
    }

    #[test]
    fn uniform_numbers_have_the_moments_of_the_uniform() {
        let mut rng = Rng::new(1);
        let draws: Vec<f64> = (0..100_000).map(|_| rng.next_f64()).collect();
        assert!(draws.iter().all(|x| (0.0..1.0).contains(x)));
        let mean = draws.iter().sum::<f64>() / 1e5;
        let second = draws.iter().map(|x| x * x).sum::<f64>() / 1e5;
        // Five standard errors: sqrt(1/12) and sqrt(4/45) over sqrt(1e5).
        assert!((mean - 1.0 / 2.0).abs() < 0.0046, "{mean}");
        assert!((second - 1.0 / 3.0).abs() < 0.0048, "{second}");
    }

    #[test]
    fn seeds_depend_on_every_part_and_the_order() {
        let seed = |parts: &[u64]| seed_of(parts.iter().copied());
        assert_ne!(seed(&[1, 2]), seed(&[2, 1]));
        assert_ne!(seed(&[0, 0]), seed(&[0]));
        assert_eq!(seed(&[3, 4, 5]), seed(&[3, 4, 5]));
    }
}
