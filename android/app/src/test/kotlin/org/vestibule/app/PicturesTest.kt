package org.vestibule.app

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.vestibule.HostClient
import org.vestibule.Status
import org.vestibule.fixture.Hub
import org.vestibule.fixture.onPhone
import java.time.LocalDate

/** The whole app over a real store and a real hub; its pictures are those in the README. */
class PicturesTest {
    /** S1.4–S1.6, S1.26, S4.10–S4.14: a host looks, invites offline, and sends. */
    @Test
    fun `a host invites with the hub away and sends when it is back`() = onPhone { hub, phone ->
        phone.signIn(hub).use { host ->
            invited(host, hub)
            Scene { HostApp(host) }.use { scene ->
                val names = Sample.all.take(5).map { it.name }
                names.take(4).forEach(scene::await)
                scene.await("2 invitations wait safely on this phone")
                val image = scene.settle("android-list")
                for (name in names.take(4)) {
                    val ink = scene.ink(image, scene.parts().first { it.words() == name }.boundsInRoot)
                    assertTrue(ink > 20 * name.length, "$name has $ink points of ink")
                }

                scene.touch("Invite")
                scene.await("Still missing: Name, E-mail")
                scene.type("First name", "Ngozi")
                scene.type("Last name", "Okafor")
                scene.type("E-mail", "ngozi.okafor@")
                scene.type("Company", "Ìrètí Ventures")
                scene.touch("Contractor")
                scene.touch("Day")
                scene.touch("OK")
                scene.await("Enter an email address")
                scene.settle("android-form")
                scene.type("E-mail", "ngozi.okafor@visitors.test")
                scene.touch("Invite")
                scene.await(English.kept)
                scene.await("3 invitations wait safely on this phone")

                hub.start()
                scene.touch("Sync now")
                scene.await("Pending, 5")
                scene.touch("Pending, 5")
                scene.await("Ngozi Okafor")
                assertEquals(0, host.visits.counts().queued)
            }
        }
    }

    @Test
    fun `in the dark`() = onPhone { hub, phone ->
        phone.signIn(hub).use { host ->
            invited(host, hub)
            Scene(dark = true) { HostApp(host) }.use { scene ->
                scene.touch("Sync now")
                scene.await("No network, or the hub does not answer.")
                scene.await(Sample.all.first().name)
                // All tabs, latest first: the host is Ada.
                scene.type("Search visitors", "ada")
                val found = listOf(Status.QUEUED, Status.PENDING, Status.CANCELLED, Status.UPCOMING)
                for (status in found) scene.await(English.status(status))
                scene.settle("android-list-dark")
            }
        }
    }

    @Test
    fun `nobody is invited yet`() = onPhone { hub, phone ->
        phone.signIn(hub).use { host ->
            Scene { HostApp(host) }.use { scene ->
                scene.touch("Sync now")
                scene.await("Example AG · Synced")
                scene.await("Nobody is coming yet")
                scene.settle("android-empty")
            }
        }
    }

    /** The sample's visitors, a few a day from tomorrow; then the hub goes away and two more are invited. */
    private suspend fun invited(host: HostClient, hub: Hub) {
        host.sync.run()
        val hours = listOf(9, 13, 10, 14)
        val drafts = Sample.all.mapIndexed { index, sample ->
            val day = LocalDate.now().plusDays(1L + index / 2)
            sample.draft(day.atTime(hours[index % 4], if (index % 3 == 0) 0 else 30), 1)
        }
        val visits = host.visits.createAll(drafts.dropLast(2))
        host.sync.run()
        hub.stop()
        host.visits.createAll(drafts.takeLast(2))
        host.visits.cancel(visits[visits.lastIndex - 1])
        host.visits.edit(visits[3], host.visits.form(visits[3]).copy(message = "Please bring your portfolio."))
    }
}
