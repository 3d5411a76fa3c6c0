/// What every call into the library has in common.
enum Bridge {
    /// Awaits a call of the library, which works on threads of its own.
    static func awaiting<Value: Sendable>(
        _ work: @Sendable () async throws -> Value
    ) async throws(VestibuleError) -> Value {
        do {
            return try await work()
        } catch {
            throw VestibuleError(error)
        }
    }

    /// A number of rows. What is larger than the library counts is as good as its largest.
    static func count(_ number: Int, _ argument: String) throws(VestibuleError) -> UInt32 {
        guard number >= 0 else { throw .badArgument(argument: argument, reason: "is negative") }
        return UInt32(clamping: number)
    }
}
