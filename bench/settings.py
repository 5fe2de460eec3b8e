"""The product's settings with the floor's route and a statement counter added."""

from clinic_crm.settings import *  # noqa: F403
from clinic_crm.settings import MIDDLEWARE

ROOT_URLCONF = "bench.urls"
MIDDLEWARE = ["bench.floor.CountStatements", *MIDDLEWARE]
