//! Who a request comes from, behind proxies that are trusted to say so.
//!
//! A reverse proxy adds the address of its client to `Forwarded` (RFC 7239) or `X-Forwarded-For`. Anybody can write such
//! a header, so it is believed only as far as trusted proxies have written it: from the right, up to the first address
//! that is none of theirs.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;

/// `X-Forwarded-For`: no standard, and what most proxies write.
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Who sends a request, as far as it matters for how many it may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// Somebody at this address; of IPv6, the network of one subscriber.
    At(IpAddr),
    /// This machine, or a proxy that does not say for whom it asks: nobody who could be told apart from others.
    Trusted,
}

/// The proxies that are believed.
pub struct Proxies {
    trusted: Vec<IpNet>,
    /// Somebody else forwards requests: said once, for it is a setting that is missing.
    told: AtomicBool,
}

impl Proxies {
    /// Believes those at these addresses.
    pub fn new(trusted: &[IpNet]) -> Self {
        Self { trusted: trusted.to_vec(), told: AtomicBool::new(false) }
    }

    /// Whether what comes from this address is believed.
    pub fn trust(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(&address))
    }

    /// Who sends a request that came from `peer` with these headers.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Client {
        let said = || forwarded(headers).or_else(|| x_forwarded_for(headers));
        if !self.trust(peer) {
            if said().is_some() && !self.told.swap(true, Ordering::Relaxed) {
                tracing::warn!(
                    "requests come through a proxy that is not one of `trusted_proxies`: all its clients share the \
                     limits of one; if it is yours, add its address there"
                );
            }
            return Client::At(subscriber(peer));
        }
        for address in said().unwrap_or_default().into_iter().rev() {
            match address {
                Some(address) if self.trust(address) => {}
                Some(address) => return Client::At(subscriber(address)),
                // A name in place of an address (RFC 7239, section 6.3): what stands to its left is not believed.
                None => return Client::Trusted,
            }
        }
        Client::Trusted
    }
}

/// The `for` of every element of `Forwarded`, the client first; nothing where there is no such header.
fn forwarded(headers: &HeaderMap) -> Option<Vec<Option<IpAddr>>> {
    let elements = list(headers, &header::FORWARDED)?;
    let of = |element: &str| {
        let pair = element.split(';').find_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            name.trim().eq_ignore_ascii_case("for").then(|| value.trim().trim_matches('"').to_owned())
        });
        address(&pair?)
    };
    Some(elements.iter().map(|element| of(element)).collect())
}

fn x_forwarded_for(headers: &HeaderMap) -> Option<Vec<Option<IpAddr>>> {
    Some(list(headers, &X_FORWARDED_FOR)?.iter().map(|element| address(element)).collect())
}

fn list(headers: &HeaderMap, name: &HeaderName) -> Option<Vec<String>> {
    let values = headers.get_all(name);
    let elements: Vec<String> = values
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|element| element.trim().to_owned())
        .collect();
    (!elements.is_empty()).then_some(elements)
}

/// An address, with a port or not; of IPv6 in brackets or not.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let parsed = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    parsed.map(|address: IpAddr| address.to_canonical())
}

/// What one subscriber has of IPv6 is a network of 64 bits: who has it has every address in it.
fn subscriber(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, name: &'static str, value: &str) -> Client {
        let proxies = Proxies::new(&["127.0.0.0/8".parse().expect("a network"), "10.0.0.7/32".parse().expect("one")]);
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().expect("a header"));
        proxies.client(peer.parse().expect("an address"), &headers)
    }

    fn at(address: &str) -> Client {
        Client::At(address.parse().expect("an address"))
    }

    #[test]
    fn only_what_trusted_proxies_wrote_is_believed() {
        for (peer, name, value, expected) in [
            ("203.0.113.9", "x-forwarded-for", "198.51.100.1", at("203.0.113.9")),
            ("127.0.0.1", "x-forwarded-for", "198.51.100.1", at("198.51.100.1")),
            // The client wrote the first itself.
            ("127.0.0.1", "x-forwarded-for", "1.2.3.4, 198.51.100.1", at("198.51.100.1")),
            ("127.0.0.1", "x-forwarded-for", "198.51.100.1, 10.0.0.7", at("198.51.100.1")),
            ("127.0.0.1", "x-forwarded-for", "127.0.0.1", Client::Trusted),
            ("127.0.0.1", "x-forwarded-for", "198.51.100.1, nonsense", Client::Trusted),
            ("127.0.0.1", "forwarded", "for=198.51.100.1;proto=https;by=10.0.0.7", at("198.51.100.1")),
            ("127.0.0.1", "forwarded", "For=\"[2001:db8:1:2:3:4:5:6]:4711\"", at("2001:db8:1:2::")),
            ("127.0.0.1", "forwarded", "for=_hidden", Client::Trusted),
            ("127.0.0.1", "forwarded", "for=1.2.3.4, for=198.51.100.1:80", at("198.51.100.1")),
            ("127.0.0.1", "x-other", "198.51.100.1", Client::Trusted),
        ] {
            assert_eq!(client(peer, name, value), expected, "{peer} {value}");
        }
    }
}
