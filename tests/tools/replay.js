// replay.js: plays the storage account of one made-up hub, fast and as strict as the real service.
//   node replay.js [--ids rand|prefix|time] [--count N] [--history ROWS] [--big N] [--latency MS]
//                  [--hub NAME] [--seed N] [--partitions N] [--short-pages P] [--no-nulls] [--loose]
//                  [--framing length|mixed] [--rules FILE] [--prepare SELECT]... [--settings-file F]
// Prints its connection string, or writes it as shell text to a file (complete when it appears).
// While it runs, at the table port:
//   POST /__rules    rules that spoil answers (lib/replay-faults.js)
//   POST /__change   {"update": n, "insert": n, "delete": n} -> the ids; or lists of ids instead of n
//   POST /__prepare  {"table", "select"}   POST /__latency {"ms"}
//   GET /__log (and POST to clear it)   GET /__stats   GET /__ids ("id<TAB>status<TAB>ms" lines)
import fs from "node:fs";
import http from "node:http";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { ReplayHub } from "./lib/replay-hub.js";
import { ReplayBlobs, ReplayQueues, xmlRefusal } from "./lib/replay-others.js";
import { hubTables, ReplayControl } from "./lib/replay-control.js";
import { Refusal, ReplayTables } from "./lib/replay-tables.js";
import { Rules, breakOff, spoil } from "./lib/replay-faults.js";

const ACCOUNT = "replay";
const KEY = Buffer.alloc(64, "replay").toString("base64");

const { values: o } = parseArgs({
  options: {
    ids: { type: "string", default: "rand" }, count: { type: "string", default: "1000" },
    history: { type: "string", default: "0" }, big: { type: "string", default: "0" },
    latency: { type: "string", default: "0" }, hub: { type: "string", default: "ReplayHub" },
    seed: { type: "string", default: "1" }, partitions: { type: "string", default: "4" },
    "short-pages": { type: "string", default: "0" }, "no-nulls": { type: "boolean" },
    loose: { type: "boolean" }, framing: { type: "string", default: "length" },
    rules: { type: "string" }, prepare: { type: "string", multiple: true, default: [] },
    "settings-file": { type: "string" },
  },
});

const hub = new ReplayHub({
  hub: o.hub, ids: o.ids, count: Number(o.count), history: Number(o.history), seed: Number(o.seed), big: Number(o.big),
});
const tables = new ReplayTables(hubTables(hub, { nulls: !o["no-nulls"] }), {
  shortPages: Number(o["short-pages"]), seed: Number(o.seed), loose: o.loose,
});
const queues = new ReplayQueues(hub, Number(o.partitions));
const blobs = new ReplayBlobs(hub);
const rules = new Rules();
if (o.rules) rules.set(JSON.parse(fs.readFileSync(o.rules)));
for (const select of o.prepare) tables.prepare(`${hub.name}Instances`, select);

const control = new ReplayControl({ hub, tables, queues, rules, latency: Number(o.latency) });

function carryOut(service, req, url, body, twist) {
  try {
    return service.answer(req, url, body, twist);
  } catch (e) {
    if (!(e instanceof Refusal)) throw e;
    return service === tables ? e.answer() : xmlRefusal(e);
  }
}

function headOf(answer, req, length, chunked) {
  const headers = {
    ...(answer.foreign ? {} : { "x-ms-request-id": randomUUID(), "x-ms-version": "2021-12-02" }),
    ...answer.headers,
    Date: new Date().toUTCString(),
  };
  const echo = req.headers["x-ms-client-request-id"];
  if (echo && !answer.foreign) headers["x-ms-client-request-id"] = echo;
  if (chunked) headers["Transfer-Encoding"] = "chunked";
  else if (answer.status !== 204) headers["Content-Length"] = length;
  return headers;
}

// The head as text, for answers that are broken off.
const headText = (status, headers) =>
  `HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? "Unknown"}\r\n${Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;

let answers = 0;

async function deliver(req, res, answer, rule) {
  const length = answer.pieces.reduce((n, p) => n + p.length, 0);
  const mixed = o.framing === "mixed" ? answers++ % 3 : 0;
  const headers = headOf(answer, req, length, mixed === 1);
  if (rule && (await breakOff(rule, res.socket, headText(answer.status, headOf(answer, req, length)), Buffer.concat(answer.pieces))))
    return { status: 0, length };
  if (mixed === 2) headers.Connection = "close";
  res.writeHead(answer.status, headers);
  res.cork();
  for (const piece of answer.pieces) res.write(piece);
  res.end();
  return { status: answer.status, length };
}

async function serve(service, req, res) {
  const entry = control.begin(req);
  const parts = [];
  for await (const part of req) parts.push(part);
  const body = Buffer.concat(parts).toString();
  if (req.url.startsWith("/__")) return control.answer(req, res, body);
  const url = new URL(req.url, "http://replay");
  const rule = rules.pick(req.method, rules.list.length ? decodeURIComponent(req.url) : req.url);
  let answer = rule?.when === "before" ? { status: 500, headers: {}, pieces: [] } : carryOut(service, req, url, body, rule?.do);
  if (control.latency) await sleep(control.latency);
  if (rule) answer = await spoil(rule, answer);
  const sent = await deliver(req, res, answer, rule);
  return control.end(entry, sent, rule, answer.rows);
}

function listen(service) {
  const server = http.createServer({ keepAliveTimeout: 120000 }, (req, res) =>
    serve(service, req, res).catch((e) => {
      if (res.destroyed || req.destroyed) return;
      console.error(e);
      res.writeHead(500);
      res.end();
    }));
  server.on("connection", (socket) => control.connected(socket));
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server.address().port)));
}

const [table, queue, blob] = [await listen(tables), await listen(queues), await listen(blobs)];
const at = (port) => `http://127.0.0.1:${port}/${ACCOUNT};`;
const connection =
  `DefaultEndpointsProtocol=http;AccountName=${ACCOUNT};AccountKey=${KEY};` +
  `BlobEndpoint=${at(blob)}QueueEndpoint=${at(queue)}TableEndpoint=${at(table)}`;
if (o["settings-file"]) {
  const temporary = `${o["settings-file"]}.new`;
  fs.writeFileSync(temporary, `AzureWebJobsStorage='${connection}'\nexport AzureWebJobsStorage\nREPLAY=http://127.0.0.1:${table}\n`, { mode: 0o600 });
  fs.renameSync(temporary, o["settings-file"]);
} else console.log(connection);
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(0));
