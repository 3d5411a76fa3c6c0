import Foundation
import XCTest

@testable import Vestibule

/// The form of a visit, without a screen.
@MainActor
final class VisitFormModelTests: XCTestCase, @unchecked Sendable {
    /// S1.11, S1.17, S1.26: OK is there when all that is needed is, and each problem stands beside its field, once a
    /// person has been there.
    func testOKIsThereWhenAllIsGiven() async throws {
        let hub = try Hub()
        let phone = try await Phone("ada", hub: hub)
        let form = VisitFormModel(client: phone.client)
        XCTAssertFalse(form.canConfirm)
        await form.load()
        XCTAssertEqual(form.sites.map(\.name), ["New York", "Zürich"])
        XCTAssertEqual(form.visitorTypes.map(\.name), ["Contractor", "Guest", "Interview", "VIP"])
        XCTAssertEqual(form.organisation?.isEmailRequired, true)
        XCTAssertEqual(form.missing, [.name, .email, .site])
        XCTAssertFalse(form.canConfirm)
        XCTAssertNil(form.problem(of: .name), "an empty form blames nobody")

        form.draft.email = "zoe@"
        await form.checking?.value
        XCTAssertEqual(form.problem(of: .email)?.code, "malformed")
        XCTAssertNil(form.problem(of: .site))
        form.draft.email = "zoe@visitors.test"
        form.draft.firstName = "Zoë"
        form.draft.site = SiteID("zrh")
        XCTAssertFalse(form.canConfirm, "what was typed last is not checked yet")
        await form.checking?.value
        XCTAssertEqual(form.problems, [])
        XCTAssert(form.canConfirm)

        let visit = await form.confirm()
        let shown = try await phone.client.visits.show(try XCTUnwrap(visit))
        XCTAssertEqual(shown.name, "Zoë")
        XCTAssertNil(form.failure)
    }

    /// S1.26: confirming what is not whole names everything.
    func testConfirmingWhatIsNotWholeNamesEverything() async throws {
        let hub = try Hub()
        let phone = try await Phone("ada", hub: hub)
        let form = VisitFormModel(client: phone.client)
        await form.load()
        let visit = await form.confirm()
        XCTAssertNil(visit)
        XCTAssertEqual(
            [Field.name, .email, .site].map { form.problem(of: $0)?.code }, ["required", "required", "required"])
        XCTAssertNil(form.failure)
        let counts = try await phone.client.visits.counts()
        XCTAssertEqual(counts.all, 0)
    }

    /// S1.15, S1.16: the spaces are those of the site, and one of another site does not stay.
    func testSpacesFollowTheSite() async throws {
        let hub = try Hub()
        let phone = try await Phone("ada", hub: hub)
        let form = VisitFormModel(client: phone.client)
        await form.load()
        XCTAssertEqual(form.spaces, [])
        form.draft.site = SiteID("zrh")
        await form.loadingSpaces?.value
        XCTAssertEqual(form.spaces.map(\.name), ["Reception Zürich", "Room Limmat"])
        form.draft.space = SpaceID("zrh-room-1")
        form.draft.site = SiteID("nyc")
        XCTAssertNil(form.draft.space)
        XCTAssertEqual(form.spaces, [], "those of the other site are gone at once")
        await form.loadingSpaces?.value
        XCTAssertEqual(form.spaces.map(\.name), ["Reception New York", "Room Hudson"])
    }

    /// S1.25: a picker shows the site's clock; a visit at nine stays at nine when the site is changed.
    func testTimesAreOnTheSitesClock() async throws {
        let hub = try Hub()
        let phone = try await Phone("ada", hub: hub)
        let form = VisitFormModel(client: phone.client)
        await form.load()
        form.draft = .example()
        XCTAssertEqual(form.timeZone.identifier, "Europe/Zurich")
        XCTAssertEqual(form.start, ISO8601DateFormatter().date(from: "2037-02-10T08:00:00Z"))
        form.end = ISO8601DateFormatter().date(from: "2037-02-10T16:45:00Z")
        XCTAssertEqual(form.draft.end, CivilTime(year: 2037, month: 2, day: 10, hour: 17, minute: 45))
        form.draft.site = SiteID("nyc")
        XCTAssertEqual(form.draft.start?.hour, 9)
        XCTAssertEqual(form.start, ISO8601DateFormatter().date(from: "2037-02-10T14:00:00Z"))
        form.start = nil
        XCTAssertNil(form.draft.start)
    }

    /// S1.7, S4.28: an edit begins with the visit as it is, and writes what differs.
    func testAnEditBeginsWithTheVisit() async throws {
        let hub = try Hub()
        let phone = try await Phone("ada", hub: hub)
        var draft = VisitDraft.example()
        draft.space = SpaceID("zrh-room-1")
        let visit = try await phone.client.visits.create(draft)
        let form = VisitFormModel(client: phone.client, purpose: .edit(visit))
        await form.load()
        XCTAssertEqual(form.draft.space, SpaceID("zrh-room-1"))
        XCTAssertEqual(form.draft.company, "Nordwind")
        XCTAssertEqual(form.spaces.count, 2)
        XCTAssert(form.canConfirm)
        form.draft.company = "Südwind"
        let saved = await form.confirm()
        XCTAssertEqual(saved, visit)
        let company = try await phone.client.visits.show(visit).company
        XCTAssertEqual(company, "Südwind")
    }

    /// S4.30: invited again from what was.
    func testInvitingAgainBeginsWithTheOldVisit() async throws {
        let hub = try Hub()
        let phone = try await Phone("ada", hub: hub)
        let old = try await phone.client.visits.create(.example())
        try await phone.client.sync.run()
        let form = VisitFormModel(client: phone.client, purpose: .inviteAgain(old))
        await form.load()
        XCTAssertEqual(form.draft.firstName, "Ζωή")
        let tooEarly = await form.confirm()
        XCTAssertNil(tooEarly)
        guard case .refused("not_over", _) = form.failure else { return XCTFail("\(String(describing: form.failure))") }
        try await phone.client.visits.cancel(old)
        let again = await form.confirm()
        XCTAssertNotNil(again)
        XCTAssertNotEqual(again, old)
    }

    /// S1.22: hosts are offered while a person types.
    func testHostsAreOffered() async throws {
        let hub = try Hub()
        let phone = try await Phone("ada", hub: hub)
        let form = VisitFormModel(client: phone.client)
        let hosts = await form.hosts(matching: "chloe")
        XCTAssertEqual(hosts.map(\.name), ["Chloé Martin"])
    }

    func testAClosedClientIsSaid() async throws {
        let phone = try await Phone()
        await phone.client.close()
        let form = VisitFormModel(client: phone.client)
        await form.load()
        XCTAssertEqual(form.failure, .closed)
        XCTAssertFalse(form.canConfirm)
    }
}
