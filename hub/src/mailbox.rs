//! A mail server for the demo and the tests: takes every mail over SMTP (RFC 5321, with 8BITMIME and SMTPUTF8: RFC 6152,
//! 6531) on a local port and stores it as a file before it says that it has it.
//!
//! A recipient in `.invalid` it refuses for good, as a real server does where a domain is not there (RFC 2606, 2).

use std::fs;
use std::io::{self, BufRead, BufReader, Read as _, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use vestibule_core::address::EmailAddress;

/// The largest mail taken, in bytes.
const MAX_MAIL: usize = 25 << 20;
/// The longest line taken, in bytes: a command's, or one of a mail.
const MAX_LINE: u64 = 64 << 10;

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
                thread::spawn(move || serve(&stream, &shelf).ok());
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

impl Shelf {
    fn store(&self, mail: &[u8]) -> io::Result<()> {
        let number = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        let path = self.folder.join(format!("{number:04}.eml"));
        let mut file = fs::File::create(&path)?;
        file.write_all(mail)?;
        file.sync_all()?;
        // Nobody may be listening any more: the mail is stored all the same.
        let _ = self.arrived.send(Arrived { file: path });
        Ok(())
    }
}

/// One connection.
fn serve(stream: &TcpStream, shelf: &Shelf) -> io::Result<()> {
    // Answers are short and waited for: with Nagle's algorithm on, each would wait for the last one's acknowledgement.
    stream.set_nodelay(true)?;
    converse(BufReader::new(stream), stream, shelf)
}

/// What has been said of the next mail.
#[derive(Default)]
struct Mail {
    /// Whether a sender was named, and whether addresses beyond ASCII were announced with it.
    sender: Option<bool>,
    recipients: usize,
}

fn converse(mut lines: impl BufRead, mut out: impl Write, shelf: &Shelf) -> io::Result<()> {
    out.write_all(b"220 mailbox.localhost ESMTP\r\n")?;
    let mut mail = Mail::default();
    while let Some(line) = next_line(&mut lines)? {
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end_matches(['\r', '\n']);
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let answer = match verb.to_ascii_uppercase().as_str() {
            "EHLO" => "250-mailbox.localhost\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE 26214400",
            "HELO" => "250 mailbox.localhost",
            "MAIL" => mail.from(rest),
            "RCPT" => mail.to(rest),
            "DATA" if mail.recipients == 0 => "503 5.5.1 name a recipient first",
            "DATA" => {
                out.write_all(b"354 go on, and end with a dot\r\n")?;
                let data = read_data(&mut lines)?;
                mail = Mail::default();
                match data.map(|data| shelf.store(&data)) {
                    Some(Ok(())) => "250 2.0.0 taken",
                    Some(Err(_)) => "451 4.3.0 it could not be stored",
                    None => "552 5.3.4 the mail is too large",
                }
            }
            "RSET" => {
                mail = Mail::default();
                "250 2.0.0 forgotten"
            }
            "NOOP" => "250 2.0.0 fine",
            "VRFY" => "252 2.1.5 send it and see",
            "QUIT" => return out.write_all(b"221 2.0.0 good bye\r\n"),
            _ => "500 5.5.2 no such command",
        };
        out.write_all(format!("{answer}\r\n").as_bytes())?;
        out.flush()?;
    }
    Ok(())
}

/// The next line with its end; none at the end of the connection.
fn next_line(lines: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    lines.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)?;
    match line.last() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(line)),
        Some(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "the line is too long, or broke off")),
    }
}

