"""The built-in question sets (问诊表): dental and medical aesthetics. Pure data; a clinic gets a copy to change.

A set is a list of groups, one per screen of the patient's form. Words are kept in both languages. `show_if`
names an earlier answer or a trait of the person; `fills` names the patient's column an answer goes to.
"""

from typing import Any

from consultations.form_words import group, options, question

NONE = ("none", "没有", "None")
OTHER = ("other", "其他", "Other")
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
        question("main_complaint", "long", "最想解决的问题", "What would you like solved most?", required=True,
                 fills="complaint", help=("用您自己的话说就好", "In your own words")),
        question("complaint_since", "single", "有多久了", "For how long?", options=SINCE),
        question("earlier_care", "yes_no", "之前为它看过或治过吗", "Has it been treated before?",
                 detail=("在哪里、做了什么", "Where, and what was done")),
    ),
    group("pain", "疼不疼", "Pain")(
        question("pain", "single", "现在牙齿或牙龈疼吗", "Do teeth or gums hurt?", required=True, options=options(
            ("none", "不疼", "No"), ("sometimes", "有时疼", "At times"), ("now", "正在疼", "Right now"))),
        question("pain_where", "multi", "哪里疼", "Where?", show_if=HURTS, options=options(
            ("upper_right", "右上", "Upper right"), ("upper_left", "左上", "Upper left"),
            ("lower_right", "右下", "Lower right"), ("lower_left", "左下", "Lower left"),
            ("front", "门牙", "Front teeth"), ("unclear", "说不清", "Hard to say"))),
        question("pain_since", "single", "疼了多久", "Since when?", show_if=HURTS, options=SINCE),
        question("pain_strength", "scale", "疼得多厉害", "How strong?", show_if=HURTS, least=0, most=10,
                 help=("0 不疼，10 疼得受不了", "0 none, 10 unbearable")),
        question("pain_when", "multi", "什么时候疼", "When does it hurt?", show_if=HURTS, options=options(
            ("cold_hot", "冷热刺激", "Cold or heat"), ("biting", "咬东西", "Biting"), ("night", "夜里", "At night"),
            ("by_itself", "自己就疼", "By itself"), ("touch", "碰到时", "When touched"))),
    ),
]

AESTHETIC_OPENING: list[dict[str, Any]] = [
    group("complaint", "这次来想改善什么", "What you would like to improve")(
        question("main_complaint", "long", "最想改善的地方", "What would you like to improve most?", required=True,
                 fills="complaint", help=("用您自己的话说就好", "In your own words")),
        question("areas", "multi", "部位", "Where?", options=options(
            ("forehead", "额头", "Forehead"), ("eyes", "眼周", "Around the eyes"), ("cheeks", "面颊", "Cheeks"),
            ("nose", "鼻部", "Nose"), ("jaw", "下颌", "Jaw line"), ("neck", "颈部", "Neck"),
            ("body", "身体", "Body"), OTHER)),
        question("concerns", "multi", "主要困扰", "What troubles you?", options=options(
            ("spots", "色斑", "Spots"), ("acne", "痘痘、痘印", "Acne or marks"), ("redness", "敏感、泛红", "Redness"),
            ("wrinkles", "皱纹", "Wrinkles"), ("slack", "松弛", "Slackness"), ("pores", "毛孔", "Pores"),
            ("volume", "凹陷", "Hollows"), ("hair", "毛发", "Hair"), OTHER)),
        question("complaint_since", "single", "有多久了", "For how long?", options=SINCE),
    ),
    group("skin", "皮肤情况", "Your skin")(
        question("skin_type", "single", "平时的肤质", "Skin type", options=options(
            ("dry", "干", "Dry"), ("oily", "油", "Oily"), ("mixed", "混合", "Mixed"),
            ("sensitive", "敏感", "Sensitive"), ("unclear", "不清楚", "Not sure"))),
        question("pain", "single", "想改善的地方疼或痒吗", "Does the area hurt or itch?", required=True,
                 options=options(("none", "没有", "No"), ("sometimes", "有时", "At times"), ("now", "现在就有", "Right now"))),
        question("pain_strength", "scale", "有多厉害", "How strong?", show_if=HURTS, least=0, most=10,
                 help=("0 没有，10 受不了", "0 none, 10 unbearable")),
        question("sun", "yes_no", "最近一个月有没有暴晒", "Strong sun in the last month?"),
        question("acids", "yes_no", "正在用刷酸、维 A 类产品吗", "Using acids or retinoids?",
                 detail=("产品名和频率", "Which, and how often")),
        question("earlier_care", "yes_no", "以前做过医美项目吗", "Any aesthetic treatment before?",
                 detail=("做过什么、大约什么时候、感觉怎样", "What, about when, how it went")),
        question("last_treatment", "month", "最近一次大约在哪个月", "Month of the last one",
                 show_if={"answer": "earlier_care", "in": ["yes"]}),
        question("scars", "yes_no", "受伤后容易留疤吗", "Do you scar easily?"),
    ),
]


