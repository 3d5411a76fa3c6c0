//! The codes of [`FieldProblem`](crate::problem::FieldProblem)s of a draft. A code is stable: shells word their own
//! messages by it, and it is never renamed.

/// The field is mandatory and empty: a name, the site, the e-mail address in private mode, the date or start of a time.
pub const REQUIRED: &str = "required";
/// The value has more characters than its key allows.
pub const TOO_LONG: &str = "too_long";
/// The value holds a control character, a bidirectional override or a noncharacter.
pub const FORBIDDEN_CHARACTER: &str = "forbidden_character";
/// The value is not of the field's form: an e-mail address, a phone number, a date, a time.
pub const MALFORMED: &str = "malformed";
/// The directory has nothing by that id or name.
pub const UNKNOWN: &str = "unknown";
/// The directory has several by that name or address: give the id, or for a host the e-mail address.
pub const AMBIGUOUS: &str = "ambiguous";
/// The space is in another site.
pub const WRONG_SITE: &str = "wrong_site";
/// This member may not invite visitors at all, or not for that host.
pub const NOT_PERMITTED: &str = "not_permitted";
/// The clocks of the site are put forward over this time.
pub const NO_SUCH_TIME: &str = "no_such_time";
/// The end is not after the start.
pub const END_BEFORE_START: &str = "end_before_start";
/// More than [`MAX_DAYS`](crate::schedule::MAX_DAYS) days lie between start and end.
pub const VISIT_TOO_LONG: &str = "visit_too_long";
/// The visit would be over already.
pub const PAST: &str = "past";
/// The start carries a date of its own that is not the one in the date field.
pub const DATE_MISMATCH: &str = "date_mismatch";

/// Every code.
pub const ALL: [&str; 13] = [
    REQUIRED,
    TOO_LONG,
    FORBIDDEN_CHARACTER,
    MALFORMED,
    UNKNOWN,
    AMBIGUOUS,
    WRONG_SITE,
    NOT_PERMITTED,
    NO_SUCH_TIME,
    END_BEFORE_START,
    VISIT_TOO_LONG,
    PAST,
    DATE_MISMATCH,
];
