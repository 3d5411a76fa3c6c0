//! Tests of the signer: an independent tool checks what we sign, and we are told what does not fit.

use std::io::Cursor;
use std::process::Command;
use std::sync::OnceLock;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use vestibule_core::wallet::admission::Admission;
use vestibule_core::wallet::visitor::{VisitorPass, WebService, Window, apple_pass};
use vestibule_core::wallet::{images, package::PassPackage, package_read::ReadPass};

use super::*;

fn now() -> DateTime<Utc> {
    "2026-11-20T09:30:00Z".parse().expect("a time")
}

fn identity() -> PassIdentity {
    PassIdentity {
        organisation: OrganisationId::new("example-ag").expect("a code"),
        pass_type_identifier: "pass.ch.example.visit".into(),
        team_identifier: "A1B2C3D4E5".into(),
    }
}

/// One directory for all tests: three RSA keys take a second.
fn directory() -> &'static Path {
    static DIRECTORY: OnceLock<tempfile::TempDir> = OnceLock::new();
    DIRECTORY
        .get_or_init(|| {
            let directory = tempfile::tempdir().expect("a directory");
            let mut rng = ChaCha20Rng::seed_from_u64(1);
            PassSigner::open_or_create(directory.path(), &identity(), now(), &mut rng).expect("makes a chain");
            directory
        })
        .path()
}

fn open(directory: &Path, identity: &PassIdentity) -> Result<PassSigner, WalletError> {
    PassSigner::open_or_create(directory, identity, now(), &mut ChaCha20Rng::seed_from_u64(2))
}

fn signer() -> PassSigner {
    open(directory(), &identity()).expect("opens")
}

/// A copy of the directory with one file changed.
fn changed(name: &str, text: Option<&str>) -> tempfile::TempDir {
    let copy = tempfile::tempdir().expect("a directory");
    for file in [CERTIFICATE, KEY, WWDR, ROOT] {
        std::fs::copy(directory().join(file), copy.path().join(file)).expect("copies");
    }
    match text {
        Some(text) => std::fs::write(copy.path().join(name), text).expect("writes"),
        None => std::fs::remove_file(copy.path().join(name)).expect("removes"),
    }
    copy
}

fn visitor(first_name: &str) -> VisitorPass {
    VisitorPass {
        organisation_name: "Example AG".into(),
        serial: "AZTwwn06exGeUj8KbB0uSw".into(),
        pass_type_identifier: identity().pass_type_identifier,
        team_identifier: identity().team_identifier,
        web_service: Some(WebService { url: "https://visit.example.ch/apple/".into(), token: "0".repeat(32) }),
        first_name: Some(first_name.into()),
        last_name: Some("Müller".into()),
        company: None,
        host_name: "Beatrice Keller".into(),
        site_name: "Zürich".into(),
        site_address: None,
        site_location: None,
        space_name: None,
        zone: crate::zones::built_in("Europe/Zurich"),
        window: Some(Window { from: now(), to: now() + chrono::TimeDelta::hours(1) }),
        schedule_text: "Friday, 20 November 2026, 10:30 to 11:30".into(),
        visit_type_name: "Visitor".into(),
        admission: Admission::Code("VMS1:ABC".into()),
        valid_from: now(),
        expires: now() + chrono::TimeDelta::hours(2),
    }
}

fn sealed(signer: &PassSigner, first_name: &str) -> Vec<u8> {
    let mut package = PassPackage::new(&apple_pass(&visitor(first_name))).expect("keeps the rules");
    for image in images::standard() {
        package.add(&image.name, image.png.as_slice()).expect("a name");
    }
    package.seal(|manifest| signer.sign(manifest, now())).expect("seals")
}

