"""Routes of the account, its clinics and their staff in the API."""

from django.urls import path

from accounts.api.resources import Clinics, Me, Staff
from accounts.api.routes import Router, declare

router = Router()
router.register("clinics", Clinics, "clinic")
router.register("staff", Staff, "staff")
urlpatterns = [declare(path("me/", Me.as_view(), name="api_me")), *router.urls]