def _health(*more: tuple[str, str, str]) -> dict[str, Any]:
    return group("health", "身体情况", "Your health")(
        question("conditions", "multi", "有没有这些疾病", "Do any of these apply?", required=True,
                 fills="medical_notes", options=options(
                     NONE, ("blood_pressure", "高血压", "High blood pressure"), ("heart", "心脏病", "Heart disease"),
                     ("diabetes", "糖尿病", "Diabetes"), ("bleeding", "血液病、不易止血", "Bleeding disorder"),
                     ("liver", "肝炎、肝病", "Liver disease"), ("kidney", "肾病", "Kidney disease"),
                     ("asthma", "哮喘", "Asthma"), ("epilepsy", "癫痫", "Epilepsy"),
                     ("tumour", "肿瘤、放化疗", "Tumour, chemo- or radiotherapy"), *more, OTHER)),
        question("conditions_note", "text", "请补充说明", "Please say more", fills="medical_notes",
                 show_if={"answer": "conditions", "in": ["other"]}),
        question("anaesthetic", "yes_no", "打麻药时有过不舒服吗", "Ever unwell after an anaesthetic?",
                 detail=("当时怎样", "What happened"), fills="medical_notes",
                 note=("麻醉时不适", "Unwell after an anaesthetic")),
        question("surgery", "yes_no", "两年内做过手术吗", "Surgery within two years?",
                 detail=("什么手术", "Which")),
        question("weight", "number", "体重（千克）", "Weight, kg", least=2, most=300),
    )


def _medicine(*more: dict[str, Any]) -> dict[str, Any]:
    return group("medicine", "用药和过敏", "Medicines and allergies")(
        question("allergies", "yes_no", "对药物、麻药、食物或材料过敏吗",
                 "Allergic to a medicine, anaesthetic, food or material?", required=True,
                 detail=("对什么过敏、有什么反应", "To what, and what happens"), fills="allergies"),
        question("medication", "yes_no", "正在吃药或打针吗", "Taking any medicine?", required=True,
                 detail=("药名", "Which"), fills="medical_notes", note=("用药", "Medicine")),
        question("blood_thinner", "yes_no", "吃阿司匹林、华法林等抗凝药吗", "Taking aspirin, warfarin or the like?",
                 fills="medical_notes", note=("服抗凝药", "Blood thinner")),
        *more,
    )


PREGNANCY = group("pregnancy", "孕期和哺乳", "Pregnancy and nursing", show_if={"person": "may_be_pregnant"})(
    question("pregnancy", "single", "是否怀孕、备孕或哺乳", "Pregnant, planning or nursing?", required=True, fills="medical_notes", options=options(
        ("no", "都没有", "None of these"), ("pregnant", "怀孕", "Pregnant"), ("maybe", "可能怀孕", "Perhaps pregnant"),
        ("planning", "近期备孕", "Planning soon"), ("nursing", "哺乳", "Nursing"))),
    question("due_on", "date", "预产期", "Due date", show_if={"answer": "pregnancy", "in": ["pregnant"]}),
)

