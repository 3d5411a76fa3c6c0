import Foundation
import Vestibule
import XCTest

/// Whatever an app gives, the answer is a typed error, and the process goes on.
final class HostileTests: XCTestCase {
    private static let texts = [
        "", " ", "\0", "a\0b", "\u{feff}", "\u{202e}", "\u{1F468}\u{200D}\u{1F469}", "../../etc/passwd", "%s%n",
        "'; DROP TABLE visit; --", String(repeating: "x", count: 1 << 20),
        String(repeating: "\u{301}", count: 100_000), "\u{10FFFF}",
    ]

    func testIdsAndCursorsThatAreNone() async throws {
        let hub = try Hub()
        let phone = try await Phone("ada", hub: hub)
        let visits = phone.client.visits
        for text in Self.texts {
            let id = VisitID(text)
            let calls: [@Sendable () async throws -> Void] = [
                { _ = try await visits.show(id) },
                { _ = try await visits.history(id) },
                { _ = try await visits.form(id) },
                { try await visits.cancel(id) },
                { try await visits.delete(id) },
                { try await visits.note(id, "note") },
                { try await visits.edit(id, .example()) },
                { _ = try await visits.inviteAgain(id, .example()) },
                { _ = try await visits.validate(.example(), editing: id) },
                { _ = try await phone.client.passes.preview(id) },
            ]
            for call in calls {
                await assertThrows("\(text.prefix(9))", where: { $0.badArgument == "id" }, call)
            }
            await assertThrows("\(text.prefix(9))", where: { $0.badArgument == "after" }) {
                try await visits.list(.all, after: text)
            }
            let spaces = try await phone.client.directory.spaces(of: SiteID(text))
            XCTAssertEqual(spaces, [])
        }
        await assertThrows(.notFound) { try await visits.show(VisitID("01990000-0000-7000-8000-000000000000")) }
        for operation in [Int64.min, -1, 0, .max] {
            await assertThrows(.notFound) { try await visits.settle(OperationID(rawValue: operation), .mine) }
            await assertThrows(.notFound) { try await visits.discard(OperationID(rawValue: operation)) }
        }
    }

    func testNumbersOfRowsThatAreNone() async throws {
        let phone = try await Phone()
        let visits = phone.client.visits
        for number in [Int.min, -1, 0, 1_001, .max] {
            await assertThrows("\(number)", where: { $0.badArgument == "size" }) {
                try await visits.list(.all, size: number)
            }
            await assertThrows("\(number)", where: { $0.badArgument == "limit" }) {
                try await visits.search("a", limit: number)
            }
            await assertThrows("\(number)", where: { $0.badArgument == "limit" }) {
                try await phone.client.directory.members(matching: "", limit: number)
            }
            await assertThrows("\(number)", where: { $0.badArgument?.lowercased().contains("size") == true }) {
                try await visits.observe(.all, pageSize: number)
            }
        }
    }

    /// S1.26: a text that no field takes is a problem of that field; one that is taken comes back as it was.
    func testTextsOfEveryKindInEveryField() async throws {
        let hub = try Hub()
        let phone = try await Phone("ada", hub: hub)
        let visits = phone.client.visits
        let fields: [WritableKeyPath<VisitDraft, String> & Sendable] = [
            \.firstName, \.lastName, \.email, \.company, \.phone, \.pacsID, \.host, \.reason, \.message, \.note,
        ]
        for text in Self.texts {
            for field in fields {
                var draft = VisitDraft.example()
                draft[keyPath: field] = text
                let problems = try await visits.validate(draft)
                guard problems.isEmpty else { continue }
                let form = try await visits.form(try await visits.create(draft))
                // A text of which nothing is to be seen is an empty one.
                let expected = field == \VisitDraft.firstName ? [text, ""] : [draft.firstName]
                XCTAssert(expected.contains(form.firstName), "\(form.firstName)")
            }
            if text.unicodeScalars.count <= 1_000 {
                _ = try await visits.search(text)
            } else {
                await assertThrows("long", where: { $0.badArgument == "text" }) { try await visits.search(text) }
            }
        }
    }

