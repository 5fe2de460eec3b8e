"""What chats cost and brought, per consultant, team, source and hour; and where the visitors were lost."""
