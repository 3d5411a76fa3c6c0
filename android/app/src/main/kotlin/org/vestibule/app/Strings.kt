package org.vestibule.app

import org.vestibule.Field
import org.vestibule.FieldProblem
import org.vestibule.Status
import org.vestibule.Tab
import org.vestibule.VestibuleException

/** Every word the screens say. A language is one object; what is missing in it does not compile. */
@Suppress("TooManyFunctions")
public interface Strings {
    /** The list's title. */
    public val myVisitors: String

    /** The hint in the search field. */
    public val search: String

    /** Clears the search. */
    public val clear: String

    /** Exchanges with the hub now. */
    public val syncNow: String

    /** Sends what waits. */
    public val sendNow: String

    /** The button that opens the form, and the one that sends it. */
    public val invite: String

    /** The form's title. */
    public val inviteVisitor: String

    /** The form's title for a visit that is there. */
    public val editVisit: String

    /** The button that saves an edit. */
    public val save: String

    /** Leaves the form. */
    public val close: String

    /** A visit without a schedule. */
    public val anyTime: String

    /** The header above visits without a schedule. */
    public val unscheduled: String

    /** The day headers. */
    public val today: String

    /** The day headers. */
    public val tomorrow: String

    /** Beside the status of a visit with an edit that is not sent. */
    public val changeNotSent: String

    /** Beside a visit that was changed by somebody else first. */
    public val changedElsewhere: String

    /** Loads the next rows. */
    public val more: String

    /** Above what a search has found. */
    public val inAllTabs: String

    /** Nothing was found. */
    public val nothingFound: String

    /** A field of the form nobody has to fill in. */
    public val optional: String

    /** A choice that is empty. */
    public val choose: String

    /** A choice that is left empty. */
    public val none: String

    /** The form's sections. */
    public val visitor: String

    /** The form's sections. */
    public val whenTitle: String

    /** The form's sections. */
    public val whereTitle: String

    /** The form's sections. */
    public val wordsTitle: String

    /** Below the message to the visitor. */
    public val messageHint: String

    /** Below the internal note. */
    public val noteHint: String

    /** Below the times when they are empty. */
    public val anyTimeHint: String

    /** Below a visitor type that needs an approval. */
    public val approvalHint: String

    /** The day of the visit. */
    public val day: String

    /** Closes a picker. */
    public val ok: String

    /** Leaves a picker as it was. */
    public val cancel: String

    /** After an invitation was kept (S4.13). */
    public val kept: String

    /** After an edit was kept. */
    public val keptEdit: String

    /** How long ago everything was exchanged. */
    public fun syncedAt(time: String): String

    /** A sync runs. */
    public fun syncing(done: Long, all: Long): String

    /** So many wait on this phone. */
    public fun waiting(count: Long): String

    /** What an open tab without visits says: a title, and what to do. */
    public fun empty(tab: Tab): Pair<String, String>

    /** A tab's name. */
    public fun tab(tab: Tab): String

    /** A tab's name with its count, for a screen reader. */
    public fun tabWithCount(tab: Tab, count: Long): String

    /** A status. */
    public fun status(status: Status): String

    /** A field's label. */
    public fun field(field: Field): String

    /** A problem of a field, as a sentence. */
    public fun problem(problem: FieldProblem): String

    /** What the form still asks for. */
    public fun missing(fields: String): String

    /** What the form asks to have changed. */
    public fun toCorrect(fields: String): String

    /** Why something failed. */
    public fun error(error: VestibuleException): String
}

/** English. */
public object English : Strings {
    override val myVisitors: String = "My visitors"
    override val search: String = "Search visitors"
    override val clear: String = "Clear"
    override val syncNow: String = "Sync now"
    override val sendNow: String = "Send now"
    override val invite: String = "Invite"
    override val inviteVisitor: String = "Invite a visitor"
    override val editVisit: String = "Edit the visit"
    override val save: String = "Save"
    override val close: String = "Close"
    override val anyTime: String = "Any time"
    override val unscheduled: String = "Any day"
    override val today: String = "Today"
    override val tomorrow: String = "Tomorrow"
    override val changeNotSent: String = "Change not sent yet"
    override val changedElsewhere: String = "Changed elsewhere: please choose"
    override val more: String = "Show more"
    override val inAllTabs: String = "Found in all lists"
    override val nothingFound: String = "Nobody found"
    override val optional: String = "optional"
    override val choose: String = "Choose"
    override val none: String = "None"
    override val visitor: String = "Visitor"
    override val whenTitle: String = "When"
    override val whereTitle: String = "Where"
    override val wordsTitle: String = "Words"
    override val messageHint: String = "The visitor reads this in the invitation."
    override val noteHint: String = "Internal: the visitor never sees this."
    override val anyTimeHint: String = "Left empty, the visitor may come at any time the site is open."
    override val approvalHint: String = "This type is approved first; the visitor hears nothing before."
    override val day: String = "Day"
    override val ok: String = "OK"
    override val cancel: String = "Cancel"
    override val kept: String = "Safe on this phone. It is sent as soon as there is a network."
    override val keptEdit: String = "The change is safe on this phone."

