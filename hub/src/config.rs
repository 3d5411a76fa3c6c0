//! The hub's data directory and its settings.
//!
//! `DIR/vestibule.toml` is written with comments at first start and read by every command; beside it stand `hub.db`,
//! `keys/ORGANISATION/…` and `mail/`. Organisations, sites and members are rows of the database, not settings: the
//! settings hold what the operator decides, and only he can know (addresses, the mail server, bought certificates).

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use ipnet::{IpNet, Ipv4Net};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use url::Url;
use vestibule_core::id::OrganisationId;

/// Where a new hub listens: this machine only, until the operator decides otherwise.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8480);

/// The settings or the directory cannot be used; a sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The directory or a file in it could not be read or made.
    #[error("{path} cannot be used: {source}. Check that it exists and that this user may write there.")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The directory has no settings: no hub was ever started or made there.
    #[error("{0} holds no hub yet. Make one with `vestibule admin --dir {0} init --sample`, or name another --dir.")]
    NoHub(PathBuf),
    /// The settings cannot be read.
    #[error("{path} cannot be read: {message}\nCorrect the file, or move it away to have a new one written.")]
    Settings {
        /// The settings file.
        path: PathBuf,
        /// Where and what, from the TOML reader or from our own checks.
        message: String,
    },
    /// Another hub runs on this directory.
    #[error("another hub is already running on {0}. Stop it first, or name another --dir.")]
    Running(PathBuf),
}

/// The settings of a hub, as in `vestibule.toml`. Unknown keys are refused.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the hub listens.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// The address phones, visitors and approvers reach the hub under, without a path.
    pub public_url: Url,
    /// The sender of mails, as in a `From` header: `Example AG <visitors@example.com>`.
    pub mail_from: String,
    /// Where mails are written as `.eml` while there is no SMTP server; relative to the data directory.
    #[serde(default = "default_mail_folder")]
    pub mail_folder: PathBuf,
    /// A directory with newer time zone tables than the system's and those built in; relative to the data directory.
    pub zoneinfo: Option<PathBuf>,
    /// The mail server.
    pub smtp: Option<Smtp>,
    /// Reverse proxies that are believed when they say for whom they ask: addresses or networks.
    #[serde(default = "default_trusted_proxies", deserialize_with = "networks")]
    pub trusted_proxies: Vec<IpNet>,
    /// How the log is written.
    #[serde(default)]
    pub log: LogFormat,
    /// How much anybody may ask of the hub.
    #[serde(default)]
    pub limits: Limits,
    /// What differs from one organisation to the next.
    #[serde(default)]
    pub organisations: BTreeMap<OrganisationId, OrganisationConfig>,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// A line for people.
    #[default]
    Text,
    /// A JSON object a line, for programs that collect logs.
    Json,
}

/// How much anybody may ask of the hub. What a phone sends beyond its share is not lost: it sends it later.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections at a time; fewer where the system gives fewer files.
    pub connections: usize,
    /// Connections at a time from one address that is no trusted proxy's.
    pub connections_per_address: usize,
    /// Sign-ins, pages and passes one address may ask for in a minute, on average.
    pub requests_per_minute: u32,
    /// Invitations one phone may send in an hour.
    pub visits_per_hour: u64,
    /// Invitations one phone may send in a day.
    pub visits_per_day: u64,
    /// Changes and requests one phone may send in an hour.
    pub changes_per_hour: u64,
    /// Changes and requests one phone may send in a day.
    pub changes_per_day: u64,
    /// Megabytes one phone may send in an hour.
    pub megabytes_per_hour: u64,
    /// Megabytes one phone may send in a day.
    pub megabytes_per_day: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4_096,
            connections_per_address: 256,
            requests_per_minute: 600,
            visits_per_hour: 20_000,
            visits_per_day: 50_000,
            changes_per_hour: 100_000,
            changes_per_day: 300_000,
            megabytes_per_hour: 256,
            megabytes_per_day: 1_024,
        }
    }
}

