//! Why a change is refused: a stable code for receipts and logs, and a sentence for people.

use crate::visit::Key;

/// Why a change is not taken; the message completes "the change is refused: …" and holds no personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// The bytes are no change chunk, its checksum is wrong, or its columns contradict each other.
    #[error("these bytes are not a whole automerge change")]
    Garbage,
    /// A chunk of type 2, or a column with the deflate bit.
    #[error("it is compressed; send the uncompressed chunk")]
    Compressed,
    /// Larger than [`MAX_CHANGE_BYTES`](super::MAX_CHANGE_BYTES).
    #[error("it is larger than 16 KB; write less text at once")]
    Oversized,
    /// More than [`MAX_OPERATIONS`](super::MAX_OPERATIONS) by the run lengths of its columns.
    #[error("it claims more than 64 operations")]
    TooManyOperations,
    /// A change that changes nothing.
    #[error("it has no operation")]
    NoOperations,
    /// More than [`MAX_DEPS`](super::MAX_DEPS).
    #[error("it depends on more than 8 changes")]
    TooManyDeps,
    /// Bytes after the chunk.
    #[error("there are bytes after its end")]
    TrailingBytes,
    /// Bytes within the chunk after its columns (automerge puts an author there).
    #[error("it carries extra bytes after its columns")]
    ExtraBytes,
    /// A commit message: what is not a key has no place in the document.
    #[error("it carries a commit message")]
    Message,
    /// An operation elsewhere than at a key of the root map: in a list, a text, a map within, or a mark.
    #[error("an operation is not at a key of the root map")]
    NotRoot,
    /// A key that no version of ours writes, or a newer version's: not taken from a phone. In what the hub has accepted it
    /// is kept.
    #[error("an operation writes a key that is not known here; a newer version may know it")]
    UnknownKey,
    /// Two operations of one key.
    #[error("it writes {key} twice")]
    RepeatedKey {
        /// The key.
        key: Key,
    },
    /// Two operations of one key that is not known here.
    #[error("it writes a key twice that is not known here")]
    RepeatedLaterKey,
    /// An operation other than setting a scalar or deleting one that is there.
    #[error("an operation neither sets a value nor deletes one")]
    BadAction,
    /// A value of the wrong type or form, or an empty text (clearing deletes the key).
    #[error("the value of {key} is of the wrong type or form, or empty")]
    BadValue {
        /// The key.
        key: Key,
    },
    /// A text of more characters than its key allows.
    #[error("the value of {key} is longer than {} characters", key.max_chars())]
    TooLong {
        /// The key.
        key: Key,
    },
    /// A text with a control character, a direction mark or a noncharacter.
    #[error("the value of {key} holds a character that is not allowed")]
    Text {
        /// The key.
        key: Key,
    },
    /// A time before 1970 or after the year 9999.
    #[error("its time is before 1970 or after the year 9999")]
    BadTime,
    /// An actor id that is not 16 bytes, or not the one of the device that signed.
    #[error("its actor does not belong to the device that signed it")]
    Actor,
    /// A dependency is not accepted in this document.
    #[error("it depends on a change that is not accepted in this visit")]
    MissingDep,
    /// The sequence number leaves a gap, or the change does not build on its author's previous one.
    #[error("it does not follow its author's previous change")]
    BadSeq,
    /// Another change has this actor and sequence number: a cloned device, or a fraud.
    #[error("its author has already made another change of this number")]
    SeqReused,
    /// The first operation's counter is not 1 + the largest of the dependencies.
    #[error("its operations are not counted from those it depends on")]
    BadStartOp,
    /// A second change without dependencies.
    #[error("the visit already has a first change")]
    SecondRoot,
    /// The first change does not set `id`.
    #[error("the first change does not set the id")]
    NoId,
    /// The first change sets another `id`.
    #[error("the first change sets the id of another visit")]
    WrongId,
    /// A key that is written once is written again, lowered or deleted.
    #[error("{key} is written once and never again")]
    WrittenOnce {
        /// The key.
        key: Key,
    },
    /// An operation says to replace one that never was a value of that key, or one it does not build on.
    #[error("it replaces a value of {key} that never was accepted there")]
    ForeignPred {
        /// The key.
        key: Key,
    },
    /// The same under a key that is not known here.
    #[error("it replaces a value that never was accepted, of a key that is not known here")]
    ForeignLaterPred,
    /// Accepted history that does not form a chain; a new change of this kind is [`Stale`](super::Verdict::Stale).
    #[error("it replaces a value that was no longer there")]
    Stale,
    /// More than [`MAX_CHANGES`](super::MAX_CHANGES).
    #[error("the visit has had 1,000 changes; invite again to go on")]
    TooManyChanges,
    /// The change is accepted already.
    #[error("it is accepted already")]
    Already,
    /// Encoding what it says again gives other bytes.
    #[error("its encoding is not the one automerge writes")]
    NotCanonical,
    /// automerge refuses it, or fails over it.
    #[error("automerge cannot load the visit with it")]
    DoesNotLoad,
    /// automerge shows other values with it than our rules do.
    #[error("automerge shows other values with it")]
    Differs,
}

impl Refusal {
    /// The stable code of receipts, quarantine and logs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Garbage => "garbage",
            Self::Compressed => "compressed",
            Self::Oversized => "oversized",
            Self::TooManyOperations => "too_many_operations",
            Self::NoOperations => "no_operations",
            Self::TooManyDeps => "too_many_deps",
            Self::TrailingBytes => "trailing_bytes",
            Self::ExtraBytes => "extra_bytes",
            Self::Message => "message",
            Self::NotRoot => "not_root",
            Self::UnknownKey => "unknown_key",
            Self::RepeatedKey { .. } | Self::RepeatedLaterKey => "repeated_key",
            Self::BadAction => "bad_action",
            Self::BadValue { .. } => "bad_value",
            Self::TooLong { .. } => "too_long",
            Self::Text { .. } => "text",
            Self::BadTime => "bad_time",
            Self::Actor => "actor",
            Self::MissingDep => "missing_dep",
            Self::BadSeq => "bad_seq",
            Self::SeqReused => "seq_reused",
            Self::BadStartOp => "bad_start_op",
            Self::SecondRoot => "second_root",
            Self::NoId => "no_id",
            Self::WrongId => "wrong_id",
            Self::WrittenOnce { .. } => "written_once",
            Self::ForeignPred { .. } | Self::ForeignLaterPred => "foreign_pred",
            Self::Stale => "stale",
            Self::TooManyChanges => "too_many_changes",
            Self::Already => "already",
            Self::NotCanonical => "not_canonical",
            Self::DoesNotLoad => "does_not_load",
            Self::Differs => "differs",
        }
    }
}
