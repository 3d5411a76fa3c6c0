import Foundation
import Vestibule

/// A device key held by the program `openssl`: P-256 in the forms that `SecKey` gives it in, or Ed25519.
final class OpenSSLKey: DeviceSigner {
    enum Algorithm {
        case ed25519, es256
    }

    private let algorithm: Algorithm
    private let folder: URL
    private let key: DeviceKey
    private static let openssl = URL(fileURLWithPath: "/usr/bin/openssl")
    private var file: String { folder.appendingPathComponent("key.pem").path }

    init(_ algorithm: Algorithm = .ed25519) throws {
        self.algorithm = algorithm
        folder = try temporaryFolder()
        let file = folder.appendingPathComponent("key.pem").path
        let kind =
            switch algorithm {
            case .ed25519: ["-algorithm", "ed25519"]
            case .es256: ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
            }
        try run(Self.openssl, ["genpkey", "-out", file] + kind)
        // A SubjectPublicKeyInfo ends with the key.
        let info = try runForBytes(Self.openssl, ["pkey", "-in", file, "-pubout", "-outform", "DER"])
        key =
            switch algorithm {
            case .ed25519: .ed25519(info.suffix(32))
            case .es256: .es256(try ES256.compressedPoint(fromX963: info.suffix(65)))
            }
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func publicKey() -> DeviceKey { key }

    func sign(_ message: Data) throws -> Data {
        let input = try write(message)
        defer { try? FileManager.default.removeItem(at: input) }
        switch algorithm {
        case .es256:
            let der = try runForBytes(Self.openssl, ["dgst", "-sha256", "-sign", file, input.path])
            return try ES256.signature(fromDER: der)
        case .ed25519:
            return try runForBytes(Self.openssl, ["pkeyutl", "-sign", "-rawin", "-inkey", file, "-in", input.path])
        }
    }

    /// Whether a signature in DER is this P-256 key's of that message.
    func verifies(_ signature: Data, of message: Data) throws -> Bool {
        let (input, signature) = (try write(message), try write(signature))
        defer { [input, signature].forEach { try? FileManager.default.removeItem(at: $0) } }
        let arguments = ["dgst", "-sha256", "-prverify", file, "-signature", signature.path, input.path]
        return (try? run(Self.openssl, arguments, errors: URL(fileURLWithPath: "/dev/null"))) != nil
    }

    private func write(_ bytes: Data) throws -> URL {
        let file = folder.appendingPathComponent(UUID().uuidString)
        try bytes.write(to: file)
        return file
    }
}
