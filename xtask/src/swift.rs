//! The Swift package in `ios/`: finding a Swift that can build it, and running its tests.
//!
//! A Swift on the PATH is taken first. On a Debian machine without one, root gets Debian 13's `swiftlang` in a chroot of
//! its own, kept in the cache folder: nothing of the machine itself is changed. A run there happens in mount and process
//! namespaces of its own, so that its mounts and programs are gone when it ends, however it ends.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::built::Built;
use crate::shell::{output, run, which};
use crate::tools::{self, Program};

/// The package's manifest asks for this version.
const OLDEST: u32 = 6;

/// The Debian release whose `swiftlang` is new enough.
const RELEASE: &str = "trixie";
const PACKAGES: &[&str] =
    &["swiftlang", "libc6-dev", "libstdc++-14-dev", "gcc", "g++", "git", "openssl", "tzdata", "ca-certificates"];
const DEBOOTSTRAP: Program =
    Program { name: "debootstrap", package: "debootstrap", serves: "makes the chroot that holds Swift" };

/// The package within the tree, and what of it is formatted: all but what is generated.
const PACKAGE: &str = "ios";
const SOURCES: &[&str] = &["Package.swift", "Sources/Vestibule", "Bench", "Tests", "App"];
/// The program that makes calls for the bench.
const CALLS: &str = "VestibuleBench";

/// Where a chroot sees the tree, what cargo built, and what Swift builds.
const TREE: &str = "/vestibule/tree";
const BUILT: &str = "/vestibule/built";
const SCRATCH: &str = "/vestibule/scratch";

/// Runs `$6…` in the chroot `$1` with the tree `$2` and cargo's output `$3` to be read and the folder `$4` to be written.
/// The mounts are the namespace's own.
const ENTER: &str = r#"
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
mount -t tmpfs tmpfs "$1/tmp"
mount --bind "$2" "$1/vestibule/tree"
mount -o remount,bind,ro "$1/vestibule/tree"
mount --bind "$3" "$1/vestibule/built"
mount -o remount,bind,ro "$1/vestibule/built"
mount --bind "$4" "$1/vestibule/scratch"
root=$1
shift 4
chroot "$root" /usr/bin/env --chdir=/vestibule/tree/ios -i "$@"
"#;

/// A Swift that can build the package.
#[derive(Debug, Clone)]
pub enum Swift {
    /// The machine's own, of that version.
    Machine(String),
    /// The folder of a chroot that has one.
    Chroot(PathBuf),
}

impl std::fmt::Display for Swift {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Machine(version) => write!(f, "on the PATH: {version}"),
            Self::Chroot(root) => write!(f, "{}", root.display()),
        }
    }
}

/// Runs the package's tests with the Rust library and the command as cargo builds them for tests.
pub fn test() -> Result<(), String> {
    let swift = find_or_install()?;
    let built = Built::all()?;
    swift.test(&Folders { tree: &built.tree, built: &built.folder(), scratch: &built.target.join("swift") })
}

/// Compiles the package and the program that makes calls for the bench, optimised, and gives the command that makes them
/// on the phone in the folder `phone` of `scratch`, with the Rust library in `rust`. All are absolute.
pub fn calls(tree: &Path, rust: &Path, scratch: &Path, phone: &str) -> Result<Command, String> {
    let swift = find_or_install()?;
    let folders = Folders { tree, built: rust, scratch };
    fs::create_dir_all(scratch).map_err(|error| format!("{}: {error}", scratch.display()))?;
    let build = swift.package(&folders, "build", &["--configuration", "release", "--product", CALLS]);
    // The output is the bench's table's.
    run(swift.command(&folders, &build).stdout(std::io::stderr()))?;
    let seen = swift.seen(&folders).scratch;
    Ok(swift.command(&folders, &[seen.join("package/release").join(CALLS).into(), seen.join(phone).into()]))
}

/// Finds Swift, or installs it where that can be done.
pub fn find_or_install() -> Result<Swift, String> {
    if which("swift").is_some() {
        let said = output(Command::new("swift").arg("--version"))?;
        let major: Option<u32> =
            said.split("Swift version ").nth(1).and_then(|rest| rest.split('.').next()?.parse().ok());
        let version = said.lines().next().unwrap_or_default().to_owned();
        return match major {
            Some(major) if major >= OLDEST => Ok(Swift::Machine(version)),
            _ => Err(format!("the Swift on the PATH is too old ({version}); please install Swift {OLDEST} or newer")),
        };
    }
    let root = tools::cache()?.join(format!("swift-{RELEASE}"));
    if root.is_dir() {
        return Ok(Swift::Chroot(root));
    }
    if which("apt-get").is_none() || !tools::is_root()? {
        return Err(format!(
            "the tests of the Swift package need Swift {OLDEST} or newer on the PATH (https://www.swift.org/install); \
             only on Debian, and as root, can this program install it by itself"
        ));
    }
    tools::require(&[DEBOOTSTRAP])?;
    make_chroot(&root)?;
    Ok(Swift::Chroot(root))
}

