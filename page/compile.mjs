// node compile.mjs IN.zip OUT.zip PREFIX: every .py of a zip becomes a .pyc, compiled by the Pyodide that
// will run it. Its library comes as source, and compiling at every start would take as long as all the rest.
import { readFile, writeFile } from "node:fs/promises";
import { loadPyodide } from "pyodide";

const [source, target, prefix] = process.argv.slice(2);
const python = await loadPyodide({ packages: [] });
python.FS.writeFile("/in.zip", await readFile(source));
python.globals.set("prefix", prefix);
python.runPython(`
import importlib._bootstrap_external as loader
import importlib.util
import zipfile

with zipfile.ZipFile("/in.zip") as given, zipfile.ZipFile("/out.zip", "w") as made:
    for name in given.namelist():
        data = given.read(name)
        if name.endswith(".py"):
            code = compile(data, prefix + name, "exec", dont_inherit=True)
            name, data = name + "c", loader._code_to_hash_pyc(code, importlib.util.source_hash(data), False)
        entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
        made.writestr(entry, bytes(data))
`);
await writeFile(target, python.FS.readFile("/out.zip"));
