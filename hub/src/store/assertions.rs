//! Assertions that were used: a device asks for each access token with a new one.

use rusqlite::{Transaction, params};

use super::StoreError;
use super::clock::CERTAIN;
use super::devices::Device;

/// Spends an assertion of a device; `false` if it was spent before. Forgets those nobody believes at `now` any more.
pub fn spend(
    tx: &Transaction<'_>,
    device: &Device,
    jti: &str,
    forgotten_at: i64,
    now: i64,
) -> Result<bool, StoreError> {
    tx.prepare_cached(&format!("DELETE FROM spent_assertion WHERE forgotten_at <= ?1 AND {CERTAIN}"))?
        .execute([now])?;
    let inserted = tx
        .prepare_cached(
            "INSERT INTO spent_assertion (organisation, device, jti, forgotten_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![device.organisation.as_str(), device.thumbprint.as_bytes(), jti, forgotten_at])?;
    Ok(inserted == 1)
}
