package org.vestibule.app

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.foundation.layout.ExperimentalLayoutApi
import androidx.compose.foundation.layout.FlowRow
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.imePadding
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.rememberScrollState
import androidx.compose.foundation.verticalScroll
import androidx.compose.material3.Button
import androidx.compose.material3.CenterAlignedTopAppBar
import androidx.compose.material3.ExperimentalMaterial3Api
import androidx.compose.material3.FilterChip
import androidx.compose.material3.Icon
import androidx.compose.material3.IconButton
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Scaffold
import androidx.compose.material3.Surface
import androidx.compose.material3.Text
import androidx.compose.material3.TopAppBarDefaults
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.heading
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.font.FontWeight
import androidx.compose.ui.text.input.KeyboardType
import androidx.compose.ui.unit.dp
import org.vestibule.Field
import org.vestibule.VisitDraft
import org.vestibule.model.InviteState
import org.vestibule.model.InviteTask
import java.time.Duration
import java.time.LocalTime

/** What a person can do on the form. */
public interface InviteActions {
    /** The person changed a field; [draft] is the whole form now. */
    public fun change(field: Field, draft: VisitDraft)

    /** Sends the form. */
    public fun send()

    /** Leaves the form. */
    public fun close()
}

/** The form “Invite a visitor” (S1.11–S1.26): the button is enabled once all mandatory fields are valid. */
@OptIn(ExperimentalMaterial3Api::class)
@Composable
public fun InviteScreen(state: InviteState, actions: InviteActions) {
    val strings = LocalWording.current.strings
    Scaffold(
        topBar = {
            CenterAlignedTopAppBar(
                title = {
                    Text(
                        if (state.task is InviteTask.Edit) strings.editVisit else strings.inviteVisitor,
                        style = MaterialTheme.typography.titleLarge.copy(fontWeight = FontWeight.SemiBold),
                        modifier = Modifier.semantics { heading() },
                    )
                },
                navigationIcon = { IconButton(onClick = actions::close) { Icon(Icons.Cross, strings.close) } },
                colors = TopAppBarDefaults.topAppBarColors(containerColor = MaterialTheme.colorScheme.surface),
            )
        },
        bottomBar = { SendBar(state, actions::send) },
    ) { padding ->
        Column(
            verticalArrangement = Arrangement.spacedBy(14.dp),
            modifier = Modifier
                .padding(padding)
                .imePadding()
                .verticalScroll(rememberScrollState())
                .padding(start = 16.dp, end = 16.dp, top = 4.dp, bottom = 24.dp),
        ) {
            Who(state, actions)
            When(state, actions)
            Where(state, actions)
            Words(state, actions)
        }
    }
}

@Composable
private fun Section(title: String, content: @Composable ColumnScope.() -> Unit) = Surface(
    color = MaterialTheme.colorScheme.surfaceContainerLow,
    shape = MaterialTheme.shapes.large,
    modifier = Modifier.fillMaxWidth(),
) {
    Column(verticalArrangement = Arrangement.spacedBy(10.dp), modifier = Modifier.padding(16.dp)) {
        Text(
            title,
            style = MaterialTheme.typography.titleSmall,
            color = MaterialTheme.colorScheme.primary,
            modifier = Modifier.semantics { heading() },
        )
        content()
    }
}

@OptIn(ExperimentalLayoutApi::class)
@Composable
private fun Who(state: InviteState, actions: InviteActions) {
    val draft = state.draft
    Section(LocalWording.current.strings.visitor) {
        Row(horizontalArrangement = Arrangement.spacedBy(10.dp)) {
            TypedField(state, Field.FIRST_NAME, draft.firstName, Modifier.weight(1f), also = Field.NAME) {
                actions.change(Field.FIRST_NAME, draft.copy(firstName = it))
            }
            TypedField(state, Field.LAST_NAME, draft.lastName, Modifier.weight(1f)) {
                actions.change(Field.LAST_NAME, draft.copy(lastName = it))
            }
        }
        TypedField(state, Field.EMAIL, draft.email, keyboard = KeyboardType.Email, optional = !state.emailRequired) {
            actions.change(Field.EMAIL, draft.copy(email = it))
        }
        TypedField(state, Field.COMPANY, draft.company, optional = true) {
            actions.change(Field.COMPANY, draft.copy(company = it))
        }
        TypedField(state, Field.PHONE, draft.phone, keyboard = KeyboardType.Phone, optional = true) {
            actions.change(Field.PHONE, draft.copy(phone = it))
        }
        VisitorTypes(state, actions)
    }
}

