import Foundation
import Vestibule
import XCTest

/// What the READMEs show is what is compiled and run here, between the marks.
final class ReadmeTests: XCTestCase {
    func testTheSnippetsWork() async throws {
        let server = try Hub()
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let (file, hub) = (folder.appendingPathComponent("phone.db"), server.url)
        let (keys, tokens, signer) = (FixedKey(), FixedToken(try server.token("ada")), try OpenSSLKey())
        let client = try await open(file: file, hub: hub, keys: keys, tokens: tokens, signer: signer)
        let visit = try await invite(client)
        let shown = try await client.visits.show(visit)
        XCTAssertEqual(shown.status, .queued)

        let (seen, seeing) = AsyncStream.makeStream(of: [VisitSummary].self)
        let watching = Task { try await ReadmeTests.watch(client) { seeing.yield($0) } }
        let first = await patiently("the list") { await seen.first { _ in true } }
        XCTAssertEqual(first, [])
        server.stop()
        try await exchange(client)
        try server.start()
        try await exchange(client)
        let later = await patiently("the visitor is invited") { await seen.first { !$0.isEmpty } }
        XCTAssertEqual(later?.map(\.id), [visit])
        watching.cancel()
        try await watching.value
        await client.close()
    }

    private func open(
        file: URL, hub: String, keys: some KeyProvider, tokens: some TokenProvider, signer: some DeviceSigner
    ) async throws -> HostClient {
        // README: open
        let client = try await HostClient.open(at: file, keys: keys, tokens: tokens, signer: signer)
        try await client.signIn(hub: hub)
        try await client.sync.run()
        // README: end
        return client
    }

    private func invite(_ client: HostClient) async throws -> VisitID {
        // README: invite
        var draft = VisitDraft()
        draft.firstName = "Zoë"
        draft.email = "zoe@example.com"
        draft.site = try await client.directory.sites().first?.id
        draft.start = CivilTime(year: 2037, month: 2, day: 10, hour: 9, minute: 30)

        let problems = try await client.visits.validate(draft)
        guard problems.isEmpty else { throw VestibuleError.badDraft(problems) }
        let visit = try await client.visits.create(draft)
        // README: end
        return visit
    }

    private static func watch(_ client: HostClient, show: @Sendable ([VisitSummary]) -> Void) async throws {
        // README: watch
        let upcoming = try await client.visits.observe(.tab(.upcoming))
        for await list in upcoming.lists {
            show(list.visits)
        }
        // README: end
    }

    private func exchange(_ client: HostClient) async throws {
        // README: exchange
        do {
            for try await progress in client.sync.progress() {
                print("\(progress.toSend) to send, \(progress.remaining) to fetch")
            }
        } catch VestibuleError.unreachable {
            print("No network: everything is kept, and goes with the next sync.")
        }
        // README: end
    }

    /// The README of the package shows every snippet, and the main one none that is not here.
    func testTheREADMEsShowTheSnippets() throws {
        let here = try String(contentsOfFile: #filePath, encoding: .utf8)
        let snippets = here.components(separatedBy: "// README: ").dropFirst().compactMap(Self.snippet)
        XCTAssertEqual(snippets.count, 4)
        let tree = URL(fileURLWithPath: try environment("VESTIBULE_TREE"))
        let own = try Self.blocks(tree.appendingPathComponent("ios/README.md"))
        XCTAssertEqual(own, snippets)
        for block in try Self.blocks(tree.appendingPathComponent("README.md")) {
            XCTAssert(snippets.contains(block), "is not compiled:\n\(block)")
        }
    }

    /// The lines between a mark's line and the next mark, as far to the left as they go.
    private static func snippet(_ text: String) -> String? {
        guard !text.hasPrefix("end") && !text.hasPrefix("\"") else { return nil }
        var lines = text.components(separatedBy: "\n").dropFirst()
        while lines.last?.allSatisfy(\.isWhitespace) == true { lines.removeLast() }
        let indent = lines.filter { !$0.isEmpty }.map { $0.prefix { $0 == " " }.count }.min() ?? 0
        return lines.map { String($0.dropFirst(indent)) }.joined(separator: "\n")
    }

    private static func blocks(_ file: URL) throws -> [String] {
        try String(contentsOf: file, encoding: .utf8)
            .components(separatedBy: "```swift\n").dropFirst()
            .compactMap { $0.components(separatedBy: "\n```").first }
    }
}
