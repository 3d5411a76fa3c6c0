package org.vestibule

/**
 * Gives the key of the store. On Android: 48 random bytes, made once and kept encrypted by a Keystore key that never
 * leaves the device and is in no backup.
 */
public fun interface KeyProvider {
    /**
     * The key: 32 bytes of key, then 16 of salt. Called once for every [HostClient.open], not on the main thread.
     *
     * @throws ProviderException where the key cannot be had now.
     */
    public fun storeKey(): ByteArray
}

/** Signs the member in at their identity provider. */
public fun interface TokenProvider {
    /**
     * A bearer token for the hub at that address. Called by [HostClient.signIn] only, not on the main thread.
     *
     * @throws ProviderException where the person did not sign in.
     */
    public fun bearerToken(hub: String): String
}

/**
 * Thrown by a [KeyProvider], [TokenProvider] or [DeviceSigner] that cannot do its part now; it reaches the caller as
 * [VestibuleException.Provider].
 *
 * @property reason without personal data.
 */
public class ProviderException(public val reason: String, cause: Throwable? = null) : Exception(reason, cause)
