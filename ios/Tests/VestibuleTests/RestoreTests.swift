import Foundation
import Vestibule
import XCTest

/// A hub that is restored from a backup, and a phone that is a copy of another.
final class RestoreTests: XCTestCase {
    /// What the hub has forgotten is sent again, and the member is told once.
    func testARestoredHubIsSentAgainWhatItHasForgotten() async throws {
        let hub = try Hub()
        let ada = try await Phone("ada", hub: hub)
        let ben = try await Phone("ben", hub: hub)
        let kept = try await ada.client.visits.create(.example("Kept"))
        try await ada.client.sync.run()
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let backup = folder.appendingPathComponent("backup").path
        try hub.admin("backup", backup)
        let lost = try await ada.client.visits.create(.example("Lost"))
        let bens = try await ben.client.visits.create(.example("Bens"))
        try await ada.client.sync.run()
        try await ben.client.sync.run()
        let unsent = try await ada.client.visits.create(.example("Unsent"))
        hub.stop()
        try hub.admin("restore", backup, "--force")
        try hub.start()

        var told = try await ada.client.sync.run().setBack
        XCTAssertEqual(told?.sentAgain, 1)
        XCTAssertNotNil(told?.to)
        told = try await ben.client.sync.run().setBack
        XCTAssertEqual(told?.sentAgain, 1)
        told = try await ada.client.sync.run().setBack
        XCTAssertNil(told, "told once")
        for visit in [kept, lost, unsent] {
            let shown = try await ada.client.visits.show(visit)
            XCTAssertEqual(shown.status, .upcoming)
            XCTAssertFalse(shown.isQueued)
        }
        let shown = try await ben.client.visits.show(bens)
        XCTAssertEqual(shown.status, .upcoming)
        await ada.client.close()
        await ben.client.close()
    }

    /// The second of two phones with one key takes a key of its own; everything is sent once.
    func testACopiedPhoneTakesAKeyOfItsOwn() async throws {
        let hub = try Hub()
        let phone = try await Phone("ada", hub: hub)
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("copy.db")
        try await phone.client.pause()
        try FileManager.default.copyItem(at: phone.file, to: file)
        try await phone.client.resume()
        let signer = Renewing(phone.signer, try OpenSSLKey())
        let copy = try await HostClient.open(at: file, keys: FixedKey(), tokens: FixedToken(""), signer: signer)

        _ = try await phone.client.visits.create(.example("First"))
        try await phone.client.sync.run()
        let second = try await copy.visits.create(.example("Second"))
        try await copy.sync.run()
        let shown = try await copy.visits.show(second)
        XCTAssertEqual(shown.status, .upcoming)
        let (own, other) = (try await copy.identity().device, try await phone.client.identity().device)
        XCTAssertNotEqual(own, other)
        let all = try await copy.visits.list(.all).visits
        XCTAssertEqual(all.count, 2)
        await copy.close()
        await phone.client.close()
    }
}

/// Signs with one key until another is asked for.
private final class Renewing: DeviceSigner, @unchecked Sendable {
    private let lock = NSLock()
    private var key: OpenSSLKey
    private let next: OpenSSLKey

    init(_ key: OpenSSLKey, _ next: OpenSSLKey) {
        self.key = key
        self.next = next
    }

    func publicKey() -> DeviceKey { lock.withLock { key }.publicKey() }

    func sign(_ message: Data) throws -> Data { try lock.withLock { key }.sign(message) }

    func renew() -> DeviceKey {
        lock.withLock { key = next }
        return next.publicKey()
    }
}
