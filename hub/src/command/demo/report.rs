//! What the demo leaves behind: the mails taken apart as a visitor's mail program would, and `demo.json`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use mail_parser::{MessageParser, MimeHeaders as _};
use serde::Serialize;
use vestibule_core::id::VisitId;
use vestibule_core::wallet::package_read::ReadPass;

use super::super::Failure;
use super::LeftOut;
use super::hub_process::HubProcess;
use super::phones::{Invited, Phones};
use crate::mailbox::{Arrived, Mailbox};

/// How often it is looked whether a mail that has not come will come at all.
const LOOK: Duration = Duration::from_millis(500);

/// The mails that came, by the visit they are about; those to members and security desks stand apart.
#[derive(Default)]
pub struct Mails {
    to_guests: BTreeMap<VisitId, Vec<PathBuf>>,
    count: usize,
    undelivered: Vec<Undelivered>,
}

/// A guest whose mail did not arrive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Undelivered {
    /// The row, counted from 1.
    pub row: usize,
    /// The visit.
    pub id: VisitId,
    /// The visitor's address, as typed.
    pub email: String,
    /// Why, by a stable code: what could not be done, or what became of the mail.
    pub code: String,
}

impl Mails {
    /// How many came.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Guests whose mail did not arrive.
    pub fn undelivered(&self) -> &[Undelivered] {
        &self.undelivered
    }

    /// Waits until every guest of these visits has a mail, or is known to get none; no more than `patience` for the next.
    pub fn wait_for(
        &mut self,
        mailbox: &Mailbox,
        hub: &HubProcess,
        invited: &[&Invited],
        patience: Duration,
    ) -> Result<(), Failure> {
        let mut until = Instant::now() + patience;
        let mut missing = invited.to_vec();
        loop {
            missing.retain(|one| !self.to_guests.contains_key(&one.id));
            if missing.is_empty() {
                break;
            }
            match mailbox.arrivals.recv_timeout(LOOK.min(until.saturating_duration_since(Instant::now()))) {
                Ok(mail) => {
                    self.take(&mail)?;
                    until = Instant::now() + patience;
                }
                Err(RecvTimeoutError::Timeout) => {
                    let is_late = Instant::now() >= until;
                    let visits: Vec<VisitId> = missing.iter().map(|one| one.id).collect();
                    let mut waiting = Vec::new();
                    for (one, code) in missing.into_iter().zip(hub.undelivered(&visits)?) {
                        match code.or_else(|| is_late.then(|| "waiting".to_owned())) {
                            Some(code) => {
                                let email = one.email.clone();
                                self.undelivered.push(Undelivered { row: one.row, id: one.id, email, code });
                            }
                            None => waiting.push(one),
                        }
                    }
                    missing = waiting;
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Failure::failed("The demo's mailbox has ended."));
                }
            }
        }
        // What else has come meanwhile: to hosts, to security.
        while let Ok(mail) = mailbox.arrivals.try_recv() {
            self.take(&mail)?;
        }
        Ok(())
    }

    fn take(&mut self, mail: &Arrived) -> Result<(), Failure> {
        self.count += 1;
        let bytes = fs::read(&mail.file).map_err(Failure::failed)?;
        let parsed = MessageParser::default().parse(&bytes);
        let visit = parsed
            .as_ref()
            .and_then(|mail| mail.header(VISIT_HEADER))
            .and_then(|value| value.as_text())
            .and_then(|text| text.trim().parse().ok());
        if let Some(visit) = visit {
            self.to_guests.entry(visit).or_default().push(mail.file.clone());
        }
        Ok(())
    }
}

/// Names the visit in a mail to its guest.
const VISIT_HEADER: &str = crate::delivery::VISIT_HEADER;

/// One visit of `demo.json`; what a visit does not have is null.
#[derive(Serialize)]
struct VisitReport {
    row: usize,
    id: VisitId,
    first_name: Option<String>,
    last_name: Option<String>,
    email: String,
    site: Option<String>,
    zone: Option<&'static str>,
    start: Option<String>,
    end: Option<String>,
    status: &'static str,
    mails: Vec<PathBuf>,
    pkpass: Option<PathBuf>,
    google_url: Option<PathBuf>,
    qr_png: Option<PathBuf>,
    qr_token: Option<String>,
}

