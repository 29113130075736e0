"""What a text says around its entities: its sections, and who and when a statement is about."""
