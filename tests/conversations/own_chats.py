"""Short invented chats with labels, in other words than the labelled development set.

A chat is written as lines "V text", "C text", "S text" (visitor, consultant, system), 20 seconds apart; "V+150 text"
comes 150 seconds after the line before.
"""

from datetime import datetime, timedelta, timezone
from typing import Any

SHANGHAI = timezone(timedelta(hours=8))


def chat(name: str, started: str, text: str, **labels: Any) -> dict[str, Any]:
    """Make a chat in the form of the labelled data."""
    at = datetime.fromisoformat(started).replace(tzinfo=SHANGHAI)
    begun, messages = at, []
    for line in text.strip().splitlines():
        head, _space, words = line.strip().partition(" ")
        who, _plus, delay = head.partition("+")
        at += timedelta(seconds=int(delay or 20))
        sender = {"V": "visitor", "C": "consultant", "S": "system", "B": "bot"}[who]
        messages.append({"at": at.isoformat(), "from": sender, "text": words})
    captured = {"phone": None, "wechat": None, "qq": None, "booking": None, **labels.get("captured", {})}
    return {
        "id": name,
        "started_at": begun.isoformat(),
        "messages": messages,
        "labels": {
            "ending": labels.get("ending", "visitor"),
            "third_party": labels.get("third_party", False),
            "captured": captured,
            "findings": [{"code": code, "message": message} for code, message in labels.get("findings", [])],
        },
    }


OFFERS_MISSING = [
    ("not_offered.technique", None), ("not_offered.expert", None), ("not_offered.brand", None),
    ("not_offered.service", None),
]  # fmt: skip
ASKS_MISSING = [("not_asked.profile", None), ("not_asked.condition", None), ("not_asked.social", None)]

