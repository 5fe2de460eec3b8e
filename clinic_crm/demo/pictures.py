"""Drawn stand-ins for exam pictures: a panoramic film and photos of teeth."""

import hashlib
import io
import math

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image, ImageDraw, ImageFilter

FOLDER = "exams/demo"
THUMB = (480, 480)


def _panoramic() -> Image.Image:
    image = Image.new("RGB", (1400, 640), (14, 18, 20))
    draw = ImageDraw.Draw(image)
    draw.arc((120, -420, 1280, 600), 20, 160, fill=(70, 78, 82), width=60)
    for row, (top, height) in enumerate(((150, 150), (330, 150))):
        for n in range(16):
            if (row, n) in {(1, 4), (0, 0), (0, 15)}:
                continue
            x = 170 + n * 68
            lift = 70 * math.cos((n - 7.5) / 7.5 * 1.4)
            y = top + lift * (1 if row == 0 else 0.9)
            tall = height * (0.85 if n in range(5, 11) else 1)
            crown, root = (226, 230, 228), (150, 156, 158)
            upper = row == 0
            draw.rounded_rectangle((x, y, x + 52, y + tall), 16, fill=root)
            edge = (x, y + tall * 0.55, x + 52, y + tall) if upper else (x, y, x + 52, y + tall * 0.45)
            draw.rounded_rectangle(edge, 14, fill=crown)
            draw.line((x + 26, y + 16, x + 26, y + tall - 16), fill=(70, 74, 78), width=6)
    return image.filter(ImageFilter.GaussianBlur(3))


def _front(missing: int | None) -> Image.Image:
    image = Image.new("RGB", (960, 720), (122, 58, 56))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((60, 140, 900, 600), 140, fill=(196, 112, 110))
    for row, (top, height) in enumerate(((210, 170), (385, 140))):
        for n in range(9):
            if row == 1 and n == missing:
                continue
            wide = 96 if n == 4 and row == 0 else 76
            x = 130 + n * 82
            draw.rounded_rectangle((x, top, x + wide, top + height), 22, fill=(240, 232, 214), outline=(206, 190, 166))
    return image.filter(ImageFilter.GaussianBlur(1.2))


def _arch() -> Image.Image:
    image = Image.new("RGB", (960, 720), (128, 62, 60))
    draw = ImageDraw.Draw(image)
    draw.ellipse((300, -200, 660, 420), fill=(150, 74, 78))
    for n in range(14):
        angle = math.pi * (0.04 + 0.92 * n / 13)
        x, y = 480 - 360 * math.cos(angle), 120 + 480 * math.sin(angle)
        size = 62 if n in {0, 1, 2, 11, 12, 13} else 46
        if n != 2:
            draw.ellipse(
                (x - size, y - size, x + size, y + size), fill=(242, 234, 216), outline=(206, 190, 166), width=3
            )
    return image.filter(ImageFilter.GaussianBlur(1.2))


def _saved(name: str, image: Image.Image) -> str:
    path = f"{FOLDER}/{name}.jpg"
    if not default_storage.exists(path):
        data = io.BytesIO()
        image.save(data, "JPEG", quality=82)
        default_storage.save(path, ContentFile(data.getvalue()))
    return path


def draw_pictures() -> dict[str, list[dict[str, object]]]:
    """Draw the pictures once; returns, by code of the exam, what the rows of its files hold."""
    drawn = {
        "panoramic": [("全景片", _panoramic())],
        "intraoral": [("正面", _front(None)), ("左侧", _front(7)), ("下颌", _arch())],
    }
    files: dict[str, list[dict[str, object]]] = {}
    for code, pictures in drawn.items():
        files[code] = []
        for number, (caption, image) in enumerate(pictures):
            small = image.copy()
            small.thumbnail(THUMB)
            name = f"{code}-{number}"
            files[code].append(
                {
                    "image": _saved(name, image),
                    "thumbnail": _saved(f"{name}-small", small),
                    "width": image.width,
                    "height": image.height,
                    "caption": caption,
                    "sha256": hashlib.sha256(name.encode()).hexdigest(),
                }
            )
    return files
