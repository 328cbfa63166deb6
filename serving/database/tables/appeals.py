"""Appeals: a figure as it was told, frozen with all that it rests on, and what became of the appeal."""

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from serving.database.tables.base import Document, Moment, metadata

appeals = Table(
    "appeals",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("dataset", String(200), nullable=False),
    Column("kind", String(20), nullable=False),  # score or target
    Column("unit", String(200), nullable=False),
    Column("period", String(20), nullable=False),
    Column("indicator", String(200), nullable=False),  # blank for a whole score
    Column("state", String(20), nullable=False),  # open, under_review, upheld, rejected, withdrawn
    Column("revision", Integer, nullable=False),  # goes up with every step: the ETag
    Column("words", Text, nullable=False),
    Column("frozen", Document, nullable=False),
    Column("frozen_digest", String(64), nullable=False),
    Column("raised_at", Moment, nullable=False),
    Column("raised_by", String(200), nullable=False),  # the name
    Column("raised_by_id", String(300), nullable=False),  # who it is: names are not unique
    Column("request_key", String(500), unique=True),
    Index(None, "unit"),
)

materials = Table(
    "appeal_materials",
    metadata,
    Column("digest", String(64), primary_key=True),  # SHA-256 of the content: appeals of one period share it
    Column("content", LargeBinary, nullable=False),
)

events = Table(
    "appeal_events",
    metadata,
    Column("appeal", String(32), ForeignKey("appeals.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),  # 1, 2, ... within the appeal
    Column("at", Moment, nullable=False),
    Column("by", String(200), nullable=False),
    Column("action", String(30), nullable=False),  # raise, review, uphold, reject, withdraw, reproduce
    Column("reason", Text, nullable=False),
    Column("detail", Document, nullable=False),
)
