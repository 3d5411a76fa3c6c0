package org.vestibule.app

import androidx.compose.ui.semantics.SemanticsActions
import androidx.compose.ui.semantics.SemanticsProperties
import androidx.compose.ui.semantics.getOrNull
import androidx.compose.ui.unit.LayoutDirection
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.vestibule.Status
import org.vestibule.Tab
import org.vestibule.TabCounts
import org.vestibule.VestibuleException
import org.vestibule.VisitId
import org.vestibule.model.MyVisitorsState
import org.vestibule.model.SyncStatus
import java.time.Clock
import java.time.Instant
import java.time.LocalDate
import java.time.ZoneId
import java.util.Locale

/** S1.4, S1.5, S4.14: what the list shows of its state. */
class MyVisitorsScreenTest {
    /** Every name of the sample is there to be read, and its letters are drawn, light and dark. */
    @Test
    fun `names in every script are on the picture`() {
        for (dark in listOf(false, true)) {
            for (names in Sample.all.map { it.name }.chunked(4)) {
                Scene(dark) { MyVisitorsScreen(state(names.map { row(it) }), NoActions) }.use { scene ->
                    val image = scene.settle()
                    for (name in names) {
                        val part = scene.parts().first { it.words() == name }
                        val ink = scene.ink(image, part.boundsInRoot)
                        assertTrue(ink > 20 * name.length, "$name has $ink points of ink (dark: $dark)")
                    }
                }
            }
        }
    }

    @Test
    fun `every status has a word and is read with its visitor`() {
        for (status in Status.entries) {
            Scene { MyVisitorsScreen(state(listOf(row("Zoë", status))), NoActions) }.use { scene ->
                val card = scene.await("Zoë").words()
                for (word in listOf(English.status(status), "Nordwind GmbH", "09:00 – 11:30", "Zürich")) {
                    assertTrue(word in card, "$word is not in $card")
                }
            }
        }
    }

    @Test
    fun `days have headers, tabs have counts`() {
        val today = LocalDate.of(2027, 2, 10)
        val rows = listOf(null, today, today.plusDays(1), today.plusDays(2)).map { row("A", day = it) }
        val counts = TabCounts(queued = 3, pending = 2, upcoming = 4, past = 1_200)
        Scene(wording = WORDING) { MyVisitorsScreen(state(rows).copy(counts = counts), NoActions) }.use { scene ->
            val headers = listOf("Any day", "Today", "Tomorrow", WORDING.day(today.plusDays(2)))
            for (text in headers + "Any time" + "Synced 08:05") scene.await(text)
            val tabs = scene.nodes().filter { it.config.getOrNull(SemanticsProperties.Selected) != null }
            val words = listOf("Upcoming, 4", "Pending, 2", "Queued, 3", "On site, 0", "Past, 1200")
            assertEquals(words, tabs.map { it.words() })
            assertEquals(listOf(true, false, false, false, false), tabs.map { it.config[SemanticsProperties.Selected] })
        }
    }

    /** Nothing is shown as invited before the hub has said so; what waits is said to be safe. */
    @Test
    fun `what waits is said, and why`() {
        val one = state(emptyList()).copy(counts = TabCounts(queued = 1))
        Scene { MyVisitorsScreen(one, NoActions) }.use { it.await("1 invitation waits safely on this phone") }
        val failed = SyncStatus.Failed(VestibuleException.Unreachable())
        val away = state(emptyList()).copy(counts = TabCounts(queued = 3), sync = failed)
        Scene { MyVisitorsScreen(away, NoActions) }.use { scene ->
            scene.await("3 invitations wait safely on this phone")
            scene.await("No network, or the hub does not answer.")
        }
        Scene { MyVisitorsScreen(state(listOf(row("Zoë", queued = true))), NoActions) }.use { scene ->
            val card = scene.await("Zoë").words()
            assertTrue("Change not sent yet" in card && "Changed elsewhere" in card, card)
        }
    }

    @Test
    fun `an empty tab says what to do`() {
        for (strings in listOf(English, German)) {
            for (tab in Tab.entries) {
                val wording = Wording(strings, Locale.UK, Clock.systemUTC())
                Scene(wording = wording) { MyVisitorsScreen(state(emptyList()).copy(tab = tab), NoActions) }.use { scene ->
                    strings.empty(tab).toList().forEach(scene::await)
                }
            }
        }
        Scene { MyVisitorsScreen(state(emptyList()).copy(search = "nobody"), NoActions) }.use { scene ->
            scene.await("Nobody found")
            assertTrue(scene.nodes().none { "Pending" in it.words() }, "a search is in no tab")
        }
    }

