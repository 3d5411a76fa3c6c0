//! The generated Swift and Kotlin code: written from the library's own metadata, and compared with what is committed.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shell::{cargo, output, run};
use crate::test::FEATURES;

/// Where it is generated before it is compared or put in place.
const WORK: &str = "target/bindings";

/// A language, and where each of its files is kept.
struct Language {
    name: &'static str,
    files: &'static [(&'static str, &'static str)],
}

const LANGUAGES: &[Language] = &[
    Language {
        name: "kotlin",
        files: &[(
            "org/vestibule/generated/vestibule_ffi.kt",
            "android/library/src/main/generated/org/vestibule/generated/vestibule_ffi.kt",
        )],
    },
    Language {
        name: "swift",
        files: &[
            ("VestibuleGenerated.swift", "ios/Sources/VestibuleGenerated/vestibule_ffi.swift"),
            ("vestibule_ffiFFI.h", "ios/Sources/vestibule_ffiFFI/vestibule_ffiFFI.h"),
            ("vestibule_ffiFFI.modulemap", "ios/Sources/vestibule_ffiFFI/module.modulemap"),
        ],
    },
];

/// `cargo xtask bindings`: writes the generated code.
pub fn write() -> Result<(), String> {
    for (generated, kept) in generate()? {
        if let Some(folder) = kept.parent() {
            fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
        }
        fs::write(&kept, generated).map_err(|error| failed(&kept, &error))?;
        println!("{}", kept.display());
    }
    Ok(())
}

/// `cargo xtask bindings --check`: fails, naming the file, where what is committed is not what the library says.
pub fn check() -> Result<(), String> {
    let stale: Vec<String> = generate()?
        .into_iter()
        .filter(|(generated, kept)| fs::read_to_string(kept).ok().as_ref() != Some(generated))
        .map(|(_, kept)| format!("  {}", kept.display()))
        .collect();
    if stale.is_empty() {
        return Ok(());
    }
    Err(format!("generated code is stale:\n{}\nrun `cargo xtask bindings` and commit what it writes", stale.join("\n")))
}

/// Builds the library and the commands, and gives the folder they are in.
pub fn build() -> Result<PathBuf, String> {
    // Without `--lib` the library is built for its own programs only, and the one beside them stays as it was.
    run(cargo().args(["build", "--locked", "--workspace", "--lib", "--bins", FEATURES.0, FEATURES.1]))?;
    Ok(target_directory()?.join("debug"))
}

/// The code of every file, and where it is kept.
fn generate() -> Result<Vec<(String, PathBuf)>, String> {
    // Unstripped: the generator reads the metadata in the library's symbols.
    let built = build()?;
    let library = built.join(format!("{DLL_PREFIX}vestibule_ffi{DLL_SUFFIX}"));
    let mut all = Vec::new();
    for language in LANGUAGES {
        let out = Path::new(WORK).join(language.name);
        if out.exists() {
            fs::remove_dir_all(&out).map_err(|error| failed(&out, &error))?;
        }
        let mut bindgen = Command::new(built.join("uniffi-bindgen"));
        bindgen.arg("generate").arg(&library).args(["--language", language.name, "--no-format", "--out-dir"]);
        run(bindgen.arg(&out))?;
        for (generated, kept) in language.files {
            let generated = out.join(generated);
            let code = fs::read_to_string(&generated).map_err(|error| failed(&generated, &error))?;
            all.push((tidy(Path::new(kept), &code), PathBuf::from(kept)));
        }
    }
    Ok(all)
}

/// The code without white space at the ends of lines and of the file, and the module map for its folder.
fn tidy(kept: &Path, code: &str) -> String {
    let mut tidy: String = code.trim_end().lines().flat_map(|line| [line.trim_end(), "\n"]).collect();
    if kept.extension() == Some(OsStr::new("modulemap")) {
        tidy = tidy.replace("\n    export *", "\n    link \"vestibule_ffi\"\n    export *");
    }
    tidy
}

fn target_directory() -> Result<PathBuf, String> {
    let metadata = output(cargo().args(["metadata", "--format-version", "1", "--no-deps", "--locked"]))?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata).map_err(|error| error.to_string())?;
    let directory = metadata["target_directory"].as_str().ok_or("`cargo metadata` names no target directory")?;
    Ok(PathBuf::from(directory))
}

fn failed(path: &Path, error: &std::io::Error) -> String {
    format!("could not use {}: {error}", path.display())
}
