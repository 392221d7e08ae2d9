"""The web process's entry point: `daphne -b HOST -p PORT reporting.asgi:application`."""

from __future__ import annotations

import gc
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reporting.settings")
os.environ.setdefault("PROCESS_ROLE", "web")  # before settings are read: the web role uses a connection pool

gc.disable()  # until all is loaded: nothing of it goes, and looking for what might takes a tenth of the start

# The event loop is never idle in a storm of requests; the thread that reads and renders boards must get its turn soon.
sys.setswitchinterval(0.0005)

from django.core.asgi import get_asgi_application  # noqa: E402

django_application = get_asgi_application()

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import get_resolver  # noqa: E402

from dashboard.live.origin_check import SameOriginOnly  # noqa: E402
from dashboard.live.page_cache import PageCache  # noqa: E402
from dashboard.live.routing import websocket_urlpatterns  # noqa: E402
from market import clock  # noqa: E402
from reporting.adapted.prompt_sockets import send_at_once  # noqa: E402
from reporting.http.backpressure import tell_backpressure  # noqa: E402
from reporting.http.compression import LargeCompressed  # noqa: E402
from reporting.http.daphne_headers import WithHeaders, harden_daphne  # noqa: E402
from reporting.http.request_ids import WithRequestId, marked  # noqa: E402
from reporting.http.unread_log import stop_unread_log  # noqa: E402

harden_daphne()
tell_backpressure()
stop_unread_log()
send_at_once()
clock.follow_if_possible()

application = ProtocolTypeRouter(
    {
        "http": LargeCompressed(PageCache(WithRequestId(WithHeaders(django_application)), mark=marked)),
        "websocket": WithRequestId(SameOriginOnly(AuthMiddlewareStack(URLRouter(websocket_urlpatterns)))),
    }
)

# What is loaded by now stays. Without this the collector looks at all of it again in a storm of requests, one and a
# half times a second for more than a tenth of a second, and nobody is answered meanwhile.
get_resolver().url_patterns  # noqa: B018 - brings in every view, which the first request would do
gc.collect()
gc.freeze()
gc.enable()
