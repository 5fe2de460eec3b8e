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
    "calendar_feed_made": _("Calendar link made"),
    "calendar_feed_revoked": _("Calendar link revoked"),
    "password_changed": _("Password changed"),
    "kpi_target_set": _("Target of a key figure set"),
    # patients
    "registered_in_clinic": _("Registered in this clinic"),
    "patient_edited": _("Patient changed"),
    "contact_revealed": _("Contact opened"),
    "patients_exported": _("Patients exported"),
    "import_patients": _("Patients imported"),
    "material_saved": _("Reading saved"),
    "campaign_submitted": _("Campaign submitted"),
    "campaign_approved": _("Campaign approved"),
    "campaign_sent_back": _("Campaign sent back"),
    "campaign_stopped": _("Campaign stopped"),
    "import_appointments": _("Appointments imported"),
    "download_rejected": _("Rejected rows downloaded"),
    "patient_filled_from_form": _("Patient filled in from the form"),
    "referral_linked": _("Referral recorded"),
    "wechat_linked": _("WeChat linked"),
    "class_audit_drawn": _("Class audit drawn"),
    "patients_merged": _("Records merged"),
    "merge_undone": _("Merge undone"),
    "rights_report": _("Report of a patient's data made"),
    "patient_erased": _("Patient's data erased on request"),
    # calendar
    "hours_saved": _("Working hours changed"),
    "absence_added": _("Absence added"),
    "absence_deleted": _("Absence deleted"),
    "calendar_settings_saved": _("Calendar settings changed"),
    "room_saved": _("Room changed"),
    "room_opened": _("Room opened"),
    "room_closed": _("Room closed"),
    # tasks
    "playbook_saved": _("Playbook changed"),
    "tasks_handed_over": _("Tasks handed over"),
    "hand_over_undone": _("Handing over undone"),
    # key figures
    "kpis_exported": _("Key figures exported"),
    # messages
    "message_template_saved": _("Message text changed"),
    "message_template_reset": _("Message text reset to the built-in one"),
    "messaging_settings_saved": _("Message settings changed"),
    "sender_saved": _("Sender changed"),
    "opted_out": _("Messages stopped by the patient"),
    # complaints and referrals
    "complaint_contact_shown": _("Number left with a complaint shown"),
    "public_link_made": _("Public link made"),
    "public_link_revoked": _("Public link revoked"),
    "thanks_given": _("Thanks given for a referral"),
    # chats
    "import_conversations": _("Chats imported"),
    "consultant_linked": _("Name in the chats linked"),
    "capture_taken_over": _("Captured contact taken over"),
    "capture_undone": _("Taking over undone"),
    "capture_corrected": _("Captured contact corrected"),
    "captured_contact_revealed": _("Captured contact shown"),
    "chat_webhook_made": _("Webhook for chats made"),
    "chat_webhook_rotated": _("Webhook for chats given a new address and secret"),
    "chat_webhook_secret_shown": _("Secret of the webhook for chats shown"),
    "chat_webhook_ended": _("Webhook for chats closed"),
    # visits
    "checkout_undone": _("Checkout step undone"),
    "exam_file_removed": _("Exam file removed"),
    "exam_kind_saved": _("Examination changed"),
    "question_set_saved": _("Consultation form changed"),
    "etiquette_inspected": _("Etiquette inspected"),
    "etiquette_rubric_saved": _("Etiquette rubric changed"),
    "refunded": _("Refund recorded"),
    "visit_entered_in_error": _("Visit marked as entered in error"),
    "refund_taken_back": _("Refund taken back"),
    "script_saved": _("Script changed"),
    "script_deleted": _("Script deleted"),
    "scripts_reset": _("Scripts reset to the built-in ones"),
    # reading chats
    "chat_contacts_opened": _("Numbers in a chat opened"),
    "chat_self_checked": _("Own chat checked"),
    "chat_coached": _("Coaching note written"),
    "chat_scored": _("Chat scored"),
    "chats_exported": _("Chats exported"),
    "chat_report_exported": _("Report on chats exported"),
    "finding_added": _("Finding in a chat added"),
    "finding_withdrawn": _("Finding in a chat withdrawn"),
    "finding_appealed": _("Finding in a chat appealed"),
    "appeal_answered": _("Appeal answered"),
    "chat_rules_saved": _("Rules for chats changed"),
    "chat_rubric_saved": _("Rubric for chats changed"),
    "front_scored": _("WeChat and QQ front scored"),
}

FACTS = {
    "table": _("table"),
    "was": _("before"),
    "now": _("after"),
    "name": _("name"),
    "username": _("username"),
    "role": _("role"),
    "reason": _("reason"),
    "amount": _("amount"),
    "in_full": _("in full"),
    "rows": _("rows"),
    "cost": _("cost"),
    "file": _("file"),
    "kind": _("kind"),
    "words": _("words"),
    "channel": _("channel"),
    "merged": _("merged record"),
    "provider": _("provider"),
    "code": _("what"),
    "upheld": _("upheld"),
    "version": _("version"),
}


def action_name(code: str) -> str:
    """Return what the action is called, the code itself if it has no name."""
    return str(ACTIONS.get(code, code))


def fact_name(key: str) -> str:
    """Return what a detail is called."""
    return str(FACTS.get(key, key))
