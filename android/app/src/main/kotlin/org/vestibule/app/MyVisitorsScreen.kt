package org.vestibule.app

import androidx.compose.foundation.background
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.PaddingValues
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.layout.widthIn
import androidx.compose.foundation.lazy.LazyColumn
import androidx.compose.foundation.lazy.items
import androidx.compose.foundation.shape.CircleShape
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.material3.ExperimentalMaterial3Api
import androidx.compose.material3.ExtendedFloatingActionButton
import androidx.compose.material3.Icon
import androidx.compose.material3.IconButton
import androidx.compose.material3.LinearProgressIndicator
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.PrimaryScrollableTabRow
import androidx.compose.material3.Scaffold
import androidx.compose.material3.SnackbarHost
import androidx.compose.material3.SnackbarHostState
import androidx.compose.material3.Surface
import androidx.compose.material3.Tab
import androidx.compose.material3.Text
import androidx.compose.material3.TextButton
import androidx.compose.material3.TextField
import androidx.compose.material3.TextFieldDefaults
import androidx.compose.material3.pulltorefresh.PullToRefreshBox
import androidx.compose.runtime.Composable
import androidx.compose.runtime.remember
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.draw.clip
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.clearAndSetSemantics
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.heading
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.font.FontWeight
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.text.style.TextDirection
import androidx.compose.ui.unit.dp
import org.vestibule.TabCounts
import org.vestibule.VisitId
import org.vestibule.VisitSummary
import org.vestibule.model.MyVisitorsState
import org.vestibule.model.SyncStatus
import java.time.LocalDate
import org.vestibule.Tab as VisitTab

/** The tabs in the order a host looks at them. */
internal val TABS = listOf(VisitTab.UPCOMING, VisitTab.PENDING, VisitTab.QUEUED, VisitTab.ON_SITE, VisitTab.PAST)

/** What a person can do on the screen “My visitors”. */
public interface MyVisitorsActions {
    /** Opens a tab. */
    public fun selectTab(tab: VisitTab)

    /** Looks for visits in all tabs; nothing ends the search. */
    public fun search(text: String)

    /** Loads the next rows. */
    public fun loadMore()

    /** Exchanges with the hub. */
    public fun sync()

    /** Opens the form for a new visit. */
    public fun invite()

    /** Opens a visit. */
    public fun open(visit: VisitId)
}

/** The host's list (S1.4, S1.5): tabs with counts, what waits on this phone, search, and the way to the form. */
@OptIn(ExperimentalMaterial3Api::class)
@Composable
public fun MyVisitorsScreen(
    state: MyVisitorsState,
    actions: MyVisitorsActions,
    snackbar: SnackbarHostState = remember { SnackbarHostState() },
) {
    val strings = LocalWording.current.strings
    Scaffold(
        topBar = { Header(state, actions) },
        snackbarHost = { SnackbarHost(snackbar) },
        floatingActionButton = {
            ExtendedFloatingActionButton(
                onClick = actions::invite,
                // Material keeps the text of this button from screen readers.
                icon = { Icon(Icons.Invite, strings.invite) },
                text = { Text(strings.invite) },
                containerColor = MaterialTheme.colorScheme.primary,
                contentColor = MaterialTheme.colorScheme.onPrimary,
            )
        },
    ) { padding ->
        PullToRefreshBox(
            isRefreshing = false,
            onRefresh = actions::sync,
            modifier = Modifier.padding(padding).fillMaxSize(),
        ) { Rows(state, actions) }
    }
}

@Composable
private fun Header(state: MyVisitorsState, actions: MyVisitorsActions) {
    Column(Modifier.background(MaterialTheme.colorScheme.surface)) {
        Row(
            verticalAlignment = Alignment.CenterVertically,
            modifier = Modifier.padding(start = 20.dp, end = 8.dp, top = 14.dp, bottom = 6.dp),
        ) {
            Column(Modifier.weight(1f)) {
                Text(
                    LocalWording.current.strings.myVisitors,
                    style = MaterialTheme.typography.headlineMedium.copy(fontWeight = FontWeight.Bold),
                    modifier = Modifier.semantics { heading() },
                )
                Text(
                    listOf(state.organisation, syncWords(state)).filter { it.isNotEmpty() }.joinToString(" · "),
                    style = MaterialTheme.typography.bodyMedium,
                    color = MaterialTheme.colorScheme.onSurfaceVariant,
                    modifier = Modifier.semantics { liveRegion = LiveRegionMode.Polite },
                )
            }
            IconButton(onClick = actions::sync, enabled = state.sync !is SyncStatus.Running) {
                Icon(Icons.Sync, LocalWording.current.strings.syncNow)
            }
        }
        SearchField(state.search, actions::search)
        // A search looks into all of them.
        if (state.search.isBlank()) Tabs(state.tab, state.counts, actions::selectTab) else Found()
        (state.sync as? SyncStatus.Running)?.let { SyncBar(it) }
    }
}

