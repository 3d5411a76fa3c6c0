public import Foundation
public import Observation

/// The form of a visit: its fields, what may be chosen, what is wrong with it, and whether it can be confirmed.
///
/// A screen calls ``load()`` first, binds its fields to ``draft``, shows ``problem(of:)`` beside each field, and enables its
/// button by ``canConfirm``.
@MainActor @Observable
public final class VisitFormModel: Identifiable {
    /// What the form is for.
    public enum Purpose: Hashable, Sendable {
        /// A new visit.
        case invite
        /// A change of that visit.
        case edit(VisitID)
        /// A new visit of the same visitor, linked to the old one.
        case inviteAgain(VisitID)
    }

    /// What this form is for.
    public let purpose: Purpose

    /// The form as it is filled; every change is checked.
    public var draft = VisitDraft() {
        didSet {
            guard draft != oldValue else { return }
            touched.formUnion(draft.changedFields(from: oldValue))
            if draft.site != oldValue.site {
                draft.space = nil
                loadSpaces()
            }
            check()
        }
    }

    /// Every problem of the draft, in the order of the form.
    public private(set) var problems: [FieldProblem] = []
    /// The organisation; none before the first sync.
    public private(set) var organisation: Organisation?
    /// The sites to choose from.
    public private(set) var sites: [Site] = []
    /// The spaces of the site that is chosen.
    public private(set) var spaces: [Space] = []
    /// The visitor types to choose from.
    public private(set) var visitorTypes: [VisitorType] = []
    /// Whether the choices are there and the form can be filled.
    public private(set) var isLoaded = false
    /// Whether the form is being saved.
    public private(set) var isSaving = false
    /// Why loading or confirming did not succeed, other than by problems of the form; a screen shows it and sets it back.
    public var failure: VestibuleError?

    private let client: HostClient
    /// The draft that ``problems`` are of.
    private var checked: VisitDraft?
    /// The fields a person has filled or been told of.
    private var touched: Set<Field> = []
    /// The check and the reading of spaces that run.
    @ObservationIgnored private(set) var checking: Task<Void, Never>?
    @ObservationIgnored private(set) var loadingSpaces: Task<Void, Never>?

    /// A form that is not loaded yet.
    public init(client: HostClient, purpose: Purpose = .invite) {
        self.client = client
        self.purpose = purpose
    }

    /// Whether the form can be confirmed: all that has to be given is given, and nothing is wrong.
    public var canConfirm: Bool { isLoaded && !isSaving && problems.isEmpty && checked == draft }

    /// The fields that have to be given and are not.
    public var missing: [Field] { problems.filter { $0.code == "required" }.map(\.field) }

    /// The zone of the site that is chosen; the device's own where none is.
    public var timeZone: TimeZone { sites.first { $0.id == draft.site }?.timeZone ?? .current }

    /// The draft's start as a date picker in ``timeZone`` has it.
    public var start: Date? {
        get { draft.start?.date(in: timeZone) }
        set { draft.start = newValue.map { CivilTime($0, in: timeZone) } }
    }

    /// The draft's end as a date picker in ``timeZone`` has it.
    public var end: Date? {
        get { draft.end?.date(in: timeZone) }
        set { draft.end = newValue.map { CivilTime($0, in: timeZone) } }
    }

    /// The problem to show beside a field: none before a person has filled it or tried to confirm.
    public func problem(of field: Field) -> FieldProblem? {
        guard let problem = problems.first(where: { $0.field == field }) else { return nil }
        let parts: Set<Field> =
            switch field {
            case .name: [.firstName, .lastName]
            default: [field]
            }
        return touched.isDisjoint(with: parts) ? nil : problem
    }

    /// Reads what may be chosen, and for an edit the visit.
    public func load() async {
        do {
            organisation = try await client.directory.organisation()
            sites = try await client.directory.sites()
            visitorTypes = try await client.directory.visitorTypes()
            switch purpose {
            case .invite:
                if sites.count == 1 { draft.site = sites.first?.id }
            case .edit(let visit), .inviteAgain(let visit):
                let filled = try await client.visits.form(visit)
                draft = filled
                // The space belongs to the site it came with.
                draft.space = filled.space
            }
            touched = []
            isLoaded = true
            check()
            await checking?.value
            await loadingSpaces?.value
        } catch {
            failure = error
        }
    }

    /// The members to offer as hosts while a person types.
    public func hosts(matching text: String) async -> [Member] {
        (try? await client.directory.members(matching: text, limit: 20)) ?? []
    }

    /// Saves the form on this phone; gives the visit, or none where it has problems or saving fails.
    public func confirm() async -> VisitID? {
        guard !isSaving else { return nil }
        isSaving = true
        defer { isSaving = false }
        do {
            switch purpose {
            case .invite:
                return try await client.visits.create(draft)
            case .edit(let visit):
                try await client.visits.edit(visit, draft)
                return visit
            case .inviteAgain(let visit):
                return try await client.visits.inviteAgain(visit, draft)
            }
        } catch .badDraft(let problems) {
            self.problems = problems
            touched.formUnion(Field.allCases)
        } catch {
            failure = error
        }
        return nil
    }

    private func check() {
        checking?.cancel()
        let draft = draft
        checking = Task {
            do {
                let problems =
                    if case .edit(let visit) = purpose {
                        try await client.visits.validate(draft, editing: visit)
                    } else {
                        try await client.visits.validate(draft)
                    }
                // An answer about an earlier draft is of no interest any more.
                guard draft == self.draft else { return }
                self.problems = problems
                checked = draft
            } catch {
                failure = VestibuleError(error)
            }
        }
    }

    private func loadSpaces() {
        loadingSpaces?.cancel()
        spaces = []
        guard let site = draft.site else { return }
        loadingSpaces = Task {
            do {
                let spaces = try await client.directory.spaces(of: site)
                if site == draft.site { self.spaces = spaces }
            } catch {
                failure = VestibuleError(error)
            }
        }
    }
}

extension VisitDraft {
    /// The fields in which this differs from an earlier one.
    func changedFields(from old: Self) -> Set<Field> {
        func differs<Value: Equatable>(_ field: KeyPath<Self, Value>) -> Bool {
            self[keyPath: field] != old[keyPath: field]
        }
        let changed: [(Field, Bool)] = [
            (.firstName, differs(\.firstName)), (.lastName, differs(\.lastName)), (.email, differs(\.email)),
            (.company, differs(\.company)), (.phone, differs(\.phone)), (.pacsID, differs(\.pacsID)),
            (.site, differs(\.site)), (.space, differs(\.space)), (.visitorType, differs(\.visitorType)),
            (.host, differs(\.host)), (.start, differs(\.start)), (.end, differs(\.end)),
            (.reason, differs(\.reason)), (.message, differs(\.message)), (.note, differs(\.note)),
        ]
        return Set(changed.filter(\.1).map(\.0))
    }
}
