"""Reading the environment (环境变量): ZHENGWU_… as typed values.

Apart from settings.py, because the parent process reads the address and the home folder before the
database, and with it the rest of the settings, is there.
"""

from __future__ import annotations

import os
import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


def env(name: str, default: str = "") -> str:
    """ZHENGWU_<name>, or the content of the file that ZHENGWU_<name>_FILE names."""
    if path := os.environ.get(f"ZHENGWU_{name}_FILE"):
        try:
            return Path(path).read_text().strip()
        except OSError as problem:
            raise ImproperlyConfigured(
                f"ZHENGWU_{name}_FILE 指向的文件读不了：{path}（{problem.strerror}）。"
            ) from problem
    return os.environ.get(f"ZHENGWU_{name}", default)


def env_bool(name: str, default: bool = False) -> bool:
    value = env(name, "1" if default else "0").strip().lower()
    return value in ("1", "true", "yes", "on")


def env_list(name: str, default: str = "") -> list[str]:
    return [part.strip() for part in env(name, default).split(",") if part.strip()]


def env_int(name: str, default: int, *, least: int, most: int) -> int:
    """A whole number within bounds. Raises ImproperlyConfigured with the setting's name."""
    value = env(name, str(default)).strip()
    if not (value.isascii() and value.isdecimal()) or not least <= int(value) <= most:
        raise ImproperlyConfigured(
            f"ZHENGWU_{name} 应是 {least} 到 {most} 之间的整数，现在是 {value!r}。"
        )
    return int(value)


def shift(text: str) -> timedelta:
    """ "+3d", "-12h", "+90m" as a span; empty is none. Raises ImproperlyConfigured."""
    if not text:
        return timedelta()
    found = re.fullmatch(r"([+-])(\d{1,5})([dhm])", text)
    if not found:
        raise ImproperlyConfigured(
            f"ZHENGWU_DEMO_CLOCK 应写作 +3d、-12h 或 +90m，现在是 {text!r}。"
        )
    sign, count, unit = found.groups()
    span = timedelta(**{{"d": "days", "h": "hours", "m": "minutes"}[unit]: int(count)})
    return span if sign == "+" else -span


def database(url: str, *, name: str, role: str = "") -> dict[str, object]:
    """A Django database entry for a postgresql:// URL; the host may be a quoted socket folder.

    role: the role every session takes on, where the URL is the owner's.
    """
    if url and urlsplit(url).scheme not in ("postgresql", "postgres"):
        raise ImproperlyConfigured("ZHENGWU_DATABASE_URL 应以 postgresql:// 开头。")
    parts = urlsplit(url)
    options: dict[str, object] = {k: v[0] for k, v in parse_qs(parts.query).items()}
    netloc = parts.netloc.rpartition("@")[2]
    host, _, port = netloc.rpartition(":") if ":" in netloc else (netloc, "", "")
    session = (
        f"-c application_name=zhengwu-{name} -c idle_in_transaction_session_timeout=30000 "
        # Solid-state disks and memory: a page out of order costs little more than the next one.
        "-c timezone=UTC -c random_page_cost=1.1"
    ) + (f" -c role={role}" if role else "")
    return {
        "ENGINE": "zhengwu.config.database",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(host),
        "PORT": port,
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "server_side_binding": True,
            "prepare_threshold": 3,
            "options": session,
            **options,
        },
    }


def home() -> Path:
    """Where the running installation keeps what it makes: keys, private database, files."""
    return Path(env("HOME", "var")).resolve()


def address() -> tuple[str, int]:
    """The host and port to listen on."""
    return env("HOST", "127.0.0.1"), env_int("PORT", 8000, least=1, most=65535)
