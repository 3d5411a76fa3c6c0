package org.vestibule

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Test
import org.vestibule.fixture.Phone
import org.vestibule.fixture.draft
import org.vestibule.fixture.onPhone

/** A hub that is restored from a backup, and a phone that is a copy of another. */
class RestoreTest {
    /** What the hub has forgotten is sent again, and the member is told once. */
    @Test
    fun `a restored hub is sent again what it has forgotten`() = onPhone { hub, phone ->
        phone.signIn(hub).use { ada ->
            Phone().use { other ->
                other.signIn(hub, "ben").use { ben ->
                    ada.sync.run()
                    val kept = ada.visits.create(draft("Kept"))
                    ada.sync.run()
                    ben.sync.run()
                    val backup = phone.dir.resolve("backup")
                    hub.admin("backup", "$backup")
                    val lost = listOf(ada.visits.create(draft("Lost")), ben.visits.create(draft("Also lost", hour = 13)))
                    ada.sync.run()
                    ben.sync.run()
                    val unsent = ada.visits.create(draft("Unsent", hour = 15))
                    hub.stop()
                    hub.admin("restore", "$backup", "--force")
                    hub.start()

                    val told = ada.sync.run().setBack
                    assertEquals(1, told?.sentAgain)
                    assertNotNull(told?.to)
                    assertEquals(1, ben.sync.run().setBack?.sentAgain)
                    assertNull(ada.sync.run().setBack, "told once")
                    for (visit in listOf(kept, lost[0], unsent)) {
                        val shown = ada.visits.show(visit)
                        assertEquals(Status.UPCOMING to false, shown.status to shown.queued)
                    }
                    assertEquals(Status.UPCOMING, ben.visits.show(lost[1]).status)
                }
            }
        }
    }

    /** The second of two phones with one key takes a key of its own; everything is sent once. */
    @Test
    fun `a copied phone takes a key of its own`() = onPhone { hub, phone ->
        phone.signIn(hub).use { it.sync.run() }
        val copy = Phone(phone.device)
        phone.file.copyTo(copy.file)
        phone.storeKey.copyInto(copy.storeKey)
        phone.open().use { host ->
            host.visits.create(draft("First"))
            host.sync.run()
        }
        val before = phone.open().use { it.identity().device }
        copy.use {
            copy.open(signer = KeySigner(copy.device) { KeySigner.generateEd25519() }).use { host ->
                val second = host.visits.create(draft("Second", hour = 13))
                host.sync.run()
                assertEquals(Status.UPCOMING, host.visits.show(second).status)
                assertNotEquals(before, host.identity().device)
                assertEquals(2, host.visits.list(ListFilter.All).items.size)
            }
        }
    }
}
