"""What the clinic wants of its figures, what they were, and how etiquette was scored."""

from metrics.models.digests import DigestSubscription
from metrics.models.etiquette import EtiquetteInspection, EtiquetteRubric, InspectionRecording
from metrics.models.snapshots import Snapshot, SnapshotFigure
from metrics.models.standing import Standing
from metrics.models.targets import KpiTarget

__all__ = [
    "DigestSubscription",
    "EtiquetteInspection",
    "EtiquetteRubric",
    "InspectionRecording",
    "KpiTarget",
    "Snapshot",
    "SnapshotFigure",
    "Standing",
]
