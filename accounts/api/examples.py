"""Examples for the description of the API: one for every body that shows none itself, made of its fields' names."""

from collections.abc import Mapping
from typing import Any

MOMENT, DAY = "2026-11-22T10:00:00+08:00", "2026-11-22"
# By the name of a field, where its kind alone would say little.
BY_NAME: dict[str, Any] = {
    "id": 4711, "patient": 4711, "visit": 5120, "consultation": 3877, "appointment": 802, "task": 1290, "exam": 377,
    "doctor": 15, "coordinator": 12, "owner": 12, "by": 12, "user": 12, "staff": 12, "conversation": 2601,
    "name": "沈雨薇", "label": "缺牙", "title": "回访", "number": "QH2611-0173", "clinic": "QH", "code": "panoramic",
    "what": "等了四十分钟", "text": "已电话说明", "note": "傍晚联系", "reason": "患者改期", "purpose": "种植复诊",
    "complaint_text": "左下后牙缺失", "quote": "种植牙多少钱一颗", "advice": "先问缺了多久，再约检查。",
    "masked": "199****1734", "last4": "1734", "age": 36, "tooth": 36, "teeth": [36],
    "url": "https://example.com/hook", "quantity": 1, "sessions": 1, "awareness": 3, "trust": 4, "version": 3,
    "event_id": "6f1c6a9e-4b1e-4a0e-9d0e-0d6e5a1b2c3d", "signature": "M 40 120 L 90 60 L 160 130 L 240 70",
    "language": "zh-hans", "secret": "b3X…", "limit": 50, "AnswersIn.answers": {"pain": "none", "conditions": ["none"]},
    "InspectionIn.answers": {"greeting": 1, "names": 0}, "InspectionOut.answers": {"greeting": 1, "names": 0},
    "answer": "没有", "question": "牙齿或牙龈疼吗？", "value": "none", "next": None, "score": "92.00",
    "missing": [], "ends_at": "2026-11-22T11:00:00+08:00", "payload": {"event": "visit.closed"}, "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "RoomOut.name": "2 号诊室", "ExamKindOut.name": "全景片", "ExamOut.name": "全景片", "ClinicOut.name": "青禾口腔",
    "ClinicOut.code": "QH", "OptionIn.name": "单颗种植", "OptionOut.name": "单颗种植", "ItemIn.name": "种植体",
    "ItemOut.name": "种植体", "HookIn.name": "数据仓库", "HookPatch.name": "数据仓库", "HookOut.name": "数据仓库",
    "HookSecretOut.name": "数据仓库", "PersonOut.name": "谢美林", "PersonOut.id": 12, "StaffOut.name": "谢美林",
    "DatasetOut.name": "visits", "PhoneIn.number": "199 0000 1734", "PhoneCheckIn.number": "199 0000 1734",
    "RegistrationIn.phone": "199 0000 1734", "ComplaintOut.number": "TS2611-0004", "VisitOut.number": 1,
    "OptionIn.id": None, "ItemIn.id": None, "RevealOut.what": "phone", "RevealOut.value": "19900001734",
    "QuestionOut.code": "pain", "ChoiceOut.code": "none", "ChoiceOut.label": "没有", "SearchIn.q": "沈",
    "PlanIn.title": "36 种植", "PlanPut.title": "36 种植", "PlanOut.title": "36 种植",
}  # fmt: skip
BY_FORMAT = {"date-time": MOMENT, "date": DAY, "time": "18:30:00", "uuid": BY_NAME["event_id"]}
DEEPEST = 6


def add_examples(result: Mapping[str, Any]) -> None:
    """Put an example on every JSON body of the description that has none."""
    schemas = result["components"]["schemas"]
    for methods in result["paths"].values():
        for operation in methods.values():
            bodies = [operation.get("requestBody", {})]
            bodies += [told for status, told in operation["responses"].items() if status.startswith("2")]
            for body in bodies:
                for kind, content in body.get("content", {}).items():
                    if kind.endswith("json") and "examples" not in content:
                        content["example"] = example_of(content.get("schema", {}), schemas)


def example_of(schema: Mapping[str, Any], schemas: Mapping[str, Any], name: str = "", deep: int = 0) -> Any:
    """Return a value that the schema allows; `name` is the field's, of an object its component's."""
    if name in BY_NAME and BY_NAME[name] is None:
        return None
    if "$ref" in schema:
        component = schema["$ref"].rpartition("/")[2]
        inner = schemas[component]
        of_object = "properties" in inner
        return example_of(inner, schemas, component.removesuffix("Request") if of_object else name, deep)
    for several in ("allOf", "oneOf", "anyOf"):
        if schema.get(several):
            return example_of(schema[several][0], schemas, name, deep)
    if "examples" in schema or "example" in schema:
        return schema["examples"][0] if "examples" in schema else schema["example"]
    if "enum" in schema:
        return next((one for one in schema["enum"] if one not in ("", None)), None)
    kinds = schema.get("type", "object")
    kind = next((one for one in kinds if one != "null"), "null") if isinstance(kinds, list) else kinds
    if kind == "object":
        return _object(schema, schemas, name, deep)
    if kind == "array":
        known = BY_NAME.get(name)
        one = example_of(schema.get("items", {}), schemas, name.removesuffix("s"), deep + 1)
        return known if isinstance(known, list) else [one] if deep < DEEPEST else []
    return _plain(kind, schema, name)


def _object(schema: Mapping[str, Any], schemas: Mapping[str, Any], of: str, deep: int) -> Any:
    known = BY_NAME.get(of)
    if "properties" not in schema and isinstance(known, dict):
        return known
    of = of.removeprefix("Patched")
    told = {}
    for name, field in schema.get("properties", {}).items():
        own = f"{of}.{name}"
        told[name] = example_of(field, schemas, own if own in BY_NAME else name, deep + 1)
    return told


def _plain(kind: str, schema: Mapping[str, Any], name: str) -> Any:
    known = BY_NAME.get(name)
    if kind == "string":
        return _text(schema, known if isinstance(known, str) else "")
    if kind == "boolean":
        return schema.get("default", True)
    if kind in ("integer", "number"):
        usual = known if isinstance(known, int) else max(1, schema.get("minimum", 1))
        return min(usual, schema.get("maximum", usual))
    return None


def _text(schema: Mapping[str, Any], known: str) -> str:
    if known:
        return known[: schema.get("maxLength", len(known))]
    if schema.get("format") in BY_FORMAT:
        return str(BY_FORMAT[schema["format"]])
    if "pattern" in schema:  # of amounts
        return "1200.00"
    return "…" if schema.get("minLength") else ""
