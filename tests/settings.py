"""The product's settings, for tests and for the processes that they start: logins by the dozen, so a quick hash."""

from __future__ import annotations

from django.conf.global_settings import PASSWORD_HASHERS as _IN_PRODUCTION

from reporting.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *_IN_PRODUCTION]
