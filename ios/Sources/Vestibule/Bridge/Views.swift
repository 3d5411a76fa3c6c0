import Foundation
import VestibuleGenerated

extension VisitSummary {
    init(_ visit: VestibuleGenerated.VisitSummary) {
        id = VisitID(visit.id)
        number = visit.number
        name = visit.name
        company = visit.company
        email = visit.email
        site = visit.site.map { SiteID($0) }
        siteName = visit.siteName
        host = visit.host.map { MemberID($0) }
        hostName = visit.hostName
        timeZone = visit.zone.flatMap(TimeZone.init(identifier:))
        civilStart = visit.startCivil.map(CivilTime.init)
        civilEnd = visit.endCivil.map(CivilTime.init)
        start = visit.start
        end = visit.end
        overAt = visit.overAt
        status = VisitStatus(visit.status)
        isQueued = visit.queued
        hasConflict = visit.conflict
        problem = visit.problem
        mail = visit.mail.map(GuestMail.init)
    }
}

extension VisitStatus {
    fileprivate init(_ status: VestibuleGenerated.Status) {
        self =
            switch status {
            case .queued: .queued
            case .pending: .pending
            case .upcoming: .upcoming
            case .onSite: .onSite
            case .departed: .departed
            case .rejected: .rejected
            case .refused: .refused
            case .cancelled: .cancelled
            case .noShow: .noShow
            case .expired: .expired
            case .awaitingHost: .awaitingHost
            }
    }
}

extension VisitTab {
    fileprivate init(_ tab: VestibuleGenerated.Tab) {
        self =
            switch tab {
            case .queued: .queued
            case .pending: .pending
            case .upcoming: .upcoming
            case .onSite: .onSite
            case .past: .past
            }
    }
}

extension TabCounts {
    init(_ counts: VestibuleGenerated.TabCounts) {
        self.init()
        queued = Int(clamping: counts.queued)
        pending = Int(clamping: counts.pending)
        upcoming = Int(clamping: counts.upcoming)
        onSite = Int(clamping: counts.onSite)
        past = Int(clamping: counts.past)
        attention = Int(clamping: counts.attention)
    }
}

extension VisitPage {
    init(_ page: VestibuleGenerated.VisitPage) {
        visits = page.items.map(VisitSummary.init)
        next = page.next
    }
}

extension VisitView {
    init(_ visit: VestibuleGenerated.VisitView) {
        id = VisitID(visit.id)
        number = visit.number
        status = VisitStatus(visit.status)
        tab = VisitTab(visit.tab)
        isQueued = visit.queued
        name = visit.name
        firstName = visit.firstName
        lastName = visit.lastName
        company = visit.company
        email = visit.email
        phone = visit.phone
        pacsID = visit.pacsId
        site = visit.site.map { SiteID($0) }
        siteName = visit.siteName
        space = visit.space.map { SpaceID($0) }
        spaceName = visit.spaceName
        visitorType = visit.visitorType.map { VisitorTypeID($0) }
        visitorTypeName = visit.visitorTypeName
        host = visit.host.map { MemberID($0) }
        hostName = visit.hostName
        reason = visit.reason
        message = visit.message
        timeZone = visit.zone.flatMap(TimeZone.init(identifier:))
        civilStart = visit.startCivil.map(CivilTime.init)
        civilEnd = visit.endCivil.map(CivilTime.init)
        start = visit.start
        end = visit.end
        overAt = visit.overAt
        creator = visit.creator.map { MemberID($0) }
        previous = visit.previous.map { VisitID($0) }
        approval =
            switch visit.approval {
            case .notNeeded: .notNeeded
            case .pending: .pending
            case .approved: .approved
            case .rejected(let reason, let isFinal): .rejected(reason: reason, isFinal: isFinal)
            }
        credential =
            switch visit.credential {
            case .absent: .absent
            case .live: .live
            case .suspended: .suspended
            case .void: .void
            }
        isGuestTold = visit.guestTold
        mail = visit.mail.map(GuestMail.init)
        problem = visit.problem
        notes = visit.notes.map(Note.init)
        operations = visit.operations.map(Operation.init)
    }
}

extension VisitView.Note {
    fileprivate init(_ note: VestibuleGenerated.NoteView) {
        author = MemberID(note.author)
        authorName = note.authorName
        at = note.at
        text = note.text
        isQueued = note.queued
    }
}

extension VisitView.Operation {
    fileprivate init(_ operation: VestibuleGenerated.OperationView) {
        id = OperationID(rawValue: operation.id)
        kind =
            switch operation.kind {
            case .create: .create
            case .edit: .edit
            case .cancel: .cancel
            case .request: .request
            }
        ask = operation.ask
        text = operation.text
        wants = operation.wants.map { Want(key: $0.key, value: $0.value) }
        state =
            switch operation.state {
            case .queued: .queued
            case .stale: .stale
            case .refused: .refused
            case .conflict: .conflict
            }
        code = operation.code
        reason = operation.reason
        madeAt = operation.madeAt
    }
}

extension HistoryEntry {
    init(_ entry: VestibuleGenerated.HistoryEntryView) {
        at = entry.at
        author = entry.author.map { MemberID($0) }
        authorName = entry.authorName
        onBehalfOf = entry.onBehalfOf.map { MemberID($0) }
        fact = Fact(entry.fact)
    }
}

