//! Reading bytes from front to back: slices and LEB128 numbers, each in its one shortest form, as automerge reads them.

use super::Refusal;

/// A reading position; every read either advances or is [`Refusal::Garbage`].
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn is_empty(self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn remaining(self) -> usize {
        self.rest.len()
    }

    /// The next `len` bytes; `len` may be any number somebody claims.
    pub(super) fn take(&mut self, len: u64) -> Result<&'a [u8], Refusal> {
        let len = usize::try_from(len).map_err(|_| Refusal::Garbage)?;
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(Refusal::Garbage)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn take_array<const N: usize>(&mut self) -> Result<[u8; N], Refusal> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(Refusal::Garbage)?;
        self.rest = rest;
        Ok(*taken)
    }

    fn byte(&mut self) -> Result<u8, Refusal> {
        let (&byte, rest) = self.rest.split_first().ok_or(Refusal::Garbage)?;
        self.rest = rest;
        Ok(byte)
    }

    /// An unsigned number.
    pub(super) fn uleb(&mut self) -> Result<u64, Refusal> {
        let mut value = 0_u64;
        let mut shift = 0;
        loop {
            let byte = self.byte()?;
            // The tenth byte holds the 64th bit and nothing else.
            if shift == 63 && byte > 1 {
                return Err(Refusal::Garbage);
            }
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                let overlong = byte == 0 && shift > 0;
                return if overlong { Err(Refusal::Garbage) } else { Ok(value) };
            }
            shift += 7;
        }
    }

    /// A signed number.
    pub(super) fn sleb(&mut self) -> Result<i64, Refusal> {
        let mut value = 0_i64;
        let mut shift = 0;
        let mut previous = 0;
        loop {
            let byte = self.byte()?;
            // The tenth byte holds the sign and nothing else.
            if shift == 63 && byte != 0 && byte != 0x7F {
                return Err(Refusal::Garbage);
            }
            value |= i64::from(byte & 0x7F) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                let repeats_the_sign = (byte == 0 && previous & 0x40 == 0) || (byte == 0x7F && previous & 0x40 != 0);
                if shift > 7 && repeats_the_sign {
                    return Err(Refusal::Garbage);
                }
                if shift < 64 && byte & 0x40 != 0 {
                    value |= -1 << shift;
                }
                return Ok(value);
            }
            previous = byte;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole<'a, T>(bytes: &'a [u8], read: impl Fn(&mut Cursor<'a>) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let mut cursor = Cursor::new(bytes);
        let value = read(&mut cursor)?;
        if cursor.is_empty() { Ok(value) } else { Err(Refusal::TrailingBytes) }
    }

    #[test]
    fn numbers_are_read_to_their_ends() {
        for (bytes, value) in [(&[0][..], 0), (&[0x7F], 127), (&[0x80, 1], 128), (&[0xFF, 0x7F], 16_383)] {
            assert_eq!(whole(bytes, Cursor::uleb), Ok(value));
        }
        let most = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1];
        assert_eq!(whole(&most, Cursor::uleb), Ok(u64::MAX));

        for (bytes, value) in [(&[0][..], 0), (&[0x7F], -1), (&[0x40], -64), (&[0x80, 1], 128), (&[0x80, 0x40], -8192)]
        {
            assert_eq!(whole(bytes, Cursor::sleb), Ok(value));
        }
        let most = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0];
        assert_eq!(whole(&most, Cursor::sleb), Ok(i64::MAX));
        let least = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7F];
        assert_eq!(whole(&least, Cursor::sleb), Ok(i64::MIN));
    }

    #[test]
    fn a_number_has_one_form() {
        for bytes in [&[][..], &[0x80], &[0x81, 0], &[0x81; 12], &[129, 129, 129, 129, 129, 129, 129, 129, 129, 2]] {
            assert_eq!(whole(bytes, Cursor::uleb), Err(Refusal::Garbage), "{bytes:?}");
        }
        for bytes in [&[][..], &[0x90], &[0xBF, 0], &[0x81, 0xFF, 0x7F], &[0x81; 12]] {
            assert_eq!(whole(bytes, Cursor::sleb), Err(Refusal::Garbage), "{bytes:?}");
        }
    }
}
