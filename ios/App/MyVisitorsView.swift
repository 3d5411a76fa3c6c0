import SwiftUI
import Vestibule

/// My visitors: a tab for each state, search, and how the sync stands.
struct MyVisitorsView: View {
    @Bindable var model: MyVisitorsModel
    @State private var form: VisitFormModel?
    @State private var toCancel: VisitSummary?

    var body: some View {
        NavigationStack {
            List {
                NoticeSection(model: model)
                ForEach(model.visits) { visit in
                    Button {
                        form = model.form(visit.status.isOver ? .inviteAgain(visit.id) : .edit(visit.id))
                    } label: {
                        VisitRow(visit: visit)
                    }
                    .tint(.primary)
                    .accessibilityHint(
                        visit.status.isOver ? Text("Invites the visitor again") : Text("Edits the visit")
                    )
                    .swipeActions {
                        if !visit.status.isOver {
                            Button("Cancel visit", systemImage: "xmark.circle", role: .destructive) { toCancel = visit }
                        }
                    }
                    .onAppear { model.appeared(visit) }
                }
            }
            .listStyle(.plain)
            .overlay { EmptinessView(model: model) { form = model.form() } }
            .safeAreaInset(edge: .top, spacing: 0) { TabBar(model: model) }
            .navigationTitle("My visitors")
            .searchable(text: $model.searchText, prompt: "Name, company or host")
            .refreshable { await model.sync() }
            .toolbar {
                ToolbarItem(placement: .primaryAction) {
                    Button("Invite a visitor", systemImage: "plus") { form = model.form() }
                }
            }
        }
        .task { await model.run() }
        .task { await model.sync() }
        .sheet(item: $form) { VisitFormView(form: $0) }
        .confirmationDialog("Cancel this visit?", isPresented: isCancelling, titleVisibility: .visible) {
            Button("Cancel visit", role: .destructive) {
                if let visit = toCancel { Task { await model.cancel(visit.id) } }
            }
            Button("Keep it", role: .cancel) {}
        } message: {
            Text("The visitor is told if they have been invited, and their PIN and passes end.")
        }
        .alert("That did not work", isPresented: hasProblem) {
        } message: {
            Text(verbatim: model.problem?.words ?? "")
        }
    }

    private var isCancelling: Binding<Bool> {
        Binding {
            toCancel != nil
        } set: {
            if !$0 { toCancel = nil }
        }
    }

    private var hasProblem: Binding<Bool> {
        Binding {
            model.problem != nil
        } set: {
            if !$0 { model.problem = nil }
        }
    }
}

/// The tabs with how many visits each has; they scroll where large text needs the room.
private struct TabBar: View {
    let model: MyVisitorsModel

    var body: some View {
        ScrollView(.horizontal, showsIndicators: false) {
            HStack(spacing: 8) {
                ForEach(VisitTab.allCases) { tab in
                    let isChosen = tab == model.tab
                    Button {
                        model.tab = tab
                    } label: {
                        HStack(spacing: 6) {
                            Text(tab.title)
                            Text(model.counts[tab], format: .number)
                                .monospacedDigit()
                                .foregroundStyle(isChosen ? AnyShapeStyle(.primary) : AnyShapeStyle(.secondary))
                        }
                        .font(.subheadline.weight(isChosen ? .semibold : .regular))
                        .padding(.horizontal, 14)
                        .padding(.vertical, 8)
                        .background(
                            isChosen ? AnyShapeStyle(.tint.opacity(0.18)) : AnyShapeStyle(.fill.tertiary), in: .capsule)
                    }
                    .buttonStyle(.plain)
                    .accessibilityLabel(Text("\(tab.title), \(model.counts[tab]) visits"))
                    .accessibilityAddTraits(isChosen ? .isSelected : [])
                }
            }
            .padding(.horizontal)
            .padding(.vertical, 8)
        }
        .background(.bar)
    }
}

/// What a host should know above the list: what waits on this phone, what needs them, what stands in the way.
private struct NoticeSection: View {
    let model: MyVisitorsModel

    var body: some View {
        Section {
            if model.queued > 0 {
                Label {
                    VStack(alignment: .leading, spacing: 2) {
                        Text("\(model.queued) invitations wait on this phone")
                            .font(.subheadline.weight(.semibold))
                        Text("Nobody is invited before the hub has them.")
                            .font(.footnote)
                            .foregroundStyle(.secondary)
                    }
                } icon: {
                    Image(systemName: "tray.and.arrow.up").foregroundStyle(.orange)
                }
                .accessibilityElement(children: .combine)
            }
            if model.attention > 0 {
                Label("\(model.attention) visits need your attention", systemImage: "exclamationmark.triangle")
                    .font(.subheadline.weight(.semibold))
                    .foregroundStyle(.red)
            }
            switch model.activity {
            case .failed(let error):
                Label {
                    Text(verbatim: error.words).font(.footnote)
                } icon: {
                    Image(systemName: "wifi.slash").foregroundStyle(.secondary)
                }
            case .running:
                Label {
                    Text("Exchanging with the hub …").font(.footnote)
                } icon: {
                    ProgressView()
                }
            case .idle:
                if let syncedAt = model.syncedAt {
                    Text("Up to date as of \(syncedAt, format: .relative(presentation: .named))")
                        .font(.footnote)
                        .foregroundStyle(.secondary)
                }
            }
        }
        .listRowSeparator(.hidden)
    }
}

/// Why there is nothing to see, and what to do.
private struct EmptinessView: View {
    let model: MyVisitorsModel
    let invite: () -> Void

    var body: some View {
        switch model.emptiness {
        case nil:
            EmptyView()
        case .noVisits:
            ContentUnavailableView {
                Label("No visitors yet", systemImage: "person.2.badge.plus")
            } description: {
                Text("Invite somebody; it works without a network, too.")
            } actions: {
                Button("Invite a visitor", action: invite).buttonStyle(.borderedProminent)
            }
        case .emptyTab(let tab):
            ContentUnavailableView {
                Label(tab.emptyTitle, systemImage: tab.symbol)
            } description: {
                Text(tab.explanation)
            }
        case .nothingFound:
            ContentUnavailableView.search(text: model.searchText)
        }
    }
}