/// Makes the chroot whole or not at all: under another name first.
fn make_chroot(root: &Path) -> Result<(), String> {
    let mirror = mirror()?;
    let unfinished = root.with_extension("new");
    eprintln!("xtask: installing Swift in {} (3.4 GB, once; it takes some minutes)", root.display());
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).map_err(|error| error.to_string())?;
    }
    // Packages are set up with the chroot's own /proc mounted; the namespaces take it away again.
    let script = r#"
        root=$1; release=$2; mirror=$3; shift 3
        debootstrap --variant=minbase "$release" "$root" "$mirror"
        mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
        export DEBIAN_FRONTEND=noninteractive
        chroot "$root" apt-get -qq -o Dpkg::Use-Pty=0 install -y --no-install-recommends "$@"
        chroot "$root" apt-get clean
        mkdir -p "$root/vestibule/tree" "$root/vestibule/built" "$root/vestibule/scratch"
    "#;
    let mut arguments = vec![unfinished.as_os_str(), OsStr::new(RELEASE), OsStr::new(&mirror)];
    arguments.extend(PACKAGES.iter().map(OsStr::new));
    run(&mut in_namespaces(script, &arguments))?;
    fs::rename(&unfinished, root).map_err(|error| format!("could not name {}: {error}", root.display()))
}

/// A shell script as the first process of its own mount and process namespaces.
fn in_namespaces(script: &str, arguments: &[&OsStr]) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--pid", "--fork", "--kill-child", "sh", "-euc", script, "sh"]).args(arguments);
    command
}

/// The Debian mirror that the machine itself uses.
fn mirror() -> Result<String, String> {
    let format = "$(LABEL) $(COMPONENT) $(REPO_URI)";
    let targets = output(Command::new("apt-get").args(["indextargets", "--format", format, "Created-By: Packages"]))?;
    targets
        .lines()
        .find_map(|line| line.strip_prefix("Debian main "))
        .map(str::to_owned)
        .ok_or_else(|| format!("apt knows no mirror of Debian; please install Swift {OLDEST} or newer"))
}

/// The folders that commands of the package work with, all absolute.
struct Folders<'a> {
    /// The repository.
    tree: &'a Path,
    /// Where cargo has put `libvestibule_ffi.so` and `vestibule`.
    built: &'a Path,
    /// Where Swift builds.
    scratch: &'a Path,
}

impl Swift {
    /// Builds the package and runs its tests, then looks whether the app's screens are Swift, and all of it well formed.
    fn test(&self, folders: &Folders) -> Result<(), String> {
        self.run(folders, &self.package(folders, "test", &[]))?;

        // SwiftUI exists on Apple's systems only: elsewhere the screens can be parsed, but not compiled.
        let mut parse = words(&["swiftc", "-parse", "-swift-version", "6", "-warnings-as-errors"]);
        parse.extend(screens(folders.tree)?);
        self.run(folders, &parse)?;

        let mut lint = words(&["swift", "format", "lint", "--strict", "--recursive"]);
        lint.extend(words(SOURCES));
        self.run(folders, &lint)?;
        self.check_documentation(folders)
    }

    /// A command of Swift's package manager. Each has the same settings: a plan of the build that is kept from one
    /// command is taken by the next, whatever that one says.
    fn package(&self, folders: &Folders, command: &str, arguments: &[&str]) -> Vec<OsString> {
        let seen = self.seen(folders);
        let mut library = OsString::from("-L");
        library.push(&seen.built);
        let mut all = words(&["swift", command, "--scratch-path"]);
        all.extend([seen.scratch.join("package").into(), "-Xlinker".into(), library]);
        if !cfg!(target_os = "macos") {
            // Observation's own library leaves symbols to be found later, which the linker must allow.
            all.extend(words(&["-Xlinker", "--allow-shlib-undefined"]));
        }
        all.extend(words(arguments));
        all
    }

