import Foundation
import Vestibule
import XCTest

/// A phone of a member of the sample organisation.
final class Phone: Sendable {
    let file: URL
    let signer: OpenSSLKey
    let client: HostClient

    /// A phone that nobody has signed in on, or the member.
    init(_ member: String? = nil, hub: Hub? = nil, algorithm: OpenSSLKey.Algorithm = .ed25519) async throws {
        file = try temporaryFolder().appendingPathComponent("phone.db")
        signer = try OpenSSLKey(algorithm)
        let token = try member.flatMap { try hub?.token($0) } ?? ""
        client = try await HostClient.open(at: file, keys: FixedKey(), tokens: FixedToken(token), signer: signer)
        if let hub {
            try await client.signIn(hub: hub.url)
            try await client.sync.run()
        }
    }

    deinit { try? FileManager.default.removeItem(at: file.deletingLastPathComponent()) }

    /// Another client on the same file.
    func open() async throws -> HostClient {
        try await HostClient.open(at: file, keys: FixedKey(), tokens: FixedToken(""), signer: signer)
    }
}

struct FixedKey: KeyProvider {
    var bytes = Data(repeating: 7, count: 48)

    func storeKey() -> Data { bytes }
}

struct FixedToken: TokenProvider {
    let token: String

    init(_ token: String) { self.token = token }

    func bearerToken(hub: String) async -> String { token }
}

extension VisitDraft {
    /// A visit in Zürich on a day far ahead.
    static func example(_ name: String = "Ζωή", type: String = "guest") -> Self {
        var draft = VisitDraft()
        draft.firstName = name
        draft.lastName = "Müller"
        draft.email = "zoe@visitors.test"
        draft.company = "Nordwind"
        draft.site = SiteID("zrh")
        draft.visitorType = VisitorTypeID(type)
        draft.start = CivilTime(year: 2037, month: 2, day: 10, hour: 9, minute: 0)
        draft.end = CivilTime(year: 2037, month: 2, day: 10, hour: 11, minute: 30)
        return draft
    }
}

/// The next list that is as described, from one on that may be there already.
func next(
    _ observation: VisitObservation, _ what: String, where fits: @Sendable @escaping (VisitList) -> Bool
) async throws -> VisitList {
    try await patiently(what) {
        await observation.lists.first(where: fits)
    }.orFail("the observation ended before \(what)")
}

/// Awaits something that comes. What does not come in two minutes ends the tests rather than letting them hang.
func patiently<Value: Sendable>(
    _ what: String, isolation: isolated (any Actor)? = #isolation, _ work: () async throws -> Value
) async rethrows -> Value {
    let watchdog = Watchdog(what)
    let value = try await work()
    withExtendedLifetime(watchdog) {}
    return value
}

/// Ends the tests two minutes after it was made, unless it is gone by then.
private final class Watchdog {
    private let end: DispatchWorkItem

    init(_ what: String) {
        end = DispatchWorkItem { fatalError("waited for \(what) in vain") }
        DispatchQueue.global().asyncAfter(deadline: .now() + 120, execute: end)
    }

    deinit { end.cancel() }
}

extension Optional {
    func orFail(_ reason: String) throws -> Wrapped {
        guard let self else { throw Failure(reason) }
        return self
    }
}

/// Checks that a call fails, and so.
func assertThrows<Value: Sendable>(
    _ expected: VestibuleError, file: StaticString = #filePath, line: UInt = #line,
    isolation: isolated (any Actor)? = #isolation, _ work: () async throws -> Value
) async {
    do {
        _ = try await work()
        XCTFail("did not throw", file: file, line: line)
    } catch {
        XCTAssertEqual(error as? VestibuleError, expected, "\(error)", file: file, line: line)
    }
}

/// Checks that a call fails with an error that fits.
func assertThrows<Value: Sendable>(
    _ what: String, where fits: (VestibuleError) -> Bool, file: StaticString = #filePath, line: UInt = #line,
    isolation: isolated (any Actor)? = #isolation, _ work: () async throws -> Value
) async {
    do {
        _ = try await work()
        XCTFail("\(what): did not throw", file: file, line: line)
    } catch {
        XCTAssert((error as? VestibuleError).map(fits) == true, "\(what): \(error)", file: file, line: line)
    }
}

extension VestibuleError {
    /// The argument that is bad.
    var badArgument: String? {
        if case .badArgument(let argument, _) = self { argument } else { nil }
    }

    /// The code of a refusal.
    var refusal: String? {
        if case .refused(let code, _) = self { code } else { nil }
    }

    var isProvider: Bool {
        if case .provider = self { true } else { false }
    }
}
