import Observation
import SwiftUI
import Vestibule

/// The one client of the app: opened with keys that never leave the device, paused before iOS suspends it.
@MainActor @Observable
final class Session {
    enum State {
        case opening
        case signedOut(HostClient)
        case signedIn(MyVisitorsModel)
        case failed(VestibuleError)
    }

    private(set) var state = State.opening
    private let tokens = TypedToken()
    @ObservationIgnored private var client: HostClient?
    @ObservationIgnored private var suspending: UIBackgroundTaskIdentifier = .invalid

    /// Opens the phone's file, which stays out of backups: its key stays on this device, too.
    func open() async {
        guard client == nil else { return }
        state = .opening
        do {
            var folder = URL.applicationSupportDirectory
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            var values = URLResourceValues()
            values.isExcludedFromBackup = true
            try folder.setResourceValues(values)
            let client = try await HostClient.open(
                at: folder.appending(path: "phone.db"), keys: KeychainStoreKey(), tokens: tokens,
                signer: try SecureEnclaveSigner())
            self.client = client
            do {
                _ = try await client.identity()
                state = .signedIn(MyVisitorsModel(client: client))
            } catch .notSignedIn {
                state = .signedOut(client)
            }
        } catch let error as VestibuleError {
            state = .failed(error)
        } catch let error as ProviderError {
            state = .failed(.provider(reason: error.reason))
        } catch {
            state = .failed(.store(reason: "the app's folder cannot be used"))
        }
    }

    /// Signs in with a token that was typed; gives what went wrong.
    func signIn(_ client: HostClient, hub: String, token: String) async -> VestibuleError? {
        await tokens.take(token)
        do {
            try await client.signIn(hub: hub)
        } catch {
            return error
        }
        state = .signedIn(MyVisitorsModel(client: client))
        return nil
    }

    /// iOS ends an app that is suspended while it holds a lock on a file (0xdead10cc): pausing lets go of it, and is
    /// given the time it needs.
    func follow(_ phase: ScenePhase) async {
        guard let client else { return }
        switch phase {
        case .background:
            suspending = UIApplication.shared.beginBackgroundTask { [weak self] in self?.suspended() }
            try? await client.pause()
            suspended()
        case .active:
            try? await client.resume()
            if case .signedIn(let model) = state { await model.sync() }
        default:
            break
        }
    }

    private func suspended() {
        guard suspending != .invalid else { return }
        UIApplication.shared.endBackgroundTask(suspending)
        suspending = .invalid
    }
}

/// A token that a person types, as `vestibule admin token` prints it. An app of an organisation asks its identity
/// provider instead, with `ASWebAuthenticationSession`.
actor TypedToken: TokenProvider {
    private var token = ""

    func take(_ token: String) {
        self.token = token
    }

    func bearerToken(hub: String) async throws -> String { token }
}
