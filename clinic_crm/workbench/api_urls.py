"""Routes of classes, referrals and the bulk read in the API."""

from django.urls import path

from accounts.api.routes import Router, declare
from clinic_crm.workbench.api import Classes, PatientWechat, Referrals
from clinic_crm.workbench.bulk import Bulk, Datasets

router = Router()
router.register("classes", Classes, "class")
router.register("referrals", Referrals, "referral")
urlpatterns = [
    *router.urls,
    declare(path("patients/<int:pk>/wechat/", PatientWechat.as_view({"post": "wechat"}), name="api_patient-wechat")),
    declare(
        path(
            "patients/<int:pk>/wechat/undo/",
            PatientWechat.as_view({"post": "undo_wechat"}),
            name="api_patient-undo-wechat",
        )
    ),
    declare(path("bulk/", Datasets.as_view(), name="api_bulk_list")),
    declare(path("bulk/<slug:name>/", Bulk.as_view(), name="api_bulk")),
]
