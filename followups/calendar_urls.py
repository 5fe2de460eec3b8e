"""Routes of the calendar: day and week, waiting list, hours and absences, feeds."""

from django.urls import URLPattern, path

from followups.views import calendar, schedule, waiting

urlpatterns: list[URLPattern] = [
    path("appointments/", calendar.calendar, name="appointments"),
    path("appointments/board/", calendar.calendar_board, name="calendar_board"),
    path("appointments/<int:pk>/drop/", calendar.calendar_drop, name="calendar_drop"),
    path("appointments/<int:pk>/move-back/", calendar.appointment_move_back, name="appointment_move_back"),
    path("waiting/", waiting.waiting_list, name="waiting_list"),
    path("waiting/new/", waiting.waiting_new, name="waiting_new"),
    path("waiting/fits/", waiting.waiting_fits, name="waiting_fits"),
    path("waiting/<int:pk>/book/", waiting.waiting_book, name="waiting_book"),
    path("waiting/<int:pk>/withdraw/", waiting.waiting_withdraw, name="waiting_withdraw"),
    path("waiting/<int:pk>/reopen/", waiting.waiting_reopen, name="waiting_reopen"),
    path("waiting/<int:pk>/offer/", waiting.waiting_offer, name="waiting_offer"),
    path("schedule/", schedule.schedule_hours, name="schedule"),
    path("schedule/absences/", schedule.schedule_absences, name="schedule_absences"),
    path("schedule/absences/<int:pk>/delete/", schedule.absence_delete, name="absence_delete"),
    path("schedule/absences/restore/<str:token>/", schedule.absence_restore, name="absence_restore"),
    path("schedule/kinds/", schedule.schedule_settings, name="schedule_settings"),
    path("schedule/rooms/", schedule.schedule_rooms, name="schedule_rooms"),
    path("schedule/rooms/<int:pk>/", schedule.room_edit, name="room_edit"),
    path("schedule/rooms/<int:pk>/active/", schedule.room_active, name="room_active"),
]
