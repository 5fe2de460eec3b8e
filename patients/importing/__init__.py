"""Import of patients from the files that clinics really hand over.

Reading and the rules are pure (`reader`, `cells`, `dates`, `patient_rules`, `plan`, `referrals`);
only `existing`, `writer` and `jobs` touch the database.
"""
