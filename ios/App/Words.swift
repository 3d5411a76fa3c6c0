import SwiftUI
import Vestibule

// The words, symbols and colours of what the package names: the package speaks to programs, a screen to people.

extension VisitTab {
    var title: LocalizedStringResource {
        switch self {
        case .queued: "Queued"
        case .pending: "Pending"
        case .upcoming: "Upcoming"
        case .onSite: "On site"
        case .past: "Past"
        }
    }

    var emptyTitle: LocalizedStringResource {
        switch self {
        case .queued: "Nothing waits on this phone"
        case .pending: "Nothing waits for an approval"
        case .upcoming: "Nobody is expected"
        case .onSite: "Nobody is here"
        case .past: "Nobody has been here yet"
        }
    }

    var explanation: LocalizedStringResource {
        switch self {
        case .queued: "Invitations stay here until the hub has them."
        case .pending: "Some visits need an approval before the visitor is invited."
        case .upcoming: "Visitors who are invited stand here."
        case .onSite: "Visitors stand here from their arrival until they leave."
        case .past: "From here a visitor is invited again."
        }
    }

    var symbol: String {
        switch self {
        case .queued: "tray"
        case .pending: "hourglass"
        case .upcoming: "calendar"
        case .onSite: "building.2"
        case .past: "clock.arrow.circlepath"
        }
    }
}

extension VisitStatus {
    var title: LocalizedStringResource {
        switch self {
        case .queued: "Queued"
        case .pending: "Pending"
        case .upcoming: "Upcoming"
        case .onSite: "On site"
        case .departed: "Left"
        case .rejected: "Rejected"
        case .refused: "Refused"
        case .cancelled: "Cancelled"
        case .noShow: "Did not come"
        case .expired: "Expired"
        case .awaitingHost: "Waits for you"
        }
    }

    var symbol: String {
        switch self {
        case .queued: "tray.and.arrow.up"
        case .pending: "hourglass"
        case .upcoming: "checkmark.circle"
        case .onSite: "building.2"
        case .departed: "figure.walk.departure"
        case .rejected, .refused: "exclamationmark.triangle"
        case .cancelled: "xmark.circle"
        case .noShow: "person.slash"
        case .expired: "clock.badge.xmark"
        case .awaitingHost: "bell"
        }
    }

    var colour: Color {
        switch self {
        case .queued: .orange
        case .pending, .awaitingHost: .indigo
        case .upcoming: .green
        case .onSite: .blue
        case .rejected, .refused: .red
        case .departed, .cancelled, .noShow, .expired: .secondary
        }
    }

    /// Whether a visitor is invited again rather than the visit edited.
    var isOver: Bool {
        switch self {
        case .departed, .rejected, .cancelled, .noShow, .expired: true
        case .queued, .pending, .upcoming, .onSite, .refused, .awaitingHost: false
        }
    }
}

extension VisitFormModel.Purpose {
    var title: LocalizedStringResource {
        switch self {
        case .invite: "Invite a visitor"
        case .edit: "Edit the visit"
        case .inviteAgain: "Invite again"
        }
    }
}

extension Field {
    var title: LocalizedStringResource {
        switch self {
        case .name: "Name"
        case .firstName: "First name"
        case .lastName: "Last name"
        case .email: "E-mail"
        case .company: "Company"
        case .phone: "Phone"
        case .pacsID: "Access control number"
        case .site: "Site"
        case .space: "Space"
        case .visitorType: "Visitor type"
        case .host: "Host"
        case .start: "Start"
        case .end: "End"
        case .reason: "Reason"
        case .message: "Message to the visitor"
        case .note: "Internal note"
        }
    }
}

extension FieldProblem {
    /// Worded by the code, in the person's language; a code this app does not know has the package's own words.
    var words: String {
        switch code {
        case "required": String(localized: "This is needed.")
        case "too_long": String(localized: "This is too long.")
        case "forbidden_character": String(localized: "This holds a character that cannot be used.")
        case "malformed" where field == .email:
            String(localized: "This is no e-mail address; it reads name@example.com.")
        case "malformed" where field == .phone: String(localized: "This is no phone number.")
        case "unknown": String(localized: "There is no such choice any more.")
        case "ambiguous": String(localized: "This means more than one; choose from the list.")
        case "wrong_site": String(localized: "This is in another site.")
        case "not_permitted": String(localized: "You may not choose this.")
        case "no_such_time": String(localized: "The clocks are put forward over this time.")
        case "end_before_start": String(localized: "The end must be after the start.")
        case "visit_too_long": String(localized: "The end is too far from the start.")
        case "past": String(localized: "This is in the past.")
        default: message
        }
    }
}

extension VestibuleError {
    /// Worded by the case, in the person's language.
    var words: String {
        switch self {
        case .unreachable:
            String(localized: "The hub does not answer. Everything is kept and goes out with the next exchange.")
        case .signInAgain, .needsNewKey: String(localized: "Please sign in again. What is not sent yet is kept.")
        case .notSignedIn: String(localized: "Please sign in first.")
        case .badAddress: String(localized: "The hub's address has to begin with https://.")
        case .updateApp: String(localized: "The hub uses something new. Please update the app.")
        case .hubRestored, .disbelieved:
            String(localized: "Something is wrong with the hub. Please tell an administrator; nothing is lost.")
        case .notFound: String(localized: "This visit is no longer on this phone.")
        case .wrongKey, .store: String(localized: "The app's file cannot be used. Please tell an administrator.")
        case .provider: String(localized: "The phone's keys cannot be used now. Unlock it and try again.")
        case .badDraft, .refused, .cancelled, .badArgument, .closed, .internal:
            [errorDescription, recoverySuggestion].compactMap(\.self).joined(separator: " ")
        }
    }
}
