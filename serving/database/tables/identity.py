"""People, what they may do, their sessions, and the keys of programs."""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from serving.database.tables.base import Moment, metadata

people = Table(
    "people",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("login", String(200), nullable=False, unique=True),  # case-folded: no two people differ by case alone
    Column("name", String(200), nullable=False),
    Column("password_hash", Text),  # argon2id; NULL for those who sign in elsewhere
    Column("issuer", String(500)),
    Column("subject", String(255)),
    Column("created_at", Moment, nullable=False),
    Column("created_by", String(200), nullable=False),
    Column("disabled_at", Moment),
    Column("revision", Integer, nullable=False),
    UniqueConstraint("issuer", "subject"),
)

invitations = Table(
    "invitations",  # to choose a password, once
    metadata,
    Column("person", String(32), ForeignKey("people.id", ondelete="CASCADE"), primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("ends_at", Moment, nullable=False),
)

keys = Table(
    "keys",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("shown", String(16), nullable=False),  # the first characters, to tell keys apart
    Column("created_at", Moment, nullable=False),
    Column("created_by", String(200), nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("revoked_at", Moment),
    Column("last_used_at", Moment),
)

grants = Table(
    "grants",
    metadata,
    Column("holder", String(32), primary_key=True),  # id of a person or a key
    Column("role", String(20), primary_key=True),
    Column("unit", String(200), primary_key=True),  # head of the subtree; blank for all units
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("person", String(32), ForeignKey("people.id", ondelete="CASCADE")),  # NULL for the machine's own key
    Column("csrf", String(64), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
    Index(None, "ends_at"),
)

attempts = Table(
    "sign_in_attempts",
    metadata,
    Column("subject", String(64), primary_key=True),  # digest of a login, an address, or both
    Column("failures", Integer, nullable=False),
    Column("last_at", Moment, nullable=False),
    Index(None, "last_at"),
)

oidc_states = Table(
    "oidc_states",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("nonce", String(64), nullable=False),
    Column("verifier", String(128), nullable=False),
    Column("created_at", Moment, nullable=False),
)
