"""All settings, from the environment (../.env.example lists the names). One file for a laptop, tests and the cloud.

A value that can't be used ends the process with one sentence: every process reads this file first.
"""

from __future__ import annotations

import os
import ssl
import sys
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import environs
from dotenv import dotenv_values

from reporting import database as database_settings
from reporting import errors, logs, machines, settings_checks, version

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"


def read_file(path: Path) -> None:
    """Put what a file names into the environment; what stands there already holds, an empty text too.

    Into os.environ, where everything reads it: environs' own read_env keeps it to itself (15.2, findings/).
    """
    for name, value in dotenv_values(path).items():
        os.environ.setdefault(name, value or "")


read_file(BASE_DIR / ".env")
env = environs.Env()

SECRETS = (
    *("SECRET_KEY", "DATABASE_URL", "DATABASE_REPLICA_URL", "REDIS_URL"),
    *("SENTRY_DSN", "OIDC_CLIENT_SECRET", "METRICS_TOKEN"),
)
"""May come from a file instead: NAME_FILE is its path, as orchestrators mount secrets."""


def stop(sentence: str) -> NoReturn:
    """End this process: exit code 1, one sentence on standard error."""
    raise SystemExit(f"Settings: {sentence}")


def positive(name: str, default: int) -> int:
    """A whole number above zero from the environment."""
    try:
        value = env.int(name, default)
    except environs.EnvError:
        value = 0
    if value < 1:
        stop(f"{name} must be a whole number above 0, not “{os.environ.get(name)}”")
    return value


def flag(name: str, default: bool) -> bool:
    """A yes or no from the environment; empty means the default."""
    if not os.environ.get(name):
        return default
    try:
        return bool(env.bool(name))
    except environs.EnvError:
        stop(f"{name} must be 1 or 0, not “{os.environ.get(name)}”")


def listed(name: str) -> list[str]:
    """Texts parted by commas from the environment; empty ones don't count."""
    return [part.strip() for part in os.environ.get(name, "").split(",") if part.strip()]


def address(name: str, default: str, schemes: tuple[str, ...]) -> str:
    """A URL from the environment with one of the schemes; empty means the default."""
    value = os.environ.get(name) or default
    try:
        scheme = urlsplit(value).scheme
        _ = urlsplit(value).port
    except ValueError:
        scheme = ""
    if scheme not in schemes:
        stop(f"{name} must be an address that starts with {' or '.join(s + '://' for s in schemes)}")
    return value


for _name in SECRETS:
    if _path := os.environ.get(f"{_name}_FILE"):
        try:
            os.environ[_name] = Path(_path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            stop(f"{_name}_FILE can't be read: {getattr(error, 'strerror', 'no UTF-8 text')}")

VERSION = version.VERSION
PROCESS_ROLE = os.environ.get("PROCESS_ROLE") or logs.process_of(sys.argv)
"""web, listener, worker, beat, or the management command's name."""
DEBUG = flag("DEBUG", False)
SECURE_COOKIES = flag("SECURE_COOKIES", not DEBUG)

SECRET_KEY = os.environ.get("SECRET_KEY") or (settings_checks.LAPTOP_KEY if DEBUG else "")
if not SECRET_KEY:
    stop("SECRET_KEY is missing; set it to a long random text (or, on a laptop only, set DEBUG=1)")

# Earlier keys whose sessions still hold, while a new one is brought in (docs/runbooks/rotate-secrets.md).
SECRET_KEY_FALLBACKS = listed("SECRET_KEY_FALLBACKS")

_LOOPBACK = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS = listed("ALLOWED_HOSTS") or _LOOPBACK
CSRF_TRUSTED_ORIGINS = listed("CSRF_TRUSTED_ORIGINS")
BEHIND_TLS_PROXY = flag("BEHIND_TLS_PROXY", False)
# Addresses and networks whose X-Forwarded-For and X-Forwarded-Proto are believed, and nobody else's.
TRUSTED_PROXIES = listed("TRUSTED_PROXIES")
if _unsafe := settings_checks.problem(
    debug=DEBUG,
    secure_cookies=SECURE_COOKIES,
    secret_key=SECRET_KEY,
    allowed_hosts=ALLOWED_HOSTS,
    behind_proxy=BEHIND_TLS_PROXY,
    trusted_proxies=TRUSTED_PROXIES,
    demo_anywhere=flag("DEMO_ANYWHERE", False),
):
    stop(_unsafe)

# --- applications -----------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "dashboard.access.admin_config.DeskAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "market",
    "accounts.audit",
    "accounts",
    "trades",
    "prices",
    "dashboard",
    # Stand-ins, and commands for benchmarks: where they are, which is no production image.
    *(folder for folder in ("local", "bench") if (BASE_DIR / folder).is_dir()),
]
if PROCESS_ROLE == "beat":
    INSTALLED_APPS = ["market"]  # it sends tasks by their names, and of tables writes its own clock's report alone
