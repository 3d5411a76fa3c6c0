import Foundation
import VestibuleGenerated

/// A list as it is now, and whenever it changes.
///
/// ``lists`` begins with the list as it is, then gives the newest one after each change: whoever is slow skips older ones
/// and holds nothing up. The observation ends with its client, with ``cancel()``, with the task that reads ``lists``, or
/// when nobody holds it or its lists any more.
public final class VisitObservation: Sendable {
    /// The lists, newest last; to be read by one task.
    public let lists: AsyncStream<VisitList>
    private let subscription: VestibuleGenerated.Subscription

    init(_ subscribe: (VestibuleGenerated.VisitListListener) throws -> VestibuleGenerated.Subscription) throws {
        let (lists, continuation) = AsyncStream.makeStream(of: VisitList.self, bufferingPolicy: .bufferingNewest(1))
        let subscription = try subscribe(ListListener(continuation))
        // Whoever reads the lists keeps the subscription, and ends it by stopping to.
        continuation.onTermination = { reason in
            if case .cancelled = reason { subscription.cancel() }
        }
        self.lists = lists
        self.subscription = subscription
    }

    /// Adds the next page; nothing where there is none.
    public func loadMore() {
        subscription.loadMore()
    }

    /// Shows other visits from now on, from their first page.
    public func setFilter(_ filter: VisitFilter) {
        subscription.setFilter(filter: filter.generated)
    }

    /// Ends it.
    public func cancel() {
        subscription.cancel()
    }
}

/// A list of visits, from its beginning to the last page that was asked for.
public struct VisitList: Hashable, Sendable {
    /// The visits, by start.
    public internal(set) var visits: [VisitSummary] = []
    /// Whether ``VisitObservation/loadMore()`` has something to add.
    public internal(set) var hasMore = false
    /// How many visits each list holds.
    public internal(set) var counts = TabCounts()
}

/// Follows the steps from list to list, on the library's thread; the library drops it when the observation is over.
private final class ListListener: VestibuleGenerated.VisitListListener, @unchecked Sendable {
    private let lock = NSLock()
    private var list = VisitList()
    private let continuation: AsyncStream<VisitList>.Continuation

    init(_ continuation: AsyncStream<VisitList>.Continuation) {
        self.continuation = continuation
    }

    deinit { continuation.finish() }

    func onUpdate(update: VestibuleGenerated.VisitListUpdate) {
        let list = lock.withLock {
            for step in update.diffs {
                self.list.visits.apply(step)
            }
            self.list.hasMore = update.hasMore
            self.list.counts = TabCounts(update.counts)
            return self.list
        }
        continuation.yield(list)
    }
}

extension [VisitSummary] {
    /// A step that does not fit the list would be a defect of the library; it is left out rather than ending the app.
    fileprivate mutating func apply(_ step: VestibuleGenerated.VisitListDiff) {
        switch step {
        case .reset(let items):
            self = items.map(VisitSummary.init)
        case .insert(let index, let item) where index <= count:
            insert(VisitSummary(item), at: Int(index))
        case .update(let index, let item) where index < count:
            self[Int(index)] = VisitSummary(item)
        case .move(let from, let to) where from < count && to < count:
            insert(remove(at: Int(from)), at: Int(to))
        case .remove(let index) where index < count:
            remove(at: Int(index))
        default:
            assertionFailure("a step does not fit the list")
        }
    }
}
