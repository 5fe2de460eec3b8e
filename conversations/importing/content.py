"""What a message holds, made fit to be kept: HTML stays text, pictures become placeholders, nothing unreadable stays."""

import re
from typing import NamedTuple

LONGEST = 20_000  # characters of one message
PLACEHOLDERS = {
    "image": "[图片]", "img": "[图片]", "picture": "[图片]", "pic": "[图片]", "photo": "[图片]",
    "emoji": "[表情]", "face": "[表情]", "sticker": "[表情]", "voice": "[语音]", "audio": "[语音]",
    "video": "[视频]", "file": "[文件]", "location": "[位置]", "link": "[链接]", "card": "[名片]",
}  # fmt: skip
_IMAGE = re.compile(r"<img\b[^>]{0,4000}>|!\[[^\]\n]{0,200}\]\([^)\s]{1,2000}\)", re.I)
_IMAGE_WORD = re.compile(r"[\[【](图片|image|img|照片|动画表情)[\]】]", re.I)
_TAG = re.compile(r"</?[a-zA-Z][^<>\n]{0,300}>")
_EMOJI = re.compile(
    r"[\U0001F000-\U0001FAFF\u2600-\u27BF\uFE0F]|[\[【](表情|emoji)[^\]】\n]{0,20}[\]】]|/:[a-z:)(*@!-]{2,8}", re.I
)
_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffd]")


class Cleaned(NamedTuple):
    """A text fit to be kept, and what was met in it."""

    text: str
    images: int = 0
    emoji: int = 0
    html: int = 0
    unreadable: int = 0
    cut: bool = False


def clean(raw: str) -> Cleaned:
    """Return the text with placeholders for pictures; characters that cannot be kept become U+FFFD."""
    if raw.isalnum() and len(raw) <= LONGEST:  # most messages: nothing to do
        return Cleaned(raw)
    text, unreadable = _UNREADABLE.subn("\ufffd", raw.replace("\r\n", "\n").replace("\r", "\n"))
    text = text.replace("\x00", "").strip()
    cut = len(text) > LONGEST
    text = text[:LONGEST]
    images = emoji = html = 0
    if "<" in text or "![" in text:
        text, images = _IMAGE.subn(PLACEHOLDERS["image"], text)
        html = len(_TAG.findall(text))
    elif "[" in text or "【" in text:
        images = len(_IMAGE_WORD.findall(text))
    if not text.isascii() or "/:" in text:
        emoji = len(_EMOJI.findall(text))
    return Cleaned(text, images, emoji, html, unreadable, cut)


def placeholder(kind: object) -> str:
    """Return what stands for a message that is no text, "" where its kind says nothing."""
    return PLACEHOLDERS.get(str(kind or "").strip().casefold(), "")
