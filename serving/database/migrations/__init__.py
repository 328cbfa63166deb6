"""The tables' history: a revision for each change, up and down, on SQLite and on PostgreSQL."""
