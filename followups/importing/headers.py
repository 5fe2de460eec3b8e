"""What clinic systems call the columns of an appointment list.

Written as the table of the patient list is: alternatives stand between bars (an empty one first: the part may
be missing), parts between pluses, and words in capitals stand for the lists above.
"""

from collections.abc import Iterator
from itertools import product

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from patients.importing.headers import IGNORED, PATIENT_COLUMNS, header_key

# What a column may hold: field → its name on the page.
FIELDS: dict[str, str | Promise] = {
    "number": _("Appointment number"),
    "chart_number": _("Card number"),
    "name": _("Name"),
    "phone": _("Phone numbers"),
    "day": _("Day"),
    "start": _("Start"),
    "end": _("End"),
    "doctor": _("Doctor"),
    "room": _("Room"),
    "kind": _("Kind"),
    "status": _("Status"),
    "why_not": _("Why not"),
    "note": _("Note"),
}
_LISTS = {
    "BOOKING": "|预约|就诊|到诊|来院|到院|来诊|接诊|看诊|诊疗|治疗|复诊|计划|约诊|预约就诊|安排|门诊|应诊|排班|挂号|服务|到店",
    "ROOM": "诊室|牙椅|椅位|诊位|房间|治疗室|诊间|椅号|台位|牙椅号|诊室名称|诊室号|椅位号|诊疗室|房间号|牙位椅|治疗椅|牙科椅|牙椅位",
}

_NAMES: dict[str, str] = {
    "number": """
        预约|约诊|就诊预约|挂号|订单|单据|记录|流水|约单 + 编号|号|单号|id|编码|流水号|序号|记录号|代码|号码
        流水号|单号|订单号|单据号|工单号|预约记录编号|预约单编号|预约id号
        appointmentno|appointmentid|appointmentnumber|apptno|apptid|appointment|bookingid|bookingno|bookingnumber
        reservationid|reservationno|orderno|visitid
    """,
    "day": """
        BOOKING + 日期|日|日子|年月日|的日期
        日期|哪天|预约到诊日期|预约日期年月日
        date|day|appointmentdate|apptdate|bookingdate|visitdate|scheduleddate
    """,
    "start": """
        BOOKING + 时间|时段|时刻|开始时间|起始时间|开始|开始时刻|时间起|时间开始|时间从|开始点|起|钟点|起时间
        开始|起始|起|从|时间起|几点|开始钟点|起止时间起|几点开始
        start|starttime|startat|begin|begintime|from|time|appointmenttime|appttime|timefrom|fromtime|startsat
    """,
    "end": """
        BOOKING + 结束时间|终止时间|截止时间|完成时间|结束|结束时刻|时间止|时间结束|时间到|结束点|止|止时间
        结束|截止|终止|止|终|到|至|时间止|几点结束|预计结束|预计结束时间|预计完成时间|离开时间
        end|endtime|endat|finish|finishtime|to|until|timeto|totime|endsat
    """,
    "doctor": """
        BOOKING + 医生|医师|大夫|专家|牙医|医生姓名|医师姓名
        出诊|操作|主诊 + 医生|医师
        主治|主诊|provider|doctor|dentist|doctorname|physician|clinician
    """,
    "room": """
        BOOKING + ROOM
        机位|治疗床|手术室|工位|就诊室
        room|chair|operatory|roomno|chairno|roomname|surgery|unit
    """,
    "kind": """
        BOOKING + 类型|类别|项目|种类|事项|内容|性质|目的|分类|原因|业务
        类型|项目|事项|类别|诊疗类型|初复诊|初诊复诊|初/复诊|预约治疗项目|预约的项目
        type|kind|appointmenttype|service|procedure|reason|treatment|appttype
    """,
    "status": """
        BOOKING + 状态|情况|结果|到诊状态|履约状态|履约情况|到诊情况|是否到诊|是否到院
        到访状态|到店状态
        状态|到诊与否|是否已到|当前状态|是否到诊|是否到院|预约单状态|履约
        status|state|appointmentstatus|apptstatus|outcome|attendance
    """,
    "why_not": """
        取消|未到|爽约|改约|失约|退约|未到诊|取消预约|改期|取消或改约|未就诊|未来|取消/改约|取消改约|未履约|变更 + 原因|理由|说明|备注
        取消/爽约 + 原因|理由
        cancelreason|cancellationreason|reasonforcancellation|canceledreason|cancelledreason|noshowreason
    """,
    "note": """
        BOOKING + 备注|说明|备注信息|留言|嘱咐|提示|要求
        备注|说明|特殊要求|注意事项|备注说明|医嘱|提醒
        note|notes|remark|remarks|comment|comments|memo
    """,
    IGNORED: """
        BOOKING + 来源|渠道|方式|人|员|途径|提交时间|登记人|创建时间|登记时间|操作人|操作时间|操作员
        时长|预约时长|时长分钟|分钟|duration|minutes|length|createdat|createdby|来源|渠道|科室|门店|分院|clinic|department
    """,
}
# In a list of appointments a bare 编号 is the patient's, unless another column has the card number already.
_EITHER = ("编号", "编码", "代码", "序列号", "ID", "ID号")
# Columns of a patient list that say who the patient is; the others are known too, and hold nothing of use here.
_FROM_PATIENTS = frozenset({"name", "phone", "chart_number", "note"})


def _names(field: str) -> Iterator[str]:
    for line in _NAMES[field].split("\n"):
        parts = [_LISTS.get(part.strip(), part.strip()).split("|") for part in line.split("+")]
        yield from map("".join, product(*parts))


APPOINTMENT_COLUMNS: dict[str, str] = {
    **{key: field if field in _FROM_PATIENTS else IGNORED for key, field in PATIENT_COLUMNS.items()},
    **{key: "doctor" for key, field in PATIENT_COLUMNS.items() if field == "doctor"},
    **{key: field for field in reversed(_NAMES) for name in _names(field) if (key := header_key(name))},
    **dict.fromkeys(map(header_key, _EITHER), "chart_number|number"),
    header_key("就诊人"): "name",  # not who made the booking
}
