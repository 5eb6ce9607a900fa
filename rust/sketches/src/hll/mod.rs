//! HyperLogLog distinct counts, lg k = 12, readable as Apache DataSketches `HLL_4`.
//!
//! A value becomes a *coupon*: 26 bits of its hash and the number of leading zeros of another part.
//! While there are few distinct coupons they are kept as they are, which counts exactly; beyond
//! that each coupon raises one of 4096 registers. Both states, and the switch between them, depend
//! on the set of coupons alone: whatever the order, the cut or the merge tree, the sketch and its
//! image are the same bit by bit. Hence images carry the out-of-order flag and no HIP estimate,
//! which would depend on the order.
//!
//! - `coupon`: hashing slices into coupons, a kernel for each instruction set
//! - `few`: the set of coupons
//! - `sketch`: the sketch
//! - `estimate`, `table`: estimators and bounds
//! - `image`: bytes

mod coupon;
mod estimate;
mod few;
mod image;
mod sketch;
mod table;

/// log2 of the number of registers.
pub const LG_K: u8 = 12;

pub use coupon::kernels;
pub use sketch::HllSketch;
