"""Rules that find identifiers of persons in a text: the list of HIPAA's Safe Harbor."""
