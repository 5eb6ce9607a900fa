//! Drift statistics: pure functions of counts and distribution functions. No I/O.
