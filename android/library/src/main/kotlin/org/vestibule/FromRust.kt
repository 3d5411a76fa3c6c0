package org.vestibule

import java.time.DateTimeException
import java.time.Duration
import java.time.Instant
import java.time.LocalDateTime
import java.time.LocalTime
import java.time.ZoneId
import org.vestibule.generated.Approval as RustApproval
import org.vestibule.generated.Choice as RustChoice
import org.vestibule.generated.CivilTime as RustCivilTime
import org.vestibule.generated.CredentialState as RustCredential
import org.vestibule.generated.FieldProblem as RustProblem
import org.vestibule.generated.GuestMail as RustGuestMail
import org.vestibule.generated.HistoryEntryView as RustEntry
import org.vestibule.generated.HistoryFact as RustFact
import org.vestibule.generated.IdentityView as RustIdentity
import org.vestibule.generated.ListFilter as RustFilter
import org.vestibule.generated.LogRecord as RustRecord
import org.vestibule.generated.MemberView as RustMember
import org.vestibule.generated.NoteView as RustNote
import org.vestibule.generated.OperationView as RustOperation
import org.vestibule.generated.OrganisationView as RustOrganisation
import org.vestibule.generated.PassField as RustPassField
import org.vestibule.generated.PassPreview as RustPass
import org.vestibule.generated.PermissionsView as RustPermissions
import org.vestibule.generated.QrMatrix as RustQr
import org.vestibule.generated.SiteView as RustSite
import org.vestibule.generated.SpaceView as RustSpace
import org.vestibule.generated.SyncProgress as RustProgress
import org.vestibule.generated.SyncReport as RustReport
import org.vestibule.generated.SyncStateView as RustSyncState
import org.vestibule.generated.Tab as RustTab
import org.vestibule.generated.TabCounts as RustCounts
import org.vestibule.generated.TroubleView as RustTrouble
import org.vestibule.generated.VisitDraft as RustDraft
import org.vestibule.generated.VisitListDiff as RustDiff
import org.vestibule.generated.VisitListUpdate as RustUpdate
import org.vestibule.generated.VisitPage as RustPage
import org.vestibule.generated.VisitSummary as RustSummary
import org.vestibule.generated.VisitView as RustView
import org.vestibule.generated.VisitorTypeView as RustVisitorType

/** The constant of the same name. Two enums that grow apart are found by a test. */
internal inline fun <reified T : Enum<T>> Enum<*>.same(): T = enumValueOf(name)

internal fun RustProblem.toPublic() = FieldProblem(field.same(), code, message)

internal fun RustIdentity.toPublic() = IdentityView(OrganisationId(organisation), MemberId(member), device, hub)

internal fun RustRecord.toPublic() = LogRecord(level.same(), target, message)

// Times.

private fun RustCivilTime.toPublic(): LocalDateTime =
    LocalDateTime.of(year, month.toInt(), day.toInt(), hour.toInt(), minute.toInt())

private fun LocalDateTime.toRust(secondOccurrence: Boolean) = RustCivilTime(
    year,
    monthValue.toUByte(),
    dayOfMonth.toUByte(),
    hour.toUByte(),
    minute.toUByte(),
    secondOccurrence,
)

private fun zone(name: String): ZoneId? = try {
    ZoneId.of(name)
} catch (_: DateTimeException) {
    // The tables of this machine are older than Rust's.
    null
}

private fun timeOf(from: RustCivilTime?, to: RustCivilTime?, start: Instant?, end: Instant?, zone: String?) =
    from?.let { VisitTime(start, end, it.toPublic(), to?.toPublic(), zone?.let(::zone)) }

/** Minutes after midnight, where the last minute of a day may be the first of the next. */
private fun clock(minutes: UShort): LocalTime = LocalTime.MIDNIGHT.plusMinutes(minutes.toLong())

// The form.

internal fun VisitDraft.toRust() = RustDraft(
    firstName = firstName,
    lastName = lastName,
    email = email,
    company = company,
    phone = phone,
    pacsId = pacsId,
    site = site,
    space = space,
    visitorType = visitorType,
    host = host,
    start = start?.toRust(startSecondOccurrence),
    end = end?.toRust(endSecondOccurrence),
    reason = reason,
    message = message,
    note = note,
)

