//! Keys and how they are named.

pub mod thumbprint;
