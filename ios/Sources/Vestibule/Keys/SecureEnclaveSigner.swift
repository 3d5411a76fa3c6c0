#if canImport(CryptoKit) && canImport(Security)
    public import CryptoKit
    public import Foundation
    import Security

    /// A device key in the Secure Enclave: P-256, made on first use; nothing can read it, and no backup or other device
    /// can use it.
    ///
    /// It is for devices with a Secure Enclave (every iPhone with iOS 17); a simulator has none, and it throws
    /// ``ProviderError`` there.
    public final class SecureEnclaveSigner: DeviceSigner, @unchecked Sendable {
        private let name: String
        private let lock = NSLock()
        private var key: SecureEnclave.P256.Signing.PrivateKey

        /// Takes the key of that name, or makes it.
        public init(name: String = "org.vestibule.device") throws {
            guard SecureEnclave.isAvailable else { throw ProviderError("this device has no Secure Enclave") }
            self.name = name
            if let handle = try Keychain.data(named: name) {
                key = try SecureEnclave.P256.Signing.PrivateKey(dataRepresentation: handle)
                return
            }
            key = try Self.make()
            // The handle can be used by this device's Secure Enclave only.
            try Keychain.keep(key.dataRepresentation, named: name)
        }

        private static func make() throws -> SecureEnclave.P256.Signing.PrivateKey {
            var refusal: Unmanaged<CFError>?
            guard
                let access = SecAccessControlCreateWithFlags(
                    nil, kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly, .privateKeyUsage, &refusal)
            else { throw ProviderError("the Secure Enclave gives no access") }
            return try SecureEnclave.P256.Signing.PrivateKey(accessControl: access)
        }

        public func publicKey() throws -> DeviceKey {
            .es256(lock.withLock { key.publicKey.compressedRepresentation })
        }

        public func sign(_ message: Data) throws -> Data {
            try lock.withLock { key }.signature(for: message).rawRepresentation
        }

        public func renew() throws -> DeviceKey {
            let made = try Self.make()
            try Keychain.replace(with: made.dataRepresentation, named: name)
            lock.withLock { key = made }
            return .es256(made.publicKey.compressedRepresentation)
        }
    }

    /// The key of the phone's file in the Keychain: on this device only and out of backups, to be read from the first
    /// unlock on, so that a sync in the background can.
    public struct KeychainStoreKey: KeyProvider {
        private let name: String

        /// The key of that name; made on first use.
        public init(name: String = "org.vestibule.store") {
            self.name = name
        }

        public func storeKey() throws -> Data {
            if let key = try Keychain.data(named: name) { return key }
            var key = Data(count: 48)
            let status = key.withUnsafeMutableBytes { bytes in
                SecRandomCopyBytes(kSecRandomDefault, bytes.count, bytes.baseAddress!)
            }
            guard status == errSecSuccess else { throw ProviderError("the system gives no randomness") }
            try Keychain.keep(key, named: name)
            return key
        }
    }

    /// Generic passwords of this app, on this device only.
    private enum Keychain {
        private static func query(_ name: String) -> [CFString: Any] {
            [kSecClass: kSecClassGenericPassword, kSecAttrService: "org.vestibule", kSecAttrAccount: name]
        }

        static func data(named name: String) throws -> Data? {
            var query = query(name)
            query[kSecReturnData] = true
            var found: CFTypeRef?
            switch SecItemCopyMatching(query as CFDictionary, &found) {
            case errSecSuccess: return found as? Data
            case errSecItemNotFound: return nil
            case let status: throw ProviderError("the Keychain cannot be read (\(status))")
            }
        }

        static func keep(_ data: Data, named name: String) throws {
            var item = query(name)
            item[kSecValueData] = data
            item[kSecAttrAccessible] = kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly
            let status = SecItemAdd(item as CFDictionary, nil)
            guard status == errSecSuccess else { throw ProviderError("the Keychain cannot be written (\(status))") }
        }

        static func replace(with data: Data, named name: String) throws {
            let status = SecItemUpdate(query(name) as CFDictionary, [kSecValueData: data] as CFDictionary)
            guard status == errSecSuccess else { throw ProviderError("the Keychain cannot be written (\(status))") }
        }
    }
#endif
