"""From the exchange's socket to the disk to the store: no frame that was received is lost."""
