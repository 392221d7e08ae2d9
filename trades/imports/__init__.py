"""The exchange's files: read, compared with what is stored, and booked."""
