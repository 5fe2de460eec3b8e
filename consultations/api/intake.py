"""The consultation form, and the exams with their pictures."""

from typing import Any

import django_filters
from django.http import FileResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.fields import NothingIn
from accounts.api.filters import FilterSet
from accounts.api.problems import Problem
from accounts.api.views import Lists, Reads, Resource
from accounts.permissions import Permission
from consultations.api import intake_shapes as shapes
from consultations.images import content_type_of
from consultations.models import ConsultationForm, Exam, ExamFile, ExamKind
from consultations.services import exams
from consultations.services.forms import complete_form, save_answers, sheet_of, start_form

P = Permission

SIZES = ["full", "thumb"]
READING_FORM = (P.COORDINATE, P.READ_HANDOFF)
READING_EXAM = (P.CAPTURE_EXAM, P.READ_HANDOFF)


class FormFilters(FilterSet):
    visit = django_filters.NumberFilter()

    class Meta:
        model = ConsultationForm
        fields: list[str] = []


class Forms(Lists, Reads, Resource):
    """Consultation forms. The questions are those asked of this patient, in the account's language."""

    tag, scope = "Forms", "visits"
    access = dict.fromkeys(("list", "retrieve"), READING_FORM) | dict.fromkeys(
        ("create", "partial_update", "complete"), (P.COORDINATE,)
    )
    model = ConsultationForm
    serializer_class = shapes.FormOut
    serializers = {"create": shapes.StartIn, "partial_update": shapes.AnswersIn, "complete": shapes.CompleteIn}
    filterset_class = FormFilters
    if_match = ("complete",)
    held = {"partial_update": ("self",)}

    def rows(self) -> Any:
        return super().rows().select_related("template", "visit__patient", "visit__clinic")

    def create(self, request: Request) -> Response:
        """Begin the form of a visit; a second time answers with the first."""
        return self.made(start_form(by=self.user, **self.read(shapes.StartIn)))

    def partial_update(self, request: Request, pk: int) -> Response:
        """Answer questions: {"answers": {code: value}}; null empties one, what is left out stays."""
        form = self.found()
        sheet = sheet_of(form)
        sent = shapes.cleaned(sheet, self.read(shapes.AnswersIn)["answers"])
        return self.told(save_answers(form=form, sent=sent, seen={}, by=self.user))

    @action(detail=True, methods=["post"])
    def complete(self, request: Request, pk: int) -> Response:
        """Close the form; refused with the questions still open."""
        form = self.found()
        complete_form(form=form, by=self.user, **self.read(shapes.CompleteIn))
        return self.told(form)


class ExamKinds(Lists, Reads, Resource):
    """The exams the clinic does, with their prices."""

    tag, scope = "Exams", "visits"
    access = {"list": READING_EXAM, "retrieve": READING_EXAM}
    model = ExamKind
    serializer_class = shapes.ExamKindOut


class ExamFilters(FilterSet):
    visit = django_filters.NumberFilter()
    is_done = django_filters.BooleanFilter(field_name="done_at", lookup_expr="isnull", exclude=True)

    class Meta:
        model = Exam
        fields: list[str] = []


