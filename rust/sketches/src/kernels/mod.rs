//! The loops that every value passes, in a version for each instruction set.
//!
//! A kernel works on a chunk of at most [`CHUNK`] values, so that all of them together stay in the
//! first cache. Loops that LLVM vectorises are written once and compiled once for each instruction
//! set (`versions!`); compressing and making bit masks need intrinsics. Each kernel has a list
//! `available()` of what this CPU can run, fastest first: dispatch takes its first entry, the tests
//! run all of them against the scalar one, and [`kernels`] shows it, so nothing runs untested.
//!
//! All versions of a kernel give the same bits: those that add floats keep the same lanes, in the
//! same order and without fused multiply-add. A profile does not depend on the CPU it was made on.

mod central;
mod classify;
mod compress;
mod convert;
mod extremes;
mod integers;
mod mask;
mod search;

pub(crate) use central::{CentralSums, central_sums};
pub use classify::{Cleaned, clean};
pub use compress::finite;
pub use convert::{Convert, to_f64};
pub use extremes::{min_max, min_max_i64};
pub use integers::{Compacted, compact_i64};
pub(crate) use search::Edges;

/// Most values of a chunk: 8 KiB of doubles, so that a chunk, its copy and the state of the sketches
/// fit a first cache of 32 KiB.
pub const CHUNK: usize = 1024;

/// Words of validity that a full chunk has.
const WORDS: usize = CHUNK / 64;

/// A word with the lowest `n` bits set.
const fn low_bits(n: usize) -> u64 {
    if n >= 64 { u64::MAX } else { (1 << n) - 1 }
}

/// Gives a loop in plain Rust a version for each instruction set, and `available()`, the list of them.
macro_rules! versions {
    ($visibility:vis $body:ident($($arg:ident: $type:ty),*) -> $out:ty) => {
        /// What this CPU can run, fastest first. Dispatch and test read it, so nothing runs untested.
        $visibility fn available() -> Vec<(&'static str, fn($($type),*) -> $out)> {
            let mut kernels: Vec<(&'static str, fn($($type),*) -> $out)> = vec![];
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
                fn avx512($($arg: $type),*) -> $out {
                    $body($($arg),*)
                }
                #[target_feature(enable = "avx2")]
                fn avx2($($arg: $type),*) -> $out {
                    $body($($arg),*)
                }
                if $crate::kernels::has_avx512() {
                    // SAFETY: every feature it enables was detected.
                    kernels.push(("avx512", |$($arg),*| unsafe { avx512($($arg),*) }));
                }
                if $crate::kernels::has_avx2() {
                    // SAFETY: every feature it enables was detected.
                    kernels.push(("avx2", |$($arg),*| unsafe { avx2($($arg),*) }));
                }
            }
            kernels.push(("scalar", |$($arg),*| $body($($arg),*)));
            kernels
        }
    };
}
use versions;

/// The features that the AVX-512 versions enable, all of them together on every CPU since Skylake-X.
#[cfg(target_arch = "x86_64")]
fn has_avx512() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("popcnt")
}

/// The features that the AVX2 versions enable.
#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt")
}

/// Each kernel with the versions that this CPU can run, fastest first: the first is the one in use.
pub fn kernels() -> Vec<(&'static str, Vec<&'static str>)> {
    vec![
        ("clean", classify::names()),
        ("compress", compress::names()),
        ("mask", mask::names()),
        ("convert", convert::names()),
        ("compact", integers::names()),
        ("min_max", extremes::names()),
        ("moments", central::names()),
        ("bins", search::names()),
    ]
}

/// Names of the versions in a kernel's list.
fn names<F>(available: Vec<(&'static str, F)>) -> Vec<&'static str> {
    available.into_iter().map(|(name, _)| name).collect()
}

/// The CPU features found here, of those that the loops of this crate ask for.
pub fn cpu_features() -> Vec<&'static str> {
    #[cfg(target_arch = "x86_64")]
    let features = [
        ("avx2", is_x86_feature_detected!("avx2")),
        ("popcnt", is_x86_feature_detected!("popcnt")),
        ("bmi1", is_x86_feature_detected!("bmi1")),
        ("bmi2", is_x86_feature_detected!("bmi2")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
        ("avx512bw", is_x86_feature_detected!("avx512bw")),
        ("avx512cd", is_x86_feature_detected!("avx512cd")),
        ("avx512dq", is_x86_feature_detected!("avx512dq")),
        ("avx512vl", is_x86_feature_detected!("avx512vl")),
    ];
    #[cfg(target_arch = "aarch64")]
    let features = [("neon", std::arch::is_aarch64_feature_detected!("neon"))];
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let features: [(&str, bool); 0] = [];
    features.into_iter().filter_map(|(name, found)| found.then_some(name)).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::{collection::vec, num, option, prelude::*, sample::select, test_runner::RngSeed};

    /// The same cases in every run.
    pub(crate) fn fixed() -> ProptestConfig {
        ProptestConfig {
            cases: 150,
            rng_seed: RngSeed::Fixed(9001),
            failure_persistence: None,
            ..Default::default()
        }
    }

    /// Any bits, with ties and special values far more often than chance gives them.
    pub(super) fn number() -> impl Strategy<Value = f64> {
        let special = vec![f64::NAN, -1.0, -0.0, 0.0, 1.0, f64::MAX, f64::NEG_INFINITY, f64::INFINITY];
        prop_oneof![3 => num::f64::ANY, 1 => select(special)]
    }

    /// Any integer, with ties and the ends of the range far more often than chance gives them.
    pub(super) fn integer() -> impl Strategy<Value = i64> {
        prop_oneof![3 => any::<i64>(), 1 => select(vec![i64::MIN, -1, 0, 1, i64::MAX])]
    }

    /// None, or a chunk of bits in words of which many are all set or all clear.
    pub(super) fn validity() -> impl Strategy<Value = Option<Vec<u64>>> {
        let word = prop_oneof![any::<u64>(), Just(0), Just(u64::MAX)];
        option::of(prop_oneof![vec(word, WORDS), Just(vec![u64::MAX; WORDS])])
    }

    #[test]
    fn every_kernel_ends_with_the_scalar_version() {
        eprintln!("cpu features: {}", cpu_features().join(" "));
        for (kernel, versions) in kernels() {
            eprintln!("kernel {kernel}: {}", versions.join(" "));
            assert_eq!(versions.last(), Some(&"scalar"), "{kernel}");
        }
    }
}
