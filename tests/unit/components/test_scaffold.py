"""Every component's template is a declaration that works."""

import click
import pytest
from dagster.components import ScaffoldRequest

from assets.components import __all__ as components
from assets.components.scaffold import DeclarationScaffolder

KINDS = {name.lower(): name for name in components}
NAMES = {
    "source": "shop_clickstream",
    "table": "shop_events",
    "labels": "shop_engagement",
    "features": "shop_examples",
    "model": "shop_ranker",
    "refresh": "nightly",
}


@pytest.fixture
def scaffold(project):
    def write(kind, folder):
        target = project.path(folder)
        request = ScaffoldRequest(
            type_name=f"assets.components.{KINDS[kind]}",
            target_path=target,
            scaffold_format="yaml",
            project_root=project.folder,
            params=None,
        )
        DeclarationScaffolder().scaffold(request)
        return target

    return write


def test_there_is_a_template_for_every_component():
    assert set(KINDS) == set(NAMES)


@pytest.mark.parametrize("kind", sorted(NAMES))
def test_the_template_loads_beside_the_declarations_it_speaks_of(kind, project, scaffold):
    scaffold(kind, "mine")
    loaded = project.load()
    jobs = {job.name for job in loaded.jobs or ()}
    keys = {spec.key.path[0].split("__")[0] for spec in loaded.resolve_all_asset_specs()}
    assert "mine" in (jobs if kind == "refresh" else keys)


def test_the_templates_make_a_chain_of_their_own(project, scaffold):
    for folder in ("clickstream", "events", "engagement", "examples", "ranker", "nightly"):
        (project.path(folder) / "defs.yaml").unlink()
    for kind, name in NAMES.items():
        scaffold(kind, name)
    keys = {spec.key.path[0].split("__")[0] for spec in project.load().resolve_all_asset_specs()}
    assert keys == {"shop_catalogue", *NAMES.values()}


def test_a_product_file_is_written_only_where_none_stands_above(project, scaffold):
    assert not (scaffold("source", "mine") / "product.yaml").exists()
    project.path("product.yaml").unlink()
    assert (scaffold("source", "another") / "product.yaml").read_text().startswith("# A product")


def test_a_name_that_cannot_be_one_is_refused_without_a_traceback_and_leaves_nothing(project, scaffold):
    project.path("My Source").mkdir()
    with pytest.raises(click.ClickException, match="Try 'my_source'"):
        scaffold("source", "My Source")
    assert not project.path("My Source").exists()
