//! What others check the hub's work with: the keys of QR tokens, the root of passes, the key of Google links.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use chrono::DateTime;
use ed25519_dalek::VerifyingKey;
use vestibule_core::cbor;
use vestibule_core::keys::{KeySet, KeyUse, PublicKey, Sign1};
use vestibule_core::qr::{QrKey, QrKeys};

use super::super::{Failure, print};
use super::Desk;
use crate::store::organisations;

/// Lets everybody read a folder and what was written there.
fn open_to_all(folder: &Path) -> std::io::Result<()> {
    fs::set_permissions(folder, Permissions::from_mode(0o755))?;
    for name in ["qr-keys.json", "google-public.pem", "apple-root.pem"] {
        let file = folder.join(name);
        if file.exists() {
            fs::set_permissions(file, Permissions::from_mode(0o644))?;
        }
    }
    Ok(())
}

impl Desk {
    pub(super) fn qr_keys(&mut self) -> Result<(), Failure> {
        let keys = self.read_qr_keys()?;
        print(&format!("{}\n", keys.to_json()));
        Ok(())
    }

    pub(super) fn trust(&mut self, out: &Path) -> Result<(), Failure> {
        let keys = self.read_qr_keys()?.to_json();
        let fails = |error: std::io::Error| Failure::failed(format!("{} cannot be written: {error}.", out.display()));
        fs::create_dir_all(out).map_err(fails)?;
        fs::write(out.join("qr-keys.json"), format!("{keys}\n")).map_err(fails)?;
        if let Some(google) = &self.context.google {
            fs::write(out.join("google-public.pem"), google.google_public_pem()).map_err(fails)?;
        }
        match self.context.apple.as_ref().and_then(|apple| apple.own_root()) {
            Some(root) => fs::write(out.join("apple-root.pem"), root).map_err(fails)?,
            None => {
                print("Passes are signed with Apple's certificate: its root is Apple's to publish, and left out.\n");
            }
        }
        // All of it is public, and is for others: reception desks, other programs.
        open_to_all(out).map_err(fails)?;
        print(&format!("Written to {}.\n", out.display()));
        Ok(())
    }

    /// The QR keys of the newest key set, as known at this moment.
    fn read_qr_keys(&mut self) -> Result<QrKeys, Failure> {
        let broken = || Failure::failed("The organisation's key set cannot be read.");
        let organisation = &self.context.organisation;
        let (_, bytes) = self.store.read(|tx| organisations::current_key_set(tx, organisation))?.ok_or_else(broken)?;
        let signed = Sign1::read(&bytes).map_err(|_| broken())?;
        let set: KeySet = cbor::read(signed.unverified_payload(), "key set").map_err(|_| broken())?;
        let keys = set.keys.iter().filter(|entry| entry.usage == KeyUse::Qr).map(|entry| {
            // The hub signs with Ed25519 alone.
            let PublicKey::Ed25519(bytes) = &entry.key else { return None };
            let key = VerifyingKey::from_bytes(bytes).ok()?;
            let time = |seconds| DateTime::from_timestamp(seconds, 0);
            Some(QrKey::new(key, time(entry.not_before)?, time(entry.not_after)?))
        });
        let keys = keys.collect::<Option<Vec<_>>>().ok_or_else(broken)?;
        Ok(QrKeys::new(organisation.clone(), keys, self.now, Vec::new()))
    }
}
