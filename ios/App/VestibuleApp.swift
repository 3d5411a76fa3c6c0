import SwiftUI
import Vestibule

/// The app of a host: my visitors, and the form of a visit. All it knows and does is in the package; here are screens.
@main
struct VestibuleApp: App {
    @State private var session = Session()
    @Environment(\.scenePhase) private var phase

    var body: some Scene {
        WindowGroup {
            SessionView(session: session)
                .task { await session.open() }
        }
        .onChange(of: phase) { _, phase in
            Task { await session.follow(phase) }
        }
    }
}

/// What is shown depends on whether somebody has signed in.
struct SessionView: View {
    let session: Session

    var body: some View {
        switch session.state {
        case .opening:
            ProgressView()
        case .signedOut(let client):
            SignInView(session: session, client: client)
        case .signedIn(let model):
            MyVisitorsView(model: model)
        case .failed(let error):
            ContentUnavailableView {
                Label("The app cannot open its file", systemImage: "lock.trianglebadge.exclamationmark")
            } description: {
                Text(verbatim: error.words)
            } actions: {
                Button("Try again") { Task { await session.open() } }
            }
        }
    }
}
