"""Settings of the API's libraries; `settings.py` takes them over as they stand here."""

from datetime import timedelta
from typing import Any

KNOX_TOKEN_MODEL = "accounts.ApiToken"  # noqa: S105 - the name of a model
REST_KNOX: dict[str, Any] = {"TOKEN_PREFIX": "crm_", "TOKEN_TTL": timedelta(days=365)}  # the prefix: leaks are found

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.authentication.Token",
        "accounts.api.authentication.Session",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.api.permissions.Declared"],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.api.throttling.PerToken"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["accounts.api.parsing.Json"],
    "DEFAULT_FILTER_BACKENDS": ["accounts.api.filters.Filters"],
    "DEFAULT_PAGINATION_CLASS": "accounts.api.paging.Keyset",
    "DEFAULT_SCHEMA_CLASS": "accounts.api.schema.Schema",
    "EXCEPTION_HANDLER": "clinic_crm.api_errors.answer",
    "URL_FORMAT_OVERRIDE": None,
}

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "OAS_VERSION": "3.1.0",
    "TITLE": "Clinic CRM",
    "VERSION": "1",
    "DESCRIPTION": (
        "What people do on the pages, for other programs: the same rules, the same permissions.\n\n"
        "- **Who asks:** `Authorization: Token crm_…`; `X-Clinic` names the clinic, where one works in several.\n"
        "- **Errors:** `application/problem+json` (RFC 9457); `type` is an address that explains it.\n"
        "- **Lists:** `results`, and `next`, the address of the following page; an unknown parameter is refused.\n"
        "- **Changes:** `If-Match` with the `ETag` that was read: 428 without it, 412 when somebody was faster.\n"
        "- **Once only:** give each POST an `Idempotency-Key`; the same again gets the stored answer for 24 hours.\n"
        "- **Values:** amounts are text with two places, in yuan; times are ISO 8601 with an offset."
    ),
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "SORT_OPERATIONS": True,
    "ENUM_NAME_OVERRIDES": {  # choices that several fields share, or that share a field's name
        "Role": "accounts.permissions.Role",
        "Stage": "consultations.stages.Stage",
        "FormKind": "consultations.models.FormTemplate.Kind",
        "FindingKind": "consultations.models.ToothFinding.Kind",
        "ConsultationStatus": "consultations.models.Consultation.Status",
        "CapturedContactKind": "conversations.models.CapturedContact.Kind",
        "AppointmentKind": "followups.models.Appointment.Kind",
        "CancelledOutcome": "followups.api.appointments.CANCELLED",
        "AppointmentStatus": "followups.models.Appointment.Status",
        "TaskKind": "followups.models.TaskKind",
        "TaskStatus": "followups.models.Task.Status",
        "ContactChannel": "followups.models.ContactChannel",
        "ContactOutcome": "followups.models.ContactOutcome",
        "MessageChannel": "followups.models.messages.MessageChannel",
        "MessageState": "followups.models.Message.State",
        "MessagePurpose": "followups.models.messages.MessagePurpose",
        "ConsentPurpose": "patients.models.history.ConsentPurpose",
        "PatientClass": "patients.classification.PatientClass",
        "PatientChannel": "patients.models.Channel",
        "CareKind": "patients.models.CareAction.Kind",
        "ComplaintOutcome": "patients.models.ComplaintCase.Outcome",
        "CheckoutCode": "consultations.models.CheckoutItem.Code",
        "HookEvent": "followups.models.HookEvent",
    },
    "PREPROCESSING_HOOKS": ["accounts.api.schema.only_v1"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "accounts.api.schema.with_problems",
    ],
}
