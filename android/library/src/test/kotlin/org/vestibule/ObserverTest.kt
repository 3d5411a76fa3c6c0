package org.vestibule

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.vestibule.fixture.draft
import org.vestibule.fixture.onPhone
import java.util.concurrent.CountDownLatch

/** Lists that keep themselves, and observers that misbehave. */
class ObserverTest {
    @Test
    fun `a list begins with a reset, and its changes lead to the list that is read`() = onPhone { hub, phone ->
        phone.signIn(hub).use { host ->
            host.sync.run()
            host.visits.createAll(listOf(draft("A", hour = 9), draft("B", hour = 11)))
            val first = host.visits.updates().first()
            assertEquals(listOf(VisitListDiff.Reset(host.visits.list().items)), first.diffs)

            coroutineScope {
                val folded = MutableStateFlow(VisitListState())
                val collector = launch { host.visits.updates().collect { update -> folded.update { it.after(update) } } }
                folded.first { it.items.size == 2 }
                val third = host.visits.create(draft("C", hour = 10))
                val names = folded.first { it.items.size == 3 }.items.map { it.name.substringBefore(' ') }
                assertEquals(listOf("A", "C", "B"), names)
                host.visits.edit(third, draft("C", hour = 12))
                host.visits.edit(third, draft("D", hour = 13))
                val moved = folded.first { it.items.last().name.startsWith("D") }
                assertEquals(host.visits.list().items, moved.items)
                host.visits.cancel(third)
                host.sync.run()
                val synced = host.visits.list()
                folded.first { it.items == synced.items && it.counts == host.visits.counts() }
                collector.cancelAndJoin()
            }
        }
    }

    @Test
    fun `pages are loaded and filters changed under observation`() = onPhone { hub, phone ->
        phone.signIn(hub).use { host ->
            host.sync.run()
            host.visits.createAll((1..25).map { draft("Guest", "$it", hour = 8 + it % 10) })
            host.visits.observe(pageSize = 10).use { list ->
                assertEquals(10, list.state.first { !it.loading }.items.size)
                list.loadMore()
                assertEquals(20, list.state.first { it.items.size > 10 }.items.size)
                list.loadMore()
                assertEquals(false, list.state.first { it.items.size == 25 }.hasMore)
                list.setFilter(ListFilter.InTab(Tab.UPCOMING))
                assertEquals(0, list.state.first { !it.loading }.items.size)
                host.sync.run()
                list.state.first { it.counts.upcoming == 25L && it.items.size == 10 }
            }
        }
    }

    @Test
    fun `an observer that throws harms nothing`() = onPhone { hub, phone ->
        phone.signIn(hub).use { host ->
            host.sync.run()
            host.visits.observe().use { sound ->
                val thrown = runCatching { host.visits.updates().collect { error("this observer throws") } }
                assertEquals("this observer throws", thrown.exceptionOrNull()?.message)
                val visit = host.visits.create(draft())
                assertEquals(visit, sound.state.first { it.items.isNotEmpty() }.items.single().id)
                host.sync.run { error("so does the listener of a sync") }
                assertEquals(Status.UPCOMING, host.visits.show(visit).status)
            }
        }
    }

    @Test
    fun `an observer that blocks harms nothing`() = onPhone { hub, phone ->
        phone.signIn(hub).use { host ->
            host.sync.run()
            val blocked = CountDownLatch(1)
            coroutineScope {
                val entered = CountDownLatch(1)
                val stuck = launch(Dispatchers.IO) {
                    host.visits.updates().collect {
                        entered.countDown()
                        blocked.await()
                    }
                }
                entered.await()
                host.visits.observe().use { sound ->
                    val visits = (1..20).map { host.visits.create(draft("Guest", "$it")) }
                    host.sync.run()
                    val seen = sound.state.first { state -> state.items.count { it.status == Status.UPCOMING } == 20 }
                    assertEquals(visits.toSet(), seen.items.map { it.id }.toSet())
                }
                blocked.countDown()
                stuck.cancelAndJoin()
            }
        }
    }

    @Test
    fun `closing ends every observation`() = onPhone { hub, phone ->
        val host = phone.signIn(hub)
        val list = host.visits.observe()
        coroutineScope {
            val updates = async { failure<VestibuleException.Closed> { host.visits.updates().collect {} } }
            val two = async { runCatching { host.visits.updates().take(2).toList() }.exceptionOrNull() }
            list.state.first { !it.loading }
            host.close()
            updates.await()
            assertTrue(two.await() is VestibuleException.Closed)
        }
        list.loadMore()
        list.close()
        failure<VestibuleException.Closed> { list.loadMore() }
        failure<VestibuleException.Closed> { list.setFilter(ListFilter.All) }
        host.close()
    }
}
