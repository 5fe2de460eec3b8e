"""The ground of the REST API under /api/v1/: every app builds its resources on this package.

A resource is a viewset in `<app>/api.py` (or a package), on a router in `<app>/api_urls.py`, which
`clinic_crm/urls.py` includes by itself:

    from accounts.api.views import Lists, Reads, Resource              # followups/api/tasks.py
    from accounts.api.routes import Router                            # followups/api_urls.py

    class Tasks(Lists, Reads, Resource):
        '''Tasks of the clinic.'''                           # first line: what the schema says

        tag, scope = "Tasks", "tasks"                        # accounts.scopes.GROUPS
        access = {                                           # any of the permissions, per action, as on the pages
            "list": (P.FOLLOW_UP,), "retrieve": (P.FOLLOW_UP,), "create": (P.FOLLOW_UP,), "done": (P.FOLLOW_UP,),
        }
        model = Task                                         # rows: model.objects.for_user(user).for_clinic(clinic)
        serializer_class = TaskOut                           # what goes out: ModelSerializer, explicit fields
        serializers = {"create": TaskIn, "done": DoneIn}     # what comes in, per action
        filterset_class = TaskFilters                        # accounts.api.filters.FilterSet
        order = ("-due_at", "-id")                           # keyset of the cursor: non-null columns, id last
        if_match = ("done",)                                 # state changes that need If-Match (PATCH, PUT and
                                                             # DELETE always do); rows with `version` or `updated_at`
        def rows(self): return super().rows().select_related("patient")

        def create(self, request):
            data = self.read(TaskIn)                         # validated, else 422 by field
            task = new_task(clinic=self.clinic, by=self.user, **data)
            return self.made(task)                           # 201 with what serializer_class says, Location, ETag

        @action(detail=True, methods=["post"])
        def done(self, request, pk):                         # POST /api/v1/tasks/{pk}/done/
            task = self.found()                              # 404 elsewhere; If-Match checked; .expected_version
            end_task(task=task, by=self.user, **self.read(DoneIn))
            return self.told(task)                           # 200, read anew, ETag

    router = Router(); router.register("tasks", Tasks, "task"); urlpatterns = router.urls

Route names are "api_task-list", "api_task-detail", "api_task-done". Ids in routes: a line in
tests/guards/world.py ADDRESSES under ("api/v1/tasks/", "pk").

`self.user`, `self.clinic` (header X-Clinic or ?clinic=CODE, else where the person works now) and `self.role`
are there in every action; the clinic's zone is active. `self.may(P.REVEAL_CONTACT)` asks the clinic's role.

Services' refusals need no catching: `clinic_crm/api_errors.py` is the one table from exceptions to answers.
Raise `problems.Problem("conflict", detail, current=…, yours=…)` where a view knows more. Transactions,
Idempotency-Key, scopes, rate limits, ETag, unknown parameters and the schema's headers and errors come of themselves.

An answer that is no row of a model: `self.answer(data, status=200)` with `@extend_schema(responses=…)`.
"""
