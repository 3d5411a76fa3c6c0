package org.vestibule.model

import org.vestibule.SyncProgress
import org.vestibule.Tab
import org.vestibule.TabCounts
import org.vestibule.VestibuleException
import org.vestibule.VisitSummary
import java.time.Instant

/**
 * Everything the screen “My visitors” shows (S1.4, S1.5).
 *
 * @property organisation the organisation's name; empty until the first sync.
 * @property tab the tab that is open.
 * @property counts how many visits each tab holds.
 * @property rows what the open tab, or the search, shows.
 * @property hasMore whether [MyVisitorsModel.loadMore] would bring more rows.
 * @property loading nothing has been read yet.
 * @property search the text in the search field; with one, [rows] are what was found in all tabs.
 * @property sync where the exchange with the hub stands.
 * @property syncedAt when everything was last exchanged.
 * @property problem what the last action of the person failed with, until [MyVisitorsModel.dismissProblem].
 */
public data class MyVisitorsState(
    val organisation: String = "",
    val tab: Tab = Tab.UPCOMING,
    val counts: TabCounts = TabCounts(),
    val rows: List<VisitSummary> = emptyList(),
    val hasMore: Boolean = false,
    val loading: Boolean = true,
    val search: String = "",
    val sync: SyncStatus = SyncStatus.Idle,
    val syncedAt: Instant? = null,
    val problem: VestibuleException? = null,
) {
    /** How many visits wait on this phone for the hub. */
    public val queued: Long get() = counts.queued
}

/** Where the exchange with the hub stands. */
public sealed interface SyncStatus {
    /** Nothing runs. */
    public data object Idle : SyncStatus

    /**
     * A sync runs.
     *
     * @property progress how far it is, once that is known.
     */
    public data class Running(val progress: SyncProgress?) : SyncStatus

    /**
     * The last sync did not end; what waits is kept.
     *
     * @property error why; its message is for a person.
     */
    public data class Failed(val error: VestibuleException) : SyncStatus
}
