// After the first visit the page needs no network: its files are kept under the hash of all of them.
//
// The build writes FILES, with the hash of each, and VERSION, that of all, above this; the gallery's
// pictures are kept as they are seen. A new version is fetched beside the one that is in use, and takes
// its place once no tab shows the page: so no tab ever has files of two.

const KIND = `raftlab ${registration.scope} `;
const NAME = KIND + VERSION;

async function fetched(path) { // it must be of this version; what the browser has kept may not be
  for (const cache of ["default", "reload"]) {
    const answer = await fetch(path, { cache });
    const bytes = await answer.arrayBuffer();
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const told = Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
    if (answer.ok && told === FILES[path]) return new Response(bytes, { headers: answer.headers });
  }
  throw new Error(`${path} is not of this version`);
}

async function install() {
  const cache = await caches.open(NAME);
  for (const path of Object.keys(FILES)) await cache.put(path, await fetched(path));
}

async function activate() {
  const others = (await caches.keys()).filter((name) => name.startsWith(KIND) && name !== NAME);
  await Promise.all(others.map((name) => caches.delete(name)));
}

async function answer(request) { // a browser that has no room, or keeps nothing, asks the network
  const cache = await caches.open(NAME).catch(() => null);
  const name = request.url.replace(/(index\.html)?([?#].*)?$/, "");
  const found = await cache?.match(name, { ignoreVary: true }).catch(() => null);
  if (found) return found;
  const told = await fetch(request);
  if (cache && told.ok && request.url.startsWith(`${registration.scope}pictures/`)) {
    cache.put(request, told.clone()).catch((error) => console.info(error));
  }
  return told;
}

addEventListener("install", (event) => event.waitUntil(install()));
addEventListener("activate", (event) => event.waitUntil(activate()));
addEventListener("fetch", (event) => {
  if (event.request.method === "GET" && event.request.url.startsWith(registration.scope)) event.respondWith(answer(event.request));
});
