import Foundation
import Vestibule

/// Makes calls for `cargo xtask bench`, as a screen makes them: from the main actor, which awaits the answer.
///
/// The folder it is given holds a phone's file and its keys. Each line it reads names a call and how often to make it; it
/// answers with a line of as many times, in nanoseconds. `bench/src/ffi.rs` asks.
@main
@MainActor
struct Calls {
    let visits: Visits

    static func main() async throws {
        let folder = URL(fileURLWithPath: CommandLine.arguments[1], isDirectory: true)
        let phone = try Phone(folder)
        let client = try await HostClient.open(
            at: folder.appendingPathComponent("phone.db"), keys: phone, tokens: phone, signer: phone)
        let calls = Calls(visits: client.visits)
        while let asked = readLine() {
            let words = asked.split(separator: " ")
            var times: [String] = []
            for _ in 0..<(Int(words[1]) ?? 0) {
                times.append(String(try await calls.time(words[0])))
            }
            try FileHandle.standardOutput.write(contentsOf: Data((times.joined(separator: " ") + "\n").utf8))
        }
        await client.close()
    }

    private func time(_ call: Substring) async throws -> UInt64 {
        let begun = DispatchTime.now().uptimeNanoseconds
        switch call {
        case "page":
            let page = try await visits.list(.tab(.upcoming), size: 50)
            let took = DispatchTime.now().uptimeNanoseconds - begun
            precondition(page.visits.count == 50, "the page has \(page.visits.count) visits")
            return took
        case "counts":
            let counts = try await visits.counts()
            let took = DispatchTime.now().uptimeNanoseconds - begun
            precondition(counts.upcoming > 0, "nobody is upcoming")
            return took
        default:
            preconditionFailure("\(call) is no call")
        }
    }
}

/// The keys in the folder, for a phone that writes nothing.
struct Phone: KeyProvider, TokenProvider, DeviceSigner {
    private let store: Data
    private let device: Data

    init(_ folder: URL) throws {
        store = try Data(contentsOf: folder.appendingPathComponent("store.key"))
        device = try Data(contentsOf: folder.appendingPathComponent("device.key"))
    }

    func storeKey() -> Data { store }

    func bearerToken(hub: String) throws -> String { throw ProviderError("nobody signs in") }

    func publicKey() -> DeviceKey { .ed25519(device) }

    func sign(_ message: Data) throws -> Data { throw ProviderError("nothing is written") }
}
