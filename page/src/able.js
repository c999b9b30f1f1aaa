// Run before all else, and by old browsers too: it says in a sentence why the lab cannot run here.

window.raftlabCannot =
  location.protocol === "file:"
    ? "Opened as a file, this page cannot fetch its parts: run “python -m http.server” in its folder, and open the address that it prints."
    : typeof WebAssembly === "object" && window.Worker && "noModule" in HTMLScriptElement.prototype && window.CSS && CSS.supports("container-type: inline-size")
      ? ""
      : "This browser cannot run the lab, which needs WebAssembly and modules: a Firefox, Chrome, Edge or Safari of 2024 or later can.";
document.addEventListener("DOMContentLoaded", function () {
  document.getElementById("words").textContent = window.raftlabCannot || "Python is being fetched …";
});
