"""What a merge changed of the facts that key figures count, as ids and times, so that the figures of a past moment
can be told as they were then, also after an erasure took the journal away."""

from typing import Any

TABLES = {  # (table, column) → under which name its moved rows are kept
    ("consultations_visit", "patient_id"): "visit",
    ("consultations_consultation", "patient_id"): "consultation",
    ("followups_appointment", "patient_id"): "appointment",
    ("patients_classchange", "patient_id"): "class",
    ("patients_complaintcase", "patient_id"): "complaint",
    ("patients_referral", "referrer_id"): "referrer",
    ("patients_referral", "referred_id"): "referred",
}
REFERRAL = "patients_referral"
KEPT = ("id", "clinic_id", "referrer_id", "referred_id", "effective_at", "created_at")


def moved(journal: dict[str, list[Any]], *, winner: int) -> dict[str, Any]:
    """Return the part of a merge's journal that figures of before need: moved rows by kind, referrals that were
    dropped or became effective earlier, and the winner's WeChat link before and after."""
    found: dict[str, Any] = {}
    for table, pk, changes in journal["changed"]:
        for column in changes:
            if name := TABLES.get((table, column)):
                found.setdefault(name, []).append(pk)
        if table == REFERRAL and "effective_at" in changes:
            found.setdefault("effective", {})[str(pk)] = changes["effective_at"]
        if table == "patients_patient" and pk == winner:
            told = {name: changes[name] for name in ("wechat_linked_at", "wechat_linked_guardian") if name in changes}
            if told:
                found["wechat"] = told
    dropped = [[row.get(name) for name in KEPT] for table, row in journal["removed"] if table == REFERRAL]
    return found | ({"dropped": dropped} if dropped else {})
