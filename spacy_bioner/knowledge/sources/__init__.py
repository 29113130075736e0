"""Readers for the files in which terminologies are published, one module each."""
