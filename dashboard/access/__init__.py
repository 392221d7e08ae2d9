"""Rights, log-ins and preferences: who may see what."""
