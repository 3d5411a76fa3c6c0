import Foundation
import Vestibule
import XCTest

/// Civil times beside instants, also where clocks are put forward and back (S1.25).
final class CivilTimeTests: XCTestCase {
    private let zurich = TimeZone(identifier: "Europe/Zurich")!

    private func instant(_ text: String) -> Date {
        ISO8601DateFormatter().date(from: text)!
    }

    func testATimeIsFoundInItsZone() {
        let nine = CivilTime(year: 2037, month: 2, day: 10, hour: 9, minute: 30)
        XCTAssertEqual(nine.date(in: zurich), instant("2037-02-10T08:30:00Z"))
        XCTAssertEqual(CivilTime(instant("2037-02-10T08:30:59Z"), in: zurich), nine)
        XCTAssertEqual(CivilTime(nine.dateComponents), nine)
        XCTAssertNil(CivilTime(DateComponents(year: 2037, month: 2, day: 10)))
    }

    func testAnHourThatComesTwiceKeepsApart() {
        for (text, isSecond) in [("2026-10-25T00:30:00Z", false), ("2026-10-25T01:30:00Z", true)] {
            let shown = CivilTime(instant(text), in: zurich)
            let expected = CivilTime(
                year: 2026, month: 10, day: 25, hour: 2, minute: 30, isSecondOccurrence: isSecond)
            XCTAssertEqual(shown, expected)
            XCTAssertEqual(shown.date(in: zurich), instant(text))
        }
    }

    func testATimeThatDoesNotComeIsNone() {
        let skipped = CivilTime(year: 2026, month: 3, day: 29, hour: 2, minute: 30)
        XCTAssertNil(skipped.date(in: zurich))
        for wrong in [
            CivilTime(year: 2026, month: 13, day: 1, hour: 0, minute: 0),
            CivilTime(year: 2026, month: 2, day: 29, hour: 0, minute: 0),
            CivilTime(year: 2026, month: 2, day: 1, hour: 24, minute: 0),
            CivilTime(year: .max, month: .min, day: .max, hour: .min, minute: .max),
            CivilTime(year: 0, month: 1, day: 1, hour: 0, minute: 0),
        ] {
            XCTAssertNil(wrong.date(in: zurich), "\(wrong)")
        }
    }

    /// The device's calendar is of no matter: a Buddhist year is no Gregorian one.
    func testInstantsFarAwayHaveACivilTime() {
        for date in [Date.distantPast, .distantFuture, Date(timeIntervalSince1970: 0)] {
            let shown = CivilTime(date, in: zurich)
            XCTAssert((1...12).contains(shown.month) && (0...59).contains(shown.minute), "\(shown)")
        }
    }
}
