//! The generated Swift and Kotlin code: written from the library's own metadata, and compared with what is committed.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::built::Built;
use crate::shell::run;

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

/// What Swift reads the library's answers with, as it is generated and as it is kept: over the bytes themselves. As
/// generated it asks Foundation's `Data` for each number and each text, 0.4 µs a time: of a page of 50 visits that was 900 µs
/// of 1,000 (`cargo xtask bench --only ffi`). The bytes are there until `lift` has read them all and gives them back.
const READER: &[(&str, &str)] = &[
    ("(data: Data, offset: Data.Index)", "(data: UnsafeRawBufferPointer, offset: Int)"),
    ("func createReader(data: Data)", "func createReader(data: UnsafeRawBufferPointer)"),
    ("data: Data(rustBuffer: buf)", "data: UnsafeRawBufferPointer(start: buf.data, count: Int(buf.len))"),
    (
        "    var value: T = 0
    let _ = withUnsafeMutableBytes(of: &value, { reader.data.copyBytes(to: $0, from: range)})
",
        "    let value = reader.data.loadUnaligned(fromByteOffset: range.lowerBound, as: T.self)
",
    ),
    ("count: Int) throws -> Array<UInt8> {", "count: Int) throws -> UnsafeRawBufferPointer {"),
    (
        "    var value = [UInt8](repeating: 0, count: count)
    value.withUnsafeMutableBufferPointer({ buffer in
        reader.data.copyBytes(to: buffer, from: range)
    })
",
        "    let value = UnsafeRawBufferPointer(rebasing: reader.data[range])
",
    ),
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

/// The code of every file, and where it is kept.
fn generate() -> Result<Vec<(String, PathBuf)>, String> {
    // Unstripped: the generator reads the metadata in the library's symbols.
    let built = Built::all()?;
    let mut all = Vec::new();
    for language in LANGUAGES {
        let out = Path::new(WORK).join(language.name);
        if out.exists() {
            fs::remove_dir_all(&out).map_err(|error| failed(&out, &error))?;
        }
        let mut bindgen = Command::new(built.folder().join("uniffi-bindgen"));
        bindgen.arg("generate").arg(built.library()).args(["--language", language.name, "--no-format", "--out-dir"]);
        run(bindgen.arg(&out))?;
        for (generated, kept) in language.files {
            let generated = out.join(generated);
            let code = fs::read_to_string(&generated).map_err(|error| failed(&generated, &error))?;
            let kept = PathBuf::from(kept);
            let mut code = tidy(&kept, &code);
            if kept.extension() == Some(OsStr::new("swift")) {
                code = with_reader(code)?;
            }
            all.push((code, kept));
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

/// The Swift code with the reader that is kept.
fn with_reader(mut code: String) -> Result<String, String> {
    for (generated, kept) in READER {
        if !code.contains(generated) {
            return Err(format!("Swift code is generated in another way than READER expects: it lacks\n{generated}"));
        }
        code = code.replace(generated, kept);
    }
    Ok(code)
}

fn failed(path: &Path, error: &std::io::Error) -> String {
    format!("could not use {}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generator_that_writes_another_reader_is_noticed() {
        let generated: String = READER.iter().map(|(generated, _)| *generated).collect();
        let kept: String = READER.iter().map(|(_, kept)| *kept).collect();
        assert_eq!(with_reader(generated), Ok(kept.clone()));
        assert!(with_reader(kept).is_err());
    }
}
