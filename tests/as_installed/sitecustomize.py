"""In the processes that tests start: libraries of the tools beside them are not there, as where the product runs.

structlog reads rich and greenlet where it finds them, and kombu yaml: a tenth of a process's start.
"""

from __future__ import annotations

import sys

sys.modules |= dict.fromkeys(("rich", "greenlet", "yaml"))  # type: ignore[arg-type]
