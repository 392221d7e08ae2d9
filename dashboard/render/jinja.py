"""The templates of what is rendered anew with every change (templates/parts/): compiled by Jinja to Python.

Pages are Django's own templates, which are interpreted at each rendering: fine for a page, most of the time from a
trade to a changed row. Texts are marked with `_("...")`; a name that the context doesn't have is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.template import Library, engines
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from dashboard.render.formatting import grouped, spoken

ENGINE = "parts"
FILTERS = (grouped, spoken)
register = Library()
"""The filters of the pages' own templates: a builtin of theirs (reporting/settings.py), the same as in the parts."""
for _filter in FILTERS:
    register.filter(_filter.__name__, _filter)


def environment(**options: Any) -> Environment:
    """Jinja's, for the settings' TEMPLATES: it escapes everything, as Django's templates do."""
    made = Environment(**{**options, "undefined": StrictUndefined})  # noqa: S701 - Django turns autoescape on
    made.filters.update({one.__name__: one for one in FILTERS})
    made.globals["_"] = lambda text: Markup(gettext(text))  # noqa: S704 - our own texts, as in Django's {% translate %}
    return made


def render_part(name: str, context: Mapping[str, Any]) -> SafeString:
    """The HTML of one part, in the active language."""
    return SafeString(_parts().get_template(f"parts/{name}.html").render(context))


@cache
def _parts() -> Environment:
    """The settings' own, which keeps what it has compiled: Django looks for it, and wraps it, at each rendering."""
    engine: Any = engines[ENGINE]
    made: Environment = engine.env
    return made