/// The mail server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Smtp {
    /// Its name.
    pub host: String,
    /// Its port; by default the one that belongs to `tls`: 25, 587 or 465.
    pub port: Option<u16>,
    /// How the connection is protected.
    #[serde(default)]
    pub tls: SmtpTls,
    /// The account, if the server wants one.
    pub user: Option<String>,
    /// A file that holds the account's password and nothing else; relative to the data directory.
    pub password_file: Option<PathBuf>,
}

/// How the connection to the mail server is protected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmtpTls {
    /// Not at all: only for a server on the same machine.
    None,
    /// `STARTTLS`, required (RFC 3207).
    #[default]
    Starttls,
    /// TLS from the first byte (RFC 8314).
    Implicit,
}

impl Smtp {
    /// The port to connect to.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.tls {
            SmtpTls::None => 25,
            SmtpTls::Starttls => 587,
            SmtpTls::Implicit => 465,
        })
    }
}

/// What differs from one organisation to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrganisationConfig {
    /// The sender of its mails, in place of the hub's.
    pub mail_from: Option<String>,
    /// Its own Apple certificate; without it passes are signed by a chain of our own, which real phones refuse.
    pub apple: Option<Apple>,
    /// Its own Google Wallet issuer; without it links are signed by a key Google does not know.
    pub google: Option<Google>,
}

/// An Apple pass type certificate.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Apple {
    /// Where `pass-certificate.pem`, `pass-key.pem` and `wwdr.pem` are; relative to the data directory.
    pub directory: PathBuf,
    /// The pass type the certificate is for: `pass.com.example.visitor`.
    pub pass_type_identifier: String,
    /// The team the certificate belongs to.
    pub team_identifier: String,
}

/// A Google Wallet issuer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Google {
    /// Where `google-service-account.json` is, as Google Cloud gives it out; relative to the data directory.
    pub directory: PathBuf,
    /// The issuer's number from the Google Pay & Wallet Console.
    pub issuer_id: String,
}

fn default_listen() -> SocketAddr {
    DEFAULT_LISTEN
}

fn default_mail_folder() -> PathBuf {
    "mail".into()
}

fn default_trusted_proxies() -> Vec<IpNet> {
    let v4 = Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8);
    vec![v4.into(), IpNet::from(IpAddr::V6(Ipv6Addr::LOCALHOST))]
}

/// Networks as `10.0.0.0/8`, or single addresses.
fn networks<'de, D: Deserializer<'de>>(reader: D) -> Result<Vec<IpNet>, D::Error> {
    let texts = Vec::<String>::deserialize(reader)?;
    let network = |text: &String| {
        text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).map_err(|_| {
            D::Error::custom(format!("`{text}` is not an address or a network; write 10.0.0.7 or 10.0.0.0/8"))
        })
    };
    texts.iter().map(network).collect()
}

impl Config {
    /// The sender of an organisation's mails.
    pub fn mail_from(&self, organisation: &OrganisationId) -> &str {
        self.organisations.get(organisation).and_then(|own| own.mail_from.as_deref()).unwrap_or(&self.mail_from)
    }

    /// The text of a new settings file: every setting, explained, those that are not set as comments.
    pub fn template(listen: SocketAddr, public_url: &Url, mail_from: &str) -> String {
        TEMPLATE
            .replace("{listen}", &listen.to_string())
            .replace("{public_url}", public_url.as_str().trim_end_matches('/'))
            .replace("{mail_from}", &toml::Value::from(mail_from).to_string())
    }

