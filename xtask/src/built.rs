//! What cargo builds once for all tests, and where it is.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::PathBuf;

use crate::shell::{cargo, output, run};

/// The features everything is built with, so that nothing is built twice: the kills of the tests, which no release can
/// be made to do, and the generator of the Swift and Kotlin code.
pub const FEATURES: [&str; 2] = ["--features", "vestibule-hub/faults,vestibule-ffi/bindgen"];

/// The tree, and what is built from it.
pub struct Built {
    /// The repository.
    pub tree: PathBuf,
    /// cargo's target directory.
    pub target: PathBuf,
}

impl Built {
    /// Builds the command, the library for Swift and Kotlin, and the generator.
    pub fn all() -> Result<Self, String> {
        run(cargo().args(["build", "--locked", "--workspace"]).args(FEATURES))?;
        Self::places()
    }

    /// Where it all is, or will be; nothing is built.
    pub fn places() -> Result<Self, String> {
        let said = output(cargo().args(["metadata", "--format-version", "1", "--no-deps", "--locked"]))?;
        let said: serde_json::Value = serde_json::from_str(&said).map_err(|error| error.to_string())?;
        let place = |name: &str| said[name].as_str().map(PathBuf::from).ok_or_else(|| format!("cargo tells no {name}"));
        Ok(Self { tree: place("workspace_root")?, target: place("target_directory")? })
    }

    /// Where programs and libraries are.
    pub fn folder(&self) -> PathBuf {
        self.target.join("debug")
    }

    /// The command `vestibule`.
    pub fn command(&self) -> PathBuf {
        self.folder().join("vestibule")
    }

    /// The library for Swift and Kotlin, unstripped.
    pub fn library(&self) -> PathBuf {
        self.folder().join(format!("{DLL_PREFIX}vestibule_ffi{DLL_SUFFIX}"))
    }
}
