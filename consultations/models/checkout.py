"""What must be done before a patient leaves, and who let something go."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from consultations.models.visit import Visit, VisitOwnedQuerySet


class CheckoutItem(models.Model):
    """One line of the checkout of a visit, done or waived (rules in consultations.checkout)."""

    class Code(models.TextChoices):
        CLASSIFICATION = "classification", _("classification")
        NEXT_APPOINTMENT = "next_appointment", _("next appointment")
        WECHAT = "wechat", _("WeChat")
        TBI = "tbi", _("brushing instruction (TBI)")
        WHOLE_MOUTH = "whole_mouth", _("treatment of the whole mouth explained")
        PREVENTION = "prevention", _("prevention product or membership offered")
        BASIC_ITEM = "basic_item", _("kept with a basic item")
        VIP = "vip", _("VIP care")
        DISCOUNT = "discount", _("every possible discount")
        RECHECK_PLAN = "recheck_plan", _("recheck planned with the doctor")
        WORD_OF_MOUTH = "word_of_mouth", _("word of mouth asked for")

    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="checkout_items")
    code = models.CharField(max_length=20, choices=Code.choices)
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    outcome = models.CharField(max_length=40, blank=True)  # moments, friends, dianping, declined, offered …
    note = models.CharField(max_length=200, blank=True)
    waiver_reason = models.CharField(_("reason"), max_length=300, blank=True)
    waiver_asked_at = models.DateTimeField(null=True)
    waiver_asked_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    waived_at = models.DateTimeField(null=True)
    waived_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    refused_at = models.DateTimeField(null=True)  # the manager said no

    objects = VisitOwnedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["visit", "code"], name="checkout_item_once"),
            models.CheckConstraint(
                condition=models.Q(waived_at=None) | ~models.Q(waiver_reason=""), name="waiver_has_reason"
            ),
        ]
        indexes = [
            models.Index(
                fields=["waiver_asked_at"],
                condition=models.Q(waived_at=None, refused_at=None, waiver_asked_at__isnull=False),
                name="waivers_waiting",  # the manager's list
            )
        ]
        verbose_name = _("checkout item")
        verbose_name_plural = _("checkout items")

    def __str__(self) -> str:
        return self.get_code_display()
