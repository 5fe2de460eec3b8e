"""`migrate` for the database that the tests' databases are copied from, in about half the time.

Django draws a model and all that are related to it anew after every index, constraint and trigger. None of these
changes what its neighbours see: here they are noted on the model that is there. The schema that comes out is the same.
"""

import os
from typing import Any

import django
from django.core.management import call_command
from django.db.migrations.state import ProjectState

NOTED = ("indexes", "constraints", "triggers")


def note_in_place() -> None:
    """Have a change of a model's indexes, constraints or triggers alone draw nothing anew."""
    from pgtrigger.migrations import AddTrigger, RemoveTrigger

    whole = ProjectState.reload_model

    def noting(change: Any) -> Any:
        def changed(*args: Any) -> None:
            with_others, ProjectState.reload_model = ProjectState.reload_model, note  # type: ignore[method-assign]
            try:
                change(*args)
            finally:
                ProjectState.reload_model = with_others  # type: ignore[method-assign]

        return changed

    def note(self: ProjectState, app_label: str, model_name: str, delay: bool = False) -> None:
        options = self.models[app_label, model_name.lower()].options
        if "apps" not in self.__dict__:
            whole(self, app_label, model_name, delay)
            return
        meta = self.apps.get_model(app_label, model_name)._meta
        for name in NOTED:
            if name in options:
                setattr(meta, name, options[name])
        meta.__dict__.pop("total_unique_constraints", None)

    for owner, name in (
        (ProjectState, "add_index"),
        (ProjectState, "add_constraint"),
        (AddTrigger, "state_forwards"),
        (RemoveTrigger, "state_forwards"),
    ):
        setattr(owner, name, noting(getattr(owner, name)))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic_crm.settings")
    django.setup()
    note_in_place()
    call_command("migrate", verbosity=0)
