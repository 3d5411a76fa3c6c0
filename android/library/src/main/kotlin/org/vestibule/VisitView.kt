package org.vestibule

import java.time.Instant

/**
 * Everything a screen shows of one visit. Values are as typed, own unsent edits included.
 *
 * @property id the visit.
 * @property number the hub's number for it, once it has one.
 * @property name first and last name, or the one there is.
 * @property firstName the first name.
 * @property lastName the last name.
 * @property email the e-mail address.
 * @property company the company.
 * @property phone the phone number.
 * @property pacsId the number in the physical access control system.
 * @property site where.
 * @property siteName the site's name, if this phone knows it.
 * @property space the arrival place within the site.
 * @property spaceName its name, if this phone knows it.
 * @property visitorType the type.
 * @property visitorTypeName its name, if this phone knows it.
 * @property host who receives the visitor.
 * @property hostName their name, if this phone knows it.
 * @property time when; none for any time the policy allows.
 * @property overAt when it is over if nobody comes.
 * @property reason the reason of the visit.
 * @property message the message to the visitor.
 * @property status where it stands.
 * @property tab the list it is in now.
 * @property queued something of it waits to be sent or answered; for a cancelled visit: the revocation is pending.
 * @property approval the security approval.
 * @property credential the visitor's PIN and QR code, as far as a phone may know.
 * @property guestTold whether a mail server has ever taken a mail to the guest.
 * @property mail where the last mail to the guest is.
 * @property problem the code of what somebody has to look at, as in lists.
 * @property creator who created it, as the hub saw it.
 * @property previous the visit this one was made from by [Visits.inviteAgain].
 * @property notes the internal notes, oldest first; own ones that are not sent yet last.
 * @property operations what waits, was refused, or is to be chosen about.
 */
public data class VisitView(
    val id: VisitId,
    val number: Long?,
    val name: String,
    val firstName: String?,
    val lastName: String?,
    val email: String?,
    val company: String?,
    val phone: String?,
    val pacsId: String?,
    val site: SiteId?,
    val siteName: String?,
    val space: SpaceId?,
    val spaceName: String?,
    val visitorType: VisitorTypeId?,
    val visitorTypeName: String?,
    val host: MemberId?,
    val hostName: String?,
    val time: VisitTime?,
    val overAt: Instant?,
    val reason: String?,
    val message: String?,
    val status: Status,
    val tab: Tab,
    val queued: Boolean,
    val approval: Approval,
    val credential: CredentialState,
    val guestTold: Boolean,
    val mail: GuestMail?,
    val problem: String?,
    val creator: MemberId?,
    val previous: VisitId?,
    val notes: List<NoteView>,
    val operations: List<OperationView>,
)

/** The security approval of a visit. */
public sealed interface Approval {
    /** None is needed. */
    public data object NotNeeded : Approval

    /** It waits. */
    public data object Pending : Approval

    /** Given. */
    public data object Approved : Approval

    /**
     * Refused.
     *
     * @property reason the approver's words, for the host (S2.25).
     * @property isFinal the visitor cannot be invited again (S2.27).
     */
    public data class Rejected(val reason: String?, val isFinal: Boolean) : Approval
}

/** The visitor's PIN and QR code, as far as a phone may know. */
public enum class CredentialState {
    /** Never made. */
    ABSENT,

    /** It opens within its time. */
    LIVE,

    /** It opens nothing for now. */
    SUSPENDED,

    /** It is dead. */
    VOID,
}

/**
 * An internal note (S1.19).
 *
 * @property author who wrote it.
 * @property authorName their name, if this phone knows it.
 * @property at when the hub took it, or it was written here.
 * @property text as typed.
 * @property queued not at the hub yet.
 */
public data class NoteView(
    val author: MemberId,
    val authorName: String?,
    val at: Instant,
    val text: String,
    val queued: Boolean,
)

/**
 * An operation of this phone that is not done.
 *
 * @property id names it, to settle or discard it.
 * @property kind what it is.
 * @property ask for a request, what is asked: `note`, `delete`, ….
 * @property text the words of a note.
 * @property wants the values it wants, by the key of the visit's document; none clears the key.
 * @property state whether it waits, was refused, or is in conflict.
 * @property code the stable code of the refusal or conflict.
 * @property reason what is wrong and what to do.
 * @property madeAt when it was made, on this phone's clock.
 */
public data class OperationView(
    val id: OperationId,
    val kind: OperationKind,
    val ask: String?,
    val text: String?,
    val wants: Map<String, String?>,
    val state: OperationState,
    val code: String?,
    val reason: String?,
    val madeAt: Instant,
)

/** What kind of operation waits. */
public enum class OperationKind {
    /** The visit's first change. */
    CREATE,

