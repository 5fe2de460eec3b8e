"""Pages of signing in, staff, clinics and the audit log."""
