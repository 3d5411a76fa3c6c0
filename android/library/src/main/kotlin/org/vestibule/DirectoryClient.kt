package org.vestibule

import java.time.LocalTime
import java.time.ZoneId
import org.vestibule.generated.DirectoryClient as RustDirectory

/**
 * What this phone knows of its organisation, for the pickers of the form. Before the first sync the lists are empty.
 *
 * Every call may throw [VestibuleException.NotSignedIn], [VestibuleException.Closed] or [VestibuleException.Store].
 */
public class DirectoryClient internal constructor(private val rust: RustDirectory, private val lifetime: Lifetime) {
    /** The organisation; none before the first sync. */
    public suspend fun organisation(): OrganisationView? = lifetime.call { rust.organisation()?.toPublic() }

    /** The sites, by name. */
    public suspend fun sites(): List<SiteView> = lifetime.call { rust.sites().map { it.toPublic() } }

    /** The spaces of a site, by name; none for a site this phone does not know. */
    public suspend fun spaces(site: SiteId): List<SpaceView> =
        lifetime.call { rust.spaces(site.value).map { it.toPublic() } }

    /** The visitor types, by name. */
    public suspend fun visitorTypes(): List<VisitorTypeView> =
        lifetime.call { rust.visitorTypes().map { it.toPublic() } }

    /**
     * The members to offer while a person types, by name: each word of [text] begins a word of their name or address,
     * accents aside; an empty text means all.
     *
     * @param limit the most to give, 1 to 1,000.
     */
    public suspend fun members(text: String, limit: Int = 20): List<MemberView> =
        lifetime.call { rust.members(text, rows("limit", limit)).map { it.toPublic() } }

    /** The members whose delegate the member on this phone is, by name: who a visit may be made for. */
    public suspend fun principals(): List<MemberView> = lifetime.call { rust.principals().map { it.toPublic() } }

    /** The member on this phone; none before the first sync. */
    public suspend fun me(): MemberView? = lifetime.call { rust.me()?.toPublic() }

    /** What the member on this phone may do; nothing before the first sync. The hub has the last word. */
    public suspend fun permissions(): PermissionsView = lifetime.call { rust.permissions().toPublic() }

    internal fun destroy(): Unit = rust.destroy()
}

/**
 * The organisation and its policies.
 *
 * @property id its id.
 * @property name as visitors know it.
 * @property emailRequired whether a visitor must have an e-mail address (S4.3).
 * @property qr whether invitations carry a QR code (S1.33).
 * @property wallet whether wallet passes are set up (S1.34).
 * @property unscheduledDays for how many days an invitation without a time is good.
 * @property arrivalMinutes for how many minutes an invitation with nothing but an arrival time is good after it.
 */
public data class OrganisationView(
    val id: OrganisationId,
    val name: String,
    val emailRequired: Boolean,
    val qr: Boolean,
    val wallet: Boolean,
    val unscheduledDays: Int,
    val arrivalMinutes: Int,
)

/**
 * A building with its own time zone.
 *
 * @property id its id.
 * @property name its name.
 * @property zone the zone its clocks show; none where this machine's time zone tables do not have it.
 * @property address the postal address, with its lines; empty if none is set.
 * @property opens when its day opens, on its clock.
 * @property closes when its day closes; midnight is the end of the day.
 */
public data class SiteView(
    val id: SiteId,
    val name: String,
    val zone: ZoneId?,
    val address: String,
    val opens: LocalTime,
    val closes: LocalTime,
)

/**
 * A space within a site.
 *
 * @property id its id.
 * @property site the site it is in.
 * @property name its name.
 */
public data class SpaceView(val id: SpaceId, val site: SiteId, val name: String)

/**
 * A visitor type (a category).
 *
 * @property id its id.
 * @property name its name.
 * @property needsApproval whether visits of this type wait for an approver (S2.6).
 */
public data class VisitorTypeView(val id: VisitorTypeId, val name: String, val needsApproval: Boolean)

/**
 * A colleague.
 *
 * @property id their id.
 * @property name their name.
 * @property email their work address.
 * @property site where they work, if it is known.
 */
public data class MemberView(val id: MemberId, val name: String, val email: String, val site: SiteId?)

/** What a member may be. */
public enum class Role {
    /** Invites visitors of their own. */
    HOST,

    /** Invites for the members whose delegate they are. */
    DELEGATE,

    /** Makes the security decision. */
    APPROVER,

    /** Receives visitors at a site. */
    RECEPTION,

    /** Sets the organisation up. */
    ADMINISTRATOR,

    /** A program. */
    API_CLIENT,
}

/**
 * What the member on this phone may do.
 *
 * @property roles their roles.
 * @property mayAddVisitors whether they may invite visitors at all (S1.10).
 * @property mayNameAnyHost whether they may name any host, not only themself and those whose delegate they are (S1.21).
 */
public data class PermissionsView(val roles: Set<Role>, val mayAddVisitors: Boolean, val mayNameAnyHost: Boolean)
