//! The sender against a real conversation, with a server that answers as it is told.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use lettre::address::Envelope;

use crate::delivery::sender::{MailTransport as _, SendOutcome, TransportError};
use crate::delivery::smtp::{Smtp, SmtpSecurity, SmtpSettings};
use crate::delivery::testing::{Hub, invitation};
use crate::effect::Effect;

/// Serves one connection: answers `answer` to the line that begins with `at` (`.` is the end of the message; an empty
/// answer hangs up), and gives back the message it took.
fn serve(at: &'static str, answer: &'static str) -> (Smtp, JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let server = std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a client");
        talk(&stream, at, answer)
    });
    let settings = SmtpSettings { host: "127.0.0.1".into(), port, tls: SmtpSecurity::None, user: None, password: None };
    (Smtp::new(&settings).expect("no TLS needed"), server)
}

fn talk(mut stream: &TcpStream, at: &str, answer: &str) -> Vec<u8> {
    let mut lines = BufReader::new(stream.try_clone().expect("a handle"));
    let mut message = Vec::new();
    let mut in_message = false;
    let mut say = |text: &str| stream.write_all(format!("{text}\r\n").as_bytes()).is_ok();
    if !say("220 test") {
        return message;
    }
    loop {
        let mut line = Vec::new();
        if lines.read_until(b'\n', &mut line).is_ok_and(|read| read == 0) {
            return message;
        }
        if in_message && line != b".\r\n" {
            // RFC 5321, 4.5.2: a dot that begins a line stands twice.
            message.extend(line.strip_prefix(b".").unwrap_or(&line));
            continue;
        }
        let line = String::from_utf8_lossy(&line).into_owned();
        let usual = match line.get(..4) {
            Some("DATA") => "354 go on",
            Some("QUIT") => "221 bye",
            _ => "250 fine",
        };
        in_message = line.starts_with("DATA");
        let reply = if line.starts_with(at) { answer } else { usual };
        if reply.is_empty() || !say(reply) {
            return message;
        }
    }
}

fn deliver(at: &'static str, answer: &'static str) -> Result<(), TransportError> {
    let (smtp, server) = serve(at, answer);
    let address = |text: &str| text.parse().expect("an address");
    let envelope = Envelope::new(Some(address("a@example.org")), vec![address("b@example.org")]).expect("complete");
    let outcome = smtp.deliver("id", &envelope, b"Subject: x\r\n\r\n.hidden\r\n");
    drop(smtp);
    server.join().expect("the server lives");
    outcome
}

/// What a failure means depends on where it happens.
#[test]
fn failures_mean_what_they_mean() {
    let code = |outcome| match outcome {
        Ok(()) => "taken",
        Err(TransportError::Permanent(_)) => "permanent",
        Err(TransportError::Temporary(_)) => "temporary",
        Err(TransportError::Uncertain(_)) => "uncertain",
    };
    for (at, answer, expected) in [
        ("nothing", "", "taken"),
        ("EHLO", "554 go away", "temporary"),
        ("MAIL", "550 who are you", "temporary"),
        ("RCPT", "450 busy", "temporary"),
        ("RCPT", "550 unknown b@example.org", "permanent"),
        ("RCPT", "", "temporary"),
        ("DATA", "452 full", "temporary"),
        (".", "552 too large", "permanent"),
        (".", "451 later", "temporary"),
        (".", "", "uncertain"),
        ("QUIT", "", "taken"),
    ] {
        let outcome = deliver(at, answer);
        assert!(!format!("{outcome:?}").contains("b@example.org"), "no address in an error");
        assert_eq!(code(outcome), expected, "{at} {answer}");
    }
}

/// The server gets the bytes of the outbox; where it breaks off after the message it gets the very same again.
#[test]
fn the_bytes_arrive() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::Invite);
    let (smtp, server) = serve(".", "");
    assert!(matches!(hub.send(&smtp), SendOutcome::Later { error: TransportError::Uncertain(_), .. }));
    let first = server.join().expect("the server lives");
    hub.pass(chrono::TimeDelta::minutes(1));
    let (smtp, server) = serve("nothing", "");
    assert!(matches!(hub.send(&smtp), SendOutcome::Sent { .. }));
    let second = server.join().expect("the server lives");
    assert_eq!(first, second);
    assert!(mail_parser::MessageParser::default().parse(&second).is_some_and(|mail| mail.message_id().is_some()));
}
