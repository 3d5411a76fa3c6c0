import Foundation
import XCTest

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A real hub: the process `vestibule serve` on a folder and a port of its own, with the sample organisation.
///
/// Making an organisation's keys takes seconds, so one folder is made for all tests and copied for each hub.
final class Hub {
    let folder: URL
    let port: UInt16
    private var running: Program?

    /// Where it is reached.
    var url: String { "http://127.0.0.1:\(port)" }

    /// A hub that listens.
    init() throws {
        folder = try temporaryFolder().appendingPathComponent("hub")
        try FileManager.default.copyItem(at: try Self.pattern.get(), to: folder)
        port = try Self.freePort()
        try settings(port: port).write(
            to: folder.appendingPathComponent("vestibule.toml"), atomically: true, encoding: .utf8)
        try start()
    }

    deinit {
        stop()
        try? FileManager.default.removeItem(at: folder.deletingLastPathComponent())
    }

    /// Starts it, and returns when it listens.
    func start() throws {
        let log = folder.appendingPathComponent("hub.log")
        let program = try Program(command, ["serve", "--dir", folder.path], errors: log)
        running = program
        guard program.readLine().contains("listening on") else {
            throw Failure("the hub does not start: \((try? String(contentsOf: log, encoding: .utf8)) ?? "")")
        }
    }

    /// Ends it, and returns when it has ended.
    func stop() {
        running?.end()
        _ = running?.wait()
        running = nil
    }

    /// What `vestibule admin` prints.
    @discardableResult
    func admin(_ arguments: String...) throws -> String {
        try run(command, ["admin", "--dir", folder.path] + arguments)
    }

    /// A bearer token a member signs a phone in with.
    func token(_ member: String) throws -> String {
        try admin("token", member).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private static let pattern: Result<URL, any Error> = Result {
        let folder = try temporaryFolder().appendingPathComponent("pattern")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try settings(port: 1).write(
            to: folder.appendingPathComponent("vestibule.toml"), atomically: true, encoding: .utf8)
        try run(command, ["admin", "--dir", folder.path, "init", "--sample"])
        return folder
    }

    /// A port below those systems give to outgoing connections, so that nothing takes it while the hub is away.
    private static func freePort() throws -> UInt16 {
        for _ in 0..<1_000 {
            let port = UInt16.random(in: 20_000..<32_000)
            if (try? Listener(port: port)) != nil { return port }
        }
        throw Failure("no port is free")
    }
}

/// A socket that takes connections and never answers: a hub that hangs.
final class Listener: @unchecked Sendable {
    private var socket: Int32

    init(port: UInt16) throws {
        #if canImport(Glibc)
            socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
            socket = Darwin.socket(AF_INET, SOCK_STREAM, 0)
        #endif
        var yes: Int32 = 1
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard bound == 0, listen(socket, 8) == 0 else {
            end()
            throw Failure("port \(port) is taken")
        }
    }

    deinit { end() }

    /// Leaves the port to others.
    func end() {
        if socket >= 0 { close(socket) }
        socket = -1
    }

    /// Waits for somebody to call, and holds the line.
    func wait() -> Call {
        Call(connection: accept(socket, nil, nil))
    }

    /// A connection that is held open.
    final class Call: Sendable {
        private let connection: Int32

        fileprivate init(connection: Int32) {
            self.connection = connection
        }

        deinit { close(connection) }
    }
}

/// Why a test cannot go on.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// The `vestibule` command that `cargo xtask swift` has built.
var command: URL { get throws { URL(fileURLWithPath: try environment("VESTIBULE_COMMAND")) } }

/// What `cargo xtask swift` says; a test without it fails, it is never skipped.
func environment(_ name: String) throws -> String {
    guard let value = ProcessInfo.processInfo.environment[name] else {
        throw Failure("\(name) is not set: run `cargo xtask swift`")
    }
    return value
}

/// A new folder for one test.
func temporaryFolder() throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("vestibule-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
}

private func settings(port: UInt16) -> String {
    """
    listen = "127.0.0.1:\(port)"
    public_url = "http://127.0.0.1:\(port)"
    mail_from = "Example AG <visitors@example.com>"

    """
}
