public import Foundation

/// The organisation and its policies.
public struct Organisation: Hashable, Sendable {
    /// Its id.
    public let id: String
    /// The name visitors know it by.
    public let name: String
    /// Whether a visitor must have an e-mail address.
    public let isEmailRequired: Bool
    /// Whether invitations carry a QR code.
    public let hasQR: Bool
    /// Whether visitors get wallet passes.
    public let hasWallet: Bool
    /// For how many days an invitation without a time is good.
    public let unscheduledDays: Int
    /// For how many minutes an invitation with nothing but an arrival time is good after it.
    public let arrivalMinutes: Int
}

/// A site: a building with its own time zone.
public struct Site: Identifiable, Hashable, Sendable {
    public let id: SiteID
    /// Its name.
    public let name: String
    /// The zone its clocks show; none if this device does not know it.
    public let timeZone: TimeZone?
    /// The postal address; empty if none is set.
    public let address: String
    /// When its day opens, in minutes after midnight on its clock.
    public let opens: Int
    /// When its day closes, in minutes after midnight on its clock.
    public let closes: Int
}

/// A space within a site.
public struct Space: Identifiable, Hashable, Sendable {
    public let id: SpaceID
    /// The site it is in.
    public let site: SiteID
    /// Its name.
    public let name: String
}

/// A visitor type.
public struct VisitorType: Identifiable, Hashable, Sendable {
    public let id: VisitorTypeID
    /// Its name.
    public let name: String
    /// Whether visits of this type need an approval.
    public let needsApproval: Bool
}

/// A member, as every colleague may know them.
public struct Member: Identifiable, Hashable, Sendable {
    public let id: MemberID
    /// Their name.
    public let name: String
    /// Their work e-mail address.
    public let email: String
    /// The site they work at, if one is known.
    public let site: SiteID?
}

/// What the member on this phone may do; nothing before the first sync.
public struct Permissions: Hashable, Sendable {
    /// Their roles.
    public let roles: Set<Role>
    /// Whether they may invite visitors at all.
    public let mayAddVisitors: Bool
    /// Whether they may name any host, and not only themself and those whose delegate they are.
    public let mayNameAnyHost: Bool

    /// What a member may be.
    public enum Role: Hashable, Sendable, CaseIterable {
        /// Invites visitors of their own.
        case host
        /// Invites for the members whose delegate they are.
        case delegate
        /// Makes the security decision.
        case approver
        /// Receives visitors at a site.
        case reception
        /// Sets the organisation up.
        case administrator
        /// A program.
        case apiClient
    }
}
