//! The phone against a hub in memory.
