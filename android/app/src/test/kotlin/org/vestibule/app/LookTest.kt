package org.vestibule.app

import androidx.compose.material3.ColorScheme
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.graphics.luminance
import org.jetbrains.skia.FontMgr
import org.jetbrains.skia.FontStyle
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.vestibule.Status

class LookTest {
    /** WCAG 2.2, 1.4.3: 4.5 to 1 for every text. */
    @Test
    fun `every text has contrast`() {
        fun check(what: String, ink: Color, ground: Color) =
            assertTrue(contrast(ink, ground) >= 4.5, "$what: ${contrast(ink, ground)}")
        for (status in Status.entries) {
            for (tone in listOf(StatusColors.Light[status], StatusColors.Dark[status])) check("$status", tone.ink, tone.ground)
        }
        for (scheme in listOf(Light, Dark)) for ((what, pair) in pairs(scheme)) check(what, pair.first, pair.second)
    }

    private fun pairs(it: ColorScheme) = mapOf(
        "title" to (it.onSurface to it.surface),
        "subtitle" to (it.onSurfaceVariant to it.surface),
        "card" to (it.onSurface to it.surfaceContainerLow),
        "card, second line" to (it.onSurfaceVariant to it.surfaceContainerLow),
        "search" to (it.onSurfaceVariant to it.surfaceContainerHigh),
        "count" to (it.onSurfaceVariant to it.surfaceContainerHighest),
        "button" to (it.onPrimary to it.primary),
        "section" to (it.primary to it.surfaceContainerLow),
        "banner" to (it.onSecondaryContainer to it.secondaryContainer),
        "banner's button" to (it.primary to it.secondaryContainer),
        "error" to (it.error to it.surfaceContainerLow),
        "avatar 1" to (it.onPrimaryContainer to it.primaryContainer),
        "avatar 2" to (it.onSecondaryContainer to it.secondaryContainer),
        "avatar 3" to (it.onTertiaryContainer to it.tertiaryContainer),
    )

    private fun contrast(a: Color, b: Color): Float {
        val (light, dark) = listOf(a.luminance(), b.luminance()).sortedDescending()
        return (light + 0.05f) / (dark + 0.05f)
    }

    /** The pictures are drawn with this machine's fonts: a script without one would be boxes. */
    @Test
    fun `every letter of the sample has a font`() {
        for (sample in Sample.all) {
            for (letter in (sample.name + sample.company).codePoints()) {
                val font = FontMgr.default.matchFamilyStyleCharacter(null, FontStyle.BOLD, null, letter)
                assertNotNull(font, "no font has ${Character.getName(letter)}")
            }
        }
    }

    @Test
    fun `initials are whole letters, and only where a script has them`() {
        val expected = mapOf(
            "Zoë Müller-Østergård" to "ZM",
            "Anne-Marie" to "A",
            "José María Ñáñez" to "JÑ",
            "Олександр Шевченко" to "ОШ",
            "美咲 佐藤" to "美",
            "أحمد الهاشمي" to "أ",
            "তানভীর রহমান" to "তা",
            "Ana 🌻 Silva" to "AS",
            "🌻" to "",
            "  " to "",
        )
        assertEquals(expected, expected.keys.associateWith(::initials))
    }
}