MIDDLEWARE = [
    "reporting.http.headers.SecureAnswers",
    "reporting.http.middleware.AskedFromInside",
    "accounts.client_address.OnlyOurProxies",
    "reporting.http.middleware.DatabaseAway",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "reporting.http.middleware.DesksTime",
    "django.middleware.locale.LocaleMiddleware",  # above sessions: a page that says these are away has a language
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.bearer.BearerTokens",
    "accounts.sessions.SessionActivity",
    "accounts.audit_signals.RecordedActor",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "dashboard.access.view_recording.ViewRecording",
    "reporting.http.entity_tags.EntityTags",
    "reporting.http.standby.LongReadsFromStandby",
]
ROOT_URLCONF = "reporting.urls"
ASGI_APPLICATION = "reporting.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "dashboard.pages.frame.page_frame",
            ],
            "builtins": ["django.templatetags.i18n", "dashboard.render.jinja"],
        },
    },
    {
        "NAME": "parts",  # only what is rendered anew with every change; pages are Django's
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {"environment": "dashboard.render.jinja.environment"},
    },
]

# --- PostgreSQL -------------------------------------------------------------------------------------------------
# Without DATABASE_URL and REDIS_URL the embedded servers of `make run` are meant; the set-up writes where they listen.
for _name in ("DATABASE_URL", "REDIS_URL"):
    if not os.environ.get(_name):
        os.environ.pop(_name, None)
read_file(VAR_DIR / "run" / "servers.env")
for _name in ("DATABASE_URL", "REDIS_URL"):
    if not os.environ.get(_name):
        stop(f"{_name} is missing; set it, or let `make setup` write where this checkout's own servers listen")


def database(name: str) -> dict[str, Any]:
    """Django's database settings for this process, from the address in the environment."""
    schemes = ("postgres", "postgresql", "pgsql")
    try:
        if database_settings.split(os.environ[name])[0].scheme not in schemes:
            raise ValueError
    except ValueError:
        stop(f"{name} must be an address that starts with {' or '.join(s + '://' for s in schemes)}")
    speaker = database_settings.Speaker(PROCESS_ROLE, positive("DATABASE_POOL_SIZE", 12), DATABASE_POOLED)
    try:
        parsed = database_settings.database(os.environ[name], speaker)
    except (ValueError, KeyError):
        stop(f"{name} can't be read; it must look like postgres://user:password@host:5432/name")
    if not parsed.get("NAME"):
        stop(f"{name} names no database; it must look like postgres://user:password@host:5432/name")
    return parsed


# 1 behind a pooler that gives each transaction another connection (docs/growth.md).
DATABASE_POOLED = flag("DATABASE_POOLED", False)
DATABASES = {"default": database("DATABASE_URL")}
if os.environ.get("DATABASE_REPLICA_URL"):  # a hot standby, for long reads (reporting/http/standby.py)
    DATABASES["standby"] = database_settings.standby(database("DATABASE_REPLICA_URL"))
