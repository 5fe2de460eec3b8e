"""Import of appointments from the files that clinics really hand over.

Files are read, and cells understood, by `patients.importing`. `headers`, `rules`, `spans` and `plan` are pure;
only `existing`, `writer` and `service` touch the database.
"""
