//! The picture of a code: PNG for mails, SVG for pages, a matrix for a phone's own drawing.
//!
//! All three come from one symbol at error correction level M with the quiet zone of four modules that ISO/IEC 18004
//! asks for. A module is a whole number of pixels: scaled edges are what scanners stumble over.

use qrcode::render::svg;
use qrcode::{Color, EcLevel, QrCode};

/// Light modules around the symbol (ISO/IEC 18004, 9.1).
pub const QUIET_ZONE: usize = 4;

/// A text that no symbol holds: at level M the largest one takes 2,331 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the text is too long for a QR code")]
pub struct TooLong;

/// The modules of a symbol, without its quiet zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QrMatrix {
    /// Modules per side, 21 to 177.
    pub size: usize,
    /// Row by row from the top left; `true` is dark.
    pub dark: Vec<bool>,
}

impl QrMatrix {
    /// The symbol of a text.
    ///
    /// ```
    /// use vestibule_core::qr::QrMatrix;
    ///
    /// let matrix = QrMatrix::of("VMS1:").unwrap();
    /// assert_eq!(matrix.size, 21);
    /// assert_eq!(matrix.dark.len(), 21 * 21);
    /// ```
    pub fn of(text: &str) -> Result<Self, TooLong> {
        let code = symbol(text)?;
        let size = code.width();
        Ok(Self { size, dark: code.into_colors().into_iter().map(|color| color == Color::Dark).collect() })
    }

    /// Whether a module is dark; what lies outside the symbol is light.
    pub fn is_dark(&self, x: usize, y: usize) -> bool {
        x < self.size && y < self.size && self.dark.get(y * self.size + x).copied().unwrap_or(false)
    }
}

/// A PNG of the text: greyscale of one bit, `module` pixels per module (1 to 32; others are taken as the nearest).
#[expect(clippy::missing_panics_doc, reason = "it never panics, see the `expect`")]
pub fn png(text: &str, module: usize) -> Result<Vec<u8>, TooLong> {
    let matrix = QrMatrix::of(text)?;
    let module = module.clamp(1, 32);
    let side = (matrix.size + 2 * QUIET_ZONE) * module;
    let mut row = vec![0_u8; side.div_ceil(8)];
    let mut pixels = Vec::with_capacity(row.len() * side);
    for y in 0..matrix.size + 2 * QUIET_ZONE {
        row.fill(0);
        for x in 0..side {
            let dark = (x / module).checked_sub(QUIET_ZONE).zip(y.checked_sub(QUIET_ZONE));
            if !dark.is_some_and(|(x, y)| matrix.is_dark(x, y)) {
                row[x / 8] |= 0x80 >> (x % 8);
            }
        }
        for _ in 0..module {
            pixels.extend_from_slice(&row);
        }
    }
    let mut out = Vec::new();
    let side = u32::try_from(side).expect("185 modules of 32 pixels fit 32 bits");
    let mut encoder = png::Encoder::new(&mut out, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let mut writer = encoder.write_header().expect("a header goes into memory");
    writer.write_image_data(&pixels).expect("the pixels are as many as the header says");
    writer.finish().expect("an end goes into memory");
    Ok(out)
}

/// An SVG of the text, black on white, at least 240 units wide; it scales without loss.
pub fn svg(text: &str) -> Result<String, TooLong> {
    Ok(symbol(text)?
        .render::<svg::Color<'_>>()
        .min_dimensions(240, 240)
        .dark_color(svg::Color("#000000"))
        .light_color(svg::Color("#ffffff"))
        .build())
}

fn symbol(text: &str) -> Result<QrCode, TooLong> {
    QrCode::with_error_correction_level(text, EcLevel::M).map_err(|_| TooLong)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// S1.31: an independent decoder reads the picture that goes into the mail, at every size we draw.
    #[test]
    fn zbar_reads_the_png() {
        let token = include_str!("../../tests/golden/qr/token.txt").trim_end();
        let directory = tempfile::tempdir().expect("a directory");
        for module in [2, 3, 4, 6, 8] {
            let path = directory.path().join(format!("{module}.png"));
            std::fs::write(&path, png(token, module).expect("fits")).expect("writes");
            let output = Command::new("zbarimg")
                .args(["-q", "--raw"])
                .arg(&path)
                .output()
                .expect("zbarimg runs (Debian package zbar-tools)");
            assert_eq!(String::from_utf8_lossy(&output.stdout).trim_end(), token, "{module} pixels a module");
        }
    }

    #[test]
    fn the_png_is_one_bit_with_a_quiet_zone() {
        let bytes = png("VMS1:", 3).expect("fits");
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().expect("a PNG");
        let mut pixels = vec![0; reader.output_buffer_size().expect("small")];
        let info = reader.next_frame(&mut pixels).expect("a picture");
        assert_eq!(
            (info.width, info.bit_depth, info.color_type),
            (29 * 3, png::BitDepth::One, png::ColorType::Grayscale)
        );
        let row = info.line_size;
        assert!(pixels[..row * 12].iter().enumerate().all(|(i, byte)| *byte == 0xff || i % row == row - 1));
        assert_eq!(pixels[row * 12 + 1] & 0x0f, 0, "the finder pattern begins at pixel 12");
    }

    #[test]
    fn the_svg_and_the_matrix_are_the_same_symbol() {
        let matrix = QrMatrix::of("VMS1:ABC").expect("fits");
        assert!(matrix.is_dark(0, 0) && !matrix.is_dark(7, 7) && !matrix.is_dark(21, 0));
        let svg = svg("VMS1:ABC").expect("fits");
        assert!(svg.contains("<svg") && svg.contains("#ffffff"));
    }

    #[test]
    fn a_text_too_long_is_refused() {
        assert_eq!(QrMatrix::of(&"a".repeat(2_400)), Err(TooLong));
    }
}
