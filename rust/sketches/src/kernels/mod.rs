//! The loops that every value passes, in a version for each instruction set.
