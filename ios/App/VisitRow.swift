import SwiftUI
import Vestibule

/// A visit in a list: who, when on the site's clock, and where it stands, by word and symbol and not by colour alone.
struct VisitRow: View {
    let visit: VisitSummary
    @Environment(\.dynamicTypeSize) private var typeSize

    var body: some View {
        let layout =
            typeSize.isAccessibilitySize
            ? AnyLayout(VStackLayout(alignment: .leading, spacing: 8))
            : AnyLayout(HStackLayout(alignment: .firstTextBaseline, spacing: 12))
        layout {
            VStack(alignment: .leading, spacing: 3) {
                Text(verbatim: visit.name).font(.headline)
                if let company = visit.company, !company.isEmpty {
                    Text(verbatim: company).font(.subheadline).foregroundStyle(.secondary)
                }
                Text(verbatim: when).font(.subheadline)
                if visit.hasConflict {
                    ProblemLabel(text: String(localized: "Somebody else changed this visit: choose what holds."))
                }
            }
            .frame(maxWidth: .infinity, alignment: .leading)
            StatusBadge(visit: visit)
        }
        .padding(.vertical, 6)
        .accessibilityElement(children: .combine)
    }

    /// Day and time on the site's clock, and the site.
    private var when: String {
        var words = [String(localized: "any time")]
        if let start = visit.start {
            var day = Date.FormatStyle.dateTime.weekday().day().month().hour().minute()
            var clock = Date.FormatStyle.dateTime.hour().minute()
            day.timeZone = visit.timeZone ?? .current
            clock.timeZone = day.timeZone
            var text = start.formatted(day)
            if let end = visit.end {
                var calendar = Calendar.current
                calendar.timeZone = day.timeZone
                let isOneDay = calendar.isDate(start, inSameDayAs: end)
                text += "–" + end.formatted(isOneDay ? clock : day)
            }
            words = [text]
        }
        if let site = visit.siteName { words.append(site) }
        return words.joined(separator: " · ")
    }
}

/// Where a visit stands.
private struct StatusBadge: View {
    let visit: VisitSummary

    var body: some View {
        HStack(spacing: 4) {
            Image(systemName: visit.status.symbol).imageScale(.small)
            Text(visit.status.title)
            if visit.isQueued, visit.status != .queued {
                Image(systemName: "arrow.up.circle").accessibilityLabel(Text("not sent yet"))
            }
        }
        .font(.caption.weight(.medium))
        .padding(.horizontal, 10)
        .padding(.vertical, 5)
        .foregroundStyle(visit.status.colour)
        .background(visit.status.colour.opacity(0.14), in: .capsule)
        .fixedSize()
    }
}

/// Something that is wrong, beside what it is wrong with.
struct ProblemLabel: View {
    let text: String

    var body: some View {
        Label {
            Text(verbatim: text)
        } icon: {
            Image(systemName: "exclamationmark.circle.fill")
        }
        .font(.footnote)
        .foregroundStyle(.red)
    }
}
