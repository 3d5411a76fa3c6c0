package org.vestibule

import java.time.LocalDateTime

/**
 * The visitor form as a person filled it in, whole or not. An absent field and an empty one are the same.
 *
 * Times are those on the clocks of the site, to the minute; seconds are left away. With no [start] the visit is good at
 * any time the organisation's policy allows, with a [start] alone it is an arrival.
 *
 * @property firstName either name alone is a name (S1.11).
 * @property lastName either name alone is a name.
 * @property email required where the organisation mails PINs (S4.5).
 * @property company the visitor's company (S1.12).
 * @property phone the visitor's number.
 * @property pacsId the visitor's number in the physical access control system (S1.14).
 * @property site the site's id or name (S1.15).
 * @property space the space's id or name, within the site (S1.16).
 * @property visitorType the visitor type's id or name (S1.17).
 * @property host the host's name, e-mail address or member id; oneself where empty (S1.22, S1.23).
 * @property start when the visit begins.
 * @property end when it ends.
 * @property startSecondOccurrence whether [start] is the second of an hour that comes twice, when clocks are put back.
 * @property endSecondOccurrence whether [end] is the second of an hour that comes twice.
 * @property reason the reason of the visit.
 * @property message a message to the visitor, shown as the host's words (S4.12).
 * @property note an internal note, never for the visitor (S1.19).
 */
public data class VisitDraft(
    val firstName: String? = null,
    val lastName: String? = null,
    val email: String? = null,
    val company: String? = null,
    val phone: String? = null,
    val pacsId: String? = null,
    val site: String? = null,
    val space: String? = null,
    val visitorType: String? = null,
    val host: String? = null,
    val start: LocalDateTime? = null,
    val end: LocalDateTime? = null,
    val startSecondOccurrence: Boolean = false,
    val endSecondOccurrence: Boolean = false,
    val reason: String? = null,
    val message: String? = null,
    val note: String? = null,
) {
    internal fun texts(): List<Pair<Field, String>> = listOf(
        Field.FIRST_NAME to firstName,
        Field.LAST_NAME to lastName,
        Field.EMAIL to email,
        Field.COMPANY to company,
        Field.PHONE to phone,
        Field.PACS_ID to pacsId,
        Field.SITE to site,
        Field.SPACE to space,
        Field.VISITOR_TYPE to visitorType,
        Field.HOST to host,
        Field.REASON to reason,
        Field.MESSAGE to message,
        Field.NOTE to note,
    ).mapNotNull { (field, text) -> text?.let { field to it } }

    /** The same with every half of a character replaced, which is what can cross into Rust. */
    internal fun wellFormed(): VisitDraft = copy(
        firstName = firstName?.wellFormed(),
        lastName = lastName?.wellFormed(),
        email = email?.wellFormed(),
        company = company?.wellFormed(),
        phone = phone?.wellFormed(),
        pacsId = pacsId?.wellFormed(),
        site = site?.wellFormed(),
        space = space?.wellFormed(),
        visitorType = visitorType?.wellFormed(),
        host = host?.wellFormed(),
        reason = reason?.wellFormed(),
        message = message?.wellFormed(),
        note = note?.wellFormed(),
    )

    /** The fields with half of a character (a lone surrogate), which no other system could store. */
    internal fun brokenTexts(): List<FieldProblem> = texts().mapNotNull { (field, text) ->
        val place = text.firstLoneSurrogate() ?: return@mapNotNull null
        val message = "has half of a character at place ${place + 1}; remove it"
        FieldProblem(field, FieldProblem.FORBIDDEN_CHARACTER, message)
    }
}
