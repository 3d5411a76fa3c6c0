package org.vestibule

import kotlinx.coroutines.flow.first
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.vestibule.fixture.DAY
import org.vestibule.fixture.draft
import org.vestibule.fixture.onPhone
import java.security.KeyPair
import java.time.ZoneId

/** The road of an invitation, on a phone and against a real hub. */
class RoadTest {
    /** S1.4–S1.8, S1.27–S1.29, S2.14, S4.14, S4.28, S4.33: the whole story, seen through an observer. */
    @Test
    fun `a visitor is invited offline, synced, edited and cancelled`() = road(KeySigner.generateEd25519())

    /** The same where the phone's key is one of secure hardware. */
    @Test
    fun `a P-256 key signs all of it`() = road(KeySigner.generateEs256())

    private fun road(device: KeyPair) = onPhone(device) { hub, phone ->
        phone.signIn(hub).use { host ->
            host.sync.run()
            assertEquals(MemberId("ada"), host.identity().member)
            hub.stop()

            host.visits.observe().use { list ->
                assertEquals(emptyList<VisitSummary>(), list.state.first { !it.loading }.items)

                val guest = host.visits.create(draft().copy(message = "See you soon", note = "Prefers German"))
                val contractor = host.visits.create(draft("Łukasz", "Żółć", hour = 14, type = "contractor"))
                val queued = list.state.first { it.items.size == 2 }
                assertEquals(listOf(guest, contractor), queued.items.map { it.id })
                assertEquals(setOf(Status.QUEUED), queued.items.map { it.status }.toSet())
                assertEquals(2, queued.counts[Tab.QUEUED])

                hub.start()
                val steps = mutableListOf<SyncProgress>()
                host.sync.progress().collect(steps::add)
                assertTrue(steps.isNotEmpty() && steps.last().toSend == 0L, "$steps")
                assertNotNull(host.sync.state().syncedAt)
                assertEquals(emptyList<Trouble>(), host.sync.trouble())
                assertFalse(host.sync.needsUpdate())

                val sent = list.state.first { state -> state.items.all { !it.queued } && state.counts.queued == 0L }
                assertEquals(Status.UPCOMING, sent.of(guest).status)
                assertEquals(Status.PENDING, sent.of(contractor).status)

                val shown = host.visits.show(guest)
                assertEquals("Zoë Müller-Østergård", shown.name)
                assertEquals(DAY.atTime(9, 0), shown.time?.localStart)
                assertEquals(ZoneId.of("Europe/Zurich"), shown.time?.zone)
                assertEquals(DAY.atTime(9, 0).atZone(shown.time!!.zone).toInstant(), shown.time.start)
                assertEquals(CredentialState.LIVE, shown.credential)
                assertEquals(listOf("Prefers German"), shown.notes.map { it.text })
                assertEquals(Approval.Pending, host.visits.show(contractor).approval)

                host.visits.edit(guest, host.visits.form(guest).copy(company = "Nordwind AG"))
                assertTrue(list.state.first { it.of(guest).company == "Nordwind AG" }.of(guest).queued)
                host.visits.cancel(guest)
                list.state.first { it.of(guest).status == Status.CANCELLED }
                host.sync.run()
                assertFalse(list.state.first { !it.of(guest).queued }.of(guest).queued)

                val facts = host.visits.history(guest).map { it.fact }
                assertTrue(facts.any { it is HistoryFact.Accepted } && HistoryFact.Cancelled in facts, "$facts")
                assertTrue("\"cancelled\"" in hub.admin("visits", "--json"))
            }
        }
    }

    /** S2.24–S2.27: the host reads the reason, and may invite again unless it is final. */
    @Test
    fun `a rejection reaches the host with its reason`() = onPhone { hub, phone ->
        phone.signIn(hub).use { host ->
            host.sync.run()
            val visit = host.visits.create(draft(type = "contractor"))
            host.sync.run()
            hub.admin("reject", visit.value, "--as", "priya", "--reason", "Please name the company")
            host.sync.run()

            val approval = host.visits.show(visit).approval
            assertEquals(Approval.Rejected("Please name the company", isFinal = false), approval)
            val again = host.visits.inviteAgain(visit, host.visits.form(visit).copy(visitorType = "guest"))
            host.sync.run()
            assertEquals(Status.UPCOMING, host.visits.show(again).status)
            assertEquals(visit, host.visits.show(again).previous)
        }
    }

