"""Question groups that the dental and the aesthetic set share. Pure data."""

from typing import Any

from consultations.form_words import group, options, question

NONE = ("none", "没有", "None")
OTHER = ("other", "其他", "Other")


def health(*more: tuple[str, str, str]) -> dict[str, Any]:
    return group("health", "身体情况", "Your health")(
        question(
            "conditions",
            "multi",
            "有没有这些疾病",
            "Do any of these apply?",
            required=True,
            fills="medical_notes",
            options=options(
                NONE,
                ("blood_pressure", "高血压", "High blood pressure"),
                ("heart", "心脏病", "Heart disease"),
                ("diabetes", "糖尿病", "Diabetes"),
                ("bleeding", "血液病、不易止血", "Bleeding disorder"),
                ("liver", "肝炎、肝病", "Liver disease"),
                ("kidney", "肾病", "Kidney disease"),
                ("asthma", "哮喘", "Asthma"),
                ("epilepsy", "癫痫", "Epilepsy"),
                ("tumour", "肿瘤、放化疗", "Tumour, chemo- or radiotherapy"),
                *more,
                OTHER,
            ),
        ),
        question(
            "conditions_note",
            "text",
            "请补充说明",
            "Please say more",
            fills="medical_notes",
            show_if={"answer": "conditions", "in": ["other"]},
        ),
        question(
            "anaesthetic",
            "yes_no",
            "打麻药时有过不舒服吗",
            "Ever unwell after an anaesthetic?",
            detail=("当时怎样", "What happened"),
            fills="medical_notes",
            note=("麻醉时不适", "Unwell after an anaesthetic"),
        ),
        question("surgery", "yes_no", "两年内做过手术吗", "Surgery within two years?", detail=("什么手术", "Which")),
        question("weight", "number", "体重（千克）", "Weight, kg", least=2, most=300),
    )


def medicine(*more: dict[str, Any]) -> dict[str, Any]:
    return group("medicine", "用药和过敏", "Medicines and allergies")(
        question(
            "allergies",
            "yes_no",
            "对药物、麻药、食物或材料过敏吗",
            "Allergic to a medicine, anaesthetic, food or material?",
            required=True,
            detail=("对什么过敏、有什么反应", "To what, and what happens"),
            fills="allergies",
        ),
        question(
            "medication",
            "yes_no",
            "正在吃药或打针吗",
            "Taking any medicine?",
            required=True,
            detail=("药名", "Which"),
            fills="medical_notes",
            note=("用药", "Medicine"),
        ),
        question(
            "blood_thinner",
            "yes_no",
            "吃阿司匹林、华法林等抗凝药吗",
            "Taking aspirin, warfarin or the like?",
            fills="medical_notes",
            note=("服抗凝药", "Blood thinner"),
        ),
        *more,
    )


PREGNANCY = group("pregnancy", "孕期和哺乳", "Pregnancy and nursing", show_if={"person": "may_be_pregnant"})(
    question(
        "pregnancy",
        "single",
        "是否怀孕、备孕或哺乳",
        "Pregnant, planning or nursing?",
        required=True,
        fills="medical_notes",
        options=options(
            ("no", "都没有", "None of these"),
            ("pregnant", "怀孕", "Pregnant"),
            ("maybe", "可能怀孕", "Perhaps pregnant"),
            ("planning", "近期备孕", "Planning soon"),
            ("nursing", "哺乳", "Nursing"),
        ),
    ),
    question("due_on", "date", "预产期", "Due date", show_if={"answer": "pregnancy", "in": ["pregnant"]}),
)


def wishes(*more: dict[str, Any]) -> dict[str, Any]:
    return group("wishes", "您的期望", "What you hope for")(
        question("wish", "long", "希望处理完是什么样", "How should it be afterwards?"),
        question(
            "matters",
            "multi",
            "最看重什么",
            "What matters most?",
            options=options(
                ("function", "好用", "Works well"),
                ("look", "好看、自然", "Looks natural"),
                ("lasting", "耐用", "Lasts"),
                ("comfort", "舒服、少疼", "Comfort"),
                ("quick", "快", "Quick"),
                ("price", "价格合适", "Price"),
            ),
        ),
        question("finish_by", "month", "希望什么时候前完成", "To be finished by"),
        *more,
    )


