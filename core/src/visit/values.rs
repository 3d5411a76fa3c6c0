//! The values of a visit as they are read back from its document: what a view shows and an edit form begins with.

use crate::id::{MemberId, SeriesId, SiteId, SpaceId, TypeId, VisitId};
use crate::schedule::Schedule;

use super::carried::{ImportRow, Language, Occurrence};
use super::{Key, full_name};

/// A value of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// A string.
    Text(&'a str),
    /// The boolean `true`.
    True,
}

/// The values of a visit; what is absent in the document is absent here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the value of the key its name says; see `docs/protocol.md`")]
pub struct VisitValues {
    pub id: Option<VisitId>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub company: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub pacs_id: Option<String>,
    pub site: Option<SiteId>,
    pub space: Option<SpaceId>,
    pub visitor_type: Option<TypeId>,
    pub host: Option<MemberId>,
    pub schedule: Option<Schedule>,
    pub message: Option<String>,
    pub reason: Option<String>,
    pub cancelled: bool,
    pub deleted: bool,
    pub previous: Option<VisitId>,
    pub booking: Option<String>,
    pub source: Option<String>,
    pub language: Option<Language>,
    pub series: Option<SeriesId>,
    pub occurrence: Option<Occurrence>,
    pub tour: bool,
    pub import: Option<ImportRow>,
    /// Keys whose value is not of the key's form: absent above. The hub accepts no such change; a phone that meets one
    /// (written by a later version) still shows the rest of the visit.
    pub unreadable: Vec<Key>,
}

impl VisitValues {
    /// Reads the pairs of a document's root map. Of two pairs with one key the later counts.
    ///
    /// ```
    /// use vestibule_core::visit::{Key, Value, VisitValues};
    /// let pairs = [(Key::FirstName, Value::Text("Ada")), (Key::Site, Value::Text("zrh")), (Key::Cancelled, Value::True)];
    /// let values = VisitValues::from_pairs(pairs);
    /// assert_eq!(values.display_name(), "Ada");
    /// assert!(values.cancelled && values.unreadable.is_empty());
    /// ```
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (Key, Value<'a>)>) -> Self {
        let mut values = Self::default();
        for (key, value) in pairs {
            let read = match value {
                Value::Text(text) => values.read_text(key, text),
                Value::True => values.read_flag(key),
            };
            values.unreadable.retain(|&unreadable| unreadable != key);
            if read.is_none() {
                values.unreadable.push(key);
            }
        }
        values
    }

    fn read_text(&mut self, key: Key, text: &str) -> Option<()> {
        fn put<T: std::str::FromStr>(slot: &mut Option<T>, text: &str) -> Option<()> {
            *slot = text.parse().ok();
            slot.as_ref().map(|_| ())
        }
        match key {
            Key::Id => put(&mut self.id, text),
            Key::FirstName => put(&mut self.first_name, text),
            Key::LastName => put(&mut self.last_name, text),
            Key::Company => put(&mut self.company, text),
            Key::Email => put(&mut self.email, text),
            Key::Phone => put(&mut self.phone, text),
            Key::PacsId => put(&mut self.pacs_id, text),
            Key::Site => put(&mut self.site, text),
            Key::Space => put(&mut self.space, text),
            Key::Type => put(&mut self.visitor_type, text),
            Key::Host => put(&mut self.host, text),
            Key::Schedule => put(&mut self.schedule, text),
            Key::Message => put(&mut self.message, text),
            Key::Reason => put(&mut self.reason, text),
            Key::Previous => put(&mut self.previous, text),
            Key::Booking => put(&mut self.booking, text),
            Key::Source => put(&mut self.source, text),
            Key::Language => put(&mut self.language, text),
            Key::Series => put(&mut self.series, text),
            Key::Occurrence => put(&mut self.occurrence, text),
            Key::Import => put(&mut self.import, text),
            Key::Cancelled | Key::Deleted | Key::Tour => None,
        }
    }

    fn read_flag(&mut self, key: Key) -> Option<()> {
        match key {
            Key::Cancelled => self.cancelled = true,
            Key::Deleted => self.deleted = true,
            Key::Tour => self.tour = true,
            _ => return None,
        }
        Some(())
    }

