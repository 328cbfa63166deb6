"""Webhooks: who is told of what, and what is still to be delivered."""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text

from serving.database.tables.base import Document, Moment, metadata

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("url", Text, nullable=False),
    Column("events", Document, nullable=False),
    Column("secret", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("created_by", String(200), nullable=False),
    Column("disabled_at", Moment),
    Column("request_key", String(500), unique=True),
)

deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("webhook", String(32), ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
    Column("event", String(50), nullable=False),
    Column("payload", Document, nullable=False),
    Column("state", String(20), nullable=False),  # waiting, delivered, given-up
    Column("attempts", Integer, nullable=False),
    Column("last_status", Integer),
    Column("made_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("held_until", Moment),
    Column("delivered_at", Moment),
    Index(None, "state", "due_at"),
)
