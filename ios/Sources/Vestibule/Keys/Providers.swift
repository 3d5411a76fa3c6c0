public import Foundation

/// Gives the key of the phone's file.
///
/// Keep it in the Keychain, on this device only and out of backups: `KeychainStoreKey` does. It is asked once for each
/// ``HostClient/open(at:keys:tokens:signer:)``, on a thread of its own, where it may block.
public protocol KeyProvider: Sendable {
    /// 48 random bytes, the same ones for the life of the file: a 256-bit key and a 128-bit salt.
    func storeKey() throws -> Data
}

/// Gives the member's bearer token of the organisation's identity provider.
public protocol TokenProvider: Sendable {
    /// A token for that hub; asked by ``HostClient/signIn(hub:)`` only. Here an app shows its sign-in page.
    func bearerToken(hub: String) async throws -> String
}

/// Signs for this device. The private key never leaves it: `SecureEnclaveSigner` keeps one where nothing can read it.
///
/// It is called on threads of the library, where it may block, and may be called from several at a time.
public protocol DeviceSigner: Sendable {
    /// The public half, the same one until ``renew()``.
    func publicKey() throws -> DeviceKey

    /// Signs exactly these bytes, 64 bytes: r‖s of ECDSA over SHA-256 for ES256 (see ``ES256/signature(fromDER:)``), or the
    /// signature of RFC 8032 for Ed25519.
    func sign(_ message: Data) throws -> Data

    /// Makes another key, keeps it where the present one is kept, and gives its public half; from then on it signs. Asked
    /// for where this phone turns out to be a copy of another, which signs with the same key.
    func renew() throws -> DeviceKey
}

extension DeviceSigner {
    /// A signer that makes no other key: the member signs in again instead.
    public func renew() throws -> DeviceKey { throw ProviderError("this device makes no other key") }
}

/// A device's public key with its algorithm.
public enum DeviceKey: Hashable, Sendable {
    /// Ed25519 (RFC 8032): 32 bytes.
    case ed25519(Data)
    /// ECDSA P-256 with SHA-256: the compressed point, 33 bytes; see ``ES256/compressedPoint(fromX963:)``.
    case es256(Data)
}

/// What a provider throws where it cannot do its work. Its reason reaches the caller in
/// ``VestibuleError/provider(reason:)`` and has to hold no personal data; of any other error only the type is told.
public struct ProviderError: Error, Hashable, Sendable {
    /// Why, without personal data.
    public let reason: String

    /// An error with that reason.
    public init(_ reason: String) {
        self.reason = reason
    }
}
