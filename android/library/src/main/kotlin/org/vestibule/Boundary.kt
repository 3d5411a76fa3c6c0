package org.vestibule

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import org.vestibule.generated.VestibuleApiException
import java.nio.charset.CharacterCodingException
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicBoolean
import org.vestibule.generated.InternalException as RustPanic

/** The life of a client: what runs on it ends with it, and what comes later is told so. */
internal class Lifetime {
    private val closed = AtomicBoolean()
    private val endings: MutableSet<() -> Unit> = ConcurrentHashMap.newKeySet()

    /** Runs a blocking call into Rust where blocking is allowed. A call that has begun is finished. */
    suspend fun <T> call(work: () -> T): T = withContext(Dispatchers.IO) { callHere(work) }

    /** Runs a call into Rust and turns what goes wrong into a [VestibuleException]. */
    inline fun <T> callHere(work: () -> T): T {
        if (closed.get()) throw VestibuleException.Closed()
        return try {
            translated(work)
        } catch (error: IllegalStateException) {
            // The generated code says so of an object that was given back meanwhile.
            if (closed.get()) throw VestibuleException.Closed()
            throw VestibuleException.Internal("an object was given back too early", error)
        }
    }

    /** Has something done when the client is closed, at once if it is; the handle forgets it. */
    fun whenClosed(ending: () -> Unit): AutoCloseable {
        endings += ending
        if (closed.get()) ending()
        return AutoCloseable { endings -= ending }
    }

    /** Ends it; true for the first one who does. */
    fun end(): Boolean {
        if (!closed.compareAndSet(false, true)) return false
        endings.forEach { it() }
        endings.clear()
        return true
    }
}

/** Runs a call into Rust and turns what goes wrong into a [VestibuleException]. */
internal inline fun <T> translated(work: () -> T): T = try {
    work()
} catch (error: VestibuleApiException) {
    throw error.toPublic()
} catch (error: CharacterCodingException) {
    throw VestibuleException.BadArgument("text", "has half of a character")
} catch (error: RustPanic) {
    throw VestibuleException.Internal("a call panicked", error)
}

/** Runs what an app wants to be told: what it throws stays here, for its words may hold anything. */
internal inline fun unheard(told: () -> Unit) {
    try {
        told()
    } catch (_: Throwable) {
        // Nobody to tell.
    }
}

/** A number of rows for Rust, which counts without a sign. */
internal fun rows(argument: String, number: Int): UInt =
    if (number >= 0) number.toUInt() else throw VestibuleException.BadArgument(argument, "is negative")

private fun VestibuleApiException.toPublic(): VestibuleException = when (this) {
    is VestibuleApiException.BadDraft -> VestibuleException.BadDraft(problems.map { it.toPublic() })
    is VestibuleApiException.Unreachable -> VestibuleException.Unreachable()
    is VestibuleApiException.Later -> VestibuleException.Later(code, reason, seconds?.toLong())
    is VestibuleApiException.Refused -> VestibuleException.Refused(code, reason)
    is VestibuleApiException.SignInAgain -> VestibuleException.SignInAgain()
    is VestibuleApiException.NotSignedIn -> VestibuleException.NotSignedIn()
    is VestibuleApiException.HubRestored -> VestibuleException.HubRestored()
    is VestibuleApiException.NeedsNewKey -> VestibuleException.NeedsNewKey()
    is VestibuleApiException.Disbelieved -> VestibuleException.Disbelieved(reason)
    is VestibuleApiException.Cancelled -> VestibuleException.Cancelled()
    is VestibuleApiException.NotFound -> VestibuleException.NotFound()
    is VestibuleApiException.BadAddress -> VestibuleException.BadAddress()
    is VestibuleApiException.UpdateApp -> VestibuleException.UpdateApp()
    is VestibuleApiException.WrongKey -> VestibuleException.WrongKey()
    is VestibuleApiException.Store -> VestibuleException.Store(reason)
    is VestibuleApiException.Provider -> VestibuleException.Provider(reason)
    is VestibuleApiException.BadArgument -> VestibuleException.BadArgument(camelCase(argument), reason)
    is VestibuleApiException.Closed -> VestibuleException.Closed()
    is VestibuleApiException.Internal -> VestibuleException.Internal(reason)
}

private fun camelCase(name: String): String =
    Regex("_(.)").replace(name) { it.groupValues[1].uppercase() }
