//! The pictures in the README: real screenshots of what the demo serves and prints, taken by Chromium.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::shell::{cargo, output, run, which};

const PLACE: &str = "docs/pictures";
const WORK: &str = "target/pictures";

/// Runs the demo and takes the pictures.
pub fn take() -> Result<(), String> {
    let chromium = ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find_map(which)
        .ok_or("pictures are taken with Chromium; please install it (Debian: chromium fonts-noto fonts-noto-cjk)")?;
    run(cargo().args(["build", "--release", "--locked", "--bin", "vestibule"]))?;
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

    let list = output(Command::new("target/release/vestibule").args(["phone", "--store"]).args([
        &format!("{WORK}/demo/phone/ada.db"),
        "list",
        "--json",
    ]))?;
    let terminal = format!("{WORK}/list.html");
    fs::write(&terminal, terminal_page("vestibule phone --store ada.db list", &list)?)
        .map_err(|error| error.to_string())?;
    let terminal = Path::new(&terminal).canonicalize().map_err(|error| error.to_string())?;
    shoot(&format!("file://{}", terminal.display()), "860,400", false, "phone-list.png")
}

/// A terminal's look, with real columns: a browser's fonts keep no cells for scripts of every width.
fn terminal_page(command: &str, list: &str) -> Result<String, String> {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    let visits: Vec<serde_json::Value> = serde_json::from_str(list).map_err(|error| error.to_string())?;
    let row = |visit: &serde_json::Value| {
        let text = |field: &str| visit[field].as_str().unwrap_or_default().to_owned();
        let when = match text("start") {
            start if start.is_empty() => "any time".to_owned(),
            start => format!("{} {}–{}", &start[..10], &start[11..16], text("end").get(11..16).unwrap_or_default()),
        };
        let cells = [text("status"), when, text("name"), text("company"), text("site")];
        let cells: Vec<String> = cells.iter().map(|cell| format!("<td><bdi>{}</bdi></td>", escape(cell))).collect();
        format!("<tr>{}</tr>", cells.concat())
    };
    let rows: String = visits.iter().map(row).collect::<Vec<_>>().concat();
    Ok(format!(
        "<!doctype html><meta charset=utf-8><style>body{{margin:0;background:#12161d;color:#d7dde6;padding:18px 22px;\
         font:14px/1.55 'Noto Sans Mono','DejaVu Sans Mono',monospace}}table{{border-spacing:0;white-space:nowrap}}\
         td,th{{padding:0 22px 0 0;text-align:left;font-weight:400}}th{{color:#7fb0ff}}p{{margin:0 0 8px}}\
         b{{color:#8be28b;font-weight:400}}</style><p><b>$</b> {}</p><table><tr><th>STATUS<th>WHEN<th>VISITOR\
         <th>COMPANY<th>SITE</tr>{rows}</table>",
        escape(command)
    ))
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
