"""What to do, as it is written in docs/runbooks/, as HTML."""
