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
        case "required": String(localized: "Fill this in.")
        case "too_long": String(localized: "Shorten this.")
        case "forbidden_character": String(localized: "Remove the control character.")
        case "malformed" where field == .email:
            String(localized: "Enter an email address like name@example.com.")
        case "malformed" where field == .phone: String(localized: "Enter a phone number with 4 to 15 digits.")
        case "unknown": String(localized: "This is no longer available; choose another.")
        case "ambiguous": String(localized: "Several match; choose one from the list.")
        case "wrong_site": String(localized: "This is at another site; choose one at the visit's site.")
        case "not_permitted": String(localized: "You don't have permission to choose this.")
        case "no_such_time": String(localized: "The clocks skip this time; choose an hour earlier or later.")
        case "end_before_start": String(localized: "Choose an end after the start.")
        case "visit_too_long": String(localized: "Choose an earlier end.")
        case "past": String(localized: "This time has passed; choose a later one.")
        default: message
        }
    }
}

extension VestibuleError {
    /// Worded by the case, in the person's language.
    var words: String {
        switch self {
        case .unreachable:
            String(localized: "The hub isn't answering. Your changes are saved and will be sent at the next sync.")
        case .signInAgain, .needsNewKey: String(localized: "Sign in again. Changes that haven't been sent are kept.")
        case .notSignedIn: String(localized: "Sign in first.")
        case .badAddress: String(localized: "Enter a hub address that starts with https://.")
        case .updateApp: String(localized: "The hub is newer than this app. Update the app.")
        case .hubRestored, .disbelieved:
            String(localized: "Something is wrong with the hub. Tell an administrator; nothing is lost.")
        case .notFound: String(localized: "This visit is no longer on this phone.")
        case .wrongKey, .store: String(localized: "The app's data can't be opened. Tell an administrator.")
        case .provider: String(localized: "The phone's keys aren't available. Unlock the phone and try again.")
        case .badDraft, .refused, .cancelled, .badArgument, .closed, .internal:
            [errorDescription, recoverySuggestion].compactMap(\.self).joined(separator: " ")
        }
    }
}
