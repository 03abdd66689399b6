"""Licences of all that is installed for abacad, and what is known of it as vulnerable.

    python benchmarks/dependencies.py

Fails where a package that abacad needs at run time has a licence that binds those who pass abacad on (GPL, AGPL), or a
known vulnerability. Vulnerabilities come from `pip-audit`, whose service has to be reached; where it is not,
that is said and the status is 2.
"""

import json
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution, requires

BINDING = re.compile(r"\bA?GPL|Affero|GNU General Public", re.IGNORECASE)
NO_BINDING = re.compile(r"LGPL|Lesser|GPL-compatible", re.IGNORECASE)


class UnavailableError(Exception):
    """Nothing is known of vulnerabilities; the message says why."""


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


def pip_audit() -> str:
    """The answer of pip-audit as JSON.

    Raises:
        UnavailableError: pip-audit is not installed, or its service cannot be reached.
    """
    words = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off", "--skip-editable"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
    except subprocess.TimeoutExpired:
        raise UnavailableError("the service did not answer in five minutes") from None
    if "No module named" in done.stderr:
        raise UnavailableError("pip-audit is not installed: pip install pip-audit")
    if not done.stdout.lstrip().startswith("{"):
        said = done.stderr.strip().splitlines() or ["pip-audit said nothing"]
        raise UnavailableError(said[-1][:200])
    return done.stdout


def vulnerabilities(answer: str) -> list[str]:
    """Each known vulnerability as `package version: id, fixed in …`, from what pip-audit answers as JSON.

    A package that the service knows nothing of is listed as one that was not asked for.

    Raises:
        UnavailableError: the answer is another, or speaks of no package at all.
    """
    try:
        packages = json.loads(answer)["dependencies"]
        found = [
            f"{one['name']} {one['version']}: {each['id']}, fixed in {', '.join(each['fix_versions']) or 'no version'}"
            for one in packages
            for each in one.get("vulns", [])
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise UnavailableError(f"the answer cannot be read ({type(error).__name__})") from error
    skipped = [one for one in packages if "vulns" not in one and "editable" not in str(one.get("skip_reason"))]
    if not any("vulns" in one for one in packages):
        # pip-audit itself says "no known vulnerabilities" here: its index knows none of these packages
        raise UnavailableError(f"nothing is known of any package: {skipped[0].get('skip_reason') if skipped else ''}")
    return [*found, *(f"{one['name']}: not asked for, {one.get('skip_reason')}" for one in skipped)]


def main() -> int:
    """Print the table, then what is wrong: 1 where something is, 2 where vulnerabilities could not be asked for."""
    found = needed("abacad")
    for name, told in sorted(found.items()):
        print(f"{name:28} {told}")
    binding = [name for name, told in found.items() if BINDING.search(told) and not NO_BINDING.search(told)]
    print(f"{len(found)} packages; licences that bind: {', '.join(binding) or 'none'}")
    unknown = [name for name, told in found.items() if told == "not told"]
    print(f"licences not told: {', '.join(unknown) or 'none'}")
    try:
        known = vulnerabilities(pip_audit())
    except UnavailableError as error:
        print(f"vulnerabilities: UNAVAILABLE, nothing is known: {error}")
        return 1 if binding else 2
    print(f"vulnerabilities: {len(known)} known", *known, sep="\n  ")
    return 1 if binding or known else 0


if __name__ == "__main__":
    raise SystemExit(main())
