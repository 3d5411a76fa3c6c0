import Foundation
import Vestibule
import XCTest

/// What ends, and when: syncs, observations, clients.
final class LifetimeTests: XCTestCase {
    /// A hub that hangs: closing stops the sync that waits for it, and ends what observes.
    func testClosingWhileASyncRunsIsClean() async throws {
        let hub = try Hub()
        let phone = try await Phone("ada", hub: hub)
        let client = phone.client
        let visit = try await client.visits.create(.example())
        hub.stop()
        let silence = try Listener(port: hub.port)
        let observation = try await client.visits.observe(.all)
        let run = Task { try await client.sync.run() }
        let call = await silence.answered()
        await client.close()
        await assertThrows("the sync ends", where: { [.cancelled, .closed].contains($0) }) { try await run.value }
        let rest = await patiently("the observation ends") {
            await observation.lists.reduce(into: 0) { count, _ in count += 1 }
        }
        XCTAssertLessThanOrEqual(rest, 1)
        await assertThrows(.closed) { try await client.visits.counts() }
        await client.close()

        let again = try await phone.open()
        let kept = try await again.visits.show(visit)
        XCTAssert(kept.isQueued, "the work is kept")
        withExtendedLifetime((call, silence)) {}
    }

    /// A task's cancellation reaches the sync, and nothing else.
    func testCancellingATaskStopsItsSync() async throws {
        let hub = try Hub()
        let phone = try await Phone("ada", hub: hub)
        let client = phone.client
        _ = try await client.visits.create(.example())
        hub.stop()
        let silence = try Listener(port: hub.port)
        let run = Task { try await client.sync.run() }
        let first = await silence.answered()
        run.cancel()
        await assertThrows(.cancelled) { try await patiently("the sync stops") { try await run.value } }

        // The same by reading its progress no further.
        let reading = Task {
            for try await _ in client.sync.progress() {}
        }
        let second = await silence.answered()
        reading.cancel()
        _ = try await patiently("the reading stops") { try await reading.value }
        withExtendedLifetime((first, second)) {}
        silence.end()

        try hub.start()
        try await client.sync.run()
        let counts = try await client.visits.counts()
        XCTAssertEqual(counts.upcoming, 1)
    }

    /// What is cancelled before it begins does not begin.
    func testATaskThatIsCancelledAlreadyDoesNotSync() async throws {
        let hub = try Hub()
        let phone = try await Phone("ada", hub: hub)
        let run = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await phone.client.sync.run()
        }
        await assertThrows(.cancelled) { try await run.value }
    }

    /// Whoever does not read, or reads slowly, holds nothing up and finds the newest list.
    func testAnObserverThatBlocksHoldsNothingUp() async throws {
        let hub = try Hub()
        let phone = try await Phone("ada", hub: hub)
        let visits = phone.client.visits
        let (blocked, quick) = (try await visits.observe(.all), try await visits.observe(.all))
        let blocker = DispatchSemaphore(value: 0)
        let reading = Thread.detached {
            // A thread that reads one list and then hangs.
            let read = DispatchSemaphore(value: 0)
            Task {
                _ = await blocked.lists.first { _ in true }
                read.signal()
            }
            read.wait()
            blocker.wait()
        }
        for number in 1...20 {
            _ = try await visits.create(.example("Visitor \(number)"))
        }
        _ = try await next(quick, "the quick one sees all") { $0.visits.count == 20 }
        try await phone.client.sync.run()
        _ = try await next(quick, "the hub has all") { $0.counts.upcoming == 20 }
        blocker.signal()
        await reading()
        let newest = try await next(blocked, "the blocked one sees all") { $0.counts.upcoming == 20 }
        XCTAssertEqual(newest.visits.count, 20)
    }

    /// An observation whose lists nobody holds any more is over; others go on.
    func testADroppedObservationHarmsNothing() async throws {
        let hub = try Hub()
        let phone = try await Phone("ada", hub: hub)
        let visits = phone.client.visits
        let kept = try await visits.observe(.all)
        for number in 1...50 {
            let dropped = try await visits.observe(.all)
            if number % 2 == 0 { _ = await dropped.lists.first { _ in true } }
            if number % 5 == 0 { dropped.cancel() }
        }
        let lists = try await visits.observe(.all).lists
        _ = try await visits.create(.example())
        _ = try await next(kept, "the kept one goes on") { $0.visits.count == 1 }
        // The lists alone keep an observation.
        let seen = await patiently("its lists go on") { await lists.first { $0.visits.count == 1 } }
        XCTAssertNotNil(seen)
        let reading = Task { await lists.reduce(into: 0) { count, _ in count += 1 } }
        reading.cancel()
        _ = await patiently("a cancelled task stops reading") { await reading.value }
    }

    /// Pages, filters and the order of a list, as steps from what was shown to what is.
    func testAnObservationPagesAndFilters() async throws {
        let hub = try Hub()
        let phone = try await Phone("ada", hub: hub)
        let visits = phone.client.visits
        let ids = try await visits.create((1...7).map { .example("Visitor \($0)") })
        let observation = try await visits.observe(.tab(.queued), pageSize: 3)
        var list = try await next(observation, "the first page") { !$0.visits.isEmpty }
        XCTAssertEqual(list.visits.count, 3)
        XCTAssert(list.hasMore)
        observation.loadMore()
        list = try await next(observation, "the second page") { $0.visits.count == 6 }
        observation.loadMore()
        list = try await next(observation, "the end") { !$0.hasMore }
        let all = try await visits.list(.tab(.queued)).visits
        XCTAssertEqual(list.visits, all)
        XCTAssertEqual(Set(all.map(\.id)), Set(ids))

        // One goes from the middle, one is changed, one comes.
        try await visits.cancel(all[3].id)
        var form = try await visits.form(all[1].id)
        form.start = CivilTime(year: 2036, month: 1, day: 1, hour: 9, minute: 0)
        form.end = nil
        try await visits.edit(all[1].id, form)
        _ = try await visits.create(.example("Visitor 8"))
        let expected = try await visits.list(.tab(.queued)).visits
        list = try await next(observation, "it is what a list gives") { $0.visits == expected }
        XCTAssertEqual(list.visits.first?.id, all[1].id)

        observation.setFilter(.tab(.past))
        list = try await next(observation, "another list") { $0.visits.map(\.id) == [all[3].id] }
        XCTAssertEqual(list.counts.past, 1)
    }

    /// iOS suspends: nothing is told meanwhile, everything afterwards.
    func testAPausedPhoneGoesOn() async throws {
        let hub = try Hub()
        let phone = try await Phone("ada", hub: hub)
        let observation = try await phone.client.visits.observe(.all)
        try await phone.client.pause()
        _ = try await phone.client.visits.create(.example())
        try await phone.client.resume()
        _ = try await next(observation, "the visit of the pause") { $0.visits.count == 1 }
        try await phone.client.sync.run()
    }
}

extension Listener {
    /// Waits for somebody to call, without holding a thread of Swift's concurrency.
    func answered() async -> Call {
        await patiently("a call to the hub") {
            await withCheckedContinuation { continuation in
                Thread.detachNewThread { continuation.resume(returning: self.wait()) }
            }
        }
    }
}

extension Thread {
    /// Runs work on a thread of its own; what it gives waits for its end.
    fileprivate static func detached(_ work: @escaping @Sendable () -> Void) -> @Sendable () async -> Void {
        let (ended, continuation) = AsyncStream.makeStream(of: Void.self)
        detachNewThread {
            work()
            continuation.finish()
        }
        return { for await _ in ended {} }
    }
}
