"""Example files that people read in `deploy/`, and that commands need wherever hazwatch runs."""

from pathlib import Path

_HERE = Path(__file__).parent
_SITES = (_HERE / "sites", _HERE.parent / "deploy" / "sites")
"""In an installed wheel, and in a clone."""


def site_file(name: str) -> Path:
    """A site file that comes with hazwatch, such as `demo.yaml`; `FileNotFoundError` if none
    does."""
    for folder in _SITES:
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(f"no site file {name} in {' or '.join(map(str, _SITES))}")
