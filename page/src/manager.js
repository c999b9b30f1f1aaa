// The widgets of Jupyter without a Jupyter: their models live in Python, their views here.

import * as base from "@jupyter-widgets/base";
import { ManagerBase } from "@jupyter-widgets/base-manager";
import * as controls from "@jupyter-widgets/controls";
import { Widget } from "@lumino/widgets";
import anywidget from "anywidget";

const MODULES = { "@jupyter-widgets/base": base, "@jupyter-widgets/controls": controls, anywidget };
const VERSION = "2.1.0"; // of the protocol of the widgets

class Manager extends ManagerBase {
  async loadClass(name, module) {
    return MODULES[module][name];
  }
  _get_comm_info() {
    return Promise.resolve({});
  }
  _create_comm() {
    return Promise.reject(new Error("widgets are made in Python"));
  }
}

// What stands between the widgets' two halves. `send(comm, data)` hands a message to Python, and
// returns its number; each is to be told as `answered`, for the widgets wait for that.

export class Widgets {
  constructor(send) {
    this.send = send;
    this.manager = new Manager();
    this.comms = new Map();
    this.waiting = new Map();
  }

  comm(id) {
    const made = {
      comm_id: id,
      target_name: "jupyter.widget",
      on_msg: (hear) => (made.hear = hear),
      on_close: (hear) => (made.bye = hear),
      close: () => {},
      send: (data, callbacks) => {
        const number = this.send(id, data);
        this.waiting.set(number, callbacks);
        return number;
      },
    };
    this.comms.set(id, made);
    return made;
  }

  async heed({ kind, comm, data, parent }) {
    const content = { comm_id: comm, target_name: "jupyter.widget", data };
    const message = { content, metadata: { version: VERSION }, buffers: [], parent_header: { msg_id: parent } };
    if (kind === "comm_open") await this.manager.handle_comm_open(this.comm(comm), message);
    else if (kind === "comm_msg") await this.comms.get(comm)?.hear?.(message);
    else if (kind === "comm_close") this.comms.get(comm)?.bye?.(message);
  }

  answered(number) { // or the widgets would hold back what changes next
    this.waiting.get(number)?.iopub?.status?.({ content: { execution_state: "idle" } });
    this.waiting.delete(number);
  }

  async show(id, place) {
    this.view = await this.manager.create_view(await this.manager.get_model(id));
    place.replaceChildren();
    Widget.attach(this.view.luminoWidget, place);
  }

  leave() { // Python has gone: what is seen stays as a picture
    this.send = () => "";
    this.view?.el.setAttribute("inert", "");
  }
}
