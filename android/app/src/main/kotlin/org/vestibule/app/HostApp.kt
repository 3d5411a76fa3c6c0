package org.vestibule.app

import androidx.compose.material3.SnackbarHostState
import androidx.compose.runtime.Composable
import androidx.compose.runtime.DisposableEffect
import androidx.compose.runtime.LaunchedEffect
import androidx.compose.runtime.collectAsState
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.rememberCoroutineScope
import androidx.compose.runtime.setValue
import org.vestibule.Field
import org.vestibule.HostClient
import org.vestibule.Status
import org.vestibule.Tab
import org.vestibule.VisitDraft
import org.vestibule.VisitId
import org.vestibule.model.InviteModel
import org.vestibule.model.InviteTask
import org.vestibule.model.MyVisitorsModel

/** A host's app: the list, and the form over it. Nothing is decided here: [client]'s view models do. */
@Composable
public fun HostApp(client: HostClient) {
    val strings = LocalWording.current.strings
    val snackbar = remember { SnackbarHostState() }
    val scope = rememberCoroutineScope()
    val model = remember(client) { MyVisitorsModel(client, scope) }
    DisposableEffect(model) { onDispose { model.close() } }
    val state by model.state.collectAsState()
    var task by remember { mutableStateOf<InviteTask?>(null) }
    var said by remember { mutableStateOf<String?>(null) }

    LaunchedEffect(state.problem) {
        state.problem?.let { said = strings.error(it) }
        model.dismissProblem()
    }
    LaunchedEffect(said) {
        said?.let { snackbar.showSnackbar(it) }
        said = null
    }

    val open = task
    if (open == null) {
        MyVisitorsScreen(state, remember(model) { ListActions(model) { task = it } }, snackbar)
    } else {
        InviteForm(client, open) { sent ->
            task = null
            // Saving is confirmed (S4.13).
            if (sent) said = if (open is InviteTask.Edit) strings.keptEdit else strings.kept
        }
    }
}

@Composable
private fun InviteForm(client: HostClient, task: InviteTask, onLeave: (sent: Boolean) -> Unit) {
    val scope = rememberCoroutineScope()
    val model = remember(client, task) { InviteModel(client, scope, task) }
    DisposableEffect(model) { onDispose { model.close() } }
    val state by model.state.collectAsState()
    LaunchedEffect(state.sent) { if (state.sent != null) onLeave(true) }
    InviteScreen(
        state,
        object : InviteActions {
            override fun change(field: Field, draft: VisitDraft) = model.change(field, draft)
            override fun send() = model.send()
            override fun close() = onLeave(false)
        },
    )
}

private class ListActions(
    private val model: MyVisitorsModel,
    private val onOpen: (InviteTask) -> Unit,
) : MyVisitorsActions {
    override fun selectTab(tab: Tab) = model.selectTab(tab)
    override fun search(text: String) = model.search(text)
    override fun loadMore() = model.loadMore()
    override fun sync() = model.sync()
    override fun invite() = onOpen(InviteTask.New)

    override fun open(visit: VisitId) {
        val row = model.state.value.rows.firstOrNull { it.id == visit } ?: return
        onOpen(if (row.status in OVER) InviteTask.Again(visit) else InviteTask.Edit(visit))
    }

    private companion object {
        val OVER = setOf(Status.DEPARTED, Status.CANCELLED, Status.NO_SHOW, Status.EXPIRED, Status.REJECTED)
    }
}
