package org.vestibule

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import org.vestibule.generated.ProviderException as RustProviderException
import java.io.File
import org.vestibule.generated.DeviceKey as RustKey
import org.vestibule.generated.DeviceSigner as RustSigner
import org.vestibule.generated.HostClient as RustClient
import org.vestibule.generated.KeyProvider as RustKeys
import org.vestibule.generated.TokenProvider as RustTokens

/**
 * A host's phone: its encrypted store, its key, and its way to the hub. One is shared by the whole app, from any
 * thread.
 *
 * Everything but [signIn] and [Syncs.run] works with no network. Calls suspend and never block the thread they are made
 * on; only [close] does, for as long as a write that has begun.
 */
public class HostClient private constructor(private val rust: RustClient) : AutoCloseable {
    private val lifetime = Lifetime()

    /** The visits. */
    public val visits: Visits = Visits(rust.visits(), lifetime)

    /** The organisation, for the pickers of the form. */
    public val directory: DirectoryClient = DirectoryClient(rust.directory(), lifetime)

    /** Previews of what the visitor gets. */
    public val passes: Passes = Passes(rust.passes(), lifetime)

    /** The way to the hub. */
    public val sync: Syncs = Syncs(rust.sync(), lifetime)

    /**
     * Signs the member in on this device, with a token of the [TokenProvider]. Signing in again keeps everything,
     * unsent work included.
     *
     * @param hub the hub's address, as its operator gives it.
     */
    public suspend fun signIn(hub: String): IdentityView = lifetime.callHere { rust.signIn(hub) }.toPublic()

    /**
     * Who is signed in.
     *
     * @throws VestibuleException.NotSignedIn where nobody is.
     */
    public suspend fun identity(): IdentityView = lifetime.call { rust.identity().toPublic() }

    /**
     * Before the app is suspended: a running sync is stopped, observers hear nothing more, and nothing holds a lock on
     * the file. Other calls still work.
     */
    public suspend fun pause(): Unit = lifetime.call { rust.pause() }

    /** After a [pause]: observers hear what has changed, and a sync may begin. */
    public suspend fun resume(): Unit = lifetime.call { rust.resume() }

    /**
     * Closes the store, once or again: lists end, a running sync is stopped, a write that has begun is finished. Every
     * later call throws [VestibuleException.Closed].
     */
    override fun close() {
        if (!lifetime.end()) return
        rust.closeStore()
        visits.destroy()
        directory.destroy()
        passes.destroy()
        sync.destroy()
        rust.destroy()
    }

    /** Opens stores. */
    public companion object {
        /**
         * Opens the phone's store, or makes it. Files of the same name with `-wal` and `-shm` behind it lie beside it;
         * keep all three out of backups.
         *
         * @throws VestibuleException.WrongKey for another key than the store was made with.
         * @throws VestibuleException.UpdateApp for a store of a later version.
         * @throws VestibuleException.Store for one that cannot be used.
         * @throws VestibuleException.Provider where a provider did not do its part.
         * @throws VestibuleException.BadArgument for what a provider gave.
         */
        public suspend fun open(
            file: File,
            keys: KeyProvider,
            tokens: TokenProvider,
            signer: DeviceSigner,
        ): HostClient = withContext(Dispatchers.IO) {
            val path = file.absolutePath
            val isText = path.firstLoneSurrogate() == null
            if (!isText) throw VestibuleException.BadArgument("file", "has half of a character in its name")
            translated { HostClient(RustClient.open(path, Keys(keys), Tokens(tokens), Signer(signer))) }
        }
    }
}

/**
 * Who is signed in on this phone.
 *
 * @property organisation the organisation.
 * @property member the member.
 * @property device the name of the device's key (RFC 9679), as an administrator sees it.
 * @property hub the hub's address.
 */
public data class IdentityView(
    val organisation: OrganisationId,
    val member: MemberId,
    val device: String,
    val hub: String,
)

private class Keys(private val app: KeyProvider) : RustKeys {
    override fun storeKey(): ByteArray = provided { app.storeKey() }
}

private class Tokens(private val app: TokenProvider) : RustTokens {
    override fun bearerToken(hub: String): String = provided { app.bearerToken(hub).wellFormed() }
}

private class Signer(private val app: DeviceSigner) : RustSigner {
    override fun publicKey(): RustKey = provided { app.publicKey.toRust() }

    override fun sign(message: ByteArray): ByteArray = provided { app.sign(message) }

    override fun renew(): RustKey = provided { app.renew().toRust() }

    private fun DeviceKey.toRust(): RustKey = when (this) {
        is DeviceKey.Ed25519 -> RustKey.Ed25519(bytes)
        is DeviceKey.Es256 -> RustKey.Es256(bytes)
    }
}

/** Whatever the app throws becomes an error Rust knows; only a [ProviderException]'s words hold no personal data. */
private inline fun <T> provided(work: () -> T): T = try {
    work()
} catch (error: ProviderException) {
    throw RustProviderException.Unavailable(error.reason.wellFormed())
} catch (error: Throwable) {
    throw RustProviderException.Unexpected(error.javaClass.simpleName)
}
