"""Policies, and what they would have done."""

# ruff: noqa: PIE790 - the signature is all that a method has here

from __future__ import annotations

from typing import Literal

from serving.client.declared import Area, operation
from serving.policy_schemas import (
    ActivationAsked,
    PolicyCheckAsked,
    PolicyChecked,
    PolicyDecision,
    PolicyDetail,
    PolicyDifference,
    WithdrawalAsked,
)
from serving.score_schemas import PolicyList
from serving.simulation_schemas import (
    Simulation,
    SimulationAsked,
    SimulationCancelAsked,
    SimulationDetail,
    SimulationPage,
)


class Policies(Area):
    """The rules by which units are scored."""

    @operation("list_policies", "GET /api/v1/policies")
    def list(self, *, dataset: str | None = None) -> PolicyList:
        """List the policies, and which one answers."""
        ...

    @operation("get_policy", "GET /api/v1/policies/{policy}")
    def get(self, policy: str, *, dataset: str | None = None) -> PolicyDetail:
        """Read a policy."""
        ...

    @operation("compare_policies", "GET /api/v1/policies/diff")
    def compare(self, *, old: str, new: str, dataset: str | None = None) -> PolicyDifference:
        """Compare two policies."""
        ...

    @operation("check_policy", "POST /api/v1/policies/check")
    def check(self, asked: PolicyCheckAsked, *, dataset: str | None = None) -> PolicyChecked:
        """Tell what speaks against a policy, with the regulation."""
        ...

    @operation("activate_policy", "POST /api/v1/policies/{policy}/activate")
    def activate(self, policy: str, asked: ActivationAsked, *, dataset: str | None = None) -> PolicyDecision:
        """Put a policy in force."""
        ...

    @operation("withdraw_policy", "POST /api/v1/policies/{policy}/withdraw")
    def withdraw(self, policy: str, asked: WithdrawalAsked, *, dataset: str | None = None) -> PolicyDecision:
        """Take a policy back."""
        ...


class Simulations(Area):
    """The past under other rules."""

    @operation("list_simulations", "GET /api/v1/simulations")
    def list(
        self,
        *,
        state: Literal["waiting", "running", "done", "failed", "cancelled"] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        dataset: str | None = None,
    ) -> SimulationPage:
        """List the simulations, the newest first."""
        ...

    @operation("get_simulation", "GET /api/v1/simulations/{simulation}")
    def get(self, simulation: str) -> SimulationDetail:
        """Look a simulation up."""
        ...

    @operation("ask_for_simulation", "POST /api/v1/simulations")
    def ask(self, asked: SimulationAsked, *, dataset: str | None = None) -> Simulation:
        """Ask for a simulation; it is worked on behind."""
        ...

    @operation("get_simulation_report", "GET /api/v1/simulations/{simulation}/report")
    def report(self, simulation: str) -> str:
        """Read its report, as HTML."""
        ...

    @operation("cancel_simulation", "POST /api/v1/simulations/{simulation}/cancel")
    def cancel(self, simulation: str, asked: SimulationCancelAsked) -> Simulation:
        """Stop a simulation."""
        ...
