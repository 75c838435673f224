"""Measures what Routemark costs beside what the HTTP library alone costs; see README.md. Never part of the tests."""
