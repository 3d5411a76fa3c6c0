package org.vestibule

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.first
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.vestibule.fixture.DAY
import org.vestibule.fixture.onPhone
import org.vestibule.model.MyVisitorsModel
import java.io.File

/** The snippets of the READMEs: they compile, they do what they say, and they stand there as they stand here. */
class SnippetsTest {
    @Test
    fun `an app opens a store, invites and syncs`() = onPhone { hub, phone ->
        val filesDir = phone.dir.toFile()
        val keystore = object {
            fun storeKey() = phone.storeKey
            fun deviceKey() = phone.device
        }
        fun signInWithBrowser(hubAddress: String) = hub.token("ada").also { assertEquals(hub.url, hubAddress) }
        val hubAddress = hub.url
        val day = DAY

        // snippet: open
        val host = HostClient.open(
            file = File(filesDir, "vestibule.db"),
            keys = { keystore.storeKey() }, // 48 bytes, wrapped by the Keystore
            tokens = { hub -> signInWithBrowser(hub) }, // asked once, when a member signs in
            signer = KeySigner(keystore.deviceKey()), // the private key stays where it is
        )
        host.signIn(hubAddress)
        host.sync.run()
        // end

        // snippet: invite
        val draft = VisitDraft(
            firstName = "Zoë",
            email = "zoe@example.org",
            site = "zrh",
            start = day.atTime(9, 0), // on the clocks of the site
            end = day.atTime(11, 0),
        )
        val problems = host.visits.validate(draft) // each with its field; none means that OK is enabled
        val visit = host.visits.create(draft) // no network is needed: safe on this phone, queued
        try {
            host.sync.run { progress -> println("${progress.toSend} to send") }
        } catch (error: VestibuleException.Unreachable) {
            println(error.message) // what waits is kept, and sent next time
        }
        println(host.visits.show(visit).status) // UPCOMING, or PENDING where somebody has to approve
        // end
        assertEquals(emptyList<FieldProblem>(), problems)
        assertEquals(Status.UPCOMING, host.visits.show(visit).status)

        val seen = mutableListOf<String>()
        // snippet: observe
        host.visits.observe(ListFilter.InTab(Tab.UPCOMING)).use { list ->
            list.state.first { !it.loading }.items.forEach { seen += "${it.name}, ${it.time?.localStart}" }
        }
        // end
        assertEquals(listOf("Zoë, ${DAY.atTime(9, 0)}"), seen)

        val viewModelScope = CoroutineScope(Dispatchers.Default)
        // snippet: model
        val model = MyVisitorsModel(host, viewModelScope)
        model.selectTab(Tab.UPCOMING)
        model.sync()
        val state = model.state // a StateFlow: tabs with counts, rows, search, how far a sync is
        // end
        assertEquals("Zoë", state.first { it.rows.isNotEmpty() }.rows.single().name)
        viewModelScope.cancel()
        host.close()
    }

    @Test
    fun `the READMEs show the snippets as they are tested`() {
        val repository = File(System.getProperty("vestibule.repository"))
        val source = File(repository, "android/library/src/test/kotlin/org/vestibule/SnippetsTest.kt").readText()
        val snippets = Regex("(?s)// snippet: (\\w+)\n(.*?)\n *// end").findAll(source)
            .associate { it.groupValues[1] to it.groupValues[2].trimIndent() }
        assertTrue(snippets.keys.containsAll(listOf("open", "invite", "observe", "model")))
        for (readme in listOf("README.md", "android/README.md")) {
            val text = File(repository, readme).readText()
            val shown = Regex("(?s)```kotlin\n(.*?)\n```").findAll(text).map { it.groupValues[1] }.toList()
            for (snippet in shown) assertTrue(snippet in snippets.values, "$readme shows what is not tested:\n$snippet")
            if (readme.startsWith("android")) assertEquals(snippets.values.toSet(), shown.toSet())
        }
    }
}
