import SwiftUI
import Vestibule

/// Signing in, for trying out: the hub's address, and a token of the member.
struct SignInView: View {
    let session: Session
    let client: HostClient

    @AppStorage("hub") private var hub = "https://"
    @State private var token = ""
    @State private var isWorking = false
    @State private var problem: VestibuleError?

    var body: some View {
        NavigationStack {
            Form {
                Section {
                    TextField("Address of the hub", text: $hub)
                        .textContentType(.URL)
                        .keyboardType(.URL)
                    SecureField("Sign-in token", text: $token)
                } footer: {
                    Text("Your administrator gives you both.")
                }
                .textInputAutocapitalization(.never)
                .autocorrectionDisabled()
                if let problem {
                    Section { ProblemLabel(text: problem.words) }
                }
            }
            .navigationTitle("Sign in")
            .toolbar {
                ToolbarItem(placement: .confirmationAction) {
                    Button("Sign in", action: signIn)
                        .disabled(token.isEmpty || isWorking)
                }
            }
        }
    }

    private func signIn() {
        isWorking = true
        Task {
            problem = await session.signIn(client, hub: hub, token: token)
            isWorking = false
        }
    }
}
