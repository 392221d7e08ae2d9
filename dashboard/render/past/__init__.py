"""What a page of a past moment shows beside its board."""
