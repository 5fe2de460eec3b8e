"""The built-in rubrics: what a fault in a chat costs, and what makes a good WeChat and QQ front ([S2])."""

from typing import Any

from conversations.inspection.codes import CODES
from conversations.inspection.scoring import DEFAULT_CAPS

# [S2]: what loses people after the chat. Points add up to a hundred. Clinics write their own words over these.
FRONT: list[dict[str, Any]] = [
    {"code": "groups", "label": "分类", "points": 20, "help": "联系人按项目、意向、跟进阶段分好组，没有未分组的人"},
    {"code": "remarks", "label": "备注", "points": 20, "help": "每个人都备注了称呼、项目、诉求和下次联系的日子"},
    {"code": "signature", "label": "头像与签名", "points": 10, "help": "真人头像，签名说明是谁、能帮什么，不夸大"},
    {
        "code": "moments",
        "label": "朋友圈、空间日志",
        "points": 20,
        "help": "每周有新内容，讲得懂、有人气，不是只有广告",
    },
    {"code": "album", "label": "相册", "points": 10, "help": "环境、设备、团队的照片齐全，案例经本人同意"},
    {"code": "contact", "label": "保持联系", "points": 20, "help": "加了以后按作息问候，有来有往，不是加完就不管"},
]


def builtin(kind: str) -> Any:
    """Return the built-in rubric of a kind: what stands in Rubric.data."""
    if kind == "front":
        return [dict(item) for item in FRONT]
    return {
        "deductions": {code: float(known.deduction) for code, known in CODES.items()},
        "caps": {group: float(points) for group, points in DEFAULT_CAPS.items()},
    }
