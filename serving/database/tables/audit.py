"""The audit: who did or saw what, each entry sealed with the one before."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from serving.database.tables.base import metadata

ID_LENGTH, NAME_LENGTH, ACTION_LENGTH, SUBJECT_LENGTH, REQUEST_LENGTH = 32, 200, 100, 500, 64

audit_events = Table(
    "audit_events",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("id", String(ID_LENGTH), nullable=False, unique=True),  # made where it happened: it is kept once
    Column("at", String(27), nullable=False),  # UTC, as it was sealed: the databases write times in ways of their own
    Column("principal", String(NAME_LENGTH), nullable=False),
    Column("principal_id", String(NAME_LENGTH), nullable=False),  # kind and id: names change
    Column("action", String(ACTION_LENGTH), nullable=False),
    Column("dataset", String(NAME_LENGTH), nullable=False),
    Column("subject", String(SUBJECT_LENGTH), nullable=False),  # the unit, plan, key, ... that it is about
    Column("status", Integer, nullable=False),  # of the answer; 0 for a change, noted in its own transaction
    Column("request", String(REQUEST_LENGTH), nullable=False),
    Column("detail", Text, nullable=False),  # JSON, as it was sealed
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index(None, "at"),
    Index(None, "subject"),
    Index(None, "principal"),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1: locked by whoever appends
    Column("number", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
)
