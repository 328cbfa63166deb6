"""One rule for each address: which roles may, in their subtree or everywhere, and whether the audit notes it.

What has no rule here is refused to everybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from serving.access.principal import Role

HR, RISK, MANAGER = Role.HR, Role.RISK, Role.MANAGER
DATA_SCIENTIST, AUDITOR, ADMIN = Role.DATA_SCIENTIST, Role.AUDITOR, Role.ADMIN
EVERY_ROLE = frozenset(Role)


@dataclass(frozen=True, slots=True)
class Rule:
    """What is asked of whoever comes to an address.

    Attributes
    ----------
    roles : frozenset of Role
        One of them is needed.
    audit : {"", "read", "change"}
        What the audit notes: nothing, that a result about people's work was seen, or that something was changed.
    about : str
        The parameter of the path or query that names what it is about, for the audit: "unit", "plan".
    whole : bool
        The role must be held for all units: what is found here is not divided by units.
    anybody : bool
        Answers those who are not signed in, too.
    """

    roles: frozenset[Role]
    audit: Literal["", "read", "change"] = ""
    about: str = ""
    whole: bool = False
    anybody: bool = False


ANYBODY = Rule(EVERY_ROLE, anybody=True)
SIGNED_IN = Rule(EVERY_ROLE)
CATALOGUE = Rule(frozenset({HR, RISK, MANAGER, DATA_SCIENTIST, AUDITOR}))
"""What there is and by which rules, without a result in it."""
VERSIONS = Rule(frozenset({HR, RISK, DATA_SCIENTIST, AUDITOR}), whole=True)
MODELS = Rule(frozenset({DATA_SCIENTIST, AUDITOR}), whole=True)
PREDICTIONS = Rule(frozenset({DATA_SCIENTIST, RISK, AUDITOR}), whole=True)
MODEL_CHANGE = Rule(frozenset({DATA_SCIENTIST}), audit="change", about="name", whole=True)
TARGETS = frozenset({HR, RISK, MANAGER, DATA_SCIENTIST, AUDITOR})
SCORES = frozenset({HR, RISK, MANAGER, AUDITOR})
ALERTS = frozenset({HR, RISK, MANAGER, AUDITOR})
"""HR and managers see what was confirmed and released alone; see `serving.api.alert_desk`."""
REVIEW = Rule(frozenset({RISK}), audit="change", about="alert")
PLANS = frozenset({HR, RISK, MANAGER, AUDITOR})
"""Managers see what was published, of their subtree alone; see `serving.api.plan_desk`."""
PLAN_CHANGE = Rule(frozenset({HR}), audit="change", about="plan", whole=True)
LINE_CHANGE = Rule(frozenset({HR}), audit="change", about="unit")
WEBHOOKS = Rule(frozenset({ADMIN, AUDITOR}), whole=True)
WEBHOOK_CHANGE = Rule(frozenset({ADMIN}), audit="change", about="webhook", whole=True)
AUDIT = Rule(frozenset({AUDITOR, ADMIN}), audit="read", whole=True)

PEOPLE = Rule(frozenset({ADMIN, AUDITOR}), whole=True)
PEOPLE_CHANGE = Rule(frozenset({ADMIN}), audit="change", about="login", whole=True)
KEY_CHANGE = Rule(frozenset({ADMIN}), audit="change", about="key", whole=True)

APPEALS = frozenset({HR, MANAGER, AUDITOR})
SIMULATIONS = Rule(frozenset({HR, RISK, DATA_SCIENTIST, AUDITOR}), whole=True)

RULES: Mapping[str, Rule] = {
    # Health and the description of the service
    "health": ANYBODY,
    "readiness": ANYBODY,
    "metrics": Rule(frozenset({DATA_SCIENTIST, ADMIN}), whole=True),
    "openapi": SIGNED_IN,
    "static": SIGNED_IN,
    # Units, indicators, data
    "list_units": SIGNED_IN,  # administrators grant subtrees
    "get_unit": SIGNED_IN,
    "list_indicators": CATALOGUE,
    "get_indicator": CATALOGUE,
    "list_snapshots": VERSIONS,
    # Targets and scores
    "get_targets": Rule(TARGETS, audit="read", about="unit"),
    "get_score": Rule(SCORES, audit="read", about="unit"),
    "explain_score": Rule(SCORES, audit="read", about="unit"),
    "list_policies": CATALOGUE,
    "get_policy": CATALOGUE,
    "compare_policies": CATALOGUE,
    "check_policy": Rule(frozenset({HR, DATA_SCIENTIST}), whole=True),
    "activate_policy": Rule(frozenset({HR}), audit="change", about="policy", whole=True),
    "withdraw_policy": Rule(frozenset({HR}), audit="change", about="policy", whole=True),
    "list_observations": Rule(TARGETS, audit="read", about="unit"),
    "hand_in_observations": Rule(frozenset({HR, DATA_SCIENTIST}), audit="change", whole=True),
    "ask_outlook": Rule(TARGETS, audit="read"),
    "propose_calibration": Rule(frozenset({HR, AUDITOR}), audit="read"),
    # Simulations
    "list_simulations": SIMULATIONS,
    "get_simulation": SIMULATIONS,
    "get_simulation_report": SIMULATIONS,
    "ask_for_simulation": Rule(frozenset({HR, DATA_SCIENTIST}), audit="change", whole=True),
    "cancel_simulation": Rule(frozenset({HR, DATA_SCIENTIST}), audit="change", about="simulation", whole=True),
    # Appeals
    "list_appeals": Rule(APPEALS, audit="read", about="unit"),
    "get_appeal": Rule(APPEALS, audit="read", about="appeal"),
    "list_appeal_events": Rule(APPEALS, audit="read", about="appeal"),
    "raise_appeal": Rule(frozenset({HR, MANAGER}), audit="change"),
    "withdraw_appeal": Rule(frozenset({HR, MANAGER}), audit="change", about="appeal"),
    "review_appeal": Rule(frozenset({HR}), audit="change", about="appeal"),
    "uphold_appeal": Rule(frozenset({HR}), audit="change", about="appeal"),
    "reject_appeal": Rule(frozenset({HR}), audit="change", about="appeal"),
    "reproduce_appeal": Rule(APPEALS, audit="change", about="appeal"),
    # Target plans
    "list_plans": Rule(PLANS),
    "get_plan": Rule(PLANS),
    "get_plan_summary": Rule(frozenset({HR, RISK, AUDITOR}), whole=True),
    "list_plan_events": Rule(frozenset({HR, RISK, AUDITOR}), whole=True),
    "list_plan_lines": Rule(PLANS, audit="read", about="plan"),
    "get_plan_line": Rule(PLANS, audit="read", about="unit"),
    "change_plan_line": LINE_CHANGE,
    "reset_plan_line": LINE_CHANGE,
    "draft_plan": PLAN_CHANGE,
    "reallocate_plan": PLAN_CHANGE,
    "undo_plan_change": PLAN_CHANGE,
    "submit_plan": PLAN_CHANGE,
    "approve_plan": PLAN_CHANGE,
    "return_plan": PLAN_CHANGE,
    "publish_plan": PLAN_CHANGE,
    "withdraw_plan": PLAN_CHANGE,
    "revise_plan": PLAN_CHANGE,
    "change_plan_lines": PLAN_CHANGE,
    "compare_plan_sheet": PLAN_CHANGE,
    "export_plan": Rule(PLANS, audit="read", about="plan"),
    "get_letter": Rule(PLANS, audit="read", about="unit"),
    "get_letters": Rule(PLANS, audit="read", about="plan"),
    # Alerts
    "list_alerts": Rule(ALERTS, audit="read"),
    "get_alert": Rule(ALERTS, audit="read", about="alert"),
    "explain_alert": Rule(ALERTS, audit="read", about="alert"),
    "get_alert_record": Rule(frozenset({RISK, DATA_SCIENTIST, AUDITOR}), whole=True),
    "decide_alert": REVIEW,
    "note_alert": REVIEW,
    "assign_alert": REVIEW,
    "link_alert": REVIEW,
    "release_alert": REVIEW,
    "undo_alert_entry": REVIEW,
    # Predictions for rows that whoever asks has computed
    "get_warning_model": PREDICTIONS,
    "predict": replace(PREDICTIONS, audit="read"),
    "explain_predictions": replace(PREDICTIONS, audit="read"),
    # Models and their training
    "list_training_runs": MODELS,
    "ask_for_training": Rule(frozenset({DATA_SCIENTIST}), audit="change", whole=True),
    "get_training_run": MODELS,
    "list_training_run_events": MODELS,
    "get_shadow_report": Rule(frozenset({HR, AUDITOR}), audit="read", about="name", whole=True),  # scores by unit
    "cancel_training_run": MODEL_CHANGE,
    "list_models": MODELS,
    "get_model": MODELS,
    "get_model_version": MODELS,
    "get_model_card": MODELS,
    "promote_model": MODEL_CHANGE,
    "roll_model_back": MODEL_CHANGE,
    "get_monitoring": MODELS,
    "list_proposals": MODELS,
    "get_proposal": MODELS,
    "accept_proposal": MODEL_CHANGE,
    "dismiss_proposal": MODEL_CHANGE,
    # Webhooks
    "list_webhooks": WEBHOOKS,
    "get_webhook": WEBHOOKS,
    "list_deliveries": WEBHOOKS,
    "add_webhook": WEBHOOK_CHANGE,
    "end_webhook": WEBHOOK_CHANGE,
    "try_webhook": WEBHOOK_CHANGE,
    # People, keys, and whoever asks
    "get_me": SIGNED_IN,
    "list_people": PEOPLE,
    "get_person": PEOPLE,
    "add_person": PEOPLE_CHANGE,
    "change_person": PEOPLE_CHANGE,
    "reset_password": PEOPLE_CHANGE,
    "list_keys": PEOPLE,
    "create_key": KEY_CHANGE,
    "revoke_key": KEY_CHANGE,
    "account_page": SIGNED_IN,
    "change_own_password": Rule(EVERY_ROLE, audit="change"),
    "people_page": PEOPLE,
    "post_person": PEOPLE_CHANGE,
    "post_person_change": PEOPLE_CHANGE,
    "post_invitation": PEOPLE_CHANGE,
    "post_key": KEY_CHANGE,
    "post_key_revocation": KEY_CHANGE,
    # Pages
    "home": SIGNED_IN,
    "unit_list": SIGNED_IN,
    "unit_page": Rule(TARGETS, audit="read", about="code"),
    "path_page": Rule(TARGETS, audit="read", about="code"),
    "export": Rule(TARGETS, audit="read", about="code"),
    "score_list": Rule(SCORES, audit="read"),
    "score_page": Rule(SCORES, audit="read", about="code"),
    "export_scores": Rule(SCORES, audit="read", about="code"),
    "alert_list": Rule(ALERTS, audit="read"),
    "alert_page": Rule(ALERTS, audit="read", about="key"),
    "export_alerts": Rule(ALERTS, audit="read"),
    "export_pack": Rule(frozenset({RISK, AUDITOR}), audit="read", about="key"),  # holds what reviewers wrote
    "model_list": MODELS,
    "model_page": MODELS,
    "run_list": MODELS,
    "run_page": MODELS,
    "watch_page": MODELS,
    "post_alert_act": replace(REVIEW, about="key"),
    # Pages of target plans
    "plan_list": Rule(PLANS),
    "plan_page": Rule(PLANS, audit="read", about="plan"),
    "plan_line_page": Rule(PLANS, audit="read", about="unit"),
    "post_plan_line": LINE_CHANGE,
    "plan_draft_page": Rule(frozenset({HR}), whole=True),
    "post_plan_draft": PLAN_CHANGE,
    "plan_step_page": Rule(frozenset({HR}), whole=True),
    "post_plan_step": PLAN_CHANGE,
    "plan_reallocation_page": Rule(frozenset({HR}), whole=True),
    "post_plan_reallocation": PLAN_CHANGE,
    "plan_import_page": Rule(frozenset({HR}), whole=True),
    "post_plan_sheet": PLAN_CHANGE,
    "post_plan_changes": PLAN_CHANGE,
    # Pages of appeals
    "appeal_list": Rule(APPEALS, audit="read"),
    "appeal_page": Rule(APPEALS, audit="read", about="name"),
    "post_appeal": Rule(frozenset({HR, MANAGER}), audit="change"),
    "post_answer": Rule(frozenset({HR}), audit="change"),
    "post_withdrawal": Rule(frozenset({HR, MANAGER}), audit="change"),
    "post_reproduction": Rule(APPEALS, audit="change"),
    # The audit
    "list_audit_events": AUDIT,
    "verify_audit_events": AUDIT,
    "export_audit_events": AUDIT,
    "audit_page": AUDIT,
    "export_audit": AUDIT,
}
"""By the operation's id in the API, by the name of the function for pages."""
