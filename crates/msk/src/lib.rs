//! MSK.
