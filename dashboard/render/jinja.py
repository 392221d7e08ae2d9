"""The templates of what is rendered anew with every change (templates/parts/): compiled by Jinja to Python.

Pages are Django's own templates, which are interpreted at each rendering: fine for a page, most of the time from a
trade to a changed row. Texts are marked with `_("...")`; a name that the context doesn't have is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

ENGINE = "parts"


def environment(**options: Any) -> Environment:
    """Jinja's, for the settings' TEMPLATES: it escapes everything, as Django's templates do."""
    made = Environment(**{**options, "undefined": StrictUndefined})  # noqa: S701 - Django turns autoescape on
    made.globals["_"] = lambda text: Markup(gettext(text))  # noqa: S704 - our own texts, as in Django's {% translate %}
    return made


def render_part(name: str, context: Mapping[str, Any]) -> SafeString:
    """The HTML of one part, in the active language."""
    return SafeString(render_to_string(f"parts/{name}.html", dict(context), using=ENGINE))
