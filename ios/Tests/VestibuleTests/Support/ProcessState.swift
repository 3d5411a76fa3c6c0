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
}
