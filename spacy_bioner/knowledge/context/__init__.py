"""What a text says around its entities: sections, and cues such as "denies" and their scope."""
