"""The audit: who did or saw what, each entry sealed with the one before."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table

from serving.database.tables.base import Document, Moment, metadata

audit_events = Table(
    "audit_events",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("id", String(32), nullable=False, unique=True),  # made where it happened: delivered twice, it is kept once
    Column("at", Moment, nullable=False),
    Column("principal", String(200), nullable=False),
    Column("action", String(100), nullable=False),
    Column("dataset", String(200), nullable=False),
    Column("subject", String(500), nullable=False),  # the unit, plan, key, ... that it is about
    Column("status", Integer, nullable=False),
    Column("request", String(64), nullable=False),
    Column("detail", Document, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index(None, "at"),
    Index(None, "subject"),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1: locked by whoever appends
    Column("number", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
)
