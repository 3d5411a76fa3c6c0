//! Handing a mail to a server over SMTP (RFC 5321), step by step.
//!
//! The steps are taken one by one because what a failure means depends on where it happens: a refused sign-in says
//! nothing about the mail, a refused recipient ends it, and only from the first byte of the message to the server's
//! answer can nobody know whether it was taken. What kind of failure it was is read from the error's causes: a
//! certificate that has expired is another person's work than a name that does not resolve.

use std::error::Error as StdError;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::time::Duration;

use lettre::Address;
use lettre::address::Envelope;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{SmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};

use super::sender::{Class, MailTransport, Reach, TransportError};

/// How long a server may take for one answer; RFC 5321 (4.5.3.2) wants minutes after the message.
const PATIENCE: Duration = Duration::from_mins(2);

/// How the connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpSecurity {
    /// Not at all: only for a relay on this machine or in a test.
    None,
    /// STARTTLS, and nothing is sent without it.
    Starttls,
    /// TLS from the first byte.
    Tls,
}

/// Where mails are handed over, from the operator's settings.
#[derive(Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpSettings {
    /// The server's name.
    pub host: String,
    /// Its port: 587 for STARTTLS, 465 for TLS.
    pub port: u16,
    /// How the connection is protected.
    pub tls: SmtpSecurity,
    /// The user to sign in as, with the password.
    #[serde(default)]
    pub user: Option<String>,
    /// The password.
    #[serde(default)]
    pub password: Option<String>,
}

/// Hands mails to a server.
pub struct Smtp {
    server: (String, u16),
    security: SmtpSecurity,
    /// Absent without TLS, which then needs no root certificates.
    tls: Option<TlsParameters>,
    credentials: Option<Credentials>,
    hello: ClientId,
}

impl Smtp {
    /// Prepares for that server; no connection is made yet.
    ///
    /// # Errors
    /// TLS cannot be set up for the server's name.
    pub fn new(settings: &SmtpSettings) -> Result<Self, TransportError> {
        let is_protected = settings.tls != SmtpSecurity::None;
        let tls = is_protected
            .then(|| TlsParameters::new(settings.host.clone()))
            .transpose()
            .map_err(|_| TransportError { reach: Reach::Server, class: Class::Tls, code: None })?;
        Ok(Self {
            server: (settings.host.clone(), settings.port),
            security: settings.tls,
            tls,
            credentials: settings.user.clone().zip(settings.password.clone()).map(|(u, p)| Credentials::new(u, p)),
            hello: ClientId::default(),
        })
    }

    /// One that trusts an authority of a test.
    #[cfg(test)]
    pub(crate) fn trusting(settings: &SmtpSettings, authority: &[u8]) -> Result<Self, TransportError> {
        use lettre::transport::smtp::client::Certificate;
        let authority = Certificate::from_der(authority.to_vec()).expect("a certificate");
        let tls = TlsParameters::builder(settings.host.clone()).add_root_certificate(authority).build_rustls();
        Ok(Self { tls: Some(tls.expect("TLS")), ..Self::new(settings)? })
    }

    #[cfg(test)]
    pub(crate) fn port(&self) -> u16 {
        self.server.1
    }

    /// A connection that is signed in; nothing has been said of the mail yet.
    fn connect(&self) -> Result<SmtpConnection, TransportError> {
        let of_server = |error: Error| failure(&error, Reach::Server);
        let at_once = self.tls.as_ref().filter(|_| self.security == SmtpSecurity::Tls);
        let addresses = self.resolve()?;
        let mut connection =
            SmtpConnection::connect(&*addresses, Some(PATIENCE), &self.hello, at_once, None).map_err(of_server)?;
        if let Some(tls) = self.tls.as_ref().filter(|_| self.security == SmtpSecurity::Starttls) {
            let refused = |error: Error| match failure(&error, Reach::Server) {
                // It does not offer STARTTLS, or takes it back.
                other if error.is_client() || error.is_permanent() => TransportError { class: Class::Tls, ..other },
                other => other,
            };
            connection.starttls(tls, &self.hello).map_err(refused)?;
        }
        if let Some(credentials) = &self.credentials {
            let refused = |error: Error| match failure(&error, Reach::Server) {
                other if error.is_client() || error.is_permanent() => {
                    TransportError { class: Class::Credentials, ..other }
                }
                other => other,
            };
            connection.auth(DEFAULT_MECHANISMS, credentials).map_err(refused)?;
        }
        Ok(connection)
    }

