"""The built-in question sets (问诊表): dental and medical aesthetics. Pure data; a clinic gets a copy to change.

A set is a list of groups, one per screen of the patient's form. Words are kept in both languages. `show_if`
names an earlier answer or a trait of the person; `fills` names the patient's column an answer goes to.
"""

from typing import Any

from consultations.form_groups import CONTACT, DECIDING, OTHER, PREGNANCY, WORRIES, health, medicine, wishes
from consultations.form_words import group, options, question

SINCE = options(
    ("days", "几天以内", "A few days"),
    ("weeks", "几周", "Some weeks"),
    ("months", "几个月", "Some months"),
    ("year", "一年左右", "About a year"),
    ("years", "好几年", "Several years"),
)
HURTS = {"answer": "pain", "in": ["sometimes", "now"]}

DENTAL_OPENING: list[dict[str, Any]] = [
    group("complaint", "这次来想解决什么", "What brings you here")(
        question(
            "main_complaint",
            "long",
            "最想解决的问题",
            "What would you like solved most?",
            required=True,
            fills="complaint",
            help=("用您自己的话说就好", "In your own words"),
        ),
        question("complaint_since", "single", "有多久了", "For how long?", options=SINCE),
        question(
            "earlier_care",
            "yes_no",
            "之前为它看过或治过吗",
            "Has it been treated before?",
            detail=("在哪里、做了什么", "Where, and what was done"),
        ),
    ),
    group("pain", "疼不疼", "Pain")(
        question(
            "pain",
            "single",
            "现在牙齿或牙龈疼吗",
            "Do teeth or gums hurt?",
            required=True,
            options=options(
                ("none", "不疼", "No"), ("sometimes", "有时疼", "At times"), ("now", "正在疼", "Right now")
            ),
        ),
        question(
            "pain_where",
            "multi",
            "哪里疼",
            "Where?",
            show_if=HURTS,
            options=options(
                ("upper_right", "右上", "Upper right"),
                ("upper_left", "左上", "Upper left"),
                ("lower_right", "右下", "Lower right"),
                ("lower_left", "左下", "Lower left"),
                ("front", "门牙", "Front teeth"),
                ("unclear", "说不清", "Hard to say"),
            ),
        ),
        question("pain_since", "single", "疼了多久", "Since when?", show_if=HURTS, options=SINCE),
        question(
            "pain_strength",
            "scale",
            "疼得多厉害",
            "How strong?",
            show_if=HURTS,
            least=0,
            most=10,
            help=("0 不疼，10 疼得受不了", "0 none, 10 unbearable"),
        ),
        question(
            "pain_when",
            "multi",
            "什么时候疼",
            "When does it hurt?",
            show_if=HURTS,
            options=options(
                ("cold_hot", "冷热刺激", "Cold or heat"),
                ("biting", "咬东西", "Biting"),
                ("night", "夜里", "At night"),
                ("by_itself", "自己就疼", "By itself"),
                ("touch", "碰到时", "When touched"),
            ),
        ),
    ),
]

AESTHETIC_OPENING: list[dict[str, Any]] = [
    group("complaint", "这次来想改善什么", "What you would like to improve")(
        question(
            "main_complaint",
            "long",
            "最想改善的地方",
            "What would you like to improve most?",
            required=True,
            fills="complaint",
            help=("用您自己的话说就好", "In your own words"),
        ),
        question(
            "areas",
            "multi",
            "部位",
            "Where?",
            options=options(
                ("forehead", "额头", "Forehead"),
                ("eyes", "眼周", "Around the eyes"),
                ("cheeks", "面颊", "Cheeks"),
                ("nose", "鼻部", "Nose"),
                ("jaw", "下颌", "Jaw line"),
                ("neck", "颈部", "Neck"),
                ("body", "身体", "Body"),
                OTHER,
            ),
        ),
        question(
            "concerns",
            "multi",
            "主要困扰",
            "What troubles you?",
            options=options(
                ("spots", "色斑", "Spots"),
                ("acne", "痘痘、痘印", "Acne or marks"),
                ("redness", "敏感、泛红", "Redness"),
                ("wrinkles", "皱纹", "Wrinkles"),
                ("slack", "松弛", "Slackness"),
                ("pores", "毛孔", "Pores"),
                ("volume", "凹陷", "Hollows"),
                ("hair", "毛发", "Hair"),
                OTHER,
            ),
        ),
        question("complaint_since", "single", "有多久了", "For how long?", options=SINCE),
    ),
    group("skin", "皮肤情况", "Your skin")(
        question(
            "skin_type",
            "single",
            "平时的肤质",
            "Skin type",
            options=options(
                ("dry", "干", "Dry"),
                ("oily", "油", "Oily"),
                ("mixed", "混合", "Mixed"),
                ("sensitive", "敏感", "Sensitive"),
                ("unclear", "不清楚", "Not sure"),
            ),
        ),
        question(
            "pain",
            "single",
            "想改善的地方疼或痒吗",
            "Does the area hurt or itch?",
            required=True,
            options=options(
                ("none", "没有", "No"), ("sometimes", "有时", "At times"), ("now", "现在就有", "Right now")
            ),
        ),
        question(
            "pain_strength",
            "scale",
            "有多厉害",
            "How strong?",
            show_if=HURTS,
            least=0,
            most=10,
            help=("0 没有，10 受不了", "0 none, 10 unbearable"),
        ),
        question("sun", "yes_no", "最近一个月有没有暴晒", "Strong sun in the last month?"),
        question(
            "acids",
            "yes_no",
            "正在用刷酸、维 A 类产品吗",
            "Using acids or retinoids?",
            detail=("产品名和频率", "Which, and how often"),
        ),
        question(
            "earlier_care",
            "yes_no",
            "以前做过医美项目吗",
            "Any aesthetic treatment before?",
            detail=("做过什么、大约什么时候、感觉怎样", "What, about when, how it went"),
        ),
        question(
            "last_treatment",
            "month",
            "最近一次大约在哪个月",
            "Month of the last one",
            show_if={"answer": "earlier_care", "in": ["yes"]},
        ),
        question("scars", "yes_no", "受伤后容易留疤吗", "Do you scar easily?"),
    ),
]