    override fun syncedAt(time: String): String = "Synced $time"

    override fun syncing(done: Long, all: Long): String = if (all > 0) "Syncing, $done of $all" else "Syncing"

    override fun waiting(count: Long): String =
        if (count == 1L) "1 invitation waits safely on this phone" else "$count invitations wait safely on this phone"

    override fun empty(tab: Tab): Pair<String, String> = when (tab) {
        Tab.UPCOMING -> "Nobody is coming yet" to "Invite a visitor: it works without a network too."
        Tab.PENDING -> "Nothing waits for approval" to "Visits that somebody has to approve are shown here."
        Tab.QUEUED -> "Everything is sent" to "What waits for a network is shown here."
        Tab.ON_SITE -> "Nobody is in the building" to "Your visitors appear here when they arrive."
        Tab.PAST -> "Nothing is over yet" to "From here you can invite a visitor again."
    }

    override fun tab(tab: Tab): String = when (tab) {
        Tab.UPCOMING -> "Upcoming"
        Tab.PENDING -> "Pending"
        Tab.QUEUED -> "Queued"
        Tab.ON_SITE -> "On site"
        Tab.PAST -> "Past"
    }

    override fun tabWithCount(tab: Tab, count: Long): String = "${tab(tab)}, $count"

    override fun status(status: Status): String = when (status) {
        Status.QUEUED -> "Queued"
        Status.PENDING -> "Pending"
        Status.UPCOMING -> "Invited"
        Status.ON_SITE -> "On site"
        Status.DEPARTED -> "Left"
        Status.REJECTED -> "Rejected"
        Status.REFUSED -> "Refused"
        Status.CANCELLED -> "Cancelled"
        Status.NO_SHOW -> "No show"
        Status.EXPIRED -> "Expired"
        Status.AWAITING_HOST -> "At the door"
    }

    override fun field(field: Field): String = when (field) {
        Field.NAME -> "Name"
        Field.FIRST_NAME -> "First name"
        Field.LAST_NAME -> "Last name"
        Field.EMAIL -> "E-mail"
        Field.COMPANY -> "Company"
        Field.PHONE -> "Phone"
        Field.PACS_ID -> "Access control number"
        Field.SITE -> "Site"
        Field.SPACE -> "Arrival place"
        Field.VISITOR_TYPE -> "Type of visitor"
        Field.HOST -> "Host"
        Field.START -> "From"
        Field.END -> "Until"
        Field.REASON -> "Reason"
        Field.MESSAGE -> "Message to the visitor"
        Field.NOTE -> "Internal note"
    }

    override fun problem(problem: FieldProblem): String = when (problem.code) {
        "required" -> if (problem.field == Field.NAME) "Please give a name" else "Please fill this in"
        else -> problem.message
    }

    override fun missing(fields: String): String = "Still missing: $fields"

    override fun toCorrect(fields: String): String = "Please correct: $fields"

    override fun error(error: VestibuleException): String = when (error) {
        is VestibuleException.Unreachable -> "No network, or the hub does not answer."
        else -> error.message.orEmpty()
    }
}

/** German. */
public object German : Strings {
    override val myVisitors: String = "Mein Besuch"
    override val search: String = "Besuch suchen"
    override val clear: String = "Leeren"
    override val syncNow: String = "Jetzt abgleichen"
    override val sendNow: String = "Jetzt senden"
    override val invite: String = "Einladen"
    override val inviteVisitor: String = "Besuch einladen"
    override val editVisit: String = "Besuch ändern"
    override val save: String = "Speichern"
    override val close: String = "Schliessen"
    override val anyTime: String = "Jederzeit"
    override val unscheduled: String = "Ohne Termin"
    override val today: String = "Heute"
    override val tomorrow: String = "Morgen"
    override val changeNotSent: String = "Änderung noch nicht gesendet"
    override val changedElsewhere: String = "Anderswo geändert: bitte wählen"
    override val more: String = "Mehr zeigen"
    override val inAllTabs: String = "In allen Listen gefunden"
    override val nothingFound: String = "Niemand gefunden"
    override val optional: String = "freiwillig"
    override val choose: String = "Wählen"
    override val none: String = "Keine Angabe"
    override val visitor: String = "Besuch"
    override val whenTitle: String = "Wann"
    override val whereTitle: String = "Wo"
    override val wordsTitle: String = "Worte"
    override val messageHint: String = "Das liest der Besuch in der Einladung."
    override val noteHint: String = "Intern: der Besuch sieht das nie."
    override val anyTimeHint: String = "Ohne Angabe kommt der Besuch, wann der Standort offen ist."
    override val approvalHint: String = "Diese Art wird zuerst freigegeben; vorher erfährt der Besuch nichts."
    override val day: String = "Tag"
    override val ok: String = "OK"
    override val cancel: String = "Abbrechen"
    override val kept: String = "Auf diesem Telefon gesichert. Gesendet wird, sobald ein Netz da ist."
    override val keptEdit: String = "Die Änderung ist auf diesem Telefon gesichert."

