import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a program prints, after it succeeded.
@discardableResult
func run(_ program: URL, _ arguments: [String], errors: URL? = nil) throws -> String {
    String(decoding: try runForBytes(program, arguments, errors: errors), as: UTF8.self)
}

/// The bytes a program prints, after it succeeded.
func runForBytes(_ program: URL, _ arguments: [String], errors: URL? = nil) throws -> Data {
    let running = try Program(program, arguments, errors: errors)
    let output = running.readToEnd()
    guard running.wait() == 0 else { throw Failure("\(program.lastPathComponent) \(arguments) failed") }
    return output
}

/// A program that runs, and what it prints. Foundation's `Process` waits by the run loop of the thread that has started
/// it, and an asynchronous test has none.
final class Program {
    private let id: pid_t
    private let output: Int32

    /// Starts it; what it complains about goes to a file, or to where the tests' own complaints go.
    init(_ program: URL, _ arguments: [String], errors: URL? = nil) throws {
        #if canImport(Glibc)
            var actions = posix_spawn_file_actions_t()
        #else
            var actions: posix_spawn_file_actions_t?
        #endif
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        var ends: [Int32] = [0, 0]
        // Closed in every other program that is started meanwhile.
        guard pipe(&ends) == 0, fcntl(ends[0], F_SETFD, FD_CLOEXEC) == 0, fcntl(ends[1], F_SETFD, FD_CLOEXEC) == 0
        else { throw Failure("there is no pipe") }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        if let errors {
            posix_spawn_file_actions_addopen(&actions, 2, errors.path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        }
        let words = ([program.path] + arguments).map { strdup($0) }
        defer { words.forEach { free($0) } }
        var id = pid_t()
        let started = posix_spawn(&id, program.path, &actions, nil, words + [nil], environ)
        close(ends[1])
        output = ends[0]
        self.id = id
        guard started == 0 else {
            close(output)
            throw Failure("\(program.path) cannot be started: \(String(cString: strerror(started)))")
        }
    }

    deinit { close(output) }

    /// The next line it prints, or what comes before its end.
    func readLine() -> String {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while read(output, &byte, 1) == 1, byte != UInt8(ascii: "\n") { line.append(byte) }
        return String(decoding: line, as: UTF8.self)
    }

    /// What it prints until its end.
    func readToEnd() -> Data {
        var all = Data()
        var part = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = read(output, &part, part.count), count > 0 { all += part[..<count] }
        return all
    }

    /// Ends it at once. Threads of Swift's concurrency block other signals, and so does what they start.
    func end() {
        kill(id, SIGKILL)
    }

    /// Waits for its end, once; gives its exit status, 0 for success.
    func wait() -> Int32 {
        var status: Int32 = 0
        while waitpid(id, &status, 0) == -1, errno == EINTR {}
        return status
    }
}
