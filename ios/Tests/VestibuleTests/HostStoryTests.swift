import Foundation
import Vestibule
import XCTest

/// What a host does with a phone, against a real hub.
final class HostStoryTests: XCTestCase {
    /// S1.6–8, S1.27, S1.32, S2.14, S4.4, S4.14: invited with the hub away, queued and nothing more; taken by the hub,
    /// upcoming or pending; edited and cancelled.
    func testAHostInvitesOfflineAndTheHubTakesIt() async throws {
        try await aHostInvitesOffline(.ed25519)
    }

    /// The same where the phone's key is one of secure hardware.
    func testAP256KeySignsAllOfIt() async throws {
        try await aHostInvitesOffline(.es256)
    }

    private func aHostInvitesOffline(_ algorithm: OpenSSLKey.Algorithm) async throws {
        let hub = try Hub()
        let phone = try await Phone("ada", hub: hub, algorithm: algorithm)
        let (visits, sync) = (phone.client.visits, phone.client.sync)
        let observation = try await visits.observe(.all)
        hub.stop()

        let guest = try await visits.create(.example("Ζωή"))
        let contractor = try await visits.create(.example("محمد", type: "contractor"))
        var list = try await next(observation, "both are queued") { $0.counts.queued == 2 }
        XCTAssertEqual(Set(list.visits.map(\.id)), [guest, contractor])
        XCTAssert(list.visits.allSatisfy { $0.status == .queued && $0.isQueued && $0.number == nil })
        XCTAssertEqual(Set(list.visits.map(\.name)), ["Ζωή Müller", "محمد Müller"])

        await assertThrows(.unreachable) { try await sync.run() }
        let kept = try await visits.list(.tab(.queued)).visits
        XCTAssertEqual(Set(kept.map(\.id)), [guest, contractor], "the work is kept")

        try hub.start()
        var last: SyncProgress?
        for try await progress in sync.progress() {
            last = progress
        }
        XCTAssertEqual(last?.toSend, 0)
        XCTAssertEqual(last?.remaining, 0)
        let syncedAt = try await sync.state().syncedAt
        XCTAssertNotNil(syncedAt)
        list = try await next(observation, "the hub has both") { $0.counts.upcoming == 1 && $0.counts.pending == 1 }
        let status = Dictionary(uniqueKeysWithValues: list.visits.map { ($0.id, $0.status) })
        XCTAssertEqual(status, [guest: .upcoming, contractor: .pending])
        XCTAssert(list.visits.allSatisfy { !$0.isQueued && $0.number != nil })

        let matrix = try await phone.client.passes.qrPreview()
        XCTAssertEqual(matrix.modules.count, matrix.size * matrix.size)
        XCTAssert(matrix.isDark(row: 0, column: 0) && !matrix.isDark(row: -1, column: 0), "a finder's corner is dark")
        let pass = try await phone.client.passes.preview(guest)
        XCTAssertEqual([pass.title, pass.name], ["Example AG", "Ζωή Müller"])
        XCTAssert(pass.fields.contains { $0.value.contains("Zürich") } && !pass.isVoided)
        XCTAssertFalse(pass.json.contains("\"barcode"), "only the hub makes codes")

        var form = try await visits.form(guest)
        XCTAssertEqual(form.start, CivilTime(year: 2037, month: 2, day: 10, hour: 9, minute: 0))
        form.company = "Südwind"
        try await visits.edit(guest, form)
        list = try await next(observation, "the edit is queued") { $0.visits.contains { $0.company == "Südwind" } }
        XCTAssert(list.visits.contains { $0.id == guest && $0.isQueued && $0.status == .upcoming })

        try await visits.cancel(guest)
        var shown = try await visits.show(guest)
        XCTAssertEqual([shown.status, .cancelled], [.cancelled, shown.status])
        XCTAssert(shown.isQueued, "the revocation is pending")
        try await sync.run()
        shown = try await visits.show(guest)
        XCTAssertFalse(shown.isQueued)
        XCTAssertEqual(shown.credential, .void)
        let facts = try await visits.history(guest).map(\.fact)
        XCTAssert(facts.contains { if case .accepted = $0 { true } else { false } }, "\(facts)")
        XCTAssert(facts.contains(.cancelled), "\(facts)")
        await phone.client.close()
    }

