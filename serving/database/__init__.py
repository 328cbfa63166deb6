"""The database: people, plans, appeals, audit. SQLite in the home, or PostgreSQL by URL."""
