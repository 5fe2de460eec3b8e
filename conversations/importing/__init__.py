"""Import of chats: any file or pasted text becomes numbered chats, and those become rows, once."""
