//! Counters for Prometheus (text format 0.0.4): routes, statuses and outcomes, never a person, a visit or a token.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What a request is counted under: method, route template and status.
type Kind = (&'static str, String, u16);

/// The hub's counters since it started.
#[derive(Default)]
pub struct Metrics {
    requests: Mutex<BTreeMap<Kind, (u64, Duration)>>,
    refusals: Mutex<BTreeMap<String, u64>>,
    mails: Mutex<BTreeMap<&'static str, u64>>,
}

impl Metrics {
    /// Counts an answered request. `route` is the template, not the path.
    pub fn request(&self, method: &'static str, route: &str, status: u16, took: Duration) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, time) = requests.entry((method, route.to_owned(), status)).or_default();
        *count += 1;
        *time += took;
    }

    /// Counts a refusal of what a phone pushed, by its stable code.
    pub fn turned_away(&self, code: &str) {
        *self.refusals.lock().unwrap_or_else(PoisonError::into_inner).entry(code.to_owned()).or_default() += 1;
    }

    /// Counts mails by what became of them.
    pub fn mails(&self, outcome: &'static str, count: u64) {
        if count > 0 {
            *self.mails.lock().unwrap_or_else(PoisonError::into_inner).entry(outcome).or_default() += count;
        }
    }

    /// The text Prometheus reads.
    pub fn render(&self) -> String {
        let mut text = String::new();
        let mut line = |arguments: std::fmt::Arguments<'_>| {
            text.write_fmt(arguments).expect("writing to memory does not fail");
            text.push('\n');
        };
        line(format_args!("# HELP vestibule_build_info The version that runs.\n# TYPE vestibule_build_info gauge"));
        line(format_args!("vestibule_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION")));
        line(format_args!("# HELP vestibule_http_requests_total Answered requests."));
        line(format_args!("# TYPE vestibule_http_requests_total counter"));
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        for ((method, route, status), (count, _)) in &*requests {
            let labels = format!("method=\"{method}\",route=\"{route}\",status=\"{status}\"");
            line(format_args!("vestibule_http_requests_total{{{labels}}} {count}"));
        }
        line(format_args!("# HELP vestibule_http_request_seconds_total Time spent on answered requests."));
        line(format_args!("# TYPE vestibule_http_request_seconds_total counter"));
        for ((method, route, status), (_, time)) in &*requests {
            let labels = format!("method=\"{method}\",route=\"{route}\",status=\"{status}\"");
            line(format_args!("vestibule_http_request_seconds_total{{{labels}}} {:.6}", time.as_secs_f64()));
        }
        line(format_args!(
            "# HELP vestibule_turned_away_total Pushed envelopes that were not taken.\n# TYPE vestibule_turned_away_total counter"
        ));
        for (code, count) in &*self.refusals.lock().unwrap_or_else(PoisonError::into_inner) {
            line(format_args!("vestibule_turned_away_total{{code=\"{code}\"}} {count}"));
        }
        line(format_args!(
            "# HELP vestibule_mails_total Mails by what became of them.\n# TYPE vestibule_mails_total counter"
        ));
        for (outcome, count) in &*self.mails.lock().unwrap_or_else(PoisonError::into_inner) {
            line(format_args!("vestibule_mails_total{{outcome=\"{outcome}\"}} {count}"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_written() {
        let metrics = Metrics::default();
        metrics.request("POST", "/v1/sync", 200, Duration::from_millis(250));
        metrics.request("POST", "/v1/sync", 200, Duration::from_millis(250));
        metrics.mails("sent", 3);
        metrics.mails("failed", 0);
        metrics.turned_away("signature");
        let text = metrics.render();
        for expected in [
            "vestibule_http_requests_total{method=\"POST\",route=\"/v1/sync\",status=\"200\"} 2\n",
            "vestibule_http_request_seconds_total{method=\"POST\",route=\"/v1/sync\",status=\"200\"} 0.500000\n",
            "vestibule_mails_total{outcome=\"sent\"} 3\n",
            "vestibule_turned_away_total{code=\"signature\"} 1\n",
        ] {
            assert!(text.contains(expected), "{expected} in\n{text}");
        }
        assert!(!text.contains("failed"));
    }
}
