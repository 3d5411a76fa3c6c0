import VestibuleGenerated

extension VisitDraft {
    var generated: VestibuleGenerated.VisitDraft {
        // An empty text and an absent one are the same.
        VestibuleGenerated.VisitDraft(
            firstName: firstName,
            lastName: lastName,
            email: email,
            company: company,
            phone: phone,
            pacsId: pacsID,
            site: site?.rawValue,
            space: space?.rawValue,
            visitorType: visitorType?.rawValue,
            host: host,
            start: start?.generated,
            end: end?.generated,
            reason: reason,
            message: message,
            note: note)
    }

    init(_ draft: VestibuleGenerated.VisitDraft) {
        self.init()
        firstName = draft.firstName ?? ""
        lastName = draft.lastName ?? ""
        email = draft.email ?? ""
        company = draft.company ?? ""
        phone = draft.phone ?? ""
        pacsID = draft.pacsId ?? ""
        site = draft.site.map { SiteID($0) }
        space = draft.space.map { SpaceID($0) }
        visitorType = draft.visitorType.map { VisitorTypeID($0) }
        host = draft.host ?? ""
        start = draft.start.map(CivilTime.init)
        end = draft.end.map(CivilTime.init)
        reason = draft.reason ?? ""
        message = draft.message ?? ""
        note = draft.note ?? ""
    }
}

extension CivilTime {
    /// A number that does not fit is none that a clock shows, and stays one.
    var generated: VestibuleGenerated.CivilTime {
        func part(_ number: Int) -> UInt8 { UInt8(exactly: number) ?? .max }
        return VestibuleGenerated.CivilTime(
            year: Int32(clamping: year), month: part(month), day: part(day), hour: part(hour), minute: part(minute),
            secondOccurrence: isSecondOccurrence)
    }

    init(_ time: VestibuleGenerated.CivilTime) {
        self.init(
            year: Int(time.year), month: Int(time.month), day: Int(time.day), hour: Int(time.hour),
            minute: Int(time.minute), isSecondOccurrence: time.secondOccurrence)
    }
}

extension VisitFilter {
    var generated: VestibuleGenerated.ListFilter {
        switch self {
        case .all: .all
        case .tab(let tab): .tab(tab: tab.generated)
        case .attention: .attention
        }
    }
}

extension VisitTab {
    fileprivate var generated: VestibuleGenerated.Tab {
        switch self {
        case .queued: .queued
        case .pending: .pending
        case .upcoming: .upcoming
        case .onSite: .onSite
        case .past: .past
        }
    }
}

extension Choice {
    var generated: VestibuleGenerated.Choice {
        switch self {
        case .mine: .mine
        case .theirs: .theirs
        }
    }
}
