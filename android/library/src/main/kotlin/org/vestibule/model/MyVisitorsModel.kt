package org.vestibule.model

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.collectLatest
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import kotlinx.coroutines.plus
import org.vestibule.HostClient
import org.vestibule.ListFilter
import org.vestibule.Tab
import org.vestibule.VestibuleException
import org.vestibule.VisitId
import org.vestibule.VisitList
import org.vestibule.VisitListState
import org.vestibule.Visits

/**
 * The view model of “My visitors”: the screen shows [state] and calls the functions, which return at once.
 *
 * @param client is used, and not closed.
 * @param scope where it lives, for example `viewModelScope`; it ends with it, or with [close].
 * @param pageSize how many rows are loaded at a time.
 */
public class MyVisitorsModel(
    private val client: HostClient,
    scope: CoroutineScope,
    private val pageSize: Int = Visits.PAGE,
) : AutoCloseable {
    private val scope = scope + Job(scope.coroutineContext.job)
    private val states = MutableStateFlow(MyVisitorsState())
    private val list = MutableStateFlow<VisitList?>(null)
    private var syncing: Job? = null

    /** What the screen shows. */
    public val state: StateFlow<MyVisitorsState> = states.asStateFlow()

    init {
        act { follow() }
        act {
            val synced = client.sync.state().syncedAt
            states.update { it.copy(syncedAt = synced) }
            readOrganisation()
        }
    }

    /** Opens a tab. */
    public fun selectTab(tab: Tab) {
        if (states.value.tab == tab) return
        states.update { it.copy(tab = tab, rows = emptyList(), hasMore = false, loading = true) }
        act { list.value?.setFilter(ListFilter.InTab(tab)) }
    }

    /** Looks for visits in all tabs; blank text shows the open tab again. */
    public fun search(text: String): Unit = states.update { it.copy(search = text) }

    /** Loads the next rows of the open tab. */
    public fun loadMore(): Unit = act { list.value?.loadMore() }

    /** Exchanges with the hub, unless that is going on already. */
    public fun sync() {
        synchronized(this) {
            // The state decides, not the job: whoever has read that a run failed may begin another at once.
            if (states.value.sync is SyncStatus.Running) return
            states.update { it.copy(sync = SyncStatus.Running(null)) }
            val run = scope.launch(start = CoroutineStart.LAZY) { exchange() }
            syncing = run
            // Stopped before it began.
            run.invokeOnCompletion { if (syncing === run) endRun(SyncStatus.Idle) }
            run.start()
        }
    }

    /** Stops a running [sync]; what was taken stays. */
    public fun stopSync() {
        synchronized(this) { syncing?.cancel() }
    }

    /** Calls a visit off (S1.8). */
    public fun cancel(visit: VisitId): Unit = act { client.visits.cancel(visit) }

    /** Asks for an unused invitation to be deleted (S4.34). */
    public fun delete(visit: VisitId): Unit = act { client.visits.delete(visit) }

    /** The person has read [MyVisitorsState.problem]. */
    public fun dismissProblem(): Unit = states.update { it.copy(problem = null) }

    /** Ends it; [state] stays as it is. */
    override fun close(): Unit = scope.cancel()

    private fun act(work: suspend () -> Unit) {
        scope.launch {
            try {
                work()
            } catch (error: VestibuleException) {
                states.update { it.copy(problem = error, loading = false) }
            }
        }
    }

    private suspend fun follow() {
        val first = states.value.tab
        client.visits.observe(ListFilter.InTab(first), pageSize).use { list ->
            this.list.value = list
            // The person may have opened another tab meanwhile.
            states.value.tab.let { if (it != first) list.setFilter(ListFilter.InTab(it)) }
            val searches = states.map { it.search.trim() }.distinctUntilChanged()
            combine(list.state, searches) { shown, search -> shown to search }
                .collectLatest { (shown, search) -> if (search.isEmpty()) show(shown) else find(search, shown) }
        }
    }

    private fun show(list: VisitListState): Unit = states.update {
        if (list.loading) {
            it.copy(counts = list.counts, loading = true)
        } else {
            it.copy(rows = list.items, hasMore = list.hasMore, counts = list.counts, loading = false)
        }
    }

    private suspend fun find(text: String, list: VisitListState) {
        val found = client.visits.search(text.take(SEARCH_CHARS), pageSize)
        states.update { it.copy(rows = found, hasMore = false, counts = list.counts, loading = false) }
    }

    private suspend fun exchange() {
        var end: SyncStatus = SyncStatus.Idle
        try {
            client.sync.run { progress ->
                val running = SyncStatus.Running(progress)
                states.update { if (it.sync is SyncStatus.Running) it.copy(sync = running) else it }
            }
            val synced = client.sync.state().syncedAt
            states.update { it.copy(syncedAt = synced) }
            readOrganisation()
        } catch (error: VestibuleException) {
            end = SyncStatus.Failed(error)
        } finally {
            endRun(end)
        }
    }

    private fun endRun(end: SyncStatus) {
        states.update { if (it.sync is SyncStatus.Running) it.copy(sync = end) else it }
    }

    private suspend fun readOrganisation() {
        val organisation = client.directory.organisation()
        states.update { it.copy(organisation = organisation?.name.orEmpty()) }
    }

    private companion object {
        /** More than anybody types, and less than the library takes. */
        const val SEARCH_CHARS = 200
    }
}
