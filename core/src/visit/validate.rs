//! Checking a draft: every field is looked at, every problem is reported, and nothing is guessed.
//!
//! Text is kept as typed, but for line ends and tabs; addresses, numbers, ids, dates and times are first made plain
//! ([`crate::text::structured`]). A reference is found by id, else by name. The hub runs the same check again, on its own directory and clock.

use std::fmt::Display;

use chrono::{DateTime, TimeDelta, Utc};

use crate::address::EmailAddress;
use crate::directory::{Directory, PrivacyMode};
use crate::id::{MemberId, SiteId, SpaceId, TypeId};
use crate::problem::{Field, FieldProblem};
use crate::schedule::{Bound, Instants, MAX_DAYS, Schedule, ScheduleError};
use crate::text::{compare_key, first_refused, is_blank};
use crate::zone::Zone;

use super::form::{Times, is_phone_number};
use super::{Key, ValidDraft, VisitDraft, VisitValues, code};

/// The longest note, in characters.
pub const NOTE_MAX_CHARS: usize = 2_000;

/// Checks the draft of a new visit that `me` makes at `now`.
///
/// ```
/// use vestibule_core::directory::Directory;
/// use vestibule_core::visit::{VisitDraft, code, validate};
///
/// let draft = VisitDraft { first_name: Some("Ada".into()), email: Some("ada".into()), ..VisitDraft::default() };
/// let now = "2027-02-10T12:00:00Z".parse().expect("a time");
/// let problems = validate(&draft, &Directory::default(), &"me".parse()?, now).expect_err("not whole");
/// let email = &problems[0];
/// assert_eq!((email.field.as_str(), email.code), ("email", code::MALFORMED));
/// # Ok::<(), vestibule_core::id::IdError>(())
/// ```
///
/// # Errors
/// Every problem the draft has, in the order of the form (S1.26); the codes are in [`code`].
pub fn validate(
    draft: &VisitDraft,
    directory: &Directory,
    me: &MemberId,
    now: DateTime<Utc>,
) -> Result<ValidDraft, Vec<FieldProblem>> {
    Check { draft: &draft.as_meant(), directory, me, now, existing: None, problems: Vec::new() }.run()
}

/// Checks the draft of an edit. What is as it was is no problem, though it would be in a new visit: a schedule that has
/// begun or passed, a host one may not name, a site that is no longer in the directory. An empty host is the old one.
///
/// # Errors
/// As [`validate`].
pub fn validate_edit(
    existing: &VisitValues,
    draft: &VisitDraft,
    directory: &Directory,
    me: &MemberId,
    now: DateTime<Utc>,
) -> Result<ValidDraft, Vec<FieldProblem>> {
    Check { draft: &draft.as_meant(), directory, me, now, existing: Some(existing), problems: Vec::new() }.run()
}

struct Check<'a> {
    draft: &'a VisitDraft,
    directory: &'a Directory,
    me: &'a MemberId,
    now: DateTime<Utc>,
    existing: Option<&'a VisitValues>,
    problems: Vec<FieldProblem>,
}

/// What a name or id led to.
#[derive(Clone, Copy)]
enum Found<T> {
    One(T),
    Many,
    Nothing,
}

