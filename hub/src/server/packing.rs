//! Answers packed with zstd.
//!
//! A context for packing holds large tables, which have to be allocated and cleared. So each thread
//! that packs keeps its own.

use std::cell::RefCell;

use zstd::bulk::Compressor;

thread_local! {
    static PACKER: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
}

/// The bytes as one zstd frame; none if that is not smaller.
pub fn packed(plain: &[u8]) -> Option<Vec<u8>> {
    PACKER.with_borrow_mut(|packer| {
        if packer.is_none() {
            *packer = Compressor::new(zstd::DEFAULT_COMPRESSION_LEVEL).ok();
        }
        packer.as_mut()?.compress(plain).ok().filter(|small| small.len() < plain.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One context serves answer after answer, and no byte of one gets into the next.
    #[test]
    fn what_is_packed_comes_out_again() {
        for size in [0, 1, 300, 100_000, 40] {
            let plain = vec![b'v'; size];
            match packed(&plain) {
                Some(small) => assert_eq!(zstd::decode_all(small.as_slice()).expect("a frame"), plain),
                None => assert!(size < 40, "{size} bytes that are all the same become smaller"),
            }
        }
    }
}
