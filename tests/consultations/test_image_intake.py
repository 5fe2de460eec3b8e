"""Pictures from outside: what is taken, and that nothing but the picture is kept."""

import io
import struct
import zlib

import pytest
from PIL import Image

from consultations.images import THUMB, BadImage, read_picture


def picture(kind: str = "JPEG", size: tuple[int, int] = (64, 48), mode: str = "RGB", **options: object) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, "teal" if mode in {"RGB", "RGBA"} else 128).save(out, kind, **options)
    return out.getvalue()


def png_claiming(width: int, height: int) -> bytes:
    """A few bytes that claim to be a huge picture."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\x00" * 64)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("kind", "extension"), [("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "jpg"), ("TIFF", "png"), ("BMP", "png")]
)
def test_allowed_kinds_are_drawn_anew(kind: str, extension: str) -> None:
    taken = read_picture(io.BytesIO(picture(kind)))
    assert taken.extension == extension
    assert (taken.width, taken.height) == (64, 48)
    assert Image.open(io.BytesIO(taken.content)).size == (64, 48)


def test_location_and_camera_are_dropped_and_the_picture_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned
    exif[0x010F] = "SECRETMAKE"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (31.0, 14.0, 5.0)
    raw = picture("JPEG", (64, 48), exif=exif, comment=b"SECRETCOMMENT")
    assert b"SECRETMAKE" in raw
    taken = read_picture(io.BytesIO(raw))
    assert (taken.width, taken.height) == (48, 64)
    for content in (taken.content, taken.thumbnail):
        assert b"Exif" not in content
        assert b"SECRET" not in content
        assert not Image.open(io.BytesIO(content)).getexif()


def test_text_hidden_in_a_png_is_dropped() -> None:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("Author", "SECRETNAME")
    taken = read_picture(io.BytesIO(picture("PNG", pnginfo=info)))
    assert b"SECRETNAME" not in taken.content


def test_whatever_is_appended_to_a_picture_is_dropped() -> None:
    taken = read_picture(io.BytesIO(picture("JPEG") + b"<script>alert(1)</script>"))
    assert b"script" not in taken.content


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "1", "I;16", "I", "F"])
def test_every_depth_and_transparency_becomes_a_plain_picture(mode: str) -> None:
    kind = "TIFF" if mode in {"F", "I"} else "PNG"
    taken = read_picture(io.BytesIO(picture(kind, mode=mode)))
    assert Image.open(io.BytesIO(taken.content)).mode in {"RGB", "L"}


def test_deep_grey_values_of_an_x_ray_are_spread_not_cut_off() -> None:
    image = Image.new("I;16", (64, 64))
    image.putdata([place * 15 for place in range(64 * 64)])  # 0 to 61425
    out = io.BytesIO()
    image.save(out, "PNG")
    drawn = Image.open(io.BytesIO(read_picture(io.BytesIO(out.getvalue())).content))
    values = sorted(set(drawn.tobytes()))
    assert values[0] <= 1
    assert values[-1] >= 254
    assert len(values) > 200


def test_a_thumbnail_fits_its_frame() -> None:
    taken = read_picture(io.BytesIO(picture(size=(1600, 800))))
    assert Image.open(io.BytesIO(taken.thumbnail)).size == (THUMB, THUMB // 2)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"hello",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"%PDF-1.7",
        b"\x00\x00\x00\x18ftypheic" + b"\x00" * 40,
        picture("GIF", mode="P"),
        picture("JPEG", (400, 400))[:500],
        picture("PNG")[:-30],
        picture("JPEG", (8, 300)),
    ],
    ids=["empty", "text", "svg", "pdf", "heic", "gif", "cut jpeg", "cut png", "sliver"],
)
def test_what_is_no_whole_picture_is_refused_with_words(raw: bytes) -> None:
    with pytest.raises(BadImage) as refusal:
        read_picture(io.BytesIO(raw))
    assert str(refusal.value)


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_unpacked() -> None:
    with pytest.raises(BadImage):
        read_picture(io.BytesIO(png_claiming(30_000, 30_000)))


def test_limits_are_settings(settings) -> None:
    raw = picture("PNG", (100, 100))
    settings.IMAGE_MAX_PIXELS = 9_999
    with pytest.raises(BadImage):
        read_picture(io.BytesIO(raw))
    settings.IMAGE_MAX_PIXELS = 10_000
    settings.IMAGE_MAX_BYTES = len(raw)
    assert read_picture(io.BytesIO(raw)).width == 100
    settings.IMAGE_MAX_BYTES = len(raw) - 1
    with pytest.raises(BadImage):
        read_picture(io.BytesIO(raw))


def test_the_same_file_is_known_again() -> None:
    raw = picture()
    assert read_picture(io.BytesIO(raw)).sha256 == read_picture(io.BytesIO(raw)).sha256