    /// Reads settings; `path` is only for the message.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let wrong = |message: String| ConfigError::Settings { path: path.to_owned(), message };
        let config: Self = toml::from_str(text).map_err(|error| {
            let advice =
                did_you_mean(error.message()).map_or_else(String::new, |name| format!("\nDid you mean `{name}`?"));
            wrong(format!("{error}{advice}"))
        })?;
        if let Some(limit) = config.limits.unusable() {
            return Err(wrong(format!("`limits.{limit}` must be at least 1")));
        }
        let url = &config.public_url;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(wrong("`public_url` must begin with https:// (or http:// to try things out)".into()));
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
            return Err(wrong("`public_url` is a scheme, a host and a port, with nothing behind them".into()));
        }
        let senders =
            std::iter::once(("mail_from".to_owned(), &config.mail_from)).chain(config.organisations.iter().filter_map(
                |(id, own)| own.mail_from.as_ref().map(|from| (format!("organisations.{id}.mail_from"), from)),
            ));
        for (key, from) in senders {
            if from.parse::<vestibule_core::address::Mailbox>().is_err() {
                return Err(wrong(format!("`{key}` must look like \"Example AG <visitors@example.com>\"")));
            }
        }
        Ok(config)
    }
}

impl Limits {
    /// The name of a limit nobody could live with.
    fn unusable(&self) -> Option<&'static str> {
        let all = [
            ("connections", self.connections as u64),
            ("connections_per_address", self.connections_per_address as u64),
            ("requests_per_minute", self.requests_per_minute.into()),
            ("visits_per_hour", self.visits_per_hour),
            ("visits_per_day", self.visits_per_day),
            ("changes_per_hour", self.changes_per_hour),
            ("changes_per_day", self.changes_per_day),
            ("megabytes_per_hour", self.megabytes_per_hour),
            ("megabytes_per_day", self.megabytes_per_day),
        ];
        all.into_iter().find(|(_, limit)| *limit == 0).map(|(name, _)| name)
    }
}

/// The known name that is most like the unknown one, from serde's own words: "unknown field `x`, expected `a` or `b`".
fn did_you_mean(message: &str) -> Option<String> {
    if !message.starts_with("unknown ") {
        return None;
    }
    let mut names = message.split('`').skip(1).step_by(2);
    let unknown = names.next()?;
    let alike = names.map(|name| (strsim::jaro_winkler(unknown, name), name));
    let (likeness, name) = alike.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (likeness > 0.7).then(|| name.to_owned())
}

/// A hub's data directory.
#[derive(Debug, Clone)]
pub struct DataDir(PathBuf);

impl DataDir {
    /// The directory of a hub that was made before.
    ///
    /// # Errors
    /// [`ConfigError::NoHub`] if there is no settings file in it.
    pub fn open(path: &Path) -> Result<Self, ConfigError> {
        let dir = Self(path.to_owned());
        match dir.settings().try_exists() {
            Ok(true) => Ok(dir),
            Ok(false) => Err(ConfigError::NoHub(path.to_owned())),
            Err(source) => Err(ConfigError::Io { path: dir.settings(), source }),
        }
    }

    /// The directory, made with its settings if it is not there. Nobody but this user gets in.
    #[expect(clippy::missing_panics_doc, reason = "it never panics, see the `expect`")]
    pub fn open_or_create(path: &Path, listen: Option<SocketAddr>) -> Result<Self, ConfigError> {
        let dir = Self(path.to_owned());
        let fails = |path: PathBuf| move |source| ConfigError::Io { path, source };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(fails(path.to_owned()))?;
        if dir.settings().try_exists().map_err(fails(dir.settings()))? {
            return Ok(dir);
        }
        // First start: the directory may have been there, made with a wider mode.
        fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(fails(path.to_owned()))?;
        // Port 0 means "any free port" for this run; no address can be made of it.
        let listen = listen.filter(|listen| listen.port() != 0).unwrap_or(DEFAULT_LISTEN);
        let reached =
            if listen.ip().is_unspecified() { SocketAddr::new(DEFAULT_LISTEN.ip(), listen.port()) } else { listen };
        let public_url = Url::parse(&format!("http://{reached}")).expect("a socket address makes a URL");
        dir.write_settings(&Config::template(listen, &public_url, "Vestibule <visitors@localhost>"))?;
        Ok(dir)
    }

