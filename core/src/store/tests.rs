//! The store on its own.

use zeroize::Zeroizing;

use super::StoreKey;

pub(super) fn key(n: u8) -> StoreKey {
    StoreKey::new(Zeroizing::new([n; 48]))
}

pub(super) fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}
