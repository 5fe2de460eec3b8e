"""What a visit's services refuse, in words for the person."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from accounts.models import User
from consultations.models import Visit
from consultations.stages import Missing


class VisitError(Exception):
    """A refusal with a message for the person; nothing was written."""

    @property
    def message(self) -> str:
        return str(self)


class StageConflict(VisitError):
    """Somebody else moved the visit meanwhile (HTTP 409)."""

    def __init__(self, visit: Visit, by: User | None) -> None:
        self.visit = visit
        self.by = by
        super().__init__(
            _("%(who)s moved this visit to “%(stage)s” meanwhile.")
            % {"who": by or _("Somebody"), "stage": visit.get_stage_display()}
        )


class MoveRefused(VisitError):
    """The step is not open yet: `missing` says what it lacks (HTTP 422)."""

    def __init__(self, missing: Iterable[Missing], *, comes_next: str | None = None) -> None:
        self.missing = tuple(missing)
        self.comes_next = comes_next  # the stage that follows from where the visit stands
        words = _(", ").join(str(m.label) for m in self.missing)
        super().__init__(_("Still missing: %(what)s") % {"what": words})


class AlreadyHere(VisitError):
    """The patient already has an open visit in this clinic (HTTP 409)."""

    def __init__(self, visit: Visit) -> None:
        self.visit = visit
        super().__init__(
            _("%(patient)s is here already: %(stage)s.")
            % {"patient": visit.patient, "stage": visit.get_stage_display()}
        )


class Refused(VisitError):
    """Any other rule that was not kept; the message says which (HTTP 422), `missing` the codes of what is open."""

    def __init__(self, words: str, *, missing: Iterable[str] = ()) -> None:
        self.missing = tuple(missing)
        super().__init__(words)