impl Check<'_> {
    fn run(mut self) -> Result<ValidDraft, Vec<FieldProblem>> {
        let draft = self.draft;
        let key_text = |check: &mut Self, field, key: Key, typed: &Option<String>| {
            check.text(field, typed.as_deref(), key.max_chars(), key.is_multiline())
        };
        let first_name = key_text(&mut self, Field::FirstName, Key::FirstName, &draft.first_name);
        let last_name = key_text(&mut self, Field::LastName, Key::LastName, &draft.last_name);
        if first_name.is_none() && last_name.is_none() {
            self.problem(Field::Name, code::REQUIRED, "Enter a first name, a last name, or both.");
        }
        let email = self.email();
        let company = key_text(&mut self, Field::Company, Key::Company, &draft.company);
        let phone = self.phone();
        let pacs_id = key_text(&mut self, Field::PacsId, Key::PacsId, &draft.pacs_id);
        let site = self.site();
        let space = self.space(site.as_ref());
        let visitor_type = self.visitor_type();
        let host = self.host();
        let (schedule, instants) = self.schedule(site.as_ref());
        let reason = key_text(&mut self, Field::Reason, Key::Reason, &draft.reason);
        let message = key_text(&mut self, Field::Message, Key::Message, &draft.message);
        let note = self.text(Field::Note, draft.note.as_deref(), NOTE_MAX_CHARS, true);
        match (site, host) {
            (Some(site), Some(host)) if self.problems.is_empty() => {
                let values = VisitValues {
                    first_name,
                    last_name,
                    company,
                    email,
                    phone,
                    pacs_id,
                    site: Some(site.clone()),
                    space,
                    visitor_type,
                    host: Some(host.clone()),
                    schedule,
                    message,
                    reason,
                    ..VisitValues::default()
                };
                Ok(ValidDraft { values, site, host, note, instants })
            }
            _ => Err(self.problems),
        }
    }

    fn problem(&mut self, field: Field, code: &'static str, message: impl Into<String>) {
        self.problems.push(FieldProblem::new(field, code, message));
    }

    /// A text as typed, if there is anything to see in it. It is returned even where it has a problem, so that no
    /// other check takes it for missing.
    fn text(&mut self, field: Field, typed: Option<&str>, max: usize, multiline: bool) -> Option<String> {
        let text = typed.filter(|text| !text.is_empty())?;
        let chars = text.chars().count();
        if chars > max {
            self.problem(field, code::TOO_LONG, format!("Shorten this to {max} characters; it has {chars}."));
        }
        if let Some(place) = first_refused(text, multiline) {
            let message = format!("Remove the control or direction character at position {}.", place + 1);
            self.problem(field, code::FORBIDDEN_CHARACTER, message);
        } else if is_blank(text) {
            return None;
        }
        Some(text.to_owned())
    }

    /// A structured text, and whether it may be checked for its form.
    fn structured(&mut self, field: Field, key: Key, typed: Option<&str>) -> Option<(String, bool)> {
        let before = self.problems.len();
        let text = self.text(field, typed, key.max_chars(), false)?;
        Some((text, self.problems.len() == before))
    }

    fn email(&mut self) -> Option<String> {
        let email = self.structured(Field::Email, Key::Email, self.draft.email.as_deref());
        match &email {
            Some((text, true)) => {
                if let Err(error) = EmailAddress::parse(text) {
                    self.problem(Field::Email, code::MALFORMED, error.to_string());
                }
            }
            None if self.directory.privacy() == PrivacyMode::Private => {
                self.problem(Field::Email, code::REQUIRED, "Enter the visitor's email address: the PIN is sent there.");
            }
            _ => {}
        }
        email.map(|(text, _)| text)
    }

    fn phone(&mut self) -> Option<String> {
        let (text, clean) = self.structured(Field::Phone, Key::Phone, self.draft.phone.as_deref())?;
        if clean && !is_phone_number(&text) {
            let message = "Enter a phone number with 4 to 15 digits; a + before it and an extension after it are fine.";
            self.problem(Field::Phone, code::MALFORMED, message);
        }
        Some(text)
    }

    fn site(&mut self) -> Option<SiteId> {
        let Some(typed) = given(self.draft.site.as_deref()) else {
            self.problem(Field::Site, code::REQUIRED, "Choose the site the visitor is coming to.");
            return None;
        };
        if let Some(held) = unchanged(self.existing.and_then(|old| old.site.as_ref()), typed) {
            return Some(held);
        }
        let found = find(typed, self.directory.sites().map(|site| (&site.id, site.name.as_str())));
        self.one(Field::Site, found, "site")
    }

    fn space(&mut self, site: Option<&SiteId>) -> Option<SpaceId> {
        let typed = given(self.draft.space.as_deref())?;
        let old = self.existing.filter(|old| old.site.as_ref() == site).and_then(|old| old.space.as_ref());
        if let Some(held) = unchanged(old, typed) {
            return Some(held);
        }
        let anywhere = find(typed, self.directory.spaces().map(|space| (&space.id, space.name.as_str())));
        let Some(site) = site else {
            // Without a site only a space that is nowhere is certainly wrong.
            if matches!(anywhere, Found::Nothing) {
                self.one(Field::Space, anywhere, "space");
            }
            return None;
        };
        let here = find(typed, self.directory.spaces_of(site).map(|space| (&space.id, space.name.as_str())));
        if matches!(here, Found::Nothing) && !matches!(anywhere, Found::Nothing) {
            self.problem(
                Field::Space,
                code::WRONG_SITE,
                "This space is at another site; choose one at the visit's site.",
            );
            return None;
        }
        self.one(Field::Space, here, "space")
    }

    fn visitor_type(&mut self) -> Option<TypeId> {
        let typed = given(self.draft.visitor_type.as_deref())?;
        if let Some(held) = unchanged(self.existing.and_then(|old| old.visitor_type.as_ref()), typed) {
            return Some(held);
        }
        let found = find(typed, self.directory.visitor_types().map(|kind| (&kind.id, kind.name.as_str())));
        self.one(Field::VisitorType, found, "visitor type")
    }

    fn host(&mut self) -> Option<MemberId> {
        let old = self.existing.and_then(|old| old.host.as_ref());
        if self.existing.is_none() && !self.directory.may_add_visitors(self.me) {
            let message = "You don't have permission to invite visitors; ask an administrator for it.";
            self.problem(Field::Host, code::NOT_PERMITTED, message);
            return None;
        }
        let Some(typed) = given(self.draft.host.as_deref()) else {
            return Some(old.unwrap_or(self.me).clone());
        };
        if let Some(held) = unchanged(old, typed).or_else(|| unchanged(Some(self.me), typed)) {
            return Some(held);
        }
        let found = match self.directory.find_members(typed).as_slice() {
            [] => Found::Nothing,
            [member] => Found::One(&member.id),
            _ => Found::Many,
        };
        let host = self.one(Field::Host, found, "member")?;
        if old != Some(&host) && !self.directory.may_name_host(self.me, &host) {
            let message = "You can't invite on this person's behalf; leave the host empty to host the visit yourself.";
            self.problem(Field::Host, code::NOT_PERMITTED, message);
            return None;
        }
        Some(host)
    }

    fn one<I: Clone>(&mut self, field: Field, found: Found<&I>, what: &str) -> Option<I> {
        match found {
            Found::One(id) => return Some(id.clone()),
            Found::Many if field == Field::Host => {
                let message = "Several members match; enter the host's email address or member ID.";
                self.problem(field, code::AMBIGUOUS, message);
            }
            Found::Many => {
                self.problem(field, code::AMBIGUOUS, format!("Several {what}s match; enter the ID instead."));
            }
            Found::Nothing => {
                self.problem(field, code::UNKNOWN, format!("No {what} matches this; choose one from the list."));
            }
        }
        None
    }

    fn schedule(&mut self, site: Option<&SiteId>) -> (Option<Schedule>, Option<Instants>) {
        let Some(schedule) = Times::of(self.draft).read(&mut self.problems) else { return (None, None) };
        let directory = self.directory;
        let zone = site.and_then(|id| directory.site(id)).map(|site| &site.zone);
        if self.existing.is_some_and(|old| old.schedule == Some(schedule) && old.site.as_ref() == site) {
            return (Some(schedule), zone.and_then(|zone| schedule.resolve(zone).ok()));
        }
        let Some(zone) = zone else {
            // The site has a problem of its own, or is an old one that is gone; what is wrong in any zone still is.
            match schedule.resolve(&Zone::utc()) {
                Err(error) => self.schedule_problem(error),
                Ok(_) if site.is_some() => {
                    self.problem(Field::Site, code::UNKNOWN, "No site matches this; choose one from the list.");
                }
                Ok(_) => {}
            }
            return (None, None);
        };
        let schedule = schedule.canonical(zone);
        let missing = |time: Option<crate::schedule::CivilTime>| time.is_some_and(|time| time.instant(zone).is_none());
        if missing(Some(schedule.start())) && missing(schedule.end()) {
            self.schedule_problem(ScheduleError::NoSuchTime(Bound::End));
        }
        match schedule.resolve(zone) {
            Ok(instants) => {
                self.not_past(&instants);
                (Some(schedule), Some(instants))
            }
            Err(error) => {
                self.schedule_problem(error);
                (None, None)
            }
        }
    }

    fn schedule_problem(&mut self, error: ScheduleError) {
        let (field, code, message) = match error {
            ScheduleError::NoSuchTime(bound) => (
                if bound == Bound::Start { Field::Start } else { Field::End },
                code::NO_SUCH_TIME,
                "The site's clocks skip this time that night; choose an hour earlier or later.".to_owned(),
            ),
            ScheduleError::EndBeforeStart => (
                Field::End,
                code::END_BEFORE_START,
                "Choose an end after the start; for an end on another day, add its date.".to_owned(),
            ),
            ScheduleError::TooLong => {
                (Field::End, code::VISIT_TOO_LONG, format!("Choose an end within {MAX_DAYS} days of the start."))
            }
            ScheduleError::Malformed => (Field::Start, code::MALFORMED, "Enter a time like 09:30.".to_owned()),
        };
        self.problem(field, code, message);
    }

    /// An arrival is over when the time the organisation waits has passed.
    fn not_past(&mut self, instants: &Instants) {
        let wait = self.directory.organisation().map_or(0, |organisation| organisation.arrival_minutes);
        let (field, over) = match instants.end {
            Some(end) => (Field::End, end),
            None => (Field::Start, instants.start + TimeDelta::minutes(i64::from(wait))),
        };
        if over < self.now {
            self.problem(field, code::PAST, "This time has passed; choose a later one.");
        }
    }
}

/// A reference or time that was given, without the white space around it.
pub(super) fn given(typed: Option<&str>) -> Option<&str> {
    typed.filter(|text| !is_blank(text)).map(str::trim)
}

fn unchanged<I: Clone + Display>(held: Option<&I>, typed: &str) -> Option<I> {
    held.filter(|held| held.to_string() == typed).cloned()
}

/// What is meant by `typed`: the candidate of that id, else the one of that name.
fn find<'d, I: Display>(typed: &str, candidates: impl Iterator<Item = (&'d I, &'d str)>) -> Found<&'d I> {
    let candidates: Vec<_> = candidates.collect();
    if let Some((id, _)) = candidates.iter().find(|(id, _)| id.to_string() == typed) {
        return Found::One(id);
    }
    let wanted = compare_key(typed);
    let mut named = Found::Nothing;
    for (id, name) in candidates {
        if compare_key(name) == wanted {
            named = if matches!(named, Found::Nothing) { Found::One(id) } else { Found::Many };
        }
    }
    named
}
