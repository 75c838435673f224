"""Foreign formats, one module each: recorded answers of other tools, and runs of our own."""
