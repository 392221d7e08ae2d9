"""What happened, in one numbered order, for programs that follow it."""
