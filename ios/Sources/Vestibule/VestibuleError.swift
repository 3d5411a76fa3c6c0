/// Why an operation did not succeed. No text in it holds personal data.
///
/// Whatever the error, work that is not sent yet is kept.
public enum VestibuleError: Error, Hashable, Sendable {
    /// The form has problems: all of them, in its order.
    case badDraft([FieldProblem])
    /// No answer from the hub; everything is kept and goes with the next sync.
    case unreachable
    /// Not now: the hub failed, has too much to do, or this phone has sent as much as it may (`code` is `later` then).
    /// Everything is kept, and sent when it is tried again, after `seconds` if the hub has said so.
    case later(code: String, reason: String, seconds: UInt64?)
    /// The hub, or the state of the visit, does not allow it. `code` is stable.
    case refused(code: String, reason: String)
    /// The device or the member has to sign in again.
    case signInAgain
    /// Nobody has signed in on this phone yet.
    case notSignedIn
    /// The hub does not recognise what this phone received from it, also after beginning anew: an administrator has to
    /// know.
    case hubRestored
    /// This phone is a copy of another, and its ``DeviceSigner`` made no key of its own: the member has to sign in again.
    case needsNewKey
    /// What the hub said does not verify; nothing of it was taken.
    case disbelieved(reason: String)
    /// Stopped, by the cancellation of its task or by ``HostClient/close()``; what was done stays.
    case cancelled
    /// There is no such visit or operation on this phone.
    case notFound
    /// The hub's address may not be called: it has to begin with `https://`.
    case badAddress
    /// The hub uses something this version does not know.
    case updateApp
    /// The key does not open the file.
    case wrongKey
    /// The phone's file failed.
    case store(reason: String)
    /// A ``KeyProvider``, ``TokenProvider`` or ``DeviceSigner`` of the app failed.
    case provider(reason: String)
    /// An argument is not of its form.
    case badArgument(argument: String, reason: String)
    /// The client was closed.
    case closed
    /// A defect of the library; nothing was changed.
    case `internal`(reason: String)
}

/// One problem of one field of a form.
public struct FieldProblem: Hashable, Sendable {
    /// The field at fault.
    public let field: Field
    /// What is wrong, for programs: `required`, `too_long`, `malformed`, `unknown`, …. A code is never renamed, so that
    /// an app can word its own messages by it.
    public let code: String
    /// What is wrong and what to do, in English; it completes "The field …".
    public let message: String

    /// A problem of a field.
    public init(field: Field, code: String, message: String) {
        self.field = field
        self.code = code
        self.message = message
    }
}
