package org.vestibule

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.async
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.channelFlow
import kotlinx.coroutines.withContext
import org.vestibule.generated.SyncCancel
import org.vestibule.generated.SyncListener
import java.time.Duration
import java.time.Instant
import org.vestibule.generated.SyncProgress as RustProgress
import org.vestibule.generated.Syncs as RustSyncs

/** The way to the hub. */
public class Syncs internal constructor(private val rust: RustSyncs, private val lifetime: Lifetime) {
    /**
     * Sends what waits and fetches what is new; returns when both are done. One at a time: a second one waits for the
     * first. Cancelling the coroutine stops the run, and what was taken stays.
     *
     * @param onProgress told on a thread of the library's; while it runs, later steps are told as one, and what it
     * throws is not heard.
     * @throws VestibuleException whatever it is, unsent work is kept: [VestibuleException.Unreachable] without a
     * network, [VestibuleException.SignInAgain], and [VestibuleException.Closed] or [VestibuleException.Cancelled]
     * where the client was closed or paused meanwhile.
     */
    public suspend fun run(onProgress: (SyncProgress) -> Unit = {}): SyncReport = coroutineScope {
        val cancel = SyncCancel()
        // The run is stopped by its handle and waited for, so that nothing is left behind when this returns.
        val run = async {
            runCatching { withContext(NonCancellable) { lifetime.callHere { rust.run(Listener(onProgress), cancel) } } }
        }
        try {
            run.await().getOrThrow().toPublic()
        } catch (error: CancellationException) {
            cancel.cancel()
            run.join()
            throw error
        } finally {
            cancel.destroy()
        }
    }

    /** A [run] as a flow: collecting it runs a sync, and gives its progress, the latest for a slow collector. */
    public fun progress(): Flow<SyncProgress> =
        channelFlow { this@Syncs.run { trySend(it) } }.buffer(Channel.CONFLATED)

    /** What the last syncs left. */
    public suspend fun state(): SyncStateView = lifetime.call { rust.state().toPublic() }

    /** What the hub sent and this version cannot use; it is kept, and read again after an update. */
    public suspend fun trouble(): List<Trouble> = lifetime.call { rust.trouble().map { it.toPublic() } }

    /**
     * Whether something is shown wrong because the hub uses what this version does not know: tell the person to update
     * the app. The visits concerned ask for attention with the problem `update_app`.
     */
    public suspend fun needsUpdate(): Boolean = lifetime.call { rust.needsUpdate() }

    internal fun destroy(): Unit = rust.destroy()

    private class Listener(private val told: (SyncProgress) -> Unit) : SyncListener {
        override fun onProgress(progress: RustProgress) = unheard { told(progress.toPublic()) }
    }
}

/**
 * How far a sync is.
 *
 * @property sent operations the hub has answered in this run.
 * @property toSend operations still to be answered.
 * @property received rows received in this run.
 * @property remaining rows the hub still has for this phone.
 */
public data class SyncProgress(val sent: Long, val toSend: Long, val received: Long, val remaining: Long)

/**
 * What a sync that left nothing to do has to tell a person.
 *
 * @property setBack the hub was restored from a backup, and was sent again what it had forgotten; told once.
 */
public data class SyncReport(val setBack: HubSetBack?)

/**
 * That the hub was restored from a backup.
 *
 * @property to the hub remembers everything up to this time.
 * @property sentAgain how many invitations were sent again.
 */
public data class HubSetBack(val to: Instant?, val sentAgain: Long)

/**
 * What the last syncs left.
 *
 * @property syncedAt when the last sync ended with nothing left to do, by the hub's clock.
 * @property hubTime the latest time the hub has signed.
 * @property clockOffBy how far this phone's clock is ahead of the hub's (behind is negative), where that is more than two
 *   minutes and a person who reads times on it should know; else zero. Everything here goes by the hub's clock.
 */
public data class SyncStateView(val syncedAt: Instant?, val hubTime: Instant?, val clockOffBy: Duration)

/** Why something the hub sent is listed as [Trouble]. */
public enum class TroubleKind {
    /** It is of a part of the feed this version does not know. */
    SCOPE,

    /** It is of a kind this version does not know. */
    ROW,

    /** It is a kind of directory row this version does not know. */
    DIRECTORY,

    /** It also writes keys of a visit this version does not know. */
    KEYS,

    /** It is a decision of a kind this version does not know. */
    FACT,

    /** It has fields this version does not know. */
    FIELDS,

    /** It could not be taken. */
    QUARANTINED,
}

/**
 * Something the hub sent that this version cannot use, or not all of.
 *
 * @property kind why it is listed.
 * @property detail what is not known: a number, or the names of keys. Of what could not be taken, a stable code.
 * @property visit the visit it is about, if it is about one.
 * @property updateApp what is shown without it is wrong: the app has to be updated.
 */
public data class Trouble(val kind: TroubleKind, val detail: String, val visit: VisitId?, val updateApp: Boolean)
