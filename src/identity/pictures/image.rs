//! What somebody has uploaded, made into a picture of our own: decoded within limits, turned upright, made small, and written
//! anew, so that nothing of the file itself is ever served: no place where it was taken, no second meaning.

use std::io::Cursor;

use image::codecs::webp::WebPEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder as _, ImageError, ImageFormat, ImageReader, Limits};

/// What browsers and telephones make.
const FORMATS: [ImageFormat; 4] = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Gif];
/// The longer side as it is kept: sharp on a profile page of a dense screen.
const EDGE: u32 = 512;
/// The longer side of what is taken, its pixels, and what they may need in memory: a few kilobytes can claim to be terabytes.
const LONGEST: u32 = 8192;
const PIXELS: u64 = 1 << 24;
const MEMORY: u64 = 128 * 1024 * 1024;

/// The type of every picture that is kept.
pub(super) const EXTENSION: &str = ".webp";
pub(super) const TYPE: &str = "image/webp";

/// Why something is not taken for a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PictureFault {
    #[error("this is no PNG, JPEG, WebP or GIF")]
    Foreign,
    #[error("the picture is larger than 16 megapixels, or than 8192 pixels on a side")]
    Large,
    #[error("the file is damaged")]
    Damaged,
}

/// Takes a while: not for the threads that answer requests.
pub(super) fn fresh(file: &[u8]) -> Result<Vec<u8>, PictureFault> {
    let format = image::guess_format(file).ok().filter(|format| FORMATS.contains(format));
    let mut reader = ImageReader::with_format(Cursor::new(file), format.ok_or(PictureFault::Foreign)?);
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(LONGEST), Some(LONGEST));
    limits.max_alloc = Some(MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| fault(&error))?;
    let (width, height) = decoder.dimensions();
    if width.max(height) > LONGEST || u64::from(width) * u64::from(height) > PIXELS || decoder.total_bytes() > MEMORY {
        return Err(PictureFault::Large);
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| fault(&error))?;
    if width.max(height) > EDGE {
        picture = picture.thumbnail(EDGE, EDGE);
    }
    picture.apply_orientation(orientation);
    let picture = if picture.color().has_alpha() {
        DynamicImage::ImageRgba8(picture.into_rgba8())
    } else {
        DynamicImage::ImageRgb8(picture.into_rgb8())
    };
    let mut written = Vec::new();
    picture.write_with_encoder(WebPEncoder::new_lossless(&mut written)).map_err(|error| fault(&error))?;
    Ok(written)
}

fn fault(error: &ImageError) -> PictureFault {
    match error {
        ImageError::Limits(_) => PictureFault::Large,
        ImageError::Unsupported(_) => PictureFault::Foreign,
        _ => PictureFault::Damaged,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        DynamicImage::new_rgb8(width, height).write_to(&mut file, format).unwrap();
        file.into_inner()
    }

    fn size(file: &[u8]) -> (u32, u32) {
        let picture = image::load_from_memory_with_format(file, ImageFormat::WebP).unwrap();
        (picture.width(), picture.height())
    }

    #[test]
    fn pictures_become_small_and_keep_their_shape() {
        for format in FORMATS {
            assert_eq!(fresh(&file(900, 300, format)).map(|file| size(&file)), Ok((512, 171)), "{format:?}");
            assert_eq!(fresh(&file(3, 40, format)).map(|file| size(&file)), Ok((3, 40)), "{format:?}");
        }
        assert_eq!(fresh(&file(8192, 1, ImageFormat::Png)).map(|file| size(&file)), Ok((512, 1)));
    }

    /// IJ-17: what claims to be huge is refused by its head.
    #[test]
    fn ij_17_what_is_too_large_is_not_decoded() {
        for (width, height) in [(8193, 1), (1, 8193), (4097, 4096)] {
            assert_eq!(fresh(&file(width, height, ImageFormat::Png)), Err(PictureFault::Large), "{width}x{height}");
        }
        assert!(fresh(&file(4096, 4096, ImageFormat::Png)).is_ok());
    }

    proptest! {
        /// f_image: no panic; whatever comes out is a fresh picture of a bounded size.
        #[test]
        fn damaged_files_do_no_harm(
            kind in 0_usize..4, at in any::<prop::sample::Index>(), by in any::<u8>(), cut in any::<prop::sample::Index>()
        ) {
            let mut bytes = file(37, 23, FORMATS[kind]);
            let position = at.index(bytes.len());
            bytes[position] ^= by;
            bytes.truncate(cut.index(bytes.len()) + 1);
            if let Ok(made) = fresh(&bytes) {
                let (width, height) = size(&made);
                prop_assert!(width <= EDGE && height <= EDGE);
            }
        }

        #[test]
        fn noise_is_no_picture(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
            prop_assert!(fresh(&bytes).is_err());
        }
    }
}
