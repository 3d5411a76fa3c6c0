import Foundation
import VestibuleGenerated

// The app's providers as the library calls them: whatever they throw becomes an error of the library's own.

final class KeyAdapter: VestibuleGenerated.KeyProvider {
    private let keys: any KeyProvider

    init(_ keys: any KeyProvider) { self.keys = keys }

    func storeKey() throws -> Data { try providing(keys.storeKey) }
}

final class SignerAdapter: VestibuleGenerated.DeviceSigner {
    private let signer: any DeviceSigner

    init(_ signer: any DeviceSigner) { self.signer = signer }

    func publicKey() throws -> VestibuleGenerated.DeviceKey { generated(try providing(signer.publicKey)) }

    func renew() throws -> VestibuleGenerated.DeviceKey { generated(try providing(signer.renew)) }

    private func generated(_ key: DeviceKey) -> VestibuleGenerated.DeviceKey {
        switch key {
        case .ed25519(let bytes): .ed25519(bytes: bytes)
        case .es256(let bytes): .es256(bytes: bytes)
        }
    }

    func sign(message: Data) throws -> Data { try providing { try signer.sign(message) } }
}

/// Hands a token that was asked for in Swift, where an app can show a page meanwhile, to the call that needs it.
final class TokenRelay: VestibuleGenerated.TokenProvider, @unchecked Sendable {
    private let tokens: any TokenProvider
    private let lock = NSLock()
    private var fetched: [String: String] = [:]

    init(_ tokens: any TokenProvider) { self.tokens = tokens }

    func fetch(hub: String) async throws(VestibuleError) {
        let token: String
        do {
            token = try await tokens.bearerToken(hub: hub)
        } catch {
            throw .provider(reason: reason(of: error))
        }
        lock.withLock { fetched[hub] = token }
    }

    func bearerToken(hub: String) throws -> String {
        guard let token = lock.withLock({ fetched.removeValue(forKey: hub) }) else {
            throw VestibuleGenerated.ProviderError.Unavailable(reason: "there is no token for this sign-in")
        }
        return token
    }
}

private func providing<Value>(_ work: () throws -> Value) throws -> Value {
    do {
        return try work()
    } catch {
        throw VestibuleGenerated.ProviderError.Unavailable(reason: reason(of: error))
    }
}

/// Only a provider's own words are passed on: those of other errors may hold personal data.
private func reason(of error: any Error) -> String {
    (error as? ProviderError)?.reason ?? "\(type(of: error))"
}
