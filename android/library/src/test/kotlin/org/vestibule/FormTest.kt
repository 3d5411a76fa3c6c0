package org.vestibule

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.vestibule.fixture.draft
import org.vestibule.fixture.onPhone
import java.time.LocalDate
import java.time.LocalDateTime

/** S1.26: a bad draft gives each problem with its field. */
class FormTest {
    @Test
    fun `every problem is told with its field and nothing is stored`() = onPhone { hub, phone ->
        phone.signIn(hub).use { host ->
            host.sync.run()
            val bad = VisitDraft(
                email = "marta-at-nowhere",
                site = "atlantis",
                visitorType = "spy",
                host = "nobody",
                company = "x".repeat(1_000),
                start = LocalDateTime.of(2020, 1, 2, 15, 0),
                end = LocalDateTime.of(2020, 1, 2, 14, 0),
                note = "a\u0007b",
            )
            val problems = host.visits.validate(bad)
            val expected = mapOf(
                Field.NAME to "required",
                Field.EMAIL to "malformed",
                Field.COMPANY to "too_long",
                Field.SITE to "unknown",
                Field.VISITOR_TYPE to "unknown",
                Field.HOST to "unknown",
                Field.NOTE to "forbidden_character",
            )
            assertEquals(expected, problems.associate { it.field to it.code }.filterKeys { it in expected })
            assertEquals(problems.sortedBy { it.field }, problems, "in the order of the form")

            val error = failure<VestibuleException.BadDraft> { host.visits.create(bad) }
            assertEquals(problems, error.problems)
            assertTrue("marta" !in error.message.orEmpty(), "no personal data")
            assertEquals(0, host.visits.list().items.size)
        }
    }

    /** Times: the end before the start, a time there is not, and one there is twice. */
    @Test
    fun `times are those on the clocks of the site`() = onPhone { hub, phone ->
        phone.signIn(hub).use { host ->
            host.sync.run()
            val year = LocalDate.now().year + 1
            val forward = lastSunday(year, 3).atTime(2, 30)
            val back = lastSunday(year, 10).atTime(2, 30)
            suspend fun codes(start: LocalDateTime, end: LocalDateTime) =
                host.visits.validate(draft().copy(start = start, end = end)).map { it.field to it.code }

            assertEquals(listOf(Field.END to "end_before_start"), codes(forward.plusDays(1), forward.plusDays(1)))
            assertEquals(listOf(Field.START to "no_such_time"), codes(forward, forward.plusHours(4)))

            val twice = draft().copy(start = back, end = back.plusHours(3))
            val first = host.visits.create(twice)
            val second = host.visits.create(twice.copy(startSecondOccurrence = true))
            val starts = listOf(first, second).map { host.visits.show(it).time?.start!! }
            assertEquals(starts[0].plusSeconds(3600), starts[1])
            assertTrue(host.visits.form(second).startSecondOccurrence)
        }
    }

    /** An edit keeps what it does not name, and a draft that is wrong changes nothing. */
    @Test
    fun `an edit is checked like an invitation`() = onPhone { hub, phone ->
        phone.signIn(hub).use { host ->
            host.sync.run()
            val visit = host.visits.create(draft())
            val form = host.visits.form(visit)
            val wrong = form.copy(email = "nowhere")
            assertEquals(listOf(Field.EMAIL), host.visits.validateEdit(visit, wrong).map { it.field })
            failure<VestibuleException.BadDraft> { host.visits.edit(visit, wrong) }
            assertEquals(form, host.visits.form(visit))
            assertEquals(emptyList<FieldProblem>(), host.visits.validateEdit(visit, form))
        }
    }

    private fun lastSunday(year: Int, month: Int): LocalDate =
        LocalDate.of(year, month, 31).let { it.minusDays((it.dayOfWeek.value % 7).toLong()) }
}
