"""Pictures from outside made safe: checked, turned upright, drawn anew without anything but the picture.

A file is never kept as it came: where it was taken, by which device, comments and whatever else hides in it
are gone, and what is served was written by Pillow.
"""

import hashlib
import io
import warnings
from dataclasses import dataclass
from typing import IO

from django.conf import settings
from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP")
LOSSLESS = frozenset({"PNG", "TIFF", "BMP"})  # X-rays and scans come so
CONTENT_TYPES = {"jpg": "image/jpeg", "png": "image/png"}  # what is written
THUMB = 480  # px, longest side
QUALITY = 90
SMALLEST = 16  # px, shortest side
HEIC_BRANDS = (b"heic", b"heix", b"mif1", b"msf1", b"hevc")


class BadImage(ValueError):
    """A file that is not taken; the message says why, for the person."""


@dataclass(frozen=True)
class Picture:
    """A picture drawn anew, with its thumbnail. `sha256` is of the file as it came, so that a copy is known."""

    content: bytes
    extension: str
    thumbnail: bytes
    width: int
    height: int
    sha256: str


def read_picture(file: IO[bytes]) -> Picture:
    """Return a picture safe to keep.

    Raises: BadImage when the file is too large (bytes or pixels), of another kind, or damaged.
    """
    raw = file.read(settings.IMAGE_MAX_BYTES + 1)
    if len(raw) > settings.IMAGE_MAX_BYTES:
        megabytes = settings.IMAGE_MAX_BYTES // (1024 * 1024)
        raise BadImage(_("The file is larger than %(count)d MB.") % {"count": megabytes})
    if not raw:
        raise BadImage(_("The file is empty."))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit is checked
            image = _opened(raw)
            upright = _plain(ImageOps.exif_transpose(image))
    except BadImage:
        raise
    except UnidentifiedImageError:
        raise BadImage(_wrong_kind(raw)) from None
    except Exception:
        raise BadImage(_("The picture is damaged and cannot be read.")) from None
    keep = "PNG" if image.format in LOSSLESS else "JPEG"
    return Picture(
        content=_written(upright, keep),
        extension=keep.lower().replace("jpeg", "jpg"),
        thumbnail=_thumbnail(upright),
        width=upright.width,
        height=upright.height,
        sha256=hashlib.sha256(raw).hexdigest(),
    )


def _opened(raw: bytes) -> Image.Image:
    """Open the picture; its size is read from the head and checked before anything is unpacked."""
    image: Image.Image = Image.open(io.BytesIO(raw), formats=FORMATS)
    _check_size(image)
    image.verify()
    image = Image.open(io.BytesIO(raw), formats=FORMATS)  # verify() uses a picture up
    image.load()
    return image


def _check_size(image: Image.Image) -> None:
    if image.width * image.height > settings.IMAGE_MAX_PIXELS:
        megapixels = settings.IMAGE_MAX_PIXELS // 1_000_000
        raise BadImage(_("The picture has more than %(count)d million pixels.") % {"count": megapixels})
    if min(image.size) < SMALLEST:
        raise BadImage(_("The picture is too small to show anything."))


def _wrong_kind(raw: bytes) -> str:
    if raw[4:8] == b"ftyp" and raw[8:12] in HEIC_BRANDS:
        return _(
            "HEIC pictures cannot be read. In the phone's camera settings choose “Most compatible”, or send a JPEG."
        )
    return _("This is no JPEG, PNG, WebP, TIFF or BMP picture.")


def _plain(image: Image.Image) -> Image.Image:
    """Return the pixels alone as RGB or grey, 8 bits; deep grey values of X-rays are spread, transparency turns white."""
    if image.mode.startswith("I") or image.mode == "F":
        deep = image.convert("F")
        low, high = (float(value) for value in deep.getextrema())  # type: ignore[arg-type]
        scale = 255.0 / ((high - low) or 1.0)
        return deep.point(lambda value: value * scale - low * scale).convert("L")
    if image.mode in {"1", "L"}:
        return _alone(image.convert("L"))
    if image.mode in {"RGBA", "LA", "PA", "P", "La", "RGBa"} or "transparency" in image.info:
        over = image.convert("RGBA")
        paper = Image.new("RGBA", over.size, "white")
        return _alone(Image.alpha_composite(paper, over).convert("RGB"))
    return _alone(image.convert("RGB"))


def _alone(image: Image.Image) -> Image.Image:
    """Return a copy that carries no information beside its pixels."""
    copy = image.copy()
    copy.info = {}
    return copy


def _written(image: Image.Image, keep: str) -> bytes:
    out = io.BytesIO()
    options = {"quality": QUALITY, "optimize": True} if keep == "JPEG" else {"compress_level": 6}
    image.save(out, keep, **options)
    return out.getvalue()


def _thumbnail(image: Image.Image) -> bytes:
    small = image.copy()
    small.thumbnail((THUMB, THUMB), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    small.save(out, "JPEG", quality=82)
    return out.getvalue()


def content_type_of(name: str) -> str:
    """Return the media type of a stored picture by its file name."""
    return CONTENT_TYPES.get(name.rpartition(".")[2], CONTENT_TYPES["jpg"])
