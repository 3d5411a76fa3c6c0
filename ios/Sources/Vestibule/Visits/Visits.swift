import VestibuleGenerated

/// A host's visits. No network is needed for any of it: what is written is on this phone when the call returns, and goes
/// to the hub with the next sync.
public final class Visits: Sendable {
    private let generated: VestibuleGenerated.Visits

    init(_ generated: VestibuleGenerated.Visits) {
        self.generated = generated
    }

    /// Every problem of a draft, in the order of the form; none means that it can be sent.
    public func validate(_ draft: VisitDraft) async throws(VestibuleError) -> [FieldProblem] {
        try await run { try $0.validate(draft: draft.generated).map(FieldProblem.init) }
    }

    /// Every problem of the draft of an edit: what is as it was is none.
    public func validate(_ draft: VisitDraft, editing visit: VisitID) async throws(VestibuleError) -> [FieldProblem] {
        try await run { try $0.validateEdit(id: visit.rawValue, draft: draft.generated).map(FieldProblem.init) }
    }

    /// Invites a visitor. The visit is queued until the hub has it.
    ///
    /// - Throws: ``VestibuleError/badDraft(_:)`` with every problem.
    public func create(_ draft: VisitDraft) async throws(VestibuleError) -> VisitID {
        try await run { VisitID(try $0.create(draft: draft.generated)) }
    }

    /// Invites many visitors, at most 10,000: all of them, or none.
    ///
    /// - Throws: ``VestibuleError/badDraft(_:)`` with the problems of the first draft that has any.
    public func create(_ drafts: [VisitDraft]) async throws(VestibuleError) -> [VisitID] {
        try await run { try $0.createAll(drafts: drafts.map(\.generated)).map { VisitID($0) } }
    }

    /// Invites the visitor of a past, cancelled or rejected visit again: a new visit linked to the old one.
    ///
    /// - Throws: ``VestibuleError/refused(code:reason:)`` with `final_rejection` after a final rejection and `not_over` while
    ///   the old visit is not over.
    public func inviteAgain(_ visit: VisitID, _ draft: VisitDraft) async throws(VestibuleError) -> VisitID {
        try await run { VisitID(try $0.inviteAgain(id: visit.rawValue, draft: draft.generated)) }
    }

    /// Changes a visit to what the draft says; only what differs is written.
    public func edit(_ visit: VisitID, _ draft: VisitDraft) async throws(VestibuleError) {
        try await run { try $0.edit(id: visit.rawValue, draft: draft.generated) }
    }

    /// Calls a visit off: cancelled here at once, and queued until the hub has it.
    public func cancel(_ visit: VisitID) async throws(VestibuleError) {
        try await run { try $0.cancel(id: visit.rawValue) }
    }

    /// Asks for an unused invitation to be deleted; its PIN ends when the hub has it.
    public func delete(_ visit: VisitID) async throws(VestibuleError) {
        try await run { try $0.delete(id: visit.rawValue) }
    }

    /// Adds an internal note, never for the visitor.
    public func note(_ visit: VisitID, _ text: String) async throws(VestibuleError) {
        try await run { try $0.note(id: visit.rawValue, text: text) }
    }

    /// Settles a conflict.
    public func settle(_ operation: OperationID, _ choice: Choice) async throws(VestibuleError) {
        try await run { try $0.settle(operation: operation.rawValue, choice: choice.generated) }
    }

    /// Drops a refused draft or a conflict.
    public func discard(_ operation: OperationID) async throws(VestibuleError) {
        try await run { try $0.discard(operation: operation.rawValue) }
    }

    /// The form filled from a visit, to edit it or to invite again.
    public func form(_ visit: VisitID) async throws(VestibuleError) -> VisitDraft {
        try await run { VisitDraft(try $0.form(id: visit.rawValue)) }
    }

    /// Everything about a visit.
    public func show(_ visit: VisitID) async throws(VestibuleError) -> VisitView {
        try await run { VisitView(try $0.show(id: visit.rawValue)) }
    }

    /// What happened to a visit, oldest first, by the hub's word; then what it has not taken yet.
    public func history(_ visit: VisitID) async throws(VestibuleError) -> [HistoryEntry] {
        try await run { try $0.history(id: visit.rawValue).map(HistoryEntry.init) }
    }

    /// A page of a list, by start. What comes or goes between two pages neither repeats nor hides another visit.
    ///
    /// - Parameters:
    ///   - filter: which visits.
    ///   - size: how many visits a page has, 1 to 1,000.
    ///   - after: ``VisitPage/next`` of the page before; none for the first.
    public func list(
        _ filter: VisitFilter, size: Int = 50, after: String? = nil
    ) async throws(VestibuleError) -> VisitPage {
        let size = try Bridge.count(size, "size")
        return try await run { VisitPage(try $0.list(filter: filter.generated, size: size, after: after)) }
    }

    /// How many visits each list holds.
    public func counts() async throws(VestibuleError) -> TabCounts {
        try await run { TabCounts(try $0.counts()) }
    }

    /// The visits a person means while they type: words that begin with those of `text` in the visitor's name, company or
    /// address or the host's name, latest start first. Case, accents and width do not count.
    ///
    /// - Parameters:
    ///   - text: what was typed, at most 1,000 characters.
    ///   - limit: at most so many visits, 1 to 1,000.
    public func search(_ text: String, limit: Int = 50) async throws(VestibuleError) -> [VisitSummary] {
        let limit = try Bridge.count(limit, "limit")
        return try await run { try $0.search(text: text, limit: limit).map(VisitSummary.init) }
    }

    /// Observes a list: as it is now, then after every change, whoever makes it.
    ///
    /// - Parameters:
    ///   - filter: which visits.
    ///   - pageSize: how many visits each page has, 1 to 1,000.
    public func observe(
        _ filter: VisitFilter, pageSize: Int = 50
    ) async throws(VestibuleError) -> VisitObservation {
        let pageSize = try Bridge.count(pageSize, "pageSize")
        return try await run { visits in
            try VisitObservation { listener in
                try visits.observe(filter: filter.generated, pageSize: pageSize, listener: listener)
            }
        }
    }

    private func run<Value: Sendable>(
        _ work: @escaping @Sendable (VestibuleGenerated.Visits) throws -> Value
    ) async throws(VestibuleError) -> Value {
        let generated = generated
        return try await Blocking.run { try work(generated) }
    }
}
