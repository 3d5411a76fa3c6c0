//! The pictures of a pass, drawn by code: a door within a door, the mark of Vestibule.
//!
//! Every shape is a signed distance, in units of the picture's side; a pixel on an edge is mixed by how much of it the
//! shape covers. So one drawing serves every size and is smooth in all of them. The set is drawn once per process.

use std::sync::OnceLock;

use sha1::{Digest as _, Sha1};

use super::apple::Color;

/// The brand colour, `#1f4b99`.
pub const BRAND: Color = Color(0x1f, 0x4b, 0x99);
/// The same for Google.
pub const BRAND_HEX: &str = "#1f4b99";

/// Where the poster's colour ends, at its foot.
const DEEP: Color = Color(0x15, 0x34, 0x6c);
const WHITE: Color = Color(0xff, 0xff, 0xff);

/// A picture of a pass: its name in the package and its PNG.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// `icon@2x.png`.
    pub name: String,
    /// The bytes of the PNG.
    pub png: Vec<u8>,
    /// Their SHA-1 in hexadecimal, as the manifest of every pass has it.
    pub sha1: String,
}

/// The pictures of a visitor pass at one, two and three pixels per point: `icon` 38×38, `logo` 50×50, `primaryLogo`
/// 30×30 and `artwork` 358×448 points (the last two for `posterGeneric`).
///
/// ```
/// let icon = &vestibule_core::wallet::images::standard()[0];
/// assert_eq!(icon.name, "icon.png");
/// assert_eq!(&icon.png[1..4], b"PNG");
/// ```
pub fn standard() -> &'static [Image] {
    static IMAGES: OnceLock<Vec<Image>> = OnceLock::new();
    IMAGES.get_or_init(|| {
        let pictures: [(&str, (u32, u32), Drawing); 4] = [
            ("icon", (38, 38), icon),
            ("logo", (50, 50), logo),
            ("primaryLogo", (30, 30), logo),
            ("artwork", (358, 448), artwork),
        ];
        let mut images = Vec::new();
        for (name, (width, height), drawing) in pictures {
            for scale in 1..=3 {
                let suffix = if scale == 1 { String::new() } else { format!("@{scale}x") };
                let png = draw(width * scale, height * scale, drawing);
                let sha1 = hex::encode(Sha1::digest(&png));
                images.push(Image { name: format!("{name}{suffix}.png"), png, sha1 });
            }
        }
        images
    })
}

/// A colour with its opacity, 0 to 1.
#[derive(Clone, Copy)]
struct Paint {
    color: [f32; 3],
    alpha: f32,
}

impl Paint {
    const CLEAR: Self = Self { color: [0.0; 3], alpha: 0.0 };

    fn solid(Color(r, g, b): Color) -> Self {
        Self { color: [r, g, b].map(f32::from), alpha: 1.0 }
    }

    /// Lays `color` over this with the given opacity.
    fn under(self, color: Color, alpha: f32) -> Self {
        let total = alpha + self.alpha * (1.0 - alpha);
        if total <= 0.0 {
            return Self::CLEAR;
        }
        let top = Self::solid(color).color;
        let mix = |i: usize| (top[i] * alpha + self.color[i] * self.alpha * (1.0 - alpha)) / total;
        Self { color: [mix(0), mix(1), mix(2)], alpha: total }
    }
}

/// A drawing: the paint at a point. Width and height are given in units of the width; `pixel` is a pixel's side.
type Drawing = fn(x: f32, y: f32, height: f32, pixel: f32) -> Paint;

/// How much of a pixel lies inside a shape whose edge is `distance` away (negative inside).
fn coverage(distance: f32, pixel: f32) -> f32 {
    (0.5 - distance / pixel).clamp(0.0, 1.0)
}

/// Distance to a square of side 1 with rounded corners.
fn rounded_square(x: f32, y: f32, radius: f32) -> f32 {
    let reach = 0.5 - radius;
    let (dx, dy) = ((x - 0.5).abs() - reach, (y - 0.5).abs() - reach);
    dx.max(0.0).hypot(dy.max(0.0)) + dx.max(dy).min(0.0) - radius
}

/// Distance to an arch: a half circle of `radius` around (0.5, `spring`), walls down to `floor`.
fn arch(x: f32, y: f32, radius: f32, spring: f32, floor: f32) -> f32 {
    let side = if y < spring { (x - 0.5).hypot(y - spring) } else { (x - 0.5).abs() };
    (side - radius).max(y - floor)
}