@Composable
private fun syncWords(state: MyVisitorsState): String {
    val wording = LocalWording.current
    val running = state.sync as? SyncStatus.Running
    return when {
        running != null -> wording.strings.syncing(running.done, running.all)
        else -> state.syncedAt?.let { wording.strings.syncedAt(wording.moment(it)) }.orEmpty()
    }
}

private val SyncStatus.Running.done: Long get() = progress?.let { it.sent + it.received } ?: 0
private val SyncStatus.Running.all: Long get() = progress?.let { done + it.toSend + it.remaining } ?: 0

@Composable
private fun SyncBar(sync: SyncStatus.Running) {
    if (sync.all > 0) {
        LinearProgressIndicator({ sync.done.toFloat() / sync.all }, Modifier.fillMaxWidth())
    } else {
        LinearProgressIndicator(Modifier.fillMaxWidth())
    }
}

@Composable
private fun SearchField(text: String, onChange: (String) -> Unit) {
    val strings = LocalWording.current.strings
    TextField(
        value = text,
        onValueChange = onChange,
        placeholder = { Text(strings.search) },
        leadingIcon = { Icon(Icons.Search, null) },
        trailingIcon = if (text.isEmpty()) null else {
            { IconButton(onClick = { onChange("") }) { Icon(Icons.Cross, strings.clear) } }
        },
        singleLine = true,
        textStyle = MaterialTheme.typography.bodyLarge.copy(textDirection = TextDirection.Content),
        shape = RoundedCornerShape(50),
        colors = TextFieldDefaults.colors(
            focusedContainerColor = MaterialTheme.colorScheme.surfaceContainerHigh,
            unfocusedContainerColor = MaterialTheme.colorScheme.surfaceContainerHigh,
            focusedIndicatorColor = Color.Transparent,
            unfocusedIndicatorColor = Color.Transparent,
        ),
        modifier = Modifier
            .fillMaxWidth()
            .padding(horizontal = 16.dp, vertical = 6.dp)
            .semantics { contentDescription = strings.search },
    )
}

@Composable
private fun Found() = Text(
    LocalWording.current.strings.inAllTabs,
    style = MaterialTheme.typography.labelLarge,
    color = MaterialTheme.colorScheme.primary,
    modifier = Modifier.padding(start = 20.dp, top = 10.dp, bottom = 10.dp).semantics { heading() },
)

@OptIn(ExperimentalMaterial3Api::class)
@Composable
private fun Tabs(open: VisitTab, counts: TabCounts, onSelect: (VisitTab) -> Unit) {
    val strings = LocalWording.current.strings
    PrimaryScrollableTabRow(
        selectedTabIndex = TABS.indexOf(open),
        edgePadding = 8.dp,
        minTabWidth = 72.dp,
        containerColor = Color.Transparent,
    ) {
        for (tab in TABS) {
            val selected = tab == open
            Tab(
                selected = selected,
                onClick = { onSelect(tab) },
                text = {
                    Row(
                        horizontalArrangement = Arrangement.spacedBy(6.dp),
                        verticalAlignment = Alignment.CenterVertically,
                        modifier = Modifier.clearAndSetSemantics {
                            contentDescription = strings.tabWithCount(tab, counts[tab])
                        },
                    ) {
                        Text(strings.tab(tab), maxLines = 1)
                        if (counts[tab] > 0) Count(counts[tab], selected)
                    }
                },
                unselectedContentColor = MaterialTheme.colorScheme.onSurfaceVariant,
            )
        }
    }
}

@Composable
private fun Count(count: Long, selected: Boolean) {
    val colors = MaterialTheme.colorScheme
    Text(
        if (count > 999) "999+" else count.toString(),
        style = MaterialTheme.typography.labelSmall,
        color = if (selected) colors.onPrimary else colors.onSurfaceVariant,
        textAlign = TextAlign.Center,
        modifier = Modifier
            .clip(RoundedCornerShape(50))
            .background(if (selected) colors.primary else colors.surfaceContainerHighest)
            .widthIn(min = 20.dp)
            .padding(horizontal = 6.dp, vertical = 2.dp),
    )
}

