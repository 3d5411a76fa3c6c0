//! `vestibule scan`: checks a QR token with no network.

use std::path::PathBuf;

use chrono::{DateTime, SecondsFormat, Utc};
use clap::Args;
use serde_json::json;
use vestibule_core::id::SiteId;
use vestibule_core::qr::QrKeys;

use super::{Failure, print};

/// Check a visitor's QR code with no network
#[derive(Debug, Args)]
#[command(
    long_about = "Check a visitor's QR code with no network, as a reception desk does: by the hub's keys alone.\n\nWhat \
                  only the hub knows (used, cancelled since) is not checked.",
    after_help = "\
Examples:
  vestibule admin --dir hub qr-keys > qr-keys.json                 fetch the keys, while there is a hub
  vestibule scan 'VMS1:…' --keys qr-keys.json --site zrh           is this code good here, now?
  vestibule scan 'VMS1:…' --keys qr-keys.json --at 2027-02-10T21:00:00Z

Exit codes: 0 valid, 1 not valid (the reason is printed), 2 bad input."
)]
pub struct Scan {
    /// What the scanner read: VMS1:…
    #[arg(value_name = "TOKEN")]
    token: String,
    /// The hub's keys, from `vestibule admin qr-keys`
    #[arg(long, value_name = "FILE")]
    keys: PathBuf,
    /// The site of this desk; without it any site of the keys will do
    #[arg(long, value_name = "ID")]
    site: Option<SiteId>,
    /// Check as if it were this time (RFC 3339); the clock of this machine is not asked
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: Option<DateTime<Utc>>,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

fn time(text: &str) -> Result<DateTime<Utc>, String> {
    DateTime::parse_from_rfc3339(text)
        .map(|time| time.to_utc())
        .map_err(|_| "write it like 2027-02-10T21:00:00Z or 2027-02-10T22:00:00+01:00".into())
}

impl Scan {
    /// Says whether the token is valid.
    pub fn run(self) -> Result<(), Failure> {
        let path = self.keys.display();
        let text = std::fs::read_to_string(&self.keys)
            .map_err(|error| Failure::bad_input(format!("The keys in {path} cannot be read: {error}.")))?;
        let mut keys = QrKeys::from_json(&text).map_err(|error| {
            let advice = "Fetch them with `vestibule admin qr-keys`.";
            Failure::bad_input(format!("{path} does not hold the hub's keys: {error}. {advice}"))
        })?;
        let now = match self.at {
            Some(at) => {
                // A time that somebody named needs no second opinion, as a clock does.
                keys.heard_from_hub(at);
                at
            }
            None => Utc::now(),
        };
        let time = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
        match keys.verify(&self.token, self.site.as_ref(), now) {
            Ok(claims) => {
                let (from, until) = (time(claims.not_before), time(claims.expires));
                print(&if self.json {
                    let id = claims.credential.to_string();
                    format!(
                        "{}\n",
                        json!({"valid": true, "organisation": claims.organisation, "site": claims.site,
                            "not_before": from, "expires": until, "credential": id})
                    )
                } else {
                    format!("valid: {} at {}, from {from} until {until}\n", claims.organisation, claims.site)
                });
                Ok(())
            }
            Err(refusal) => {
                print(&if self.json {
                    let reason = refusal.to_string();
                    format!("{}\n", json!({"valid": false, "code": refusal.code(), "reason": reason}))
                } else {
                    format!("not valid: {refusal} ({})\n", refusal.code())
                });
                Err(Failure { code: 1, message: String::new() })
            }
        }
    }
}
