"""Chats, findings, appeals and scores in the REST API."""
