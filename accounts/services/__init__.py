"""What changes clinics and staff. Each service is one transaction, checks who asks, and writes the audit log.

`by` is the person who acts; None stands for the command line. A person without the right gets
PermissionDenied; a rule that forbids the change raises ValidationError with words to show.
"""
