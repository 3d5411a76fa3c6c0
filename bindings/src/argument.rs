//! Arguments as they come: anything of their type.

use std::fmt::Display;
use std::str::FromStr;

use vestibule_core::store::MAX_PAGE;

use crate::error::{Outcome, VestibuleApiError};

/// The longest text that is looked for.
const MAX_SEARCH_CHARS: usize = 1_000;

pub(crate) fn bad(argument: &str, reason: impl Display) -> VestibuleApiError {
    VestibuleApiError::BadArgument { argument: argument.to_owned(), reason: reason.to_string() }
}

/// An identifier or a cursor that the library gave out as text.
pub(crate) fn read<T: FromStr>(argument: &str, text: &str) -> Outcome<T> {
    text.parse().map_err(|_| bad(argument, "is not what the library gave out"))
}

/// How many rows: 1 to 1,000.
pub(crate) fn rows(argument: &str, wanted: u32) -> Outcome<usize> {
    let rows = usize::try_from(wanted).unwrap_or(usize::MAX);
    if (1..=MAX_PAGE).contains(&rows) {
        Ok(rows)
    } else {
        Err(bad(argument, format_args!("is {wanted}; ask for 1 to {MAX_PAGE} rows")))
    }
}

/// A text to look for.
pub(crate) fn search_text(text: &str) -> Outcome<&str> {
    if text.chars().nth(MAX_SEARCH_CHARS).is_some() {
        return Err(bad("text", format_args!("has more than {MAX_SEARCH_CHARS} characters")));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_have_two_ends() {
        assert_eq!((rows("limit", 1), rows("limit", 1_000)), (Ok(1), Ok(1_000)));
        for wrong in [0, 1_001, u32::MAX] {
            assert!(matches!(rows("limit", wrong), Err(VestibuleApiError::BadArgument { .. })));
        }
        assert!(search_text(&"é".repeat(1_000)).is_ok() && search_text(&"é".repeat(1_001)).is_err());
    }
}
