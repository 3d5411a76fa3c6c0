public import Foundation

extension VestibuleError: LocalizedError {
    /// What happened, as a sentence in English. An app that speaks other languages words it by the case.
    public var errorDescription: String? {
        switch self {
        case .badDraft(let problems):
            problems.map { "The field \($0.field.words) \($0.message)." }.joined(separator: "\n")
        case .unreachable: "The hub does not answer."
        case .later(_, let reason, _): "It is not possible now: \(reason)."
        case .refused(_, let reason): "This is not possible: \(reason)."
        case .signInAgain: "You have to sign in again."
        case .notSignedIn: "Nobody has signed in on this phone yet."
        case .hubRestored: "The hub does not recognise what this phone received from it."
        case .needsNewKey: "This phone is a copy of another and needs a key of its own."
        case .disbelieved(let reason): "What the hub says cannot be believed: \(reason)."
        case .cancelled: "It was stopped."
        case .notFound: "There is no such visit on this phone."
        case .badAddress: "The hub's address has to begin with https://."
        case .updateApp: "The hub uses something that this version of the app does not know."
        case .wrongKey: "The key does not open the phone's file."
        case .store(let reason): "The phone's file cannot be used: \(reason)."
        case .provider(let reason): "The phone's keys or the sign-in cannot be used: \(reason)."
        case .badArgument(let argument, let reason): "The argument \(argument) \(reason)."
        case .closed: "The phone's file was closed."
        case .internal(let reason): "Something went wrong in the app: \(reason)."
        }
    }

    /// What a person can do about it.
    public var recoverySuggestion: String? {
        switch self {
        case .unreachable: "Everything is kept. Try again when there is a network."
        case .signInAgain: "What is not sent yet is kept."
        case .needsNewKey: "Sign in again. What is not sent yet is kept."
        case .notSignedIn: "Sign in first."
        case .hubRestored, .disbelieved: "Tell an administrator. What is not sent yet is kept."
        case .updateApp: "Update the app."
        case .provider: "Unlock the phone, then try again."
        default: nil
        }
    }
}

extension Field {
    /// The field's name in English.
    fileprivate var words: String { rawValue.replacingOccurrences(of: "_", with: " ") }
}
