package org.vestibule.app

import org.vestibule.Status
import org.vestibule.VisitDraft
import org.vestibule.VisitId
import org.vestibule.VisitSummary
import org.vestibule.VisitTime
import java.io.File
import java.time.LocalDate
import java.time.LocalDateTime
import java.time.ZoneId

/** A line of `samples/visitors.csv`: names and companies in many scripts. */
data class Sample(
    val first: String,
    val last: String,
    val email: String,
    val company: String,
    val site: String,
    val type: String,
    val message: String,
) {
    /** As it is shown: in Han and hangul the family name comes first. */
    val name = if ((first + last).codePoints().allMatch { it >= 0x2E80 }) {
        last + first
    } else {
        listOf(first, last).filter { it.isNotEmpty() }.joinToString(" ")
    }

    fun draft(start: LocalDateTime, hours: Long) = VisitDraft(
        firstName = first,
        lastName = last,
        email = email,
        company = company,
        site = site,
        visitorType = type,
        message = message,
        start = start,
        end = start.plusHours(hours).plusMinutes(30),
    )

    companion object {
        /** Those that can be invited. */
        val all: List<Sample> by lazy {
            val lines = File(System.getProperty("vestibule.repository"), "samples/visitors.csv").readLines()
            val column = lines.first().split(',').withIndex().associate { it.value to it.index }
            lines.drop(1).map { it.split(',') }.map { cells ->
                fun cell(name: String) = cells[column.getValue(name)]
                Sample(
                    first = cell("Visitor_First_Name"),
                    last = cell("Visitor_Last_Name"),
                    email = cell("Visitor_Email"),
                    company = cell("Visitor_Company"),
                    site = cell("Node_Id"),
                    type = cell("Visitor_Type"),
                    message = cell("Message"),
                )
            }.filterNot { it.last == "Wrong-Address" || it.last == "Backwards" }
        }
    }
}

/** A row as the library gives it. */
fun row(
    name: String,
    status: Status = Status.UPCOMING,
    day: LocalDate? = LocalDate.of(2027, 2, 10),
    queued: Boolean = false,
) = VisitSummary(
    id = VisitId("$name $status $day"),
    number = null,
    name = name,
    company = "Nordwind GmbH",
    email = null,
    site = null,
    siteName = "Zürich",
    host = null,
    hostName = null,
    time = day?.let { VisitTime(null, null, it.atTime(9, 0), it.atTime(11, 30), ZoneId.of("Europe/Zurich")) },
    overAt = null,
    status = status,
    queued = queued,
    conflict = queued,
    problem = null,
)
