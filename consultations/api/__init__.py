"""The visit in the REST API: consultations, visits and their stages, forms, exams, handoffs, plans, refunds."""