@Composable
private fun Rows(state: MyVisitorsState, actions: MyVisitorsActions) {
    val wording = LocalWording.current
    LazyColumn(
        verticalArrangement = Arrangement.spacedBy(10.dp),
        contentPadding = PaddingValues(start = 16.dp, end = 16.dp, top = 12.dp, bottom = 96.dp),
        modifier = Modifier.fillMaxSize(),
    ) {
        item(key = "banner") { Banner(state, actions::sync) }
        for ((day, rows) in byDay(state.rows)) {
            item(key = "$day") { DayHeader(day?.let(wording::day) ?: wording.strings.unscheduled) }
            items(rows, key = { it.id.value }) { VisitCard(it, actions::open) }
        }
        if (state.rows.isEmpty() && !state.loading) item(key = "empty") { Empty(state) }
        if (state.hasMore) {
            item(key = "more") {
                TextButton(actions::loadMore, Modifier.fillMaxWidth()) { Text(wording.strings.more) }
            }
        }
    }
}

/** The rows in their order, in groups of the same day at the site; those without a schedule have none. */
internal fun byDay(rows: List<VisitSummary>): List<Pair<LocalDate?, List<VisitSummary>>> =
    rows.groupBy { it.time?.localStart?.toLocalDate() }.toList()

@Composable
private fun DayHeader(text: String) = Text(
    text,
    style = MaterialTheme.typography.labelLarge,
    color = MaterialTheme.colorScheme.onSurfaceVariant,
    modifier = Modifier.padding(start = 4.dp, top = 8.dp).semantics { heading() },
)

/** Says that what is not sent is safe, and why it is not. */
@Composable
private fun Banner(state: MyVisitorsState, onSync: () -> Unit) {
    val strings = LocalWording.current.strings
    val failure = (state.sync as? SyncStatus.Failed)?.error
    if (state.queued == 0L && failure == null) return
    Surface(
        color = MaterialTheme.colorScheme.secondaryContainer,
        contentColor = MaterialTheme.colorScheme.onSecondaryContainer,
        shape = MaterialTheme.shapes.medium,
        modifier = Modifier.fillMaxWidth().semantics { liveRegion = LiveRegionMode.Polite },
    ) {
        Row(
            horizontalArrangement = Arrangement.spacedBy(14.dp),
            verticalAlignment = Alignment.CenterVertically,
            modifier = Modifier.padding(start = 16.dp, end = 8.dp, top = 10.dp, bottom = 10.dp),
        ) {
            Icon(if (failure == null) Icons.Outbox else Icons.Offline, null)
            Column(Modifier.weight(1f)) {
                if (state.queued > 0) {
                    Text(
                        strings.waiting(state.queued),
                        style = MaterialTheme.typography.bodyMedium.copy(fontWeight = FontWeight.Medium),
                    )
                }
                failure?.let { Text(strings.error(it), style = MaterialTheme.typography.bodySmall) }
            }
            TextButton(onClick = onSync, enabled = state.sync !is SyncStatus.Running) { Text(strings.sendNow) }
        }
    }
}

@Composable
private fun Empty(state: MyVisitorsState) {
    val strings = LocalWording.current.strings
    val (title, advice) = if (state.search.isBlank()) strings.empty(state.tab) else strings.nothingFound to ""
    Column(
        horizontalAlignment = Alignment.CenterHorizontally,
        verticalArrangement = Arrangement.spacedBy(10.dp),
        modifier = Modifier.fillMaxWidth().padding(top = 72.dp, start = 24.dp, end = 24.dp),
    ) {
        Box(
            contentAlignment = Alignment.Center,
            modifier = Modifier.size(112.dp).clip(CircleShape).background(MaterialTheme.colorScheme.primaryContainer),
        ) {
            Icon(Icons.Arch, null, Modifier.size(60.dp), tint = MaterialTheme.colorScheme.onPrimaryContainer)
        }
        Text(title, style = MaterialTheme.typography.titleLarge, textAlign = TextAlign.Center)
        Text(
            advice,
            style = MaterialTheme.typography.bodyMedium,
            color = MaterialTheme.colorScheme.onSurfaceVariant,
            textAlign = TextAlign.Center,
        )
    }
}
