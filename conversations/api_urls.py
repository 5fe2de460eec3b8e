"""Chats in the REST API."""

from accounts.api.routes import Router
from conversations.api.chats import Appeals, Conversations, Findings
from conversations.api.contacts import CapturedContacts

router = Router()
router.register("conversations", Conversations, "conversation")
router.register("captured-contacts", CapturedContacts, "captured-contact")
router.register("findings", Findings, "finding")
router.register("appeals", Appeals, "appeal")

urlpatterns = router.urls
