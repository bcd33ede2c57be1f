"""The plots of a training show what it was measured on, beside what it learned from."""

from assets.components.plots import _curves, training_curves

HISTORY = [
    {"epoch": 1, "loss": 0.7, "validation_log_loss": 0.71, "validation_auc": 0.5},
    {"epoch": 2, "loss": 0.5, "validation_log_loss": 0.65, "validation_auc": 0.6},
]


def test_validation_curves_stand_beside_those_of_training():
    curves = _curves(HISTORY)
    assert curves["loss"] == {"training": {1: 0.7, 2: 0.5}, "validation": {1: 0.71, 2: 0.65}}
    (auc,) = [lines for title, lines in curves.items() if "AUC" in title.upper()]
    assert list(auc.values()) == [{1: 0.5, 2: 0.6}]


def test_the_plot_tells_which_curves_it_shows():
    shown = training_curves(HISTORY)["training_plot"].value
    assert "training" in shown
    assert "validation" in shown


def test_without_an_epoch_there_is_no_plot():
    assert training_curves([]) == {}
