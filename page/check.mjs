// node check.mjs FOLDER: loads, from the built archives, all that a lab can load, and uses its controls,
// so that nothing is left out of the library that is needed. Any error ends it.
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { loadPyodide } from "pyodide";

const folder = resolve(process.argv[2]);
const python = await loadPyodide({
  packages: [],
  stdLibURL: pathToFileURL(join(folder, "pyodide", "python_stdlib.zip")).href,
});
python.unpackArchive(new Uint8Array(await readFile(join(folder, "raftlab.zip"))), "zip", { extractDir: "/lib/site" });
python.registerJsModule("page_messages", { tell: () => {} });
try {
  python.runPython(`
import sys
sys.path.insert(0, "/lib/site")
import importlib
import json
import pkgutil
import page
import raftlab
from raftlab.lab.control_table import BUTTONS
from raftlab.sim.scenarios import SCENARIOS

for found in pkgutil.walk_packages(raftlab.__path__, "raftlab."):
    importlib.import_module(found.name)
room = {"width": 926, "low": False}
asked = {"base": "http://x/", "fragment": "", "address": "", "room": room}
page.start(json.dumps(asked))
for full in (False, True):
    page.lab.controls.full_mode.value = full
    for panel in range(4):
        page.lab.controls.details.selected_index = panel
    for name in BUTTONS:
        page.lab.controls.by_name[name].click()
kept = page.kept()
page.start(json.dumps(asked | {"kept": kept}))
for name in SCENARIOS:
    page.follow(json.dumps({"fragment": f"scenario={name}", "run": 0}))
    assert not page.lab.trouble, page.lab.trouble
page.follow(json.dumps({"fragment": "run=" + raftlab.Cluster(3).run(100).recording.share(), "run": 0}))
assert not page.lab.trouble, page.lab.trouble
`);
} catch (error) {
  console.error(String(error).slice(-3000)); // not Pyodide's own source, which Node would print
  process.exitCode = 1;
}
