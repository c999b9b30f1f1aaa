/* Raft, as Figure 2 of the paper has it, in one file of plain JavaScript (Node 18 or newer).

It is told one JSON object a line and answers with one: docs/machine-protocol.md says what is in
them. Elections, a log that is replicated and repaired, commitment, restarts: nothing else. It
needs no packages, so that it can be copied and changed.

    rl.Cluster(3, machine=rl.Process("node raft.js"))
*/

"use strict";

/** What stands in the log before entry 1, so that `log[index]` is the entry at `index`. */
const BEFORE_ALL = { term: 0, index: 0 };

/** One server. Each method named `on_…` is told a line; `reply` is what it will answer. */
class Raft {
  /** Start, or start again, with what is on the disk and nothing else. Figure 2, State. */
  constructor(line) {
    this.node = line.node;
    this.now = line.now;
    this.options = line.options;
    this.random = randomNumbers(line.seed);
    this.voters = line.configuration.voters;
    this.peers = this.voters.filter((each) => each !== this.node);
    this.reply = {};

    // On the disk
    this.term = line.term;
    this.votedFor = line.voted_for;
    this.log = [BEFORE_ALL, ...line.log]; // entries: {term: 1, index: 1, payload: {…}}

    // In memory
    this.role = "follower";
    this.leader = null;
    this.commitIndex = 0;
    this.wakeAt = 0;
    this.votes = {}; // of a candidate
    this.nextIndex = {}; // of a leader
    this.matchIndex = {}; // of a leader
    this.waitForALeader();
  }

  // What is written. The messages of a reply leave when the rest of it is on the disk.

  setTermAndVote(term, votedFor) {
    this.term = this.reply.term = term;
    this.votedFor = this.reply.voted_for = votedFor;
  }

  append(entry) {
    this.log.push(entry);
    (this.reply.log_entries ??= []).push(entry);
  }

  /** Take away the entry at `index` and all that follow it. */
  cut(index) {
    this.log.length = index;
    this.reply.truncate_from = index;
  }

  send(type, receiver, fields) {
    const message = { type, term: this.term, sender: this.node, receiver, ...fields };
    (this.reply.messages ??= []).push(message);
  }

  /** Say why, for whoever looks at the run. */
  note(rule, text) {
    (this.reply.notes ??= []).push({ rule, text });
  }

  get lastIndex() {
    return this.log.length - 1;
  }

  get lastTerm() {
    return this.log[this.lastIndex].term;
  }

  // Rules for all servers

  on_message({ message }) {
    if (message.term > this.term) {
      this.note("newer_term", `adopts term ${message.term} from ${message.sender}`);
      this.setTermAndVote(message.term, null);
      this.follow(null);
    }
    switch (message.type) {
      case "RequestVote": return this.onRequestVote(message);
      case "RequestVoteReply": return this.onRequestVoteReply(message);
      case "AppendEntries": return this.onAppendEntries(message);
      case "AppendEntriesReply": return this.onAppendEntriesReply(message);
    }
  }

  follow(leader) {
    const wasLeader = this.role === "leader";
    this.role = "follower";
    this.leader = leader;
    if (wasLeader || leader !== null) this.waitForALeader();
  }

  /** Reset the election timer: a new time at random, so that few stand at once. 5.2 */
  waitForALeader() {
    const [shortest, longest] = this.options.election_timeout;
    const isVoter = this.voters.includes(this.node); // else it never stands
    this.wakeAt = isVoter ? this.now + shortest + (longest - shortest) * this.random() : null;
  }

  on_tick() {
    if (this.wakeAt === null || this.now < this.wakeAt) return;
    if (this.role === "leader") this.sendToAll();
    else this.campaign();
  }

  /** Somebody wants to see an election. The host asks only servers that do not lead. */
  on_campaign() {
    this.campaign();
  }

  /** A write has ended: an own vote and an own copy count when they are on the disk. */
  on_saved({ term, last_index, last_term }) {
    if (this.role === "candidate" && term === this.term) {
      this.votes[this.node] = true;
      this.countVotes();
    } else if (this.role === "leader" && this.log[last_index].term === last_term) {
      this.matchIndex[this.node] = last_index;
      this.advanceCommitIndex();
    }
  }

  // Elections. 5.2, 5.4.1

  campaign() {
    this.role = "candidate";
    this.leader = null;
    this.votes = {};
    this.setTermAndVote(this.term + 1, this.node);
    this.note("campaign", `stands for election in term ${this.term}`);
    this.waitForALeader();
    const last = { last_log_index: this.lastIndex, last_log_term: this.lastTerm };
    for (const peer of this.peers) this.send("RequestVote", peer, last);
  }

  onRequestVote(request) {
    const candidate = request.sender;
    const granted =
      request.term === this.term &&
      (this.votedFor === null || this.votedFor === candidate) &&
      this.isUpToDate(request);
    if (granted) {
      this.setTermAndVote(this.term, candidate);
      this.waitForALeader();
    }
    this.note("vote", `${granted ? "votes" : "does not vote"} for ${candidate}`);
    this.send("RequestVoteReply", candidate, { vote_granted: granted });
  }

  /** Whether a candidate's log is at least as up to date as this one. 5.4.1 */
  isUpToDate({ last_log_index, last_log_term }) {
    if (last_log_term !== this.lastTerm) return last_log_term > this.lastTerm;
    return last_log_index >= this.lastIndex;
  }

  onRequestVoteReply(answer) {
    if (this.role !== "candidate" || answer.term !== this.term) return;
    this.votes[answer.sender] = answer.vote_granted;
    this.countVotes();
  }

  countVotes() {
    const granted = Object.values(this.votes).filter(Boolean);
    if (granted.length > this.voters.length / 2) this.lead();
  }

