"""What a range of days earned: at which distance from the gate, over the market, and whether luck explains it."""
