"""Recordings of inspections: adding one, and playing it."""

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.access import StaffRequest, requires
from accounts.models import Clinic
from accounts.permissions import Permission
from metrics.forms import read_recordings
from metrics.models import InspectionRecording
from metrics.services.etiquette_recordings import Span, keep, pieces, span_of
from metrics.views.etiquette import get_inspection, inspection_context


@requires(Permission.INSPECT_ETIQUETTE)
@require_POST
def etiquette_recording_add(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponse:
    """Keep recordings with a score that was made already."""
    row = get_inspection(request, clinic, pk)
    recordings, wrong = read_recordings(request.FILES.getlist("recordings"))
    if not recordings and not wrong:
        wrong = [_("Choose a recording.")]
    if wrong:
        context = inspection_context(request, clinic, row, tuple(wrong))
        return render(request, "metrics/etiquette_inspection.html", context, status=422)
    for recording in recordings:
        keep(inspection=row, recording=recording, by=request.user)
    messages.success(request, _("Recording kept"))
    return redirect("etiquette_inspection", row.pk)


@requires(Permission.SIGNED_IN)
@require_GET
def etiquette_recording(request: StaffRequest, clinic: Clinic, pk: int) -> HttpResponseBase:
    """One recording, whole or the piece that a Range header asks for; for managers and the person inspected."""
    rows = InspectionRecording.objects.for_user(request.user).for_clinic(clinic).select_related("inspection")
    row: InspectionRecording = get_object_or_404(rows, pk=pk)
    if row.inspection.staff_id != request.user.pk and not request.user.may(Permission.INSPECT_ETIQUETTE, clinic):
        raise Http404
    try:
        span = span_of(request.headers.get("Range", ""), row.size)
    except ValueError:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{row.size}"})
    try:
        file = row.audio.open("rb")
    except FileNotFoundError:
        raise Http404
    part = span or Span(0, row.size - 1)
    response = StreamingHttpResponse(pieces(file, part), content_type=row.content_type, status=206 if span else 200)
    if span:
        response["Content-Range"] = f"bytes {part.first}-{part.last}/{row.size}"
    extension = str(row.audio.name).rpartition(".")[2]
    response["Content-Length"] = str(part.length)
    response["Content-Disposition"] = f'inline; filename="recording-{row.pk}.{extension}"'
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response
