"""What the key figures are counted from, in SQL: one source per fact table (DOMAIN §6).

A source is a SELECT whose rows are records with `part`: counted, failing or excluded:<reason>. Figures add it up,
the drill-down lists it: they cannot differ.
"""
