"""Simulations: other rules on past periods, asked for and worked on in the background."""

from sqlalchemy import Column, Integer, String, Table, Text

from serving.database.tables.base import Document, Moment, metadata

simulations = Table(
    "simulations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("dataset", String(200), nullable=False),
    Column("state", String(20), nullable=False),  # waiting, running, done, failed, cancelled
    Column("revision", Integer, nullable=False),
    Column("asked", Document, nullable=False),
    Column("result", Document),
    Column("trouble", Text, nullable=False),
    Column("asked_at", Moment, nullable=False),
    Column("asked_by", String(200), nullable=False),
    Column("finished_at", Moment),
    Column("held_until", Moment),  # whoever works on it says how long it may be taken for alive
    Column("request_key", String(500), unique=True),
)
