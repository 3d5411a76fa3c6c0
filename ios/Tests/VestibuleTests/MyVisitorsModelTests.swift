import Foundation
import Observation
import XCTest

@testable import Vestibule

/// The screen "my visitors", without a screen.
@MainActor
final class MyVisitorsModelTests: XCTestCase, @unchecked Sendable {
    /// S1.4, S1.5, S4.7, S4.14: every visit in its tab, and how many each tab has.
    func testTabsRowsAndCountsFollowTheFile() async throws {
        let hub = try Hub()
        let phone = try await Phone("ada", hub: hub)
        let model = MyVisitorsModel(client: phone.client)
        XCTAssertTrue(model.isLoading)
        XCTAssertNil(model.emptiness, "nothing is known yet")
        let running = Task { await model.run() }
        try await until("the list is there") { !model.isLoading }
        XCTAssertEqual(model.emptiness, .noVisits)
        XCTAssertNotNil(model.syncedAt)

        let guest = try await phone.client.visits.create(.example())
        let contractor = try await phone.client.visits.create(.example("Bo", type: "contractor"))
        try await until("both are queued") { model.queued == 2 }
        XCTAssertEqual(model.emptiness, .emptyTab(.upcoming), "nobody is invited yet")
        model.tab = .queued
        XCTAssertEqual(model.visits, [], "rows of another tab are not shown under this one")
        try await until("the queued are shown") { model.visits.count == 2 }

        await model.sync()
        XCTAssertEqual(model.activity, .idle)
        try await until("the hub has both") { model.counts[.upcoming] == 1 && model.counts[.pending] == 1 }
        XCTAssertEqual(model.emptiness, .emptyTab(.queued))
        model.tab = .upcoming
        try await until("the guest is shown") { model.visits.map(\.id) == [guest] }
        model.tab = .pending
        try await until("the contractor is shown") { model.visits.map(\.id) == [contractor] }

        await model.cancel(contractor)
        XCTAssertNil(model.problem)
        model.tab = .past
        try await until("the cancelled one is over") { model.visits.map(\.id) == [contractor] }
        XCTAssert(model.visits[0].isQueued, "the revocation is pending")
        await model.cancel(VisitID("none"))
        XCTAssertEqual(model.problem?.badArgument, "id")
        running.cancel()
        await running.value
    }

    /// S1.4: a long list comes page by page, as its end comes into sight.
    func testPagesComeAsTheirEndComesIntoSight() async throws {
        let hub = try Hub()
        let phone = try await Phone("ada", hub: hub)
        _ = try await phone.client.visits.create((1...25).map { .example("Visitor \($0)") })
        let model = MyVisitorsModel(client: phone.client, pageSize: 10)
        model.tab = .queued
        let running = Task { await model.run() }
        try await until("a page") { model.visits.count == 10 }
        model.appeared(model.visits[0])
        model.appeared(model.visits[9])
        try await until("two pages") { model.visits.count == 20 }
        model.appeared(model.visits[19])
        try await until("all") { model.visits.count == 25 }
        model.appeared(model.visits[24])
        XCTAssertEqual(model.counts.queued, 25)
        running.cancel()
        await running.value
    }

    /// A search is over all tabs, follows what is typed, and ends with it.
    func testSearchFollowsWhatIsTyped() async throws {
        let hub = try Hub()
        let phone = try await Phone("ada", hub: hub)
        let zoe = try await phone.client.visits.create(.example("Zoë"))
        var other = VisitDraft.example("Yamada")
        other.email = "yamada@visitors.test"
        _ = try await phone.client.visits.create(other)
        let model = MyVisitorsModel(client: phone.client)
        let running = Task { await model.run() }
        try await until("the list is there") { !model.isLoading }
        model.searchText = "y"
        model.searchText = "zo"
        try await until("Zoë is found") { model.visits.map(\.id) == [zoe] }
        model.searchText = "nobody"
        try await until("nobody is found") { model.emptiness == .nothingFound }
        await model.cancel(zoe)
        model.searchText = "zoe"
        try await until("found where it is now") { model.visits.first?.status == .cancelled }
        model.searchText = " "
        XCTAssertEqual(model.emptiness, .emptyTab(.upcoming))
        await model.searching?.value
        XCTAssertEqual(model.visits, [])
        running.cancel()
        await running.value
    }

    /// A hub that is away: said so, and everything is kept and counted.
    func testAnAbsentHubIsSaidAndNothingIsLost() async throws {
        let hub = try Hub()
        let phone = try await Phone("ada", hub: hub)
        let model = MyVisitorsModel(client: phone.client)
        let running = Task { await model.run() }
        try await until("the list is there") { !model.isLoading }
        hub.stop()
        _ = try await phone.client.visits.create(.example())
        await model.sync()
        XCTAssertEqual(model.activity, .failed(.unreachable))
        try await until("it is counted") { model.queued == 1 }
        try hub.start()
        await model.sync()
        XCTAssertEqual(model.activity, .idle)
        try await until("it is sent") { model.queued == 0 && model.counts.upcoming == 1 }
        running.cancel()
        await running.value
    }

    /// Following ends with its task, with the client, and can begin again.
    func testFollowingEndsAndBeginsAgain() async throws {
        let phone = try await Phone()
        let model = MyVisitorsModel(client: phone.client)
        let first = Task { await model.run() }
        try await until("the list is there") { !model.isLoading }
        first.cancel()
        await patiently("the first ends") { await first.value }
        let second = Task { await model.run() }
        model.tab = .past
        try await until("another tab") { !model.isLoading }
        await phone.client.close()
        await patiently("the second ends") { await second.value }
        await model.run()
        XCTAssertEqual(model.problem, .closed)
    }
}

/// Waits until an observable model is as described.
@MainActor
func until(_ what: String, _ condition: @escaping @MainActor () -> Bool) async throws {
    await patiently(what) {
        while !condition() {
            await withCheckedContinuation { continuation in
                withObservationTracking {
                    _ = condition()
                } onChange: {
                    continuation.resume()
                }
            }
        }
    }
}
