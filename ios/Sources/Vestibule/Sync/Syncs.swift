public import Foundation
import VestibuleGenerated

/// Sends what waits and fetches what is new. One run at a time: a second one waits for the first.
public final class Syncs: Sendable {
    private let generated: VestibuleGenerated.Syncs

    init(_ generated: VestibuleGenerated.Syncs) {
        self.generated = generated
    }

    /// Runs to the end, when nothing is left to do. Cancelling the task stops it; what was taken stays.
    ///
    /// - Throws: ``VestibuleError/unreachable``, ``VestibuleError/signInAgain``, ``VestibuleError/hubRestored``,
    ///   ``VestibuleError/disbelieved(reason:)``, ``VestibuleError/refused(code:reason:)``, ``VestibuleError/cancelled``;
    ///   whatever it is, unsent work is kept.
    /// - Returns: What it has to tell a person.
    @discardableResult
    public func run() async throws(VestibuleError) -> SyncReport {
        try await run(listener: nil)
    }

    /// Starts a run and tells how far it is: whoever is slow skips older steps and holds nothing up. The stream ends with
    /// the run, with its error if it has one; whoever stops reading stops the run.
    public func progress() -> AsyncThrowingStream<SyncProgress, any Error> {
        AsyncThrowingStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
            let run = Task {
                do {
                    _ = try await self.run(listener: ProgressListener(continuation))
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in run.cancel() }
        }
    }

    /// What the last syncs left.
    public func state() async throws(VestibuleError) -> SyncState {
        let generated = generated
        return try await Blocking.run { SyncState(try generated.state()) }
    }

    /// What the hub sent and this version cannot use; it is kept, and read again after an update.
    public func trouble() async throws(VestibuleError) -> [Trouble] {
        let generated = generated
        return try await Blocking.run { try generated.trouble().map { Trouble($0) } }
    }

    /// Whether something is shown wrong because the hub uses what this version does not know: tell the person to update
    /// the app. The visits concerned ask for attention with the problem `update_app`.
    public func needsUpdate() async throws(VestibuleError) -> Bool {
        let generated = generated
        return try await Blocking.run { try generated.needsUpdate() }
    }

    private func run(listener: ProgressListener?) async throws(VestibuleError) -> SyncReport {
        let generated = generated
        let cancel = VestibuleGenerated.SyncCancel()
        let report = try await Bridge.awaiting {
            try await withTaskCancellationHandler {
                try await generated.run(listener: listener, cancel: cancel)
            } onCancel: {
                cancel.cancel()
            }
        }
        return SyncReport(report)
    }
}

/// What a sync that left nothing to do has to tell a person.
public struct SyncReport: Hashable, Sendable {
    /// The hub was restored from a backup, and was sent again what it had forgotten; told once.
    public let setBack: HubSetBack?

    init(_ report: VestibuleGenerated.SyncReport) {
        setBack = report.setBack.map { HubSetBack(to: $0.to, sentAgain: $0.sentAgain) }
    }
}

/// That the hub was restored from a backup.
public struct HubSetBack: Hashable, Sendable {
    /// It remembers everything up to this time.
    public let to: Date?
    /// How many invitations were sent again.
    public let sentAgain: UInt64
}

/// How far a sync is.
public struct SyncProgress: Hashable, Sendable {
    /// Operations the hub has answered in this run.
    public let sent: UInt64
    /// Operations still to be answered.
    public let toSend: UInt64
    /// Rows received in this run.
    public let received: UInt64
    /// Rows the hub still has for this phone.
    public let remaining: UInt64
}

/// What the last syncs left.
public struct SyncState: Hashable, Sendable {
    /// When the last one ended with nothing left to do, by the hub's clock; none if none has.
    public let syncedAt: Date?
    /// The latest time the hub has signed.
    public let hubTime: Date?
    /// How far this phone's clock is ahead of the hub's (behind is negative), where that is more than two minutes and a
    /// person who reads times on it should know; else zero. Everything here goes by the hub's clock.
    public let clockOffBy: Duration
}

/// Something the hub sent that this version cannot use, or not all of.
public struct Trouble: Hashable, Sendable {
    /// Why it is listed.
    public enum Kind: Hashable, Sendable {
        /// It is of a part of the feed this version does not know.
        case scope
        /// It is of a kind this version does not know.
        case row
        /// It is a kind of directory row this version does not know.
        case directory
        /// It also writes keys of a visit this version does not know.
        case keys
        /// It is a decision of a kind this version does not know.
        case fact
        /// It has fields this version does not know.
        case fields
        /// It could not be taken.
        case quarantined
    }

    /// Why it is listed.
    public let kind: Kind
    /// What is not known: a number, or the names of keys. Of what could not be taken, a stable code.
    public let detail: String
    /// The visit it is about, if it is about one.
    public let visit: VisitID?
    /// What is shown without it is wrong: the app has to be updated.
    public let updateApp: Bool
}

private final class ProgressListener: VestibuleGenerated.SyncListener {
    private let continuation: AsyncThrowingStream<SyncProgress, any Error>.Continuation

    init(_ continuation: AsyncThrowingStream<SyncProgress, any Error>.Continuation) {
        self.continuation = continuation
    }

    func onProgress(progress: VestibuleGenerated.SyncProgress) {
        continuation.yield(SyncProgress(progress))
    }
}
