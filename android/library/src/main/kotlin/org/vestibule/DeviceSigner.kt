package org.vestibule

/**
 * Signs for this device. On Android this is a key in the Keystore ([KeySigner] over its key pair): the private key
 * never leaves the hardware. It must not wait for a person: every write is signed.
 */
public interface DeviceSigner {
    /** The public half; the same until [renew]. */
    public val publicKey: DeviceKey

    /**
     * Signs exactly these bytes.
     *
     * @return 64 bytes: Ed25519 (RFC 8032), or `r` and `s` of ES256 (RFC 7518, section 3.4). What the Keystore gives is
     * DER: [EcdsaSignature.ofDer] converts it.
     * @throws ProviderException where the key cannot be used now, for example while the device is locked.
     */
    public fun sign(message: ByteArray): ByteArray

    /**
     * Makes another key, keeps it where the present one is kept, and gives its public half; from then on it signs. Asked
     * for where this phone turns out to be a copy of another, which signs with the same key.
     *
     * @throws ProviderException where no other key is made: then the member signs in again.
     */
    public fun renew(): DeviceKey = throw ProviderException("this device makes no other key")
}

/** A device's public key with its algorithm. */
public sealed class DeviceKey {
    /** The key's bytes, as the hub knows them. */
    public abstract val bytes: ByteArray

    /**
     * Ed25519 (RFC 8032).
     *
     * @property bytes 32 bytes.
     */
    public class Ed25519(override val bytes: ByteArray) : DeviceKey()

    /**
     * ECDSA on P-256 with SHA-256, which secure hardware offers.
     *
     * @property bytes the point, compressed (SEC 1, section 2.3.3): 33 bytes.
     */
    public class Es256(override val bytes: ByteArray) : DeviceKey()

    override fun equals(other: Any?): Boolean =
        other is DeviceKey && other::class == this::class && other.bytes.contentEquals(bytes)

    override fun hashCode(): Int = bytes.contentHashCode()
}
