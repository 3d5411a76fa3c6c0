package org.vestibule.bench

import kotlinx.coroutines.runBlocking
import org.vestibule.DeviceKey
import org.vestibule.DeviceSigner
import org.vestibule.HostClient
import org.vestibule.ListFilter
import org.vestibule.ProviderException
import org.vestibule.Tab
import org.vestibule.Visits
import java.io.File

/**
 * Makes calls for `cargo xtask bench`, as an app makes them: from one thread, which waits for the answer.
 *
 * The folder it is given holds a phone's file and its keys. Each line it reads names a call and how often to make it;
 * it answers with a line of as many times, in nanoseconds. `bench/src/ffi.rs` asks.
 */
fun main(arguments: Array<String>): Unit = runBlocking {
    val folder = File(arguments.single())
    val host = HostClient.open(
        file = folder.resolve("phone.db"),
        keys = { folder.resolve("store.key").readBytes() },
        tokens = { throw ProviderException("nobody signs in") },
        signer = Reader(folder.resolve("device.key").readBytes()),
    )
    host.use {
        while (true) {
            val (call, count) = (readlnOrNull() ?: break).split(' ')
            println(List(count.toInt()) { host.visits.time(call) }.joinToString(" "))
        }
    }
}

private suspend fun Visits.time(call: String): Long {
    val begun = System.nanoTime()
    when (call) {
        "page" -> {
            val page = list(ListFilter.InTab(Tab.UPCOMING), size = 50)
            val took = System.nanoTime() - begun
            check(page.items.size == 50) { "the page has ${page.items.size} visits" }
            return took
        }
        "counts" -> {
            val counts = counts()
            val took = System.nanoTime() - begun
            check(counts.upcoming > 0) { "nobody is upcoming" }
            return took
        }
        else -> error("$call is no call")
    }
}

/** Writes nothing. */
private class Reader(key: ByteArray) : DeviceSigner {
    override val publicKey = DeviceKey.Ed25519(key)

    override fun sign(message: ByteArray): ByteArray = throw ProviderException("nothing is written")
}