@OptIn(ExperimentalLayoutApi::class)
@Composable
private fun VisitorTypes(state: InviteState, actions: InviteActions) {
    if (state.visitorTypes.isEmpty()) return
    val strings = LocalWording.current.strings
    Text(
        strings.field(Field.VISITOR_TYPE),
        style = MaterialTheme.typography.labelLarge,
        color = MaterialTheme.colorScheme.onSurfaceVariant,
    )
    FlowRow(horizontalArrangement = Arrangement.spacedBy(8.dp)) {
        for (type in state.visitorTypes) {
            val selected = state.draft.visitorType == type.id.value
            FilterChip(
                selected = selected,
                onClick = {
                    val chosen = type.id.value.takeUnless { selected }
                    actions.change(Field.VISITOR_TYPE, state.draft.copy(visitorType = chosen))
                },
                label = { Text(type.name) },
                leadingIcon = if (selected) ({ Icon(Icons.Check, null) }) else null,
            )
        }
    }
    val chosen = state.visitorTypes.firstOrNull { it.id.value == state.draft.visitorType }
    if (chosen?.needsApproval == true) Hint(Icons.Hourglass, strings.approvalHint)
    Problem(state.problemOf(Field.VISITOR_TYPE))
}

@Composable
private fun When(state: InviteState, actions: InviteActions) {
    val draft = state.draft
    val strings = LocalWording.current.strings
    Section(strings.whenTitle) {
        DayField(state, draft.start?.toLocalDate()) { day ->
            val start = day.atTime(draft.start?.toLocalTime() ?: LocalTime.of(9, 0))
            actions.change(Field.START, draft.copy(start = start, end = start + draft.lengthOr(ONE_HOUR)))
        }
        Row(horizontalArrangement = Arrangement.spacedBy(10.dp)) {
            TimeField(state, Field.START, draft.start?.toLocalTime(), Modifier.weight(1f)) { time ->
                val day = draft.start?.toLocalDate() ?: return@TimeField
                actions.change(Field.START, draft.copy(start = day.atTime(time)))
            }
            TimeField(state, Field.END, draft.end?.toLocalTime(), Modifier.weight(1f)) { time ->
                val day = (draft.end ?: draft.start)?.toLocalDate() ?: return@TimeField
                actions.change(Field.END, draft.copy(end = day.atTime(time)))
            }
        }
        if (draft.start == null) Hint(Icons.Clock, strings.anyTimeHint)
    }
}

private val ONE_HOUR = Duration.ofHours(1)

private fun VisitDraft.lengthOr(other: Duration): Duration =
    if (start != null && end != null && end!! > start) Duration.between(start, end) else other

@Composable
private fun Where(state: InviteState, actions: InviteActions) {
    val draft = state.draft
    Section(LocalWording.current.strings.whereTitle) {
        ChoiceField(state, Field.SITE, draft.site, state.sites.map { it.id.value to it.name }) {
            actions.change(Field.SITE, draft.copy(site = it, space = null))
        }
        if (state.spaces.isNotEmpty()) {
            ChoiceField(state, Field.SPACE, draft.space, state.spaces.map { it.id.value to it.name }, optional = true) {
                actions.change(Field.SPACE, draft.copy(space = it))
            }
        }
        if (state.hosts.size > 1) {
            ChoiceField(state, Field.HOST, draft.host, state.hosts.map { it.id.value to it.name }) {
                actions.change(Field.HOST, draft.copy(host = it))
            }
        }
    }
}

@Composable
private fun Words(state: InviteState, actions: InviteActions) {
    val draft = state.draft
    val strings = LocalWording.current.strings
    Section(strings.wordsTitle) {
        TypedField(state, Field.MESSAGE, draft.message, lines = 2, optional = true, hint = strings.messageHint) {
            actions.change(Field.MESSAGE, draft.copy(message = it))
        }
        if (state.task !is InviteTask.Edit) {
            val (hint, icon) = strings.noteHint to Icons.Lock
            TypedField(state, Field.NOTE, draft.note, lines = 2, optional = true, hint = hint, icon = icon) {
                actions.change(Field.NOTE, draft.copy(note = it))
            }
        }
    }
}

@Composable
private fun SendBar(state: InviteState, onSend: () -> Unit) {
    val strings = LocalWording.current.strings
    Surface(color = MaterialTheme.colorScheme.surfaceContainer) {
        Column(
            verticalArrangement = Arrangement.spacedBy(6.dp),
            modifier = Modifier.padding(horizontal = 16.dp, vertical = 12.dp),
        ) {
            val words = when {
                state.failure != null -> strings.error(state.failure!!)
                state.missing.isNotEmpty() -> strings.missing(state.missing.joinToString(transform = strings::field))
                state.problems.isNotEmpty() -> strings.toCorrect(state.wrong.joinToString(transform = strings::field))
                else -> null
            }
            val colors = MaterialTheme.colorScheme
            words?.let {
                Text(
                    it,
                    style = MaterialTheme.typography.bodySmall,
                    color = if (state.failure == null) colors.onSurfaceVariant else colors.error,
                    modifier = Modifier.semantics { liveRegion = LiveRegionMode.Polite },
                )
            }
            Button(onClick = onSend, enabled = state.canSend, modifier = Modifier.fillMaxWidth()) {
                Text(
                    if (state.task is InviteTask.Edit) strings.save else strings.invite,
                    style = MaterialTheme.typography.titleMedium,
                    modifier = Modifier.padding(vertical = 4.dp),
                )
            }
        }
    }
}
