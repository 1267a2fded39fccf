"""Two runs compared: what differs, by how much, and what may have caused it."""
