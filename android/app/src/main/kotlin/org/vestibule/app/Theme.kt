package org.vestibule.app

import androidx.compose.foundation.isSystemInDarkTheme
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.material3.ColorScheme
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Shapes
import androidx.compose.material3.darkColorScheme
import androidx.compose.material3.lightColorScheme
import androidx.compose.runtime.Composable
import androidx.compose.runtime.CompositionLocalProvider
import androidx.compose.runtime.Immutable
import androidx.compose.runtime.staticCompositionLocalOf
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.unit.dp
import org.vestibule.Status

/** Material 3 in Vestibule's blue, light or dark. Every text has a contrast of 4.5 to 1 or more (WCAG 2.2, 1.4.3). */
@Composable
public fun VestibuleTheme(
    dark: Boolean = isSystemInDarkTheme(),
    wording: Wording = Wording.of(),
    content: @Composable () -> Unit,
) {
    CompositionLocalProvider(
        LocalWording provides wording,
        LocalStatusColors provides if (dark) StatusColors.Dark else StatusColors.Light,
    ) {
        MaterialTheme(if (dark) Dark else Light, shapes = Rounded, content = content)
    }
}

private val Rounded = Shapes(
    small = RoundedCornerShape(10.dp),
    medium = RoundedCornerShape(16.dp),
    large = RoundedCornerShape(20.dp),
)

internal val Light: ColorScheme = lightColorScheme(
    primary = Color(0xFF1F4FA3),
    onPrimary = Color.White,
    primaryContainer = Color(0xFFDCE7FF),
    onPrimaryContainer = Color(0xFF0B2D66),
    inversePrimary = Color(0xFFAFC8FF),
    secondary = Color(0xFF50607A),
    onSecondary = Color.White,
    secondaryContainer = Color(0xFFDDE6F5),
    onSecondaryContainer = Color(0xFF26364F),
    tertiary = Color(0xFF6A4C93),
    onTertiary = Color.White,
    tertiaryContainer = Color(0xFFF0E3FF),
    onTertiaryContainer = Color(0xFF41246B),
    background = Color(0xFFF4F6FB),
    onBackground = Color(0xFF151B26),
    surface = Color(0xFFF4F6FB),
    onSurface = Color(0xFF151B26),
    surfaceVariant = Color(0xFFE3E8F1),
    onSurfaceVariant = Color(0xFF485468),
    surfaceContainerLowest = Color.White,
    surfaceContainerLow = Color.White,
    surfaceContainer = Color(0xFFEBEFF7),
    surfaceContainerHigh = Color(0xFFE5EAF3),
    surfaceContainerHighest = Color(0xFFDFE5EF),
    outline = Color(0xFF6F7B8F),
    outlineVariant = Color(0xFFD3DAE6),
    error = Color(0xFFB3261E),
    onError = Color.White,
    errorContainer = Color(0xFFFFE1DE),
    onErrorContainer = Color(0xFF7A130C),
)

internal val Dark: ColorScheme = darkColorScheme(
    primary = Color(0xFFAFC8FF),
    onPrimary = Color(0xFF0A2B63),
    primaryContainer = Color(0xFF1E4488),
    onPrimaryContainer = Color(0xFFDCE7FF),
    inversePrimary = Color(0xFF1F4FA3),
    secondary = Color(0xFFBAC8DF),
    onSecondary = Color(0xFF233248),
    secondaryContainer = Color(0xFF2B3A52),
    onSecondaryContainer = Color(0xFFDCE6F7),
    tertiary = Color(0xFFD9BFFF),
    onTertiary = Color(0xFF3B1F63),
    tertiaryContainer = Color(0xFF4C3275),
    onTertiaryContainer = Color(0xFFF0E3FF),
    background = Color(0xFF10141B),
    onBackground = Color(0xFFE3E8F1),
    surface = Color(0xFF10141B),
    onSurface = Color(0xFFE3E8F1),
    surfaceVariant = Color(0xFF2A3241),
    onSurfaceVariant = Color(0xFFB6C0D0),
    surfaceContainerLowest = Color(0xFF0B0E14),
    surfaceContainerLow = Color(0xFF1A202A),
    surfaceContainer = Color(0xFF1D2430),
    surfaceContainerHigh = Color(0xFF252D3A),
    surfaceContainerHighest = Color(0xFF2F3846),
    outline = Color(0xFF8A95A8),
    outlineVariant = Color(0xFF333D4D),
    error = Color(0xFFFFB4AB),
    onError = Color(0xFF5F1410),
    errorContainer = Color(0xFF6E1D17),
    onErrorContainer = Color(0xFFFFDAD6),
)

/** The colours of a status: the chip's ground and what is written on it. */
@Immutable
internal data class Tone(val ground: Color, val ink: Color)

/** A tone for every status; a status is never told by its colour alone. */
@Immutable
internal class StatusColors(
    private val waiting: Tone,
    private val pending: Tone,
    private val invited: Tone,
    private val present: Tone,
    private val door: Tone,
    private val wrong: Tone,
    private val over: Tone,
) {
    operator fun get(status: Status): Tone = when (status) {
        Status.QUEUED -> waiting
        Status.PENDING -> pending
        Status.UPCOMING -> invited
        Status.ON_SITE -> present
        Status.AWAITING_HOST -> door
        Status.REJECTED, Status.REFUSED -> wrong
        Status.DEPARTED, Status.CANCELLED, Status.NO_SHOW, Status.EXPIRED -> over
    }

    companion object {
        val Light = StatusColors(
            waiting = Tone(Color(0xFFE3E8F1), Color(0xFF39455A)),
            pending = Tone(Color(0xFFFFEDC2), Color(0xFF6B4700)),
            invited = Tone(Color(0xFFDCE9FF), Color(0xFF0E4596)),
            present = Tone(Color(0xFFD5F3DF), Color(0xFF0A5A2B)),
            door = Tone(Color(0xFFF0E3FF), Color(0xFF5B2A94)),
            wrong = Tone(Color(0xFFFFE1DE), Color(0xFF94190F)),
            over = Tone(Color(0xFFE9EBEF), Color(0xFF4B525E)),
        )
        val Dark = StatusColors(
            waiting = Tone(Color(0xFF323C4D), Color(0xFFD3DCEB)),
            pending = Tone(Color(0xFF4A3803), Color(0xFFFFDD8C)),
            invited = Tone(Color(0xFF173B73), Color(0xFFC6DBFF)),
            present = Tone(Color(0xFF0F4325), Color(0xFFABEBC0)),
            door = Tone(Color(0xFF452C6B), Color(0xFFE6D3FF)),
            wrong = Tone(Color(0xFF5E1B16), Color(0xFFFFD2CC)),
            over = Tone(Color(0xFF2C333E), Color(0xFFC2CAD6)),
        )
    }
}

internal val LocalStatusColors = staticCompositionLocalOf { StatusColors.Light }