    /// Puts a settings file in place, whole or not at all.
    pub fn write_settings(&self, text: &str) -> Result<(), ConfigError> {
        let path = self.settings();
        let fails = |source| ConfigError::Io { path: path.clone(), source };
        let unfinished = self.0.join(".vestibule.toml.new");
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished).map_err(fails)?;
        file.write_all(text.as_bytes()).map_err(fails)?;
        file.sync_all().map_err(fails)?;
        fs::rename(&unfinished, &path).map_err(fails)?;
        File::open(&self.0).and_then(|dir| dir.sync_all()).map_err(fails)
    }

    /// The settings, read anew.
    pub fn config(&self) -> Result<Config, ConfigError> {
        let path = self.settings();
        let text = fs::read_to_string(&path).map_err(|source| ConfigError::Io { path: path.clone(), source })?;
        Config::parse(&text, &path)
    }

    /// Takes the right to serve this directory until the file is dropped: two senders would send every mail twice.
    pub fn lock(&self) -> Result<File, ConfigError> {
        let path = self.0.join("serve.lock");
        let fails = |source| ConfigError::Io { path: path.clone(), source };
        let file =
            OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path).map_err(fails)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(fs::TryLockError::WouldBlock) => Err(ConfigError::Running(self.0.clone())),
            Err(fs::TryLockError::Error(source)) => Err(fails(source)),
        }
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A path of the settings: absolute, or relative to the directory.
    pub fn resolve(&self, path: &Path) -> PathBuf {
        self.0.join(path)
    }

    /// `vestibule.toml`.
    pub fn settings(&self) -> PathBuf {
        self.0.join("vestibule.toml")
    }

    /// `hub.db`.
    pub fn database(&self) -> PathBuf {
        self.0.join("hub.db")
    }

    /// `keys/ORGANISATION`, made for nobody but this user.
    pub fn keys(&self, organisation: &OrganisationId) -> Result<PathBuf, ConfigError> {
        let path = self.0.join("keys").join(organisation.as_str());
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path)
            .map_err(|source| ConfigError::Io { path: path.clone(), source })?;
        Ok(path)
    }
}

