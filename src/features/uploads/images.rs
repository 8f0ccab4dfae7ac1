//! Pictures are decoded and encoded anew: what a camera noted beside the pixels is gone, and so is whatever else was
//! hidden in the file. The camera's orientation is applied, since nothing tells it any more.
//!
//! The size is judged before any pixel is decoded, and few pictures are decoded at once, off the async threads.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::metadata::Orientation;
use image::{
    DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder, ImageError, ImageFormat, ImageReader, ImageResult,
    Limits,
};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::Refusal;
use crate::kernel::{Error, Result};
use crate::platform::files::Media;

/// Pixels of one side at most.
const SIDE_MAX: u32 = 8_000;
/// Pixels of a picture at most.
const PIXELS_MAX: u64 = 40_000_000;
/// Bytes that a picture may take when it is decoded: four for each pixel.
const DECODED_MAX: u64 = 4 * PIXELS_MAX;
/// Of 100: above it files grow and nobody sees why.
const JPEG_QUALITY: u8 = 87;
/// Bytes of a colour profile that are kept; real ones have a few thousand.
const PROFILE_MAX: usize = 64 * 1024;
/// Pictures under way at once: each may take twice [`DECODED_MAX`].
static SLOTS: Semaphore = Semaphore::const_new(2);

/// A picture made anew.
pub(super) struct Picture {
    pub(super) bytes: Vec<u8>,
    pub(super) media: Media,
    pub(super) width: u32,
    pub(super) height: u32,
}

/// A place at the bench: taken before a picture is read, so that waiting ones take no memory.
pub(super) async fn slot() -> Result<SemaphorePermit<'static>> {
    SLOTS.acquire().await.map_err(Error::internal)
}

/// Makes a picture anew, or says why it cannot be one.
pub(super) async fn renew(
    slot: SemaphorePermit<'static>,
    bytes: Vec<u8>,
    media: Media,
) -> Result<Result<Picture, Refusal>> {
    // The slot goes with the work: a client that hangs up does not make room for more than really ends.
    let work = move || {
        let _slot = slot;
        decode(&bytes, media).and_then(|source| source.encode(media))
    };
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)
}

/// Pixels, and what their numbers mean.
struct Source {
    image: DynamicImage,
    profile: Option<Vec<u8>>,
}

fn decode(bytes: &[u8], media: Media) -> Result<Source, Refusal> {
    let format = match media {
        Media::Jpeg => ImageFormat::Jpeg,
        Media::Png => ImageFormat::Png,
        Media::Webp => ImageFormat::WebP,
        Media::Pdf => return Err(Refusal::Type),
    };
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(DECODED_MAX);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(why)?;
    let (width, height) = decoder.dimensions();
    let fits = width <= SIDE_MAX && height <= SIDE_MAX && u64::from(width) * u64::from(height) <= PIXELS_MAX;
    if !fits || decoder.total_bytes() > DECODED_MAX {
        return Err(Refusal::Dimensions);
    }
    // A note that cannot be read turns nothing.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let is_coloured = decoder.color_type().has_color();
    let profile = decoder.icc_profile().ok().flatten().filter(|profile| is_coloured && is_of_rgb(profile));
    let mut image = DynamicImage::from_decoder(decoder).map_err(why)?;
    image.apply_orientation(orientation);
    Ok(Source { image, profile })
}

/// A profile of other colours, such as those of print, means nothing once the pixels are red, green and blue.
fn is_of_rgb(profile: &[u8]) -> bool {
    profile.len() <= PROFILE_MAX && profile.get(16..20) == Some(b"RGB ")
}

fn why(error: ImageError) -> Refusal {
    if matches!(error, ImageError::Limits(_)) { Refusal::Dimensions } else { Refusal::Unreadable }
}

