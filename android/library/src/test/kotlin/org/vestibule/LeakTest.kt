package org.vestibule

import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.vestibule.fixture.Hub
import org.vestibule.fixture.Phone
import org.vestibule.fixture.draft
import java.io.File
import java.util.concurrent.TimeUnit

/** Ten thousand rounds of opening, observing and closing leave nothing behind. */
class LeakTest {
    @Test
    fun `rounds leak no memory, thread or file handle`() = Hub.start().use { hub ->
        Phone().use { phone ->
            runBlocking {
                phone.signIn(hub).use { host ->
                    host.sync.run()
                    host.visits.createAll((1..10).map { draft("Guest", "$it") })
                }
                hub.stop()
                // What is made once comes before the count.
                repeat(WARM) { round(phone) }
                val before = Held.now()
                repeat(ROUNDS) { round(phone) }
                val after = Held.awaitAtMost(before)
                println("before: $before\nafter $ROUNDS rounds: $after")
                assertTrue(after.threads <= before.threads, "threads: $before, $after")
                assertTrue(after.files <= before.files, "file handles: $before, $after")
                // A store that stays open, or a thread's stack, would be a hundred times as much.
                assertTrue(after.native - before.native < MARGIN, "native memory: $before, $after")
                assertTrue(after.heap - before.heap < MARGIN, "Java's heap: $before, $after")
            }
        }
    }

    private suspend fun round(phone: Phone) {
        phone.open().use { host ->
            host.visits.observe().use { list -> list.state.first { it.items.size == 10 } }
        }
    }

    private companion object {
        const val WARM = 1_000
        const val ROUNDS = 10_000

        /** What allocators and the compiler keep for themselves: less than 2 KB a round. */
        const val MARGIN = 20_000_000L
    }
}

/** What this process holds, as Linux and Java count it. Java's heap has its full size from the start. */
private data class Held(val threads: Int, val files: Int, val native: Long, val heap: Long) {
    companion object {
        fun now(): Held {
            System.gc()
            val lines = File("/proc/self/status").readLines()
            val status = lines.associate { it.substringBefore(':') to it.substringAfter(':').trim() }
            return Held(
                threads = status.getValue("Threads").toInt(),
                files = File("/proc/self/fd").list().orEmpty().size,
                native = status.getValue("RssAnon").substringBefore(' ').toLong() * 1024,
                heap = Runtime.getRuntime().run { totalMemory() - freeMemory() },
            )
        }

        /** Threads of pools end when they have had nothing to do for a while: waited for, up to two minutes. */
        fun awaitAtMost(before: Held): Held {
            val end = System.nanoTime() + TimeUnit.MINUTES.toNanos(2)
            while (true) {
                val now = now()
                if (now.threads <= before.threads && now.files <= before.files || System.nanoTime() > end) return now
                Thread.sleep(100)
            }
        }
    }
}
