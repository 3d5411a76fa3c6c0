//! Where a visit stands. Status is computed, from the document and the decision log, and stored nowhere: a stored field
//! is one that two writers race for. Here are only the names, and which list of a phone shows which.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};

/// A status that is none; completes "failed to read the status: …".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such {0}")]
pub struct NameError(&'static str);

macro_rules! names {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$vdoc])* $variant,)*
        }

        impl $name {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name in every language and format.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }

        impl FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::ALL.iter().copied().find(|it| it.as_str() == text).ok_or(NameError($what))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

names! {
    /// Where a visit stands.
    Status, "status" {
        /// Made on this phone, and not yet at the hub; never shown as invited.
        Queued = "queued",
        /// Accepted by the hub, and waiting for an approval; the guest has heard nothing (S2.14, S2.15).
        Pending = "pending",
        /// Approved or in need of no approval: the guest is invited.
        Upcoming = "upcoming",
        /// Arrived and not left.
        OnSite = "on_site",
        /// Left.
        Departed = "departed",
        /// An approver said no; only the host is told (S2.26, S2.28).
        Rejected = "rejected",
        /// The hub did not accept it; kept as a draft with the reason.
        Refused = "refused",
        /// Called off by its host, with its booking, or by deletion before use.
        Cancelled = "cancelled",
        /// Its window passed and nobody came.
        NoShow = "no_show",
        /// Its window passed before it was approved, or it had no schedule and its time ran out.
        Expired = "expired",
        /// At the kiosk, waiting for the host's word.
        AwaitingHost = "awaiting_host",
    }
}

names! {
    /// A list a phone shows.
    Tab, "tab" {
        /// Not yet taken by the hub: on its way, or sent back with a reason.
        Queued = "queued",
        /// Waiting for an approver.
        Pending = "pending",
        /// Invited, or at the door (S4.14).
        Upcoming = "upcoming",
        /// In the building.
        OnSite = "on_site",
        /// Over, one way or another; from here a visit is invited again (S4.30).
        Past = "past",
    }
}

impl Status {
    /// The list that shows visits of this status; each is in exactly one.
    pub fn tab(self) -> Tab {
        match self {
            Self::Queued | Self::Refused => Tab::Queued,
            Self::Pending => Tab::Pending,
            Self::Upcoming | Self::AwaitingHost => Tab::Upcoming,
            Self::OnSite => Tab::OnSite,
            Self::Departed | Self::Rejected | Self::Cancelled | Self::NoShow | Self::Expired => Tab::Past,
        }
    }

    /// The list that shows a visit of this status at `now`, where it is over at `over_at`: a phone with no network does
    /// not show a visit of yesterday as upcoming, though only the hub says what became of it. What is not sent yet stays
    /// under Queued.
    ///
    /// ```
    /// use vestibule_core::visit::{Status, Tab};
    ///
    /// let at = |text: &str| text.parse().expect("a time");
    /// let over = Some(at("2027-02-10T10:00:00Z"));
    /// assert_eq!(Status::Upcoming.tab_at(over, at("2027-02-10T09:59:59Z")), Tab::Upcoming);
    /// assert_eq!(Status::Upcoming.tab_at(over, at("2027-02-10T10:00:00Z")), Tab::Past);
    /// ```
    pub fn tab_at(self, over_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Tab {
        match self.tab() {
            Tab::Pending | Tab::Upcoming if over_at.is_some_and(|over| over <= now) => Tab::Past,
            tab => tab,
        }
    }
}

impl Tab {
    /// The statuses the list shows.
    pub fn statuses(self) -> impl Iterator<Item = Status> {
        Status::ALL.iter().copied().filter(move |status| status.tab() == self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S1.5: a status has one name, the same in text and JSON, and is in one list.
    #[test]
    fn names_are_the_same_everywhere() {
        for &status in Status::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
            assert_eq!(serde_json::to_value(status).expect("serialises"), status.as_str());
            assert_eq!(Tab::ALL.iter().filter(|tab| tab.statuses().any(|s| s == status)).count(), 1);
        }
        for &tab in Tab::ALL {
            assert_eq!(tab.as_str().parse(), Ok(tab));
            assert_eq!(serde_json::to_value(tab).expect("serialises"), tab.as_str());
        }
        assert!("invited".parse::<Status>().is_err());
    }

    /// S4.14, S4.30: an invited visitor is under Upcoming, and what is over under Past.
    #[test]
    fn lists() {
        assert_eq!(Status::Upcoming.tab(), Tab::Upcoming);
        assert_eq!(Status::Pending.tab(), Tab::Pending);
        assert!([Status::NoShow, Status::Cancelled, Status::Rejected].iter().all(|s| s.tab() == Tab::Past));
    }
}
