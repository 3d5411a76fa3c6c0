/// The form of a visit as a person has filled it, whole or not.
///
/// A field that holds nothing but white space is an empty one. ``Visits/validate(_:)`` says what is wrong with it.
public struct VisitDraft: Hashable, Sendable, Codable {
    /// The first name; either name alone is a name.
    public var firstName = ""
    public var lastName = ""
    /// The visitor's e-mail address: required where the organisation sends the PIN there.
    public var email = ""
    public var company = ""
    public var phone = ""
    /// The visitor's number in the physical access control system.
    public var pacsID = ""
    /// The site the visitor comes to.
    public var site: SiteID?
    /// A space within the site.
    public var space: SpaceID?
    public var visitorType: VisitorTypeID?
    /// The host's name, e-mail address or member id; the member who is signed in where empty.
    public var host = ""
    /// The start, or without an end the arrival, on the site's clock; a visit without one is good at any time that the
    /// site's policy allows.
    public var start: CivilTime?
    /// The end, on the site's clock.
    public var end: CivilTime?
    public var reason = ""
    /// A message to the visitor, shown as the host's words.
    public var message = ""
    /// An internal note, never for the visitor. Notes are added, never edited: a form filled from a visit has none.
    public var note = ""

    /// An empty form.
    public init() {}
}

/// A field of the visitor form.
public enum Field: String, Hashable, Sendable, Codable, CaseIterable {
    /// Neither a first nor a last name.
    case name
    case firstName = "first_name"
    case lastName = "last_name"
    case email
    case company
    case phone
    case pacsID = "pacs_id"
    case site
    case space
    case visitorType = "visitor_type"
    case host
    /// The start, or without an end the arrival.
    case start
    case end
    case reason
    case message
    case note
}
