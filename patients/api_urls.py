"""Routes of patients in the API."""

from accounts.api.routes import Router
from patients.api.patients import Patients
from patients.api.records import Care, Registrations

router = Router()
router.register("patients", Patients, "patient")
router.register("registrations", Registrations, "registration")
router.register("care", Care, "care")
urlpatterns = router.urls
