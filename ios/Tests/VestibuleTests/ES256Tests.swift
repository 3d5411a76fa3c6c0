import Vestibule
import XCTest

/// The forms of P-256 keys and signatures: SecKey's brought to COSE's.
final class ES256Tests: XCTestCase {
    func testASignatureIsPaddedToItsFullLength() throws {
        // r has its high bit set and so a zero before it; s is short.
        let r = [UInt8](repeating: 0xff, count: 32)
        let der = Data([0x30, 0x26, 0x02, 0x21, 0x00] + r + [0x02, 0x01, 0x05])
        let expected = Data(r + [UInt8](repeating: 0, count: 31) + [0x05])
        XCTAssertEqual(try ES256.signature(fromDER: der), expected)
    }

    /// What `openssl` signs with a key as SecKey's, it verifies again after the way to COSE's form and back.
    func testASignatureVerifiesAfterTheWayThereAndBack() throws {
        let key = try OpenSSLKey(.es256)
        guard case .es256(let point) = key.publicKey() else { return XCTFail("another key") }
        XCTAssertEqual(point.count, 33)
        for number in 0..<20 {
            let message = Data("message \(number)".utf8)
            let signature = try key.sign(message)
            XCTAssertEqual(signature.count, 64)
            XCTAssert(try key.verifies(Self.der(signature), of: message), "\(Array(signature))")
            XCTAssertFalse(try key.verifies(Self.der(signature), of: message + [0]))
        }
    }

    /// The shortest DER of r‖s.
    private static func der(_ signature: Data) -> Data {
        let parts = [signature.prefix(32), signature.suffix(32)].map { part in
            var digits = Data(part.drop { $0 == 0 })
            if digits.first ?? 0x80 >= 0x80 { digits.insert(0, at: 0) }
            return Data([0x02, UInt8(digits.count)]) + digits
        }
        return Data([0x30, UInt8(parts[0].count + parts[1].count)]) + parts[0] + parts[1]
    }

    func testWhatIsNoSignatureIsRefused() {
        let wrong: [[UInt8]] = [
            [],
            [0x30],
            [0x30, 0x00],
            [0x31, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01],  // no SEQUENCE
            [0x30, 0x06, 0x02, 0x01, 0x01, 0x03, 0x01, 0x01],  // no INTEGER
            [0x30, 0x05, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01],  // longer than it says
            [0x30, 0x07, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01],  // shorter than it says
            [0x30, 0x07, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01, 0x00],  // something behind it
            [0x30, 0x05, 0x02, 0x00, 0x02, 0x01, 0x01],  // an empty INTEGER
            [0x30, 0x06, 0x02, 0x01, 0x81, 0x02, 0x01, 0x01],  // a negative one
            [0x30, 0x07, 0x02, 0x02, 0x00, 0x01, 0x02, 0x01, 0x01],  // not the shortest
            [0x30, 0x06, 0x02, 0x01, 0x00, 0x02, 0x01, 0x01],  // zero
            [0x30, 0x26, 0x02, 0x21, 0x01] + [UInt8](repeating: 1, count: 32) + [0x02, 0x01, 0x01],  // 33 bytes
            [0x30, 0x81, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01],  // a long length
        ]
        for bytes in wrong {
            XCTAssertThrowsError(try ES256.signature(fromDER: Data(bytes)), "\(bytes)") {
                XCTAssert($0 is ES256.Malformed)
            }
        }
    }

    func testAPointIsCompressedByTheParityOfItsY() throws {
        let x = [UInt8](repeating: 7, count: 32)
        for (y, tag) in [(UInt8(4), UInt8(2)), (5, 3)] {
            let point = Data([4] + x + [UInt8](repeating: 0, count: 31) + [y])
            XCTAssertEqual(try ES256.compressedPoint(fromX963: point), Data([tag] + x))
        }
        for wrong in [Data(), Data([4]), Data([2] + x), Data([5] + x + x)] {
            XCTAssertThrowsError(try ES256.compressedPoint(fromX963: wrong))
        }
    }

    func testASlicedDataIsReadFromItsOwnBeginning() throws {
        let der = Data([0xff, 0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x02]).dropFirst()
        let signature = try ES256.signature(fromDER: der)
        XCTAssertEqual([signature.count, Int(signature[31]), Int(signature[63])], [64, 1, 2])
    }
}