extension HistoryEntry.Fact {
    fileprivate init(_ fact: VestibuleGenerated.HistoryFact) {
        self =
            switch fact {
            case .changed(let keys): .changed(keys: keys)
            case .accepted(let number, let needsApproval): .accepted(number: number, needsApproval: needsApproval)
            case .approved: .approved
            case .rejected(let reason, let isFinal): .rejected(reason: reason, isFinal: isFinal)
            case .reopened: .reopened
            case .approvalStale(let keys): .approvalStale(keys: keys)
            case .minted(let notBefore, let expires): .minted(notBefore: notBefore, expires: expires)
            case .suspended: .suspended
            case .revived: .revived
            case .voided: .voided
            case .guestTold(let what): .guestTold(HistoryEntry.Told(what))
            case .mailQueued(let what, let heldUntil): .mailQueued(HistoryEntry.Told(what), heldUntil: heldUntil)
            case .mailUndelivered(let what, let how, let trouble, let code):
                .mailUndelivered(HistoryEntry.Told(what), HistoryEntry.Undelivered(how), trouble: trouble, code: code)
            case .arrived: .arrived
            case .departed: .departed
            case .cancelled: .cancelled
            case .deleted: .deleted
            case .noShow: .noShow
            case .expired: .expired
            case .alert(let code): .alert(code: code)
            case .later(let number): .later(number: number)
            }
    }
}

extension HistoryEntry.Told {
    fileprivate init(_ what: VestibuleGenerated.Told) {
        self =
            switch what {
            case .invitation: .invitation
            case .change: .change
            case .cancellation: .cancellation
            case .end: .end
            }
    }
}

extension HistoryEntry.Undelivered {
    fileprivate init(_ how: VestibuleGenerated.Undelivered) {
        self =
            switch how {
            case .delayed: .delayed
            case .refused: .refused
            case .givenUp: .givenUp
            case .withdrawn: .withdrawn
            }
    }
}

extension GuestMail {
    fileprivate init(_ mail: VestibuleGenerated.GuestMail) {
        what = HistoryEntry.Told(mail.what)
        state = mail.state
        trouble = mail.trouble
        code = mail.code
        words = mail.words
    }
}

extension Organisation {
    init(_ organisation: VestibuleGenerated.OrganisationView) {
        id = organisation.id
        name = organisation.name
        isEmailRequired = organisation.emailRequired
        hasQR = organisation.qr
        hasWallet = organisation.wallet
        unscheduledDays = Int(organisation.unscheduledDays)
        arrivalMinutes = Int(organisation.arrivalMinutes)
    }
}

extension Site {
    init(_ site: VestibuleGenerated.SiteView) {
        id = SiteID(site.id)
        name = site.name
        timeZone = TimeZone(identifier: site.zone)
        address = site.address
        opens = Int(site.opens)
        closes = Int(site.closes)
    }
}

extension Space {
    init(_ space: VestibuleGenerated.SpaceView) {
        id = SpaceID(space.id)
        site = SiteID(space.site)
        name = space.name
    }
}

extension VisitorType {
    init(_ type: VestibuleGenerated.VisitorTypeView) {
        id = VisitorTypeID(type.id)
        name = type.name
        needsApproval = type.needsApproval
    }
}

extension Member {
    init(_ member: VestibuleGenerated.MemberView) {
        id = MemberID(member.id)
        name = member.name
        email = member.email
        site = member.site.map { SiteID($0) }
    }
}

extension Permissions {
    init(_ permissions: VestibuleGenerated.PermissionsView) {
        roles = Set(
            permissions.roles.map { role in
                switch role {
                case .host: .host
                case .delegate: .delegate
                case .approver: .approver
                case .reception: .reception
                case .administrator: .administrator
                case .apiClient: .apiClient
                }
            })
        mayAddVisitors = permissions.mayAddVisitors
        mayNameAnyHost = permissions.mayNameAnyHost
    }
}

extension Identity {
    init(_ identity: VestibuleGenerated.IdentityView) {
        member = MemberID(identity.member)
        organisation = identity.organisation
        device = identity.device
        hub = identity.hub
    }
}

extension SyncState {
    init(_ state: VestibuleGenerated.SyncStateView) {
        syncedAt = state.syncedAt
        hubTime = state.hubTime
        clockOffBy = .seconds(state.clockOffBy)
    }
}

extension Trouble {
    init(_ trouble: VestibuleGenerated.TroubleView) {
        kind =
            switch trouble.kind {
            case .scope: .scope
            case .row: .row
            case .directory: .directory
            case .keys: .keys
            case .fact: .fact
            case .fields: .fields
            case .quarantined: .quarantined
            }
        detail = trouble.detail
        visit = trouble.visit.map { VisitID($0) }
        updateApp = trouble.updateApp
    }
}

extension SyncProgress {
    init(_ progress: VestibuleGenerated.SyncProgress) {
        sent = progress.sent
        toSend = progress.toSend
        received = progress.received
        remaining = progress.remaining
    }
}

extension PassPreview {
    init(_ preview: VestibuleGenerated.PassPreview) {
        title = preview.title
        summary = preview.description
        name = preview.name
        fields = preview.fields.map(Field.init)
        isVoided = preview.voided
        background = preview.background
        foreground = preview.foreground
        labelColour = preview.labelColour
        json = preview.json
    }
}

extension PassPreview.Field {
    fileprivate init(_ field: VestibuleGenerated.PassField) {
        id = field.key
        place =
            switch field.place {
            case .header: .header
            case .primary: .primary
            case .secondary: .secondary
            case .auxiliary: .auxiliary
            case .back: .back
            }
        label = field.label
        value = field.value
    }
}

extension QRMatrix {
    init(_ matrix: VestibuleGenerated.QrMatrix) {
        size = Int(matrix.size)
        modules = matrix.modules.map { $0 == 1 }
    }
}
