package org.vestibule.model

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.async
import kotlinx.coroutines.cancel
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.job
import kotlinx.coroutines.withContext
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.vestibule.Status
import org.vestibule.Tab
import org.vestibule.VestibuleException
import org.vestibule.VisitId
import org.vestibule.fixture.draft
import org.vestibule.fixture.onPhone
import java.util.concurrent.Executors

/** S1.4, S1.5: the list as a screen shows it. */
class MyVisitorsModelTest {
    @Test
    fun `the list follows tabs, work and syncs`() = onPhone { hub, phone ->
        phone.signIn(hub).use { host ->
            val scope = CoroutineScope(Dispatchers.Default)
            val model = MyVisitorsModel(host, scope)
            assertEquals(emptyList<Any>(), model.state.first { !it.loading }.rows)

            host.sync.run()
            val guest = host.visits.create(draft())
            val contractor = host.visits.create(draft("Łukasz", type = "contractor"))
            assertEquals(2, model.state.first { it.queued == 2L }.queued)
            model.selectTab(Tab.QUEUED)
            assertEquals(setOf(guest, contractor), model.state.first { it.rows.size == 2 }.rows.map { it.id }.toSet())

            model.sync()
            val synced = model.state.first { it.sync == SyncStatus.Idle && it.queued == 0L && it.syncedAt != null }
            assertEquals("Example AG", model.state.first { it.organisation.isNotEmpty() }.organisation)
            assertNotNull(synced.syncedAt)
            model.selectTab(Tab.PENDING)
            val pending = model.state.first { !it.loading && it.rows.isNotEmpty() }
            assertEquals(listOf(contractor), pending.rows.map { it.id })
            model.selectTab(Tab.UPCOMING)
            val upcoming = model.state.first { state -> !state.loading && state.rows.any { it.id == guest } }
            assertEquals("Zürich", upcoming.rows.single().siteName)

            model.cancel(guest)
            model.state.first { it.counts.past == 1L && it.rows.isEmpty() }
            model.cancel(VisitId("no id"))
            assertTrue(model.state.first { it.problem != null }.problem is VestibuleException.BadArgument)
            model.dismissProblem()
            assertEquals(null, model.state.value.problem)
            model.close()
            scope.cancel()
        }
    }

    @Test
    fun `a search shows what is found in all tabs, and keeps itself`() = onPhone { hub, phone ->
        phone.signIn(hub).use { host ->
            host.sync.run()
            host.visits.create(draft("Émilie", "du Châtelet"))
            host.visits.create(draft("Zoë", "Müller"))
            val scope = CoroutineScope(Dispatchers.Default)
            val model = MyVisitorsModel(host, scope)
            model.search("emilie")
            assertEquals(listOf("Émilie du Châtelet"), model.state.first { it.rows.isNotEmpty() }.rows.map { it.name })
            host.visits.create(draft("Emilie", "Two"))
            model.state.first { it.rows.size == 2 }
            model.search("x".repeat(100_000))
            model.state.first { it.rows.isEmpty() }
            model.search("\uD83D")
            model.search(" ")
            model.state.first { it.search.isBlank() && !it.loading && it.rows.isEmpty() }
            assertEquals(null, model.state.value.problem)
            scope.cancel()
        }
    }

    @Test
    fun `a sync that fails says why, and what waits is counted`() = onPhone { hub, phone ->
        phone.signIn(hub).use { host ->
            host.sync.run()
            host.visits.create(draft())
            hub.stop()
            val scope = CoroutineScope(Dispatchers.Default)
            val model = MyVisitorsModel(host, scope)
            model.sync()
            val failed = model.state.first { it.sync is SyncStatus.Failed && it.queued == 1L }
            assertTrue((failed.sync as SyncStatus.Failed).error is VestibuleException.Unreachable)

            hub.silence().use { silent ->
                model.sync()
                model.sync()
                withContext(Dispatchers.IO) { silent.awaitCall() }
                assertTrue(model.state.value.sync is SyncStatus.Running)
                model.stopSync()
                model.state.first { it.sync == SyncStatus.Idle }
            }
            hub.start()
            model.sync()
            model.state.first { it.queued == 0L && it.sync == SyncStatus.Idle }
            assertEquals(Status.UPCOMING, model.state.first { it.rows.isNotEmpty() }.rows.single().status)
            scope.cancel()
        }
    }

    @Test
    fun `whoever sees a sync fail may begin the next one at once`() = onPhone { hub, phone ->
        phone.signIn(hub).use { host ->
            hub.stop()
            // One thread, and an observer that runs within the state's change: the first run's coroutine has not ended
            // then, and the second one's cannot begin.
            Executors.newSingleThreadExecutor().asCoroutineDispatcher().use { thread ->
                val scope = CoroutineScope(thread)
                val model = MyVisitorsModel(host, scope)
                coroutineScope {
                    val begun = async(Dispatchers.Unconfined) {
                        model.state.first { it.sync is SyncStatus.Failed }
                        model.sync()
                        model.state.value.sync
                    }
                    model.sync()
                    assertEquals(SyncStatus.Running(null), begun.await())
                }
                model.state.first { it.sync is SyncStatus.Failed }
                scope.coroutineContext.job.cancelAndJoin()
            }
        }
    }

    @Test
    fun `rows are loaded page by page, and a closed client is no crash`() = onPhone { hub, phone ->
        val host = phone.signIn(hub)
        host.sync.run()
        host.visits.createAll((1..12).map { draft("Guest", "$it", hour = 8 + it % 3) })
        val scope = CoroutineScope(Dispatchers.Default)
        val model = MyVisitorsModel(host, scope, pageSize = 5)
        model.selectTab(Tab.QUEUED)
        assertEquals(5, model.state.first { it.rows.isNotEmpty() && it.hasMore }.rows.size)
        model.loadMore()
        assertEquals(10, model.state.first { it.rows.size > 5 }.rows.size)
        model.loadMore()
        assertEquals(false, model.state.first { it.rows.size == 12 }.hasMore)
        host.close()
        model.sync()
        val failed = model.state.first { it.sync is SyncStatus.Failed }.sync as SyncStatus.Failed
        assertTrue(failed.error is VestibuleException.Closed)
        model.loadMore()
        model.selectTab(Tab.PAST)
        MyVisitorsModel(host, scope).state.first { it.problem is VestibuleException.Closed }
        scope.cancel()
    }
}
