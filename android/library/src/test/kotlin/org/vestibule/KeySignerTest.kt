package org.vestibule

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import java.math.BigInteger
import java.security.KeyPair
import java.security.KeyPairGenerator
import java.security.Signature
import java.security.interfaces.ECPublicKey
import java.security.spec.ECGenParameterSpec
import java.util.HexFormat

/** Signatures of the platform's keys, in the form the hub takes. */
class KeySignerTest {
    @Test
    fun `a signature in DER becomes r and s`() {
        fun number(hex: String) = HexFormat.of().parseHex(hex).let { byteArrayOf(2, it.size.toByte()) + it }
        fun der(first: ByteArray, second: ByteArray) = byteArrayOf(0x30, (first.size + second.size).toByte()) + first + second
        val long = "00" + "ff".repeat(32)
        val cases = mapOf(
            der(number("01"), number("7f")) to "${"00".repeat(31)}01${"00".repeat(31)}7f",
            der(number(long), number("00" + "80" + "00".repeat(31))) to "ff".repeat(32) + "80" + "00".repeat(31),
            der(number("00"), number("0080")) to "00".repeat(32) + "00".repeat(31) + "80",
        )
        for ((der, raw) in cases) assertEquals(raw, HexFormat.of().formatHex(EcdsaSignature.ofDer(der)))
    }

    @Test
    fun `what is no signature is a bad argument`() = runBlocking {
        val sound = Signature.getInstance("SHA256withECDSA").run {
            initSign(KeySigner.generateEs256().private)
            update(ByteArray(3))
            sign()
        }
        val broken = listOf(
            ByteArray(0),
            byteArrayOf(0x30),
            byteArrayOf(0x30, 0),
            byteArrayOf(0x30, -128),
            byteArrayOf(0x31) + sound.drop(1),
            sound + 0,
            sound.copyOf(sound.size - 1),
            byteArrayOf(0x30, 6, 2, 1, 1, 2, 1, -1),
            byteArrayOf(0x30, 4, 2, 0, 2, 0),
            byteArrayOf(0x30, 38, 2, 33) + ByteArray(33) { 1 } + byteArrayOf(2, 1, 1),
        )
        for (der in broken) failure<VestibuleException.BadArgument> { EcdsaSignature.ofDer(der) }
        for (at in sound.indices) {
            val flipped = sound.copyOf().also { it[at] = (it[at] + 1).toByte() }
            // Whatever it is, it is 64 bytes or a typed error.
            runCatching { EcdsaSignature.ofDer(flipped) }
                .onSuccess { assertEquals(64, it.size) }
                .onFailure { check(it is VestibuleException.BadArgument) }
        }
    }

    @Test
    fun `a P-256 key signs as ES256`() = repeat(50) {
        val pair = KeySigner.generateEs256()
        val signer = KeySigner(pair)
        val message = "message $it".toByteArray()
        val raw = signer.sign(message)
        assertEquals(64, raw.size)
        val verified = Signature.getInstance("SHA256withECDSAinP1363Format").run {
            initVerify(pair.public)
            update(message)
            verify(raw)
        }
        assertEquals(true, verified)

        val point = (signer.publicKey as DeviceKey.Es256).bytes
        val w = (pair.public as ECPublicKey).w
        assertEquals(33, point.size)
        assertEquals(if (w.affineY.testBit(0)) 3 else 2, point[0].toInt())
        assertEquals(w.affineX, BigInteger(1, point.copyOfRange(1, 33)))
    }

    @Test
    fun `an Ed25519 key signs as it is`() {
        val pair = KeySigner.generateEd25519()
        val signer = KeySigner(pair)
        val verified = Signature.getInstance("Ed25519").run {
            initVerify(pair.public)
            update(byteArrayOf(1, 2, 3))
            verify(signer.sign(byteArrayOf(1, 2, 3)))
        }
        assertEquals(true, verified)
        assertArrayEquals(pair.public.encoded.takeLast(32).toByteArray(), signer.publicKey.bytes)
    }

    @Test
    fun `other keys are refused, and a key that does not fit says so`() = runBlocking<Unit> {
        val others = listOf("RSA" to null, "EC" to "secp384r1", "X25519" to null, "Ed448" to null)
        for ((algorithm, curve) in others) {
            val generator = KeyPairGenerator.getInstance(algorithm)
            curve?.let { generator.initialize(ECGenParameterSpec(it)) }
            failure<VestibuleException.BadArgument> { KeySigner(generator.generateKeyPair()) }
        }
        val mixed = KeyPair(KeySigner.generateEs256().public, KeySigner.generateEd25519().private)
        val error = runCatching { KeySigner(mixed).sign(ByteArray(1)) }.exceptionOrNull()
        check(error is ProviderException) { "$error" }
    }
}
