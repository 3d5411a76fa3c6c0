//! Every page of a phone's file, decrypted: live pages, free pages, and the pages in its log.
//!
//! A copy made through SQL leaves out what is free or overwritten, which is where an erased name would still stand. So
//! the file is decrypted page by page as `SQLCipher` 4 writes it (zetetic.net/sqlcipher/design): AES-256-CBC, each page
//! ending in 80 reserved bytes, its initialisation vector and its HMAC.

use std::fs;
use std::path::{Path, PathBuf};

use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockDecryptMut as _, KeyIvInit as _};

const PAGE: usize = 4096;
const RESERVED: usize = 80;
const VECTOR: usize = 16;
/// `cipher_plaintext_header_size` of a phone's file.
const PLAIN_HEADER: usize = 32;
/// The headers of a log and of each of its frames (sqlite.org/fileformat2.html, section 4.1).
const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// The decrypted pages of the file at `path` and of its log, one after the other, whether they are in use or not.
/// `key` is the 96 hexadecimal digits of key and salt.
///
/// # Panics
/// If there is no such file, the key is no key, or a file is not whole pages.
pub fn every_page(path: &Path, key: &str) -> Vec<u8> {
    let key = hex::decode(key).expect("hexadecimal digits");
    assert_eq!(key.len(), 48, "a key of 32 bytes and a salt of 16");
    let cipher = &key[..32];
    let file = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(!file.is_empty() && file.len().is_multiple_of(PAGE), "{} is not whole pages", path.display());
    let mut plain = Vec::with_capacity(file.len());
    for (at, page) in file.chunks_exact(PAGE).enumerate() {
        append(page, at == 0, cipher, &mut plain);
    }
    let log = fs::read(log_of(path)).unwrap_or_default();
    for frame in log.get(LOG_HEADER..).unwrap_or_default().chunks_exact(FRAME_HEADER + PAGE) {
        let is_first = frame[..4] == 1_u32.to_be_bytes();
        append(&frame[FRAME_HEADER..], is_first, cipher, &mut plain);
    }
    plain
}

/// Whether `needle` stands anywhere in `hay`.
pub fn holds(hay: &[u8], needle: &[u8]) -> bool {
    assert!(!needle.is_empty(), "nothing stands everywhere");
    hay.windows(needle.len()).any(|window| window == needle)
}

fn append(page: &[u8], is_first: bool, key: &[u8], plain: &mut Vec<u8>) {
    let header = if is_first { PLAIN_HEADER } else { 0 };
    let end = PAGE - RESERVED;
    let decryptor = cbc::Decryptor::<aes::Aes256>::new_from_slices(key, &page[end..end + VECTOR])
        .expect("the key has 32 bytes, the vector 16");
    plain.extend_from_slice(&page[..header]);
    let content = decryptor.decrypt_padded_vec_mut::<NoPadding>(&page[header..end]).expect("whole blocks");
    plain.extend_from_slice(&content);
}

fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;
    use tempfile::TempDir;

    use super::*;

    const CANARY: &str = "Tweety, who is in no page that is in use";

    /// A file as a phone has it, but that `SQLite` leaves freed bytes where they are.
    fn file_with_a_freed_canary(dir: &Path, key: &str) -> (Connection, PathBuf) {
        let path = dir.join("phone.db");
        let connection = Connection::open(&path).expect("opens");
        connection
            .execute_batch(&format!(
                "PRAGMA key = \"x'{key}'\"; PRAGMA cipher_plaintext_header_size = 32; PRAGMA secure_delete = OFF;
                 PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;
                 CREATE TABLE cage (bird TEXT); CREATE TABLE other (n);"
            ))
            .expect("is made");
        connection.execute("INSERT INTO cage SELECT ?1 || randomblob(3000)", [CANARY]).expect("inserts");
        connection.execute_batch("DROP TABLE cage").expect("drops");
        (connection, path)
    }

    /// What may never happen, 8: the search finds what it looks for where it is hardest to find.
    #[test]
    fn a_canary_is_found_in_a_free_page_and_in_the_log() {
        let dir = TempDir::new().expect("a folder");
        let key = "5a".repeat(48);
        let (connection, path) = file_with_a_freed_canary(dir.path(), &key);
        assert!(holds(&every_page(&path_without_file_pages(&path), &key), CANARY.as_bytes()), "in the log");
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("writes back");
        let free: u32 = connection.pragma_query_value(None, "freelist_count", |row| row.get(0)).expect("counts");
        assert!(free > 0, "the canary's page is free");
        assert!(holds(&every_page(&path, &key), CANARY.as_bytes()), "in a free page");
        assert!(!holds(&fs::read(&path).expect("reads"), CANARY.as_bytes()), "and not without the key");
    }

    /// The log alone: the file it belongs to is one page that was never written.
    fn path_without_file_pages(path: &Path) -> PathBuf {
        let copy = path.with_file_name("log-only.db");
        fs::write(&copy, [0; PAGE]).expect("writes");
        fs::copy(log_of(path), log_of(&copy)).expect("there is a log");
        copy
    }
}
