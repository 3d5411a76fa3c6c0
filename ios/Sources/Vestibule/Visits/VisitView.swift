public import Foundation

/// Everything a screen shows of one visit.
public struct VisitView: Identifiable, Hashable, Sendable {
    public let id: VisitID
    /// The hub's number for it, once it has one.
    public let number: UInt64?
    /// Where it stands.
    public let status: VisitStatus
    /// The list it is in now.
    public let tab: VisitTab
    /// Something of it waits to be sent or answered; for a cancelled visit: the revocation is pending.
    public let isQueued: Bool
    /// First and last name as typed, or the one there is.
    public let name: String
    /// The first name.
    public let firstName: String?
    /// The last name.
    public let lastName: String?
    /// The visitor's company.
    public let company: String?
    /// The visitor's e-mail address.
    public let email: String?
    /// The visitor's phone number.
    public let phone: String?
    /// The visitor's number in the physical access control system.
    public let pacsID: String?
    /// The site.
    public let site: SiteID?
    /// The site's name, if this phone knows it.
    public let siteName: String?
    /// The space within the site.
    public let space: SpaceID?
    /// The space's name, if this phone knows it.
    public let spaceName: String?
    /// The visitor type.
    public let visitorType: VisitorTypeID?
    /// The visitor type's name, if this phone knows it.
    public let visitorTypeName: String?
    /// The host.
    public let host: MemberID?
    /// The host's name, if this phone knows it.
    public let hostName: String?
    /// The reason of the visit.
    public let reason: String?
    /// The message to the visitor.
    public let message: String?
    /// The zone of the site, which ``civilStart`` and ``civilEnd`` are in.
    public let timeZone: TimeZone?
    /// The start, or without an end the arrival, on the site's clock.
    public let civilStart: CivilTime?
    /// The end on the site's clock.
    public let civilEnd: CivilTime?
    /// When it begins, where schedule and zone are known.
    public let start: Date?
    /// When it ends.
    public let end: Date?
    /// When it is over if nobody comes: its end, or some time after the arrival.
    public let overAt: Date?
    /// Who created it, as the hub saw it.
    public let creator: MemberID?
    /// The visit this one was made from by "invite again".
    public let previous: VisitID?
    /// The security approval.
    public let approval: Approval
    /// The credential, as far as a phone may know.
    public let credential: Credential
    /// Whether a mail server has ever taken a mail to the guest.
    public let isGuestTold: Bool
    /// Where the last mail to the guest is.
    public let mail: GuestMail?
    /// The code of what somebody has to look at, as in lists.
    public let problem: String?
    /// The notes this phone holds, oldest first; own ones that are not sent yet last.
    public let notes: [Note]
    /// What waits, was refused, or is to be chosen about.
    public let operations: [Operation]

    /// The security approval of a visit.
    public enum Approval: Hashable, Sendable {
        /// None is needed.
        case notNeeded
        /// It waits.
        case pending
        /// Given.
        case approved
        /// With a reason for the host; final if the visitor cannot be invited at all.
        case rejected(reason: String?, isFinal: Bool)
    }

    /// What a visit's PIN, QR code and passes do.
    public enum Credential: Hashable, Sendable {
        /// Never made.
        case absent
        /// They open within their window.
        case live
        /// They open nothing for now.
        case suspended
        /// They are dead.
        case void
    }

    /// An internal note.
    public struct Note: Hashable, Sendable {
        /// Who wrote it.
        public let author: MemberID
        /// The author's name, if this phone knows it.
        public let authorName: String?
        /// When the hub took it, or it was written here.
        public let at: Date
        /// As typed.
        public let text: String
        /// Not at the hub yet.
        public let isQueued: Bool
    }

    /// An operation of this phone that is not done.
    public struct Operation: Identifiable, Hashable, Sendable {
        /// Names it for ``Visits/settle(_:_:)`` and ``Visits/discard(_:)``.
        public let id: OperationID
        /// What kind of operation it is.
        public let kind: Kind
        /// For a request, what is asked: `note`, `delete`, ….
        public let ask: String?
        /// The words of a note.
        public let text: String?
        /// What it wants, key by key.
        public let wants: [Want]
        /// Whether it waits, was refused, or is in conflict.
        public let state: State
        /// The stable code of the refusal or conflict.
        public let code: String?
        /// What is wrong and what to do.
        public let reason: String?
        /// When it was made, on this phone's clock.
        public let madeAt: Date

