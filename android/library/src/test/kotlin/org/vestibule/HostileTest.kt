package org.vestibule

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.vestibule.fixture.Phone
import org.vestibule.fixture.draft
import org.vestibule.fixture.onPhone
import java.io.File
import java.time.LocalDateTime

/** Arguments nobody means give typed errors, change nothing, and never end the process. */
class HostileTest {
    private val halves =
        listOf("\uD83D", "a\uDE00b", "\uDE00\uD83D", "fine \uD83C\uDF3B, then \uD83C", "\uD83D".repeat(1_000_000))
    private val huge = "x".repeat(5_000_000)

    @Test
    fun `texts with half of a character are problems of their fields`() = onPhone { hub, phone ->
        phone.signIn(hub).use { host ->
            host.sync.run()
            for (half in halves) {
                val bad = draft().copy(firstName = half, message = half, email = null)
                val problems = host.visits.validate(bad)
                val expected = listOf(
                    Field.FIRST_NAME to "forbidden_character",
                    Field.EMAIL to "required",
                    Field.MESSAGE to "forbidden_character",
                )
                assertEquals(expected, problems.map { it.field to it.code })
                assertEquals(problems, failure<VestibuleException.BadDraft> { host.visits.create(bad) }.problems)
                failure<VestibuleException.BadDraft> { host.visits.createAll(listOf(draft(), bad)) }
                failure<VestibuleException.NotFound> { host.visits.validateEdit(UNKNOWN, bad) }

                failure<VestibuleException.BadArgument> { host.visits.show(VisitId(half)) }
                failure<VestibuleException.BadArgument> { host.visits.list(after = PageCursor(half)) }
                failure<VestibuleException.BadArgument> { host.directory.members(half) }
                failure<VestibuleException.BadArgument> { host.signIn(half) }
                failure<VestibuleException.BadArgument> { host.passes.preview(VisitId(half)) }
                failure<VestibuleException.BadArgument> { host.directory.spaces(SiteId(half)) }
                if (half.length < 1_000) host.visits.search(half)
            }
            val visit = host.visits.create(draft("Ana", "\uD83C\uDF3B Silva"))
            assertEquals("Ana \uD83C\uDF3B Silva", host.visits.show(visit).name)
            val noted = failure<VestibuleException.BadDraft> { host.visits.note(visit, halves[1]) }
            assertEquals(listOf(Field.NOTE), noted.problems.map { it.field })
            assertEquals(1, host.visits.list().items.size)
        }
    }

    @Test
    fun `empty and huge texts are told apart`() = onPhone { hub, phone ->
        phone.signIn(hub).use { host ->
            host.sync.run()
            assertTrue(host.visits.validate(VisitDraft()).map { it.field }.containsAll(listOf(Field.NAME, Field.EMAIL)))
            val tooLong = host.visits.validate(draft().copy(firstName = huge, message = huge))
            assertEquals(listOf(Field.FIRST_NAME, Field.MESSAGE), tooLong.filter { it.code == "too_long" }.map { it.field })
            for (id in listOf("", huge, "../../etc/passwd", "0", "'; DROP TABLE visit; --")) {
                failure<VestibuleException.BadArgument> { host.visits.show(VisitId(id)) }
                failure<VestibuleException.BadArgument> { host.visits.cancel(VisitId(id)) }
                failure<VestibuleException.BadArgument> { host.visits.edit(VisitId(id), draft()) }
                failure<VestibuleException.BadArgument> { host.visits.list(after = PageCursor(id)) }
            }
            failure<VestibuleException.NotFound> { host.visits.show(UNKNOWN) }
            failure<VestibuleException.NotFound> { host.visits.discard(OperationId(Long.MIN_VALUE)) }
            failure<VestibuleException.BadArgument> { host.visits.search(huge) }
            assertEquals(emptyList<VisitSummary>(), host.visits.search(""))
            val visit = host.visits.create(draft())
            failure<VestibuleException.BadDraft> { host.visits.note(visit, huge) }
            failure<VestibuleException.BadDraft> { host.visits.note(visit, " ") }
            failure<VestibuleException.BadArgument> { host.visits.createAll(List(10_001) { draft() }) }
            assertEquals(emptyList<VisitId>(), host.visits.createAll(emptyList()))
        }
    }

    @Test
    fun `numbers out of range are bad arguments`() = onPhone { hub, phone ->
        phone.signIn(hub).use { host ->
            for (number in listOf(Int.MIN_VALUE, -1, 0, 1_001, Int.MAX_VALUE)) {
                val errors = listOf(
                    failure<VestibuleException.BadArgument> { host.visits.search("a", number) },
                    failure<VestibuleException.BadArgument> { host.visits.list(size = number) },
                    failure<VestibuleException.BadArgument> { host.visits.observe(pageSize = number) },
                )
                assertEquals(listOf("limit", "size", "pageSize"), errors.map { it.argument })
                failure<VestibuleException.BadArgument> { host.visits.updates(pageSize = number).collect {} }
            }
        }
    }

