// Bundles the page's own JavaScript and styles into a folder: node bundle.mjs FOLDER INFO PACKAGES.
// INFO is what Pyodide's lock file says of itself, as JSON; into PACKAGES go the names of what is in it.
import { build } from "esbuild";
import { readFile, writeFile } from "node:fs/promises";

// anywidget's front end is an AMD module: a call of `define` with a function that makes it. It gives a
// widget up after two seconds, which a slow machine may need to start one.
const GIVES_UP = "AbortSignal.timeout(2e3)";
const PATIENT = "AbortSignal.timeout(12e4)";

async function anywidget(path) {
  const text = await readFile(path, "utf8");
  if (!text.includes(GIVES_UP)) throw new Error(`anywidget no longer says ${GIVES_UP}: look what it does instead`);
  return text.replaceAll(GIVES_UP, PATIENT);
}

const amd = {
  name: "amd",
  setup({ onLoad }) {
    onLoad({ filter: /node_modules\/anywidget\/dist\/index\.js$/ }, async ({ path }) => ({
      contents: `import * as base from "@jupyter-widgets/base";
        let made;
        const define = (needed, make) => { made = make(base); };
        ${await anywidget(path)}
        export default made;`,
    }));
  },
};

const { metafile } = await build({
  entryPoints: { page: "src/page.js", worker: "src/worker.js" },
  outdir: process.argv[2],
  define: { LOCK_INFO: process.argv[3] },
  bundle: true,
  metafile: true,
  format: "esm",
  minify: true,
  target: ["es2022"],
  external: ["./pyodide/*"],
  loader: { ".woff2": "file", ".ttf": "file", ".svg": "dataurl", ".png": "dataurl" },
  assetNames: "fonts/[name]",
  legalComments: "none",
  logLevel: "warning",
  plugins: [amd],
});

const packages = Object.keys(metafile.inputs).map((path) => path.match(/.*node_modules\/((@[^/]+\/)?[^/]+)\//)?.[1]);
await writeFile(process.argv[4], JSON.stringify([...new Set(packages.filter(Boolean))].sort()));