  /** Won: guess where the others are, and append an entry with nothing in it. 5.3, 8 */
  lead() {
    this.role = "leader";
    this.leader = this.node;
    for (const peer of this.peers) this.nextIndex[peer] = this.lastIndex + 1;
    for (const voter of this.voters) this.matchIndex[voter] = 0;
    this.note("lead", `leads term ${this.term}`);
    this.append({ term: this.term, index: this.lastIndex + 1, payload: { type: "empty" } });
    this.sendToAll();
  }

  // The leader's log goes to the others. 5.3

  /** A client asks for something. Members stay who they are. */
  on_add_entry({ payload }) {
    if (payload.type === "configuration") {
      this.reply.refused = { reason: "this machine does not change its members" };
      return;
    }
    if (this.role !== "leader") {
      this.reply.refused = { reason: "not_leader", leader: this.leader };
      return;
    }
    this.reply.index = this.lastIndex + 1;
    this.append({ term: this.term, index: this.lastIndex + 1, payload });
    this.sendToAll();
  }

  sendToAll() {
    this.wakeAt = this.now + this.options.heartbeat_interval;
    for (const peer of this.peers) this.sendEntries(peer);
  }

  /** What comes next for `peer`, and what must stand before it; nothing: a heartbeat. */
  sendEntries(peer) {
    const first = this.nextIndex[peer];
    this.send("AppendEntries", peer, {
      prev_log_index: first - 1,
      prev_log_term: this.log[first - 1].term,
      entries: this.log.slice(first, first + this.options.max_entries_per_append),
      leader_commit: this.commitIndex,
    });
  }

  onAppendEntries(request) {
    const { prev_log_index: prev, prev_log_term: prevTerm, entries } = request;
    if (request.term < this.term) return this.answer(request, this.rejection(request));
    this.follow(request.sender);
    if (prev > this.lastIndex || this.log[prev].term !== prevTerm) {
      this.note("consistency", `has no entry ${prev} of term ${prevTerm}`);
      return this.answer(request, this.rejection(request));
    }
    for (const entry of entries) {
      if (entry.index <= this.lastIndex && this.log[entry.index].term !== entry.term) {
        this.note("conflict", `cuts its log from entry ${entry.index}`);
        this.cut(entry.index);
      }
      if (entry.index > this.lastIndex) this.append(entry);
    }
    const lastNew = prev + entries.length;
    this.commitIndex = Math.max(this.commitIndex, Math.min(request.leader_commit, lastNew));
    this.answer(request, { type: "Accepted", last_new_index: lastNew });
  }

  /** No; and the last entry that may be the leader's, too. 5.3, last part */
  rejection(request) {
    let index = Math.min(request.prev_log_index, this.lastIndex);
    while (this.log[index].term > request.prev_log_term) index -= 1;
    return {
      type: "Rejected",
      non_matching_index: request.prev_log_index,
      last_index: this.lastIndex,
      hint_index: index,
      hint_term: this.log[index].term,
    };
  }

  answer(request, result) {
    const fields = { commit_index: this.commitIndex, result };
    this.send("AppendEntriesReply", request.sender, fields);
  }

  onAppendEntriesReply({ term, sender: peer, result }) {
    if (this.role !== "leader" || term !== this.term) return;
    if (result.type === "Rejected") {
      const isNew = result.non_matching_index === this.nextIndex[peer] - 1;
      if (isNew) this.stepBack(peer, result);
    } else if (result.last_new_index > this.matchIndex[peer]) {
      this.matchIndex[peer] = result.last_new_index;
      this.nextIndex[peer] = result.last_new_index + 1;
      this.advanceCommitIndex();
      if (this.nextIndex[peer] <= this.lastIndex) this.sendEntries(peer);
    }
  }

  /** The logs differ there: try where they may be equal. 5.3, last part */
  stepBack(peer, rejected) {
    let index = Math.min(rejected.hint_index, rejected.non_matching_index - 1);
    while (this.log[index].term > rejected.hint_term) index -= 1;
    this.nextIndex[peer] = Math.max(index, this.matchIndex[peer]) + 1;
    this.note("repair", `tries ${peer} from entry ${this.nextIndex[peer]}`);
    this.sendEntries(peer);
  }

  /** What a majority holds is committed, if it is of this term. 5.3, 5.4.2, Figure 8 */
  advanceCommitIndex() {
    const held = Object.values(this.matchIndex).sort((one, other) => other - one);
    const index = held[Math.floor(this.voters.length / 2)];
    if (index > this.commitIndex && this.log[index].term === this.term) {
      this.commitIndex = index;
      this.note("commit", `committed up to entry ${index}`);
    }
  }

  // The reply

  /** What was collected, and what this server believes now. */
  takeReply() {
    const reply = this.reply;
    this.reply = {};
    Object.assign(reply, { role: this.role, leader: this.leader });
    Object.assign(reply, { commit_index: this.commitIndex, wake_at: this.wakeAt });
    if (this.role === "candidate") reply.votes = this.votes;
    if (this.role === "leader") {
      reply.progress = {};
      for (const peer of this.peers) {
        const [next_index, match_index] = [this.nextIndex[peer], this.matchIndex[peer]];
        reply.progress[peer] = { next_index, match_index };
      }
    }
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
    servers.get(line.node).reply.offers = ["campaign"];
  }
  const server = servers.get(line.node);
  server.now = line.now;
  if (line.do !== "start") server[`on_${line.do}`](line);
  process.stdout.write(JSON.stringify(server.takeReply()) + "\n");
}

require("node:readline").createInterface({ input: process.stdin }).on("line", answerLine);