    @Test
    fun `touching and typing reach the view model`() {
        val done = mutableListOf<String>()
        val actions = object : MyVisitorsActions {
            override fun selectTab(tab: Tab) { done += "tab $tab" }
            override fun search(text: String) { done += "search $text" }
            override fun loadMore() { done += "more" }
            override fun sync() { done += "sync" }
            override fun invite() { done += "invite" }
            override fun open(visit: VisitId) { done += "open $visit" }
        }
        val row = row("Zoë")
        val shown = state(listOf(row)).copy(counts = TabCounts(queued = 2), hasMore = true)
        Scene { MyVisitorsScreen(shown, actions) }.use { scene ->
            scene.touch("Pending")
            scene.type("Search visitors", "佐藤")
            scene.touch("Sync now")
            scene.touch("Send now")
            scene.touch("Zoë")
            scene.touch("Show more")
            scene.touch("Invite")
        }
        val expected = listOf("tab PENDING", "search 佐藤", "sync", "sync", "open ${row.id}", "more", "invite")
        assertEquals(expected, done.filterNot { it == "search " })
    }

    /** Letters of twice the size, and a layout from right to left. */
    @Test
    fun `the screen bends to its reader`() {
        val shown = state(listOf(row("Zoë Müller-Østergård"), row("أحمد الهاشمي", Status.AWAITING_HOST)))
        Scene(letters = 2f) { MyVisitorsScreen(shown, NoActions) }.use { scene ->
            val image = scene.settle()
            val name = scene.parts().first { it.words() == "Zoë Müller-Østergård" }
            assertTrue(scene.ink(image, name.boundsInRoot) > 1_000)
            val chip = scene.parts().first { it.words() == "Invited" }
            assertTrue(chip.boundsInRoot.top >= name.boundsInRoot.bottom, "the status stands below the name")
        }
        Scene(direction = LayoutDirection.Rtl) { MyVisitorsScreen(shown, NoActions) }.use { scene ->
            scene.settle()
            val name = scene.parts().first { it.words() == "أحمد الهاشمي" }
            val chip = scene.parts().first { it.words() == "At the door" }
            assertTrue(chip.boundsInRoot.right < name.boundsInRoot.left, "the status stands at the end of the line")
        }
    }

    @Test
    fun `all that can be touched is large enough and has a name`() {
        val shown = state(listOf(row("Zoë"))).copy(counts = TabCounts(queued = 2), hasMore = true)
        Scene { MyVisitorsScreen(shown, NoActions) }.use { it.checkTouch() }
        Scene { MyVisitorsScreen(shown.copy(search = "Zo"), NoActions) }.use { it.checkTouch() }
    }

    private fun state(rows: List<org.vestibule.VisitSummary>) =
        MyVisitorsState("Example AG", rows = rows, loading = false, syncedAt = Instant.parse("2027-02-10T07:05:00Z"))

    private companion object {
        val CLOCK: Clock = Clock.fixed(Instant.parse("2027-02-10T08:00:00Z"), ZoneId.of("Europe/Zurich"))
        val WORDING = Wording.of(Locale.UK, CLOCK)
    }
}

/** Material's smallest touch target is 48 dp; and what has no name does not exist for a screen reader. */
fun Scene.checkTouch() {
    settle()
    val touchable = nodes().filter { it.config.getOrNull(SemanticsActions.OnClick) != null }
    assertTrue(touchable.size > 3)
    for (node in touchable) {
        assertTrue(node.words().isNotBlank(), "a nameless button at ${node.boundsInRoot}")
        val bounds = node.touchBoundsInRoot
        assertTrue(bounds.height >= 2 * 48 - 1 && bounds.width >= 2 * 48 - 1, "“${node.words()}” is only $bounds large")
    }
}

object NoActions : MyVisitorsActions {
    override fun selectTab(tab: Tab) = Unit
    override fun search(text: String) = Unit
    override fun loadMore() = Unit
    override fun sync() = Unit
    override fun invite() = Unit
    override fun open(visit: VisitId) = Unit
}
