"""Routes of the undecided board."""

from django.urls import path

from clinic_crm.workbench import moved_up, undecided_views

urlpatterns = [
    path("undecided/", undecided_views.board, name="undecided"),
    path("undecided/more/", undecided_views.more, name="undecided_more"),
    path("undecided/filters/", undecided_views.filters, name="undecided_filters"),
    path("undecided/<int:pk>/move/", undecided_views.move, name="undecided_move"),
    path("undecided/moves/<int:pk>/undo/", undecided_views.undo, name="undecided_undo"),
    path("undecided/suggestions/<int:pk>/<slug:answered>/", undecided_views.answer, name="undecided_answer"),
    path("care/moved-up/", moved_up.page, name="moved_up"),
]