    /// The value of a key as the document holds it; none for the flags, which are booleans.
    pub fn text(&self, key: Key) -> Option<String> {
        fn say<T: ToString>(value: Option<&T>) -> Option<String> {
            value.map(T::to_string)
        }
        match key {
            Key::Id => say(self.id.as_ref()),
            Key::FirstName => self.first_name.clone(),
            Key::LastName => self.last_name.clone(),
            Key::Company => self.company.clone(),
            Key::Email => self.email.clone(),
            Key::Phone => self.phone.clone(),
            Key::PacsId => self.pacs_id.clone(),
            Key::Site => say(self.site.as_ref()),
            Key::Space => say(self.space.as_ref()),
            Key::Type => say(self.visitor_type.as_ref()),
            Key::Host => say(self.host.as_ref()),
            Key::Schedule => say(self.schedule.as_ref()),
            Key::Message => self.message.clone(),
            Key::Reason => self.reason.clone(),
            Key::Previous => say(self.previous.as_ref()),
            Key::Booking => self.booking.clone(),
            Key::Source => self.source.clone(),
            Key::Language => say(self.language.as_ref()),
            Key::Series => say(self.series.as_ref()),
            Key::Occurrence => say(self.occurrence.as_ref()),
            Key::Import => say(self.import.as_ref()),
            Key::Cancelled | Key::Deleted | Key::Tour => None,
        }
    }

    /// The value of a flag; false for a key that is none.
    pub fn flag(&self, key: Key) -> bool {
        match key {
            Key::Cancelled => self.cancelled,
            Key::Deleted => self.deleted,
            Key::Tour => self.tour,
            _ => false,
        }
    }

    /// The visitor's name ([`full_name`]); empty if there is none.
    pub fn display_name(&self) -> String {
        full_name(self.first_name.as_deref(), self.last_name.as_deref())
    }
}

/// The keys whose values differ, in the order of [`Key::ALL`].
pub fn differences(old: &VisitValues, new: &VisitValues) -> Vec<Key> {
    let differs = |key: &Key| old.text(*key) != new.text(*key) || old.flag(*key) != new.flag(*key);
    Key::ALL.into_iter().filter(differs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Vec<(Key, &'static str)> {
        Key::ALL
            .into_iter()
            .filter(|key| !key.is_flag())
            .map(|key| match key {
                Key::Id | Key::Previous | Key::Series => (key, "0190f3c8-0000-7000-8000-000000000001"),
                Key::Schedule => (key, "2027-10-31T02:30*/2027-10-31T09:00"),
                Key::Language => (key, "de-CH"),
                Key::Occurrence => (key, "2027-10-31"),
                Key::Import => (key, "0190f3c8-0000-7000-8000-000000000001/17"),
                _ => (key, "zrh"),
            })
            .collect()
    }

    /// Every key is read, and says again what it was.
    #[test]
    fn every_key_survives() {
        let pairs = full();
        let values = VisitValues::from_pairs(pairs.iter().map(|&(key, text)| (key, Value::Text(text))));
        assert_eq!(values.unreadable, []);
        for (key, text) in pairs {
            assert_eq!(values.text(key).as_deref(), Some(text), "{key}");
        }
        let flags = VisitValues::from_pairs([(Key::Cancelled, Value::True), (Key::Deleted, Value::True)]);
        assert!(flags.flag(Key::Cancelled) && flags.flag(Key::Deleted));
    }

    /// A value that cannot be read is named, and leaves the rest as it is.
    #[test]
    fn an_unreadable_value_is_named() {
        let pairs = [
            (Key::Site, Value::Text("Z R H")),
            (Key::Company, Value::Text("Acme")),
            (Key::Deleted, Value::Text("true")),
            (Key::Email, Value::True),
        ];
        let values = VisitValues::from_pairs(pairs);
        assert_eq!(values.unreadable, [Key::Site, Key::Deleted, Key::Email]);
        assert_eq!(values.company.as_deref(), Some("Acme"));
    }

    #[test]
    fn differences_are_per_key() {
        let all = VisitValues::from_pairs(full().into_iter().map(|(key, text)| (key, Value::Text(text))));
        for key in Key::ALL {
            let mut pairs: Vec<_> = full().into_iter().map(|(key, text)| (key, Value::Text(text))).collect();
            pairs.retain(|&(other, _)| other != key);
            if key.is_flag() {
                pairs.push((key, Value::True));
            }
            assert_eq!(differences(&all, &VisitValues::from_pairs(pairs)), [key]);
        }
        assert_eq!(differences(&all, &all), []);
    }

    /// S1.11: either name alone is a name.
    #[test]
    fn the_name_is_what_was_typed() {
        let name = |pairs: &[(Key, Value<'_>)]| VisitValues::from_pairs(pairs.iter().copied()).display_name();
        assert_eq!(name(&[(Key::FirstName, Value::Text("Ada")), (Key::LastName, Value::Text("King"))]), "Ada King");
        assert_eq!(name(&[(Key::LastName, Value::Text("King"))]), "King");
        assert_eq!(name(&[]), "");
    }
}
