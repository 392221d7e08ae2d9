"""A web process whose clock is set: what is run with the moment and the port as its arguments."""

from __future__ import annotations

WEB = """
import datetime, os, sys, time, time_machine
time_machine.travel(datetime.datetime.fromisoformat(sys.argv[1]), tick=True).start()
os.environ |= {"DJANGO_SETTINGS_MODULE": "tests.settings", "PROCESS_ROLE": "web"}
import django
django.setup()
from market import clock
clock.desk = clock.DeskClock(timer=time.time)  # it travels, PostgreSQL does not
clock.DeskClock.follow = lambda _self, **_every: None
from daphne.cli import CommandLineInterface
CommandLineInterface().run(["-b", "127.0.0.1", "-p", sys.argv[2], "reporting.asgi:application"])
"""
