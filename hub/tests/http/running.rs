//! A hub that runs, and a phone that talks to it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use vestibule_core::cbor;
use vestibule_core::id::OrganisationId;
use vestibule_core::keys::{DeviceSigner as _, Purpose, SoftwareSigner, sign};
use vestibule_core::sync::wire::{EnrolmentProof, MEDIA_TYPE, SyncRequest, VERSION, origin};
use vestibule_hub::config::DataDir;
use vestibule_hub::context::Context;
use vestibule_hub::issuer::SignIn;
use vestibule_hub::moment::Moment;
use vestibule_hub::organisation::{self, OrganisationError, sample};
use vestibule_hub::server::{Clocks, Hub, Surroundings};
use vestibule_hub::store::HubStore;

/// When every test begins.
pub const BEGIN: i64 = 1_800_000_000;

fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

fn at(seconds: i64) -> DateTime<chrono::Utc> {
    DateTime::from_timestamp(seconds, 0).expect("a time")
}

/// A hub with two organisations, made once: making RSA keys takes seconds.
static PATTERN: LazyLock<TempDir> = LazyLock::new(|| {
    let home = tempfile::tempdir().expect("a directory");
    let dir = DataDir::open_or_create(home.path(), None).expect("made");
    let config = dir.config().expect("reads");
    let mut store = HubStore::open(&dir.database()).expect("opens");
    for (seed, id) in [(1, "example-ag"), (2, "other-ag")] {
        let id: OrganisationId = id.parse().expect("an id");
        let context = Context::found(&dir, &config, &id, at(BEGIN), &mut rng(seed)).expect("opens");
        let mut founding = sample::example_ag();
        founding.organisation.id = id;
        store
            .write::<_, OrganisationError>(|tx| {
                organisation::found(tx, &context, &mut Moment::new(at(BEGIN), &mut rng(seed)), founding)
            })
            .expect("founded");
    }
    home
});

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("makes the directory");
    for entry in fs::read_dir(from).expect("lists") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("copies");
        }
    }
}

/// A hub that runs.
pub struct Running {
    home: TempDir,
    url: String,
    public_url: url::Url,
    clocks: Arc<Mutex<Clocks>>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
    pub client: Client,
}

impl Running {
    pub async fn start() -> Self {
        let home = tempfile::tempdir().expect("a directory");
        copy(PATTERN.path(), home.path());
        Self::on(home, BEGIN).await
    }

