"""All settings, read from the environment. Production refuses to start on a default secret."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import structlog
from csp.constants import NONCE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from environs import Env

from clinic_crm.api_settings import KNOX_TOKEN_MODEL, REST_FRAMEWORK, REST_KNOX, SPECTACULAR_SETTINGS  # noqa: F401
from clinic_crm.embedded import database_url, redis_url
from clinic_crm.logs import drop_probes

env = Env()
for _name in ("DATABASE_URL", "REDIS_URL"):
    if not os.environ.get(_name):  # a shell or a compose file may leave it empty
        os.environ.pop(_name, None)
BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = env.path("VAR_DIR", BASE_DIR / "var")

# --- what kind of installation -----------------------------------------------------------------
PRODUCTION = env.bool("PRODUCTION", False)
DEBUG = env.bool("DEBUG", False)
DEFAULT_SECRET = "not-a-secret-for-one-machine-only"  # noqa: S105
SECRET_KEY = env.str("SECRET_KEY", DEFAULT_SECRET)
DATA_KEY = env.str("DATA_KEY", SECRET_KEY)  # encrypts phones and identity numbers
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["127.0.0.1", "localhost", "testserver"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])
# Where people find the product, for links in messages; by default the first trusted origin.
SITE_URL: str = env.str("SITE_URL", next((o for o in CSRF_TRUSTED_ORIGINS if "*" not in o), "")).rstrip("/")
GROUP_NAME = env.str("GROUP_NAME", "青禾口腔")

# --- applications ------------------------------------------------------------------------------
INSTALLED_APPS = [
    "accounts",
    "patients",
    "followups",
    "consultations",
    "conversations",
    "metrics",
    "clinic_crm.workbench",
    "clinic_crm",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "clinic_crm.static_files.StaticFiles",
    "django.forms",
    "django_htmx",
    "django_cotton",
    "lucide",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "axes",
    "pgtrigger",
    "pghistory",
    # Tools for those who write migrations; a production image leaves them out.
    *(name for name in ("django_linear_migrations", "django_migration_linter") if find_spec(name)),
    "django_structlog",
    "django_prometheus",
    "rest_framework",
    "knox",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "chartkick.django",  # for its static file: Chart.js
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "clinic_crm.input_limits.InputLimitsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "clinic_crm.slashes.SlashMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.StaffLocaleMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.middleware.SessionLimitsMiddleware",
    "accounts.middleware.SecondStepMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "clinic_crm.errors.NoPageMiddleware",
    "clinic_crm.toasts.ToastMiddleware",
    "clinic_crm.merged_away.MergedAwayMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "axes.middleware.AxesMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "clinic_crm.urls"
WSGI_APPLICATION = "clinic_crm.wsgi.application"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "clinic_crm.workbench.context.frame",
            ],
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "django_cotton.cotton_loader.Loader",
                        "django.template.loaders.filesystem.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
            "builtins": [
                "django.templatetags.i18n",
                "django_cotton.templatetags.cotton",
                "clinic_crm.templatetags.ui",
            ],
        },
    }
]

# --- data --------------------------------------------------------------------------------------
DATABASES = {"default": env.dj_db_url("DATABASE_URL", database_url(VAR_DIR), conn_max_age=600, conn_health_checks=True)}
DATABASES["default"]["ENGINE"] = "django.db.backends.postgresql"
DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = PGBOUNCER = env.bool("PGBOUNCER", False)
if (
    not PGBOUNCER
):  # without it each row's trigger learns by an error that none is set aside (patients.importing.copying)
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault("options", "-c pgtrigger.ignore={}")
REDIS_URL = env.str("REDIS_URL", redis_url(VAR_DIR))
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
MEDIA_ROOT = env.path("MEDIA_ROOT", VAR_DIR / "media")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "clinic_crm.static_files.HashedStaticFilesStorage"},
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
IMPORT_MAX_BYTES = 50 * 1024 * 1024
IMPORT_MAX_ROWS = 200_000
IMAGE_MAX_BYTES = 20 * 1024 * 1024
IMAGE_MAX_PIXELS = 60_000_000
REQUEST_MAX_BYTES = 21 * IMAGE_MAX_BYTES  # the pictures that may be sent at once, and what goes with them
PGHISTORY_APPEND_ONLY = True
PGTRIGGER_MIGRATIONS = True

# --- people ------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "accounts.passwords.LongEnough", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_RESET_TIMEOUT = 3 * 24 * 3600  # seconds an invitation stays open
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "accounts.adapter.StaffAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
# axes throttles passwords, by account and address; codes of authenticator apps are limited here, by account.
ACCOUNT_RATE_LIMITS = {"login_failed": "5/5m/key", "login": None, "reauthenticate": None, "change_password": None}
MFA_ADAPTER = "accounts.second_step.StaffMFAAdapter"
MFA_TOTP_TOLERANCE = 1  # a phone's clock may be half a minute off
# Managers and administrators sign in with an authenticator app too. Off where the demo accounts are tried out.
REQUIRE_TOTP = env.bool("REQUIRE_TOTP", PRODUCTION)
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "account/locked.html"
AXES_CLIENT_IP_CALLABLE = "accounts.adapter.client_address"
AXES_USERNAME_CALLABLE = "accounts.adapter.attempted_username"
_FORMS = {"login": "SignInForm", "change_password": "OwnPasswordForm", "reauthenticate": "PasswordAgainForm"}
ACCOUNT_FORMS = {name: f"accounts.forms.{form}" for name, form in _FORMS.items()}
MFA_FORMS = {"authenticate": "accounts.forms.CodeForm", "reauthenticate": "accounts.forms.CodeAgainForm"}
ACCOUNT_SESSION_REMEMBER = True  # for SESSION_COOKIE_AGE
SESSION_IDLE_MINUTES = env.int("SESSION_IDLE_MINUTES", 480)  # without anything done; less for shared computers
SESSION_ABSOLUTE_HOURS = env.int("SESSION_ABSOLUTE_HOURS", 14)  # from signing in, whatever is done
SESSION_COOKIE_AGE = SESSION_ABSOLUTE_HOURS * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"

# --- language and time -------------------------------------------------------------------------
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Chinese (Simplified)")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "clinic_crm.formats"
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"

# --- files the browser gets --------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [(name, BASE_DIR / "static" / name) for name in ("dist", "js", "img")]  # not the sources
MEDIA_URL = "media/"

# --- headers -----------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "frame-ancestors": ["'none'"],
        "form-action": [SELF],
        "base-uri": [SELF],
        "object-src": ["'none'"],
    }
}
PERMISSIONS_POLICY: dict[str, list[str]] = {"camera": [], "geolocation": [], "microphone": [], "payment": [], "usb": []}
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
BEHIND_PROXY = env.bool("BEHIND_PROXY", False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.bool("HTTPS", PRODUCTION)
SECURE_HSTS_SECONDS = 31_536_000 if SECURE_SSL_REDIRECT else 0
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
METRICS_ALLOWED_ADDRESSES = env.list("METRICS_ALLOWED_ADDRESSES", ["127.0.0.1", "::1"])

# --- jobs --------------------------------------------------------------------------------------
# Celery and redis-py spell the same socket differently.
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = TIME_ZONE
SWEEP_SECONDS = env.float("SWEEP_SECONDS", 60.0)  # how often due messages are looked for
# Each task claims what is due from the database; running one twice or late changes nothing.
CELERY_BEAT_SCHEDULE = {
    "heartbeat": {"task": "clinic_crm.tasks.beat_heartbeat", "schedule": 10.0, "options": {"expires": 10}},
    "imports": {"task": "patients.tasks.run_due_imports", "schedule": 3.0, "options": {"expires": 3}},
    "messages": {"task": "followups.tasks.send_messages", "schedule": SWEEP_SECONDS, "options": {"expires": 55}},
    "chat_imports": {"task": "conversations.tasks.run_due_chat_imports", "schedule": 3.0, "options": {"expires": 3}},
    "appointment_imports": {"task": "followups.tasks.import_appointments", "schedule": 3.0, "options": {"expires": 3}},
    "reinspections": {"task": "conversations.tasks.run_due_reinspections", "schedule": 5.0, "options": {"expires": 5}},
    "old sessions": {"task": "clinic_crm.tasks.drop_sessions", "schedule": 86_400.0, "options": {"expires": 3600}},
    "jobs": {"task": "followups.tasks.run_due_jobs", "schedule": 60.0, "options": {"expires": 55}},
    "undecided": {"task": "consultations.tasks.fold_undecided", "schedule": 10.0, "options": {"expires": 10}},
    "frozen months": {"task": "metrics.tasks.freeze_months", "schedule": 600.0, "options": {"expires": 550}},
    "old api answers": {"task": "accounts.tasks.drop_old_answers", "schedule": 3600.0, "options": {"expires": 3500}},
    "weekly digest": {"task": "metrics.tasks.queue_digests", "schedule": 60.0, "options": {"expires": 55}},
}

# --- messages, API -----------------------------------------------------------------------------
MESSAGE_LEASE_SECONDS = env.int("MESSAGE_LEASE_SECONDS", 120)  # a worker that is silent longer is taken for dead
MESSAGE_TIMEOUT_SECONDS = env.int("MESSAGE_TIMEOUT_SECONDS", 10)  # of a provider; well below the lease
MESSAGE_CIRCUIT_SECONDS = env.int("MESSAGE_CIRCUIT_SECONDS", 60)  # a failing provider is left alone so long
# Senders call https addresses on the open internet alone; a gateway inside the own network needs this.
MESSAGE_ALLOW_PRIVATE = env.bool("MESSAGE_ALLOW_PRIVATE", not PRODUCTION)
API_REQUESTS_PER_MINUTE = env.int("API_REQUESTS_PER_MINUTE", 600)  # of one token

# --- logs --------------------------------------------------------------------------------------
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processor": structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
            if not PRODUCTION
            else structlog.processors.JSONRenderer(),
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "WARNING")},
}
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.filter_by_level,
        drop_probes,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.format_exc_info,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)


def _refuse_unsafe_production() -> None:
    """Stop a production start that would run on defaults (raises ImproperlyConfigured)."""
    faults = []
    if DEBUG:
        faults.append("DEBUG must be off")
    if DEFAULT_SECRET in (SECRET_KEY, DATA_KEY) or len(SECRET_KEY) < 32:
        faults.append("SECRET_KEY must be set, to at least 32 characters")
    if not env.str("DATABASE_URL", ""):
        faults.append("DATABASE_URL must be set")
    elif DATABASES["default"].get("PASSWORD") in {"", "postgres", "password", "clinic", "clinic_crm", "change-me"}:
        faults.append("the database password must not be a default one")
    if not env.str("REDIS_URL", ""):
        faults.append("REDIS_URL must be set")
    if faults:
        raise ImproperlyConfigured("Not starting in production: " + "; ".join(faults) + ".")


if PRODUCTION:
    _refuse_unsafe_production()
