"""What the audit log calls its actions and facts. An action without a name here fails a test."""

from django.utils.translation import gettext_lazy as _

ACTIONS = {
    # staff
    "clinic_created": _("Clinic opened"),
    "clinic_edited": _("Clinic changed"),
    "team_created": _("Team created"),
    "team_renamed": _("Team renamed"),
    "team_deleted": _("Team dissolved"),
    "member_added": _("Staff member added"),
    "member_disabled": _("Staff member disabled"),
    "member_enabled": _("Staff member enabled"),
    "role_changed": _("Role changed"),
    "team_changed": _("Team changed"),
    "renamed": _("Name corrected"),
    "invitation_issued": _("Invitation link made"),
    "invitation_accepted": _("Invitation accepted"),
    "password_changed": _("Password changed"),
    # patients
    "registered_in_clinic": _("Registered in this clinic"),
    "patient_edited": _("Patient changed"),
    "contact_revealed": _("Contact opened"),
    "patients_exported": _("Patients exported"),
    "import_patients": _("Patients imported"),
    "download_rejected": _("Rejected rows downloaded"),
    "patient_filled_from_form": _("Patient filled in from the form"),
    "referral_linked": _("Referral recorded"),
    "wechat_linked": _("WeChat linked"),
    # visits
    "checkout_undone": _("Checkout step undone"),
    "exam_file_removed": _("Exam file removed"),
    "exam_kind_saved": _("Examination changed"),
    "question_set_saved": _("Consultation form changed"),
    "script_saved": _("Script changed"),
    "script_deleted": _("Script deleted"),
    "scripts_reset": _("Scripts reset to the built-in ones"),
}

FACTS = {
    "was": _("before"),
    "now": _("after"),
    "name": _("name"),
    "username": _("username"),
    "role": _("role"),
    "reason": _("reason"),
    "rows": _("rows"),
    "file": _("file"),
    "kind": _("kind"),
}


def action_name(code: str) -> str:
    """Return what the action is called, the code itself if it has no name."""
    return str(ACTIONS.get(code, code))


def fact_name(key: str) -> str:
    """Return what a detail is called."""
    return str(FACTS.get(key, key))
