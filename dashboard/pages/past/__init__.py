"""Pages of a past moment: what is asked for, and the bar that steps through a day."""
