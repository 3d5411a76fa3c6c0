package org.vestibule.app

import androidx.compose.foundation.background
import androidx.compose.foundation.clickable
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ExperimentalLayoutApi
import androidx.compose.foundation.layout.FlowRow
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.shape.CircleShape
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.material3.Icon
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Surface
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.draw.clip
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.graphics.vector.ImageVector
import androidx.compose.ui.platform.LocalDensity
import androidx.compose.ui.semantics.clearAndSetSemantics
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.font.FontWeight
import androidx.compose.ui.text.style.TextDirection
import androidx.compose.ui.text.style.TextOverflow
import androidx.compose.ui.unit.dp
import org.vestibule.Status
import org.vestibule.VisitId
import org.vestibule.VisitSummary

/** Above this size of letters the status stands below the name: beside it there is no room. */
private const val LARGE_LETTERS = 1.3f

/** A visit in the list: who, from where, when, and where it stands. Read aloud as one. */
@Composable
internal fun VisitCard(visit: VisitSummary, onOpen: (VisitId) -> Unit, modifier: Modifier = Modifier) {
    val strings = LocalWording.current.strings
    val below = LocalDensity.current.fontScale > LARGE_LETTERS
    Surface(
        color = MaterialTheme.colorScheme.surfaceContainerLow,
        shape = MaterialTheme.shapes.medium,
        modifier = modifier.fillMaxWidth(),
    ) {
        Row(
            horizontalArrangement = Arrangement.spacedBy(14.dp),
            modifier = Modifier
                .clickable { onOpen(visit.id) }
                .semantics(mergeDescendants = true) {}
                .padding(14.dp),
        ) {
            Avatar(visit.name)
            Column(verticalArrangement = Arrangement.spacedBy(3.dp), modifier = Modifier.weight(1f)) {
                Row(horizontalArrangement = Arrangement.spacedBy(8.dp), verticalAlignment = Alignment.Top) {
                    Box(Modifier.weight(1f)) { Name(visit.name) }
                    if (!below) StatusChip(visit.status)
                }
                visit.company?.let { Line(it) }
                TimeAndPlace(visit)
                if (below) StatusChip(visit.status)
                if (visit.queued && visit.status != Status.QUEUED) Mark(Icons.Outbox, strings.changeNotSent)
                if (visit.conflict) Mark(Icons.Warning, strings.changedElsewhere, MaterialTheme.colorScheme.error)
            }
        }
    }
}

@Composable
private fun Name(name: String) = Text(
    name,
    // A name is written in its own direction, and stands where the others stand.
    style = MaterialTheme.typography.titleMedium.copy(
        textDirection = TextDirection.Content,
        fontWeight = FontWeight.Bold,
    ),
    maxLines = 2,
    overflow = TextOverflow.Ellipsis,
)

@Composable
private fun Line(text: String) = Text(
    text,
    style = MaterialTheme.typography.bodyMedium.copy(textDirection = TextDirection.Content),
    color = MaterialTheme.colorScheme.onSurfaceVariant,
    maxLines = 1,
    overflow = TextOverflow.Ellipsis,
)

@OptIn(ExperimentalLayoutApi::class)
@Composable
private fun TimeAndPlace(visit: VisitSummary) = FlowRow(horizontalArrangement = Arrangement.spacedBy(12.dp)) {
    IconAndText(Icons.Clock, LocalWording.current.time(visit.time))
    visit.siteName?.let { IconAndText(Icons.Building, it) }
}

@Composable
private fun IconAndText(icon: ImageVector, text: String) = Row(
    horizontalArrangement = Arrangement.spacedBy(5.dp),
    verticalAlignment = Alignment.CenterVertically,
) {
    Icon(icon, null, Modifier.size(16.dp), tint = MaterialTheme.colorScheme.onSurfaceVariant)
    Line(text)
}

@Composable
private fun Mark(icon: ImageVector, text: String, color: Color = MaterialTheme.colorScheme.onSurfaceVariant) = Row(
    horizontalArrangement = Arrangement.spacedBy(5.dp),
    verticalAlignment = Alignment.CenterVertically,
) {
    Icon(icon, null, Modifier.size(16.dp), tint = color)
    Text(text, style = MaterialTheme.typography.labelMedium, color = color)
}

/** Where a visit stands: a picture, a word and a colour, so that none has to do alone. */
@Composable
internal fun StatusChip(status: Status, modifier: Modifier = Modifier) {
    val tone = LocalStatusColors.current[status]
    Row(
        horizontalArrangement = Arrangement.spacedBy(4.dp),
        verticalAlignment = Alignment.CenterVertically,
        modifier = modifier
            .clip(RoundedCornerShape(50))
            .background(tone.ground)
            .padding(start = 8.dp, end = 10.dp, top = 4.dp, bottom = 4.dp),
    ) {
        Icon(icon(status), null, Modifier.size(14.dp), tint = tone.ink)
        Text(
            LocalWording.current.strings.status(status),
            style = MaterialTheme.typography.labelMedium,
            color = tone.ink,
            maxLines = 1,
        )
    }
}

private fun icon(status: Status): ImageVector = when (status) {
    Status.QUEUED -> Icons.Outbox
    Status.PENDING -> Icons.Hourglass
    Status.UPCOMING -> Icons.Check
    Status.ON_SITE -> Icons.Building
    Status.DEPARTED -> Icons.Exit
    Status.AWAITING_HOST -> Icons.Door
    Status.REFUSED -> Icons.Warning
    Status.REJECTED, Status.CANCELLED -> Icons.Cross
    Status.NO_SHOW, Status.EXPIRED -> Icons.Clock
}

/** The first letters of a name. It says nothing the name does not, so it is silent for screen readers. */
@Composable
private fun Avatar(name: String) {
    val colors = MaterialTheme.colorScheme
    val tones = listOf(
        colors.primaryContainer to colors.onPrimaryContainer,
        colors.secondaryContainer to colors.onSecondaryContainer,
        colors.tertiaryContainer to colors.onTertiaryContainer,
    )
    val (ground, ink) = tones[Math.floorMod(name.hashCode(), tones.size)]
    Box(
        contentAlignment = Alignment.Center,
        modifier = Modifier.size(44.dp).clip(CircleShape).background(ground).clearAndSetSemantics {},
    ) {
        Text(initials(name), style = MaterialTheme.typography.titleSmall, color = ink, maxLines = 1)
    }
}

/**
 * The first letter of the first and last word; where a script knows no capitals, and so no initials, of the first
 * alone. Letters are what a person takes for one, never half of it.
 */
internal fun initials(name: String): String {
    val words = name.split(' ').filter { word -> word.firstOrNull()?.isLetter() == true }
    val first = words.firstOrNull() ?: return ""
    val ends = if (first.first().isUpperCase()) listOfNotNull(first, words.drop(1).lastOrNull()) else listOf(first)
    return ends.joinToString("", transform = ::firstLetter)
}

/** A letter with the marks that belong to it, as Bengali's vowel signs. */
private fun firstLetter(word: String): String {
    var end = word.offsetByCodePoints(0, 1)
    while (end < word.length && isMark(word.codePointAt(end))) end = word.offsetByCodePoints(end, 1)
    return word.substring(0, end)
}

private fun isMark(letter: Int) = Character.getType(letter).toByte() in MARKS

private val MARKS = setOf(Character.NON_SPACING_MARK, Character.ENCLOSING_MARK, Character.COMBINING_SPACING_MARK)
