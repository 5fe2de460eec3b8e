"""Routes of the visit."""

from django.urls import path

from consultations.views import desk, workspace

urlpatterns = [
    path("visits/<int:pk>/", workspace.visit_page, name="visit"),
    path("visits/<int:pk>/move/", workspace.visit_move, name="visit_move"),
    path("visits/<int:pk>/receive/", workspace.visit_receive, name="visit_receive"),
    path("visits/<int:pk>/unseen/", workspace.visit_unseen, name="visit_unseen"),
    path("visits/<int:pk>/complaint/", desk.complaint_confirm, name="visit_complaint"),
    path("visits/<int:pk>/decision/", desk.decision_take, name="visit_decision"),
    path("visits/<int:pk>/checkout/<slug:code>/", desk.checkout_item, name="visit_checkout_item"),
    path("visits/<int:pk>/checkout/<slug:code>/waiver/", desk.waiver_decide, name="visit_waiver"),
    path("visits/<int:pk>/classify/", desk.visit_classify, name="visit_classify"),
    path("visits/<int:pk>/close/", desk.visit_close, name="visit_close"),
]