    @Test
    fun `dates far away are problems of their fields`() = onPhone { hub, phone ->
        phone.signIn(hub).use { host ->
            host.sync.run()
            val years = listOf(0, 999, 10_000).map { LocalDateTime.of(it, 1, 1, 0, 0) }
            val ends = years + LocalDateTime.MIN + LocalDateTime.MAX
            for (start in ends) {
                for (end in ends + null) {
                    val bad = draft().copy(start = start, end = end)
                    val fields = host.visits.validate(bad).map { it.field }
                    assertTrue(fields.isNotEmpty() && setOf(Field.START, Field.END).containsAll(fields), "$start $end $fields")
                    failure<VestibuleException.BadDraft> { host.visits.create(bad) }
                }
            }
            assertEquals(0, host.visits.list().items.size)
        }
    }

    @Test
    fun `a closed client answers that it is closed`() = onPhone { hub, phone ->
        val host = phone.signIn(hub)
        val visit = host.visits.run {
            host.sync.run()
            create(draft())
        }
        host.close()
        host.close()
        val calls = listOf<suspend () -> Any?>(
            { host.identity() }, { host.signIn(hub.url) }, { host.pause() }, { host.resume() },
            { host.visits.validate(draft()) }, { host.visits.create(draft()) }, { host.visits.createAll(listOf(draft())) },
            { host.visits.edit(visit, draft()) }, { host.visits.cancel(visit) }, { host.visits.delete(visit) },
            { host.visits.note(visit, "a") }, { host.visits.settle(OperationId(1), Choice.MINE) },
            { host.visits.discard(OperationId(1)) }, { host.visits.form(visit) }, { host.visits.show(visit) },
            { host.visits.history(visit) }, { host.visits.list() }, { host.visits.counts() }, { host.visits.search("a") },
            { host.visits.observe() }, { host.visits.updates().collect {} }, { host.visits.inviteAgain(visit, draft()) },
            { host.visits.validateEdit(visit, draft()) },
            { host.sync.run() }, { host.sync.progress().collect {} }, { host.sync.state() },
            { host.sync.trouble() }, { host.sync.needsUpdate() },
            { host.passes.preview(visit) }, { host.passes.qrPreview() },
            { host.directory.organisation() }, { host.directory.sites() }, { host.directory.spaces(SiteId("zrh")) },
            { host.directory.visitorTypes() }, { host.directory.members("") }, { host.directory.principals() },
            { host.directory.me() }, { host.directory.permissions() },
        )
        for (call in calls) failure<VestibuleException.Closed> { call() }
    }

    @Test
    fun `a store opens with its own key and file alone`() = onPhone { _, phone ->
        phone.open().close()
        failure<VestibuleException.WrongKey> { phone.open(keys = { ByteArray(48) }) }
        for (size in listOf(0, 47, 49, 1_000_000)) {
            failure<VestibuleException.BadArgument> { phone.open(keys = { ByteArray(size) }) }
        }
        val sound = phone.file.readBytes()
        val signer = KeySigner(phone.device)
        for (file in listOf(File("/nowhere/at/all.db"), phone.dir.toFile(), File(phone.dir.toFile(), "x".repeat(5_000)))) {
            failure<VestibuleException.Store> { HostClient.open(file, { phone.storeKey }, { "" }, signer) }
        }
        for (name in listOf("half \uD83D", "nul \u0000")) {
            failure<VestibuleException.BadArgument> {
                HostClient.open(File(phone.dir.toFile(), name), { phone.storeKey }, { "" }, signer)
            }
        }
        phone.file.writeBytes(ByteArray(sound.size) { (it * 31).toByte() })
        val damaged = failure<VestibuleException> { phone.open() }
        assertTrue(damaged is VestibuleException.WrongKey || damaged is VestibuleException.Store, "$damaged")
        phone.file.writeBytes(sound)
        phone.open().close()
    }

    @Test
    fun `a signer that is none is refused`() = onPhone { hub, phone ->
        fun signer(key: DeviceKey, signature: ByteArray = ByteArray(64)) = object : DeviceSigner {
            override val publicKey = key
            override fun sign(message: ByteArray) = signature
        }
        val keys = listOf(0, 32, 33).flatMap { listOf(DeviceKey.Ed25519(ByteArray(it)), DeviceKey.Es256(ByteArray(it))) }
        for (key in keys) {
            failure<VestibuleException.BadArgument> { phone.open(signer = signer(key)) }
        }
        phone.signIn(hub).use { it.sync.run() }
        for (size in listOf(0, 63, 65, 100_000)) {
            phone.open(signer = signer(KeySigner(phone.device).publicKey, ByteArray(size))).use { host ->
                failure<VestibuleException.Provider> { host.visits.create(draft()) }
            }
        }
        Phone().use { other -> other.open().close() }
    }

    private companion object {
        val UNKNOWN = VisitId("019a3185-c500-7707-8707-070707070707")
    }
}
