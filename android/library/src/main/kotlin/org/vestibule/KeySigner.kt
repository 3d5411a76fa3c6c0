package org.vestibule

import java.security.GeneralSecurityException
import java.security.KeyPair
import java.security.KeyPairGenerator
import java.security.PrivateKey
import java.security.PublicKey
import java.security.Signature
import java.security.interfaces.ECPublicKey
import java.security.spec.ECGenParameterSpec

/**
 * Signs with a key of the platform's providers: a P-256 key of the Android Keystore, or any P-256 or Ed25519 key on the
 * JVM.
 *
 * On Android, make the key pair once with `KeyPairGenerator.getInstance("EC", "AndroidKeyStore")`, curve `secp256r1`,
 * `DIGEST_SHA256`, and StrongBox where the device has one; later take it from the Keystore by its alias.
 *
 * @param another makes and keeps another pair of the same kind, for a phone that turns out to be a copy.
 * @throws VestibuleException.BadArgument for a key of another kind.
 */
public class KeySigner(
    publicKey: PublicKey,
    privateKey: PrivateKey,
    private val another: (() -> KeyPair)? = null,
) : DeviceSigner {
    /** Signs with both halves of a pair. */
    public constructor(pair: KeyPair, another: (() -> KeyPair)? = null) : this(pair.public, pair.private, another)

    @Volatile
    private var key = Held(deviceKey(publicKey), privateKey)

    override val publicKey: DeviceKey get() = key.public

    override fun renew(): DeviceKey {
        val pair = (another ?: return super.renew())()
        key = Held(deviceKey(pair.public), pair.private)
        return publicKey
    }

    override fun sign(message: ByteArray): ByteArray = try {
        val (publicKey, privateKey) = key
        val algorithm = if (publicKey is DeviceKey.Es256) "SHA256withECDSA" else "Ed25519"
        val signature = Signature.getInstance(algorithm).run {
            initSign(privateKey)
            update(message)
            sign()
        }
        if (publicKey is DeviceKey.Es256) EcdsaSignature.ofDer(signature) else signature
    } catch (error: GeneralSecurityException) {
        throw ProviderException("the device's key does not sign", error)
    }

    private data class Held(val public: DeviceKey, val private: PrivateKey)

    /** Makes keys in software: for the JVM and for tests. A phone's key belongs into its secure hardware. */
    public companion object {
        /** A new P-256 key. */
        public fun generateEs256(): KeyPair =
            KeyPairGenerator.getInstance("EC").apply { initialize(ECGenParameterSpec("secp256r1")) }.generateKeyPair()

        /** A new Ed25519 key (JDK 15, Android 13 and later). */
        public fun generateEd25519(): KeyPair = KeyPairGenerator.getInstance("Ed25519").generateKeyPair()
    }
}

private fun deviceKey(key: PublicKey): DeviceKey = when {
    key is ECPublicKey && key.isP256() -> DeviceKey.Es256(key.compressed())
    else -> ed25519Bytes(key)?.let { DeviceKey.Ed25519(it) }
        ?: throw VestibuleException.BadArgument("publicKey", "is neither P-256 nor Ed25519")
}

/** Signatures of ECDSA on P-256. */
public object EcdsaSignature {
    /**
     * `r` and `s`, 32 bytes each, of a signature in DER (RFC 3279, section 2.2.3), which the Keystore gives.
     *
     * @throws VestibuleException.BadArgument for bytes that are no such signature.
     */
    public fun ofDer(der: ByteArray): ByteArray {
        val reader = DerReader(der)
        val end = reader.header(tag = 0x30)
        val numbers = ByteArray(64)
        for (offset in listOf(0, 32)) {
            val number = reader.number()
            if (number.size > 32) throw malformed()
            number.copyInto(numbers, offset + 32 - number.size)
        }
        if (end != der.size || reader.at != end) throw malformed()
        return numbers
    }
}

private fun malformed() = VestibuleException.BadArgument("der", "is no ECDSA signature on P-256")

private class DerReader(private val bytes: ByteArray) {
    var at = 0

    /** Reads tag and length and gives where the content ends. A signature is short: its lengths are one byte. */
    fun header(tag: Int): Int {
        if (at + 2 > bytes.size || bytes[at].toInt() != tag || bytes[at + 1] < 0) throw malformed()
        val end = at + 2 + bytes[at + 1]
        at += 2
        return if (end <= bytes.size) end else throw malformed()
    }

    /** A positive number, without the zeros before it. */
    fun number(): ByteArray {
        val end = header(tag = 0x02)
        val number = bytes.copyOfRange(at, end)
        if (number.isEmpty() || number[0] < 0) throw malformed()
        at = end
        return number.dropWhile { it.toInt() == 0 }.toByteArray()
    }
}

/** The curve's order, which names it in every provider. */
private const val P256_ORDER = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"

private fun ECPublicKey.isP256(): Boolean = params.order.toString(16) == P256_ORDER

private fun ECPublicKey.compressed(): ByteArray {
    val point = ByteArray(33)
    point[0] = if (w.affineY.testBit(0)) 3 else 2
    val x = w.affineX.toByteArray().dropWhile { it.toInt() == 0 }.toByteArray()
    x.copyInto(point, 33 - x.size)
    return point
}

/** The start of an Ed25519 key in X.509 (RFC 8410): the class that would tell is not on every Android. */
private val ED25519_PREFIX = byteArrayOf(0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00)

private fun ed25519Bytes(key: PublicKey): ByteArray? {
    val encoded = key.encoded ?: return null
    val fits = encoded.size == ED25519_PREFIX.size + 32 &&
        encoded.copyOf(ED25519_PREFIX.size).contentEquals(ED25519_PREFIX)
    return if (fits) encoded.copyOfRange(ED25519_PREFIX.size, encoded.size) else null
}
