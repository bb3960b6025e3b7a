"""All settings, in one file; every ZHENGWU_… variable stands in docs/reference/settings.md."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from zhengwu.config.environment import (
    address,
    database,
    env,
    env_bool,
    env_int,
    env_list,
    home,
    shift,
)

BASE = Path(__file__).resolve().parent.parent
HOME = home()
DEMO = env_bool("DEMO")
DEMO_CLOCK = shift(env("DEMO_CLOCK"))
DEBUG = env_bool("DEBUG")
STRICT_PAGES = env_bool("STRICT_PAGES")
SECRET_KEY = env("SECRET_KEY")
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env_list("TRUSTED_ORIGINS")
TRUSTED_PROXIES = env_list("TRUSTED_PROXIES")
HOST, PORT = address()
PUBLIC_URL = env("PUBLIC_URL", f"http://localhost:{PORT}").rstrip("/")
# Who keeps the seals (印章): the dotted path of a documents.seal.SealProvider; the demo has its own.
SEAL = env("SEAL", "zhengwu.documents.seal.DemoSeal" if DEMO else "").strip()
WEB_WORKERS = env_int("WEB_WORKERS", 2, least=1, most=64)
# In a rush (overload.py), of each web process: worked on at once, waiting, and for how many seconds.
WEB_AT_ONCE = env_int("WEB_AT_ONCE", 4, least=1, most=32)
WEB_LINE = env_int("WEB_LINE", 400, least=1, most=1000)
WEB_PATIENCE = env_int("WEB_PATIENCE", 25, least=1, most=60)

# --- the database -----------------------------------------------------------------------------
# Two roles: the application appends to the log, the owner migrates. Where only one URL is given
# it is the owner's, and every session of the application takes on a role with fewer rights.
APP_ROLE = "zhengwu_app"
DATABASE_URL = env("DATABASE_URL")
OWNER_DATABASE_URL = env("OWNER_DATABASE_URL")
# "elsewhere": migrating is another process's business, and this one need not know the password.
OWNER_ELSEWHERE = OWNER_DATABASE_URL == "elsewhere"
ONE_DATABASE_USER = bool(DATABASE_URL) and not OWNER_DATABASE_URL
DATABASES = {
    "default": database(DATABASE_URL, name="app", role=APP_ROLE if ONE_DATABASE_USER else "")
}
DATABASE_ROUTERS: list[str] = []
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "axes",
    "zhengwu.ledger",
    "zhengwu.web",
    "zhengwu.accounts",
    "zhengwu.calendars",
    "zhengwu.documents",
    "zhengwu.halls",
    "zhengwu.catalog",
    "zhengwu.cases",
    "zhengwu.statistics",
    "zhengwu.supervision",
    "zhengwu.exports",
    "zhengwu.portal",
    "zhengwu.desk",
]
MIDDLEWARE = [
    "zhengwu.web.observing.observe",
    "zhengwu.config.overload.Admit",
    "zhengwu.config.uploads.refuse_the_oversized",
    "django.middleware.security.SecurityMiddleware",
    "zhengwu.web.middleware.plain_addresses",
    "zhengwu.config.static.Files",
    "zhengwu.web.middleware.content_security",
    "zhengwu.config.door.straight",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "zhengwu.accounts.sessions.SignedIn",
    "zhengwu.config.idle.sign_out_the_idle",
    "zhengwu.config.uploads.strangers_send_little",
    "zhengwu.config.public_urls.SignInUnlessPublic",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "zhengwu.config.urls"
WSGI_APPLICATION = "zhengwu.config.wsgi.application"

# --- pages ------------------------------------------------------------------------------------
# Ours are Jinja2; the admin and what allauth brings along are Django's.
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE / "web" / "templates", BASE],
        "APP_DIRS": False,
        "OPTIONS": {
            "environment": "zhengwu.web.jinja.environment",
            "context_processors": [
                "zhengwu.web.jinja.shell",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
CSRF_FAILURE_VIEW = "zhengwu.web.errors.csrf_failure"
STATIC_URL = "/static/"
STATIC_ROOT = HOME / "static"
STATICFILES_DIRS: list[Path] = []
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "zhengwu.config.static.Storage"},
}
# Where nothing was collected (tests), files are served from where they stand.
WHITENOISE_USE_FINDERS = not (STATIC_ROOT / "staticfiles.json").exists()
WHITENOISE_AUTOREFRESH = False
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ["map", "ttf", "woff2", "png", "jpg", "gz", "br"]
WHITENOISE_ALLOW_ALL_ORIGINS = False
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
# --- files sent in: a little in memory, the rest straight to the disk, in a folder of our own -------
UPLOAD_MOST_MB = env_int("UPLOAD_MOST_MB", 50, least=1, most=500)
FILES = HOME / "files"
FILE_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
FILE_UPLOAD_TEMP_DIR = FILES / "arriving"
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "zhengwu.config.uploads.ToDisk",
]
DATA_UPLOAD_MAX_NUMBER_FILES = 40
# --- tables taken out in the background (exports): how long a file is kept, how much all may be -----
EXPORTS = HOME / "exports"
EXPORTS_DAYS = env_int("EXPORTS_DAYS", 7, least=1, most=90)
EXPORTS_MOST_MB = env_int("EXPORTS_MOST_MB", 10_240, least=1, most=10_000_000)
EXPORTS_AT_ONCE = env_int("EXPORTS_AT_ONCE", 2, least=1, most=8)

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# --- signing in -------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.Person"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "zhengwu.accounts.passwords.KindsOfCharacters", "OPTIONS": {"least": 3}},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "code", "name")},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "desk:inbox"
LOGOUT_REDIRECT_URL = "home"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]  # nobody signs up: see urls.py
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_REDIRECT_URL = "home"
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False  # this session stays, every other one of theirs ends
ACCOUNT_USER_MODEL_EMAIL_FIELD = None
ACCOUNT_RATE_LIMITS = False  # axes counts, in the database and across processes
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
# The page says when the lock opens; trying meanwhile must not move that.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
# By account, never by address: a whole hall stands behind one address.
AXES_LOCKOUT_PARAMETERS = ["username"]
AXES_USERNAME_CALLABLE = "zhengwu.config.lockout.account"
AXES_LOCKOUT_TEMPLATE = "account/lockout.html.j2"
AXES_HTTP_RESPONSE_CODE = 429
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

# Sessions stand in the database: signing out, here or by an administrator, is at once.
SESSION_ENGINE = "zhengwu.accounts.sessions"
SESSION_COOKIE_NAME = "zw_session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = not DEMO
SESSION_COOKIE_AGE = 12 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
ARCHIVE_DAYS = env_int("ARCHIVE_DAYS", 30, least=0, most=3650)
IDLE_MINUTES = env_int("IDLE_MINUTES", 30, least=1, most=720)
METRICS_TOKEN = env("METRICS_TOKEN")  # what Prometheus shows to be told the figures
API_PER_MINUTE = env_int("API_PER_MINUTE", 6_000, least=1, most=10_000_000)
PUBLISH_ORGANISATION_NAMES = env_bool("PUBLISH_ORGANISATION_NAMES")
# Public figures by item that speak of fewer cases are not told (portal/statistics/few.py).
STATISTICS_FEWEST = env_int("STATISTICS_FEWEST", 3, least=1, most=1000)
OPEN_DATA_LICENCE = env("OPEN_DATA_LICENCE")  # empty: what the house proposes

# --- what every answer carries ----------------------------------------------------------------
CSRF_COOKIE_NAME = "zw_csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SECURE = not DEMO
CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = not DEMO
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = 0 if DEMO else 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = False
# Set by wsgi.py, which believes these headers of ZHENGWU_TRUSTED_PROXIES and of nobody else.
SECURE_PROXY_SSL_HEADER = None

# --- log lines: one JSON object each, identifiers and no personal data -------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "zhengwu.config.logs.Lines"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": env("LOG_LEVEL", "INFO").upper()},
    "loggers": {
        # Django's own handlers would write exception messages, which may hold what was typed.
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "axes": {"level": "ERROR"},
    },
}


def unsafe() -> list[str]:
    """What must not be so outside the demo, in words; empty when all is well."""
    if DEMO:
        return []
    found = []
    if len(SECRET_KEY) < 50:
        found.append(
            "没有 ZHENGWU_SECRET_KEY，或不足 50 个字符。生成一个："
            "python3 -c 'import secrets; print(secrets.token_urlsafe(64))'，"
            "写入只有本用户可读的文件，用 ZHENGWU_SECRET_KEY_FILE 指向它。"
        )
    if DEBUG:
        found.append("ZHENGWU_DEBUG 会把内部信息给所有人看。请去掉它。")
    if not ALLOWED_HOSTS or any(host.startswith(("*", ".")) for host in ALLOWED_HOSTS):
        found.append("ZHENGWU_ALLOWED_HOSTS 不能是通配。请写出网站的域名。")
    if DEMO_CLOCK:
        found.append("ZHENGWU_DEMO_CLOCK 只能在演示中使用。请去掉它。")
    if SEAL == "zhengwu.documents.seal.DemoSeal":
        found.append("ZHENGWU_SEAL 不能是演示专用章。请写单位的电子印章，或者去掉它。")
    if ONE_DATABASE_USER:
        found.append(
            "只给了 ZHENGWU_DATABASE_URL：应用会以数据库所有者的身份连接，可以改写事件账。"
            "请另建应用用户写入它，并把所有者的连接写入 ZHENGWU_OWNER_DATABASE_URL。"
        )
    if METRICS_TOKEN and len(METRICS_TOKEN) < 20:
        found.append("ZHENGWU_METRICS_TOKEN 不足 20 个字符，猜得出来。请生成一个长的。")
    if not PUBLIC_URL.startswith("https://"):
        found.append("ZHENGWU_PUBLIC_URL 应以 https:// 开头：文书上的二维码指向它。")
    return found
