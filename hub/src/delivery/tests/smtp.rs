//! The sender against a real conversation, with a server that answers as it is told.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use chrono::{TimeDelta, Utc};
use lettre::address::Envelope;

use super::authority::Authority;
use crate::delivery::sender::{Class, MailTransport as _, Reach, TransportError};
use crate::delivery::smtp::{Smtp, SmtpSecurity, SmtpSettings};
use crate::delivery::testing::{Hub, SendOutcome, invitation};
use crate::effect::Effect;
use crate::handover::Noted;

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
            Some("EHLO") => "250-test\r\n250 AUTH PLAIN LOGIN",
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
    let of = |reach, class, code| Err(TransportError { reach, class, code });
    for (at, answer, expected) in [
        ("nothing", "", Ok(())),
        ("EHLO", "554 go away", of(Reach::Server, Class::Permanent, Some(554))),
        ("EHLO", "", of(Reach::Server, Class::Unreachable, None)),
        ("MAIL", "550 who are you", of(Reach::Server, Class::Sender, Some(550))),
        ("MAIL", "452 full", of(Reach::Server, Class::Transient, Some(452))),
        ("RCPT", "450 busy", of(Reach::Mail, Class::Transient, Some(450))),
        ("RCPT", "550 unknown b@example.org", of(Reach::Final, Class::Permanent, Some(550))),
        ("RCPT", "", of(Reach::Mail, Class::Unreachable, None)),
        ("DATA", "452 full", of(Reach::Mail, Class::Transient, Some(452))),
        (".", "552 too large", of(Reach::Final, Class::Permanent, Some(552))),
        (".", "451 later", of(Reach::Mail, Class::Transient, Some(451))),
        (".", "", of(Reach::Uncertain, Class::Uncertain, None)),
        ("QUIT", "", Ok(())),
    ] {
        let outcome = deliver(at, answer);
        assert!(!format!("{outcome:?}").contains("b@example.org"), "no address in an error");
        assert_eq!(outcome, expected, "{at} {answer}");
    }
}

fn settings(host: &str, port: u16, tls: SmtpSecurity) -> SmtpSettings {
    SmtpSettings { host: host.into(), port, tls, user: None, password: None }
}

fn class(smtp: &Smtp) -> (Reach, Class) {
    let address = |text: &str| text.parse().expect("an address");
    let envelope = Envelope::new(Some(address("a@example.org")), vec![address("b@example.org")]).expect("complete");
    let error = smtp.deliver("id", &envelope, b"Subject: x\r\n\r\n").expect_err("it fails");
    (error.reach, error.class)
}

/// A server that is not there, and one whose name means nothing, are told apart.
#[test]
fn no_server_is_one_thing_and_no_name_another() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port();
    let gone = Smtp::new(&settings("127.0.0.1", free, SmtpSecurity::None)).expect("no TLS needed");
    assert_eq!(class(&gone), (Reach::Server, Class::Unreachable));
    let nameless = Smtp::new(&settings("mail.invalid", free, SmtpSecurity::None)).expect("no TLS needed");
    assert_eq!(class(&nameless), (Reach::Server, Class::Dns));
}

/// A server that wants a sign-in it does not get, and one that offers no STARTTLS.
#[test]
fn a_refused_sign_in_and_a_missing_starttls_are_told_apart() {
    let (smtp, server) = serve("AUTH", "535 wrong");
    let own = SmtpSettings { user: Some("u".into()), password: Some("p".into()), ..smtp_settings(&smtp) };
    drop(smtp);
    assert_eq!(class(&Smtp::new(&own).expect("no TLS needed")), (Reach::Server, Class::Credentials));
    server.join().expect("the server lives");
    let (smtp, server) = serve("nothing", "");
    let starttls = SmtpSettings { tls: SmtpSecurity::Starttls, ..smtp_settings(&smtp) };
    drop(smtp);
    assert_eq!(class(&Smtp::new(&starttls).expect("TLS")), (Reach::Server, Class::Tls));
    server.join().expect("the server lives");
}

fn smtp_settings(smtp: &Smtp) -> SmtpSettings {
    settings("127.0.0.1", smtp.port(), SmtpSecurity::None)
}

/// A server's certificate: whose it is not, for whom it is not, and when it is not.
#[test]
fn what_is_wrong_with_a_certificate_is_said() {
    let authority = Authority::new();
    let now = Utc::now();
    let day = TimeDelta::days(1);
    for (name, from, until, trusted, expected) in [
        ("localhost", now - day, now + day, false, Class::TlsTrust),
        ("mail.example.org", now - day, now + day, true, Class::TlsName),
        ("localhost", now - day * 30, now - day, true, Class::TlsExpired),
        ("localhost", now + day, now + day * 30, true, Class::TlsExpired),
    ] {
        let (port, server) = authority.serve(name, from, until);
        let settings = settings("localhost", port, SmtpSecurity::Tls);
        let smtp = if trusted { Smtp::trusting(&settings, &authority.der) } else { Smtp::new(&settings) };
        assert_eq!(class(&smtp.expect("TLS")), (Reach::Server, expected), "{name} {from} {until}");
        server.join().expect("the server lives");
    }
    // Something that speaks no TLS at all.
    let (smtp, server) = serve("nothing", "");
    let settings = SmtpSettings { tls: SmtpSecurity::Tls, ..smtp_settings(&smtp) };
    drop(smtp);
    assert_eq!(class(&Smtp::new(&settings).expect("TLS")), (Reach::Server, Class::Tls));
    server.join().expect("the server lives");
}

/// The server gets the bytes of the outbox; where it breaks off after the message it gets the very same again.
#[test]
fn the_bytes_arrive() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::Invite);
    let (smtp, server) = serve(".", "");
    assert!(matches!(hub.send(&smtp), SendOutcome::Done { noted: Noted::Later { .. }, .. }));
    let first = server.join().expect("the server lives");
    hub.pass(chrono::TimeDelta::minutes(1));
    let (smtp, server) = serve("nothing", "");
    assert!(hub.send(&smtp).is_sent());
    let second = server.join().expect("the server lives");
    assert_eq!(first, second);
    assert!(mail_parser::MessageParser::default().parse(&second).is_some_and(|mail| mail.message_id().is_some()));
}
