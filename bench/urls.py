"""The product's routes and the floor beside them."""

from django.urls import include, path

from bench.floor import floor

urlpatterns = [path("bench/floor/", floor), path("", include("clinic_crm.urls"))]
