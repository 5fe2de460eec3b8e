"""Treatment plans: the doctor's clinical content, the coordinator's prices, and how they are explained."""

from typing import Any

import django_filters
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.fields import NothingIn
from accounts.api.filters import FilterSet
from accounts.api.views import Lists, Reads, Resource
from accounts.permissions import Permission
from consultations.api import plans_shapes as shapes
from consultations.models import Plan
from consultations.services import plan_terms
from consultations.services.plans import save_plan

P = Permission

EXPLAINING = ("terms", "choose", "explain", "sign", "unsign")


class PlanFilters(FilterSet):
    visit = django_filters.NumberFilter()
    patient = django_filters.NumberFilter(field_name="visit__patient")
    is_finished = django_filters.BooleanFilter(field_name="finished_at", lookup_expr="isnull", exclude=True)

    class Meta:
        model = Plan
        fields: list[str] = []


class Plans(Lists, Reads, Resource):
    """Plans, one a visit. Doctors write what is done, coordinators what it costs; a draft is the doctor's alone."""

    tag, scope = "Plans", "visits"
    access = dict.fromkeys(("list", "retrieve"), (P.VIEW_PLAN,)) | dict.fromkeys(EXPLAINING, (P.COORDINATE,))
    access |= dict.fromkeys(("create", "update"), (P.TREAT,))
    model = Plan
    serializer_class = shapes.PlanOut
    serializers = {
        "create": shapes.PlanIn,
        "update": shapes.PlanPut,
        "terms": shapes.TermsIn,
        "choose": shapes.ChooseIn,
        "explain": shapes.ExplainIn,
        "sign": shapes.SignIn,
        "unsign": NothingIn,
    }
    filterset_class = PlanFilters
    if_match = ("terms", "choose", "sign", "unsign")

    def rows(self) -> Any:
        rows = super().rows().select_related("visit__clinic").prefetch_related("options__items")
        return rows if self.may(P.TREAT) else rows.filter(finished_at__isnull=False)

    def create(self, request: Request) -> Response:
        """Begin the plan of a visit whose handoff note was acknowledged."""
        data = self.read(shapes.PlanIn)
        visit, finish = data.pop("visit"), data.pop("finish")
        draft = shapes.draft_of(data)
        return self.made(save_plan(visit=visit, draft=draft, version=0, by=self.user, finish=finish))

    def update(self, request: Request, pk: int) -> Response:
        """Write the clinical content anew; options and items named by id keep their prices."""
        plan = self.found()
        data = self.read(shapes.PlanPut)
        finish, draft = data.pop("finish"), shapes.draft_of(data)
        return self.told(save_plan(visit=plan.visit, draft=draft, version=plan.version, by=self.user, finish=finish))

    @action(detail=True, methods=["post"])
    def terms(self, request: Request, pk: int) -> Response:
        """Set prices, discounts, payment notes and the deposit asked for; amounts in yuan."""
        plan = self.found()
        terms = shapes.terms_of(plan, self.read(shapes.TermsIn))
        return self.told(plan_terms.set_terms(visit=plan.visit, version=plan.version, by=self.user, **terms))

    @action(detail=True, methods=["post"])
    def choose(self, request: Request, pk: int) -> Response:
        """The option the patient chose."""
        plan = self.found()
        wanted = self.read(shapes.ChooseIn)["option"]
        option = shapes.option_of(plan, wanted)
        return self.told(plan_terms.choose_option(visit=plan.visit, option=option, by=self.user))

    @action(detail=True, methods=["post"])
    def explain(self, request: Request, pk: int) -> Response:
        """A point was explained, or not after all; told on the visit as explained_points."""
        plan = self.found()
        plan_terms.tick_point(visit=plan.visit, by=self.user, **self.read(shapes.ExplainIn))
        return self.told(plan)

    @action(detail=True, methods=["post"])
    def sign(self, request: Request, pk: int) -> Response:
        """Keep the patient's drawn signature under the chosen option."""
        plan = self.found()
        path = self.read(shapes.SignIn)["signature"]
        return self.told(plan_terms.sign(visit=plan.visit, path=path, version=plan.version, by=self.user))

    @action(detail=True, methods=["post"])
    def unsign(self, request: Request, pk: int) -> Response:
        """Take the signature back, until the decision."""
        plan = self.found()
        self.read(NothingIn)
        return self.told(plan_terms.take_signature_back(visit=plan.visit, by=self.user))