    /// Apart from connecting: a name that does not resolve is not a server that does not answer.
    fn resolve(&self) -> Result<Vec<SocketAddr>, TransportError> {
        let unknown = TransportError { reach: Reach::Server, class: Class::Dns, code: None };
        let addresses: Vec<SocketAddr> =
            (self.server.0.as_str(), self.server.1).to_socket_addrs().map_err(|_| unknown)?.collect();
        if addresses.is_empty() { Err(unknown) } else { Ok(addresses) }
    }
}

impl MailTransport for Smtp {
    fn deliver(&self, _: &str, envelope: &Envelope, message: &[u8]) -> Result<(), TransportError> {
        let mut connection = self.connect()?;
        let mut options = Vec::new();
        let is_ascii = |address: &Address| AsRef::<str>::as_ref(address).is_ascii();
        if !envelope.from().into_iter().chain(envelope.to()).all(is_ascii) {
            if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
                connection.abort();
                return Err(TransportError { reach: Reach::Final, class: Class::Address, code: None });
            }
            options.push(MailParameter::SmtpUtfEight);
        }
        // Up to and with MAIL it is about the server, the account and the sender, not about this mail.
        connection.command(Mail::new(envelope.from().cloned(), options)).map_err(|error| {
            let of_server = failure(&error, Reach::Server);
            if error.is_permanent() { TransportError { class: Class::Sender, ..of_server } } else { of_server }
        })?;
        let judged = |error: Error| failure(&error, if error.is_permanent() { Reach::Final } else { Reach::Mail });
        for to in envelope.to() {
            connection.command(Rcpt::new(to.clone(), vec![])).map_err(judged)?;
        }
        connection.command(Data).map_err(judged)?;
        connection.message(message).map_err(|error| match error.status() {
            Some(_) => judged(error),
            None => TransportError { reach: Reach::Uncertain, class: Class::Uncertain, code: None },
        })?;
        // It has been taken; how the connection ends is of no account.
        let _ = connection.quit();
        Ok(())
    }
}

/// What went wrong, without the server's words: they may repeat the address.
fn failure(error: &Error, reach: Reach) -> TransportError {
    let code = error.status().map(u16::from);
    let class = if error.is_permanent() {
        Class::Permanent
    } else if error.is_transient() {
        Class::Transient
    } else {
        class_of(error)
    };
    TransportError { reach, class, code }
}

/// The class of an error that is no answer of the server, by the first of its causes that says something.
fn class_of(error: &Error) -> Class {
    let mut cause: Option<&(dyn StdError + 'static)> = error.source();
    while let Some(at) = cause {
        // What an error of the system holds is no cause of it by its own word.
        let io = at.downcast_ref::<io::Error>();
        let inner = io.and_then(|io| io.get_ref()).map(|inner| inner as &(dyn StdError + 'static));
        if let Some(tls) = at.downcast_ref::<rustls::Error>().or_else(|| inner?.downcast_ref()) {
            return class_of_tls(tls);
        }
        match io.map(io::Error::kind) {
            // A read that ran out of time says "would block" on Unix.
            Some(io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock) => return Class::Timeout,
            Some(_) => return Class::Unreachable,
            None => cause = at.source(),
        }
    }
    Class::Unreachable
}

fn class_of_tls(error: &rustls::Error) -> Class {
    use rustls::CertificateError as Wrong;
    match error {
        rustls::Error::InvalidCertificate(
            Wrong::Expired | Wrong::ExpiredContext { .. } | Wrong::NotValidYet | Wrong::NotValidYetContext { .. },
        ) => Class::TlsExpired,
        rustls::Error::InvalidCertificate(Wrong::NotValidForName | Wrong::NotValidForNameContext { .. }) => {
            Class::TlsName
        }
        rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => Class::TlsTrust,
        _ => Class::Tls,
    }
}
