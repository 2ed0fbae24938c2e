"""Benchmarks, and the data simulator that fills a database for them."""
