import VestibuleGenerated

/// Previews of what a visitor gets: made on the phone, with nothing to be let in by.
public final class Passes: Sendable {
    private let generated: VestibuleGenerated.Passes

    init(_ generated: VestibuleGenerated.Passes) {
        self.generated = generated
    }

    /// The visitor's pass as it will look, without its code.
    ///
    /// - Throws: ``VestibuleError/refused(code:reason:)`` with `no_wallet` where the organisation has no passes, and `no_site`
    ///   where this phone does not know the visit's site.
    public func preview(_ visit: VisitID) async throws(VestibuleError) -> PassPreview {
        let generated = generated
        return try await Blocking.run { PassPreview(try generated.preview(id: visit.rawValue)) }
    }

    /// How the visitor's QR code will look. It says that it is a preview: the real code is in the visitor's own mail,
    /// page and pass alone.
    public func qrPreview() async throws(VestibuleError) -> QRMatrix {
        let generated = generated
        return try await Blocking.run { QRMatrix(try generated.qrPreview()) }
    }
}

/// The visitor's pass, without its code. A pass is a convenience, no security credential.
public struct PassPreview: Hashable, Sendable {
    /// The organisation's name, at the top of the pass.
    public let title: String
    /// What the pass is, for screen readers.
    public let summary: String
    /// The visitor's name as typed.
    public let name: String
    /// The fields in their order, front before back.
    public let fields: [Field]
    /// Whether the pass would show as ended.
    public let isVoided: Bool
    /// The colour behind everything, as `#rrggbb`.
    public let background: String
    /// The colour of values, as `#rrggbb`.
    public let foreground: String
    /// The colour of labels, as `#rrggbb`.
    public let labelColour: String
    /// Apple's `pass.json` as it will be, unsigned and without a code.
    public let json: String

    /// A field of a pass.
    public struct Field: Identifiable, Hashable, Sendable {
        /// Its name within the pass.
        public let id: String
        /// Where it stands.
        public let place: Place
        /// The words above the value.
        public let label: String
        /// What is shown.
        public let value: String
    }

    /// Where a field stands.
    public enum Place: Hashable, Sendable, CaseIterable {
        /// At the top right.
        case header
        /// Large.
        case primary
        /// Below.
        case secondary
        /// Below that.
        case auxiliary
        /// On the back.
        case back
    }
}

/// The modules of a QR code, without the quiet zone of four light modules that belongs around it.
public struct QRMatrix: Hashable, Sendable {
    /// Modules on each side, 21 to 177.
    public let size: Int
    /// `size * size` modules row by row from the top left; true is dark.
    public let modules: [Bool]

    /// Whether the module in that row and column is dark; what is outside is light.
    public func isDark(row: Int, column: Int) -> Bool {
        guard (0..<size).contains(row), (0..<size).contains(column) else { return false }
        return modules[row * size + column]
    }
}
