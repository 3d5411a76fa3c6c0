package org.vestibule

/**
 * Why something did not succeed. Every message is a sentence for a person and holds no personal data; whatever it is,
 * work that was not sent yet is kept.
 */
public sealed class VestibuleException(message: String, cause: Throwable? = null) : Exception(message, cause) {

    /** The form has [problems]: all of them, in its order (S1.26). */
    public class BadDraft(public val problems: List<FieldProblem>) :
        VestibuleException(problems.joinToString(prefix = "The form cannot be sent: ", postfix = ".") { it.text })

    /** No answer from the hub; try again when there is a network. */
    public class Unreachable :
        VestibuleException("The hub does not answer. Everything is kept; try again when there is a network.")

    /**
     * Not now: the hub failed, has too much to do, or this phone has sent as much as it may. Everything is kept, and sent
     * when it is tried again.
     *
     * @property code stable, for programs: `later` where this phone has sent as much as it may, `busy`, `hub_failed`, ….
     * @property reason why, and when to try again.
     * @property seconds when to try again, if the hub has said so.
     */
    public class Later(public val code: String, public val reason: String, public val seconds: Long?) :
        VestibuleException(sentence(reason))

    /**
     * The hub, or the state of the visit, does not allow it.
     *
     * @property code stable, for programs: `over`, `final_rejection`, `already_used`, ….
     * @property reason what is wrong and what to do.
     */
    public class Refused(public val code: String, public val reason: String) : VestibuleException(sentence(reason))

    /** The device or the member has to sign in again. */
    public class SignInAgain : VestibuleException("Please sign in again. Nothing is lost meanwhile.")

    /** Nobody has signed in on this phone yet. */
    public class NotSignedIn : VestibuleException("Please sign in first.")

    /** The hub does not recognise what this phone received from it, also after beginning anew. */
    public class HubRestored :
        VestibuleException("The hub does not recognise this phone. Please tell an administrator; nothing is lost.")

    /** This phone is a copy of another, and its [DeviceSigner] made no key of its own. */
    public class NeedsNewKey :
        VestibuleException("This phone is a copy of another. Please sign in again; nothing is lost.")

    /** What the hub said does not verify; nothing of it was taken. */
    public class Disbelieved(public val reason: String) :
        VestibuleException("The hub's answer cannot be trusted: $reason.")

    /** Stopped by a person; what was done stays. */
    public class Cancelled : VestibuleException("Stopped. What was done stays.")

    /** There is no such visit or operation on this phone. */
    public class NotFound : VestibuleException("This visit is not on this phone.")

    /** The hub's address may not be called. */
    public class BadAddress : VestibuleException("The hub's address has to begin with https://.")

    /** The hub uses something this version does not know. */
    public class UpdateApp : VestibuleException("The hub uses something new. Please update the app.")

    /** The store was made with another key. */
    public class WrongKey : VestibuleException("This phone's key does not open its store.")

    /** The store cannot be used: the disk is full, the file is damaged or of a later version. */
    public class Store(public val reason: String) : VestibuleException("The store cannot be used: $reason.")

    /** A [KeyProvider], [TokenProvider] or [DeviceSigner] of the app did not do its part. */
    public class Provider(public val reason: String) :
        VestibuleException("The app's keys or sign-in cannot be used now: $reason.")

    /**
     * An argument no form can explain: an id that is none, a negative limit, text with half of a character.
     *
     * @property argument its name.
     * @property reason what is wrong with it.
     */
    public class BadArgument(public val argument: String, public val reason: String) :
        VestibuleException("“$argument” $reason.")

    /** The client, or the list, was closed. */
    public class Closed : VestibuleException("This has been closed.")

    /** A mistake of this library; please report it. */
    public class Internal(public val reason: String, cause: Throwable? = null) :
        VestibuleException("Something went wrong inside: $reason.", cause)
}

private fun sentence(reason: String): String =
    reason.replaceFirstChar { it.uppercaseChar() } + if (reason.endsWith('.')) "" else "."
