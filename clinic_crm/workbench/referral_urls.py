"""Routes of referrals: who brought whom, and the thanks for it."""

from django.urls import path

from clinic_crm.workbench import referrals
from patients.views.public import referral_public

urlpatterns = [
    path("referrals/", referrals.referral_list, name="referral_list"),
    path("referrals/thanks/<int:pk>/", referrals.thanks_give, name="thanks_give"),
    path("referrals/thanks/<int:pk>/undo/", referrals.thanks_undo, name="thanks_undo"),
    path("patients/<int:pk>/referral/", referrals.patient_referral, name="patient_referral"),
    path("patients/<int:pk>/referral/code/", referrals.patient_referral_code, name="patient_referral_code"),
    path("r/<slug:code>/", referral_public, name="referral_public"),
]
