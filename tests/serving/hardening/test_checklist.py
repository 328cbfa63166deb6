"""The hardening checklist: each line names the tests that hold it, and every named test exists."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2]
CHECKLIST = {
    "route_authz": """
        serving/access/test_route_authz.py::test_every_address_has_a_rule_and_an_area
        serving/access/test_route_authz.py::test_route_authz
        serving/access/test_route_authz.py::test_an_address_without_a_rule_is_open_to_nobody
        serving/access/test_route_authz.py::test_an_address_that_came_later_is_not_answered
        serving/test_auth.py::test_every_route_is_public_by_the_list_or_refuses_a_stranger
    """,
    "idor": """
        serving/access/test_idor.py::test_idor
        serving/access/test_idor.py::test_lists_hold_the_subtree_and_nothing_else
        serving/access/test_idor.py::test_score_pages_and_files_hold_own_scores_alone_with_ranks_among_all
        serving/access/test_idor.py::test_explanations_name_no_other_unit
        serving/access/test_idor.py::test_a_real_key_reaches_as_far_as_its_grants
    """,
    "jwt": """
        serving/identity/test_oidc.py::test_jwt_every_forged_token_is_refused
        serving/identity/test_oidc.py::test_jwt_what_the_clocks_may_differ_by
        serving/identity/test_oidc.py::test_jwt_keys_change_and_old_ones_end
        serving/identity/test_oidc.py::test_jwt_a_replayed_or_foreign_state_is_refused
    """,
    "login": """
        serving/identity/test_sign_in.py::test_login_nobody_gets_in_by_default
        serving/identity/test_sign_in.py::test_login_every_failure_is_answered_alike
        serving/identity/test_passwords.py::test_login_nobodys_password_costs_the_same_verification
        serving/identity/test_sign_in.py::test_login_is_checked_once_whoever_is_named
        serving/identity/test_sign_in.py::test_login_attempts_are_throttled_and_say_for_how_long
        serving/identity/test_sign_in.py::test_login_one_address_cannot_try_many_names
    """,
    "csrf_headers": """
        serving/test_auth.py::test_csrf_headers_a_session_changes_nothing_without_its_token
        serving/test_auth.py::test_csrf_headers_even_with_the_token_other_sites_are_refused
        serving/test_auth.py::test_csrf_headers_nobody_is_signed_in_from_another_site
        serving/identity/test_accounts_over_http.py::test_csrf_headers_every_form_of_the_accounts_needs_its_token
        serving/test_auth.py::test_over_tls_the_cookie_is_secure
        serving/test_auth.py::test_every_answer_carries_the_protecting_headers
        serving/test_auth.py::test_other_host_names_are_refused
    """,
    "fuzz": """
        serving/hardening/test_fuzz.py::test_fuzz_the_whole_description_with_every_role
        serving/hardening/test_hostile_input.py::test_fuzz_hostile_words_in_every_text_of_every_body
        serving/hardening/test_hostile_input.py::test_fuzz_hostile_figures_in_every_number_of_every_body
        serving/hardening/test_hostile_input.py::test_fuzz_broken_bodies_everywhere
        serving/hardening/test_hostile_input.py::test_fuzz_hostile_names_in_every_parameter
        serving/hardening/test_hostile_input.py::test_fuzz_hostile_names_in_every_page
        serving/hardening/test_hostile_input.py::test_fuzz_header_tricks
    """,
    "upload": """
        serving/plan_documents/test_api_plan_papers.py::test_a_sheet_of_too_many_bytes_is_refused_chunked_or_not
        serving/operations/test_limits.py::test_a_body_in_pieces_is_too_large_for_the_api_too
        serving/plan_documents/test_hostile_upload.py::test_entities_are_refused_wherever_they_are
        serving/plan_documents/test_hostile_upload.py::test_a_part_that_unpacks_to_thousands_of_times_its_size_is_refused
        serving/plan_documents/test_hostile_upload.py::test_a_book_of_thousands_of_parts_is_refused
        serving/plan_documents/test_hostile_upload.py::test_names_that_leave_the_folder_write_nothing
    """,
    "formula": """
        serving/hardening/test_formula.py::test_formula_every_download_is_looked_at
        serving/hardening/test_formula.py::test_formula_no_cell_comes_alive
        serving/plan_documents/test_book.py::test_nothing_in_it_is_a_formula_or_a_link
        serving/test_cli_review.py::test_a_table_on_disk_holds_no_formula
    """,
    "artifact_tamper": """
        models/test_bundle.py::test_any_flipped_byte_is_refused
        models/test_bundle.py::test_a_file_cut_short_or_missing_is_refused
        models/test_bundle.py::test_a_manifest_that_points_elsewhere_is_refused_before_anything_is_read
        training/promotion/test_damage.py::test_flipped_bytes_all_over_are_refused
        training/promotion/test_damage.py::test_every_file_cut_short_emptied_lengthened_or_lost_is_refused
        training/promotion/test_damage.py::test_a_name_that_leads_elsewhere_is_refused
        serving/test_in_service.py::test_a_damaged_champion_is_left_and_the_last_good_one_answers
        serving/test_in_service.py::test_a_model_that_kills_whoever_loads_it_kills_no_service
    """,
    "registry_down": """
        serving/test_registry_state.py::test_the_service_answers_on_while_the_registry_is_gone
        serving/test_registry_state.py::test_a_server_that_answers_and_one_that_is_away
        training/test_track.py::test_promotion_goes_on_without_a_registry
    """,
    "swap_load": "serving/test_in_service.py::test_promotions_while_clients_ask_without_pause",
    "kill9_train": """
        training/retraining/test_killed.py::test_killed_at_every_step_boundary
        training/retraining/test_killed.py::test_killed_at_random_moments
        serving/test_api_training.py::test_a_worker_that_is_killed_leaves_its_run_to_the_next
    """,
    "kill9_promote": """
        training/test_promote.py::test_a_kill_at_any_moment_leaves_one_whole_champion
        training/promotion/test_promote_candidate.py::test_kills_at_random_moments_leave_one_whole_champion
        training/promotion/test_aliases.py::test_kills_at_random_moments_leave_no_alias_dangling
    """,
    "promote_race": """
        serving/hardening/test_promote_race.py::test_promote_race_two_processes_have_one_winner
        training/promotion/test_promote_candidate.py::test_two_processes_at_once_have_one_winner
    """,
    "idempotency": """
        serving/operations/test_idempotency.py::test_the_same_again_gives_the_first_answer
        serving/operations/test_idempotency.py::test_the_key_with_another_request_is_refused
        serving/operations/test_idempotency.py::test_while_the_first_is_being_answered_the_second_is_told_to_wait
        serving/operations/test_idempotency.py::test_fifty_at_once_make_one_thing
        serving/operations/test_one_plan.py::test_the_same_key_fifty_times_at_once_makes_one_plan
    """,
    "audit_chain": """
        serving/audit/test_audit_chain.py::test_tampering_is_told_with_its_first_number
        serving/audit/test_audit_chain.py::test_no_field_can_be_changed
        serving/audit/test_audit_chain.py::test_no_order_but_the_right_one_holds_and_nothing_can_be_left_out
        serving/audit/test_carrying.py::test_an_anchor_is_kept_each_day_that_the_chain_grows
    """,
    "diskfull": """
        serving/operations/test_diskfull.py::test_a_full_database_answers_507_and_stays_whole
        serving/operations/test_diskfull.py::test_where_no_file_can_grow_nothing_is_changed_and_nothing_shown
        serving/audit/test_middleware.py::test_diskfull_nothing_is_shown_that_cannot_be_noted
        serving/audit/test_carrying.py::test_diskfull_an_event_is_kept_whole_or_refused
    """,
    "sqlite_guard": """
        serving/database/test_guard.py::test_sqlite_guard_several_processes_need_a_version_that_keeps_what_they_write
        serving/database/test_guard.py::test_sqlite_guard_a_file_system_of_another_machine_is_refused
    """,
    "clock": """
        serving/operations/test_clock_and_headers.py::test_clock_a_jump_of_a_day_breaks_nothing_wherever_the_machine_is
        serving/operations/test_idempotency.py::test_clock_a_jump_of_a_day_leaves_no_request_stuck
        serving/identity/test_people.py::test_clock_a_jump_of_a_day_breaks_nothing
        serving/audit/test_carrying.py::test_a_clock_that_goes_back_changes_no_order
    """,
    "drain": """
        serving/operations/test_http_server.py::test_drain_told_to_stop_under_load_every_request_is_answered
        serving/operations/test_readiness.py::test_drain_a_service_that_is_told_to_stop_is_not_ready_and_keeps_no_connection
    """,
    "rate": """
        serving/operations/test_limits.py::test_rate_each_principal_has_a_limit_of_its_own
        serving/operations/test_limits.py::test_rate_strangers_are_slowed_down_by_address_and_health_never
        serving/operations/test_limits.py::test_rate_is_on_where_nobody_has_set_it_otherwise
    """,
    "migrate": """
        serving/database/test_upgrading.py::test_down_and_up_again_with_rows_in_every_table
        serving/database/test_upgrading.py::test_from_each_revision_with_rows_to_the_last
        serving/backup/test_backup.py::test_all_of_it_comes_back_in_the_other_kind_of_database
        serving/backup/test_backup.py::test_a_backup_of_an_earlier_revision_is_brought_up
    """,
    "import_budget": "serving/hot/test_workers.py::test_import_budget",
    "errors": """
        serving/test_app.py::test_what_nobody_expected_is_a_bare_500_and_is_logged
        serving/operations/test_logs.py::test_errors_what_was_sent_is_neither_in_the_answer_nor_in_the_log
        serving/operations/test_logs.py::test_errors_a_fault_is_told_by_its_kind_and_place
        serving/operations/test_logs.py::test_errors_a_database_error_names_no_value
    """,
}
"""What must hold of a service that is trusted with people's results, and by which tests it does."""
SKIPS = {"skip", "skipif", "xfail"}


@cache
def named_in(file: Path) -> dict[str, ast.FunctionDef]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {one.name: one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name.startswith("test_")}


@pytest.mark.parametrize("line", CHECKLIST)
def test_every_line_is_held_by_tests_that_exist_and_are_not_skipped(line: str):
    named = CHECKLIST[line].split()
    assert named
    for name in named:
        file, _, test = name.partition("::")
        assert (TESTS / file).is_file(), name
        found = named_in(TESTS / file).get(test)
        assert found is not None, name
        marks = {node.attr for one in found.decorator_list for node in ast.walk(one) if isinstance(node, ast.Attribute)}
        assert not marks & SKIPS, f"{name} is left out somewhere"
