"""What programs get that only pages showed before."""