SMOKING = question("smoking", "single", "抽烟吗", "Do you smoke?", options=options(
    ("no", "不抽", "No"), ("some", "偶尔", "Now and then"), ("daily", "每天", "Daily"), ("quit", "已戒", "Gave it up")))
ALCOHOL = question("alcohol", "single", "喝酒吗", "Do you drink alcohol?", options=options(
    ("no", "不喝", "No"), ("some", "偶尔", "Now and then"), ("often", "经常", "Often")))
RHYTHM = question("daily_rhythm", "text", "平时作息", "Your daily rhythm", fills="daily_rhythm",
                  help=("例如：夜班、早起、周三休息", "For example night shifts, or Wednesdays off"))

DENTAL_HABITS = group("habits", "生活习惯", "Habits")(
    question("brushing", "single", "一天刷几次牙", "How often a day do you brush?", options=options(
        ("rarely", "不一定", "It varies"), ("once", "1 次", "Once"), ("twice", "2 次", "Twice"),
        ("more", "3 次以上", "Three times or more"))),
    question("floss", "single", "用牙线或冲牙器吗", "Floss or water jet?", options=options(
        ("no", "不用", "No"), ("some", "偶尔", "Now and then"), ("daily", "每天", "Daily"))),
    question("grinding", "yes_no", "夜里磨牙或白天咬紧牙吗", "Do you grind or clench?"),
    SMOKING,
    question("betel", "yes_no", "嚼槟榔吗", "Do you chew betel nut?"),
    question("last_cleaning", "month", "上次洗牙大约在哪个月", "Month of your last cleaning"),
    RHYTHM,
)
AESTHETIC_HABITS = group("habits", "生活习惯", "Habits")(
    SMOKING, ALCOHOL,
    question("sunscreen", "single", "平时防晒吗", "Sun protection?", options=options(
        ("no", "不用", "No"), ("some", "偶尔", "Now and then"), ("daily", "每天", "Daily"))),
    question("sleep", "single", "睡眠", "Sleep", options=options(
        ("good", "好", "Good"), ("fair", "一般", "Fair"), ("poor", "不好", "Poor"))),
    RHYTHM,
)


def _wishes(*more: dict[str, Any]) -> dict[str, Any]:
    return group("wishes", "您的期望", "What you hope for")(
        question("wish", "long", "希望处理完是什么样", "How should it be afterwards?"),
        question("matters", "multi", "最看重什么", "What matters most?", options=options(
            ("function", "好用", "Works well"), ("look", "好看、自然", "Looks natural"), ("lasting", "耐用", "Lasts"),
            ("comfort", "舒服、少疼", "Comfort"), ("quick", "快", "Quick"), ("price", "价格合适", "Price"))),
        question("finish_by", "month", "希望什么时候前完成", "To be finished by"),
        *more,
    )


DOWNTIME = question("downtime", "single", "能接受多久的恢复期", "How long may recovery take?", options=options(
    ("none", "不能有", "None"), ("days", "两三天", "Two or three days"), ("week", "一周", "A week"),
    ("longer", "更久也行", "Longer is fine")))

WORRIES = group("worries", "您的担心", "What worries you")(
    question("worries", "multi", "担心什么", "Do you worry about any of these?", options=options(
        NONE, ("pain", "疼", "Pain"), ("price", "费用", "Cost"), ("time", "时间、来的次数", "Time and visits"),
        ("safety", "安全", "Safety"), ("result", "效果", "The result"), ("recovery", "恢复期", "Recovery"),
        ("past", "以前的不好经历", "A bad experience"), OTHER)),
    question("worries_note", "long", "想让医生知道的", "What the doctor should know"),
    question("fear", "scale", "看诊紧张程度", "How nervous are you about treatment?", least=0, most=10,
             help=("0 不紧张，10 非常紧张", "0 not at all, 10 very")),
)