/// A mail's lines, without the dots that were put before dots (RFC 5321, 4.5.2); none if they are too many.
fn read_data(lines: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut data = Vec::new();
    let mut fits = true;
    while let Some(line) = next_line(lines)? {
        if line == b".\r\n" || line == b".\n" {
            return Ok(fits.then_some(data));
        }
        fits &= data.len() + line.len() <= MAX_MAIL;
        if fits {
            data.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}

impl Mail {
    fn from(&mut self, said: &str) -> &'static str {
        let Some((path, parameters)) = path(said, "FROM:") else { return "501 5.5.4 MAIL FROM:<address>" };
        let parameters: Vec<String> = parameters.split_whitespace().map(str::to_ascii_uppercase).collect();
        let is_known = |it: &String| it == "SMTPUTF8" || it.starts_with("BODY=") || it.starts_with("SIZE=");
        if !parameters.iter().all(is_known) {
            return "555 5.5.4 no such parameter";
        }
        let utf8 = parameters.iter().any(|parameter| parameter == "SMTPUTF8");
        if !utf8 && !path.is_ascii() {
            return "553 5.6.7 such an address needs SMTPUTF8";
        }
        *self = Self { sender: Some(utf8), recipients: 0 };
        "250 2.1.0 fine"
    }

    fn to(&mut self, said: &str) -> &'static str {
        let Some(utf8) = self.sender else { return "503 5.5.1 name a sender first" };
        let Some((path, _)) = path(said, "TO:") else { return "501 5.5.4 RCPT TO:<address>" };
        if !utf8 && !path.is_ascii() {
            return "553 5.6.7 such an address needs SMTPUTF8";
        }
        let Ok(address) = EmailAddress::parse_local(path) else { return "553 5.1.3 that is no address" };
        if address.domain() == "invalid" || address.domain().ends_with(".invalid") {
            return "550 5.1.2 there is no such domain";
        }
        self.recipients += 1;
        "250 2.1.5 fine"
    }
}

/// The path in angle brackets behind a word, and what follows it.
fn path<'a>(said: &'a str, word: &str) -> Option<(&'a str, &'a str)> {
    let rest = said.get(..word.len()).filter(|it| it.eq_ignore_ascii_case(word)).map(|_| &said[word.len()..])?;
    rest.trim_start().strip_prefix('<')?.rsplit_once('>')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(to_it: &str) -> (String, Vec<Vec<u8>>) {
        let folder = tempfile::tempdir().expect("a folder");
        let (arrived, arrivals) = mpsc::channel();
        let shelf = Shelf { folder: folder.path().to_owned(), count: AtomicU32::new(0), arrived };
        let mut out = Vec::new();
        converse(to_it.as_bytes(), &mut out, &shelf).expect("it speaks");
        let mails = arrivals.try_iter().map(|mail| fs::read(mail.file).expect("stored")).collect();
        let codes: Vec<String> = String::from_utf8(out)
            .expect("text")
            .lines()
            .filter(|line| line.as_bytes().get(3) == Some(&b' '))
            .map(|line| line[..3].to_owned())
            .collect();
        (codes.join(" "), mails)
    }

    #[test]
    fn it_takes_what_the_standards_allow() {
        let (codes, mails) = said(
            "EHLO a\r\nMAIL FROM:<v@example.ch> SMTPUTF8 BODY=8BITMIME\r\nRCPT TO:<zoë@bücher.example>\r\n\
             RCPT TO:<\"a b,c\"@visitors.test>\r\nDATA\r\nX: y\r\n\r\n..dot\r\n.\r\nQUIT\r\n",
        );
        assert_eq!(codes, "220 250 250 250 250 354 250 221");
        assert_eq!(mails, [b"X: y\r\n\r\n.dot\r\n".to_vec()]);
    }

    #[test]
    fn it_refuses_what_cannot_be() {
        let (codes, mails) = said(
            "DATA\r\nRCPT TO:<a@b.ch>\r\nMAIL FROM:<zoë@b.ch>\r\nMAIL FROM:<> X=1\r\nMAIL FROM:<a@b.ch>\r\n\
             RCPT TO:<zoë@b.ch>\r\nRCPT TO:<a@nowhere.invalid>\r\nRCPT TO:<nobody>\r\nDATA\r\nWHAT\r\nQUIT\r\n",
        );
        assert_eq!(codes, "220 503 503 553 555 250 553 550 553 503 500 221");
        assert!(mails.is_empty());
    }
}
