import Foundation

/// Calls that wait for the file or for secure hardware run here, on a few threads of their own: never on the main thread
/// nor on those of Swift's concurrency, of which there are as few as processors.
enum Blocking {
    private static let queue: OperationQueue = {
        let queue = OperationQueue()
        queue.name = "org.vestibule.blocking"
        // One writer and a few readers, as the store has.
        queue.maxConcurrentOperationCount = 4
        queue.qualityOfService = .userInitiated
        return queue
    }()

    static func run<Value: Sendable>(
        _ work: @escaping @Sendable () throws -> Value
    ) async throws(VestibuleError) -> Value {
        let outcome = await withCheckedContinuation { continuation in
            queue.addOperation {
                let outcome: Result<Value, VestibuleError> = Result(catching: work).mapError(VestibuleError.init)
                continuation.resume(returning: outcome)
            }
        }
        return try outcome.get()
    }

    static func finish(_ work: @escaping @Sendable () -> Void) async {
        await withCheckedContinuation { continuation in
            queue.addOperation {
                work()
                continuation.resume()
            }
        }
    }
}
