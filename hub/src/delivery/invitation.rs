//! A visit with everything that mails, pages and passes say about it.

use vestibule_core::directory::{Member, Organisation, Site, Space, VisitorType};
use vestibule_core::id::VisitId;
use vestibule_core::schedule::Wording;
use vestibule_core::visit::VisitValues;

use crate::credential::Window;

/// An accepted visit and the directory's rows it names. Notes are not here, so that they come into no mail (S1.19).
#[derive(Debug, Clone)]
pub struct Invitation {
    /// The visit.
    pub visit: VisitId,
    /// Its integer, counted over the whole hub.
    pub number: u64,
    /// The values of its document.
    pub values: VisitValues,
    /// The organisation that invites.
    pub organisation: Organisation,
    /// The site of the visit.
    pub site: Site,
    /// The space within it.
    pub space: Option<Space>,
    /// The visitor type.
    pub visitor_type: Option<VisitorType>,
    /// Who receives the visitor.
    pub host: Member,
    /// The general visitor-security address (S2.9), never in any feed.
    pub security_address: Option<String>,
    /// The visitor type's own address (S2.7), never in any feed.
    pub category_address: Option<String>,
}

impl Invitation {
    /// The schedule in words and in the site's time; `None` without one (S4.11), or where the site's clock skips it.
    pub fn when(&self) -> Option<Wording> {
        self.values.schedule.as_ref()?.describe(&self.site.zone).ok()
    }

    /// From when to when the guest is let in, in words and in the site's time; `None` where [`Self::when`] says it.
    pub fn valid(&self, window: &Window) -> Option<String> {
        window.in_words(self.values.schedule.as_ref(), &self.site.zone)
    }

    /// Where: the site, and the space within it.
    pub fn place(&self) -> String {
        match &self.space {
            Some(space) => format!("{}, {}", self.site.name, space.name),
            None => self.site.name.clone(),
        }
    }

    /// Degrees north and east of the site.
    pub fn coordinates(&self) -> Option<(f64, f64)> {
        let degrees = |millionths: i32| f64::from(millionths) / 1_000_000.0;
        Some((degrees(self.site.latitude?), degrees(self.site.longitude?)))
    }

    /// A link that opens the way to the site in a map (S4.17); `None` if neither place nor address is known.
    pub fn map_link(&self) -> Option<String> {
        let destination = match self.coordinates() {
            Some((latitude, longitude)) => format!("{latitude},{longitude}"),
            None if self.site.address.trim().is_empty() => return None,
            None => format!("{}, {}", self.site.name, self.site.address.replace('\n', ", ")),
        };
        let base = "https://www.google.com/maps/dir/?api=1";
        let link = url::Url::parse_with_params(base, [("destination", destination)]).ok()?;
        Some(link.into())
    }
}
