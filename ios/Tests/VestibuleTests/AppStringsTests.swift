import Foundation
import XCTest

/// The screens of `ios/App` cannot be compiled without SwiftUI; that each of their strings can be translated, and is, can
/// be seen from their text.
final class AppStringsTests: XCTestCase {
    private struct Catalogue: Decodable {
        let sourceLanguage: String
        let strings: [String: Entry]

        struct Entry: Decodable {
            let localizations: [String: Localization]
        }

        struct Localization: Decodable {
            let stringUnit: Unit?
            let variations: Variations?
        }

        struct Variations: Decodable {
            let plural: [String: Form]
        }

        struct Form: Decodable {
            let stringUnit: Unit
        }

        struct Unit: Decodable {
            let state: String
            let value: String
        }
    }

    func testEveryStringOfTheScreensIsTranslated() throws {
        let app = URL(fileURLWithPath: try environment("VESTIBULE_TREE")).appendingPathComponent("ios/App")
        let catalogue = try JSONDecoder().decode(
            Catalogue.self, from: Data(contentsOf: app.appendingPathComponent("Localizable.xcstrings")))
        XCTAssertEqual(catalogue.sourceLanguage, "en")
        let sources = try FileManager.default.contentsOfDirectory(at: app, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "swift" }
            .map { try String(contentsOf: $0, encoding: .utf8) }
            .joined(separator: "\n")

        // What these take is a key of the catalogue; `verbatim:` and `systemImage:` take none.
        let places =
            #/(?:Text|Label|Button|Section|Picker|TextField|SecureField|Toggle|DatePicker)\(\s*"((?:[^"\\]|\\.)+)"/#
        let others =
            #/(?:localized:|prompt:|title:|navigationTitle\(|alert\(|confirmationDialog\()\s*"((?:[^"\\]|\\.)+)"/#
        let choices = #/(?:case .*:|\?|:)\s+"([A-Z](?:[^"\\]|\\.)*)"/#
        var keys = Set<String>()
        for expression in [places, others, choices] {
            keys.formUnion(sources.matches(of: expression).map { String($0.1) })
        }
        let interpolation = #/\\\((?<name>[^()]*(?:\([^()]*\))*[^()]*)\)/#
        keys = Set(
            keys.map { key in
                key.replacing(interpolation) { match in
                    let isNumber = match.name.hasPrefix("model.") && !match.name.contains("title")
                    return isNumber ? "%lld" : "%@"
                }
            })
        XCTAssertGreaterThan(keys.count, 60)
        XCTAssertEqual(keys.subtracting(catalogue.strings.keys), [], "are not in the catalogue")
        XCTAssertEqual(Set(catalogue.strings.keys).subtracting(keys), [], "are in no screen")

        for (key, entry) in catalogue.strings {
            let german = try entry.localizations["de"].orFail("\(key) has no German")
            let units = german.stringUnit.map { [$0] } ?? german.variations?.plural.values.map(\.stringUnit) ?? []
            XCTAssertFalse(units.isEmpty, key)
            for unit in units {
                XCTAssertEqual(unit.state, "translated", key)
                XCTAssertFalse(unit.value.isEmpty, key)
            }
        }
    }
}
