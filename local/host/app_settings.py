"""Has the app read its settings before the host serves, so that a wrong one ends the start and not each call."""

import sys
from pathlib import Path

from local.host.settings import SettingsError

MODULE = "shared.settings"


def check_settings(app_dir: Path) -> None:
    """Ask the indexed app for its settings; an app that has none of its own is let be.

    Raises:
        SettingsError: settings of the app are wrong; a line for each.
    """
    # Asked of what the app itself imported: another app has no such module, and gets none from here.
    module = sys.modules.get(MODULE)
    file = getattr(module, "__file__", None)
    if module is None or file is None or not Path(file).is_relative_to(app_dir):
        return
    try:
        module.read()
    except module.WrongSettingsError as error:
        raise SettingsError(str(error)) from error