    override fun syncedAt(time: String): String = "Abgeglichen $time"

    override fun syncing(done: Long, all: Long): String =
        if (all > 0) "Abgleich läuft, $done von $all" else "Abgleich läuft"

    override fun waiting(count: Long): String =
        "${if (count == 1L) "1 Einladung wartet" else "$count Einladungen warten"} sicher auf diesem Telefon"

    override fun empty(tab: Tab): Pair<String, String> = when (tab) {
        Tab.UPCOMING -> "Noch kommt niemand" to "Laden Sie jemanden ein: das geht auch ohne Netz."
        Tab.PENDING -> "Nichts wartet auf Freigabe" to "Hier steht, was jemand freigeben muss."
        Tab.QUEUED -> "Alles ist gesendet" to "Hier steht, was auf ein Netz wartet."
        Tab.ON_SITE -> "Niemand ist im Haus" to "Hier erscheint Ihr Besuch, wenn er da ist."
        Tab.PAST -> "Noch ist nichts vorbei" to "Von hier laden Sie jemanden wieder ein."
    }

    override fun tab(tab: Tab): String = when (tab) {
        Tab.UPCOMING -> "Erwartet"
        Tab.PENDING -> "In Prüfung"
        Tab.QUEUED -> "Wartend"
        Tab.ON_SITE -> "Im Haus"
        Tab.PAST -> "Vorbei"
    }

    override fun tabWithCount(tab: Tab, count: Long): String = "${tab(tab)}, $count"

    override fun status(status: Status): String = when (status) {
        Status.QUEUED -> "Wartend"
        Status.PENDING -> "In Prüfung"
        Status.UPCOMING -> "Eingeladen"
        Status.ON_SITE -> "Im Haus"
        Status.DEPARTED -> "Gegangen"
        Status.REJECTED -> "Abgelehnt"
        Status.REFUSED -> "Zurück"
        Status.CANCELLED -> "Abgesagt"
        Status.NO_SHOW -> "Nicht gekommen"
        Status.EXPIRED -> "Abgelaufen"
        Status.AWAITING_HOST -> "An der Tür"
    }

    override fun field(field: Field): String = when (field) {
        Field.NAME -> "Name"
        Field.FIRST_NAME -> "Vorname"
        Field.LAST_NAME -> "Nachname"
        Field.EMAIL -> "E-Mail"
        Field.COMPANY -> "Firma"
        Field.PHONE -> "Telefon"
        Field.PACS_ID -> "Nummer der Zutrittskontrolle"
        Field.SITE -> "Standort"
        Field.SPACE -> "Ankunftsort"
        Field.VISITOR_TYPE -> "Art des Besuchs"
        Field.HOST -> "Gastgeber"
        Field.START -> "Von"
        Field.END -> "Bis"
        Field.REASON -> "Grund"
        Field.MESSAGE -> "Nachricht an den Besuch"
        Field.NOTE -> "Interne Notiz"
    }

    override fun problem(problem: FieldProblem): String = when (problem.code) {
        "required" -> if (problem.field == Field.NAME) "Bitte einen Namen angeben" else "Bitte ausfüllen"
        "too_long" -> "Ist zu lang"
        "forbidden_character" -> "Enthält ein unerlaubtes Zeichen"
        "malformed" -> "Hat nicht die richtige Form"
        "unknown" -> "Ist nicht bekannt"
        "ambiguous" -> "Ist mehrdeutig"
        "wrong_site" -> "Gehört zu einem anderen Standort"
        "not_permitted" -> "Ist Ihnen nicht erlaubt"
        "no_such_time" -> "Diese Zeit gibt es an dem Tag nicht"
        "end_before_start" -> "Muss nach dem Beginn sein"
        "visit_too_long" -> "Der Besuch ist zu lang"
        "past" -> "Ist schon vorbei"
        else -> problem.message
    }

    override fun missing(fields: String): String = "Es fehlt noch: $fields"

    override fun toCorrect(fields: String): String = "Bitte berichtigen: $fields"

    override fun error(error: VestibuleException): String = when (error) {
        is VestibuleException.Unreachable -> "Kein Netz, oder der Hub antwortet nicht."
        is VestibuleException.Later -> "Der Hub nimmt im Moment nichts an. Alles bleibt hier und wird später gesendet."
        is VestibuleException.SignInAgain, is VestibuleException.NotSignedIn ->
            "Bitte melden Sie sich an. Nichts geht verloren."
        is VestibuleException.UpdateApp -> "Bitte aktualisieren Sie die App."
        else -> error.message.orEmpty()
    }
}