const TEMPLATE: &str = include_str!("config.toml");

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, ConfigError> {
        Config::parse(text, Path::new("vestibule.toml"))
    }

    #[test]
    fn the_first_settings_say_where_the_hub_is_and_nobody_else_reads_them() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("hub");
        assert!(matches!(DataDir::open(&path), Err(ConfigError::NoHub(_))));
        let dir = DataDir::open_or_create(&path, Some("127.0.0.1:9000".parse().expect("an address"))).expect("made");
        let config = dir.config().expect("reads its own template");
        assert_eq!(config.listen.port(), 9000);
        assert_eq!(config.public_url.as_str(), "http://127.0.0.1:9000/");
        assert_eq!((config.smtp, config.organisations.len()), (None, 0));
        let mode = |path: &Path| fs::metadata(path).expect("exists").permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&dir.settings())), (0o700, 0o600));
        // A second start keeps what the operator wrote.
        dir.write_settings("public_url = 'https://visit.example.com'\nmail_from = 'a@example.com'\n").expect("written");
        let again = DataDir::open_or_create(&path, None).expect("opens").config().expect("reads");
        assert_eq!(again.public_url.as_str(), "https://visit.example.com/");
    }

    /// The comments of the template are settings that work once their `# ` is taken away.
    #[test]
    fn every_commented_setting_is_a_real_one() {
        let url = Url::parse("https://visit.example.com").expect("a URL");
        let text = Config::template(DEFAULT_LISTEN, &url, "A <a@example.com>");
        let all: Vec<&str> = text.lines().map(|line| line.strip_prefix("#: ").unwrap_or(line)).collect();
        let all = all.join("\n");
        assert_ne!(all, text);
        let config = parse(&all).expect("reads");
        let smtp = config.smtp.expect("a mail server");
        assert_eq!((smtp.port(), smtp.tls), (587, SmtpTls::Starttls));
        let own = config.organisations.values().next().expect("an organisation");
        assert!(own.apple.is_some() && own.google.is_some() && own.mail_from.is_some());
    }

    #[test]
    fn a_misspelt_setting_is_named_with_its_line() {
        let error = parse("public_url = 'http://a'\nmail_from = 'a@example.com'\nlistn = 'x'\n").expect_err("refused");
        let message = error.to_string();
        assert!(message.contains("listn") && message.contains('3'), "{message}");
        for bad in [
            "public_url = 'ftp://a'\nmail_from = 'a@example.com'",
            "public_url = 'http://a/path'\nmail_from = 'a@example.com'",
            "public_url = 'http://a'\nmail_from = 'nobody'",
            "public_url = 'http://a'\nmail_from = 'a@example.com'\n[smtp]\nhost = 'h'\ntls = 'maybe'",
            "public_url = 'http://a'\nmail_from = 'a@example.com'\n[organisations.'Not An Id']\n",
        ] {
            assert!(matches!(parse(bad), Err(ConfigError::Settings { .. })), "{bad}");
        }
    }

    /// Unknown names are refused wherever they stand, and the nearest known one is offered.
    #[test]
    fn an_unknown_name_is_refused_with_the_nearest_known_one() {
        const GOOD: &str = "public_url = 'http://a'\nmail_from = 'a@example.com'\n";
        for (text, nearest) in [
            ("public_ulr = 'x'", "public_url"),
            ("[stmp]\nhost = 'h'", "smtp"),
            ("[smtp]\nhost = 'h'\npasswordfile = 'x'", "password_file"),
            ("[smtp]\nhost = 'h'\ntls = 'start_tls'", "starttls"),
            ("[organization.example-ag]", "organisations"),
            ("[organisations.example-ag.aple]", "apple"),
            ("[organisations.example-ag.google]\ndirectory = 'g'\nissuer = '1'", "issuer_id"),
            ("[limits]\nvisits_hour = 1", "visits_per_hour"),
            ("log = 'jsn'", "json"),
        ] {
            let message = parse(&format!("{GOOD}{text}")).expect_err("refused").to_string();
            assert!(message.contains(&format!("Did you mean `{nearest}`?")), "{text}: {message}");
        }
        let message = parse(&format!("{GOOD}colour = 'red'")).expect_err("refused").to_string();
        assert!(message.contains("colour") && !message.contains("Did you mean"), "{message}");
    }

    #[test]
    fn proxies_are_addresses_or_networks_and_limits_are_no_bans() {
        const GOOD: &str = "public_url = 'http://a'\nmail_from = 'a@example.com'\n";
        let trusted = |text: &str| parse(&format!("{GOOD}{text}")).map(|config| config.trusted_proxies);
        let shown = |text: &str| trusted(text).expect("reads").iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(shown(""), ["127.0.0.0/8", "::1/128"]);
        let given = "trusted_proxies = ['10.0.0.7', '10.1.0.0/16', '2001:db8::1']";
        assert_eq!(shown(given), ["10.0.0.7/32", "10.1.0.0/16", "2001:db8::1/128"]);
        let message = trusted("trusted_proxies = ['proxy.example.com']").expect_err("refused").to_string();
        assert!(message.contains("proxy.example.com"), "{message}");
        let message = parse(&format!("{GOOD}[limits]\nvisits_per_day = 0")).expect_err("refused").to_string();
        assert!(message.contains("limits.visits_per_day"), "{message}");
    }

    #[test]
    fn one_directory_is_served_by_one_hub() {
        let home = tempfile::tempdir().expect("a directory");
        let dir = DataDir::open_or_create(home.path(), None).expect("made");
        let held = dir.lock().expect("free");
        assert!(matches!(dir.lock(), Err(ConfigError::Running(_))));
        drop(held);
        assert!(dir.lock().is_ok());
    }
}
