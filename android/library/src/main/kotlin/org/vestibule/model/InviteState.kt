package org.vestibule.model

import org.vestibule.Field
import org.vestibule.FieldProblem
import org.vestibule.MemberView
import org.vestibule.SiteView
import org.vestibule.SpaceView
import org.vestibule.VestibuleException
import org.vestibule.VisitDraft
import org.vestibule.VisitId
import org.vestibule.VisitorTypeView

/** What the form is for. */
public sealed interface InviteTask {
    /** A new invitation (S1.6). */
    public data object New : InviteTask

    /** A visit is changed (S1.7). */
    public data class Edit(val visit: VisitId) : InviteTask

    /** The visitor of a visit that is over is invited again (S4.30). */
    public data class Again(val visit: VisitId) : InviteTask
}

/**
 * Everything the form “Invite a visitor” shows.
 *
 * @property draft the fields as typed.
 * @property task what the form is for.
 * @property problems every problem of the draft, in the order of the form; none means that it can be sent (S1.26).
 * @property touched the fields the person has changed, or all after an attempt to send.
 * @property sites the sites to choose from.
 * @property spaces the spaces of the chosen site.
 * @property visitorTypes the types to choose from.
 * @property hosts for whom this member may invite: themself first, then those they act for.
 * @property emailRequired whether the e-mail address is mandatory (S4.5).
 * @property ready whether the draft has been checked since it last changed.
 * @property sending the draft is being written.
 * @property sent the visit that was made or changed: the form can close.
 * @property failure why sending failed, where no field is at fault.
 */
public data class InviteState(
    val draft: VisitDraft = VisitDraft(),
    val task: InviteTask = InviteTask.New,
    val problems: List<FieldProblem> = emptyList(),
    val touched: Set<Field> = emptySet(),
    val sites: List<SiteView> = emptyList(),
    val spaces: List<SpaceView> = emptyList(),
    val visitorTypes: List<VisitorTypeView> = emptyList(),
    val hosts: List<MemberView> = emptyList(),
    val emailRequired: Boolean = true,
    val ready: Boolean = false,
    val sending: Boolean = false,
    val sent: VisitId? = null,
    val failure: VestibuleException? = null,
) {
    /** Whether the button that sends is enabled: every mandatory field is there and valid (S1.26). */
    public val canSend: Boolean get() = ready && problems.isEmpty() && !sending && sent == null

    /** The mandatory fields that are empty: what the form still asks for. */
    public val missing: List<Field>
        get() = problems.filter { it.code == FieldProblem.REQUIRED }.map { it.field }.distinct()

    /** The fields that hold something wrong. */
    public val wrong: List<Field>
        get() = problems.filter { it.code != FieldProblem.REQUIRED }.map { it.field }.distinct()

    /** The problem to show at a field: not before the person has been there. */
    public fun problemOf(field: Field): FieldProblem? = problems.firstOrNull { it.field == field && field in touched }
}
