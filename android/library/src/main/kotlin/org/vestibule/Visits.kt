package org.vestibule

import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.channels.awaitClose
import kotlinx.coroutines.channels.trySendBlocking
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.callbackFlow
import org.vestibule.generated.Visits as RustVisits

/**
 * A host's visits: invite, edit, cancel, look up, observe. None of it needs a network, and what a call has stored is
 * durable when it returns. A call that has begun is finished, also if its coroutine is cancelled.
 *
 * Every call may throw [VestibuleException.NotSignedIn], [VestibuleException.Closed] or [VestibuleException.Store], and
 * one that names a visit [VestibuleException.NotFound], or [VestibuleException.BadArgument] for an id that is none.
 */
public class Visits internal constructor(private val rust: RustVisits, private val lifetime: Lifetime) {
    /** Every problem of a draft, in the order of the form; none means that it can be sent (S1.26). */
    public suspend fun validate(draft: VisitDraft): List<FieldProblem> =
        problems(draft) { rust.validate(it) }

    /** Every problem of the draft of an edit. What is as it was is no problem. */
    public suspend fun validateEdit(id: VisitId, draft: VisitDraft): List<FieldProblem> =
        problems(draft) { rust.validateEdit(id.value, it) }

    /**
     * Invites a visitor (S1.6): queued until the hub has it.
     *
     * @throws VestibuleException.BadDraft with every problem; nothing is stored then.
     */
    public suspend fun create(draft: VisitDraft): VisitId =
        written(draft, { rust.validate(it) }) { VisitId(rust.create(it)) }

    /**
     * Invites many visitors, at most 10,000: all of them, or none.
     *
     * @throws VestibuleException.BadDraft with the problems of the first draft that has any.
     */
    public suspend fun createAll(drafts: List<VisitDraft>): List<VisitId> = lifetime.call {
        val broken = drafts.firstNotNullOfOrNull { draft -> draft.brokenTexts().ifEmpty { null } }
        broken?.let { throw VestibuleException.BadDraft(it) }
        rust.createAll(drafts.map { it.toRust() }).map(::VisitId)
    }

    /**
     * Invites the visitor of a past, cancelled or rejected visit again (S4.30).
     *
     * @throws VestibuleException.BadDraft with every problem.
     * @throws VestibuleException.Refused with `final_rejection`, or `not_over` while the old visit is not over.
     */
    public suspend fun inviteAgain(id: VisitId, draft: VisitDraft): VisitId =
        written(draft, { rust.validate(it) }) { VisitId(rust.inviteAgain(id.value, it)) }

    /**
     * Changes a visit to what the draft says (S1.7); only what differs is written, and a note in the draft is added.
     *
     * @throws VestibuleException.BadDraft with every problem.
     * @throws VestibuleException.Refused with `over`, `rejected` or `left`.
     */
    public suspend fun edit(id: VisitId, draft: VisitDraft): Unit =
        written(draft, { rust.validateEdit(id.value, it) }) { rust.edit(id.value, it) }

    /**
     * Calls a visit off (S1.8): cancelled at once on this phone, and with `queued` until the hub has it.
     *
     * @throws VestibuleException.Refused with `over`.
     */
    public suspend fun cancel(id: VisitId): Unit = lifetime.call { rust.cancel(id.value) }

    /**
     * Asks for an unused invitation to be deleted (S4.34); its PIN dies when the hub has it.
     *
     * @throws VestibuleException.Refused with `already_used`.
     */
    public suspend fun delete(id: VisitId): Unit = lifetime.call { rust.delete(id.value) }

    /**
     * Adds an internal note (S1.19), of at most 2,000 characters.
     *
     * @throws VestibuleException.BadDraft with a problem of [Field.NOTE].
     */
    public suspend fun note(id: VisitId, text: String): Unit = lifetime.call {
        VisitDraft(note = text).brokenTexts().let { if (it.isNotEmpty()) throw VestibuleException.BadDraft(it) }
        rust.note(id.value, text)
    }

    /** Settles the conflict an operation of a visit is in. */
    public suspend fun settle(operation: OperationId, choice: Choice): Unit =
        lifetime.call { rust.settle(operation.value, choice.toRust()) }

