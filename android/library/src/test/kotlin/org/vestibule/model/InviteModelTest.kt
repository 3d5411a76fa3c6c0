package org.vestibule.model

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.first
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.vestibule.Field
import org.vestibule.Status
import org.vestibule.VestibuleException
import org.vestibule.VisitDraft
import org.vestibule.fixture.DAY
import org.vestibule.fixture.draft
import org.vestibule.fixture.onPhone

/** The form as a screen shows it. */
class InviteModelTest {
    /** S1.20, S1.23, S1.26: the form is filled in, knows what is missing, and enables its button when nothing is. */
    @Test
    fun `the form knows what is missing`() = onPhone { hub, phone ->
        phone.signIn(hub).use { host ->
            host.sync.run()
            val scope = CoroutineScope(Dispatchers.Default)
            val model = InviteModel(host, scope)
            val empty = model.state.first { it.ready }
            assertEquals("zrh", empty.draft.site)
            assertEquals("ada", empty.draft.host)
            assertEquals(listOf("Reception Zürich", "Room Limmat"), empty.spaces.map { it.name })
            assertEquals(4, empty.visitorTypes.size)
            assertEquals(listOf(Field.NAME, Field.EMAIL), empty.missing)
            assertFalse(empty.canSend)
            assertNull(empty.problemOf(Field.NAME), "nobody has been there yet")

            model.change(Field.FIRST_NAME, empty.draft.copy(firstName = "Zoë", email = "zoe@"))
            val half = model.state.first { it.ready && it.draft.firstName == "Zoë" && it.missing.isEmpty() }
            assertNull(half.problemOf(Field.EMAIL))
            model.change(Field.EMAIL, half.draft.copy(email = "zoe@example"))
            val wrong = model.state.first { it.ready && it.problemOf(Field.EMAIL) != null }
            assertEquals("malformed", wrong.problemOf(Field.EMAIL)?.code)
            assertEquals(listOf(Field.EMAIL), wrong.wrong)

            val (start, end) = DAY.atTime(9, 0) to DAY.atTime(10, 0)
            model.change(Field.EMAIL, half.draft.copy(email = "zoe@example.org", start = start, end = end))
            val whole = model.state.first { it.canSend }
            assertEquals(emptyList<Any>(), whole.problems)
            model.send()
            model.send()
            val sent = model.state.first { it.sent != null && !it.sending }
            assertEquals(Status.QUEUED, host.visits.show(sent.sent!!).status)
            assertFalse(sent.canSend)
            assertEquals(1, host.visits.list().items.size, "sent once")
            scope.cancel()
        }
    }

    @Test
    fun `a form sent too early shows every problem`() = onPhone { hub, phone ->
        phone.signIn(hub).use { host ->
            host.sync.run()
            val scope = CoroutineScope(Dispatchers.Default)
            val model = InviteModel(host, scope)
            model.state.first { it.ready }
            model.send()
            val shown = model.state.first { it.problemOf(Field.NAME) != null && !it.sending }
            assertNotNull(shown.problemOf(Field.EMAIL))
            assertNull(shown.sent)
            // The spaces are those of the chosen site.
            model.change(Field.SITE, shown.draft.copy(site = "nyc"))
            val inNewYork = model.state.first { it.ready && it.draft.site == "nyc" }
            assertEquals(listOf("Reception New York", "Room Hudson"), inNewYork.spaces.map { it.name })
            scope.cancel()
        }
    }

    /** S1.7, S4.28, S4.30: the form is filled from the visit. */
    @Test
    fun `a visit is edited, and invited again when it is over`() = onPhone { hub, phone ->
        phone.signIn(hub).use { host ->
            host.sync.run()
            val visit = host.visits.create(draft())
            val scope = CoroutineScope(Dispatchers.Default)
            val edit = InviteModel(host, scope, InviteTask.Edit(visit))
            val form = edit.state.first { it.ready && it.draft.firstName == "Zoë" }.draft
            edit.change(Field.COMPANY, form.copy(company = "Nordwind AG"))
            edit.state.first { it.canSend && it.draft.company == "Nordwind AG" }
            edit.send()
            assertEquals(visit, edit.state.first { it.sent != null }.sent)
            assertEquals("Nordwind AG", host.visits.show(visit).company)

            host.sync.run()
            host.visits.cancel(visit)
            val again = InviteModel(host, scope, InviteTask.Again(visit))
            val old = again.state.first { it.canSend && it.draft.firstName == "Zoë" }.draft
            assertNull(old.start)
            again.send()
            val new = again.state.first { it.sent != null }.sent!!
            assertEquals(visit, host.visits.show(new).previous)

            host.close()
            val closed = InviteModel(host, scope)
            assertTrue(closed.state.first { it.failure != null }.failure is VestibuleException.Closed)
            closed.change(Field.NOTE, VisitDraft(note = "\uD83D"))
            closed.send()
            closed.state.first { !it.sending && it.failure is VestibuleException.Closed }
            scope.cancel()
        }
    }
}
