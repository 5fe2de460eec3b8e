"""Which channel (渠道) the words of a file's source column mean."""

from functools import lru_cache

from patients.models.registration import Channel

# The first that occurs in the text decides; so the more special ones come first.
_WORDS: tuple[tuple[Channel, str], ...] = (
    (Channel.STAFF, "员工 内部 职工 家属推荐"),
    (Channel.REFERRAL, "老客户 老顾客 老患者 介绍 推荐 老带新 转介 朋友带 口碑"),
    (Channel.ONLINE_CHAT, "网络咨询 在线咨询 网咨 商务通 快商通 客服咨询 官网"),
    (Channel.DIANPING, "点评 美团"),
    (Channel.DOUYIN, "抖音 快手 直播"),
    (Channel.XIAOHONGSHU, "小红书 红书"),
    (Channel.WECHAT, "公众号 微信 朋友圈 视频号 企微"),
    (Channel.SEARCH, "百度 搜索 360 搜狗 必应 竞价 高德 地图 网站 谷歌"),
    (Channel.COMPANY, "企业 单位 公司 团检 体检"),
    (Channel.ACTIVITY, "义诊 活动 讲座 社区 地推 展会 进校"),
    (Channel.WALK_IN, "路过 自然到访 上门 自来 附近 门头 招牌 周边"),
)


@lru_cache(maxsize=2048)
def channel_of(text: str) -> str:
    """Return the channel's code, "other" for words that mean none of them, "" for no words."""
    if not text:
        return ""
    meant = (channel for channel, words in _WORDS if any(word in text for word in words.split()))
    return next(meant, Channel.OTHER).value
