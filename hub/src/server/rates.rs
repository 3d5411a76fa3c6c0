//! How often one address, or one device, may ask for what costs the hub something before it knows who asks: sign-ins and
//! tokens, visitors' pages, passes. What is over is answered 429 with the time to come back.
//!
//! Each has a bucket that holds a burst and fills again by the second. The buckets are in memory and few: a restart
//! forgives everybody, and where there are too many at once those that are full again are forgotten, then all.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use vestibule_core::id::Thumbprint;

use super::Hub;
use super::connections::Client;
use super::problem::Refused;

/// How many addresses or devices are remembered at a time: a few megabytes.
const REMEMBERED: usize = 50_000;
/// How many tokens a device may ask for in a minute, on average. It needs one in fifteen; a phone in a terminal needs one
/// each time it is run.
const TOKENS_PER_MINUTE: u32 = 300;
/// A bucket holds what is filled in this many minutes: an office that starts its day asks for a lot at once.
const BURST: u32 = 3;

/// The buckets of the hub.
pub struct Rates {
    sign_ins: Buckets<IpAddr>,
    pages: Buckets<IpAddr>,
    tokens: Buckets<Thumbprint>,
}

impl Rates {
    /// Full buckets, with that many requests a minute for each address and kind.
    pub fn new(per_minute: u32) -> Self {
        Self {
            sign_ins: Buckets::new(per_minute),
            pages: Buckets::new(per_minute),
            tokens: Buckets::new(TOKENS_PER_MINUTE),
        }
    }

    /// Lets a device that has proven to hold its key have another token.
    pub fn token(&self, device: Thumbprint) -> Result<(), Refused> {
        self.tokens.take(device, Instant::now()).map_err(too_often)
    }
}

/// Lets sign-ins and tokens through as often as one address may have them.
pub async fn sign_ins(State(hub): State<Arc<Hub>>, request: Request, next: Next) -> Result<Response, Refused> {
    by_address(&hub.rates.sign_ins, request, next).await
}

/// Lets requests for pages and passes through as often as one address may have them.
pub async fn pages(State(hub): State<Arc<Hub>>, request: Request, next: Next) -> Result<Response, Refused> {
    by_address(&hub.rates.pages, request, next).await
}

async fn by_address(buckets: &Buckets<IpAddr>, request: Request, next: Next) -> Result<Response, Refused> {
    if let Some(Client::At(address)) = request.extensions().get() {
        buckets.take(*address, Instant::now()).map_err(too_often)?;
    }
    Ok(next.run(request).await)
}

fn too_often(wait: Duration) -> Refused {
    Refused::later("too_many_requests", "Too many requests came from here; try again later.", wait.as_secs() + 1)
}

struct Buckets<K> {
    per_minute: f64,
    of: Mutex<HashMap<K, Bucket>>,
}

#[derive(Clone, Copy)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl<K: Hash + Eq> Buckets<K> {
    fn new(per_minute: u32) -> Self {
        Self { per_minute: per_minute.into(), of: Mutex::default() }
    }

    fn most(&self) -> f64 {
        self.per_minute * f64::from(BURST)
    }

    fn filled(&self, bucket: Bucket, now: Instant) -> f64 {
        let minutes = now.saturating_duration_since(bucket.at).as_secs_f64() / 60.0;
        (bucket.left + minutes * self.per_minute).min(self.most())
    }

    /// Takes one, or says how long it takes until there is one.
    fn take(&self, key: K, now: Instant) -> Result<(), Duration> {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        if of.len() >= REMEMBERED && !of.contains_key(&key) {
            of.retain(|_, bucket| self.filled(*bucket, now) < self.most());
            if of.len() >= REMEMBERED {
                of.clear();
            }
        }
        let bucket = of.entry(key).or_insert(Bucket { left: self.most(), at: now });
        let left = self.filled(*bucket, now);
        if left < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - left) * 60.0 / self.per_minute));
        }
        *bucket = Bucket { left: left - 1.0, at: now };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_emptied_says_when_to_come_back_and_fills_again() {
        let buckets = Buckets::new(60);
        let now = Instant::now();
        for _ in 0..60 * BURST {
            assert_eq!(buckets.take("a", now), Ok(()));
        }
        assert_eq!(buckets.take("a", now), Err(Duration::from_secs(1)));
        assert_eq!(buckets.take("b", now), Ok(()), "another has its own");
        assert_eq!(buckets.take("a", now + Duration::from_secs(1)), Ok(()));
        assert!(buckets.take("a", now + Duration::from_secs(1)).is_err());
    }

    #[test]
    fn the_memory_is_bounded() {
        let buckets = Buckets::new(1);
        let now = Instant::now();
        for key in 0..3 * REMEMBERED {
            assert_eq!(buckets.take(key, now), Ok(()));
        }
        assert!(buckets.of.lock().expect("whole").len() <= REMEMBERED);
    }
}
