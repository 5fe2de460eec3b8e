"""Writes about patients."""

from patients.services.classes import classify
from patients.services.contact import link_wechat
from patients.services.referrals import link_referral, mark_referral_effective

__all__ = ["classify", "link_referral", "link_wechat", "mark_referral_effective"]
