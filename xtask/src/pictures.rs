//! The pictures in the README: real screenshots of what the demo serves and prints, taken by Chromium.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::shell::{output, run, which};

const PLACE: &str = "docs/pictures";
const WORK: &str = "target/pictures";

/// Runs the demo and takes the pictures.
pub fn take() -> Result<(), String> {
    let chromium = ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find_map(which)
        .ok_or("pictures are taken with Chromium; please install it (Debian: chromium fonts-noto fonts-noto-cjk)")?;
    run(Command::new(env!("CARGO")).args(["build", "--release", "--locked", "--bin", "vestibule"]))?;
    fs::create_dir_all(PLACE).map_err(|error| error.to_string())?;
    fs::create_dir_all(WORK).map_err(|error| error.to_string())?;
    let mut demo = Demo::start()?;
    let page = demo.wait_for("'s page: ")?;
    demo.wait_for("Ctrl-C ends it")?;

    let shoot = |address: &str, size: &str, dark: bool, name: &str| {
        let profile = format!("{WORK}/chromium");
        let mut command = Command::new(&chromium);
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]);
        command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
        command.args(["--hide-scrollbars", "--force-device-scale-factor=2"]);
        if dark {
            command.args(["--blink-settings=preferredColorScheme=0"]);
        }
        command.arg(format!("--user-data-dir={profile}")).arg(format!("--window-size={size}"));
        command.arg(format!("--screenshot={PLACE}/{name}")).arg(address);
        run(command.stdout(Stdio::null()).stderr(Stdio::null()))
    };
    shoot(&page, "390,1010", false, "visitor-page.png")?;
    shoot(&page, "390,1010", true, "visitor-page-dark.png")?;

    let list = output(
        Command::new("target/release/vestibule")
            .args(["phone", "--store"])
            .args([&format!("{WORK}/demo/phone/ada.db"), "list"]),
    )?;
    let terminal = format!("{WORK}/list.html");
    fs::write(&terminal, terminal_page("vestibule phone --store ada.db list", &list))
        .map_err(|error| error.to_string())?;
    let terminal = Path::new(&terminal).canonicalize().map_err(|error| error.to_string())?;
    shoot(&format!("file://{}", terminal.display()), "1180,420", false, "phone-list.png")
}

/// A terminal's look: each line a row of cells, so that scripts of every width stay in their columns.
fn terminal_page(command: &str, text: &str) -> String {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    let row = |line: &str| {
        let cells: Vec<String> = line
            .split("  ")
            .map(str::trim)
            .filter(|cell| !cell.is_empty())
            .map(|cell| format!("<td><bdi>{}</bdi></td>", escape(cell)))
            .collect();
        format!("<tr>{}</tr>", cells.concat())
    };
    let rows: String = text.lines().map(row).collect::<Vec<_>>().concat();
    format!(
        "<!doctype html><meta charset=utf-8><style>body{{margin:0;background:#12161d;color:#d7dde6;padding:18px 22px;\
         font:14px/1.55 'Noto Sans Mono','DejaVu Sans Mono',monospace}}table{{border-spacing:0;white-space:nowrap}}\
         td{{padding:0 22px 0 0}}tr:first-child{{color:#7fb0ff}}p{{margin:0 0 8px}}b{{color:#8be28b;font-weight:400}}\
         </style><p><b>$</b> {}</p><table>{rows}</table>",
        escape(command)
    )
}

/// The demo, running.
struct Demo {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Demo {
    fn start() -> Result<Self, String> {
        let mut child = Command::new("target/release/vestibule")
            .args(["demo", "--dir", &format!("{WORK}/demo")])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let lines = BufReader::new(child.stdout.take().expect("its output is piped")).lines();
        Ok(Self { child, lines })
    }

    /// What stands behind the mark on the first line that has it.
    fn wait_for(&mut self, mark: &str) -> Result<String, String> {
        for line in self.lines.by_ref() {
            let line = line.map_err(|error| error.to_string())?;
            writeln!(std::io::stderr(), "{line}").map_err(|error| error.to_string())?;
            if let Some((_, rest)) = line.split_once(mark) {
                return Ok(rest.trim().to_owned());
            }
        }
        Err(format!("the demo ended before it said `{mark}`"))
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Ctrl-C: the demo ends its hub with itself.
        let _ = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}
