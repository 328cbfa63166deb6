"""Requests that carry a key of their own, and what they were answered."""

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table

from serving.database.tables.base import Document, Moment, metadata

requests = Table(
    "idempotent_requests",
    metadata,
    Column("principal", String(200), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("fingerprint", String(64), nullable=False),  # of method, address and body
    Column("started_at", Moment, nullable=False),
    Column("held_until", Moment, nullable=False),  # whoever answers it says how long it may be taken for alive
    Column("attempt", Integer, nullable=False),  # goes up when it is taken over: the one before is then too late
    Column("finished_at", Moment),  # NULL while it is being answered
    Column("status", Integer),
    Column("headers", Document),
    Column("body", LargeBinary),  # NULL where the answer is shown only once
    Index(None, "started_at"),
)
