//! The tests of the Kotlin library and of the host's screens: Maven runs them on the JVM against the Rust library and
//! the command as cargo has built them. Maven keeps what it fetches in its usual place, outside the tree.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::built::Built;
use crate::shell::{output, run, which};
use crate::tools;

/// The oldest Java that is compiled for.
const JAVA: u32 = 17;
/// The program among the library's tests that makes calls for the bench.
const CALLS: &str = "org.vestibule.bench.CallsKt";

/// Something the tests need, and the Debian package that holds it.
struct Need {
    name: &'static str,
    package: &'static str,
    serves: &'static str,
    is_here: fn(&str) -> bool,
}

const NEEDS: &[Need] = &[
    Need { name: "javac", package: "default-jdk-headless", serves: "a JDK, 17 or later", is_here: has_jdk },
    Need { name: "mvn", package: "maven", serves: "builds the Kotlin library", is_here: has_program },
    Need { name: "fc-list", package: "fontconfig", serves: "finds the fonts of the pictures", is_here: has_program },
    Need { name: "libGL.so.1", package: "libgl1", serves: "draws the pictures", is_here: has_library },
    Need { name: "libX11.so.6", package: "libx11-6", serves: "draws the pictures", is_here: has_library },
    // A language of every script among the sample's names.
    Need { name: "ja", package: "fonts-noto-cjk", serves: "Chinese, Japanese, Korean names", is_here: has_font },
    Need { name: "ar", package: "fonts-noto-core", serves: "Arabic names", is_here: has_font },
    Need { name: "he", package: "fonts-noto-core", serves: "Hebrew names", is_here: has_font },
    Need { name: "bn", package: "fonts-noto-core", serves: "Bengali names", is_here: has_font },
    Need { name: "ka", package: "fonts-noto-core", serves: "Georgian names", is_here: has_font },
    Need { name: "th", package: "fonts-noto-core", serves: "Thai names", is_here: has_font },
    Need { name: "und-zsye", package: "fonts-noto-color-emoji", serves: "pictographs in names", is_here: has_font },
];

fn has_program(name: &str) -> bool {
    which(name).is_some()
}

fn has_jdk(name: &str) -> bool {
    // `javac 17.0.15`
    let version = output(Command::new(name).arg("-version")).unwrap_or_default();
    let number = version.trim().strip_prefix("javac ").and_then(|rest| rest.split(['.', '-']).next());
    number.and_then(|number| number.parse().ok()).is_some_and(|number: u32| number >= JAVA)
}

fn has_library(name: &str) -> bool {
    ["ldconfig", "/sbin/ldconfig"]
        .into_iter()
        .any(|program| output(Command::new(program).arg("-p")).is_ok_and(|libraries| libraries.contains(name)))
}

fn has_font(language: &str) -> bool {
    output(Command::new("fc-list").args([&format!(":lang={language}"), "family"]))
        .is_ok_and(|families| families.contains("Noto"))
}

/// Finds what the tests need, installing what is missing where that can be done.
pub fn find_or_install() -> Result<(), String> {
    let missing = || NEEDS.iter().filter(|need| !(need.is_here)(need.name)).collect::<Vec<_>>();
    let lines = |needs: &[&Need]| {
        let lines: Vec<String> = needs.iter().map(|n| format!("  {} ({}): {}", n.name, n.package, n.serves)).collect();
        format!("the Kotlin tests need these; please install them:\n{}", lines.join("\n"))
    };
    let wanted = missing();
    if wanted.is_empty() {
        return Ok(());
    }
    let mut packages: Vec<&str> = wanted.iter().map(|need| need.package).collect();
    packages.sort_unstable();
    packages.dedup();
    tools::install(&packages, || lines(&wanted))?;
    let still = missing();
    if still.is_empty() { Ok(()) } else { Err(lines(&still)) }
}

/// Runs the Kotlin tests with the Rust library and the command as cargo builds them for tests.
pub fn test() -> Result<(), String> {
    find_or_install()?;
    // The classes of a test that was renamed would run beside it.
    maven(&Built::all()?, &["clean", "test"])
}

/// Runs the tests that draw the screens, and keeps what they drew as the README's pictures.
pub fn pictures() -> Result<(), String> {
    find_or_install()?;
    let built = Built::all()?;
    let place = format!("-Dvestibule.pictures={}", built.tree.join("docs/pictures").display());
    maven(&built, &["clean", "test", "-Dtest=PicturesTest", "-Dsurefire.failIfNoSpecifiedTests=false", &place])
}

/// Compiles the library and the program that makes calls for the bench, and gives the command that makes them on the
/// phone in a folder, with the Rust library of another folder.
pub fn calls(tree: &Path, rust: &Path, phone: &Path) -> Result<Command, String> {
    find_or_install()?;
    let listed = "target/bench.classpath";
    run(maven_in(tree)
        .args(["--projects", "library", "--also-make", "test-compile", "dependency:build-classpath"])
        .arg("-DincludeScope=runtime")
        .arg(format!("-Dmdep.outputFile={listed}"))
        // The output is the bench's table's.
        .stdout(std::io::stderr()))?;
    let library = tree.join("android/library");
    let listed = library.join(listed);
    let dependencies = fs::read_to_string(&listed).map_err(|error| format!("{}: {error}", listed.display()))?;
    let mut command = Command::new("java");
    command.arg("-cp").arg(class_path(&library, &dependencies)?);
    command.arg(format!("-Djna.library.path={}", rust.display())).arg(CALLS).arg(phone);
    Ok(command)
}

/// The classes of the library and its tests, and what Maven says they depend on.
fn class_path(library: &Path, dependencies: &str) -> Result<OsString, String> {
    let own = ["test-classes", "classes"].map(|folder| library.join("target").join(folder));
    let others = std::env::split_paths(dependencies.trim()).collect::<Vec<PathBuf>>();
    std::env::join_paths(own.into_iter().chain(others)).map_err(|error| error.to_string())
}

fn maven_in(tree: &Path) -> Command {
    let mut command = Command::new("mvn");
    command.args(["--batch-mode", "--quiet", "--file"]).arg(tree.join("android/pom.xml"));
    command
}

fn maven(built: &Built, arguments: &[&str]) -> Result<(), String> {
    run(maven_in(&built.tree)
        .arg(format!("-Dvestibule.library.path={}", built.folder().display()))
        .arg(format!("-Dvestibule.command={}", built.command().display()))
        .arg(format!("-Dvestibule.repository={}", built.tree.display()))
        .args(arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_of_the_library_come_before_what_they_depend_on() {
        let path = class_path(Path::new("/library"), "/a.jar:/b.jar\n").expect("no colon in a name");
        assert_eq!(path, "/library/target/test-classes:/library/target/classes:/a.jar:/b.jar");
    }
}
