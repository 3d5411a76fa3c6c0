package org.vestibule.app

import androidx.compose.runtime.Immutable
import androidx.compose.runtime.staticCompositionLocalOf
import org.vestibule.VisitTime
import java.time.Clock
import java.time.Instant
import java.time.LocalDate
import java.time.LocalDateTime
import java.time.LocalTime
import java.time.format.DateTimeFormatter
import java.time.format.FormatStyle
import java.util.Locale

/**
 * How the screens speak: the words of a language, and its dates and times.
 *
 * @property strings the words.
 * @property locale the form of dates and times.
 * @property clock says what is today, in the zone of this phone.
 */
@Immutable
public class Wording(public val strings: Strings, public val locale: Locale, private val clock: Clock) {
    private val day = DateTimeFormatter.ofLocalizedDate(FormatStyle.FULL).withLocale(locale)
    private val shortDay = DateTimeFormatter.ofLocalizedDate(FormatStyle.MEDIUM).withLocale(locale)
    private val time = DateTimeFormatter.ofLocalizedTime(FormatStyle.SHORT).withLocale(locale)

    /** The header of a day. */
    public fun day(date: LocalDate): String = when (date) {
        today() -> strings.today
        today().plusDays(1) -> strings.tomorrow
        else -> day.format(date)
    }

    /** A day in a field. */
    public fun shortDay(date: LocalDate): String = shortDay.format(date)

    /** A time of day. */
    public fun time(at: LocalTime): String = time.format(at)

    /** A visit's time below the header of its day, on the clocks of its site. */
    public fun time(visit: VisitTime?): String {
        val start = visit?.localStart ?: return strings.anyTime
        val end = visit.localEnd ?: return time(start.toLocalTime())
        val last = if (end.toLocalDate() == start.toLocalDate()) time(end.toLocalTime()) else both(end)
        return "${time(start.toLocalTime())} – $last"
    }

    /** When something happened, on this phone's clock. */
    public fun moment(at: Instant): String {
        val local = LocalDateTime.ofInstant(at, clock.zone)
        return if (local.toLocalDate() == today()) time(local.toLocalTime()) else both(local)
    }

    /** Today, on this phone. */
    public fun today(): LocalDate = LocalDate.now(clock)

    private fun both(at: LocalDateTime) = "${shortDay.format(at)}, ${time(at.toLocalTime())}"

    /** The languages there are. */
    public companion object {
        /** The wording of a locale; English where its language is not there. */
        public fun of(locale: Locale = Locale.getDefault(), clock: Clock = Clock.systemDefaultZone()): Wording =
            Wording(if (locale.language == "de") German else English, locale, clock)
    }
}

internal val LocalWording = staticCompositionLocalOf { Wording.of() }
