"""The first start: a group without a clinic gets one, with an administrator and everything built in."""
