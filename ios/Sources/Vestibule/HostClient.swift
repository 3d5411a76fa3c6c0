public import Foundation
import VestibuleGenerated

/// A host's phone: its encrypted file, its keys, and its way to the hub.
///
/// Everything but ``signIn(hub:)`` and ``sync`` works with no network, and what a write has acknowledged is on this phone
/// for good, also when the battery is pulled. Share one client between all tasks of an app; open one for each file.
///
/// An app calls ``pause()`` before it is suspended, ``resume()`` when it goes on, and ``close()`` when the member leaves;
/// a client that is dropped closes itself.
public final class HostClient: Sendable {
    private let generated: VestibuleGenerated.HostClient
    private let tokens: TokenRelay

    /// The visits of the member: invite, edit, cancel, look up, observe.
    public let visits: Visits
    /// What the organisation's forms choose from.
    public let directory: Directory
    /// What a visitor will be given.
    public let passes: Passes
    /// Sends what waits and fetches what is new.
    public let sync: Syncs

    private init(_ generated: VestibuleGenerated.HostClient, tokens: TokenRelay) {
        self.generated = generated
        self.tokens = tokens
        visits = Visits(generated.visits())
        directory = Directory(generated.directory())
        passes = Passes(generated.passes())
        sync = Syncs(generated.sync())
    }

    /// Opens the phone's file, or makes it.
    ///
    /// - Parameters:
    ///   - file: in a folder of the app that exists; files with the endings `-wal` and `-shm` lie beside it.
    ///   - keys: gives the file's key.
    ///   - tokens: gives the member's token when they sign in.
    ///   - signer: signs for this device.
    /// - Throws: ``VestibuleError/wrongKey``, ``VestibuleError/store(reason:)`` for a file that cannot be used or is of a later
    ///   version, ``VestibuleError/provider(reason:)``.
    public static func open(
        at file: URL, keys: any KeyProvider, tokens: any TokenProvider, signer: any DeviceSigner
    ) async throws(VestibuleError) -> HostClient {
        guard file.isFileURL else {
            throw .badArgument(argument: "file", reason: "is no URL of a file")
        }
        let relay = TokenRelay(tokens)
        let generated = try await Blocking.run {
            try VestibuleGenerated.HostClient.open(
                path: file.path, keys: KeyAdapter(keys), tokens: relay, signer: SignerAdapter(signer))
        }
        return HostClient(generated, tokens: relay)
    }

    /// Signs the member in on this device with a token of their identity provider. Signing in again keeps everything,
    /// unsent work included.
    ///
    /// - Parameter hub: the hub's address, which begins with `https://` (`http://` for one on this machine only).
    @discardableResult
    public func signIn(hub: String) async throws(VestibuleError) -> Identity {
        try await tokens.fetch(hub: hub)
        return try await Bridge.awaiting { Identity(try await self.generated.signIn(hub: hub)) }
    }

    /// Who is signed in.
    ///
    /// - Throws: ``VestibuleError/notSignedIn``.
    public func identity() async throws(VestibuleError) -> Identity {
        let generated = generated
        return try await Blocking.run { Identity(try generated.identity()) }
    }

    /// Before the app is suspended: a sync that runs is stopped and waited for, observations tell nothing more, and what
    /// was written is brought into the file, on which no lock is held any more. Calls of the app's own still work.
    public func pause() async throws(VestibuleError) {
        let generated = generated
        try await Blocking.run { try generated.pause() }
    }

    /// After ``pause()``: observations go on with what has changed, and a sync may begin.
    public func resume() async throws(VestibuleError) {
        let generated = generated
        try await Blocking.run { try generated.resume() }
    }

    /// Closes the file. A sync that runs is stopped and waited for, observations end, and everything after it throws
    /// ``VestibuleError/closed``. Closing again does nothing.
    public func close() async {
        let generated = generated
        await Blocking.finish { generated.close() }
    }
}

/// Who is signed in on a phone, and where.
public struct Identity: Hashable, Sendable {
    /// The member who signed in.
    public let member: MemberID
    /// The organisation's id.
    public let organisation: String
    /// The name of the device's key (RFC 9679), as an administrator sees it.
    public let device: String
    /// The hub's address.
    public let hub: String
}
