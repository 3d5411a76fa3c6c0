package org.vestibule

import java.time.Instant
import java.time.LocalDateTime
import java.time.ZoneId

/** Where a visit stands. */
public enum class Status {
    /** Made on this phone, and not yet at the hub; never shown as invited. */
    QUEUED,

    /** Accepted by the hub, and waiting for an approval; the guest has heard nothing (S2.14, S2.15). */
    PENDING,

    /** Approved or in need of no approval: the guest is invited. */
    UPCOMING,

    /** Arrived and not left. */
    ON_SITE,

    /** Left. */
    DEPARTED,

    /** An approver said no; only the host is told (S2.26, S2.28). */
    REJECTED,

    /** The hub did not accept it; kept as a draft with the reason. */
    REFUSED,

    /** Called off. */
    CANCELLED,

    /** Its time passed and nobody came. */
    NO_SHOW,

    /** Its time passed before it was approved, or ran out. */
    EXPIRED,

    /** At the kiosk, waiting for the host's word. */
    AWAITING_HOST,
}

/** A list a phone shows; every visit is in exactly one. */
public enum class Tab {
    /** Not yet taken by the hub: on its way, or sent back with a reason. */
    QUEUED,

    /** Waiting for an approver. */
    PENDING,

    /** Invited, or at the door (S4.14). */
    UPCOMING,

    /** In the building. */
    ON_SITE,

    /** Over, one way or another; from here a visit is invited again (S4.30). */
    PAST,
}

/** Which visits a list holds. */
public sealed interface ListFilter {
    /** Every visit on this phone. */
    public data object All : ListFilter

    /** Those of one tab. */
    public data class InTab(val tab: Tab) : ListFilter

    /** Those with a refusal or a conflict somebody has to look at. */
    public data object Attention : ListFilter
}

/**
 * How many visits each list holds.
 *
 * @property queued in [Tab.QUEUED].
 * @property pending in [Tab.PENDING].
 * @property upcoming in [Tab.UPCOMING].
 * @property onSite in [Tab.ON_SITE].
 * @property past in [Tab.PAST].
 * @property attention with a refusal or a conflict.
 */
public data class TabCounts(
    val queued: Long = 0,
    val pending: Long = 0,
    val upcoming: Long = 0,
    val onSite: Long = 0,
    val past: Long = 0,
    val attention: Long = 0,
) {
    /** How many a tab holds. */
    public operator fun get(tab: Tab): Long = when (tab) {
        Tab.QUEUED -> queued
        Tab.PENDING -> pending
        Tab.UPCOMING -> upcoming
        Tab.ON_SITE -> onSite
        Tab.PAST -> past
    }
}

/**
 * When a visit is.
 *
 * @property start when it begins; none where the site's zone is not known on this phone.
 * @property end when it ends; none for an arrival.
 * @property localStart on the clocks of the site.
 * @property localEnd on the clocks of the site.
 * @property zone of the site; none where this phone does not know it.
 */
public data class VisitTime(
    val start: Instant?,
    val end: Instant?,
    val localStart: LocalDateTime,
    val localEnd: LocalDateTime?,
    val zone: ZoneId?,
)

/**
 * A visit in a list.
 *
 * @property id the visit.
 * @property number the hub's number for it, once it has one.
 * @property name first and last name as typed, or the one there is.
 * @property company as typed.
 * @property email as typed.
 * @property site where.
 * @property siteName the site's name, if this phone knows it.
 * @property host who receives the visitor.
 * @property hostName the host's name, if this phone knows it.
 * @property time when; none for any time the policy allows.
 * @property overAt when it is over if nobody comes.
 * @property status where it stands.
 * @property queued something of it waits to be sent or answered.
 * @property conflict somebody else's value was accepted first, and there is a choice to make.
 * @property problem the code of what somebody has to look at: a refusal, a conflict, an undelivered mail.
 * @property mail where the last mail to the guest is.
 */
public data class VisitSummary(
    val id: VisitId,
    val number: Long?,
    val name: String,
    val company: String?,
    val email: String?,
    val site: SiteId?,
    val siteName: String?,
    val host: MemberId?,
    val hostName: String?,
    val time: VisitTime?,
    val overAt: Instant?,
    val status: Status,
    val queued: Boolean,
    val conflict: Boolean,
    val problem: String?,
    val mail: GuestMail? = null,
)

/**
 * A page of a list.
 *
 * @property items the rows, by start.
 * @property next where the next page begins; none at the end.
 */
public data class VisitPage(val items: List<VisitSummary>, val next: PageCursor?)

/** Where a page ended: give it back for the next one. */
@JvmInline
public value class PageCursor(public val value: String)

/** One change of a list. The changes of an update are applied in their order. */
public sealed interface VisitListDiff {
    /** The list is [items] now. */
    public data class Reset(val items: List<VisitSummary>) : VisitListDiff

    /** [item] stands before what was at [index]. */
    public data class Insert(val index: Int, val item: VisitSummary) : VisitListDiff

    /** [item] stands for what was at [index]. */
    public data class Update(val index: Int, val item: VisitSummary) : VisitListDiff

    /** What was at [from] is taken out and put in at [to]. */
    public data class Move(val from: Int, val to: Int) : VisitListDiff

    /** What was at [index] is gone. */
    public data class Remove(val index: Int) : VisitListDiff
}

/**
 * What changed in a list.
 *
 * @property diffs applied in this order; the first update is one [VisitListDiff.Reset].
 * @property hasMore whether there are rows beyond the loaded ones.
 * @property counts how many visits each tab holds now.
 */
public data class VisitListUpdate(val diffs: List<VisitListDiff>, val hasMore: Boolean, val counts: TabCounts)

/**
 * A list as it stands.
 *
 * @property items the loaded rows, by start.
 * @property hasMore whether there are more to load.
 * @property counts how many visits each tab holds.
 * @property loading whether the rows of the chosen filter are still on their way.
 */
public data class VisitListState(
    val items: List<VisitSummary> = emptyList(),
    val hasMore: Boolean = false,
    val counts: TabCounts = TabCounts(),
    val loading: Boolean = true,
) {
    /** The list after an update. */
    public fun after(update: VisitListUpdate): VisitListState {
        var rows = items.toMutableList()
        var waits = loading
        for (diff in update.diffs) {
            when (diff) {
                is VisitListDiff.Reset -> {
                    rows = diff.items.toMutableList()
                    waits = false
                }
                is VisitListDiff.Insert -> rows.add(diff.index, diff.item)
                is VisitListDiff.Update -> rows[diff.index] = diff.item
                is VisitListDiff.Move -> rows.add(diff.to, rows.removeAt(diff.from))
                is VisitListDiff.Remove -> rows.removeAt(diff.index)
            }
        }
        return VisitListState(rows, update.hasMore, update.counts, waits)
    }
}