SMOKING = question(
    "smoking",
    "single",
    "抽烟吗",
    "Do you smoke?",
    options=options(
        ("no", "不抽", "No"),
        ("some", "偶尔", "Now and then"),
        ("daily", "每天", "Daily"),
        ("quit", "已戒", "Gave it up"),
    ),
)
ALCOHOL = question(
    "alcohol",
    "single",
    "喝酒吗",
    "Do you drink alcohol?",
    options=options(("no", "不喝", "No"), ("some", "偶尔", "Now and then"), ("often", "经常", "Often")),
)
RHYTHM = question(
    "daily_rhythm",
    "text",
    "平时作息",
    "Your daily rhythm",
    fills="daily_rhythm",
    help=("例如：夜班、早起、周三休息", "For example night shifts, or Wednesdays off"),
)

DENTAL_HABITS = group("habits", "生活习惯", "Habits")(
    question(
        "brushing",
        "single",
        "一天刷几次牙",
        "How often a day do you brush?",
        options=options(
            ("rarely", "不一定", "It varies"),
            ("once", "1 次", "Once"),
            ("twice", "2 次", "Twice"),
            ("more", "3 次以上", "Three times or more"),
        ),
    ),
    question(
        "floss",
        "single",
        "用牙线或冲牙器吗",
        "Floss or water jet?",
        options=options(("no", "不用", "No"), ("some", "偶尔", "Now and then"), ("daily", "每天", "Daily")),
    ),
    question("grinding", "yes_no", "夜里磨牙或白天咬紧牙吗", "Do you grind or clench?"),
    SMOKING,
    question("betel", "yes_no", "嚼槟榔吗", "Do you chew betel nut?"),
    question("last_cleaning", "month", "上次洗牙大约在哪个月", "Month of your last cleaning"),
    RHYTHM,
)
AESTHETIC_HABITS = group("habits", "生活习惯", "Habits")(
    SMOKING,
    ALCOHOL,
    question(
        "sunscreen",
        "single",
        "平时防晒吗",
        "Sun protection?",
        options=options(("no", "不用", "No"), ("some", "偶尔", "Now and then"), ("daily", "每天", "Daily")),
    ),
    question(
        "sleep",
        "single",
        "睡眠",
        "Sleep",
        options=options(("good", "好", "Good"), ("fair", "一般", "Fair"), ("poor", "不好", "Poor")),
    ),
    RHYTHM,
)

DOWNTIME = question(
    "downtime",
    "single",
    "能接受多久的恢复期",
    "How long may recovery take?",
    options=options(
        ("none", "不能有", "None"),
        ("days", "两三天", "Two or three days"),
        ("week", "一周", "A week"),
        ("longer", "更久也行", "Longer is fine"),
    ),
)

BONE_MEDICINE = question(
    "bone_medicine",
    "yes_no",
    "用过骨质疏松药（如双膦酸盐）吗",
    "Ever taken osteoporosis medicine such as bisphosphonates?",
    fills="medical_notes",
    note=("用过骨质疏松药", "Osteoporosis medicine"),
)

DENTAL: list[dict[str, Any]] = [
    *DENTAL_OPENING, health(("osteoporosis", "骨质疏松", "Osteoporosis")), medicine(BONE_MEDICINE), PREGNANCY,
    DENTAL_HABITS, wishes(), WORRIES, DECIDING, CONTACT,
]  # fmt: skip
AESTHETIC: list[dict[str, Any]] = [
    *AESTHETIC_OPENING,
    health(("herpes", "唇疱疹", "Cold sores"), ("keloid", "疤痕体质", "Keloids"), ("immune", "免疫性疾病", "Autoimmune disease")),
    medicine(), PREGNANCY, AESTHETIC_HABITS, wishes(DOWNTIME), WORRIES, DECIDING, CONTACT,
]  # fmt: skip
BUILTIN_SETS: dict[str, list[dict[str, Any]]] = {"dental": DENTAL, "aesthetic": AESTHETIC}
