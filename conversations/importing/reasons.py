"""Why a row was left out, or what was odd about a chat that was taken in."""

from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Reason(StrEnum):
    """The first six leave a row out; the others are warnings."""

    BAD_ROW = "bad_row"
    MISSING_CONVERSATION = "missing_conversation"
    NO_SPEAKER = "no_speaker"
    BAD_CONVERSATION = "bad_conversation"
    NO_MESSAGES = "no_messages"
    TOO_LONG = "too_long"

    BAD_BYTES = "bad_bytes"
    BAD_TIME = "bad_time"
    NO_TIME = "no_time"
    FUTURE_TIME = "future_time"
    OUT_OF_ORDER = "out_of_order"
    ONE_SIDED = "one_sided"
    EMPTY_MESSAGE = "empty_message"
    CUT_TEXT = "cut_text"
    BAD_COST = "bad_cost"
    DUPLICATE = "duplicate_in_file"
    SHORTER = "shorter_than_known"
    UNKNOWN_CONSULTANT = "unknown_consultant"
    UNKNOWN_TEAM = "unknown_team"


REASON_TEXTS: dict[str, str | Promise] = {
    Reason.BAD_ROW: _("The row cannot be read: damaged, or not as wide as the header"),
    Reason.MISSING_CONVERSATION: _("No conversation is named"),
    Reason.NO_SPEAKER: _("Nobody is named who said it"),
    Reason.BAD_CONVERSATION: _("The conversation is not built as expected"),
    Reason.NO_MESSAGES: _("The conversation has no messages"),
    Reason.TOO_LONG: _("The conversation has more messages than can be imported"),
    Reason.BAD_BYTES: _("Some characters were unreadable and were replaced"),
    Reason.BAD_TIME: _("A time is unreadable; the message is kept without it"),
    Reason.NO_TIME: _("Messages without a time"),
    Reason.FUTURE_TIME: _("A time lies in the future"),
    Reason.OUT_OF_ORDER: _("Messages were out of order and were sorted by time"),
    Reason.ONE_SIDED: _("Only one side wrote"),
    Reason.EMPTY_MESSAGE: _("Empty messages were left out"),
    Reason.CUT_TEXT: _("A very long message was cut"),
    Reason.BAD_COST: _("The cost is unreadable and was left empty"),
    Reason.DUPLICATE: _("The conversation stands in the file more than once; the longest is kept"),
    Reason.SHORTER: _("A longer version of the conversation is here already and stays"),
    Reason.UNKNOWN_CONSULTANT: _("The consultant is not known here by this name"),
    Reason.UNKNOWN_TEAM: _("The team is not known here by this name"),
}
