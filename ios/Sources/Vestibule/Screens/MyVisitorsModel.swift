public import Foundation
public import Observation

/// The screen "my visitors": one tab's visits, how many each tab has, search, and how the sync stands.
///
/// A screen starts it with `.task { await model.run() }`, shows its properties and calls its functions; it follows every
/// change of the phone's file by itself.
@MainActor @Observable
public final class MyVisitorsModel {
    /// The tab that is shown.
    public var tab: VisitTab = .upcoming {
        didSet {
            guard tab != oldValue else { return }
            list = VisitList(counts: list.counts)
            isLoading = true
            observation?.cancel()
        }
    }

    /// What is typed into the search field; while there is something, ``visits`` are those it finds in all tabs.
    public var searchText = "" {
        didSet {
            if searchText != oldValue { search() }
        }
    }

    /// Whether the tab's visits are not known yet.
    public private(set) var isLoading = true
    /// How the sync stands.
    public private(set) var activity = SyncActivity.idle
    /// When a sync last ended with nothing left to do.
    public private(set) var syncedAt: Date?
    /// Why the last thing that was asked for did not succeed; a screen shows it and sets it back.
    public var problem: VestibuleError?

    /// How a sync stands.
    public enum SyncActivity: Hashable, Sendable {
        /// None runs, and the last one, if any, succeeded.
        case idle
        /// It runs; none before the first step.
        case running(SyncProgress?)
        /// The last one failed; everything is kept.
        case failed(VestibuleError)
    }

    /// Why a list is empty.
    public enum Emptiness: Hashable, Sendable {
        /// There is no visit on this phone.
        case noVisits
        /// There is none in this tab.
        case emptyTab(VisitTab)
        /// There is none like what was typed.
        case nothingFound
    }

    private let client: HostClient
    private let pageSize: Int
    private var list = VisitList()
    private var found: [VisitSummary]?
    @ObservationIgnored private var observation: VisitObservation?
    /// The search that runs.
    @ObservationIgnored private(set) var searching: Task<Void, Never>?

    /// A screen of that client's visits, read `pageSize` at a time.
    public init(client: HostClient, pageSize: Int = 50) {
        self.client = client
        self.pageSize = pageSize
    }

    /// The visits to show: those of the tab, or those that are found.
    public var visits: [VisitSummary] { found ?? list.visits }

    /// How many visits each tab has.
    public var counts: TabCounts { list.counts }

    /// How many visits are on this phone only: they are not invited yet.
    public var queued: Int { list.counts.queued }

    /// How many visits have a refusal or a conflict to be looked at.
    public var attention: Int { list.counts.attention }

    /// Why there is nothing to show; none where there is, and while that is not known.
    public var emptiness: Emptiness? {
        guard visits.isEmpty, !isLoading else { return nil }
        if found != nil { return .nothingFound }
        return list.counts.all == 0 ? .noVisits : .emptyTab(tab)
    }

    /// Follows the file until its task is cancelled or the client is closed.
    public func run() async {
        do {
            syncedAt = try await client.sync.state().syncedAt
            var observed: VisitTab
            repeat {
                observed = tab
                let observation = try await client.visits.observe(.tab(observed), pageSize: pageSize)
                self.observation = observation
                guard observed == tab else { continue }
                for await list in observation.lists {
                    // One that was under way when the tab was changed is of no interest any more.
                    guard observed == tab else { break }
                    self.list = list
                    isLoading = false
                    if found != nil { search() }
                }
            } while observed != tab && !Task.isCancelled
        } catch {
            problem = error
            isLoading = false
        }
        observation = nil
    }

    /// To be called with a visit that comes into sight: the last one brings the next page.
    public func appeared(_ visit: VisitSummary) {
        guard found == nil, list.hasMore, visit.id == list.visits.last?.id else { return }
        observation?.loadMore()
    }

    /// Sends what waits and fetches what is new, unless that is going on already.
    public func sync() async {
        if case .running = activity { return }
        activity = .running(nil)
        do {
            for try await progress in client.sync.progress() {
                activity = .running(progress)
            }
            syncedAt = try await client.sync.state().syncedAt
            activity = .idle
        } catch VestibuleError.cancelled, VestibuleError.closed {
            activity = .idle
        } catch {
            activity = .failed(VestibuleError(error))
        }
    }

    /// Calls a visit off.
    public func cancel(_ visit: VisitID) async {
        do {
            try await client.visits.cancel(visit)
        } catch {
            problem = error
        }
    }

    /// Asks for an unused invitation to be deleted.
    public func delete(_ visit: VisitID) async {
        do {
            try await client.visits.delete(visit)
        } catch {
            problem = error
        }
    }

    /// The form of a new visit, of an edit, or to invite again.
    public func form(_ purpose: VisitFormModel.Purpose = .invite) -> VisitFormModel {
        VisitFormModel(client: client, purpose: purpose)
    }

    private func search() {
        searching?.cancel()
        let text = searchText
        guard !text.allSatisfy(\.isWhitespace) else {
            found = nil
            return
        }
        searching = Task {
            do {
                let found = try await client.visits.search(text)
                // An answer to what was typed before is of no interest any more.
                if text == searchText { self.found = found }
            } catch {
                problem = VestibuleError(error)
            }
        }
    }
}