    /** S1.31–S1.36: what the visitor will get, without what opens a door. */
    @Test
    fun `pass and code are previewed`() = onPhone { hub, phone ->
        phone.signIn(hub).use { host ->
            host.sync.run()
            val visit = host.visits.create(draft("美咲", "佐藤"))
            val pass = host.passes.preview(visit)
            assertEquals("Example AG", pass.title)
            assertEquals("佐藤美咲", pass.name)
            assertTrue(pass.fields.any { "佐藤美咲" in it.value && it.place != PassPlace.BACK }, "${pass.fields}")
            assertTrue(pass.fields.any { "not a security credential" in it.value }, "${pass.fields}")
            assertTrue(Regex("#[0-9a-f]{6}").matches(pass.background), pass.background)
            assertFalse("barcode" in pass.json, pass.json)

            val code = host.passes.qrPreview()
            assertTrue(code.size in 21..177)
            // The three finder patterns (ISO/IEC 18004): a dark frame, a light one, a dark middle.
            for ((row, column) in listOf(0 to 0, 0 to code.size - 7, code.size - 7 to 0)) {
                assertTrue(code.isDark(row, column) && code.isDark(row + 3, column + 3))
                assertFalse(code.isDark(row + 1, column + 1))
            }
        }
    }

    /** S1.15–S1.17, S1.21–S1.23: what the form offers. */
    @Test
    fun `the directory is on the phone after a sync`() = onPhone { hub, phone ->
        phone.signIn(hub, "dora").use { host ->
            host.sync.run()
            hub.stop()
            val directory = host.directory
            assertEquals("Example AG", directory.organisation()?.name)
            assertEquals(listOf("New York", "Zürich"), directory.sites().map { it.name })
            assertEquals(ZoneId.of("America/New_York"), directory.sites().first().zone)
            assertEquals(listOf("Reception Zürich", "Room Limmat"), directory.spaces(SiteId("zrh")).map { it.name })
            assertEquals(listOf("Contractor"), directory.visitorTypes().filter { it.needsApproval }.map { it.name })
            assertEquals("Dora Weber", directory.me()?.name)
            assertEquals(listOf("Ada Keller"), directory.principals().map { it.name })
            assertEquals(listOf("Chloé Martin"), directory.members("chloe").map { it.name })
            assertEquals(setOf(Role.HOST, Role.DELEGATE), directory.permissions().roles)

            val forAda = host.visits.create(draft().copy(host = "ada"))
            assertEquals("Ada Keller", host.visits.show(forAda).hostName)
        }
    }

    /** Lists are read page by page, and searched without accents. */
    @Test
    fun `many visits are invited at once, paged and found`() = onPhone { hub, phone ->
        phone.signIn(hub).use { host ->
            host.sync.run()
            val ids = host.visits.createAll((1..30).map { draft("Guest", "Nº $it", hour = 8 + it % 10) })
            val pages = mutableListOf(host.visits.list(size = 12))
            while (true) pages += host.visits.list(size = 12, after = pages.last().next ?: break)
            assertEquals(listOf(12, 12, 6), pages.map { it.items.size })
            assertEquals(ids.toSet(), pages.flatMap { page -> page.items.map { it.id } }.toSet())
            assertNull(pages.last().next)
            assertEquals(30, host.visits.counts().queued)

            host.visits.create(draft("Émilie", "du Châtelet"))
            assertEquals(listOf("Émilie du Châtelet"), host.visits.search("emilie chat").map { it.name })
        }
    }

    private fun VisitListState.of(id: VisitId) = items.first { it.id == id }
}