    /// S1.19, S1.25: what is shown of one visit: instants, the site's clock and zone, names, notes.
    func testAVisitIsShownWithItsTimesAndNames() async throws {
        let hub = try Hub()
        let phone = try await Phone("ada", hub: hub)
        var draft = VisitDraft.example()
        draft.note = "never for the visitor"
        draft.space = SpaceID("zrh-room-1")
        let visit = try await phone.client.visits.create(draft)
        let shown = try await phone.client.visits.show(visit)
        XCTAssertEqual(shown.start, ISO8601DateFormatter().date(from: "2037-02-10T08:00:00Z"))
        XCTAssertEqual(shown.civilEnd, draft.end)
        XCTAssertEqual(shown.timeZone, TimeZone(identifier: "Europe/Zurich"))
        XCTAssertEqual(
            [shown.siteName, shown.spaceName, shown.visitorTypeName, shown.hostName],
            ["Zürich", "Room Limmat", "Guest", "Ada Keller"])
        XCTAssertEqual(shown.notes.map(\.text), ["never for the visitor"])
        XCTAssert(shown.notes.allSatisfy { $0.isQueued && $0.author == MemberID("ada") })
        XCTAssertFalse(shown.operations.isEmpty)
        let found = try await phone.client.visits.search("ζω nordw")
        XCTAssertEqual(found.map(\.id), [visit])
        let identity = try await phone.client.identity()
        XCTAssertEqual(identity.member, MemberID("ada"))
        let me = try await phone.client.directory.me()
        XCTAssertEqual(me?.email, "ada@example.com")
        let permissions = try await phone.client.directory.permissions()
        XCTAssert(permissions.mayAddVisitors && permissions.roles == [.host])
    }

    /// S1.26, S4.5: each mistake has its own field and code, and nothing is created.
    func testABadDraftNamesEveryProblemWithItsField() async throws {
        let hub = try Hub()
        let phone = try await Phone("ada", hub: hub)
        let visits = phone.client.visits
        let nine = CivilTime(year: 2037, month: 2, day: 10, hour: 9, minute: 0)
        let skipped = CivilTime(year: 2037, month: 3, day: 29, hour: 2, minute: 30)
        let past = CivilTime(year: 2020, month: 1, day: 1, hour: 9, minute: 0)
        let cases: [(Field, String, @Sendable (inout VisitDraft) -> Void)] = [
            (.name, "required", { ($0.firstName, $0.lastName) = ("", " ") }),
            (.email, "required", { $0.email = "" }),
            (.email, "malformed", { $0.email = "zoe@" }),
            (.phone, "malformed", { $0.phone = "call me" }),
            (.firstName, "too_long", { $0.firstName = String(repeating: "x", count: 10_000) }),
            (.lastName, "forbidden_character", { $0.lastName = "a\u{202e}b" }),
            (.site, "required", { $0.site = nil }),
            (.site, "unknown", { $0.site = SiteID("mars") }),
            (.space, "wrong_site", { $0.space = SpaceID("nyc-room-1") }),
            (.visitorType, "unknown", { $0.visitorType = VisitorTypeID("ghost") }),
            (.host, "not_permitted", { $0.host = "ben" }),
            (.end, "end_before_start", { $0.end = nine }),
            (.start, "malformed", { $0.start = CivilTime(year: 2037, month: 2, day: 10, hour: 25, minute: 0) }),
            (.start, "no_such_time", { ($0.start, $0.end) = (skipped, nil) }),
            (.start, "past", { ($0.start, $0.end) = (past, nil) }),
        ]
        for (field, code, spoil) in cases {
            var draft = VisitDraft.example()
            spoil(&draft)
            let problems = try await visits.validate(draft)
            XCTAssertEqual(problems.map(\.field), [field], "\(problems)")
            XCTAssertEqual(problems.map(\.code), [code], "\(problems)")
            await assertThrows(.badDraft(problems)) { [draft] in try await visits.create(draft) }
        }
        let counts = try await visits.counts()
        XCTAssertEqual(counts.all, 0, "nothing was created")
        let error = VestibuleError.badDraft([FieldProblem(field: .pacsID, code: "too_long", message: "is too long")])
        XCTAssertEqual(error.errorDescription, "The field pacs id is too long.")
    }

    /// S4.30–33: a cancelled visit is invited again as a new one, linked to the old.
    func testAVisitorIsInvitedAgain() async throws {
        let hub = try Hub()
        let phone = try await Phone("ada", hub: hub)
        let visits = phone.client.visits
        let old = try await visits.create(.example())
        await assertThrows("the visit is not over", where: { $0.refusal == "not_over" }) {
            try await visits.inviteAgain(old, .example())
        }
        try await phone.client.sync.run()
        try await visits.cancel(old)
        let again = try await visits.inviteAgain(old, visits.form(old))
        try await phone.client.sync.run()
        let shown = try await visits.show(again)
        XCTAssertEqual(shown.previous, old)
        XCTAssertEqual(shown.status, .upcoming)
    }
}
