"""Every Python block of the documentation runs, file by file, top to bottom, as a plain script."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = [
    path
    for path in sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md")])
    if "```python" in path.read_text(encoding="utf-8")
]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)


def blocks(path: Path) -> list[tuple[str, str]]:
    return FENCE.findall(path.read_text(encoding="utf-8"))


def as_parameter(path: Path):
    needs_keras = "keras" in "".join(code for kind, code in blocks(path) if kind == "python")
    marks = [pytest.mark.keras, pytest.mark.slow] if needs_keras else []
    return pytest.param(path, id=str(path.relative_to(ROOT)), marks=marks)


@pytest.mark.parametrize("path", [as_parameter(path) for path in FILES])
def test_the_python_blocks_of_a_page_run(path, tmp_path):
    program = "\n".join(code for kind, code in blocks(path) if kind == "python")
    script = tmp_path / "page.py"
    script.write_text(program, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"


def test_every_block_says_what_it_is():
    known = {"python", "text", "console", "toml", "mermaid"}
    for path in [ROOT / "README.md", *ROOT.glob("**/*.md")]:
        if ".venv" in path.parts or "node_modules" in path.parts:
            continue
        for kind, code in blocks(path):
            assert kind in known, f"{path}: a block of kind {kind!r}: {code[:60]!r}"


def test_every_make_target_that_a_page_names_exists():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"`make ([a-z]+)", path.read_text(encoding="utf-8")):
            assert target in targets, f"{path} names `make {target}`"


def test_every_link_within_the_documentation_leads_somewhere():
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{path} links to {target}"
