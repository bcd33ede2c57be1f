"""Definitions do not load when a feature would read what may hold a person's values in plain."""

import pytest

from assets.components.declaration import DeclarationError


def hinted(project, unknown):
    project.change("clickstream/defs.yaml", "unknown_columns: keep", f"unknown_columns: {unknown}")
    project.change(
        "events/defs.yaml",
        "    - dwell: {by",
        "    - derive: {columns: {hint: \"upper(coalesce(_unknown, ''))\"}}\n    - dwell: {by",
    )
    return project.change("examples/defs.yaml", "  windows:", "  attributes: {hint: user_id}\n  windows:")


def test_values_of_undeclared_fields_beside_personal_columns_do_not_become_features(project):
    line = hinted(project, "keep_values")
    with pytest.raises(DeclarationError) as caught:
        project.load()
    message = str(caught.value)
    assert message.startswith(f"{project.path('examples/defs.yaml')}:{line}: ")
    assert "'hint' of its events, which may hold personal values in plain" in message
    assert "`pii: hash`" in message


def test_the_names_of_undeclared_fields_may(project):
    hinted(project, "keep")
    assert project.load()


def test_the_distribution_of_persons_is_not_written_into_reports(project):
    project.change(
        "events/defs.yaml",
        "  gate:\n",
        "  gate:\n    - history: {watch: [distribution], columns: [user_id]}\n",
    )
    with pytest.raises(DeclarationError, match="the distribution of 'user_id' would write values of persons"):
        project.load()
