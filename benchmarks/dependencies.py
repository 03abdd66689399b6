"""Licences of all that is installed for abacad, and what is known of it as vulnerable.

    python benchmarks/dependencies.py

Fails where a package that abacad needs at run time has a licence that binds those who pass abacad on (GPL, AGPL), or a
known vulnerability. Vulnerabilities come from `pip-audit`, where it is installed and its service can be reached; if
not, that is said.
"""

import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution, requires

BINDING = re.compile(r"\bA?GPL|Affero|GNU General Public", re.IGNORECASE)
NO_BINDING = re.compile(r"LGPL|Lesser|GPL-compatible", re.IGNORECASE)


def needed(name: str, seen: dict[str, str] | None = None) -> dict[str, str]:
    """All packages that a package needs at run time, with their licences; those absent here are left out."""
    seen = {} if seen is None else seen
    for requirement in requires(name) or []:
        if "extra ==" in requirement:
            continue
        other = re.split(r"[\s;<>=!~\[(]", requirement, maxsplit=1)[0].lower().replace("_", "-")
        try:
            found = distribution(other)
        except PackageNotFoundError:
            continue  # for another system or Python
        if other not in seen:
            seen[other] = licence(found)
            needed(other, seen)
    return seen


def licence(found: object) -> str:
    """What a package says of its licence: the expression, the classifiers, or the first line of the text."""
    about = found.metadata  # type: ignore[attr-defined]
    if about.get("License-Expression"):
        return about["License-Expression"]
    classes = [one.split("::")[-1].strip() for one in about.get_all("Classifier") or [] if one.startswith("License")]
    return ", ".join(classes) or (about.get("License") or "not told").strip().splitlines()[0][:60]


def vulnerable() -> int:
    """What pip-audit says; 0 where it cannot be asked."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pip_audit", "--progress-spinner", "off"],
            capture_output=True,
            text=True,
            timeout=300,
        )
    except subprocess.TimeoutExpired:
        print("Vulnerabilities: the service did not answer in five minutes; nothing is known.")
        return 0
    told = (done.stdout + done.stderr).strip()
    if "No module named" in told or "ConnectionError" in told or "Max retries" in told or "Traceback" in told:
        print(f"Vulnerabilities: not asked for. {told.splitlines()[-1][:160]}")
        return 0
    print(told)
    return done.returncode


def main() -> int:
    """Print the table, then what is wrong."""
    found = needed("abacad")
    for name, told in sorted(found.items()):
        print(f"{name:28} {told}")
    binding = [name for name, told in found.items() if BINDING.search(told) and not NO_BINDING.search(told)]
    print(f"{len(found)} packages; licences that bind: {', '.join(binding) or 'none'}")
    return 1 if binding or vulnerable() else 0


if __name__ == "__main__":
    raise SystemExit(main())
