//! What this version can read of what a hub sends: which keys, kinds of rows, facts and scopes it knows.
//!
//! A hub may be newer than an app. What a reader does not know it keeps; [`fingerprint`] tells a later one that opens the
//! same file that there may be something to read again.

use crate::decision::LAST_FACT;
use crate::directory;
use crate::feed::RowKind;
use crate::visit::Key;

/// Something a reader knows or does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum What<'a> {
    /// A key of the visit document.
    Key(&'a str),
    /// A kind of feed row.
    Row(u16),
    /// A kind of directory row.
    Directory(u32),
    /// A fact of the decision log.
    Fact(u32),
    /// The first word of a scope's name.
    Scope(&'a str),
}

/// Whether this reader knows it: always, but in a test that makes it an older one.
#[inline]
pub(crate) fn knows(what: What<'_>) -> bool {
    #[cfg(test)]
    if older::lacks(what) {
        return false;
    }
    let _ = what;
    true
}

/// Names what this version reads: another text, and what was kept is worth reading again. It is made of what is known,
/// so that nobody has to think of raising a number.
pub(crate) fn fingerprint() -> String {
    let keys = Key::ALL.into_iter().filter(|key| Key::from_name(key.as_str()).is_some()).count();
    let rows = (0..=u16::from(u8::MAX)).filter(|&number| !matches!(RowKind::from(number), RowKind::Unknown(_))).count();
    let kinds = (0..=u32::from(u8::MAX)).filter(|&tag| directory::RowKind::from_tag(tag).is_some()).count();
    let facts = (0..=LAST_FACT).filter(|&fact| knows(What::Fact(fact))).count();
    let scopes = crate::feed::Scope::WORDS.into_iter().filter(|word| knows(What::Scope(word))).count();
    format!("{} {keys} {rows} {kinds} {facts} {scopes}", env!("CARGO_PKG_VERSION"))
}

/// Makes this thread's reader an older one, for this crate's own tests.
#[cfg(test)]
pub(crate) mod older {
    use std::cell::RefCell;

    use super::What;

    thread_local! {
        static LACKING: RefCell<Vec<What<'static>>> = const { RefCell::new(Vec::new()) };
    }

    pub(super) fn lacks(what: What<'_>) -> bool {
        LACKING.with_borrow(|lacking| lacking.contains(&what))
    }

    /// Until it is dropped, this thread reads like a version that does not know these.
    pub(crate) struct Older(());

    impl Older {
        pub(crate) fn lacking(what: &[What<'static>]) -> Self {
            LACKING.set(what.to_vec());
            Self(())
        }
    }

    impl Drop for Older {
        fn drop(&mut self) {
            LACKING.take();
        }
    }
}
