"""What an opened row is asked beside its own figures."""
