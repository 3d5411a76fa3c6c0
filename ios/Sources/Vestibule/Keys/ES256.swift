public import Foundation

/// The two forms secure hardware gives ECDSA P-256 keys and signatures in, brought to those of COSE (RFC 9053).
///
/// CryptoKit's Secure Enclave keys have both already (`rawRepresentation`, `compressedRepresentation`); `SecKey` gives
/// the others.
public enum ES256 {
    /// A signature or key that is not of its form.
    public struct Malformed: Error, Hashable, Sendable {}

    /// The signature r‖s, 64 bytes, of a DER-encoded `ECDSA-Sig-Value` (RFC 3279, section 2.2.3), which is what
    /// `SecKeyCreateSignature` makes.
    ///
    /// - Throws: ``Malformed`` for what is not exactly two positive INTEGERs of at most 32 bytes in shortest DER.
    public static func signature(fromDER der: Data) throws(Malformed) -> Data {
        var reader = DERReader(der)
        try reader.enterSequence()
        let r = try reader.unsignedInteger()
        let s = try reader.unsignedInteger()
        guard reader.isAtEnd else { throw Malformed() }
        return r + s
    }

    /// The compressed point, 33 bytes, of a public key in the uncompressed form of X9.63 (`04‖x‖y`, 65 bytes), which is
    /// what `SecKeyCopyExternalRepresentation` makes.
    public static func compressedPoint(fromX963 key: Data) throws(Malformed) -> Data {
        guard key.count == 65, key.first == 4, let last = key.last else { throw Malformed() }
        return Data([last & 1 == 0 ? 2 : 3]) + key.dropFirst().prefix(32)
    }
}

/// Reads DER from its beginning.
private struct DERReader {
    private var rest: ArraySlice<UInt8>

    init(_ data: Data) {
        rest = [UInt8](data)[...]
    }

    var isAtEnd: Bool { rest.isEmpty }

    /// Enters a SEQUENCE that is all there is.
    mutating func enterSequence() throws(ES256.Malformed) {
        guard try length(tag: 0x30) == rest.count else { throw ES256.Malformed() }
    }

    /// An INTEGER as 32 bytes.
    mutating func unsignedInteger() throws(ES256.Malformed) -> Data {
        let length = try length(tag: 0x02)
        guard length > 0, length <= rest.count else { throw ES256.Malformed() }
        var bytes = rest.prefix(length)
        rest = rest.dropFirst(length)
        guard let first = bytes.first, first & 0x80 == 0 else { throw ES256.Malformed() }
        if first == 0 {
            // A zero stands before nothing but a byte that would make the number negative.
            bytes = bytes.dropFirst()
            guard let second = bytes.first, second & 0x80 != 0 else { throw ES256.Malformed() }
        }
        guard bytes.count <= 32 else { throw ES256.Malformed() }
        return Data(repeating: 0, count: 32 - bytes.count) + bytes
    }

    /// A signature's parts are below 128 bytes: a length is one byte.
    private mutating func length(tag: UInt8) throws(ES256.Malformed) -> Int {
        guard rest.popFirst() == tag, let length = rest.popFirst(), length < 0x80 else { throw ES256.Malformed() }
        return Int(length)
    }
}
