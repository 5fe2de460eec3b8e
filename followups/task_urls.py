"""Routes of tasks and playbooks."""

from django.urls import URLPattern, path

from followups.views import playbooks, task_making, tasks

urlpatterns: list[URLPattern] = [
    path("tasks/", tasks.tasks, name="tasks"),
    path("tasks/add/", task_making.task_add, name="task_add"),
    path("tasks/hand-over/", task_making.task_hand_over, name="task_hand_over"),
    path("tasks/stand-in/<int:pk>/end/", task_making.stand_in_end, name="stand_in_end"),
    path("tasks/hand-over/<slug:batch>/undo/", task_making.task_hand_over_undo, name="task_hand_over_undo"),
    path("tasks/<int:pk>/", tasks.task, name="task"),
    path("tasks/<int:pk>/claim/", tasks.task_claim, name="task_claim"),
    path("tasks/<int:pk>/log/", tasks.task_log, name="task_log"),
    path("tasks/<int:pk>/plan/", tasks.task_plan, name="task_plan"),
    path("tasks/<int:pk>/close/", tasks.task_close, name="task_close"),
    path("contacts/<int:pk>/undo/", tasks.contact_undo, name="contact_undo"),
    path("patients/<int:pk>/contact/", task_making.contact_add, name="contact_add"),
    path("playbooks/", playbooks.playbooks, name="playbooks"),
    path("playbooks/<slug:code>/", playbooks.playbook, name="playbook"),
    path("playbooks/<slug:code>/restore/", playbooks.playbook_restore, name="playbook_restore"),
]