CHATS = [
    chat("all-good-nose", "2026-03-04 10:00:00", """
        V 想垫个鼻子 大概什么价位
        C 您好，我是小秦。假体两万左右，请问您几岁，鼻子以前动过手术吗？
        V 31 没动过
        C 您平时从事哪一行，能请几天假？
        V 做会计的 能歇一周
        C 我们采用膨体加耳软骨，术前三维模拟给您看侧面。操作的是尹院长，整形外科副主任医师。
        V 你们机构可靠吗
        C 我们创办于2009年，持有医疗机构执业许可证，三层楼。恢复期有护士每天随访，单人休息间。
        V 那我想去看看
        C 欢迎，您看下周三上午十点半方便吗？
        V 可以的
        C 好的，为您登记3月11日上午10:30。方便留个手机号吗？
        V １９９－００００－３３２１
        C 收到。请问还有别的疑问吗？
        V 没有
        C 那祝您越来越美，再见。
     """, ending="greeting", captured={"phone": "19900003321", "booking": "2026-03-11 10:30"}),
    chat("father-dentures-missed", "2026-05-12 09:00:00", """
        V 你好 想给我父亲装一副假牙
        C 您好，您缺几颗牙，戴过活动假牙吗？
        V 缺一排
        C 您平时在家还是上班？
        V 他在乡下住
        C 好的，活动假牙两千起。
        V 太贵了
     """, third_party=True, findings=[
        ("third_party_missed", 0), ("not_invited", None), *OFFERS_MISSING,
     ]),
    chat("wife-noticed", "2026-05-12 14:00:00", """
        V 我媳妇生完孩子漏尿 你们能看吗
        C 您好，可以的。您爱人今年多大，产后多久了？
        V 29 半年
        C 她咳嗽打喷嚏会漏吗，做过盆底检查没有？
        V 会 没检查
        C 建议先做盆底肌力评估，我们用的是磁刺激和生物反馈。带孩子的是谁，她上班了吗？
        V 丈母娘带 上班了
        C 盆底中心的季主任做了十六年。您看这个周日上午带她过来可以吗？
        V 我问问她
        C 好的，等您消息。
     """, third_party=True, findings=[("not_offered.brand", None), ("not_offered.service", None)]),
    chat("friend", "2026-05-13 14:00:00", """
        V 帮我闺蜜问下 她想割双眼皮
        C 您好，您朋友今年多大，眼皮松吗？
        V 22 不松
        V 多少钱
        C 三千八，先生您也可以一起来看看。
     """, third_party=True, findings=[
        ("not_asked.social", None), *OFFERS_MISSING,
     ]),
    chat("joint-fertility", "2026-06-01 20:00:00", """
        V 我和老公结婚四年了 一直要不上孩子
        C 您好，您二位做过哪些检查？
        V 都没查过
        C 那建议先过来查一下激素和精液。
        V 要多少钱
        C 全套一千二左右。
     """, findings=[("not_asked.social", None), *OFFERS_MISSING]),
    chat("invoice", "2026-06-02 10:00:00", """
        V 上周做的种植 麻烦开下发票
        C 您好，请提供抬头和税号。
        V 抬头个人就行
        C 好的，已经提交财务。
        V 什么时候能好
        C 今天五点前发您邮箱。
        V 好
     """),
    chat("directions", "2026-06-02 11:00:00", """
        V 你们在哪条路上 坐地铁哪个口出
        C 您好，3号线翠竹站B口出来右转。
        V 停车方便吗
        C 地下一层可以停。
        V 周日上班吗
        C 上的，九点到六点。
     """),
    chat("complaint", "2026-06-02 12:00:00", """
        V 我要投诉你们的医生 态度太差
        C 您好，很抱歉给您带来不好的体验，请问是哪位医生？
        V 姓什么忘了 上周三给我拔牙的
        C 我马上反馈给院办，今天内给您答复。
        V 行吧
        C 感谢您的反馈。
     """),
    chat("wrong-address", "2026-06-02 13:00:00", """
        V 请问学车报名多少钱
        C 您好，这里是口腔医院。
        V 啊 那找错了
        C 没关系的。
        V 拜拜
     """),
    chat("opening-hours", "2026-06-02 14:00:00", """
        V 中秋节你们上班吗
        C 您好，中秋当天休息，第二天正常接诊。
        V 晚上到几点
        C 周一到周五到八点。
        V 哦谢谢
     """),
    chat("system-timeout", "2026-06-03 10:00:00", """
        V 洗牙疼吗
        C 您好，不疼的，稍微有点酸。请问您牙石多吗？
        S+700 会话超时，系统自动关闭
     """, ending="system"),
    chat("consultant-leaves", "2026-06-03 11:00:00", """
        V 补牙多少钱
        C 您好，树脂补牙两百起，您的牙有洞多久了？
        V 两个月
        C 好的，祝您生活愉快，再见。
     """, ending="consultant"),
    chat("visitor-bye-first", "2026-06-03 12:00:00", """
        V 补牙多少钱
        C 您好，树脂补牙两百起，您的牙有洞多久了？
        V 先不补了 再见
        C 好的，再见。
     """),
    chat("visitor-closed-window", "2026-06-03 12:30:00", """
        V 补牙多少钱
        C 您好，树脂补牙两百起，您的牙有洞多久了？
        S 客户已关闭对话窗口
     """),
    chat("network", "2026-06-03 12:40:00", """
        V 补牙多少钱
        C 您好，树脂补牙两百起，您的牙有洞多久了？
        S 对方网络异常，连接已断开
     """, ending="system"),
    chat("slow-and-silent", "2026-06-04 09:00:00", """
        V 打呼噜能治吗
        C+45 您好，可以的，您打呼噜几年了，体重多少？
        V 五六年 一百八
        C+130 好的，建议先来做个睡眠监测。
        C 稍等，我问下医生。
        V+10 嗯嗯
     """, findings=[
        ("neglect.slow_first_reply", 0), ("neglect.silence", 2), ("not_asked.social", None), *OFFERS_MISSING,
     ]),
    chat("never-answered", "2026-06-04 23:00:00", """
        V 有人在吗
        V 想问下拔牙
        S+200 访客已离开
     """, findings=[("neglect.slow_first_reply", 0), ("neglect.few_words", None)]),
    chat("invited-not-served", "2026-06-05 10:00:00", """
        C 您好，我是医院的在线顾问，请问有什么可以帮到您？
        V 私密紧致手术恢复要几天啊，会不会留疤，术后多久可以正常生活
        C 嗯
        V 在吗，能不能回答一下我的问题
        C 在的
        S+100 访客已离开
     """, findings=[("neglect.unserved_invite", 0)]),
    chat("few-words", "2026-06-05 11:00:00", """
        V 我想了解一下根管治疗，我的右下后牙前几天晚上疼得厉害，现在好一点了
        C 多久了？
        V 断断续续有一个月了，吃冷的热的都会疼，咬东西也疼，是不是要拔掉啊
        C 不用。
        V 那做根管要几次，一共多少钱，疼不疼，我比较怕疼
        C 三次。
     """, findings=[
        ("neglect.few_words", None), ("not_asked.social", None), ("not_invited", None), *OFFERS_MISSING,
     ]),
    chat("wechat-same", "2026-06-06 10:00:00", """
        V 想问下植发
        C 您好，您脱发几年了？方便留个微信吗，发案例给您。
        V 壹玖玖零零零零贰叁肆伍 微信同号
        C 好的，加您了。
     """, captured={"phone": "19900002345", "wechat": "19900002345"}),
    chat("wechat-id-only", "2026-06-06 10:10:00", """
        V 想问下植发
        C 您好，您脱发几年了？方便加个微信吗？
        V qingfeng_2088
        C 好的，加您了。
     """, captured={"wechat": "qingfeng_2088"}),
    chat("clinic-numbers", "2026-06-06 10:20:00", """
        V 植发怎么收费
        C 您好，您可以加我微信zhifa_xiaoqin，或者打19900008888。
        V 好 我加你了 zhifa_xiaoqin 对吧
        C 对的，脱发几年了？
     """),
    chat("refused-and-order", "2026-06-06 10:30:00", """
        V 订单号 19900001234567 怎么核销
        C 您好，到前台出示就行。方便留个电话吗？
        V 不留了
     """),
    chat("qq-given", "2026-06-06 10:40:00", """
        V 早泄怎么治
        C 您好，多久了？加个QQ细聊可以吗？
        V 扣扣990077123
        C 好的。
     """, captured={"qq": "990077123"}),
    chat("phone-corrected", "2026-06-06 10:50:00", """
        V 智齿疼
        C 您好，疼几天了？留个电话吧。
        V 199.0000.1122
        V 打错了 是199.0000.1123
        C 好的，记下了。
     """, captured={"phone": "19900001123"}, findings=[
        ("not_asked.social", None), ("not_invited", None), *OFFERS_MISSING,
     ]),
    chat("booking-changed", "2026-06-10 10:00:00", """
        V 洗牙能约明天吗
        C 您好，明天下午四点可以吗？
        V 四点不行 五点半呢
        C 可以的，给您约明天下午五点半。
        V 好的
        C 好的，恭候您。
     """, captured={"booking": "2026-06-11 17:30"}, findings=[
        ("not_asked.condition", None), ("not_asked.social", None), *OFFERS_MISSING,
     ]),
    chat("booking-next-week", "2026-06-10 10:00:00", """
        V 洗牙能约吗
        C 您好，可以的，您想哪天来？
        V 下礼拜五晚上七点有号吗
        C 有的，帮您留好了。
     """, captured={"booking": "2026-06-19 19:00"}),
    chat("booking-refused", "2026-06-10 10:00:00", """
        V 洗牙什么价
        C 您好，一百二。明天上午十点有空位，帮您约上？
        V 先不约 我再看看
     """),
    chat("booking-no-time", "2026-06-10 10:00:00", """
        V 洗牙什么价
        C 您好，一百二。您看周六方便吗？
        V 周六上午过去吧
        C 好的，周六见。
     """),
    chat("booking-called-off", "2026-06-10 10:00:00", """
        V 洗牙明天上午九点行吗
        C 可以的，给您约上了。
        V 算了 不约了 明天要出差
        C 好的，没关系。
     """),
    chat("booking-date-only-number", "2026-06-10 10:00:00", """
        V 15号下午2点能去洗牙不
        C 没问题，15号下午两点，已登记。
        V 谢谢
     """, captured={"booking": "2026-06-15 14:00"}),
]  # fmt: skip