    /** A later change. */
    EDIT,

    /** The cancellation. */
    CANCEL,

    /** Something the hub is asked to do: a note, a deletion. */
    REQUEST,
}

/** Where an operation stands. */
public enum class OperationState {
    /** On its way. */
    QUEUED,

    /** Written on top of something that has moved on; written again with the next sync. */
    STALE,

    /** Refused, and kept as a draft. */
    REFUSED,

    /** Somebody else's value was first: choose with [Visits.settle], or drop it with [Visits.discard]. */
    CONFLICT,
}

/** How a conflict is settled. */
public enum class Choice {
    /** This phone's value is written on top of the accepted one. */
    MINE,

    /** The accepted value stands. */
    THEIRS,
}

/**
 * A line of a visit's history.
 *
 * @property at when, by the hub's word; none for what the hub has not taken yet.
 * @property author who did it, by the hub's word; none for the hub itself.
 * @property authorName their name, if this phone knows it.
 * @property onBehalfOf for whom a delegate did it.
 * @property fact what happened.
 */
public data class HistoryEntryView(
    val at: Instant?,
    val author: MemberId?,
    val authorName: String?,
    val onBehalfOf: MemberId?,
    val fact: HistoryFact,
)

/** What happened to a visit. Keys are those of the visit's document: `first_name`, `email`, `schedule`, …. */
public sealed interface HistoryFact {
    /** Values were written. */
    public data class Changed(val keys: List<String>) : HistoryFact

    /** The hub took the visit. */
    public data class Accepted(val number: Long, val needsApproval: Boolean) : HistoryFact

    /** Approved. */
    public data object Approved : HistoryFact

    /** Rejected; see [Approval.Rejected]. */
    public data class Rejected(val reason: String?, val isFinal: Boolean) : HistoryFact

    /** Back to pending by an approver. */
    public data object Reopened : HistoryFact

    /** Back to pending because something changed after the approval. */
    public data class ApprovalStale(val keys: List<String>) : HistoryFact

    /** A credential lives, and opens between these. */
    public data class Minted(val notBefore: Instant?, val expires: Instant?) : HistoryFact

    /** The credential opens nothing until it is revived. */
    public data object Suspended : HistoryFact

    /** The suspended credential lives again. */
    public data object Revived : HistoryFact

    /** The credential is dead. */
    public data object Voided : HistoryFact

    /** A mail server has taken a mail to the guest. */
    public data class GuestTold(val what: Told) : HistoryFact

    /** A mail to the guest is about to be sent; a quota may hold it back until then. */
    public data class MailQueued(val what: Told, val heldUntil: Instant?) : HistoryFact

    /** A mail to the guest was not taken: [trouble] is a stable code, [code] the mail server's answer. */
    public data class MailUndelivered(
        val what: Told,
        val how: Undelivered,
        val trouble: String,
        val code: Int?,
    ) : HistoryFact

    /** The visitor arrived. */
    public data object Arrived : HistoryFact

    /** The visitor left. */
    public data object Departed : HistoryFact

    /** Cancelled. */
    public data object Cancelled : HistoryFact

    /** Deleted unused. */
    public data object Deleted : HistoryFact

    /** Its time passed and nobody came. */
    public data object NoShow : HistoryFact

    /** Its time passed while it was pending, or it ran out. */
    public data object Expired : HistoryFact

    /** Something host and reception should look at, by a stable code. */
    public data class Alert(val code: String) : HistoryFact

    /** Something a later version of the app knows how to show. */
    public data class Later(val number: Long) : HistoryFact
}

/** What a guest was told. */
public enum class Told {
    /** The invitation. */
    INVITATION,

    /** That something changed. */
    CHANGE,

    /** That the visit is cancelled. */
    CANCELLATION,

    /** To an earlier address: that the invitation sent there has ended. */
    END,
}

/** What becomes of a mail that was not taken. */
public enum class Undelivered {
    /** It is late, and tried again. */
    DELAYED,

    /** A mail server refused it for good. */
    REFUSED,

    /** It was tried for days. */
    GIVEN_UP,

    /** It is not needed any more, and never left. */
    WITHDRAWN,
}

/**
 * Where the last mail to a guest is.
 *
 * @property what what it says.
 * @property state `waiting`, `held`, `handed_over`, `delayed`, `refused` or `given_up`.
 * @property trouble why it was not taken, by a stable code.
 * @property code the mail server's answer, where it gave one.
 * @property words a sentence in English: where it is, why, and what to do.
 */
public data class GuestMail(
    val what: Told,
    val state: String,
    val trouble: String?,
    val code: Int?,
    val words: String,
)
