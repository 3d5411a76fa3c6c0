//! The address phones and visitors are given: whether anybody else can reach it, and whether a phone will call it.

use std::net::IpAddr;

use url::Host;

use super::{Finding, Setup};

/// Looks at `public_url`.
pub fn check(setup: &Setup<'_>) -> Vec<Finding> {
    let url = &setup.config.public_url;
    let shown = url.as_str().trim_end_matches('/');
    let Some(host) = url.host() else { return Vec::new() };
    let reach = reach_of(&host);
    if reach == Reach::ThisMachine {
        let message = format!(
            "`public_url` is {shown}, which only this machine can reach: phones cannot sync, and links in mails and \
             passes lead nowhere. Set it to the address of your reverse proxy, such as https://visit.example.com."
        );
        return vec![Finding::warning("public_url_local", message)];
    }
    let mut found = Vec::new();
    if url.scheme() != "https" {
        let message = format!(
            "`public_url` is {shown}: phones call nothing but https://, and passes need it as well. Put a reverse \
             proxy with TLS in front, and set `public_url` to its address."
        );
        found.push(Finding::error("public_url_not_https", message));
    }
    if reach == Reach::OwnNetwork {
        let message = format!(
            "`public_url` is {shown}, which can be reached on your own network alone: visitors elsewhere cannot open \
             their page or fetch their pass. Set it to an address the whole Internet can reach."
        );
        found.push(Finding::warning("public_url_private", message));
    }
    found
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    ThisMachine,
    OwnNetwork,
    Everybody,
}

/// From where a host can be reached.
pub(super) fn reach_of<S: AsRef<str>>(host: &Host<S>) -> Reach {
    match host {
        Host::Ipv4(address) => of_address((*address).into()),
        Host::Ipv6(address) => of_address((*address).into()),
        Host::Domain(name) => of_name(name.as_ref()),
    }
}

fn of_address(address: IpAddr) -> Reach {
    let address = address.to_canonical();
    if address.is_loopback() || address.is_unspecified() {
        return Reach::ThisMachine;
    }
    let private = match address {
        // 100.64.0.0/10 is a provider's own (RFC 6598).
        IpAddr::V4(v4) => v4.is_private() || v4.is_link_local() || v4.to_bits() >> 22 == 0x64_40_00_00 >> 22,
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
    };
    if private { Reach::OwnNetwork } else { Reach::Everybody }
}

pub(super) fn of_name(name: &str) -> Reach {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let top = name.rsplit('.').next().unwrap_or_default();
    match top {
        // RFC 6761.
        "localhost" | "localdomain" => Reach::ThisMachine,
        // RFC 6761, 6762, 8375, and what ICANN has set aside for networks of one's own.
        "local" | "internal" | "lan" | "home" | "corp" | "intranet" | "private" | "test" | "invalid" | "arpa" => {
            Reach::OwnNetwork
        }
        _ if !name.contains('.') => Reach::OwnNetwork,
        _ => Reach::Everybody,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::codes;
    use super::*;

    #[test]
    fn an_address_nobody_else_can_reach_is_said_to_be_one() {
        let found = |url: &str| codes(&format!("public_url = '{url}'\nmail_from = 'a@example.com'\n"), check);
        for local in [
            "http://127.0.0.1:8480",
            "http://localhost",
            "http://hub.localhost",
            "http://[::1]:80",
            "http://0.0.0.0:8480",
            "https://localhost.localdomain",
            "http://[::ffff:127.0.0.1]",
        ] {
            assert_eq!(found(local), ["public_url_local"], "{local}");
        }
        for own in
            ["https://10.1.2.3", "https://192.168.1.5:8443", "https://hub", "https://hub.lan", "https://[fd00::1]"]
        {
            assert_eq!(found(own), ["public_url_private"], "{own}");
        }
        assert_eq!(found("http://100.64.1.1"), ["public_url_not_https", "public_url_private"]);
        assert_eq!(found("http://visit.example.com"), ["public_url_not_https"]);
        assert_eq!(found("http://8.8.8.8"), ["public_url_not_https"]);
        assert_eq!(found("https://visit.example.com"), [""; 0]);
    }
}
