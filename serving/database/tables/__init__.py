"""The tables, one module a subject; `metadata` knows them all once this package is imported."""

from serving.database.tables import appeals, audit, idempotency, identity, plans, simulations, webhooks
from serving.database.tables.base import metadata

__all__ = ["appeals", "audit", "idempotency", "identity", "metadata", "plans", "simulations", "webhooks"]
