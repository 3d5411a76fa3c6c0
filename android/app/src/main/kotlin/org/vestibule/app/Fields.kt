package org.vestibule.app

import androidx.compose.foundation.clickable
import androidx.compose.foundation.interaction.MutableInteractionSource
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.text.KeyboardOptions
import androidx.compose.material3.DatePicker
import androidx.compose.material3.DatePickerDialog
import androidx.compose.material3.DropdownMenuItem
import androidx.compose.material3.ExperimentalMaterial3Api
import androidx.compose.material3.ExposedDropdownMenuAnchorType
import androidx.compose.material3.ExposedDropdownMenuBox
import androidx.compose.material3.Icon
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.OutlinedTextField
import androidx.compose.material3.Text
import androidx.compose.material3.TextButton
import androidx.compose.material3.TimePicker
import androidx.compose.material3.TimePickerDialog
import androidx.compose.material3.rememberDatePickerState
import androidx.compose.material3.rememberTimePickerState
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.setValue
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.graphics.vector.ImageVector
import androidx.compose.ui.semantics.Role
import androidx.compose.ui.semantics.clearAndSetSemantics
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.error
import androidx.compose.ui.semantics.onClick
import androidx.compose.ui.semantics.role
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.semantics.stateDescription
import androidx.compose.ui.text.input.ImeAction
import androidx.compose.ui.text.input.KeyboardCapitalization
import androidx.compose.ui.text.input.KeyboardType
import androidx.compose.ui.text.style.TextDirection
import androidx.compose.ui.unit.dp
import org.vestibule.Field
import org.vestibule.FieldProblem
import org.vestibule.model.InviteState
import java.time.Instant
import java.time.LocalDate
import java.time.LocalTime
import java.time.ZoneOffset

/** A field to type in. `also` is a problem of the form that is shown here too. */
@Composable
internal fun TypedField(
    state: InviteState,
    field: Field,
    value: String?,
    modifier: Modifier = Modifier,
    also: Field? = null,
    keyboard: KeyboardType = KeyboardType.Text,
    optional: Boolean = false,
    lines: Int = 1,
    hint: String? = null,
    icon: ImageVector? = null,
    onChange: (String) -> Unit,
) {
    val problem = state.problemOf(field) ?: also?.let(state::problemOf)
    val strings = LocalWording.current.strings
    val isText = keyboard == KeyboardType.Text
    OutlinedTextField(
        value = value.orEmpty(),
        onValueChange = onChange,
        label = { Text(strings.field(field)) },
        placeholder = if (optional) ({ Text(strings.optional) }) else null,
        isError = problem != null,
        supportingText = (problem?.let(strings::problem) ?: hint)?.let { { Text(it) } },
        trailingIcon = icon?.let { { Icon(it, null) } },
        singleLine = lines == 1,
        minLines = lines,
        textStyle = MaterialTheme.typography.bodyLarge.copy(textDirection = TextDirection.Content),
        keyboardOptions = KeyboardOptions(
            keyboardType = keyboard,
            capitalization = if (isText) KeyboardCapitalization.Sentences else KeyboardCapitalization.None,
            imeAction = if (lines == 1) ImeAction.Next else ImeAction.Default,
        ),
        shape = MaterialTheme.shapes.small,
        modifier = modifier.fillMaxWidth().semantics { problem?.let { error(strings.problem(it)) } },
    )
}

/** A field whose value is chosen from a list. */
@OptIn(ExperimentalMaterial3Api::class)
@Composable
internal fun ChoiceField(
    state: InviteState,
    field: Field,
    value: String?,
    choices: List<Pair<String, String>>,
    optional: Boolean = false,
    onChange: (String?) -> Unit,
) {
    var open by remember { mutableStateOf(false) }
    val strings = LocalWording.current.strings
    val problem = state.problemOf(field)
    ExposedDropdownMenuBox(open, { open = it }) {
        OutlinedTextField(
            value = choices.firstOrNull { it.first == value }?.second ?: value.orEmpty(),
            onValueChange = {},
            readOnly = true,
            label = { Text(strings.field(field)) },
            placeholder = { Text(if (optional) strings.optional else strings.choose) },
            isError = problem != null,
            supportingText = problem?.let { { Text(strings.problem(it)) } },
            trailingIcon = { Icon(Icons.Down, null) },
            singleLine = true,
            shape = MaterialTheme.shapes.small,
            modifier = Modifier.menuAnchor(ExposedDropdownMenuAnchorType.PrimaryNotEditable).fillMaxWidth(),
        )
        ExposedDropdownMenu(open, { open = false }) {
            val all: List<Pair<String?, String>> = if (optional) listOf(null to strings.none) + choices else choices
            for ((id, name) in all) {
                DropdownMenuItem(
                    text = { Text(name) },
                    onClick = {
                        open = false
                        onChange(id)
                    },
                )
            }
        }
    }
}

