// Run before all else, and by old browsers too: it says in a sentence why the lab cannot run here,
// and shows what was last seen in this tab until it can.

window.raftlabCannot =
  location.protocol === "file:"
    ? "Opened as a file, this page cannot fetch its parts: run “python -m http.server” in its folder, and open the address that it prints."
    : typeof WebAssembly === "object" && window.Worker && "noModule" in HTMLScriptElement.prototype && window.CSS && CSS.supports("container-type: inline-size")
      ? ""
      : "This browser cannot run the lab, which needs WebAssembly and modules: a Firefox, Chrome, Edge or Safari of 2024 or later can.";
document.getElementById("words").textContent = window.raftlabCannot || "Python is being fetched …";
window.addEventListener("load", function () {
  if (window.raftlabCannot || window.raftlabRuns) return;
  document.getElementById("words").textContent = "A part of this page did not come: reload it to try again.";
});

window.raftlabKept = { // all of a tab, for as long as it is there
  name: "raftlab " + location.href.split("#")[0],
  get: function (what) {
    try {
      return sessionStorage.getItem(this.name + what);
    } catch (error) { // the reader allows no storage
      return null;
    }
  },
  set: function (what, text) {
    try {
      sessionStorage.setItem(this.name + what, text);
    } catch (full) { // what was seen makes room for the runs; if that is not enough, what was kept stays
      try {
        sessionStorage.removeItem(this.name + " seen");
        if (!what) sessionStorage.setItem(this.name, text);
      } catch (error) { // or nothing is allowed
        console.info(error);
      }
    }
  },
  forget: function () {
    try {
      sessionStorage.removeItem(this.name);
      sessionStorage.removeItem(this.name + " seen");
    } catch (error) { // there is nothing
      console.info(error);
    }
  },
};
(function (seen) {
  if (seen) document.querySelector("#still > .raftlab-stage").innerHTML = seen;
})(window.raftlabKept.get(" seen"));
