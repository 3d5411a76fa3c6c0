package org.vestibule

/** Names a visit: a UUID made on the phone that invited. */
@JvmInline
public value class VisitId(public val value: String) {
    override fun toString(): String = value
}

/** Names a site, for example `zrh`. */
@JvmInline
public value class SiteId(public val value: String) {
    override fun toString(): String = value
}

/** Names a space within a site. */
@JvmInline
public value class SpaceId(public val value: String) {
    override fun toString(): String = value
}

/** Names a visitor type. */
@JvmInline
public value class VisitorTypeId(public val value: String) {
    override fun toString(): String = value
}

/** Names a member of the organisation. */
@JvmInline
public value class MemberId(public val value: String) {
    override fun toString(): String = value
}

/** Names the organisation. */
@JvmInline
public value class OrganisationId(public val value: String) {
    override fun toString(): String = value
}

/** Names an operation of this phone that is not done, to settle or discard it. */
@JvmInline
public value class OperationId(public val value: Long) {
    override fun toString(): String = value.toString()
}