impl Source {
    /// In the type that it came in. WebP can only be written without loss, which makes photos large: those become JPEG.
    fn encode(self, media: Media) -> Result<Picture, Refusal> {
        let has_alpha = self.image.color().has_alpha();
        let media = if media == Media::Webp && !has_alpha { Media::Jpeg } else { media };
        let (width, height) = (self.image.width(), self.image.height());
        let mut bytes = Vec::new();
        let written = match media {
            Media::Jpeg => self.write(JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY), false),
            Media::Png => self.write(PngEncoder::new(&mut bytes), has_alpha),
            Media::Webp => self.write(WebPEncoder::new_lossless(&mut bytes), has_alpha),
            Media::Pdf => return Err(Refusal::Type),
        };
        written.map_err(|_| Refusal::Unreadable)?;
        Ok(Picture { bytes, media, width, height })
    }

    fn write(self, mut encoder: impl ImageEncoder, has_alpha: bool) -> ImageResult<()> {
        if let Some(profile) = self.profile {
            encoder.set_icc_profile(profile).map_err(ImageError::Unsupported)?;
        }
        let (width, height) = (self.image.width(), self.image.height());
        if has_alpha {
            encoder.write_image(&self.image.into_rgba8(), width, height, ExtendedColorType::Rgba8)
        } else {
            encoder.write_image(&self.image.into_rgb8(), width, height, ExtendedColorType::Rgb8)
        }
    }
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage, Rgba, RgbaImage};

    use super::*;

    fn written(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn renewed(bytes: &[u8], media: Media) -> Result<Picture, Refusal> {
        decode(bytes, media).and_then(|source| source.encode(media))
    }

    #[test]
    fn pictures_keep_their_type_but_opaque_webp_becomes_jpeg() {
        let opaque = DynamicImage::from(RgbImage::from_pixel(4, 3, Rgb([9, 99, 199])));
        let clear = DynamicImage::from(RgbaImage::from_pixel(4, 3, Rgba([9, 99, 199, 7])));
        for (image, format, media, wanted) in [
            (&opaque, ImageFormat::Jpeg, Media::Jpeg, Media::Jpeg),
            (&opaque, ImageFormat::Png, Media::Png, Media::Png),
            (&clear, ImageFormat::Png, Media::Png, Media::Png),
            (&opaque, ImageFormat::WebP, Media::Webp, Media::Jpeg),
            (&clear, ImageFormat::WebP, Media::Webp, Media::Webp),
        ] {
            let picture = renewed(&written(image, format), media).ok().unwrap();
            assert_eq!((picture.media, picture.width, picture.height), (wanted, 4, 3), "{media:?}");
            assert_eq!(super::super::inspect::media(&picture.bytes), Some(wanted));
        }
    }

    #[test]
    fn what_breaks_off_is_refused() {
        let image = DynamicImage::from(RgbImage::from_fn(64, 64, |x, y| Rgb([x as u8, y as u8, (x * y) as u8])));
        for (format, media) in
            [(ImageFormat::Png, Media::Png), (ImageFormat::WebP, Media::Webp), (ImageFormat::Jpeg, Media::Jpeg)]
        {
            let bytes = written(&image, format);
            assert_eq!(renewed(&bytes[..12], media).err(), Some(Refusal::Unreadable), "{media:?}");
            // Of a photo, what is there is shown, as browsers do it; it is whole again when it is written anew.
            let part = renewed(&bytes[..bytes.len() / 3], media);
            assert_eq!(part.err(), (media != Media::Jpeg).then_some(Refusal::Unreadable), "{media:?}");
        }
    }

    #[test]
    fn colours_keep_their_meaning_and_other_profiles_go() {
        let profile = |kind: &[u8; 4]| [&[0; 16][..], kind, &[0; 108]].concat();
        let mut bytes = Vec::new();
        let mut encoder = PngEncoder::new(&mut bytes);
        encoder.set_icc_profile(profile(b"RGB ")).unwrap();
        encoder.write_image(&[7; 12], 2, 2, ExtendedColorType::Rgb8).unwrap();
        let picture = renewed(&bytes, Media::Png).ok().unwrap();
        assert_eq!(decode(&picture.bytes, Media::Png).ok().unwrap().profile, Some(profile(b"RGB ")));
        assert!(!is_of_rgb(&profile(b"CMYK")) && !is_of_rgb(&vec![0; PROFILE_MAX + 1]) && !is_of_rgb(b""));
    }
}
