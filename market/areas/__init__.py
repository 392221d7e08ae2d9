"""What is known of the areas of Europe, and how a market begins with it."""