/** The day of the visit. */
@OptIn(ExperimentalMaterial3Api::class)
@Composable
internal fun DayField(state: InviteState, value: LocalDate?, onChange: (LocalDate) -> Unit) {
    var open by remember { mutableStateOf(false) }
    val wording = LocalWording.current
    val shown = value?.let(wording::shortDay)
    PickedField(state, null, wording.strings.day, shown, Icons.Calendar, Modifier) { open = true }
    if (!open) return
    // The picker counts in milliseconds of UTC, whatever the zone of the site.
    val first = value ?: wording.today().plusDays(1)
    val picker = rememberDatePickerState(first.atStartOfDay(ZoneOffset.UTC).toInstant().toEpochMilli())
    DatePickerDialog(
        onDismissRequest = { open = false },
        confirmButton = {
            TextButton(onClick = {
                open = false
                val picked = picker.selectedDateMillis?.let(Instant::ofEpochMilli)
                picked?.let { onChange(it.atZone(ZoneOffset.UTC).toLocalDate()) }
            }) { Text(wording.strings.ok) }
        },
        dismissButton = { TextButton(onClick = { open = false }) { Text(wording.strings.cancel) } },
    ) { DatePicker(picker) }
}

/** A time of the visit, on the clocks of the site. */
@OptIn(ExperimentalMaterial3Api::class)
@Composable
internal fun TimeField(
    state: InviteState,
    field: Field,
    value: LocalTime?,
    modifier: Modifier,
    onChange: (LocalTime) -> Unit,
) {
    var open by remember { mutableStateOf(false) }
    val wording = LocalWording.current
    val shown = value?.let { wording.time(it) }
    PickedField(state, field, wording.strings.field(field), shown, Icons.Clock, modifier) { open = true }
    if (!open) return
    val picker = rememberTimePickerState(value?.hour ?: 9, value?.minute ?: 0)
    TimePickerDialog(
        onDismissRequest = { open = false },
        title = { Text(wording.strings.field(field)) },
        confirmButton = {
            TextButton(onClick = {
                open = false
                onChange(LocalTime.of(picker.hour, picker.minute))
            }) { Text(wording.strings.ok) }
        },
        dismissButton = { TextButton(onClick = { open = false }) { Text(wording.strings.cancel) } },
    ) { TimePicker(picker) }
}

/** Looks like a field and works like a button: what it holds is picked in a dialog. */
@Composable
private fun PickedField(
    state: InviteState,
    field: Field?,
    label: String,
    value: String?,
    icon: ImageVector,
    modifier: Modifier,
    onOpen: () -> Unit,
) {
    val strings = LocalWording.current.strings
    val problem = field?.let(state::problemOf)
    Box(modifier) {
        OutlinedTextField(
            value = value.orEmpty(),
            onValueChange = {},
            readOnly = true,
            label = { Text(label) },
            isError = problem != null,
            supportingText = problem?.let { { Text(strings.problem(it)) } },
            trailingIcon = { Icon(icon, null) },
            singleLine = true,
            shape = MaterialTheme.shapes.small,
            modifier = Modifier.fillMaxWidth().clearAndSetSemantics {},
        )
        Box(
            Modifier
                .matchParentSize()
                .semantics {
                    contentDescription = label
                    stateDescription = value ?: strings.choose
                    problem?.let { error(strings.problem(it)) }
                }
                .clickable(remember { MutableInteractionSource() }, null, role = Role.Button, onClick = onOpen),
        )
    }
}

/** A word of advice in the form. */
@Composable
internal fun Hint(icon: ImageVector, text: String) = Row(
    horizontalArrangement = Arrangement.spacedBy(8.dp),
    verticalAlignment = Alignment.CenterVertically,
) {
    Icon(icon, null, Modifier.size(18.dp), tint = MaterialTheme.colorScheme.onSurfaceVariant)
    Text(text, style = MaterialTheme.typography.bodySmall, color = MaterialTheme.colorScheme.onSurfaceVariant)
}

/** A problem of what is no text field. */
@Composable
internal fun Problem(problem: FieldProblem?) {
    problem ?: return
    Text(
        LocalWording.current.strings.problem(problem),
        style = MaterialTheme.typography.bodySmall,
        color = MaterialTheme.colorScheme.error,
    )
}
