"""The layout of the sources: three roots, one package, and what may load what."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = {layer: ROOT / layer for layer in ("domain", "application", "adapters")}
PORTIONS = sorted(
    portion
    for source in SOURCES.values()
    for portion in (source / "hypernets").iterdir()
    if portion.is_dir() and portion.name != "__pycache__"
)
MODULES = sorted(path for source in SOURCES.values() for path in source.rglob("*.py"))


def name_of(path: Path) -> str:
    source = next(source for source in SOURCES.values() if path.is_relative_to(source))
    parts = path.relative_to(source).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def names_in(portion: str) -> list[str]:
    names = map(name_of, MODULES)
    return [name for name in names if f"{name}.".startswith(f"hypernets.{portion}.")]


def python(program: str, *options: str) -> str:
    """Run a program in a fresh interpreter; return what it prints."""
    done = subprocess.run(
        [sys.executable, *options, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def loaded(names: list[str], unwanted: list[str]) -> str:
    return python(
        "import importlib, sys\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        f"print([name for name in {unwanted!r} if name in sys.modules])"
    )


def test_no_root_has_a_regular_package_that_would_hide_the_others() -> None:
    assert not [source for source in SOURCES.values() if (source / "__init__.py").exists()]
    assert not [s for s in SOURCES.values() if (s / "hypernets" / "__init__.py").exists()]


@pytest.mark.parametrize("portion", PORTIONS, ids=lambda portion: portion.name)
def test_every_portion_is_typed_and_a_package(portion: Path) -> None:
    assert (portion / "py.typed").exists()
    assert (portion / "__init__.py").exists()


def test_every_folder_with_modules_is_a_package() -> None:
    folders = {path.parent for path in MODULES}
    assert not [folder for folder in folders if not (folder / "__init__.py").exists()]


def test_no_module_is_a_drawer_for_anything() -> None:
    banned = {"utils", "util", "common", "helpers", "helper", "base", "manager", "misc"}
    names = {part for path in MODULES for part in path.relative_to(ROOT).with_suffix("").parts}
    assert not names & banned


def test_the_domain_loads_no_framework_and_does_not_log() -> None:
    unwanted = ["tensorflow", "keras", "h5py", "structlog", "logging", "rich", "cloudpickle"]
    assert loaded(names_in("domain"), unwanted) == "[]"


def test_the_application_loads_no_framework() -> None:
    assert loaded(names_in("application"), ["tensorflow", "keras", "h5py"]) == "[]"


def test_authoring_through_the_published_names_loads_no_framework() -> None:
    names = [
        "hypernets.core.search_space",
        "hypernets.core.ops",
        "hypernets.frameworks.keras.layers",
    ]
    assert loaded(names, ["tensorflow", "keras", "h5py"]) == "[]"


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def test_the_domain_imports_the_standard_library_numpy_attrs_and_itself() -> None:
    allowed = sys.stdlib_module_names | {"numpy", "attrs"}
    strangers = {
        f"{name_of(path)}: {imported}"
        for path in MODULES
        if path.is_relative_to(SOURCES["domain"])
        for imported in _imports(path)
        if imported.partition(".")[0] not in allowed
        and not f"{imported}.".startswith("hypernets.domain.")
    }
    assert not strangers


def test_with_only_the_domain_on_the_path_the_outer_layers_do_not_exist() -> None:
    # no site-packages but numpy and attrs, so neither an installed nor an editable hypernets
    import attrs
    import numpy

    libraries = sorted({str(Path(module.__file__).parents[1]) for module in (attrs, numpy)})
    program = f"""
import importlib, importlib.util, sys
sys.path[:0] = [{str(SOURCES["domain"])!r}]
sys.path += {libraries!r}
for name in {names_in("domain")!r}:
    importlib.import_module(name)
print([name for name in ("application", "adapters", "core", "searchers", "frameworks")
       if importlib.util.find_spec("hypernets." + name)])
"""
    assert python(program, "-I", "-S") == "[]"


@pytest.mark.parametrize(
    "name", names_in("domain") + names_in("application") + names_in("core"), ids=str
)
def test_what_a_module_offers_can_be_imported(name: str) -> None:
    module = importlib.import_module(name)
    offered = getattr(module, "__all__", [])
    assert len(offered) == len(set(offered))
    assert not [item for item in offered if not hasattr(module, item)]


def test_every_module_with_code_says_what_it_offers() -> None:
    """`__all__` in every module that defines anything, but programs."""
    silent = [
        name_of(path)
        for path in MODULES
        if path.name not in ("__init__.py", "__main__.py")
        and any(
            isinstance(node, (ast.ClassDef, ast.FunctionDef)) and not node.name.startswith("_")
            for node in ast.parse(path.read_text()).body
        )
        and "__all__" not in path.read_text()
    ]
    assert not silent


def test_the_package_that_is_imported_is_this_one() -> None:
    """A regular package `hypernets` anywhere on the path, even last, would hide all of it."""
    program = """
import hypernets, pathlib, sys
print(getattr(hypernets, "__file__", None))
print([p for p in sys.path if pathlib.Path(p, "hypernets", "__init__.py").exists()])
for path in hypernets.__path__: print(pathlib.Path(path).resolve())
"""
    file, hiding, *paths = python(program).splitlines()
    assert file == "None", f"uninstall the package at {file}: it hides this one"
    assert hiding == "[]"
    assert {str(source / "hypernets") for source in SOURCES.values()} <= set(paths)
