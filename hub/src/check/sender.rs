//! The mail that goes out: who sends it, and whether it goes anywhere.

use lettre::message::Mailbox;

use super::address::{Reach, of_name};
use super::{Finding, Setup};

/// Looks at the senders and the mail server's settings.
pub fn check(setup: &Setup<'_>) -> Vec<Finding> {
    let config = setup.config;
    let mut found = Vec::new();
    match &config.smtp {
        None => found.push(Finding::warning(
            "no_mail_server",
            "There is no [smtp] in the settings: mails are written to a folder and reach nobody. Name your mail server.",
        )),
        Some(smtp) => {
            if let Some(file) = &smtp.password_file
                && let Err(error) = std::fs::File::open(setup.dir.resolve(file))
            {
                let file = setup.dir.resolve(file);
                let message = format!("The mail server's password cannot be read from {}: {error}.", file.display());
                found.push(Finding::error("smtp_password", message));
            }
            let here = matches!(url::Host::parse(&smtp.host), Ok(host) if super::address::reach_of(&host) == Reach::ThisMachine);
            if smtp.tls == crate::config::SmtpTls::None && !here {
                let message = format!(
                    "Mails go to {} with no TLS: PINs can be read on the way. Set `smtp.tls` to \"starttls\" or \
                     \"implicit\".",
                    smtp.host
                );
                found.push(Finding::warning("smtp_no_tls", message));
            }
        }
    }
    let own = config
        .organisations
        .iter()
        .filter_map(|(id, own)| own.mail_from.as_ref().map(|from| (format!("organisations.{id}.mail_from"), from)));
    for (key, from) in std::iter::once(("mail_from".to_owned(), &config.mail_from)).chain(own) {
        let Ok(sender) = from.parse::<Mailbox>() else { continue };
        let domain = sender.email.domain();
        if of_name(domain) != Reach::Everybody || domain.starts_with('[') {
            let message = format!(
                "`{key}` is at {domain}, which other mail servers do not know: they refuse such mails, and nobody can \
                 answer. Set it to an address of your own domain."
            );
            found.push(Finding::warning("mail_from_local", message));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::testing::codes;
    use super::*;

    #[test]
    fn a_sender_nobody_knows_and_a_server_that_is_not_there_are_said() {
        let found = |more: &str| codes(&format!("public_url = 'https://a.example'\n{more}"), check);
        let server = "[smtp]\nhost = 'smtp.example.com'\n";
        assert_eq!(found(&format!("mail_from = 'a@example.com'\n{server}")), [""; 0]);
        assert_eq!(found("mail_from = 'a@example.com'\n"), ["no_mail_server"]);
        for sender in ["A <visitors@localhost>", "a@hub", "a@mail.local"] {
            assert_eq!(found(&format!("mail_from = '{sender}'\n{server}")), ["mail_from_local"], "{sender}");
        }
        let own = "[organisations.example-ag]\nmail_from = 'a@localhost'\n";
        assert_eq!(found(&format!("mail_from = 'a@example.com'\n{server}{own}")), ["mail_from_local"]);
        let open = "[smtp]\nhost = 'smtp.example.com'\ntls = 'none'\n";
        assert_eq!(found(&format!("mail_from = 'a@example.com'\n{open}")), ["smtp_no_tls"]);
        let here = "[smtp]\nhost = '127.0.0.1'\ntls = 'none'\n";
        assert_eq!(found(&format!("mail_from = 'a@example.com'\n{here}")), [""; 0]);
        let password = "user = 'a'\npassword_file = 'nowhere'\n";
        assert_eq!(found(&format!("mail_from = 'a@example.com'\n{server}{password}")), ["smtp_password"]);
    }
}
