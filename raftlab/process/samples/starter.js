/* The beginning of a Raft: the loop, and what is told in it. Nobody leads yet.

It is told one JSON object a line and answers with one: docs/machine-protocol.md says what is in
them. Write console.error(…) to look at something: standard output belongs to the loop.

    rl.Cluster(3, machine=rl.Process("node starter.js"))
*/

"use strict";

/* An entry: {term: 1, index: 1, payload: {type: "command", data: "x=1"}}

The four messages of Figure 2. Each has type, term, sender and receiver, and:

RequestVote          last_log_index, last_log_term
RequestVoteReply     vote_granted
AppendEntries        prev_log_index, prev_log_term, entries, leader_commit
AppendEntriesReply   commit_index, result: {type: "Accepted", last_new_index: 3}, or
                     {type: "Rejected", non_matching_index: 3 (what did not fit),
                      last_index: 2 (of the follower's log), hint_index: 0, hint_term: 0}
*/

/** One server. Each method named `on_…` is told a line; `reply` is what it will answer. */
class Raft {
  /** Start, or start again, with what is on the disk and nothing else. Figure 2, State. */
  constructor(line) {
    this.node = line.node;
    this.now = line.now; // ms
    this.options = line.options; // {election_timeout: [150, 300], …}
    this.random = randomNumbers(line.seed);
    this.voters = line.configuration.voters;
    this.reply = {};

    // On the disk
    this.term = line.term;
    this.votedFor = line.voted_for;
    this.log = line.log;

    // In memory
    this.role = "follower";
    this.leader = null;
    this.commitIndex = 0;
    this.wakeAt = null; // when it wants to be told the time; null is never
  }

  // Into `reply` goes what is to be written: term and voted_for (both), truncate_from: 4 (entry 4
  // and all that follow are gone), log_entries: […]; and messages: […], which leave when that is
  // on the disk.

  /** A message has arrived. */
  on_message({ message }) {}

  /** The time `wakeAt` has come. */
  on_tick() {}

  /** A write has ended: what the disk holds. An own vote and an own copy count from now on. */
  on_saved({ term, voted_for, last_index, last_term }) {}

  /** A client asks for an entry with this payload: reply its `index`, or refuse. */
  on_add_entry({ payload }) {
    if (payload.type === "configuration") {
      this.reply.refused = { reason: "this machine does not change its members" };
      return;
    }
    this.reply.refused = { reason: "not_leader", leader: this.leader };
  }

  /** What was collected, and what this server believes now. */
  takeReply() {
    const reply = this.reply;
    this.reply = {};
    Object.assign(reply, { role: this.role, leader: this.leader });
    Object.assign(reply, { commit_index: this.commitIndex, wake_at: this.wakeAt });
    return reply;
  }
}

/** Numbers from 0 to 1 that hang on `seed` alone (Mulberry32, by Tommy Ettinger). */
function randomNumbers(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

// The loop: one line in, one line out. One process may be several servers.

const servers = new Map();

function answerLine(text) {
  const line = JSON.parse(text);
  if (line.do === "start") {
    servers.set(line.node, new Raft(line));
    servers.get(line.node).reply.offers = [];
  }
  const server = servers.get(line.node);
  server.now = line.now;
  if (line.do !== "start") server[`on_${line.do}`](line);
  process.stdout.write(JSON.stringify(server.takeReply()) + "\n");
}

require("node:readline").createInterface({ input: process.stdin }).on("line", answerLine);
