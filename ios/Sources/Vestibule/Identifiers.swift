/// The id of something the hub and every phone name the same way.
///
/// Each kind has a type of its own, so that a site's id cannot be given where a visit's is asked for. The text of an id
/// is made by a phone or the hub; one that is not of its form is answered with ``VestibuleError/badArgument(argument:reason:)``.
public protocol Identifier: RawRepresentable<String>, Hashable, Sendable, Codable, CustomStringConvertible {
    /// Takes the id's text as it is.
    init(rawValue: String)
}

extension Identifier {
    /// Takes the id's text as it is.
    public init(_ text: String) {
        self.init(rawValue: text)
    }

    /// The id's text.
    public var description: String { rawValue }
}

/// Names a visit: a UUID of version 7 (RFC 9562), made on the phone that created the visit.
public struct VisitID: Identifier {
    /// The id's text.
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }
}

/// Names a site, the building a visitor comes to.
public struct SiteID: Identifier {
    /// The id's text.
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }
}

/// Names a space within a site.
public struct SpaceID: Identifier {
    /// The id's text.
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }
}

/// Names a visitor type.
public struct VisitorTypeID: Identifier {
    /// The id's text.
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }
}

/// Names a member of the organisation.
public struct MemberID: Identifier {
    /// The id's text.
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }
}

/// Names an operation of this phone that is not done: see ``VisitView/operations``.
public struct OperationID: RawRepresentable, Hashable, Sendable {
    /// The number this phone has given it.
    public let rawValue: Int64

    public init(rawValue: Int64) {
        self.rawValue = rawValue
    }
}