/// Asks `openssl cms -verify`; its words where it refuses.
fn openssl_verify(manifest: &[u8], signature: &[u8], root: &str) -> Result<(), String> {
    let directory = tempfile::tempdir().expect("a directory");
    let write = |name: &str, bytes: &[u8]| std::fs::write(directory.path().join(name), bytes).expect("writes");
    write("manifest.json", manifest);
    write("signature", signature);
    write("root.pem", root.as_bytes());
    let output = Command::new("openssl")
        .args(["cms", "-verify", "-inform", "DER", "-in", "signature", "-content", "manifest.json", "-binary"])
        .args(["-CAfile", "root.pem", "-purpose", "any", "-attime"])
        .arg(now().timestamp().to_string())
        .args(["-out", "out"])
        .current_dir(directory.path())
        .output()
        .expect("openssl runs");
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// S1.34, S1.35: OpenSSL accepts the signature of a whole pass against our root, and nothing else.
#[test]
fn openssl_verifies_our_pass() {
    let signer = signer();
    let read = ReadPass::read(&sealed(&signer, "Zoë")).expect("reads");
    let root = signer.own_root().expect("our own chain");
    openssl_verify(&read.manifest, &read.signature, root).expect("verifies");

    let mut other = read.manifest.clone();
    other[20] ^= 1;
    assert!(openssl_verify(&other, &read.signature, root).is_err(), "another manifest");
    let mut signature = read.signature.clone();
    *signature.last_mut().expect("bytes") ^= 1;
    assert!(openssl_verify(&read.manifest, &signature, root).is_err(), "another signature");
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let stranger = certificates::make(&identity(), now(), &mut rng).expect("makes a chain");
    assert!(openssl_verify(&read.manifest, &read.signature, &stranger.root).is_err(), "another root");
}

/// Wallet refuses a signature without its time or its intermediate, and says nothing.
#[test]
fn the_signature_holds_its_time_and_the_intermediate() {
    let path = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(path.path(), signer().sign(b"{}", now()).expect("signs")).expect("writes");
    let output = Command::new("openssl")
        .args(["cms", "-cmsout", "-print", "-noout", "-inform", "DER", "-in"])
        .arg(path.path())
        .output()
        .expect("openssl runs");
    let text = String::from_utf8_lossy(&output.stdout);
    for part in [
        "signingTime",
        "Nov 20 09:30:00 2026 GMT",
        "messageDigest",
        "sha256",
        "eContent: <ABSENT>",
        "CN=Vestibule test WWDR",
        "UID=pass.ch.example.visit",
        "OU=A1B2C3D4E5",
        "1.2.840.113635.100.6.1.16",
    ] {
        assert!(text.replace(" = ", "=").contains(part), "{part} in {text}");
    }
}

/// A pass signed by the crate `passes` with our chain verifies, and our reader reads it; theirs reads ours.
#[test]
fn we_and_the_crate_passes_read_each_other() {
    let signer = signer();
    let file = |name: &str| std::fs::read(directory().join(name)).expect("reads");
    let ours = sealed(&signer, "Zoë");
    let mut theirs = passes::Package::read(Cursor::new(&ours)).expect("reads ours");
    assert_eq!(theirs.pass.config.serial_number, visitor("Zoë").serial);
    let wwdr = file(WWDR);
    let config = passes::sign::SignConfig::new(passes::sign::WWDR::Custom(&wwdr), &file(CERTIFICATE), &file(KEY));
    theirs.add_certificates(config.expect("our files"));
    let mut out = Cursor::new(Vec::new());
    theirs.write(&mut out).expect("writes");

    let read = ReadPass::read(out.get_ref()).expect("reads theirs");
    let root = signer.own_root().expect("our own chain");
    openssl_verify(&read.manifest, &read.signature, root).expect("verifies");
    let again = ReadPass::read(&ours).expect("reads ours");
    assert_eq!(read.pass.barcodes, again.pass.barcodes);
    assert_eq!(read.pass.generic, again.pass.generic);
}

/// The same input and time give the same file: RSA PKCS#1 v1.5 has no randomness.
#[test]
fn the_same_pass_is_signed_to_the_same_bytes() {
    let signer = signer();
    assert_eq!(sealed(&signer, "李小龙"), sealed(&signer, "李小龙"));
    assert_ne!(sealed(&signer, "李小龙"), sealed(&signer, "李小虎"));
}

#[test]
fn a_second_start_loads_what_the_first_made() {
    let first = signer();
    let second = signer();
    assert_eq!(first.sign(b"{}", now()).expect("signs"), second.sign(b"{}", now()).expect("signs"));
    assert!(first.validity().1 > now() + chrono::TimeDelta::days(7_000));
    assert_eq!(format!("{first:?}").matches("BEGIN").count(), 0, "no key in a log");
}

#[cfg(unix)]
#[test]
fn the_key_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |name: &str| std::fs::metadata(directory().join(name)).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(KEY), 0o600);
    assert_eq!(std::fs::read_dir(directory()).expect("reads").count(), 4, "no temporary file is left");
}