DECIDING = group("deciding", "一起决定", "Deciding")(
    question("decide_with", "multi", "治疗由谁一起决定", "Who decides with you?", required=True, options=options(
        ("self", "自己", "I alone"), ("partner", "爱人", "Partner"), ("parents", "父母", "Parents"),
        ("children", "子女", "Children"), ("friend", "朋友", "A friend"), OTHER)),
    question("with_you", "yes_no", "今天有人陪您来吗", "Is somebody with you today?", detail=("是谁", "Who")),
    question("budget", "single", "大概的预算", "Budget, roughly", options=options(
        ("to_2000", "2 千以内", "Up to ¥2,000"), ("to_10000", "2 千到 1 万", "¥2,000 to 10,000"),
        ("to_30000", "1 万到 3 万", "¥10,000 to 30,000"), ("over", "3 万以上", "Over ¥30,000"),
        ("open", "看方案再定", "Depends on the plan"), ("private", "不方便说", "Rather not say"))),
)

CONTACT = group("contact", "怎样联系您", "How to reach you")(
    question("occupation", "text", "职业", "Occupation", fills="occupation"),
    question("heard", "single", "从哪里知道我们", "How did you hear of us?", required=True, fills="channel",
             options=options(
                 ("referral", "亲友介绍", "Friends or family"), ("dianping", "大众点评", "Dianping"),
                 ("douyin", "抖音", "Douyin"), ("xiaohongshu", "小红书", "Xiaohongshu"), ("wechat", "微信", "WeChat"),
                 ("search", "网上搜索", "Web search"), ("online_chat", "网上咨询", "Online consultation"),
                 ("walk_in", "路过", "Passing by"), ("company", "单位体检", "Company check-up"),
                 ("activity", "活动", "An event"), OTHER)),
    question("referred_by", "text", "是哪位介绍的", "Who told you?", show_if={"answer": "heard", "in": ["referral"]}),
    question("contact_way", "single", "希望怎样联系", "How may we contact you?", options=options(
        ("phone", "电话", "Phone"), ("wechat", "微信", "WeChat"), ("sms", "短信", "Text message"))),
    question("call_hours", "single", "方便的时间", "Good hours", required=True, fills="call_hours", options=options(
        ("09:00-12:00", "上午", "Morning"), ("12:00-14:00", "中午", "Midday"), ("14:00-18:00", "下午", "Afternoon"),
        ("18:00-21:00", "晚上", "Evening"), ("09:00-21:00", "都可以", "Any time"))),
)

BONE_MEDICINE = question("bone_medicine", "yes_no", "用过骨质疏松药（如双膦酸盐）吗",
                         "Ever taken osteoporosis medicine such as bisphosphonates?", fills="medical_notes",
                         note=("用过骨质疏松药", "Osteoporosis medicine"))

DENTAL: list[dict[str, Any]] = [
    *DENTAL_OPENING, _health(("osteoporosis", "骨质疏松", "Osteoporosis")), _medicine(BONE_MEDICINE), PREGNANCY,
    DENTAL_HABITS, _wishes(), WORRIES, DECIDING, CONTACT,
]  # fmt: skip
AESTHETIC: list[dict[str, Any]] = [
    *AESTHETIC_OPENING,
    _health(("herpes", "唇疱疹", "Cold sores"), ("keloid", "疤痕体质", "Keloids"), ("immune", "免疫性疾病", "Autoimmune disease")),
    _medicine(), PREGNANCY, AESTHETIC_HABITS, _wishes(DOWNTIME), WORRIES, DECIDING, CONTACT,
]  # fmt: skip
BUILTIN_SETS: dict[str, list[dict[str, Any]]] = {"dental": DENTAL, "aesthetic": AESTHETIC}
