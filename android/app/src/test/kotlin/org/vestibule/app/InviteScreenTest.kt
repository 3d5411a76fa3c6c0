package org.vestibule.app

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.vestibule.Field
import org.vestibule.FieldProblem
import org.vestibule.SiteId
import org.vestibule.SiteView
import org.vestibule.SpaceId
import org.vestibule.SpaceView
import org.vestibule.VestibuleException
import org.vestibule.VisitDraft
import org.vestibule.VisitId
import org.vestibule.VisitorTypeId
import org.vestibule.VisitorTypeView
import org.vestibule.model.InviteState
import org.vestibule.model.InviteTask
import java.time.LocalDate
import java.time.LocalDateTime
import java.time.LocalTime
import java.util.Locale

/** S1.11, S1.26: what the form shows of its state. */
class InviteScreenTest {
    private val filled = InviteState(
        draft = VisitDraft(
            firstName = "美咲",
            lastName = "佐藤",
            email = "misaki.sato@visitors.test",
            site = "zrh",
            visitorType = "contractor",
            start = LocalDateTime.of(2027, 2, 11, 13, 30),
            end = LocalDateTime.of(2027, 2, 11, 15, 0),
        ),
        sites = listOf(SiteView(SiteId("zrh"), "Zürich", null, "", LocalTime.of(7, 0), LocalTime.of(19, 0))),
        spaces = listOf(SpaceView(SpaceId("zrh-room-1"), SiteId("zrh"), "Room Limmat")),
        visitorTypes = listOf(
            VisitorTypeView(VisitorTypeId("guest"), "Guest", false),
            VisitorTypeView(VisitorTypeId("contractor"), "Contractor", true),
        ),
        ready = true,
    )

    @Test
    fun `a form without a problem can be sent`() {
        val actions = Recorded()
        Scene(height = 1_400) { InviteScreen(filled, actions) }.use { scene ->
            val day = Wording.of(Locale.UK).shortDay(LocalDate.of(2027, 2, 11))
            val hints = listOf(English.approvalHint, English.noteHint)
            for (text in listOf("美咲", "佐藤", day, "13:30", "15:00", "Zürich") + hints) scene.await(text)
            scene.touch("Invite")
            scene.touch("Close")
            scene.checkTouch()
        }
        assertEquals(listOf("send", "close"), actions.done)
    }

    @Test
    fun `what is missing is said, and nothing can be sent`() {
        val problems = listOf(
            FieldProblem(Field.NAME, "required", "Fill this in."),
            FieldProblem(Field.EMAIL, "required", "Fill this in."),
            FieldProblem(Field.COMPANY, "too_long", "Shorten this to 200 characters; it has 300."),
        )
        val state = filled.copy(draft = VisitDraft(company = "x"), problems = problems, touched = setOf(Field.COMPANY))
        Scene(height = 1_400) { InviteScreen(state, Recorded()) }.use { scene ->
            scene.await("Still missing: Name, E-mail")
            scene.await("Shorten this to 200 characters; it has 300.")
            scene.await(English.anyTimeHint)
            assertFalse(scene.nodes().any { "Please fill this in" in it.words() }, "nobody has been there yet")
            assertFalse(scene.await("a button") { nodes -> nodes.firstOrNull { it.words() == "Invite" } }.isEnabled())
        }
        Scene(height = 1_400) { InviteScreen(state.copy(touched = Field.entries.toSet()), Recorded()) }.use { scene ->
            scene.await("Please give a name")
            scene.await("Please fill this in")
        }
        val wrong = filled.copy(problems = problems.takeLast(1))
        Scene { InviteScreen(wrong, Recorded()) }.use { it.await("Please correct: Company") }
        val failed = filled.copy(failure = VestibuleException.Refused("over", "the visit is over; invite again instead"))
        Scene { InviteScreen(failed, Recorded()) }.use { it.await("The visit is over; invite again instead.") }
    }

    @Test
    fun `every field changes the draft`() {
        val actions = Recorded()
        Scene(height = 1_600) { InviteScreen(filled, actions) }.use { scene ->
            val typed = mapOf(
                Field.FIRST_NAME to "First name",
                Field.LAST_NAME to "Last name",
                Field.EMAIL to "E-mail",
                Field.COMPANY to "Company",
                Field.PHONE to "Phone",
                Field.MESSAGE to "Message to the visitor",
                Field.NOTE to "Internal note",
            )
            for ((field, label) in typed) {
                scene.type(label, "new ${field.name}")
                val draft = actions.changes.getValue(field)
                assertTrue("new ${field.name}" in draft.toString(), "$draft")
            }
            scene.touch("Guest")
            assertEquals("guest", actions.changes.getValue(Field.VISITOR_TYPE).visitorType)
            scene.touch("Contractor")
            assertEquals(null, actions.changes.getValue(Field.VISITOR_TYPE).visitorType)

            scene.touch("Day")
            scene.touch("OK")
            assertEquals(filled.draft, actions.changes.getValue(Field.START))
            scene.touch("Until")
            scene.touch("OK")
            assertEquals(filled.draft.end, actions.changes.getValue(Field.END).end)
        }
    }

    @Test
    fun `an edit is named so, and has no note`() {
        Scene(height = 1_400) { InviteScreen(filled.copy(task = InviteTask.Edit(VisitId("1"))), Recorded()) }.use { scene ->
            scene.await("Edit the visit")
            scene.await("Save")
            assertFalse(scene.nodes().any { "Internal note" in it.words() })
        }
    }

    private class Recorded : InviteActions {
        val done = mutableListOf<String>()
        val changes = mutableMapOf<Field, VisitDraft>()

        override fun change(field: Field, draft: VisitDraft) {
            changes[field] = draft
        }

        override fun send() {
            done += "send"
        }

        override fun close() {
            done += "close"
        }
    }
}
