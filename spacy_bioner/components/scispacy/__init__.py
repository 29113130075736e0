"""What scispaCy leaves on a Doc, read as ours, and ours in scispaCy's attributes."""
