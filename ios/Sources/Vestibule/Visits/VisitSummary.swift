public import Foundation

/// Where a visit stands. Nothing but the hub's word makes a visitor invited: what is not sent yet is queued.
public enum VisitStatus: String, Hashable, Sendable, Codable, CaseIterable {
    /// Made on this phone, and not yet at the hub; never to be shown as invited.
    case queued
    /// Accepted by the hub, and waiting for an approval; the guest has heard nothing.
    case pending
    /// Approved or in need of no approval: the guest is invited.
    case upcoming
    /// Arrived and not left.
    case onSite = "on_site"
    /// Left.
    case departed
    /// An approver said no; only the host is told.
    case rejected
    /// The hub did not accept it; kept as a draft with the reason.
    case refused
    /// Called off by its host, with its booking, or by deletion before use.
    case cancelled
    /// Its window passed and nobody came.
    case noShow = "no_show"
    /// Its window passed before it was approved, or it had no schedule and its time ran out.
    case expired
    /// At the kiosk, waiting for the host's word.
    case awaitingHost = "awaiting_host"
}

/// A list that a phone shows; each visit is in exactly one.
public enum VisitTab: String, Hashable, Sendable, Codable, CaseIterable, Identifiable {
    /// Not yet taken by the hub: on its way, or sent back with a reason.
    case queued
    /// Waiting for an approver.
    case pending
    /// Invited, or at the door.
    case upcoming
    /// In the building.
    case onSite = "on_site"
    /// Over, one way or another; from here a visitor is invited again.
    case past

    public var id: Self { self }
}

/// Which visits a list holds.
public enum VisitFilter: Hashable, Sendable {
    /// Every visit on this phone.
    case all
    /// One tab.
    case tab(VisitTab)
    /// Those with a refusal or a conflict that somebody has to look at.
    case attention
}

/// How many visits each list holds.
public struct TabCounts: Hashable, Sendable {
    /// Not yet taken by the hub.
    public var queued = 0
    /// Waiting for an approver.
    public var pending = 0
    /// Invited, or at the door.
    public var upcoming = 0
    /// In the building.
    public var onSite = 0
    /// Over.
    public var past = 0
    /// Those with a refusal or a conflict; they are in one of the other lists too.
    public var attention = 0

    /// Nothing in any list.
    public init() {}

    /// How many visits a tab holds.
    public subscript(tab: VisitTab) -> Int {
        switch tab {
        case .queued: queued
        case .pending: pending
        case .upcoming: upcoming
        case .onSite: onSite
        case .past: past
        }
    }

    /// How many visits there are on this phone.
    public var all: Int { queued + pending + upcoming + onSite + past }
}

/// A visit in a list.
public struct VisitSummary: Identifiable, Hashable, Sendable {
    public let id: VisitID
    /// The hub's number for it, once it has one.
    public let number: UInt64?
    /// First and last name as typed, or the one there is.
    public let name: String
    /// The visitor's company.
    public let company: String?
    /// The visitor's e-mail address.
    public let email: String?
    /// The site.
    public let site: SiteID?
    /// The site's name, if this phone knows it.
    public let siteName: String?
    /// The host.
    public let host: MemberID?
    /// The host's name, if this phone knows it.
    public let hostName: String?
    /// The zone of the site, which ``civilStart`` and ``civilEnd`` are in.
    public let timeZone: TimeZone?
    /// The start on the site's clock.
    public let civilStart: CivilTime?
    /// The end on the site's clock.
    public let civilEnd: CivilTime?
    /// When it begins, where schedule and zone are known.
    public let start: Date?
    /// When it ends.
    public let end: Date?
    /// When it is over if nobody comes: its end, or some time after the arrival.
    public let overAt: Date?
    /// Where it stands.
    public let status: VisitStatus
    /// Something of it waits to be sent or answered; for a cancelled visit: the revocation is pending.
    public let isQueued: Bool
    /// Somebody else's value was accepted first, and there is a choice to make.
    public let hasConflict: Bool
    /// The code of the last refusal or conflict.
    public let problem: String?
    /// Where the last mail to the guest is.
    public let mail: GuestMail?
}

/// A page of a list.
public struct VisitPage: Hashable, Sendable {
    /// The visits, by start.
    public let visits: [VisitSummary]
    /// Give it to ``Visits/list(_:size:after:)`` for the next page; none at the end.
    public let next: String?
}