#[derive(Serialize)]
struct Report<'a> {
    visits: Vec<VisitReport>,
    left_out: &'a [LeftOut],
    undelivered: &'a [Undelivered],
}

/// What a guest's mail holds.
#[derive(Default)]
struct Parts {
    pkpass: Option<Vec<u8>>,
    qr_png: Option<Vec<u8>>,
    google_url: Option<String>,
    page: Option<String>,
}

/// Writes passes, links, codes and `demo.json`; gives the visitors' names with the addresses of their pages.
pub fn write(
    dir: &Path,
    phones: &Phones,
    invited: &[Invited],
    left_out: &[LeftOut],
    mails: &Mails,
) -> Result<Vec<(String, String)>, Failure> {
    for folder in ["passes", "google", "qr"] {
        fs::create_dir_all(dir.join(folder)).map_err(Failure::failed)?;
    }
    let (mut visits, mut pages) = (Vec::new(), Vec::new());
    for one in invited {
        let view = phones.view(one)?;
        let local = |at: Option<DateTime<Utc>>| Some(at?.with_timezone(&view.zone?).to_rfc3339());
        let guest_mails = mails.to_guests.get(&one.id).cloned().unwrap_or_default();
        let parts = match guest_mails.last() {
            Some(mail) => parts_of(&fs::read(mail).map_err(Failure::failed)?),
            None => Parts::default(),
        };
        let keep = |folder: &str, ending: &str, bytes: Option<&[u8]>| {
            let Some(bytes) = bytes else { return Ok(None) };
            let file = Path::new(folder).join(format!("{:03}.{ending}", one.row));
            fs::write(dir.join(&file), bytes).map_err(Failure::failed)?;
            Ok::<_, Failure>(Some(file))
        };
        let code = parts
            .pkpass
            .as_deref()
            .and_then(|pass| ReadPass::read(pass).ok())
            .and_then(|read| read.pass.barcodes.first().map(|barcode| barcode.message.clone()));
        if let Some(page) = parts.page {
            pages.push((view.values.display_name(), page));
        }
        visits.push(VisitReport {
            row: one.row,
            id: one.id,
            first_name: view.values.first_name.clone(),
            last_name: view.values.last_name.clone(),
            email: one.email.clone(),
            site: view.values.site.as_ref().map(ToString::to_string),
            zone: view.zone.map(chrono_tz::Tz::name),
            start: local(view.start),
            end: local(view.end),
            status: view.status.as_str(),
            mails: guest_mails.iter().map(|mail| mail.strip_prefix(dir).unwrap_or(mail).to_owned()).collect(),
            pkpass: keep("passes", "pkpass", parts.pkpass.as_deref())?,
            google_url: keep("google", "url", parts.google_url.as_deref().map(str::as_bytes))?,
            qr_png: keep("qr", "png", parts.qr_png.as_deref())?,
            qr_token: code,
        });
    }
    let text = serde_json::to_string_pretty(&Report { visits, left_out, undelivered: mails.undelivered() })
        .map_err(Failure::failed)?;
    fs::write(dir.join("demo.json"), text + "\n").map_err(Failure::failed)?;
    Ok(pages)
}

fn parts_of(mail: &[u8]) -> Parts {
    let Some(mail) = MessageParser::default().parse(mail) else { return Parts::default() };
    let of_kind = |kind: &str, subtype: &str| {
        mail.parts.iter().find(|part| part.is_content_type(kind, subtype)).map(|part| part.contents().to_vec())
    };
    let html = mail.body_html(0).unwrap_or_default().replace("&amp;", "&");
    let link = |beginning: &str| {
        let from = html.find(beginning)?;
        html[from..].split(['"', '\'', '<', ' ']).next().map(str::to_owned)
    };
    let page = html.match_indices("/p/").find_map(|(at, _)| {
        let from = html[..at].rfind('"')? + 1;
        html[from..].split('"').next().filter(|link| !link.ends_with(".pkpass")).map(str::to_owned)
    });
    Parts {
        pkpass: of_kind("application", "vnd.apple.pkpass"),
        qr_png: of_kind("image", "png"),
        google_url: link("https://pay.google.com/gp/v/save/"),
        page,
    }
}
