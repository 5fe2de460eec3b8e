"""Small files of chats for tests."""

import csv
import io
import json

from openpyxl import Workbook

DAY = "2026-11-20"
HEADER = ("会话ID", "时间", "发送者", "内容")


def csv_of(rows, header=HEADER):
    buffer = io.StringIO()
    csv.writer(buffer).writerows([header, *rows])
    return buffer.getvalue()


def workbook_of(rows, header=HEADER):
    book, buffer = Workbook(), io.BytesIO()
    for row in (header, *rows):
        book.active.append(list(row))
    book.save(buffer)
    return buffer.getvalue()


def jsonl_of(*chats):
    return "\n".join(json.dumps(chat, ensure_ascii=False) for chat in chats) + "\n"


def chat_json(key="c1", *, lines=None, **facts):
    """A chat of the JSONL import: lines are (sender, text) or (sender, text, name), twenty seconds apart."""
    lines = lines or [("visitor", "您好，想种牙"), ("consultant", "您好，请问缺了几颗？"), ("visitor", "两颗")]
    messages = []
    for n, (sender, text, *name) in enumerate(lines):
        one = {"at": f"{DAY}T13:{n // 3:02}:{n % 3 * 20:02}+08:00", "from": sender, "text": text}
        messages.append(one | ({"name": name[0]} if name else {}))
    about = {
        "id": key,
        "channel": "百度竞价",
        "keyword": "种植牙价格",
        "cost": 143,
        "consultant": "郑老师",
        "team": "一组",
    }
    return about | {"visitor": "访客2046", "started_at": f"{DAY}T13:00:00+08:00", "messages": messages} | facts
