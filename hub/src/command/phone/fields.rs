//! The fields of the form, on the command line.

use clap::Args;
use vestibule_core::visit::VisitDraft;

/// The form. On an edit, only what is given changes, and an empty text clears.
#[derive(Debug, Default, Args)]
pub struct Fields {
    /// First name; either name alone is enough.
    #[arg(long)]
    first: Option<String>,
    /// Last name.
    #[arg(long)]
    last: Option<String>,
    /// The visitor's e-mail address.
    #[arg(long)]
    email: Option<String>,
    /// Company.
    #[arg(long)]
    company: Option<String>,
    /// Phone number.
    #[arg(long)]
    phone: Option<String>,
    /// The visitor's number in the physical access control system.
    #[arg(long)]
    pacs_id: Option<String>,
    /// The site's id or name.
    #[arg(long)]
    site: Option<String>,
    /// The space's id or name.
    #[arg(long)]
    space: Option<String>,
    /// The visitor type's id or name.
    #[arg(long, value_name = "TYPE")]
    r#type: Option<String>,
    /// The host's name, e-mail address or id; yourself without it.
    #[arg(long)]
    host: Option<String>,
    /// The day, YYYY-MM-DD, in the site's time.
    #[arg(long)]
    date: Option<String>,
    /// The start, HH:MM or "YYYY-MM-DD HH:MM"; without an end, the arrival.
    #[arg(long)]
    start: Option<String>,
    /// The end, in the same forms.
    #[arg(long)]
    end: Option<String>,
    /// The reason of the visit.
    #[arg(long)]
    reason: Option<String>,
    /// A message to the visitor.
    #[arg(long)]
    message: Option<String>,
}

impl Fields {
    /// The draft with the given fields in place of its own.
    pub fn over(self, draft: VisitDraft) -> VisitDraft {
        // A new day or start keeps the rest of the time only if it was given in parts as well.
        let over = |given: Option<String>, old: Option<String>| given.or(old).filter(|text| !text.is_empty());
        VisitDraft {
            first_name: over(self.first, draft.first_name),
            last_name: over(self.last, draft.last_name),
            email: over(self.email, draft.email),
            company: over(self.company, draft.company),
            phone: over(self.phone, draft.phone),
            pacs_id: over(self.pacs_id, draft.pacs_id),
            site: over(self.site, draft.site),
            space: over(self.space, draft.space),
            visitor_type: over(self.r#type, draft.visitor_type),
            host: over(self.host, draft.host),
            date: over(self.date, draft.date),
            start: over(self.start, draft.start),
            end: over(self.end, draft.end),
            reason: over(self.reason, draft.reason),
            message: over(self.message, draft.message),
            ..draft
        }
    }
}
