"""The guided first visit."""
