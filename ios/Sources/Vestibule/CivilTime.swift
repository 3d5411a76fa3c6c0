public import Foundation

/// A date and time as the clocks of a site show it, to the minute, in the Gregorian calendar.
///
/// A draft carries civil times, because a visit at nine stays at nine when a time zone's rules change. Where the clocks
/// are put back, an hour comes twice: ``isSecondOccurrence`` means the later one. A value that is no time (hour 25) is
/// allowed here and is found as a problem of its field by ``Visits/validate(_:)``.
public struct CivilTime: Hashable, Sendable, Codable {
    /// 1 to 9999.
    public var year: Int
    /// 1 to 12.
    public var month: Int
    /// 1 to 31.
    public var day: Int
    /// 0 to 23.
    public var hour: Int
    /// 0 to 59.
    public var minute: Int
    /// Whether the later one of two equal times is meant.
    public var isSecondOccurrence: Bool

    /// Takes the numbers as they are.
    public init(year: Int, month: Int, day: Int, hour: Int, minute: Int, isSecondOccurrence: Bool = false) {
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.isSecondOccurrence = isSecondOccurrence
    }

    /// Takes the components of a calendar; none where one of year, month, day, hour and minute is missing.
    public init?(_ components: DateComponents) {
        guard let year = components.year, let month = components.month, let day = components.day,
            let hour = components.hour, let minute = components.minute
        else { return nil }
        self.init(year: year, month: month, day: day, hour: hour, minute: minute)
    }

    /// What the clocks of `timeZone` show at an instant, seconds dropped.
    public init(_ date: Date, in timeZone: TimeZone) {
        let shown = Self.gregorian(timeZone).dateComponents([.year, .month, .day, .hour, .minute], from: date)
        self.init(
            year: shown.year ?? 0, month: shown.month ?? 0, day: shown.day ?? 0,
            hour: shown.hour ?? 0, minute: shown.minute ?? 0)
        let instants = instants(in: timeZone)
        isSecondOccurrence = instants.count > 1 && date >= instants[1]
    }

    /// The components of the Gregorian calendar, without a time zone.
    public var dateComponents: DateComponents {
        DateComponents(year: year, month: month, day: day, hour: hour, minute: minute)
    }

    /// The instant at which the clocks of `timeZone` show this; none where it is no time of the years 1 to 9999, or the
    /// clocks are put forward over it.
    public func date(in timeZone: TimeZone) -> Date? {
        let instants = instants(in: timeZone)
        return isSecondOccurrence ? instants.last : instants.first
    }

    /// Every instant at which the clocks of `timeZone` show this, in order: one, or two where they are put back.
    private func instants(in timeZone: TimeZone) -> [Date] {
        let utc = Self.gregorian(.gmt)
        guard (1...9999).contains(year), dateComponents.isValidDate(in: utc), let clock = utc.date(from: dateComponents)
        else { return [] }
        // No zone changes its offset twice within two days.
        let day: TimeInterval = 86_400
        let offsets = Set([-day, day].map { timeZone.secondsFromGMT(for: clock.addingTimeInterval($0)) })
        return offsets.map { (offset: $0, instant: clock.addingTimeInterval(TimeInterval(-$0))) }
            .filter { timeZone.secondsFromGMT(for: $0.instant) == $0.offset }
            .map(\.instant)
            .sorted()
    }

    private static func gregorian(_ timeZone: TimeZone) -> Calendar {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = timeZone
        return calendar
    }
}
