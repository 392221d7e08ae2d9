"""What stands around a period's own figures: which rows are folded away, and into what."""
