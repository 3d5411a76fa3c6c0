//! A mail server for the demo and the tests: takes every mail over SMTP on a local port and stores it as a file before
//! it says that it has it.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use mailin::{Action, Handler, Response, SessionBuilder, response};

/// The largest mail taken, in bytes.
const MAX_MAIL: usize = 25 << 20;

/// A mail that arrived.
#[derive(Debug, Clone)]
pub struct Arrived {
    /// Where it is stored.
    pub file: PathBuf,
}

/// The receiver: its address, and the mails as they come in.
pub struct Mailbox {
    /// Where it listens.
    pub address: SocketAddr,
    /// The mails.
    pub arrivals: mpsc::Receiver<Arrived>,
}

impl Mailbox {
    /// Starts the receiver; mails are stored in `folder` as `0001.eml`, `0002.eml`, …. It ends with the process.
    pub fn start(folder: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let (arrived, arrivals) = mpsc::channel();
        let shelf = Arc::new(Shelf { folder, count: AtomicU32::new(0), arrived });
        thread::Builder::new().name("mailbox".into()).spawn(move || {
            for stream in listener.incoming().filter_map(Result::ok) {
                let shelf = Arc::clone(&shelf);
                // A connection that breaks is the sender's to try again.
                thread::spawn(move || converse(&stream, &shelf).ok());
            }
        })?;
        Ok(Self { address, arrivals })
    }
}

struct Shelf {
    folder: PathBuf,
    count: AtomicU32,
    arrived: mpsc::Sender<Arrived>,
}

/// One conversation: `mailin` speaks SMTP, this moves the lines.
fn converse(stream: &TcpStream, shelf: &Arc<Shelf>) -> io::Result<()> {
    let remote = stream.peer_addr()?.ip();
    // Answers are short and waited for: with Nagle's algorithm on, each would wait for the last one's acknowledgement.
    stream.set_nodelay(true)?;
    let clerk = Clerk { shelf: Arc::clone(shelf), mail: Vec::new() };
    let mut session = SessionBuilder::new("mailbox.localhost").build(remote, clerk);
    let mut lines = BufReader::new(stream);
    let mut writer = stream;
    session.greeting().write_to(&mut writer)?;
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        let answer = session.process(&line);
        line.clear();
        match answer.action {
            Action::Reply => answer.write_to(&mut writer)?,
            Action::Close => return answer.write_to(&mut writer),
            Action::NoReply | Action::UpgradeTls => {}
        }
        writer.flush()?;
    }
    Ok(())
}

struct Clerk {
    shelf: Arc<Shelf>,
    mail: Vec<u8>,
}

impl Handler for Clerk {
    fn data_start(&mut self, _domain: &str, _from: &str, _is8bit: bool, _to: &[String]) -> Response {
        self.mail.clear();
        response::OK
    }

    fn data(&mut self, line: &[u8]) -> io::Result<()> {
        if self.mail.len() + line.len() > MAX_MAIL {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the mail is too large"));
        }
        self.mail.extend_from_slice(line);
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        let number = self.shelf.count.fetch_add(1, Ordering::Relaxed) + 1;
        let file = self.shelf.folder.join(format!("{number:04}.eml"));
        let stored = fs::File::create(&file).and_then(|mut file| {
            file.write_all(&self.mail)?;
            file.sync_all()
        });
        if stored.is_err() {
            return response::INTERNAL_ERROR;
        }
        // Nobody may be listening any more: the mail is stored all the same.
        let _ = self.shelf.arrived.send(Arrived { file });
        response::OK
    }
}
