import VestibuleGenerated

/// The organisation, as the pickers of a form need it: all of it is on the phone once it has synced, and nothing before.
public final class Directory: Sendable {
    private let generated: VestibuleGenerated.DirectoryClient

    init(_ generated: VestibuleGenerated.DirectoryClient) {
        self.generated = generated
    }

    /// The organisation; none before the first sync.
    public func organisation() async throws(VestibuleError) -> Organisation? {
        try await run { try $0.organisation().map(Organisation.init) }
    }

    /// The sites, by name.
    public func sites() async throws(VestibuleError) -> [Site] {
        try await run { try $0.sites().map(Site.init) }
    }

    /// The spaces of a site, by name; none for a site this phone does not know.
    public func spaces(of site: SiteID) async throws(VestibuleError) -> [Space] {
        try await run { try $0.spaces(site: site.rawValue).map(Space.init) }
    }

    /// The visitor types, by name.
    public func visitorTypes() async throws(VestibuleError) -> [VisitorType] {
        try await run { try $0.visitorTypes().map(VisitorType.init) }
    }

    /// The members to offer while a person types, by name: each word of `text` begins a word of their name or e-mail
    /// address, accents aside; an empty text means all.
    ///
    /// - Parameters:
    ///   - text: what was typed, at most 1,000 characters.
    ///   - limit: at most so many members, 1 to 1,000.
    public func members(matching text: String, limit: Int = 50) async throws(VestibuleError) -> [Member] {
        let limit = try Bridge.count(limit, "limit")
        return try await run { try $0.members(text: text, limit: limit).map(Member.init) }
    }

    /// The members whose delegate the member on this phone is, by name: who a visit may be made for.
    public func principals() async throws(VestibuleError) -> [Member] {
        try await run { try $0.principals().map(Member.init) }
    }

    /// The member on this phone; none before the first sync.
    public func me() async throws(VestibuleError) -> Member? {
        try await run { try $0.me().map(Member.init) }
    }

    /// What the member on this phone may do; the hub has the last word.
    public func permissions() async throws(VestibuleError) -> Permissions {
        try await run { Permissions(try $0.permissions()) }
    }

    private func run<Value: Sendable>(
        _ work: @escaping @Sendable (VestibuleGenerated.DirectoryClient) throws -> Value
    ) async throws(VestibuleError) -> Value {
        let generated = generated
        return try await Blocking.run { try work(generated) }
    }
}