    /// Every public name has a comment.
    fn check_documentation(&self, folders: &Folders) -> Result<(), String> {
        let graph = ["dump-symbol-graph", "--minimum-access-level", "public", "--skip-synthesized-members"];
        let graph = self.package(folders, "package", &graph);
        self.run(folders, &graph)?;
        let package = folders.scratch.join("package");
        let graph = find(&package, "Vestibule.symbols.json")?.ok_or("Swift wrote no symbol graph of the package")?;
        let graph = fs::read_to_string(graph).map_err(|error| error.to_string())?;
        let graph: serde_json::Value = serde_json::from_str(&graph).map_err(|error| error.to_string())?;
        let symbols = graph["symbols"].as_array().filter(|symbols| symbols.len() > 100);
        let bare = |symbol: &&serde_json::Value| symbol["docComment"].is_null() && !symbol["location"].is_null();
        let names = symbols.ok_or("the symbol graph of the package holds no symbols")?.iter().filter(bare);
        let names: Vec<String> = names.map(|symbol| format!("  {}", path_of(symbol))).collect();
        if names.is_empty() {
            return Ok(());
        }
        Err(format!("public names of the Swift package have no comment:\n{}", names.join("\n")))
    }

    /// The folders as Swift sees them.
    fn seen(&self, folders: &Folders) -> SeenFolders {
        match self {
            Self::Machine(_) => SeenFolders {
                tree: folders.tree.to_owned(),
                built: folders.built.to_owned(),
                scratch: folders.scratch.to_owned(),
            },
            Self::Chroot(_) => SeenFolders { tree: TREE.into(), built: BUILT.into(), scratch: SCRATCH.into() },
        }
    }

    /// Runs a command in the package's folder.
    fn run(&self, folders: &Folders, command: &[OsString]) -> Result<(), String> {
        fs::create_dir_all(folders.scratch).map_err(|error| error.to_string())?;
        run(&mut self.command(folders, command))
    }

    /// A command in the package's folder, with the environment the tests need.
    fn command(&self, folders: &Folders, command: &[OsString]) -> Command {
        let seen = self.seen(folders);
        let mut environment: Vec<(&str, OsString)> = vec![
            ("VESTIBULE_COMMAND", seen.built.join("vestibule").into()),
            ("VESTIBULE_TREE", seen.tree.into()),
            ("LD_LIBRARY_PATH", seen.built.into()),
        ];
        match self {
            Self::Machine(_) => {
                let mut all = Command::new(&command[0]);
                all.args(&command[1..]).envs(environment).current_dir(folders.tree.join(PACKAGE));
                all
            }
            Self::Chroot(root) => {
                environment.push(("PATH", "/usr/bin:/bin".into()));
                environment.push(("HOME", seen.scratch.join("home").into()));
                environment.push(("LANG", "C.UTF-8".into()));
                let environment: Vec<OsString> = environment
                    .into_iter()
                    .map(|(name, value)| {
                        let mut pair = OsString::from(name);
                        pair.push("=");
                        pair.push(value);
                        pair
                    })
                    .collect();
                let places = [root, folders.tree, folders.built, folders.scratch].map(Path::as_os_str);
                let words: Vec<&OsStr> =
                    places.into_iter().chain(environment.iter().chain(command).map(OsString::as_os_str)).collect();
                in_namespaces(ENTER, &words)
            }
        }
    }
}

struct SeenFolders {
    tree: PathBuf,
    built: PathBuf,
    scratch: PathBuf,
}

/// The app's Swift files, as seen from the package.
fn screens(tree: &Path) -> Result<Vec<OsString>, String> {
    let entries =
        fs::read_dir(tree.join(PACKAGE).join("App")).map_err(|error| format!("could not list ios/App: {error}"))?;
    let names = entries.map(|entry| entry.map(|entry| entry.file_name())).collect::<Result<Vec<_>, _>>();
    let mut names = names.map_err(|error| error.to_string())?;
    names.retain(|name| Path::new(name).extension().is_some_and(|end| end == "swift"));
    names.sort();
    Ok(names.into_iter().map(|name| Path::new("App").join(name).into_os_string()).collect())
}

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

/// A symbol's name within its module.
fn path_of(symbol: &serde_json::Value) -> String {
    let parts = symbol["pathComponents"].as_array().into_iter().flatten();
    parts.filter_map(serde_json::Value::as_str).collect::<Vec<_>>().join(".")
}

/// The file of that name under a folder, links left aside.
fn find(dir: &Path, name: &str) -> Result<Option<PathBuf>, String> {
    for entry in fs::read_dir(dir).map_err(|error| format!("could not list {}: {error}", dir.display()))? {
        let entry = entry.map_err(|error| error.to_string())?;
        let found = match entry.file_type().map_err(|error| error.to_string())? {
            kind if kind.is_dir() => find(&entry.path(), name)?,
            _ => Some(entry.path()).filter(|path| path.ends_with(name)),
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}
