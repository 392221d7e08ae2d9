"""The words that the page's scripts show: given to the page as data, in its language (static/js/words.js reads them).

`{name}` is filled in by the script.
"""

from __future__ import annotations

from django.utils.translation import gettext, pgettext


def page_messages() -> dict[str, str]:
    """Name of each text to the text in the active language."""
    return {
        "locale": pgettext("how the browser writes dates and times", "en-GB"),
        # the link
        "live": gettext("live"),
        "since": gettext("since {time}"),
        "asked": gettext("updated every {count} s"),
        "no live connection": gettext("no live connection"),
        "not live": gettext("not live since {time} · {reason}"),
        "reconnecting": gettext("reconnecting"),
        "no right": gettext("this board is not yours to see any more"),
        "too many": gettext("too many of your pages are open"),
        "database": gettext("the database can't be reached"),
        "error": gettext("the server has a problem"),
        "as of": gettext("as of {time}"),
        "page not live": gettext("this page is not live"),
        # read aloud
        "result": gettext("Result {result}"),
        "gate closed": gettext("{period} is closed: {result}"),
        # time passing
        "closed": gettext("closed"),
        "final": gettext("final"),
        "due": gettext("due"),
        "late": gettext("late {time}"),
        "in": gettext("in {time}"),
        "seconds": gettext("{count} s"),
        "minutes": gettext("{count} min"),
        "hours": gettext("{count} h"),
        "seconds ago": gettext("{count} s ago"),
        "minutes ago": gettext("{count} min ago"),
    }
