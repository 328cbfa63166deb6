"""People, keys, webhooks, the audit, and the service itself."""

# ruff: noqa: PIE790 - the signature is all that a method has here

from __future__ import annotations

from datetime import datetime

from serving.audit_schemas import AuditEventPage, AuditVerdict
from serving.client.declared import Area, operation
from serving.identity_schemas import (
    InvitationAnswer,
    KeyAnswer,
    KeyPage,
    KeyRequest,
    MeAnswer,
    NewKeyAnswer,
    PersonAnswer,
    PersonChange,
    PersonPage,
    PersonRequest,
)
from serving.schemas import Health, Readiness
from serving.webhook_schemas import DeliveryPage, NewWebhook, TestMessage, Webhook, WebhookAsked, WebhookPage


class Service(Area):
    """The service itself, and whoever asks it."""

    @operation("health", "GET /healthz")
    def health(self) -> Health:
        """Tell whether the process lives."""
        ...

    @operation("readiness", "GET /readyz", also=(503,))
    def readiness(self) -> Readiness:
        """Tell the state of each component."""
        ...

    @operation("get_me", "GET /api/v1/me")
    def me(self) -> MeAnswer:
        """Tell who asks, with which roles."""
        ...


class People(Area):
    """Who may sign in."""

    @operation("list_people", "GET /api/v1/people")
    def list(self, *, limit: int | None = None, cursor: str | None = None) -> PersonPage:
        """List the people, by their logins."""
        ...

    @operation("get_person", "GET /api/v1/people/{login}")
    def get(self, login: str) -> PersonAnswer:
        """Look a person up."""
        ...

    @operation("add_person", "POST /api/v1/people")
    def add(self, asked: PersonRequest) -> PersonAnswer:
        """Add a person."""
        ...

    @operation("change_person", "PATCH /api/v1/people/{login}")
    def change(self, login: str, change: PersonChange, *, if_match: str) -> PersonAnswer:
        """Change a person's name or grants, or keep the person out."""
        ...

    @operation("reset_password", "POST /api/v1/people/{login}/password-reset")
    def reset_password(self, login: str) -> InvitationAnswer:
        """Invite a person to choose a password; shown once."""
        ...


class Keys(Area):
    """Keys of programs."""

    @operation("list_keys", "GET /api/v1/keys")
    def list(self, *, limit: int | None = None, cursor: str | None = None) -> KeyPage:
        """List the keys, without their secrets."""
        ...

    @operation("create_key", "POST /api/v1/keys")
    def create(self, asked: KeyRequest) -> NewKeyAnswer:
        """Make a key; shown once. Where that answer was lost, revoke it and make another."""
        ...

    @operation("revoke_key", "DELETE /api/v1/keys/{key}")
    def revoke(self, key: str) -> KeyAnswer:
        """Revoke a key, by its id."""
        ...


class Webhooks(Area):
    """Addresses that are told what happens."""

    @operation("list_webhooks", "GET /api/v1/webhooks")
    def list(self, *, limit: int | None = None, cursor: str | None = None) -> WebhookPage:
        """List the webhooks."""
        ...

    @operation("get_webhook", "GET /api/v1/webhooks/{webhook}")
    def get(self, webhook: str) -> Webhook:
        """Look a webhook up."""
        ...

    @operation("add_webhook", "POST /api/v1/webhooks")
    def add(self, asked: WebhookAsked) -> NewWebhook:
        """Add a webhook; its secret is shown once."""
        ...

    @operation("end_webhook", "DELETE /api/v1/webhooks/{webhook}")
    def end(self, webhook: str) -> Webhook:
        """End a webhook."""
        ...

    @operation("try_webhook", "POST /api/v1/webhooks/{webhook}/test")
    def send_test(self, webhook: str) -> TestMessage:
        """Send a test message."""
        ...

    @operation("list_deliveries", "GET /api/v1/webhooks/{webhook}/deliveries")
    def deliveries(self, webhook: str) -> DeliveryPage:
        """List the last deliveries."""
        ...


class Audit(Area):
    """Who saw what, and changed what."""

    @operation("list_audit_events", "GET /api/v1/audit-events")
    def list(
        self,
        *,
        principal: str | None = None,
        action: str | None = None,
        subject: str | None = None,
        request: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        dataset: str | None = None,
    ) -> AuditEventPage:
        """List the entries, the newest first."""
        ...

    @operation("verify_audit_events", "GET /api/v1/audit-events/verification")
    def verify(self) -> AuditVerdict:
        """Go through the whole chain."""
        ...

    @operation("export_audit_events", "GET /api/v1/audit-events/export")
    def export(
        self,
        *,
        principal: str | None = None,
        action: str | None = None,
        subject: str | None = None,
        request: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        dataset: str | None = None,
    ) -> bytes:
        """Give the entries as CSV, the oldest first."""
        ...
