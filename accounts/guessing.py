"""The log-in backend under the name that open sessions hold; sessions of the version before end within a day.

Django keeps a backend's dotted path in each session and believes no other: under a new name everybody would be logged
out, and while two versions run side by side each would refuse the other's log-ins. The release after the next one may
name accounts.login_throttle.LimitedBackend in AUTHENTICATION_BACKENDS and drop this module.
"""

from __future__ import annotations

from accounts.login_throttle import LimitedBackend

__all__ = ["LimitedBackend"]
