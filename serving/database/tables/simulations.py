"""Simulations: other rules on past periods, asked for and worked on in the background."""

from sqlalchemy import Column, Index, Integer, String, Table, Text

from serving.database.tables.base import Document, Moment, metadata

simulations = Table(
    "simulations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("dataset", String(200), nullable=False),
    Column("title", String(200), nullable=False),
    Column("state", String(20), nullable=False),  # waiting, running, done, failed, cancelled
    Column("revision", Integer, nullable=False),
    Column("asked", Document, nullable=False),  # with the policies and the change themselves, as they were then
    Column("progress", Document),  # stage, done, total
    Column("result", Document),
    Column("trouble", Text, nullable=False),
    Column("asked_at", Moment, nullable=False),
    Column("asked_by", String(200), nullable=False),
    Column("finished_at", Moment),
    Column("held_by", String(32), nullable=False),  # whoever works on it; blank for nobody
    Column("held_until", Moment),  # until then it may be taken for alive
    Column("attempts", Integer, nullable=False),  # how often it was begun
    Column("request_key", String(500), unique=True),
    Index(None, "state", "asked_at"),
)
