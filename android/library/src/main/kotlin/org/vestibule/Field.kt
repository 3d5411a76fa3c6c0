package org.vestibule

/** A field of the visitor form, in its order. */
public enum class Field {
    /** Neither a first nor a last name is given. */
    NAME,

    /** [VisitDraft.firstName]. */
    FIRST_NAME,

    /** [VisitDraft.lastName]. */
    LAST_NAME,

    /** [VisitDraft.email]. */
    EMAIL,

    /** [VisitDraft.company]. */
    COMPANY,

    /** [VisitDraft.phone]. */
    PHONE,

    /** [VisitDraft.pacsId]. */
    PACS_ID,

    /** [VisitDraft.site]. */
    SITE,

    /** [VisitDraft.space]. */
    SPACE,

    /** [VisitDraft.visitorType]. */
    VISITOR_TYPE,

    /** [VisitDraft.host]. */
    HOST,

    /** [VisitDraft.start], its day included. */
    START,

    /** [VisitDraft.end]. */
    END,

    /** [VisitDraft.reason]. */
    REASON,

    /** [VisitDraft.message]. */
    MESSAGE,

    /** [VisitDraft.note]. */
    NOTE,
}

/**
 * One problem of one field.
 *
 * @property field the field at fault.
 * @property code stable, for programs and translations: `required`, `too_long`, `malformed`, `unknown`, `past`, ….
 * @property message completes “The field …”, in plain English; it holds no personal data.
 */
public data class FieldProblem(val field: Field, val code: String, val message: String) {
    internal val text: String
        get() = "${this.field.name.lowercase().replace('_', ' ')} $message"

    /** Codes that a form treats apart. */
    public companion object {
        /** The field is mandatory and empty. */
        public const val REQUIRED: String = "required"

        /** The text holds a control or direction character, or half of a character. */
        public const val FORBIDDEN_CHARACTER: String = "forbidden_character"
    }
}
