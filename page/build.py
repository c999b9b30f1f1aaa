"""Build the page: a static folder with the lab in it, which any web server can serve.

    python page/build.py [FOLDER]

What it is made of is locked: npm's packages by `package-lock.json`, Python's by the hashes of
`wheels.txt`. Node is needed for this, and for nothing else; the folder needs neither it nor Python.
"""

import fnmatch
import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import fingerprint
import gallery

import raftlab
from raftlab.lab.fitting import Room, fitted_logs, rooms
from raftlab.view import Scene

HERE = Path(__file__).parent
ROOT = HERE.parent
PACKAGE = ROOT / "raftlab"
WORK = HERE / "build"
MODULES = HERE / "node_modules"
PYODIDE = MODULES / "pyodide"
LIBRARY = "/lib/python314.zip/"
SITE = "/lib/site/"
IMPORTED = (".py", ".so", ".js", ".css", ".dist-info/METADATA")
NOT_IMPORTED = ("tests/", "labextension/", "nbextension/", ".data/", "testing.py")
OF_JUPYTER = ("@jupyter-widgets/", "@lumino/")  # npm has no licences of these
JUPYTERS = HERE / "licences" / "jupyter.txt"
NOT_IN_A_LAB = ("raftlab/commands/", "raftlab/course/", "raftlab/grading/", "raftlab/__main__.py")


def main(target: Path) -> None:
    """Fetch what is locked, compile and bundle it, and put it all into `target`."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            sys.exit(f"There is no {program} here: the page is built with Node 20 or newer.")
    WORK.mkdir(exist_ok=True)
    shutil.rmtree(target, ignore_errors=True)
    (target / "pyodide").mkdir(parents=True)
    run("npm", "ci", "--ignore-scripts", "--no-progress")
    wheels = fetch_wheels()
    pack(WORK / "site.zip", site_files(wheels))
    run("node", "compile.mjs", WORK / "site.zip", target / "raftlab.zip", SITE)
    pack(WORK / "library.zip", library_files())
    run("node", "compile.mjs", WORK / "library.zip", target / "pyodide/python_stdlib.zip", LIBRARY)
    for name in ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm"):
        shutil.copyfile(PYODIDE / name, target / "pyodide" / name)
    info = json.loads((PYODIDE / "pyodide-lock.json").read_text())["info"]
    run("node", "bundle.mjs", target, json.dumps(info), WORK / "bundled.json")
    for name in ("able.js", "common.css", "gallery.css"):
        shutil.copyfile(HERE / "src" / name, target / name)
    gallery.write(target, (HERE / "src" / "gallery.html").read_text())
    (target / "index.html").write_text(first_page())
    bundled = json.loads((WORK / "bundled.json").read_text())
    (target / "licences.txt").write_text(licences(wheels, bundled))
    (target / "service.js").write_text(service_worker(target))
    run("node", "check.mjs", target)
    (target / fingerprint.NAME).write_text(fingerprint.fingerprint())


def run(*words: str | Path) -> None:
    """Run a program here. Raises: CalledProcessError, if it fails."""
    subprocess.run([str(word) for word in words], cwd=HERE, check=True)


# Python's side


def fetch_wheels() -> list[Path]:
    """The wheels of `wheels.txt`, for Pyodide's Python, each with the hash that it must have."""
    folder = WORK / "wheels"
    shutil.rmtree(folder, ignore_errors=True)
    run(
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"),
        *("--disable-pip-version-check", "--only-binary=:all:"),
        *("--platform", "pyemscripten_2026_0_wasm32", "--implementation", "cp"),
        *("--python-version", "3.14", "--abi", "cp314"),
        *("--dest", folder, "-r", "wheels.txt"),
    )
    return sorted(folder.glob("*.whl"))


def site_files(wheels: list[Path]) -> Iterator[tuple[str, bytes]]:
    """What Python imports in the page, by name: the wheels, raftlab, and the page's own module."""
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if name.endswith(IMPORTED) and not any(part in name for part in NOT_IMPORTED):
                    yield name, archive.read(name)
    for path in sorted(PACKAGE.rglob("*")):
        name = path.relative_to(ROOT).as_posix()
        if path.suffix in IMPORTED and not name.startswith(NOT_IN_A_LAB):
            yield name, path.read_bytes()
    yield "page.py", (HERE / "src" / "page.py").read_bytes()


def library_files() -> Iterator[tuple[str, bytes]]:
    """Python's library, without what `left_out.txt` names."""
    lines = (HERE / "left_out.txt").read_text().splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    with zipfile.ZipFile(PYODIDE / "python_stdlib.zip") as archive:
        for name in archive.namelist():
            if not any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns):
                yield name, archive.read(name)


def pack(path: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """A zip of these files, the same bytes whenever it is made."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files:
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data)


# The page's side


def first_page() -> str:
    """The HTML, with a picture of the cluster in it until the lab itself is there."""
    frame = raftlab.Cluster(5, seed=7).frame()
    cluster, room = rooms(frame, None, Room(gallery.NARROW))
    still = pane("cluster", cluster) + pane("logs", fitted_logs(frame, None, room, boxes=False))
    return (HERE / "src" / "index.html").read_text().replace("<!-- STILL -->", still)


def pane(name: str, scene: Scene) -> str:
    """A picture as the stage of a lab has it, fit for a telephone and for what is wider."""
    size = f"--natural: {scene.width}px; --height: {scene.height}px; --share: {scene.width}"
    return f'<div class="raftlab-{name}" style="{size}">{scene.svg}</div>'


def service_worker(target: Path) -> str:
    """The script that keeps the page for visits without a network, told what to keep.

    The pictures of the gallery it keeps as they are seen.
    """
    paths = sorted(path for path in target.rglob("*") if path.is_file())
    names = {path.relative_to(target).as_posix(): path for path in paths}
    hashes = {
        "./" if name == "index.html" else name: hashlib.sha256(path.read_bytes()).hexdigest()
        for name, path in names.items()
        if not name.startswith(gallery.PICTURES)
    }
    told = json.dumps(hashes, indent=1)
    version = hashlib.sha256(told.encode()).hexdigest()[:16]
    source = (HERE / "src" / "service.js").read_text()
    return f'const FILES = {told};\nconst VERSION = "{version}";\n\n{source}'


def licences(wheels: list[Path], bundled: list[str]) -> str:
    """The licence of everything that is in the folder. Raises: ValueError, if one is missing."""
    found = {"raftlab": (ROOT / "LICENSE").read_text()}
    found["Pyodide and CPython"] = (HERE / "licences" / "pyodide.txt").read_text()
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            named = [name for name in archive.namelist() if is_licence(name)]
            found[wheel.name] = "\n\n".join(archive.read(name).decode() for name in named)
    for name in bundled:
        folder = MODULES / name
        version = json.loads((folder / "package.json").read_text())["version"]
        named_here = sorted(path for path in folder.iterdir() if is_licence(path.name))
        texts = named_here or ([JUPYTERS] if name.startswith(OF_JUPYTER) else [])
        found[f"{name} {version}"] = "\n\n".join(path.read_text() for path in texts)
    missing = [name for name, text in found.items() if not text.strip()]
    if missing:
        raise ValueError(f"no licence is known of {', '.join(missing)}")
    rule = "=" * 78
    return "\n\n".join(f"{rule}\n{name}\n{rule}\n\n{text.strip()}" for name, text in found.items())


def is_licence(name: str) -> bool:
    """Whether a file holds a licence, by its name."""
    return Path(name).stem.upper().startswith(("LICENSE", "LICENCE", "COPYING"))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve() if sys.argv[1:] else HERE / "dist")
