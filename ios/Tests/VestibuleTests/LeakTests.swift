import Foundation
import Vestibule
import XCTest

/// Opening, observing and closing leaves nothing behind.
final class LeakTests: XCTestCase {
    func testTenThousandRoundsLeakNothing() async throws {
        let hub = try Hub()
        let phone = try await Phone("ada", hub: hub)
        _ = try await phone.client.visits.create((1...5).map { .example("Visitor \($0)") })
        await phone.client.close()

        func rounds(_ count: Int) async throws {
            for round in 0..<count {
                let client = try await phone.open()
                let observation = try await client.visits.observe(.all)
                let list = await observation.lists.first { _ in true }
                XCTAssertEqual(list?.visits.count, 5)
                switch round % 3 {
                case 0: await client.close()
                case 1: observation.cancel()
                default: break  // Both are dropped.
                }
            }
        }
        // What is made once is made.
        try await rounds(2_000)
        let before = try ProcessState.now()
        try await rounds(8_000)
        let after = try await ProcessState.settled(to: before)
        XCTAssertTrue(after.isWithin(before), "\(before), \(after)")
        // A client, an observation or a list is larger than what is allowed for each round.
        XCTAssertLessThan(after.memory - before.memory, 8_000 * 256, "\(before), \(after)")
    }
}
