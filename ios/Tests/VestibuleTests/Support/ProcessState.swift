import Foundation

/// What this process holds, from Linux's `/proc/self`.
struct ProcessState {
    /// Resident memory that is the process's own, in bytes.
    let memory: Int
    let threads: Int
    let fileHandles: Int

    static func now() throws -> Self {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        func number(_ name: String) throws -> Int {
            let line = status.split(separator: "\n").first { $0.hasPrefix("\(name):") }
            let word = line?.split(whereSeparator: \.isWhitespace).dropFirst().first
            guard let number = word.flatMap({ Int($0) }) else { throw Failure("/proc/self/status has no \(name)") }
            return number
        }
        return Self(
            memory: try number("RssAnon") * 1024,
            threads: try number("Threads"),
            fileHandles: try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count)
    }

    /// The state once no more threads and file handles are held than `before`, and a few that come and go; or that of
    /// a minute later. A pool's threads end only when they have had nothing to do for some seconds.
    static func settled(to before: Self) async throws -> Self {
        let end = ContinuousClock.now + .seconds(60)
        while true {
            let state = try now()
            if state.isWithin(before) || ContinuousClock.now > end { return state }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Whether it holds no more threads and file handles than `before`, and a few that come and go.
    func isWithin(_ before: Self) -> Bool {
        threads <= before.threads + 2 && fileHandles <= before.fileHandles + 2
    }
}
