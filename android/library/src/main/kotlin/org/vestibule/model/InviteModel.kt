package org.vestibule.model

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.collectLatest
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import kotlinx.coroutines.plus
import org.vestibule.Field
import org.vestibule.HostClient
import org.vestibule.SiteId
import org.vestibule.SpaceView
import org.vestibule.VestibuleException
import org.vestibule.VisitDraft
import org.vestibule.VisitId

/**
 * The view model of the form: to invite, to edit, to invite again. The screen shows [state] and calls the functions,
 * which return at once; every change of the draft is checked (S1.26).
 *
 * @param client is used, and not closed.
 * @param scope where it lives; it ends with it, or with [close].
 * @param task what the form is for.
 */
public class InviteModel(
    private val client: HostClient,
    scope: CoroutineScope,
    private val task: InviteTask = InviteTask.New,
) : AutoCloseable {
    private val scope = scope + Job(scope.coroutineContext.job)
    private val states = MutableStateFlow(InviteState(task = task))

    /** What the screen shows. */
    public val state: StateFlow<InviteState> = states.asStateFlow()

    init {
        this.scope.launch {
            told { fill() }
            // Only the latest draft counts: a check of an older one is given up.
            states.map { it.draft }.distinctUntilChanged().collectLatest { told { check(it) } }
        }
    }

    /** The person changed [field]; [draft] is the whole form now. */
    public fun change(field: Field, draft: VisitDraft): Unit = states.update {
        val touched = it.touched + field + TOGETHER[field].orEmpty()
        it.copy(draft = draft, touched = touched, ready = it.ready && draft == it.draft, failure = null)
    }

    /** Sends the form. Where it has problems, all of them are shown. */
    public fun send() {
        val before = states.value
        if (before.sending || before.sent != null) return
        if (!states.compareAndSet(before, before.copy(sending = true, failure = null))) return send()
        scope.launch {
            told {
                try {
                    val visit = write(before.draft)
                    states.update { it.copy(sent = visit) }
                } catch (error: VestibuleException.BadDraft) {
                    states.update { it.copy(problems = error.problems, touched = Field.entries.toSet()) }
                }
            }
            states.update { it.copy(sending = false) }
        }
    }

    /** Ends it; [state] stays as it is. */
    override fun close(): Unit = scope.cancel()

    private suspend fun write(draft: VisitDraft): VisitId = when (task) {
        InviteTask.New -> client.visits.create(draft)
        is InviteTask.Edit -> task.visit.also { client.visits.edit(it, draft) }
        is InviteTask.Again -> client.visits.inviteAgain(task.visit, draft)
    }

    private suspend fun fill() {
        val directory = client.directory
        val (me, sites) = directory.me() to directory.sites()
        val draft = when (task) {
            InviteTask.New -> VisitDraft(site = (me?.site ?: sites.singleOrNull()?.id)?.value, host = me?.id?.value)
            is InviteTask.Edit -> client.visits.form(task.visit)
            // What was is over: the day is to be chosen anew.
            is InviteTask.Again -> client.visits.form(task.visit).copy(start = null, end = null)
        }
        val filled = InviteState(
            task = task,
            sites = sites,
            visitorTypes = directory.visitorTypes(),
            hosts = listOfNotNull(me) + directory.principals(),
            emailRequired = directory.organisation()?.emailRequired ?: true,
        )
        // What the person has typed meanwhile stays.
        states.update { filled.copy(draft = if (it.touched.isEmpty()) draft else it.draft, touched = it.touched) }
    }

    private suspend fun check(draft: VisitDraft) {
        val spaces = spacesOf(draft.site)
        val problems = when (task) {
            is InviteTask.Edit -> client.visits.validateEdit(task.visit, draft)
            else -> client.visits.validate(draft)
        }
        states.update { if (it.draft == draft) it.copy(problems = problems, spaces = spaces, ready = true) else it }
    }

    private suspend fun spacesOf(site: String?): List<SpaceView> =
        site?.let { client.directory.spaces(SiteId(it)) }.orEmpty()

    /** What no field is at fault for is shown as the form's own failure. */
    private suspend fun told(work: suspend () -> Unit) {
        try {
            work()
        } catch (error: VestibuleException) {
            states.update { it.copy(failure = error) }
        }
    }

    private companion object {
        /** Fields that share problems: without either name it is of both, and a time is wrong by its start or end. */
        val TOGETHER = mapOf(
            Field.FIRST_NAME to setOf(Field.NAME),
            Field.LAST_NAME to setOf(Field.NAME),
            Field.START to setOf(Field.END),
            Field.END to setOf(Field.START),
        )
    }
}
