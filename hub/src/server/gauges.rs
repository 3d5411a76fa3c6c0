//! What `/metrics` says of the hub as it stands: its clock, and the certificates it signs passes with.

use std::fmt::Write as _;

use super::Hub;

impl Hub {
    /// The gauges as Prometheus reads them (text format 0.0.4).
    pub(super) fn gauges(&self) -> String {
        let time = self.clock.read();
        let ahead = time.doubted.map_or(0, |machine| machine.signed_duration_since(time.now).num_seconds());
        let mut text = String::new();
        let mut gauge = |name: &str, help: &str, lines: &[(String, i64)]| {
            let written = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge")
                .and_then(|()| lines.iter().try_for_each(|(labels, value)| writeln!(text, "{name}{labels} {value}")));
            written.expect("writing to memory does not fail");
        };
        let doubt = i64::from(!time.is_certain());
        gauge("vestibule_clock_in_doubt", "Whether the machine's clock is in doubt.", &[(String::new(), doubt)]);
        let help = "How far a clock in doubt is ahead of the hub's own count.";
        gauge("vestibule_clock_ahead_seconds", help, &[(String::new(), ahead)]);
        let certificates: Vec<_> = self
            .organisations
            .all()
            .iter()
            .filter_map(|context| {
                let (_, until) = context.apple.as_ref()?.validity();
                Some((format!("{{organisation=\"{}\"}}", context.organisation), until.timestamp()))
            })
            .collect();
        let help = "When the Apple certificate of an organisation runs out, Unix seconds.";
        gauge("vestibule_apple_certificate_end_seconds", help, &certificates);
        text
    }
}
