"""What chat systems call the columns of an export with one message a row."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from patients.importing.headers import IGNORED, header_key

FIELDS: dict[str, str | Promise] = {
    "conversation": _("Conversation"),
    "time": _("Time"),
    "sender": _("Who said it"),
    "role": _("Role of the sender"),
    "text": _("Text"),
    "kind": _("Kind of message"),
    "visitor": _("Visitor"),
    "consultant": _("Consultant"),
    "team": _("Team"),
    "channel": _("Channel"),
    "keyword": _("Keyword"),
    "cost": _("Cost"),
    "started": _("Start of the conversation"),
}
_NAMES: dict[str, str] = {
    "conversation": "会话ID 会话 会话号 会话编号 会话标识 对话ID 对话编号 对话号 对话标识 对话 聊天ID 聊天编号 聊天记录ID 咨询ID 咨询编号 咨询单号 "
    "商务通ID 记录编号 会话流水号 sessionid session chatid chat conversationid conversation convid dialogid dialogueid talkid",
    "time": "时间 消息时间 发送时间 发言时间 聊天时间 发布时间 说话时间 消息发送时间 日期时间 时间戳 发生时间 对话时间 记录时间 "
    "time at sentat timestamp datetime messagetime sendtime msgtime createdat date",
    "sender": "发送者 发送人 发言人 发言者 说话人 发送方名称 发送者名称 发送人姓名 昵称 消息发送人 发消息人 姓名 发送者昵称 "
    "sender sendername from fromname author speaker nickname who",
    "role": "角色 发送者角色 发送方 发送方类型 发送者类型 发送人类型 身份 发送者身份 消息方向 方向 发送方身份 说话方 用户类型 消息来源方 "
    "role senderrole sendertype fromtype direction side type_of_sender",
    "text": "内容 消息 消息内容 聊天内容 对话内容 发言内容 正文 文本 文字 话 说话内容 会话内容 记录内容 聊天记录 "
    "text content message messagetext body msg messagecontent",
    "kind": "消息类型 内容类型 类型 messagetype msgtype contenttype type",
    "visitor": "访客 访客名称 访客名 访客昵称 访客姓名 访客编号 访客ID 访客标识 客户 客户名称 客户昵称 客户ID 顾客 顾客名称 用户 用户昵称 用户ID "
    "患者 患者昵称 visitor visitorname visitorid guest customer customername client clientname user userid",
    "consultant": "客服 客服姓名 客服名称 客服昵称 客服人员 咨询师 咨询师姓名 咨询员 咨询顾问 在线咨询师 在线咨询 网络咨询 顾问 接待客服 接待人 "
    "接待人员 坐席 坐席姓名 座席 负责人 所属客服 首接客服 consultant agent agentname staff operator seat kefu",
    "team": "组 团队 组别 小组 分组 部门 所属组 所属团队 所在组 客服组 咨询组 项目组 技能组 接待组 客服分组 团队名称 team group department dept teamname",
    "channel": "渠道 来源 来源渠道 渠道来源 访客来源 推广渠道 来源平台 平台 媒体 推广平台 来源网站 流量来源 账户 推广账户 渠道名称 "
    "channel source platform media utmsource",
    "keyword": "关键词 搜索词 关键字 搜索关键词 竞价词 来源关键词 搜索词语 检索词 触发关键词 搜索字词 推广关键词 keyword keywords searchterm query utmterm",
    "cost": "费用 成本 消费 花费 对话成本 会话成本 点击费用 点击成本 推广费用 推广成本 单次成本 单价 金额 消耗 对话费用 咨询成本 "
    "cost price spend fee expense",
    "started": "开始时间 会话开始时间 对话开始时间 会话时间 进线时间 接入时间 咨询时间 访问时间 会话创建时间 startedat starttime start begintime startat",
    IGNORED: "序号 序 行号 消息ID 消息编号 消息序号 结束时间 会话结束时间 会话时长 时长 状态 会话状态 备注 标签 地区 省份 城市 IP IP地址 着陆页 "
    "访问页面 设备 浏览器 评价 满意度 no id messageid msgid endedat endtime status note remark ip city province",
}
CHAT_COLUMNS: dict[str, str] = {header_key(name): field for field in reversed(_NAMES) for name in _NAMES[field].split()}
