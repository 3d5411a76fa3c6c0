import VestibuleGenerated

/// The library itself.
public enum Library {
    /// Its version.
    public static var version: String { VestibuleGenerated.version() }

    /// Sends the library's log records to `sink` from now on, in place of the one before; none sends them nowhere.
    public static func setLogSink(_ sink: (any LogSink)?) {
        VestibuleGenerated.setLogSink(sink: sink.map(LogAdapter.init))
    }
}

/// Takes the library's log records, for the app's own log.
public protocol LogSink: Sendable {
    /// One record, on a thread of the library's own, one at a time: a sink that is slow holds nothing up.
    func log(_ record: LogRecord)
}

/// A log record. It holds no personal data.
public struct LogRecord: Hashable, Sendable {
    /// How much it matters.
    public let level: Level
    /// The part of the library it comes from.
    public let target: String
    /// What happened, in English, with values behind it as `name=value`.
    public let message: String

    /// How much a record matters.
    public enum Level: Hashable, Sendable, CaseIterable {
        /// Something failed.
        case error
        /// Something is not as it should be.
        case warn
        /// What happens, in a few words.
        case info
        /// For those who look for a mistake.
        case debug
    }
}

private final class LogAdapter: VestibuleGenerated.LogSink {
    private let sink: any LogSink

    init(_ sink: any LogSink) { self.sink = sink }

    func log(record: VestibuleGenerated.LogRecord) { sink.log(LogRecord(record)) }
}

extension LogRecord {
    fileprivate init(_ record: VestibuleGenerated.LogRecord) {
        let level: Level =
            switch record.level {
            case .error: .error
            case .warn: .warn
            case .info: .info
            case .debug: .debug
            }
        self.init(level: level, target: record.target, message: record.message)
    }
}
