import SwiftUI
import Vestibule

/// The form of a visit: to invite, to edit, to invite again.
struct VisitFormView: View {
    @Bindable var form: VisitFormModel
    @Environment(\.dismiss) private var dismiss
    @State private var hosts: [Member] = []

    var body: some View {
        NavigationStack {
            Form {
                visitor
                visit
                times
                host
                words
            }
            .disabled(!form.isLoaded || form.isSaving)
            .navigationTitle(form.purpose.title)
            .navigationBarTitleDisplayMode(.inline)
            .toolbar {
                ToolbarItem(placement: .cancellationAction) {
                    Button("Close", role: .cancel) { dismiss() }
                }
                ToolbarItem(placement: .confirmationAction) {
                    Button("OK", action: confirm)
                        .disabled(!form.canConfirm)
                        .accessibilityHint(Text(verbatim: missing))
                }
            }
        }
        .interactiveDismissDisabled(form.isSaving)
        .task { await form.load() }
        .alert("That did not work", isPresented: hasFailed) {
        } message: {
            Text(verbatim: form.failure?.words ?? "")
        }
    }

    private var visitor: some View {
        Section("Visitor") {
            field(.firstName) { TextField("First name", text: $form.draft.firstName).textContentType(.givenName) }
            field(.lastName) { TextField("Last name", text: $form.draft.lastName).textContentType(.familyName) }
            problem(.name)
            field(.email) {
                TextField(
                    form.organisation?.isEmailRequired == false ? "E-mail (optional)" : "E-mail",
                    text: $form.draft.email
                )
                .textContentType(.emailAddress)
                .keyboardType(.emailAddress)
                .textInputAutocapitalization(.never)
                .autocorrectionDisabled()
            }
            field(.company) { TextField("Company", text: $form.draft.company).textContentType(.organizationName) }
            field(.phone) {
                TextField("Phone", text: $form.draft.phone).textContentType(.telephoneNumber).keyboardType(.phonePad)
            }
            field(.pacsID) { TextField("Access control number", text: $form.draft.pacsID) }
        }
    }

    private var visit: some View {
        Section("Visit") {
            field(.site) {
                Picker("Site", selection: $form.draft.site) {
                    Text("Choose").tag(SiteID?.none)
                    ForEach(form.sites) { Text(verbatim: $0.name).tag(Optional($0.id)) }
                }
            }
            if !form.spaces.isEmpty {
                field(.space) {
                    Picker("Space", selection: $form.draft.space) {
                        Text("None").tag(SpaceID?.none)
                        ForEach(form.spaces) { Text(verbatim: $0.name).tag(Optional($0.id)) }
                    }
                }
            }
            field(.visitorType) {
                Picker("Visitor type", selection: $form.draft.visitorType) {
                    Text("None").tag(VisitorTypeID?.none)
                    ForEach(form.visitorTypes) { Text(verbatim: $0.name).tag(Optional($0.id)) }
                }
            }
            if let type = form.visitorTypes.first(where: { $0.id == form.draft.visitorType }), type.needsApproval {
                Label("The visitor is invited once this is approved.", systemImage: "checkmark.shield")
                    .font(.footnote)
                    .foregroundStyle(.secondary)
            }
        }
    }

    private var times: some View {
        Section {
            field(.start) { OptionalDatePicker(title: "Start", date: $form.start, suggestion: nextHour) }
            if let start = form.start {
                field(.end) {
                    OptionalDatePicker(title: "End", date: $form.end, suggestion: start.addingTimeInterval(3_600))
                }
            }
        } header: {
            Text("Time")
        } footer: {
            if form.draft.start == nil {
                Text("Without a time the visitor may come whenever the site's policy allows.")
            } else if form.timeZone != .current {
                Text("On the site's clock: \(zoneName)")
            }
        }
        .environment(\.timeZone, form.timeZone)
    }

    private var host: some View {
        Section("Host") {
            field(.host) {
                TextField("Yourself, or a name or e-mail address", text: $form.draft.host)
                    .textInputAutocapitalization(.never)
                    .autocorrectionDisabled()
            }
            ForEach(hosts) { member in
                Button {
                    form.draft.host = member.email
                    hosts = []
                } label: {
                    LabeledContent {
                        Text(verbatim: member.email)
                    } label: {
                        Text(verbatim: member.name)
                    }
                }
            }
        }
        .task(id: form.draft.host) {
            let text = form.draft.host
            let offered = text.isEmpty ? [] : await form.hosts(matching: text)
            hosts = offered.contains { $0.email == text } ? [] : Array(offered.prefix(5))
        }
    }

    private var words: some View {
        Section {
            field(.reason) { TextField("Reason", text: $form.draft.reason, axis: .vertical) }
            field(.message) { TextField("Message to the visitor", text: $form.draft.message, axis: .vertical) }
            field(.note) { TextField("Internal note", text: $form.draft.note, axis: .vertical) }
        } header: {
            Text("Words")
        } footer: {
            Text("The note is for you and the visitor team, never for the visitor.")
        }
    }

    private func field(_ field: Field, @ViewBuilder content: () -> some View) -> some View {
        VStack(alignment: .leading, spacing: 4) {
            content()
            problem(field)
        }
        .accessibilityElement(children: .contain)
    }

    @ViewBuilder private func problem(_ field: Field) -> some View {
        if let problem = form.problem(of: field) {
            ProblemLabel(text: problem.words)
        }
    }

    /// What a screen reader says of an OK that is not there yet.
    private var missing: String {
        ListFormatter.localizedString(byJoining: form.missing.map { String(localized: $0.title) })
    }

    private var zoneName: String {
        form.timeZone.localizedName(for: .generic, locale: .current) ?? form.timeZone.identifier
    }

    private var nextHour: Date {
        Calendar.current.nextDate(after: .now, matching: DateComponents(minute: 0), matchingPolicy: .nextTime) ?? .now
    }

    private var hasFailed: Binding<Bool> {
        Binding {
            form.failure != nil
        } set: {
            if !$0 { form.failure = nil }
        }
    }

    private func confirm() {
        Task {
            if await form.confirm() != nil { dismiss() }
        }
    }
}

/// A date that may be left out.
private struct OptionalDatePicker: View {
    let title: LocalizedStringKey
    @Binding var date: Date?
    let suggestion: Date

    var body: some View {
        Toggle(
            title,
            isOn: Binding {
                date != nil
            } set: {
                date = $0 ? suggestion : nil
            })
        if let chosen = Binding($date) {
            DatePicker(title, selection: chosen)
                .labelsHidden()
        }
    }
}
