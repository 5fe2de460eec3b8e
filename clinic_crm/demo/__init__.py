"""Invented data to try the product with; never part of a production installation."""