internal fun RustDraft.toPublic() = VisitDraft(
    firstName = firstName,
    lastName = lastName,
    email = email,
    company = company,
    phone = phone,
    pacsId = pacsId,
    site = site,
    space = space,
    visitorType = visitorType,
    host = host,
    start = start?.toPublic(),
    end = end?.toPublic(),
    startSecondOccurrence = start?.secondOccurrence ?: false,
    endSecondOccurrence = end?.secondOccurrence ?: false,
    reason = reason,
    message = message,
    note = note,
)

// Lists.

internal fun ListFilter.toRust(): RustFilter = when (this) {
    ListFilter.All -> RustFilter.All
    ListFilter.Attention -> RustFilter.Attention
    is ListFilter.InTab -> RustFilter.Tab(tab.same<RustTab>())
}

internal fun RustCounts.toPublic() = TabCounts(
    queued = queued.toLong(),
    pending = pending.toLong(),
    upcoming = upcoming.toLong(),
    onSite = onSite.toLong(),
    past = past.toLong(),
    attention = attention.toLong(),
)

internal fun RustSummary.toPublic() = VisitSummary(
    id = VisitId(id),
    number = number?.toLong(),
    name = name,
    company = company,
    email = email,
    site = site?.let(::SiteId),
    siteName = siteName,
    host = host?.let(::MemberId),
    hostName = hostName,
    time = timeOf(startCivil, endCivil, start, end, zone),
    overAt = overAt,
    status = status.same(),
    queued = queued,
    conflict = conflict,
    problem = problem,
    mail = mail?.toPublic(),
)

internal fun RustPage.toPublic() = VisitPage(items.map { it.toPublic() }, next?.let(::PageCursor))

internal fun RustUpdate.toPublic() = VisitListUpdate(diffs.map { it.toPublic() }, hasMore, counts.toPublic())

private fun RustDiff.toPublic(): VisitListDiff = when (this) {
    is RustDiff.Reset -> VisitListDiff.Reset(items.map { it.toPublic() })
    is RustDiff.Insert -> VisitListDiff.Insert(index.toInt(), item.toPublic())
    is RustDiff.Update -> VisitListDiff.Update(index.toInt(), item.toPublic())
    is RustDiff.Move -> VisitListDiff.Move(from.toInt(), to.toInt())
    is RustDiff.Remove -> VisitListDiff.Remove(index.toInt())
}

// One visit.

internal fun RustView.toPublic() = VisitView(
    id = VisitId(id),
    number = number?.toLong(),
    name = name,
    firstName = firstName,
    lastName = lastName,
    email = email,
    company = company,
    phone = phone,
    pacsId = pacsId,
    site = site?.let(::SiteId),
    siteName = siteName,
    space = space?.let(::SpaceId),
    spaceName = spaceName,
    visitorType = visitorType?.let(::VisitorTypeId),
    visitorTypeName = visitorTypeName,
    host = host?.let(::MemberId),
    hostName = hostName,
    time = timeOf(startCivil, endCivil, start, end, zone),
    overAt = overAt,
    reason = reason,
    message = message,
    status = status.same(),
    tab = tab.same(),
    queued = queued,
    approval = approval.toPublic(),
    credential = credential.same(),
    guestTold = guestTold,
    mail = mail?.toPublic(),
    problem = problem,
    creator = creator?.let(::MemberId),
    previous = previous?.let(::VisitId),
    notes = notes.map { it.toPublic() },
    operations = operations.map { it.toPublic() },
)

private fun RustApproval.toPublic(): Approval = when (this) {
    is RustApproval.NotNeeded -> Approval.NotNeeded
    is RustApproval.Pending -> Approval.Pending
    is RustApproval.Approved -> Approval.Approved
    is RustApproval.Rejected -> Approval.Rejected(reason, isFinal)
}

private fun RustNote.toPublic() = NoteView(MemberId(author), authorName, at, text, queued)