/// Killed between two files of a new chain, the hub makes it again; an operator's files it never writes over.
#[test]
fn a_half_made_chain_is_made_again() {
    let crashed = changed(KEY, None);
    std::fs::remove_file(crashed.path().join(CERTIFICATE)).expect("removes");
    open(crashed.path(), &identity()).expect("made again");

    let operators = changed(KEY, None);
    std::fs::remove_file(operators.path().join(ROOT)).expect("removes");
    open(operators.path(), &identity()).expect_err("the key is missing");
    assert!(!operators.path().join(KEY).exists());
}

/// An operator who mixes up files is told which, before a visitor's phone refuses a pass without a word.
#[test]
fn files_that_do_not_fit_are_named() {
    let says = |directory: &tempfile::TempDir, identity: &PassIdentity, part: &str| {
        let error = open(directory.path(), identity).expect_err(part).to_string();
        assert!(error.contains(part), "{part} in {error}");
    };
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    let other = certificates::make(&identity(), now(), &mut rng).expect("makes a chain");
    let same = changed(ROOT, None);
    assert!(open(same.path(), &identity()).expect("opens").own_root().is_none());
    let team = PassIdentity { team_identifier: "OTHERTEAM0".into(), ..identity() };
    says(&same, &team, "team identifier");
    let pass_type = PassIdentity { pass_type_identifier: "pass.other".into(), ..identity() };
    says(&same, &pass_type, "pass type identifier");
    says(&changed(KEY, Some(&other.leaf_key)), &identity(), "another certificate");
    says(&changed(WWDR, Some(&other.wwdr)), &identity(), "has not issued");
    says(&changed(WWDR, None), &identity(), "wwdr.pem");
    says(&changed(KEY, Some("")), &identity(), KEY);
    says(&changed(CERTIFICATE, Some("garbage")), &identity(), CERTIFICATE);
    says(&changed(KEY, Some("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n")), &identity(), KEY);
}

/// An operator is told 30, 7 and 1 days before a certificate ends; outside its time nothing is signed with it.
#[test]
fn nothing_is_signed_with_a_certificate_that_has_run_out() {
    use chrono::TimeDelta;

    use super::super::Expiry;

    let signer = signer();
    let (from, until) = signer.validity();
    let line = |now| Expiry::of(&identity().organisation, &signer, now).map(|expiry| expiry.line);
    let second = TimeDelta::seconds(1);
    for (now, expected) in [
        (until - TimeDelta::days(30) - second, None),
        (until - TimeDelta::days(30), Some(30)),
        (until - TimeDelta::days(7), Some(7)),
        (until - TimeDelta::days(1), Some(1)),
        (until - second, Some(1)),
        (until, Some(0)),
        (from - second, Some(0)),
    ] {
        assert_eq!(line(now), expected, "{now}");
        let signed = signer.sign(b"{}", now);
        assert_eq!(matches!(signed, Err(CmsError::OutOfTime)), expected == Some(0), "{now}");
        assert_eq!(signer.is_valid(now), signed.is_ok());
    }
    let said = Expiry::of(&identity().organisation, &signer, until).expect("said").warning();
    assert!(said.contains("example-ag") && said.contains("without Apple passes"), "{said}");
}