    /// S1.25: dates far away and times that are none.
    func testTimesThatAreNone() async throws {
        let hub = try Hub()
        let phone = try await Phone("ada", hub: hub)
        let numbers = [Int.min, -1, 0, 1, 13, 24, 60, 255, 256, 10_000, .max]
        for number in numbers {
            var times = [CivilTime(Date(timeIntervalSince1970: Double(number)), in: .gmt)]
            for part in [\CivilTime.year, \.month, \.day, \.hour, \.minute] as [WritableKeyPath<CivilTime, Int>] {
                var time = CivilTime(year: 2037, month: 2, day: 10, hour: 9, minute: 0)
                time[keyPath: part] = number
                times.append(time)
            }
            for time in times {
                for isSecond in [false, true] {
                    var draft = VisitDraft.example()
                    draft.start = time
                    draft.start?.isSecondOccurrence = isSecond
                    draft.end = nil
                    let problems = try await phone.client.visits.validate(draft)
                    XCTAssert(problems.allSatisfy { $0.field == .start }, "\(time): \(problems)")
                }
            }
        }
    }

    func testFilesAndKeysThatAreNone() async throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let signer = try OpenSSLKey()
        func open(_ file: URL, key: Data = FixedKey().bytes) async throws -> HostClient {
            try await HostClient.open(at: file, keys: FixedKey(bytes: key), tokens: FixedToken(""), signer: signer)
        }
        let good = folder.appendingPathComponent("good.db")
        for count in [0, 1, 47, 49, 1 << 20] {
            await assertThrows("\(count)", where: { $0.badArgument == "keys" }) {
                try await open(good, key: Data(count: count))
            }
        }
        for file in [folder, folder.appendingPathComponent("none/there.db"), URL(fileURLWithPath: "/proc/self/status")]
        {
            await assertThrows("\(file)", where: { if case .store = $0 { true } else { $0 == .wrongKey } }) {
                try await open(file)
            }
        }
        await assertThrows("an address", where: { $0.badArgument == "file" }) {
            try await open(URL(string: "https://example.com/phone.db")!)
        }
        let client = try await open(good)
        await client.close()
        await assertThrows(.wrongKey) { try await open(good, key: Data(repeating: 8, count: 48)) }
        let again = try await open(good)
        await again.close()
    }

    /// Providers that throw, or give something else than they should.
    func testProvidersThatFail() async throws {
        struct Broken: KeyProvider, TokenProvider, DeviceSigner {
            var key = DeviceKey.ed25519(Data(repeating: 1, count: 32))
            var failure: any Error = ProviderError("the phone is locked")

            func storeKey() throws -> Data { throw failure }
            func bearerToken(hub: String) async throws -> String { throw failure }
            func publicKey() throws -> DeviceKey {
                if case .ed25519(let bytes) = key, bytes.isEmpty { throw failure }
                return key
            }
            func sign(_ message: Data) throws -> Data { throw failure }
        }
        struct Secret: Error { let name = "personal data" }
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("phone.db")
        let signer = try OpenSSLKey()
        await assertThrows(.provider(reason: "the phone is locked")) {
            try await HostClient.open(at: file, keys: Broken(), tokens: FixedToken(""), signer: signer)
        }
        await assertThrows(.provider(reason: "Secret")) {
            try await HostClient.open(at: file, keys: Broken(failure: Secret()), tokens: FixedToken(""), signer: signer)
        }
        for key in [
            DeviceKey.ed25519(Data()), .ed25519(Data(count: 31)), .ed25519(Data(count: 32)), .es256(Data()),
            .es256(Data(count: 33)),
        ] {
            await assertThrows("\(key)", where: { $0.isProvider || $0.badArgument == "signer" }) {
                try await HostClient.open(at: file, keys: FixedKey(), tokens: FixedToken(""), signer: Broken(key: key))
            }
        }
        let hub = try Hub()
        let client = try await HostClient.open(at: file, keys: FixedKey(), tokens: Broken(), signer: signer)
        await assertThrows(.provider(reason: "the phone is locked")) { try await client.signIn(hub: hub.url) }
        await assertThrows(.notSignedIn) { try await client.identity() }
        await assertThrows(.notSignedIn) { try await client.sync.run() }
        await client.close()
    }

    func testHubsThatAreNone() async throws {
        let phone = try await Phone()
        for hub in Self.texts + ["ftp://example.com", "http://example.com", "https://", "example.com"] {
            await assertThrows("\(hub.prefix(20))", where: { [.badAddress, .signInAgain].contains($0) }) {
                try await phone.client.signIn(hub: hub)
            }
        }
        await assertThrows(.unreachable) { try await phone.client.signIn(hub: "http://127.0.0.1:9") }
        let hub = try Hub()
        await assertThrows(.signInAgain) { try await phone.client.signIn(hub: hub.url) }
    }

    /// A closed client says so to every call, and what is left of it does nothing.
    func testAClosedClientSaysSo() async throws {
        let hub = try Hub()
        let phone = try await Phone("ada", hub: hub)
        let client = phone.client
        let (visits, directory, url) = (client.visits, client.directory, hub.url)
        let visit = try await visits.create(.example())
        let observation = try await visits.observe(.all)
        await client.close()
        observation.loadMore()
        observation.setFilter(.attention)
        observation.cancel()
        observation.cancel()
        let calls: [@Sendable () async throws -> Void] = [
            { try await client.signIn(hub: url) },
            { _ = try await client.identity() },
            { try await client.pause() },
            { try await client.resume() },
            { _ = try await visits.validate(.example()) },
            { _ = try await visits.validate(.example(), editing: visit) },
            { _ = try await visits.create(.example()) },
            { _ = try await visits.create([.example()]) },
            { _ = try await visits.inviteAgain(visit, .example()) },
            { try await visits.edit(visit, .example()) },
            { try await visits.cancel(visit) },
            { try await visits.delete(visit) },
            { try await visits.note(visit, "note") },
            { try await visits.settle(OperationID(rawValue: 1), .mine) },
            { try await visits.discard(OperationID(rawValue: 1)) },
            { _ = try await visits.form(visit) },
            { _ = try await visits.show(visit) },
            { _ = try await visits.history(visit) },
            { _ = try await visits.list(.all) },
            { _ = try await visits.counts() },
            { _ = try await visits.search("a") },
            { _ = try await visits.observe(.all) },
            { _ = try await directory.organisation() },
            { _ = try await directory.sites() },
            { _ = try await directory.spaces(of: SiteID("zrh")) },
            { _ = try await directory.visitorTypes() },
            { _ = try await directory.members(matching: "a") },
            { _ = try await directory.principals() },
            { _ = try await directory.me() },
            { _ = try await directory.permissions() },
            { _ = try await client.passes.preview(visit) },
            { try await client.sync.run() },
            { _ = try await client.sync.state() },
            { _ = try await client.sync.trouble() },
            { _ = try await client.sync.needsUpdate() },
        ]
        for (number, call) in calls.enumerated() {
            await assertThrows("call \(number)", where: { $0 == .closed }, call)
        }
        let progress = client.sync.progress()
        await assertThrows(.closed) { for try await _ in progress {} }
    }

    func testTooManyDraftsAtOnce() async throws {
        let hub = try Hub()
        let phone = try await Phone("ada", hub: hub)
        await assertThrows("too many", where: { $0.badArgument == "drafts" }) {
            try await phone.client.visits.create(Array(repeating: VisitDraft(), count: 10_001))
        }
        let none = try await phone.client.visits.create([])
        XCTAssertEqual(none, [])
    }
}
