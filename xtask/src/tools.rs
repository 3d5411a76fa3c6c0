//! What the tests need beyond Rust: found on the machine, or installed where that can be done, else an error that says
//! what to install. A missing tool is never a skipped test.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shell::{output, run, which};

/// A program of another project, and the Debian package that holds it.
pub struct Program {
    /// The command.
    pub name: &'static str,
    /// The package.
    pub package: &'static str,
    /// What it is for.
    pub serves: &'static str,
}

const PROGRAMS: &[Program] = &[
    Program { name: "openssl", package: "openssl", serves: "checks the signature of every Apple pass" },
    Program { name: "zbarimg", package: "zbar-tools", serves: "reads every QR code back" },
    Program { name: "faketime", package: "faketime", serves: "gives hubs and phones a wrong clock" },
    Program { name: "python3", package: "python3", serves: "takes Google's schema out of its package" },
    Program { name: "pip3", package: "python3-pip", serves: "fetches the package that holds Google's schema" },
    Program { name: "perl", package: "perl", serves: "builds the OpenSSL inside SQLCipher" },
    Program { name: "make", package: "make", serves: "builds the OpenSSL inside SQLCipher" },
    Program { name: "cc", package: "gcc", serves: "builds SQLCipher" },
];

/// The package that carries Google's discovery documents, and the file within.
const DISCOVERY_PACKAGE: &str = "google-api-python-client==2.179.0";
const DISCOVERY_FILE: &str = "googleapiclient/discovery_cache/documents/walletobjects.v1.json";

/// Where everything is.
pub struct Tools {
    /// Google's discovery document of the Wallet API.
    pub discovery: PathBuf,
}

impl fmt::Display for Tools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for program in PROGRAMS {
            let place = which(program.name).unwrap_or_default();
            writeln!(f, "{:<10} {:<28} {}", program.name, place.display(), program.serves)?;
        }
        write!(f, "{:<10} {}", "discovery", self.discovery.display())
    }
}

/// Finds every tool, installing what is missing.
pub fn find_or_install() -> Result<Tools, String> {
    require(PROGRAMS)?;
    Ok(Tools { discovery: discovery()? })
}

/// Installs those programs that are missing.
pub fn require(programs: &[Program]) -> Result<(), String> {
    let missing: Vec<&Program> = programs.iter().filter(|program| which(program.name).is_none()).collect();
    if missing.is_empty() { Ok(()) } else { install_programs(&missing) }
}

/// Whether this program may install others.
pub fn is_root() -> Result<bool, String> {
    Ok(output(Command::new("id").arg("-u"))?.trim() == "0")
}

fn install_programs(missing: &[&Program]) -> Result<(), String> {
    let packages: Vec<&str> = missing.iter().map(|program| program.package).collect();
    let wanted = || {
        let lines: Vec<String> =
            missing.iter().map(|p| format!("  {} ({}): {}", p.name, p.package, p.serves)).collect();
        format!("the tests need these programs; please install them:\n{}", lines.join("\n"))
    };
    install(&packages, wanted)?;
    if missing.iter().any(|program| which(program.name).is_none()) { Err(wanted()) } else { Ok(()) }
}

/// Installs Debian packages; where that cannot be done, the error is what a person has to install.
pub fn install(packages: &[&str], wanted: impl FnOnce() -> String) -> Result<(), String> {
    if which("apt-get").is_none() || !is_root()? {
        return Err(wanted());
    }
    eprintln!("xtask: installing {}", packages.join(", "));
    let quiet = |arguments: &[&str]| {
        run(Command::new("apt-get")
            .args(["-qq", "-o", "Dpkg::Use-Pty=0"])
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive"))
    };
    quiet(&["update"])?;
    quiet(&[&["install", "-y", "--no-install-recommends"], packages].concat())
}

/// The folder for what is fetched, outside the tree: `$XDG_CACHE_HOME/vestibule` or `~/.cache/vestibule`.
pub fn cache() -> Result<PathBuf, String> {
    let base = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache")))
        .ok_or("neither XDG_CACHE_HOME nor HOME is set, so there is no folder to keep tools in")?;
    let dir = base.join("vestibule");
    fs::create_dir_all(&dir).map_err(|error| format!("could not make {}: {error}", dir.display()))?;
    Ok(dir)
}

/// Google's discovery document, taken out of its Python package; nothing of the package is run.
fn discovery() -> Result<PathBuf, String> {
    let cache = cache()?;
    let kept = cache.join("walletobjects.v1.json");
    if kept.is_file() {
        return Ok(kept);
    }
    eprintln!("xtask: fetching {DISCOVERY_PACKAGE}");
    let dir = cache.join("download");
    run(Command::new("pip3")
        .args(["download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest"])
        .arg(&dir)
        .arg(DISCOVERY_PACKAGE))?;
    let wheel = fs::read_dir(&dir)
        .map_err(|error| error.to_string())?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|end| end == "whl"))
        .ok_or_else(|| format!("{DISCOVERY_PACKAGE} brought no wheel"))?;
    let script = "import sys, zipfile; sys.stdout.buffer.write(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]))";
    let text = output(Command::new("python3").args(["-c", script]).arg(&wheel).arg(DISCOVERY_FILE))?;
    let unfinished = cache.join("walletobjects.v1.json.new");
    fs::write(&unfinished, text).and_then(|()| fs::rename(&unfinished, &kept)).map_err(|error| error.to_string())?;
    fs::remove_dir_all(&dir).map_err(|error| error.to_string())?;
    Ok(kept)
}
