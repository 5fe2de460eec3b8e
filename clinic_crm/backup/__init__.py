"""Backup and restore: every table and every uploaded file, with a manifest that says what must come out again.

A backup is a directory: `manifest.json`, `manifest.sha256`, `tables/*.copy.gz` (PostgreSQL's COPY text, one snapshot
of the whole database), `files.tsv.gz` and `files/` (what was uploaded). It needs no program beside the product.
"""