# The role that the processes connect as, where it isn't the one that migrates: `migrate` then grants it its rights.
APPLICATION_DATABASE_ROLE = os.environ.get("APPLICATION_DATABASE_ROLE", "")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis: hints, jobs, cache; may be empty or gone at any time --------------------------------------------------
REDIS_URL = address("REDIS_URL", "", ("redis", "rediss", "unix"))
_IF_GONE = machines.for_redis(REDIS_URL)
CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"SOCKET_CONNECT_TIMEOUT": 1, "SOCKET_TIMEOUT": 1, "IGNORE_EXCEPTIONS": True},
    }
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "reporting.adapted.hints_layer.PatientChannelLayer",
        "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_connect_timeout": 1, **_IF_GONE}], "prefix": "desk"},
    }
}


def celery_broker(redis_url: str) -> str:
    """Celery's spelling of a Redis address: a unix socket has a scheme of its own there."""
    parts = urlsplit(redis_url)
    return f"redis+socket://{parts.path}" if parts.scheme == "unix" else redis_url


CELERY_BROKER_URL = celery_broker(REDIS_URL)
if CELERY_BROKER_URL.startswith("rediss://"):  # Celery alone would believe any certificate
    CELERY_BROKER_USE_SSL = {"ssl_cert_reqs": ssl.CERT_REQUIRED}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 10,
    "socket_connect_timeout": 2,
    "health_check_interval": 5,
    "max_retries": 2,
    **_IF_GONE,
}
CELERY_DB_REUSE_MAX = sys.maxsize // 4  # tasks a connection: reporting/adapted/kept_connections.py
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "desk"
CELERY_WORKER_POOL = "threads"
CELERY_WORKER_CONCURRENCY = 4
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_BEAT_SCHEDULER = "reporting.adapted.steady_beat:SteadyScheduler"
CELERY_TIMEZONE = "UTC"
CHASE_TICK_SECONDS = 5
# No tick expires: a worker whose clock is ahead of beat's would throw all away. The task itself skips what piled up.
_REGULARLY = (
    ("chase-reference-prices", "prices.tasks.chase_reference_prices", CHASE_TICK_SECONDS),
    ("do-round", "dashboard.tasks.do_round", 10),
    ("build-like-cases", "dashboard.tasks.build_like_cases", 1800),
    ("keep-history", "dashboard.tasks.keep_history", 60),
    ("keep-events", "dashboard.tasks.keep_events", 60),
    ("note-the-audit-logs-head", "audit.tasks.note_head", 3600),
    ("clear-ended-sessions", "accounts.tasks.clear_ended", 3600),
)
CELERY_BEAT_SCHEDULE = {name: {"task": task, "schedule": seconds} for name, task, seconds in _REGULARLY}

# --- exchange and provider ----------------------------------------------------------------------------------------
EXCHANGE_WS_URL = address("EXCHANGE_WS_URL", "ws://127.0.0.1:8765", ("ws", "wss"))
EXCHANGE_SILENCE_SECONDS = positive("EXCHANGE_SILENCE_SECONDS", 900)
MARKET_DATA_URL = address("MARKET_DATA_URL", "http://127.0.0.1:8766", ("http", "https"))
MARKET_DATA_UPDATE_INTERVAL = positive("MARKET_DATA_UPDATE_INTERVAL", 600)
MARKET_DATA_REQUESTS_PER_MINUTE = positive("MARKET_DATA_REQUESTS_PER_MINUTE", 50)
MARKET_DATA_REQUESTS_PER_HOUR = positive("MARKET_DATA_REQUESTS_PER_HOUR", 1000)
ALIVE_FILE = os.environ.get("ALIVE_FILE", "")  # reporting/alive.py
TRADE_JOURNAL_DIR = Path(os.environ.get("TRADE_JOURNAL_DIR") or VAR_DIR / "journal")

