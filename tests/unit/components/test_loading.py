"""All problems are told at once, and the products without problems load all the same."""

import shutil
import sys

import dagster as dg
import pytest
from dagster._utils.warnings import disable_dagster_warnings
from dagster.components.core.component_tree import ComponentTree

from assets.components.declaration import DeclarationError
from assets.components.loading import load
from orchestration.resources import resources


@pytest.fixture
def two(project):
    """The shop, and a second product with other names beside it."""
    other = project.defs / "outlet"
    shutil.copytree(project.defs / "shop", other)
    for path in other.rglob("*.yaml"):
        path.write_text(path.read_text().replace("shop_", "outlet_").replace("group:shop", "group:outlet"))
    return project


def loaded(project, *, strict=False):
    sys.path.insert(0, str(project.folder))
    try:
        with disable_dagster_warnings():
            declared = load(ComponentTree.for_project(project.folder), strict=strict)
            return dg.Definitions.merge(declared, dg.Definitions(resources=resources()))
    finally:
        sys.path.remove(str(project.folder))


def names(definitions):
    return {key.to_user_string() for key in definitions.resolve_asset_graph().get_all_asset_keys()}


def test_what_has_no_problem_loads_as_it_does_without_tolerance(two):
    assert names(loaded(two)) == names(two.load())


def test_every_problem_of_every_kind_is_told_at_once(two):
    lines = [
        two.change("clickstream/defs.yaml", "    follow:", "    folow:"),
        two.change("events/defs.yaml", "gap: 30m", "gap: soon"),
        two.change("ranker/defs.yaml", "kind: ranker", "kind: rankr"),
    ]
    two.add("nightly/defs.yaml", "type: assets.components.Refresh\nattributes: [\n")
    (two.defs / "outlet" / "examples" / "defs.yaml").write_text("type: assets.components.Featurs\nattributes: {}\n")
    with pytest.raises(DeclarationError) as caught:
        loaded(two, strict=True)
    message = str(caught.value)
    for file, line in zip(("clickstream", "events", "ranker"), lines, strict=True):
        assert f"{two.path(file)}/defs.yaml:{line}: " in message
    assert "nightly/defs.yaml" in message
    assert "Featurs" in message
    # The sixth: what is declared in a file that cannot be read is not there for those who refer to it.
    assert "no features declaration is named 'outlet_examples'" in message
    assert message.startswith("6 problems in the declarations of 'outlet', 'shop':")


def test_the_other_product_loads_and_the_broken_one_says_what_is_wrong(two, tmp_path):
    two.change("clickstream/defs.yaml", "    follow:", "    folow:")
    definitions = loaded(two)
    found = names(definitions)
    assert "outlet_events" in found
    assert {name for name in found if name.startswith("shop_")} == {"shop__declarations"}
    spec = definitions.resolve_asset_graph().get(dg.AssetKey("shop__declarations"))
    assert "did you mean 'follow'?" in spec.description
    (schedule,) = [s for s in definitions.schedules if s.name == "shop__declarations_schedule"]
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path / "dagster")) as instance:
        result = dg.materialize(
            [definitions.resolve_assets_def("shop__declarations")], raise_on_error=False, instance=instance
        )
    assert not result.success
    assert "did you mean 'follow'?" in result.failure_data_for_node("shop__declarations").error.message


def test_a_product_that_reads_from_a_broken_one_is_left_out_with_the_reason(two):
    line = two.change("clickstream/defs.yaml", "    follow:", "    folow:")
    path = two.defs / "outlet" / "engagement" / "defs.yaml"
    path.write_text(path.read_text().replace("from: outlet_events", "from: shop_events"))
    with pytest.raises(DeclarationError) as caught:
        loaded(two, strict=True)
    own, _, following = str(caught.value).partition("outlet/")
    assert own.startswith("1 problem in the declarations of")
    assert f"clickstream/defs.yaml:{line}: " in own
    assert "mend those first" in following
    assert names(loaded(two)) == {"outlet__declarations", "shop__declarations"}


def test_a_product_file_that_is_wrong_is_one_problem_and_not_one_for_each_declaration(two):
    two.add("product.yaml", "start: someday\n")
    with pytest.raises(DeclarationError) as caught:
        loaded(two, strict=True)
    assert str(caught.value).startswith("1 problem in the declarations of 'shop':")