WORRIES = group("worries", "您的担心", "What worries you")(
    question(
        "worries",
        "multi",
        "担心什么",
        "Do you worry about any of these?",
        options=options(
            NONE,
            ("pain", "疼", "Pain"),
            ("price", "费用", "Cost"),
            ("time", "时间、来的次数", "Time and visits"),
            ("safety", "安全", "Safety"),
            ("result", "效果", "The result"),
            ("recovery", "恢复期", "Recovery"),
            ("past", "以前的不好经历", "A bad experience"),
            OTHER,
        ),
    ),
    question("worries_note", "long", "想让医生知道的", "What the doctor should know"),
    question(
        "fear",
        "scale",
        "看诊紧张程度",
        "How nervous are you about treatment?",
        least=0,
        most=10,
        help=("0 不紧张，10 非常紧张", "0 not at all, 10 very"),
    ),
)

DECIDING = group("deciding", "一起决定", "Deciding")(
    question(
        "decide_with",
        "multi",
        "治疗由谁一起决定",
        "Who decides with you?",
        required=True,
        options=options(
            ("self", "自己", "I alone"),
            ("partner", "爱人", "Partner"),
            ("parents", "父母", "Parents"),
            ("children", "子女", "Children"),
            ("friend", "朋友", "A friend"),
            OTHER,
        ),
    ),
    question("with_you", "yes_no", "今天有人陪您来吗", "Is somebody with you today?", detail=("是谁", "Who")),
    question(
        "budget",
        "single",
        "大概的预算",
        "Budget, roughly",
        options=options(
            ("to_2000", "2 千以内", "Up to ¥2,000"),
            ("to_10000", "2 千到 1 万", "¥2,000 to 10,000"),
            ("to_30000", "1 万到 3 万", "¥10,000 to 30,000"),
            ("over", "3 万以上", "Over ¥30,000"),
            ("open", "看方案再定", "Depends on the plan"),
            ("private", "不方便说", "Rather not say"),
        ),
    ),
)

CONTACT = group("contact", "怎样联系您", "How to reach you")(
    question("occupation", "text", "职业", "Occupation", fills="occupation"),
    question(
        "heard",
        "single",
        "从哪里知道我们",
        "How did you hear of us?",
        required=True,
        fills="channel",
        options=options(
            ("referral", "亲友介绍", "Friends or family"),
            ("dianping", "大众点评", "Dianping"),
            ("douyin", "抖音", "Douyin"),
            ("xiaohongshu", "小红书", "Xiaohongshu"),
            ("wechat", "微信", "WeChat"),
            ("search", "网上搜索", "Web search"),
            ("online_chat", "网上咨询", "Online consultation"),
            ("walk_in", "路过", "Passing by"),
            ("company", "单位体检", "Company check-up"),
            ("activity", "活动", "An event"),
            OTHER,
        ),
    ),
    question("referred_by", "text", "是哪位介绍的", "Who told you?", show_if={"answer": "heard", "in": ["referral"]}),
    question(
        "contact_way",
        "single",
        "希望怎样联系",
        "How may we contact you?",
        options=options(("phone", "电话", "Phone"), ("wechat", "微信", "WeChat"), ("sms", "短信", "Text message")),
    ),
    question(
        "call_hours",
        "single",
        "方便的时间",
        "Good hours",
        required=True,
        fills="call_hours",
        options=options(
            ("09:00-12:00", "上午", "Morning"),
            ("12:00-14:00", "中午", "Midday"),
            ("14:00-18:00", "下午", "Afternoon"),
            ("18:00-21:00", "晚上", "Evening"),
            ("09:00-21:00", "都可以", "Any time"),
        ),
    ),
)
