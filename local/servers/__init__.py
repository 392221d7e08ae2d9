"""Servers of the checkout's own, and everything that `make run` starts and looks after."""