/// Distance to the mark: an arch as a frame, and a smaller one standing in it, the door behind the door.
fn mark(x: f32, y: f32) -> f32 {
    let frame = arch(x, y, 0.29, 0.46, 0.80).max(-arch(x, y, 0.205, 0.46, 0.90));
    frame.min(arch(x, y, 0.115, 0.54, 0.80))
}

fn icon(x: f32, y: f32, _: f32, pixel: f32) -> Paint {
    let ground = coverage(rounded_square(x, y, 0.22), pixel);
    Paint::CLEAR.under(BRAND, ground).under(WHITE, ground * coverage(mark(x, y), pixel))
}

fn logo(x: f32, y: f32, _: f32, pixel: f32) -> Paint {
    // The mark fills the logo: it stands on the pass's own colour.
    let scale = 0.72;
    let (x, y) = ((x - 0.5) * scale + 0.5, (y - 0.5) * scale + 0.485);
    Paint::CLEAR.under(WHITE, coverage(mark(x, y), pixel * scale))
}

fn artwork(x: f32, y: f32, height: f32, pixel: f32) -> Paint {
    let mut paint = Paint::solid(BRAND).under(DEEP, y / height);
    // Arches one behind the other, each a little lighter: a passage.
    for (radius, spring) in [(0.46, 0.60), (0.35, 0.64), (0.24, 0.69), (0.13, 0.75)] {
        paint = paint.under(WHITE, 0.07 * coverage(arch(x, y, radius, spring, height), pixel));
    }
    paint
}

#[expect(clippy::cast_precision_loss, reason = "pixels are far fewer than 2^23")]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "values are rounded and clamped to 0..=255"
)]
fn draw(width: u32, height: u32, drawing: Drawing) -> Vec<u8> {
    let pixel = 1.0 / width as f32;
    let mut pixels = Vec::with_capacity(width as usize * height as usize * 4);
    for row in 0..height {
        for column in 0..width {
            let (x, y) = ((column as f32 + 0.5) * pixel, (row as f32 + 0.5) * pixel);
            let paint = drawing(x, y, height as f32 * pixel, pixel);
            pixels.extend(paint.color.map(|value| value.round().clamp(0.0, 255.0) as u8));
            pixels.push((paint.alpha * 255.0).round().clamp(0.0, 255.0) as u8);
        }
    }
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width, height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    let mut writer = encoder.write_header().expect("a header goes into memory");
    writer.write_image_data(&pixels).expect("the pixels are as many as the header says");
    writer.finish().expect("an end goes into memory");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(png: &[u8]) -> (u32, u32, Vec<u8>) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().expect("a PNG");
        let mut pixels = vec![0; reader.output_buffer_size().expect("small")];
        let info = reader.next_frame(&mut pixels).expect("a picture");
        (info.width, info.height, pixels)
    }

    /// Wallet refuses a pass without an icon, and scales pictures of other sizes.
    #[test]
    fn the_sizes_are_apples() {
        let sizes: Vec<(String, u32, u32)> = standard()
            .iter()
            .map(|image| {
                let (width, height, _) = decode(&image.png);
                (image.name.clone(), width, height)
            })
            .collect();
        for expected in
            [("icon.png", 38, 38), ("icon@2x.png", 76, 76), ("icon@3x.png", 114, 114), ("artwork.png", 358, 448)]
        {
            assert!(sizes.iter().any(|(name, w, h)| (name.as_str(), *w, *h) == expected), "{expected:?} in {sizes:?}");
        }
        let total: usize = standard().iter().map(|image| image.png.len()).sum();
        assert!(total < 150_000, "{total} bytes travel with every pass");
    }

    #[test]
    fn the_icon_is_a_white_door_on_the_brand_colour() {
        let (width, _, pixels) = decode(&standard()[2].png);
        let at = |x: usize, y: usize| &pixels[(y * width as usize + x) * 4..][..4];
        assert_eq!(at(0, 0)[3], 0, "round corners");
        assert_eq!(at(57, 8), [0x1f, 0x4b, 0x99, 255]);
        assert_eq!(at(57, 80), [255, 255, 255, 255], "the inner door");
    }
}