class Exams(Lists, Reads, Resource):
    """Exams ordered or done in visits, with their pictures."""

    tag, scope = "Exams", "visits"
    access = dict.fromkeys(("list", "retrieve"), READING_EXAM) | dict.fromkeys(
        ("create", "destroy", "done", "undone", "files"), (P.CAPTURE_EXAM,)
    )
    model = Exam
    serializer_class = shapes.ExamOut
    serializers = {
        "create": shapes.OrderIn, "done": NothingIn, "undone": NothingIn, "files": shapes.PictureIn,
    }  # fmt: skip
    filterset_class = ExamFilters

    def rows(self) -> Any:
        return super().rows().select_related("kind", "visit__clinic").prefetch_related("files")

    def create(self, request: Request) -> Response:
        """Order an exam for a visit; one that was ordered already is answered as it stands."""
        return self.made(exams.exam_for(by=self.user, **self.read(shapes.OrderIn)))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: int) -> Response:
        """Take an order back for which nothing was done."""
        exams.cancel_exam(exam=self.found(), by=self.user)
        return self.answer(status=204)

    @action(detail=True, methods=["post"])
    def done(self, request: Request, pk: int) -> Response:
        """The exam was done; its fee is fixed now."""
        exam = self.found()
        self.read(NothingIn)
        return self.told(exams.mark_done(exam=exam, by=self.user))

    @action(detail=True, methods=["post"])
    def undone(self, request: Request, pk: int) -> Response:
        """Take a done mark back that was set by mistake."""
        exam = self.found()
        self.read(NothingIn)
        return self.told(exams.unmark_done(exam=exam, by=self.user))

    @extend_schema(
        request={"multipart/form-data": shapes.PictureIn},
        responses={201: shapes.ExamFileOut},
        description="Add a picture (multipart/form-data: file, caption). It is re-encoded; the exam counts as done.",
    )
    @action(detail=True, methods=["post"], parser_classes=[MultiPartParser])
    def files(self, request: Request, pk: int) -> Response:
        """Add a picture."""
        exam, data = self.found(), self.read(shapes.PictureIn)
        made = exams.add_file(exam=exam, picture=data["file"], by=self.user, caption=data["caption"])
        return self.answer(shapes.ExamFileOut(made, context=self.serializer_context()).data, 201)


class Pictures(BaseRenderer):
    """Says that pictures may be asked for; they are streamed as they are stored."""

    media_type, format = "image/*", "picture"

    def render(self, data: Any, *args: Any, **kwargs: Any) -> Any:
        return JSONRenderer().render(data)


class ExamFileFilters(FilterSet):
    exam = django_filters.NumberFilter()
    visit = django_filters.NumberFilter(field_name="exam__visit")

    class Meta:
        model = ExamFile
        fields: list[str] = []


class ExamFiles(Lists, Reads, Resource):
    """Pictures of exams. What was taken out can be put back."""

    tag, scope = "Exams", "visits"
    access = dict.fromkeys(("list", "retrieve", "content"), READING_EXAM) | dict.fromkeys(
        ("partial_update", "destroy", "restore"), (P.CAPTURE_EXAM,)
    )
    model = ExamFile
    serializer_class = shapes.ExamFileOut
    serializers = {"partial_update": shapes.CaptionIn, "restore": NothingIn}
    filterset_class = ExamFileFilters
    held = {"partial_update": ("self",)}

    def rows(self) -> Any:
        rows = super().rows().select_related("exam__kind", "exam__visit__clinic")
        return rows if self.action == "restore" else rows.kept()

    def known_names(self) -> set[str]:
        return super().known_names() | ({"size"} if self.action == "content" else set())

    def partial_update(self, request: Request, pk: int) -> Response:
        """Name what a picture shows."""
        file = self.found()
        exams.set_caption(file=file, by=self.user, **self.read(shapes.CaptionIn))
        return self.told(file)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: int) -> Response:
        """Take a picture out, until the doctor was sent the handoff note."""
        exams.remove_file(file=self.found(), by=self.user)
        return self.answer(status=204)

    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: int) -> Response:
        """Put a picture back that was taken out."""
        file = self.found()
        self.read(NothingIn)
        exams.restore_file(file=file, by=self.user)
        return self.told(file)

    @extend_schema(
        parameters=[OpenApiParameter("size", OpenApiTypes.STR, enum=SIZES, description="Which size.")],
        responses={(200, "image/jpeg"): OpenApiResponse(OpenApiTypes.BINARY), (200, "image/png"): OpenApiTypes.BINARY},
        filters=False,
    )
    @action(detail=True, methods=["get"], renderer_classes=[JSONRenderer, Pictures])
    def content(self, request: Request, pk: int) -> FileResponse:
        """The picture itself; ?size=thumb for a small one."""
        file, size = self.found(), request.query_params.get("size", "full")
        if size not in SIZES:
            raise Problem("bad-request", errors={"size": [_("Unknown value.")]})
        stored = file.thumbnail if size == "thumb" else file.image
        return FileResponse(stored.open("rb"), content_type=content_type_of(str(stored.name)))
