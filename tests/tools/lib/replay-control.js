// What tests and benchmarks ask of the replay server itself: rules, changes, the log, the counts.
import { ReplayTable } from "./replay-table.js";
import { random } from "./replay-faults.js";
import { printTime } from "./replay-hub.js";

const LOG_MAX = 200000;

// The two tables of a hub, by lower-case name.
export function hubTables(hub, { nulls }) {
  const timed = (ms, asTime) => (asTime ? ms : printTime(ms, 7));
  const instances = new ReplayTable({
    name: `${hub.name}Instances`, nulls, partitions: hub.count, perPartition: 1,
    partitionKey: (p) => hub.id(p), rowKey: () => "",
    row: (p) => hub.instance(p),
    value: (p, k, column, asTime) => {
      if (column === "Timestamp") return timed(hub.stampMs(p), asTime);
      if (column === "RuntimeStatus") return hub.status(p);
      const v = hub.instance(p)[column];
      return asTime && v ? Date.parse(v) : v;
    },
    firstSince: (ms) => hub.firstSince(ms),
  });
  const history = new ReplayTable({
    name: `${hub.name}History`, nulls, partitions: hub.history ? hub.count : 0, perPartition: hub.history || 1,
    partitionKey: (p) => hub.id(p), rowKey: (k) => hub.eventKey(k),
    row: (p, k) => hub.event(p, k),
    value: (p, k, column) => hub.event(p, k)[column],
    firstSince: () => 0,
  });
  return new Map([instances, history].map((t) => [t.name.toLowerCase(), t]));
}

export class ReplayControl {
  constructor({ hub, tables, queues, rules, latency }) {
    Object.assign(this, { hub, tables, queues, rules, latency });
    this.log = [];
    this.connections = this.open = this.peak = 0;
    this.requests = this.bytes = this.rows = this.busy = this.peakBusy = 0;
    this.random = random(hub.seed + 99);
    this.instances = tables.table(`${hub.name}Instances`);
  }

  connected(socket) {
    socket.number = ++this.connections;
    this.peak = Math.max(this.peak, ++this.open);
    socket.on("close", () => this.open--);
    socket.on("error", () => {});
    socket.setNoDelay(true);
  }

  begin(req) {
    this.peakBusy = Math.max(this.peakBusy, ++this.busy);
    return { method: req.method, url: req.url, connection: req.socket.number, at: performance.now() };
  }

  end(entry, sent, rule, rows) {
    this.busy--;
    this.requests++;
    this.bytes += sent.length;
    this.rows += rows ?? 0;
    if (this.log.length >= LOG_MAX) return;
    Object.assign(entry, sent, { ms: performance.now() - entry.at });
    if (rule) entry.rule = rule.do.action;
    this.log.push(entry);
  }

  change({ update = 0, insert = 0, delete: gone = 0 }) {
    const pick = (n) => (Array.isArray(n) ? n : Array.from({ length: n }, () => this.hub.id(Math.floor(this.random() * this.hub.count))));
    const done = { update: pick(update), insert: [], delete: pick(gone) };
    const stamp = printTime(Date.now(), 7);
    for (const id of done.update) {
      const row = this.instances.find({ PartitionKey: id, RowKey: "" });
      if (row) this.instances.put({ ...row, RuntimeStatus: "Failed", LastUpdatedTime: stamp, Timestamp: stamp });
    }
    const ids = Array.isArray(insert) ? insert : Array.from({ length: insert }, (_, i) => `new-${this.requests}-${i}`);
    for (const id of ids) {
      this.instances.put({ ...this.hub.instance(0), PartitionKey: id, RuntimeStatus: "Running", Timestamp: stamp, CreatedTime: stamp, LastUpdatedTime: stamp });
      done.insert.push(id);
    }
    for (const id of done.delete) this.instances.remove({ PartitionKey: id, RowKey: "" });
    return done;
  }

  ids() {
    const lines = [];
    for (let i = 0; i < this.hub.count; i++) lines.push(`${this.hub.id(i)}\t${this.hub.status(i)}\t${this.hub.stampMs(i) - 500}\n`);
    return lines.join("");
  }

  clear() {
    this.log = [];
    this.requests = this.bytes = this.rows = this.peakBusy = 0;
    this.peak = this.open;
    this.connections = 0;
  }

  stats() {
    const { requests, bytes, rows, connections, open, peak, peakBusy } = this;
    return { requests, bytes, rows, connections, open, peak, peakBusy, messages: this.queues.messages, memory: process.memoryUsage().rss };
  }

  act(path, method, body) {
    if (path === "/__log") return method === "POST" ? this.clear() : this.log;
    if (path === "/__stats") return this.stats();
    if (path === "/__ids") return this.ids();
    if (path === "/__rules") return this.rules.set(JSON.parse(body));
    if (path === "/__change") return this.change(JSON.parse(body));
    if (path === "/__latency") return void (this.latency = JSON.parse(body).ms);
    if (path !== "/__prepare") return "no such page\n";
    const { table, select } = JSON.parse(body);
    return this.tables.prepare(table ?? this.instances.name, select ?? null);
  }

  answer(req, res, body) {
    this.busy--;
    const value = this.act(req.url, req.method, body) ?? {};
    res.end(typeof value === "string" ? value : JSON.stringify(value));
  }
}
