"""Routes of signing in, staff, clinics and the audit log. Of allauth only what is used here is routed."""

from allauth.account import views as allauth_views
from allauth.mfa.base import views as mfa_views
from django.urls import path

from accounts.views import api, audit, clinics, me, security, staff, teams, tokens

urlpatterns = [
    path("sign-in/", allauth_views.login, name="account_login"),
    path("sign-in/code/", mfa_views.authenticate, name="mfa_authenticate"),
    path("sign-in/again/", allauth_views.reauthenticate, name="account_reauthenticate"),
    path("sign-in/again/code/", mfa_views.reauthenticate, name="mfa_reauthenticate"),
    path("sign-out/", allauth_views.logout, name="account_logout"),
    path("password/", allauth_views.password_change, name="account_change_password"),
    path("invitation/<str:uid>/<str:token>/", me.invitation, name="invitation"),
    path("me/language/", me.switch_language, name="switch_language"),
    path("me/theme/", me.switch_theme, name="switch_theme"),
    path("me/clinic/", me.switch_clinic, name="switch_clinic"),
    path("me/security/", security.security, name="security"),
    path("me/security/app/", security.second_step_set_up, name="second_step_set_up"),
    path("me/security/app/off/", security.second_step_off, name="second_step_off"),
    path("me/security/codes/", security.second_step_codes, name="second_step_codes"),
    path("me/security/sessions/end/", security.sessions_end_others, name="sessions_end_others"),
    path("me/security/sessions/<int:pk>/end/", security.session_end, name="session_end"),
    path("me/api/", tokens.api_access, name="api_access"),
    path("me/api/<int:pk>/revoke/", tokens.token_revoke, name="token_revoke"),
    path("staff/programs/", tokens.service_accounts, name="service_accounts"),
    path("staff/programs/<int:pk>/", tokens.service_account, name="service_account"),
    path("staff/", staff.staff_list, name="staff_list"),
    path("staff/new/", staff.staff_invite, name="staff_invite"),
    path("staff/join/", staff.staff_join, name="staff_join"),
    path("staff/<int:pk>/", staff.staff_edit, name="staff_edit"),
    path("staff/<int:pk>/disable/", staff.staff_disable, name="staff_disable"),
    path("staff/<int:pk>/enable/", staff.staff_enable, name="staff_enable"),
    path("staff/<int:pk>/link/", staff.staff_link, name="staff_link"),
    path("staff/<int:pk>/app/reset/", staff.staff_reset_app, name="staff_reset_app"),
    path("staff/teams/", teams.team_list, name="team_list"),
    path("staff/teams/<int:pk>/", teams.team_edit, name="team_edit"),
    path("staff/teams/<int:pk>/delete/", teams.team_delete, name="team_delete"),
    path("clinics/", clinics.clinic_list, name="clinic_list"),
    path("clinics/new/", clinics.clinic_new, name="clinic_new"),
    path("clinics/<int:pk>/", clinics.clinic_edit, name="clinic_edit"),
    path("clinics/<int:pk>/close/", clinics.clinic_close, name="clinic_close"),
    path("clinics/<int:pk>/reopen/", clinics.clinic_reopen, name="clinic_reopen"),
    path("api/schema/", api.schema, name="api_schema"),
    path("api/docs/", api.docs, name="api_docs"),
    path("api/problems/<slug:slug>", api.problem, name="api_problem"),
    path("audit/", audit.audit_log, name="audit_log"),
]
