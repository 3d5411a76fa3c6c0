package org.vestibule

import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.vestibule.fixture.draft
import org.vestibule.fixture.onPhone

/** With the hub away: a typed error, and the work is kept. */
class HubAwayTest {
    @Test
    fun `an unreachable hub is a typed error and what waits is kept`() = onPhone { hub, phone ->
        val visit = phone.signIn(hub).use { host ->
            host.sync.run()
            hub.stop()
            val visit = host.visits.create(draft())
            failure<VestibuleException.Unreachable> { host.sync.run() }
            failure<VestibuleException.Unreachable> { host.sync.progress().collect {} }
            visit
        }
        // Also over a restart of the app.
        phone.open().use { host ->
            assertEquals(Status.QUEUED, host.visits.show(visit).status)
            failure<VestibuleException.Unreachable> { host.sync.run() }
            hub.start()
            host.sync.run()
            assertEquals(Status.UPCOMING, host.visits.show(visit).status)
        }
    }

    @Test
    fun `signing in says what is wrong`() = onPhone { hub, phone ->
        phone.open(tokens = { "no token" }).use { host ->
            failure<VestibuleException.NotSignedIn> { host.identity() }
            failure<VestibuleException.NotSignedIn> { host.sync.run() }
            failure<VestibuleException.BadAddress> { host.signIn("http://hub.example.com") }
            failure<VestibuleException.SignInAgain> { host.signIn(hub.url) }
            hub.stop()
            failure<VestibuleException.Unreachable> { host.signIn(hub.url) }
        }
    }

    @Test
    fun `a provider that fails is a typed error without its words`() = onPhone { hub, phone ->
        phone.open(tokens = { throw ProviderException("the person gave up") }).use { host ->
            assertEquals("the person gave up", failure<VestibuleException.Provider> { host.signIn(hub.url) }.reason)
        }
        phone.open(tokens = { error("ada@example.com has no token") }).use { host ->
            val error = failure<VestibuleException.Provider> { host.signIn(hub.url) }
            assertTrue("ada" !in "${error.message}${error.reason}", error.reason)
        }
        failure<VestibuleException.Provider> { phone.open(keys = { throw ProviderException("the device is locked") }) }
        val silent = object : DeviceSigner {
            override val publicKey get() = throw StackOverflowError()
            override fun sign(message: ByteArray) = message
        }
        failure<VestibuleException.Provider> { phone.open(signer = silent) }
    }

    @Test
    fun `a signer that stops signing keeps the form usable`() = onPhone { hub, phone ->
        phone.signIn(hub).use { it.sync.run() }
        val sound = KeySigner(phone.device)
        var broken = true
        val signer = object : DeviceSigner {
            override val publicKey = sound.publicKey
            override fun sign(message: ByteArray) =
                if (broken) throw ProviderException("the device is locked") else sound.sign(message)
        }
        phone.open(signer = signer).use { host ->
            failure<VestibuleException.Provider> { host.visits.create(draft()) }
            assertEquals(0, host.visits.list().items.size)
            broken = false
            host.visits.create(draft())
            host.sync.run()
            assertEquals(1, host.visits.counts().upcoming)
        }
    }

    /** A sync that waits for an answer that never comes. */
    @Test
    fun `closing while a sync runs is clean`() = onPhone { hub, phone ->
        val visit = phone.signIn(hub).use { host ->
            host.sync.run()
            val visit = host.visits.create(draft())
            hub.stop()
            hub.silence().use { silent ->
                coroutineScope {
                    val run = async { runCatching { host.sync.run() } }
                    withContext(Dispatchers.IO) { silent.awaitCall() }
                    withContext(Dispatchers.IO) { host.close() }
                    val error = run.await().exceptionOrNull()
                    assertTrue(error is VestibuleException.Cancelled || error is VestibuleException.Closed, "$error")
                }
            }
            failure<VestibuleException.Closed> { host.visits.list() }
            visit
        }
        hub.start()
        phone.open().use { host ->
            host.sync.run()
            assertEquals(Status.UPCOMING, host.visits.show(visit).status)
        }
    }

    @Test
    fun `cancelling the coroutine stops the sync`() = onPhone { hub, phone ->
        phone.signIn(hub).use { host ->
            host.sync.run()
            host.visits.create(draft())
            hub.stop()
            hub.silence().use { silent ->
                coroutineScope {
                    val run = launch { host.sync.run() }
                    withContext(Dispatchers.IO) { silent.awaitCall() }
                    run.cancelAndJoin()
                    assertTrue(run.isCancelled)
                }
                // The next one does not wait for the first.
                coroutineScope {
                    val called = CompletableDeferred<Unit>()
                    val run = launch { host.sync.run() }
                    withContext(Dispatchers.IO) { silent.awaitCall() }
                    called.complete(Unit)
                    run.cancelAndJoin()
                }
            }
            hub.start()
            host.sync.run()
            assertEquals(1, host.visits.counts().upcoming)
        }
    }

    @Test
    fun `a pause stops the sync and keeps the rest`() = onPhone { hub, phone ->
        phone.signIn(hub).use { host ->
            host.sync.run()
            host.visits.create(draft())
            hub.stop()
            hub.silence().use { silent ->
                coroutineScope {
                    val run = async { runCatching { host.sync.run() } }
                    withContext(Dispatchers.IO) { silent.awaitCall() }
                    host.pause()
                    assertTrue(run.await().exceptionOrNull() is VestibuleException.Cancelled)
                }
            }
            assertEquals(1, host.visits.counts().queued)
            host.resume()
            hub.start()
            host.sync.run()
            assertEquals(1, host.visits.counts().upcoming)
        }
    }
}
