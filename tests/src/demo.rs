//! The demo, run once for all tests, and what it leaves behind.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;

use serde::Deserialize;
use tempfile::TempDir;

use crate::program::{stdout, vestibule};

/// What `demo.json` says.
#[derive(Debug, Deserialize)]
pub struct Report {
    /// The visits that were made.
    pub visits: Vec<Visit>,
    /// The rows that were not.
    pub left_out: Vec<LeftOut>,
    /// Guests whose mail did not arrive.
    pub undelivered: Vec<Undelivered>,
}

/// A guest whose mail did not arrive.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of demo.json")]
pub struct Undelivered {
    pub row: usize,
    pub id: String,
    pub email: String,
    pub code: String,
}

/// One visit of `demo.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of demo.json")]
pub struct Visit {
    pub row: usize,
    pub id: String,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub email: String,
    pub site: String,
    pub zone: String,
    pub start: Option<String>,
    pub end: Option<String>,
    pub status: String,
    pub mails: Vec<PathBuf>,
    pub pkpass: Option<PathBuf>,
    pub google_url: Option<PathBuf>,
    pub qr_png: Option<PathBuf>,
    pub qr_token: Option<String>,
}

/// One problem of a row that was left out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of demo.json")]
pub struct LeftOut {
    pub row: usize,
    pub field: String,
    pub code: String,
    pub message: String,
}

/// A finished run of `vestibule demo --exit`.
pub struct Demo {
    dir: TempDir,
    /// What it printed.
    pub printed: String,
    /// `demo.json`.
    pub report: Report,
    /// The sample's rows by column, as they stand in the file.
    pub rows: Vec<std::collections::HashMap<String, String>>,
}

impl Demo {
    /// The run that all tests of a program share.
    pub fn shared() -> &'static Self {
        static DEMO: OnceLock<Demo> = OnceLock::new();
        DEMO.get_or_init(Self::run)
    }

    fn run() -> Self {
        let dir = TempDir::new().expect("a folder");
        let output = vestibule()
            .args(["demo", "--exit", "--dir"])
            .arg(dir.path().join("demo"))
            .stdin(Stdio::null())
            .output()
            .expect("the command starts");
        let printed = stdout(&output);
        let text = std::fs::read_to_string(dir.path().join("demo/demo.json")).expect("the demo leaves demo.json");
        let report = serde_json::from_str(&text).expect("demo.json has its form");
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/visitors.csv");
        let mut reader = csv::Reader::from_path(sample).expect("the sample is there");
        let rows = reader.deserialize().collect::<Result<_, _>>().expect("the sample is a table");
        Self { dir, printed, report, rows }
    }

    /// A file the demo left, by its path in `demo.json`.
    pub fn file(&self, relative: impl AsRef<Path>) -> PathBuf {
        assert!(relative.as_ref().is_relative(), "paths in demo.json are relative to its folder");
        self.dir.path().join("demo").join(relative)
    }

    /// A column of the row a visit was made from; empty where the sample has nothing.
    pub fn column(&self, visit: &Visit, name: &str) -> &str {
        &self.rows[visit.row - 1][name]
    }

    /// The visits whose guest was invited.
    pub fn invited(&self) -> impl Iterator<Item = &Visit> {
        self.report.visits.iter().filter(|visit| visit.status == "upcoming")
    }
}
