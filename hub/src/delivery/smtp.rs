//! Handing a mail to a server over SMTP (RFC 5321), step by step.
//!
//! The steps are taken one by one because what a failure means depends on where it happens: a refused sign-in says
//! nothing about the mail, a refused recipient ends it, and only from the first byte of the message to the server's
//! answer can nobody know whether it was taken.

use std::time::Duration;

use lettre::Address;
use lettre::address::Envelope;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{SmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};

use super::sender::{MailTransport, TransportError};

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
    /// [`TransportError::Permanent`] where TLS cannot be set up for the server's name.
    pub fn new(settings: &SmtpSettings) -> Result<Self, TransportError> {
        let is_protected = settings.tls != SmtpSecurity::None;
        let tls = is_protected
            .then(|| TlsParameters::new(settings.host.clone()))
            .transpose()
            .map_err(|_| TransportError::Permanent("TLS cannot be set up for this server's name".to_owned()))?;
        Ok(Self {
            server: (settings.host.clone(), settings.port),
            security: settings.tls,
            tls,
            credentials: settings.user.clone().zip(settings.password.clone()).map(|(u, p)| Credentials::new(u, p)),
            hello: ClientId::default(),
        })
    }

    fn connect(&self) -> Result<SmtpConnection, Error> {
        let at_once = self.tls.as_ref().filter(|_| self.security == SmtpSecurity::Tls);
        let server = (self.server.0.as_str(), self.server.1);
        let mut connection = SmtpConnection::connect(server, Some(PATIENCE), &self.hello, at_once, None)?;
        if let Some(tls) = self.tls.as_ref().filter(|_| self.security == SmtpSecurity::Starttls) {
            connection.starttls(tls, &self.hello)?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials)?;
        }
        Ok(connection)
    }
}

impl MailTransport for Smtp {
    fn deliver(&self, _: &str, envelope: &Envelope, message: &[u8]) -> Result<(), TransportError> {
        // Up to and with MAIL it is about the server, the account and the sender, not about this mail.
        let not_now = |error: Error| TransportError::Temporary(say(&error));
        let mut connection = self.connect().map_err(not_now)?;
        let mut options = Vec::new();
        let is_ascii = |address: &Address| AsRef::<str>::as_ref(address).is_ascii();
        if !envelope.from().into_iter().chain(envelope.to()).all(is_ascii) {
            if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
                connection.abort();
                return Err(TransportError::Permanent("it takes no address with letters beyond ASCII".to_owned()));
            }
            options.push(MailParameter::SmtpUtfEight);
        }
        connection.command(Mail::new(envelope.from().cloned(), options)).map_err(not_now)?;
        let judged = |error: Error| {
            let text = say(&error);
            if error.is_permanent() { TransportError::Permanent(text) } else { TransportError::Temporary(text) }
        };
        for to in envelope.to() {
            connection.command(Rcpt::new(to.clone(), vec![])).map_err(judged)?;
        }
        connection.command(Data).map_err(judged)?;
        connection.message(message).map_err(|error| match error.status() {
            Some(_) => judged(error),
            None => TransportError::Uncertain(say(&error)),
        })?;
        // It has been taken; how the connection ends is of no account.
        let _ = connection.quit();
        Ok(())
    }
}

/// What went wrong, without the server's words: they may repeat the address.
fn say(error: &Error) -> String {
    match error.status() {
        Some(code) => format!("it answered {code}"),
        None if error.is_timeout() => "it did not answer in time".to_owned(),
        None if error.is_client() => "it does not offer what is asked of it (STARTTLS, sign-in)".to_owned(),
        None => "it cannot be reached, or the connection broke".to_owned(),
    }
}
