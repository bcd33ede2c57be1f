"""Launchers start the workers of a task, watch over them, and start them again after a fault."""

from training.launchers.launcher import LAUNCHERS, Launcher, LaunchError, Relay
from training.launchers.local import LocalLauncher

__all__ = ["LAUNCHERS", "LaunchError", "Launcher", "LocalLauncher", "Relay"]
