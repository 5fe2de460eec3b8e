"""Routes of signing in, staff, clinics and the audit log. Of allauth only what is used here is routed."""

from allauth.account import views as allauth_views
from django.urls import path

from accounts.views import audit, clinics, me, staff, teams

urlpatterns = [
    path("sign-in/", allauth_views.login, name="account_login"),
    path("sign-out/", allauth_views.logout, name="account_logout"),
    path("password/", allauth_views.password_change, name="account_change_password"),
    path("invitation/<str:uid>/<str:token>/", me.invitation, name="invitation"),
    path("me/language/", me.switch_language, name="switch_language"),
    path("me/theme/", me.switch_theme, name="switch_theme"),
    path("me/clinic/", me.switch_clinic, name="switch_clinic"),
    path("staff/", staff.staff_list, name="staff_list"),
    path("staff/new/", staff.staff_invite, name="staff_invite"),
    path("staff/join/", staff.staff_join, name="staff_join"),
    path("staff/<int:pk>/", staff.staff_edit, name="staff_edit"),
    path("staff/<int:pk>/disable/", staff.staff_disable, name="staff_disable"),
    path("staff/<int:pk>/enable/", staff.staff_enable, name="staff_enable"),
    path("staff/<int:pk>/link/", staff.staff_link, name="staff_link"),
    path("staff/teams/", teams.team_list, name="team_list"),
    path("staff/teams/<int:pk>/", teams.team_edit, name="team_edit"),
    path("staff/teams/<int:pk>/delete/", teams.team_delete, name="team_delete"),
    path("clinics/", clinics.clinic_list, name="clinic_list"),
    path("clinics/new/", clinics.clinic_new, name="clinic_new"),
    path("clinics/<int:pk>/", clinics.clinic_edit, name="clinic_edit"),
    path("clinics/<int:pk>/close/", clinics.clinic_close, name="clinic_close"),
    path("clinics/<int:pk>/reopen/", clinics.clinic_reopen, name="clinic_reopen"),
    path("audit/", audit.audit_log, name="audit_log"),
]
