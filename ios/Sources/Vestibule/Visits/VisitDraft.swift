/// The form of a visit as a person has filled it, whole or not.
///
/// A field that holds nothing but white space is an empty one. ``Visits/validate(_:)`` says what is wrong with it.
public struct VisitDraft: Hashable, Sendable, Codable {
    /// The first name; either name alone is a name.
    public var firstName = ""
    /// The last name.
    public var lastName = ""
    /// The visitor's e-mail address: required where the organisation sends the PIN there.
    public var email = ""
    /// The visitor's company.
    public var company = ""
    /// The visitor's phone number.
    public var phone = ""
    /// The visitor's number in the physical access control system.
    public var pacsID = ""
    /// The site the visitor comes to.
    public var site: SiteID?
    /// A space within the site.
    public var space: SpaceID?
    /// The visitor type, if any.
    public var visitorType: VisitorTypeID?
    /// The host's name, e-mail address or member id; the member who is signed in where empty.
    public var host = ""
    /// The start, or without an end the arrival, on the site's clock; a visit without one is good at any time that the
    /// site's policy allows.
    public var start: CivilTime?
    /// The end, on the site's clock.
    public var end: CivilTime?
    /// The reason of the visit.
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
    /// The first name.
    case firstName = "first_name"
    /// The last name.
    case lastName = "last_name"
    /// The e-mail address.
    case email
    /// The company.
    case company
    /// The phone number.
    case phone
    /// The number in the physical access control system.
    case pacsID = "pacs_id"
    /// The site.
    case site
    /// The space within the site.
    case space
    /// The visitor type.
    case visitorType = "visitor_type"
    /// The host.
    case host
    /// The start, or without an end the arrival.
    case start
    /// The end.
    case end
    /// The reason of the visit.
    case reason
    /// The message to the visitor.
    case message
    /// The internal note.
    case note
}
