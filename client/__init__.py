"""The programs people run: nodes, auditors, requesters and the demo."""


def read_version() -> str:
    """The installed version of this package."""
    from importlib.metadata import version  # noqa: PLC0415 -- slow, and only asked for when shown or reported

    return version("tallystick")
