//! Files to upload: good ones, and some that lie.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

/// A picture of this size, each pixel another colour, written in this format.
pub fn picture(format: ImageFormat, width: u32, height: u32) -> Vec<u8> {
    let shade = |value: u32| (value % 251) as u8;
    let pixels = RgbImage::from_fn(width, height, |x, y| Rgb([shade(x * 7), shade(y * 11), shade(x + y)]));
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(pixels).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A small PNG.
pub fn png() -> Vec<u8> {
    picture(ImageFormat::Png, 8, 6)
}

/// A photo as a camera writes it: turned, and with a note of where it was taken.
pub fn photo(width: u32, height: u32) -> Vec<u8> {
    let plain = picture(ImageFormat::Jpeg, width, height);
    // TIFF in Motorola's order with two entries: orientation 6 (turn by 90 degrees), and a description.
    let note = b"52.5163 N, 13.3777 E secret-place\0";
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x02".to_vec();
    exif.extend(b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0");
    exif.extend(b"\x01\x0e\0\x02");
    exif.extend((note.len() as u32).to_be_bytes());
    exif.extend(38_u32.to_be_bytes());
    exif.extend([0; 4]);
    exif.extend(note);
    let mut bytes = plain[..2].to_vec();
    bytes.extend(b"\xff\xe1");
    bytes.extend((exif.len() as u16 + 2).to_be_bytes());
    bytes.extend(exif);
    bytes.extend(&plain[2..]);
    bytes
}

/// A PNG that says that it has so many pixels, and has none.
pub fn bomb(width: u32, height: u32) -> Vec<u8> {
    let mut header = b"IHDR".to_vec();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 6, 0, 0, 0]);
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    for chunk in [header, b"IDATx\x9c\x63\0\0\0\x01\0\x01".to_vec(), b"IEND".to_vec()] {
        bytes.extend((chunk.len() as u32 - 4).to_be_bytes());
        bytes.extend(&chunk);
        bytes.extend(crc(&chunk).to_be_bytes());
    }
    bytes
}

/// The checksum of PNG.
fn crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc: u32, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

/// A small PDF.
pub fn pdf() -> Vec<u8> {
    b"%PDF-1.4\n1 0 obj << /Type /Catalog >> endobj\ntrailer << /Root 1 0 R >>\n%%EOF\n".to_vec()
}
