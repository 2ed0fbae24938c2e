"""Builders of test data: one file a domain."""