    /** Drops a refused draft or a conflict. */
    public suspend fun discard(operation: OperationId): Unit = lifetime.call { rust.discard(operation.value) }

    /** The form filled from a visit, to edit it or to invite again, with no note: notes are added, never edited. */
    public suspend fun form(id: VisitId): VisitDraft = lifetime.call { rust.form(id.value).toPublic() }

    /** Everything about a visit. */
    public suspend fun show(id: VisitId): VisitView = lifetime.call { rust.show(id.value).toPublic() }

    /** What happened to a visit by the hub's word, oldest first, then what the hub has not taken yet (S4.33). */
    public suspend fun history(id: VisitId): List<HistoryEntryView> =
        lifetime.call { rust.history(id.value).map { it.toPublic() } }

    /**
     * A page of a list, by start. What comes or goes between two pages neither repeats nor hides another visit.
     *
     * @param size how many, 1 to 1,000.
     * @param after where the page before ended.
     */
    public suspend fun list(
        filter: ListFilter = ListFilter.All,
        size: Int = PAGE,
        after: PageCursor? = null,
    ): VisitPage = lifetime.call { rust.list(filter.toRust(), rows("size", size), after?.value).toPublic() }

    /** How many visits each list holds. */
    public suspend fun counts(): TabCounts = lifetime.call { rust.counts().toPublic() }

    /**
     * The visits whose name, company, e-mail address or host has words that begin with those of [text], latest start
     * first. Case, accents and width do not count.
     *
     * @param limit the most to give, 1 to 1,000.
     */
    public suspend fun search(text: String, limit: Int = PAGE): List<VisitSummary> =
        lifetime.call { rust.search(text.wellFormed(), rows("limit", limit)).map { it.toPublic() } }

    /**
     * Observes a list that keeps itself, until it is closed or the client is.
     *
     * @param pageSize how many are loaded at first, and more with every [VisitList.loadMore]; 1 to 1,000.
     */
    public suspend fun observe(filter: ListFilter = ListFilter.All, pageSize: Int = PAGE): VisitList =
        lifetime.call { VisitList(rust, filter, rows("pageSize", pageSize)) }

    /**
     * The changes of a list, for a widget that animates them; every collector has its own subscription. What happens
     * while the collector is busy is told in one update afterwards. It ends with [VestibuleException.Closed] when the
     * client is closed.
     */
    public fun updates(
        filter: ListFilter = ListFilter.All,
        pageSize: Int = PAGE,
    ): Flow<VisitListUpdate> = callbackFlow {
        val ending = lifetime.whenClosed { close(VestibuleException.Closed()) }
        val subscription = lifetime.call {
            val listener = ListListener { trySendBlocking(it) }
            rust.observe(filter.toRust(), rows("pageSize", pageSize), listener)
        }
        awaitClose {
            ending.close()
            subscription.cancel()
            subscription.destroy()
        }
    }.buffer(Channel.RENDEZVOUS)

    internal fun destroy(): Unit = rust.destroy()

    /** Asks Rust for the problems of a draft, and adds those of texts that cannot cross into it. */
    private suspend fun problems(
        draft: VisitDraft,
        validate: (org.vestibule.generated.VisitDraft) -> List<org.vestibule.generated.FieldProblem>,
    ): List<FieldProblem> = lifetime.call {
        val broken = draft.brokenTexts()
        val fields = broken.map { it.field }.toSet()
        val others = validate(draft.wellFormed().toRust()).map { it.toPublic() }.filter { it.field !in fields }
        (broken + others).sortedBy { it.field }
    }

    private suspend fun <T> written(
        draft: VisitDraft,
        validate: (org.vestibule.generated.VisitDraft) -> List<org.vestibule.generated.FieldProblem>,
        write: (org.vestibule.generated.VisitDraft) -> T,
    ): T {
        if (draft.brokenTexts().isNotEmpty()) throw VestibuleException.BadDraft(problems(draft, validate))
        return lifetime.call { write(draft.toRust()) }
    }

    /** How lists are read where nothing else is said. */
    public companion object {
        /** The size of a page. */
        public const val PAGE: Int = 50
    }
}