    /// With these lines at the end of its settings.
    pub async fn with(settings: &str) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        copy(PATTERN.path(), home.path());
        let file = home.path().join("vestibule.toml");
        let text = fs::read_to_string(&file).expect("reads");
        fs::write(&file, format!("{text}\n{settings}\n")).expect("writes");
        Self::on(home, BEGIN).await
    }

    async fn on(home: TempDir, now: i64) -> Self {
        // Another test of this process may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let clocks = Arc::new(Mutex::new(Clocks { machine: at(now), elapsed: Duration::ZERO }));
        let dir = DataDir::open(home.path()).expect("a hub");
        let config = dir.config().expect("reads");
        let public_url = config.public_url.clone();
        let ticking = Arc::clone(&clocks);
        let read = move || *ticking.lock().expect("no test panics with it");
        let surroundings = Surroundings { clocks: Arc::new(read), ..Surroundings::system() };
        let hub = Hub::open(dir, config, surroundings).await.expect("opens");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            hub.serve(listener, stopped).await.expect("serves to its end");
        });
        Self { home, url, public_url, clocks, stop: Some(stop), task, client: Client::new() }
    }

    /// Stops the hub cleanly and starts it again on the same directory, at the same time.
    pub async fn restart(self) -> Self {
        let now = self.now();
        self.restart_at(now).await
    }

    /// The same, when the machine's clock says something else.
    pub async fn restart_at(mut self, now: i64) -> Self {
        self.client = Client::new();
        self.stop.take().expect("it runs").send(()).expect("it listens");
        self.task.await.expect("ends cleanly");
        Self::on(self.home, now).await
    }

    /// Time passes.
    pub fn pass(&self, seconds: i64) {
        let mut clocks = self.clocks.lock().expect("no test panics with it");
        clocks.machine += chrono::TimeDelta::seconds(seconds);
        clocks.elapsed += Duration::from_secs(seconds.unsigned_abs());
    }

    /// Somebody sets the machine's clock ahead, or back.
    pub fn set_clock(&self, seconds: i64) {
        self.clocks.lock().expect("no test panics with it").machine += chrono::TimeDelta::seconds(seconds);
    }

    /// What the machine's clock says.
    pub fn now(&self) -> i64 {
        self.clocks.lock().expect("no test panics with it").machine.timestamp()
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    pub fn context(&self, organisation: &str) -> Context {
        let dir = DataDir::open(self.home.path()).expect("a hub");
        let config = dir.config().expect("reads");
        let id = organisation.parse().expect("an id");
        Context::open(&dir, &config, &id, at(self.now()), &mut rng(9)).expect("opens")
    }

    /// What `vestibule admin token` prints.
    pub fn sign_in_token(&self, organisation: &str, member: &str) -> String {
        let context = self.context(organisation);
        let member = member.parse().expect("an id");
        SignIn::issue(&context.issuer(), &mut Moment::new(at(self.now()), &mut rng(8)), &member)
    }

    /// The mails written to the folder so far, once there are `count`.
    pub async fn mails(&self, count: usize) -> Vec<Vec<u8>> {
        let folder = self.home.path().join("mail");
        let arrived = async {
            loop {
                let mails: Vec<_> = fs::read_dir(&folder)
                    .expect("the folder")
                    .map(|entry| entry.expect("an entry").path())
                    .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
                    .collect();
                if mails.len() >= count {
                    return mails.iter().map(|path| fs::read(path).expect("reads")).collect();
                }
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_mins(3), arrived).await.expect("the mails arrive")
    }

    pub fn store(&self) -> HubStore {
        HubStore::open(&self.home.path().join("hub.db")).expect("opens")
    }

    /// Every row of every table, but for spent assertions.
    pub fn dump(&self) -> String {
        let file = rusqlite::Connection::open(self.home.path().join("hub.db")).expect("opens");
        let mut tables = file
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'spent_assertion' ORDER BY name")
            .expect("prepares");
        let tables: Vec<String> =
            tables.query_map([], |row| row.get(0)).expect("lists").collect::<Result<_, _>>().expect("names");
        let mut dump = String::new();
        for table in tables {
            let mut rows = file.prepare(&format!("SELECT * FROM {table}")).expect("prepares");
            let columns = rows.column_count();
            let mut rows = rows.query([]).expect("reads");
            while let Some(row) = rows.next().expect("a row") {
                for column in 0..columns {
                    write!(dump, "{:?}|", row.get_ref(column).expect("a value")).expect("writes");
                }
                dump.push('\n');
            }
        }
        dump
    }

    pub async fn post_json(&self, path: &str, bearer: &str, body: &Value) -> Response {
        self.client
            .post(self.url(path))
            .bearer_auth(bearer)
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await
            .expect("answers")
    }

    pub async fn post_sync(&self, bearer: &str, body: Vec<u8>, encoding: Option<&str>) -> Response {
        let mut request = self.client.post(self.url("/v1/sync")).bearer_auth(bearer).header("content-type", MEDIA_TYPE);
        if let Some(encoding) = encoding {
            request = request.header("content-encoding", encoding);
        }
        request.body(body).send().await.expect("answers")
    }

    pub async fn post_assertion(&self, assertion: &str) -> Response {
        let grant = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";
        self.client
            .post(self.url("/v1/token"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("grant_type={grant}&assertion={assertion}"))
            .send()
            .await
            .expect("answers")
    }
}

/// A phone: a device key, and what it learnt at enrolment.
pub struct Phone {
    pub key: SoftwareSigner,
    pub audience: String,
}

impl Phone {
    pub fn new(seed: u8) -> Self {
        Self { key: SoftwareSigner::from_seed(&[seed; 32]), audience: String::new() }
    }

    pub fn name(&self) -> String {
        self.key.public_key().thumbprint().expect("a good key").to_string()
    }

    /// Enrols with a sign-in token.
    pub async fn enrol(&mut self, hub: &Running, token: &str) -> Response {
        let answer = hub.post_json("/v1/devices/challenge", token, &Value::Null).await;
        if answer.status() != StatusCode::OK {
            return answer;
        }
        let challenge = body(answer).await;
        let nonce = URL_SAFE_NO_PAD.decode(challenge["nonce"].as_str().expect("a nonce")).expect("base64url");
        let audience = origin(&hub.public_url);
        let proof = EnrolmentProof { nonce: nonce.into(), key: self.key.public_key(), audience };
        let proof = sign(Purpose::Enrolment, cbor::write(&proof), &self.key).expect("signs");
        hub.post_json("/v1/devices", token, &json!({"proof": URL_SAFE_NO_PAD.encode(proof)})).await
    }

    /// An assertion as a phone makes it, written out by hand: nothing of the hub's own code helps.
    pub fn assertion(&self, now: i64, jti: &str) -> String {
        let claims = json!({"iss": self.name(), "sub": self.name(), "aud": self.audience,
            "iat": now, "exp": now + 60, "jti": jti});
        let header = json!({"alg": "EdDSA", "typ": "JWT"});
        let signed = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
        let signature = self.key.sign(signed.as_bytes()).expect("signs");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// A member's phone that has signed in.
    pub async fn signed_in(hub: &Running, organisation: &str, member: &str, seed: u8) -> Self {
        let mut phone = Self::new(seed);
        let answer = phone.enrol(hub, &hub.sign_in_token(organisation, member)).await;
        assert_eq!(answer.status(), StatusCode::OK);
        body(answer).await["audience"].as_str().expect("an audience").clone_into(&mut phone.audience);
        phone
    }

    /// A fresh access token.
    pub async fn access_token(&self, hub: &Running, jti: &str) -> String {
        let answer = hub.post_assertion(&self.assertion(hub.now(), jti)).await;
        assert_eq!(answer.status(), StatusCode::OK);
        body(answer).await["access_token"].as_str().expect("a token").to_owned()
    }
}

/// A first sync that pushes nothing.
pub fn first_sync(organisation: &str) -> Vec<u8> {
    cbor::write(&SyncRequest {
        version: VERSION,
        organisation: organisation.parse().expect("an id"),
        epoch: None,
        key_set: 0,
        heads: Vec::new(),
        push: Vec::new(),
        proof: None,
    })
}

/// The JSON of an answer.
pub async fn body(answer: Response) -> Value {
    serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON")
}

/// Checks that an answer is a problem of that status and code (RFC 9457).
#[track_caller]
pub fn is_problem(status: u16, headers: &reqwest::header::HeaderMap, problem: &Value, expected: (u16, &str)) {
    assert_eq!((status, problem["code"].as_str()), (expected.0, Some(expected.1)), "{problem}");
    assert_eq!(headers["content-type"], "application/problem+json");
    assert_eq!(problem["status"], expected.0);
    for member in ["type", "title", "detail"] {
        assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{problem}");
    }
}

/// The same, of an answer.
pub async fn expect_problem(answer: Response, status: u16, code: &str) {
    let (found, headers) = (answer.status().as_u16(), answer.headers().clone());
    is_problem(found, &headers, &body(answer).await, (status, code));
}
