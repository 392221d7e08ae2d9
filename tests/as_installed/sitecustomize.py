"""In the processes that tests start: libraries of the tools beside them are not there, as where the product runs.

structlog reads rich where it finds it, and rich a highlighter and much else: a tenth of a process's start.
"""

from __future__ import annotations

import sys

sys.modules["rich"] = None  # type: ignore[assignment]
