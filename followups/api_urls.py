"""Appointments, tasks and messages in the REST API."""

from django.urls import path

from accounts.api.routes import Router, declare
from followups.api.appointments import Appointments, FreeSlots, Rooms
from followups.api.complaints import Complaints
from followups.api.consents import Consents
from followups.api.handing_over import HandOver, HandOverUndo
from followups.api.hooks import Deliveries, Hooks
from followups.api.tasks import Contacts, Messages, Tasks
from followups.api.waiting import Waiting

router = Router()
router.register("rooms", Rooms, "room")
router.register("appointments", Appointments, "appointment")
router.register("waiting", Waiting, "waiting")
router.register("tasks", Tasks, "task")
router.register("contacts", Contacts, "contact")
router.register("webhooks", Hooks, "hook")
router.register("webhook-deliveries", Deliveries, "hook_delivery")
router.register("messages", Messages, "message")
router.register("complaints", Complaints, "complaint")
router.register("consents", Consents, "consent")

urlpatterns = [
    *router.urls,
    declare(path("free-slots/", FreeSlots.as_view(), name="api_free_slots")),
    declare(path("tasks/hand-over/", HandOver.as_view(), name="api_hand_over")),
    declare(path("tasks/hand-over/<slug:batch>/undo/", HandOverUndo.as_view(), name="api_hand_over_undo")),
]