        /// What kind of operation it is.
        public enum Kind: Hashable, Sendable {
            /// The visit's first change.
            case create
            /// A later change.
            case edit
            /// The cancellation.
            case cancel
            /// Something the hub is asked to do: a note, a deletion.
            case request
        }

        /// Where an operation stands.
        public enum State: Hashable, Sendable {
            /// On its way.
            case queued
            /// Written on top of something that has moved on; replayed with the next sync.
            case stale
            /// Refused, and kept as a draft.
            case refused
            /// Somebody else's value was first; its author chooses.
            case conflict
        }

        /// A value that an operation writes.
        public struct Want: Hashable, Sendable {
            /// The key of the visit document.
            public let key: String
            /// None clears the key.
            public let value: String?
        }
    }
}

/// How a conflict is settled.
public enum Choice: Hashable, Sendable {
    /// This phone's value, on top of the accepted one.
    case mine
    /// The accepted value.
    case theirs
}

/// A line of a visit's history.
public struct HistoryEntry: Hashable, Sendable {
    /// When, by the hub's word; none for what the hub has not taken yet.
    public let at: Date?
    /// Who, by the hub's word; none for the hub itself.
    public let author: MemberID?
    /// The author's name, if this phone knows it.
    public let authorName: String?
    /// For whom a delegate did it.
    public let onBehalfOf: MemberID?
    /// What happened.
    public let fact: Fact

    /// What happened. Keys are those of the visit's document: `first_name`, `email`, `schedule`, ….
    public enum Fact: Hashable, Sendable {
        /// Values were written.
        case changed(keys: [String])
        /// The hub took the visit.
        case accepted(number: UInt64, needsApproval: Bool)
        /// An approver said yes.
        case approved
        /// Final if no new invitation is possible.
        case rejected(reason: String?, isFinal: Bool)
        /// Back to pending by an approver.
        case reopened
        /// Back to pending because something changed after the approval.
        case approvalStale(keys: [String])
        /// A credential lives, from and until.
        case minted(notBefore: Date?, expires: Date?)
        /// The credential opens nothing until it is revived.
        case suspended
        /// The suspended credential lives again.
        case revived
        /// The credential is dead.
        case voided
        /// A mail server has taken a mail to the guest.
        case guestTold(Told)
        /// A mail to the guest is about to be sent; a quota may hold it back until then.
        case mailQueued(Told, heldUntil: Date?)
        /// A mail to the guest was not taken: why, by a stable code, and the mail server's answer.
        case mailUndelivered(Told, Undelivered, trouble: String, code: UInt16?)
        /// The visitor arrived.
        case arrived
        /// The visitor left.
        case departed
        /// Called off.
        case cancelled
        /// Deleted unused.
        case deleted
        /// Its time passed and nobody came.
        case noShow
        /// Its time passed while it was pending, or it ran out.
        case expired
        /// Something host and reception should look at, by a stable code.
        case alert(code: String)
        /// Something a later version knows how to show.
        case later(number: UInt32)
    }

    /// What a guest was told.
    public enum Told: Hashable, Sendable {
        /// That they are invited.
        case invitation
        /// That something changed.
        case change
        /// That the visit is cancelled.
        case cancellation
        /// To an earlier address: that the invitation sent there has ended.
        case end
    }

    /// What becomes of a mail that was not taken.
    public enum Undelivered: Hashable, Sendable {
        /// It is late, and tried again.
        case delayed
        /// A mail server refused it for good.
        case refused
        /// It was tried for days.
        case givenUp
        /// It is not needed any more, and never left.
        case withdrawn
    }
}

/// Where the last mail to a guest is.
public struct GuestMail: Hashable, Sendable {
    /// What it says.
    public let what: HistoryEntry.Told
    /// `waiting`, `held`, `handed_over`, `delayed`, `refused` or `given_up`.
    public let state: String
    /// Why it was not taken, by a stable code.
    public let trouble: String?
    /// The mail server's answer, where it gave one.
    public let code: UInt16?
    /// A sentence in English: where it is, why, and what to do.
    public let words: String
}
