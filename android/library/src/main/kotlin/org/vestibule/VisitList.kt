package org.vestibule

import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update
import org.vestibule.generated.VisitListListener
import java.util.concurrent.atomic.AtomicBoolean
import org.vestibule.generated.VisitListUpdate as RustUpdate
import org.vestibule.generated.Visits as RustVisits

/**
 * A list that keeps itself. Observers take its [state] at their own pace: one that is slow, or fails, holds nothing up.
 */
public class VisitList internal constructor(rust: RustVisits, filter: ListFilter, pageSize: UInt) : AutoCloseable {
    private val states = MutableStateFlow(VisitListState())
    private val closed = AtomicBoolean()
    private val subscription =
        rust.observe(filter.toRust(), pageSize, ListListener { update -> states.update { it.after(update) } })

    /** The list as it stands. */
    public val state: StateFlow<VisitListState> = states.asStateFlow()

    /** Shows one more page; nothing happens at the end of the list. */
    public fun loadMore() {
        open { subscription.loadMore() }
    }

    /** Shows another list, from its first page. */
    public fun setFilter(filter: ListFilter) {
        open {
            states.update { it.copy(loading = true) }
            subscription.setFilter(filter.toRust())
        }
    }

    /** Ends it; [state] stays as it is. */
    override fun close() {
        if (closed.compareAndSet(false, true)) {
            subscription.cancel()
            subscription.destroy()
        }
    }

    private inline fun open(work: () -> Unit) {
        if (closed.get()) throw VestibuleException.Closed()
        try {
            translated(work)
        } catch (_: IllegalStateException) {
            // It was closed meanwhile.
            throw VestibuleException.Closed()
        }
    }
}

internal class ListListener(private val told: (VisitListUpdate) -> Unit) : VisitListListener {
    override fun onUpdate(update: RustUpdate) = told(update.toPublic())
}