private fun RustOperation.toPublic() = OperationView(
    id = OperationId(id),
    kind = kind.same(),
    ask = ask,
    text = text,
    wants = wants.associate { it.key to it.value },
    state = state.same(),
    code = code,
    reason = reason,
    madeAt = madeAt,
)

internal fun Choice.toRust(): RustChoice = same()

internal fun RustEntry.toPublic() = HistoryEntryView(
    at = at,
    author = author?.let(::MemberId),
    authorName = authorName,
    onBehalfOf = onBehalfOf?.let(::MemberId),
    fact = fact.toPublic(),
)

internal fun RustGuestMail.toPublic() = GuestMail(what.same(), state, trouble, code?.toInt(), words)

private fun RustFact.toPublic(): HistoryFact = when (this) {
    is RustFact.Changed -> HistoryFact.Changed(keys)
    is RustFact.Accepted -> HistoryFact.Accepted(number.toLong(), needsApproval)
    is RustFact.Approved -> HistoryFact.Approved
    is RustFact.Rejected -> HistoryFact.Rejected(reason, isFinal)
    is RustFact.Reopened -> HistoryFact.Reopened
    is RustFact.ApprovalStale -> HistoryFact.ApprovalStale(keys)
    is RustFact.Minted -> HistoryFact.Minted(notBefore, expires)
    is RustFact.Suspended -> HistoryFact.Suspended
    is RustFact.Revived -> HistoryFact.Revived
    is RustFact.Voided -> HistoryFact.Voided
    is RustFact.GuestTold -> HistoryFact.GuestTold(what.same())
    is RustFact.MailQueued -> HistoryFact.MailQueued(what.same(), heldUntil)
    is RustFact.MailUndelivered -> HistoryFact.MailUndelivered(what.same(), how.same(), trouble, code?.toInt())
    is RustFact.Arrived -> HistoryFact.Arrived
    is RustFact.Departed -> HistoryFact.Departed
    is RustFact.Cancelled -> HistoryFact.Cancelled
    is RustFact.Deleted -> HistoryFact.Deleted
    is RustFact.NoShow -> HistoryFact.NoShow
    is RustFact.Expired -> HistoryFact.Expired
    is RustFact.Alert -> HistoryFact.Alert(code)
    is RustFact.Later -> HistoryFact.Later(number.toLong())
}

// Passes.

internal fun RustPass.toPublic() = PassPreview(
    title = title,
    description = description,
    name = name,
    fields = fields.map { it.toPublic() },
    voided = voided,
    background = background,
    foreground = foreground,
    labelColour = labelColour,
    json = json,
)

private fun RustPassField.toPublic() = PassField(key, place.same(), label, value)

internal fun RustQr.toPublic() = QrMatrix(size.toInt(), modules)

// The directory.

internal fun RustOrganisation.toPublic() = OrganisationView(
    id = OrganisationId(id),
    name = name,
    emailRequired = emailRequired,
    qr = qr,
    wallet = wallet,
    unscheduledDays = unscheduledDays.toInt(),
    arrivalMinutes = arrivalMinutes.toInt(),
)

internal fun RustSite.toPublic() = SiteView(SiteId(id), name, zone(zone), address, clock(opens), clock(closes))

internal fun RustSpace.toPublic() = SpaceView(SpaceId(id), SiteId(site), name)

internal fun RustVisitorType.toPublic() = VisitorTypeView(VisitorTypeId(id), name, needsApproval)

internal fun RustMember.toPublic() = MemberView(MemberId(id), name, email, site?.let(::SiteId))

internal fun RustPermissions.toPublic() =
    PermissionsView(roles.map { it.same<Role>() }.toSet(), mayAddVisitors, mayNameAnyHost)

// Syncs.

internal fun RustProgress.toPublic() =
    SyncProgress(sent.toLong(), toSend.toLong(), received.toLong(), remaining.toLong())

internal fun RustTrouble.toPublic() = Trouble(kind.same(), detail, visit?.let(::VisitId), updateApp)

internal fun RustReport.toPublic() = SyncReport(setBack?.let { HubSetBack(it.to, it.sentAgain.toLong()) })

internal fun RustSyncState.toPublic() = SyncStateView(syncedAt, hubTime, Duration.ofSeconds(clockOffBy))