# --- people -------------------------------------------------------------------------------------------------------
SESSION_ENGINE = "accounts.sessions"  # in PostgreSQL: a flushed Redis logs nobody out
SESSION_COOKIE_AGE = 12 * 3600  # without a request
SESSION_LONGEST_AGE = 24 * 3600  # from the log-in
WALL_SCREEN_DAYS = positive("WALL_SCREEN_DAYS", 90)  # a screen on the wall, which nobody logs in every day
CSRF_FAILURE_VIEW = "reporting.http.forms_again.csrf_refused"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
if SECURE_COOKIES:  # a browser takes these names only from this host, over TLS, for every path
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_COOKIES
AUTHENTICATION_BACKENDS = ["accounts.guessing.LimitedBackend", "dashboard.access.rights.RolePermissions"]
API_REQUESTS_PER_MINUTE = positive("API_REQUESTS_PER_MINUTE", 120)  # of one token
ALERT_PRIVATE_WEBHOOKS = flag("ALERT_PRIVATE_WEBHOOKS", False)  # may webhooks go to addresses of our own network?
EMAIL_HOST, EMAIL_HOST_USER = os.environ.get("EMAIL_HOST", ""), os.environ.get("EMAIL_HOST_USER", "")  # empty: no mail
EMAIL_HOST_PASSWORD, EMAIL_TIMEOUT = os.environ.get("EMAIL_HOST_PASSWORD", ""), 10
EMAIL_PORT, EMAIL_USE_TLS = positive("EMAIL_PORT", 587), flag("EMAIL_USE_TLS", True)
DEFAULT_FROM_EMAIL = os.environ.get("EMAIL_FROM") or "desk@localhost"
METRICS_TOKEN = os.environ.get("METRICS_TOKEN", "")  # /metrics asks for it, where it is set
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

# The second factor: empty (off), "optional", or the roles that must have one ("admin,operations"); others then may.
_factor = set(listed("SECOND_FACTOR"))
if _unknown := _factor - {"optional", "trader", "desk head", "operations", "auditor", "admin"}:
    stop(f"SECOND_FACTOR must be “optional” or roles, not “{', '.join(sorted(_unknown))}”")
SECOND_FACTOR = bool(_factor)
SECOND_FACTOR_ROLES = frozenset(_factor - {"optional"})

# Log-in by the company's identity provider (OpenID Connect); off without an issuer.
OIDC_ISSUER = os.environ.get("OIDC_ISSUER", "").rstrip("/")
OIDC_CLIENT_ID = os.environ.get("OIDC_CLIENT_ID", "")
OIDC_CLIENT_SECRET = os.environ.get("OIDC_CLIENT_SECRET", "")
OIDC_USERNAME_CLAIM = os.environ.get("OIDC_USERNAME_CLAIM") or "preferred_username"
OIDC_SCOPES = os.environ.get("OIDC_SCOPES") or "openid profile email"
if OIDC_ISSUER and not (OIDC_CLIENT_ID and OIDC_CLIENT_SECRET):
    stop("OIDC_ISSUER needs OIDC_CLIENT_ID and OIDC_CLIENT_SECRET beside it")
if OIDC_ISSUER and not settings_checks.is_private_address(OIDC_ISSUER):
    stop("OIDC_ISSUER must be an https:// address (http:// on this machine alone)")

# --- what travels -------------------------------------------------------------------------------------------------
SECURE_SSL_REDIRECT = SECURE_COOKIES
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]  # asked from inside, behind the TLS proxy
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS_PROXY else None
SECURE_HSTS_SECONDS = 31_536_000 if SECURE_COOKIES else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE_COOKIES
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# The Content-Security-Policy and everything else that every answer carries: reporting/http/headers.py.

# --- language, time, files ----------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = SECURE_COOKIES
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
_collecting = sys.argv[1:2] == ["collectstatic"]  # names with hashes from the first time on
_collected = (_collecting or (STATIC_ROOT / "staticfiles.json").exists()) and not DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "reporting.static_storage.HashedAssets"
        if _collected
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not _collected

# --- logs and errors ----------------------------------------------------------------------------------------------
LOGGING_CONFIG = "reporting.logs.configure"
LOGGING = {"level": os.environ.get("LOG_LEVEL", "INFO").upper()}

SENTRY_DSN = os.environ.get("SENTRY_DSN", "")
SENTRY_ENVIRONMENT = os.environ.get("SENTRY_ENVIRONMENT") or ("laptop" if DEBUG else "production")
if SENTRY_DSN:
    errors.start(dsn=SENTRY_DSN, release=VERSION, environment=SENTRY_ENVIRONMENT)
