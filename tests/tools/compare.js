// compare.js DIR LINE STAGE MOUNTPOINT: every file of every instance of a mounted fixture stage against
// what its rows say, and against what the engine's own client said where that was recorded.
import fs from "node:fs";
import path from "node:path";
import { Recorded, fileName } from "./lib/expect.js";
import { unescapeKey } from "./lib/hub.js";

const [dir, line, stage, mount] = process.argv.slice(2);
const recorded = new Recorded(dir, line, stage);
const problems = [];
let compared = 0;

function same(what, got, wanted) {
  compared++;
  if (got !== wanted)
    problems.push(`${what}\n   is     ${JSON.stringify(got).slice(0, 300)}\n   wanted ${JSON.stringify(wanted).slice(0, 300)}`);
}

const read = (file) => fs.readFileSync(path.join(mount, file), "utf8");

const rows = recorded.instances();
const names = rows.map((r) => fileName(unescapeKey(r.PartitionKey)));
same("instances/", fs.readdirSync(path.join(mount, "instances")).sort().join("\n"), [...names].sort().join("\n"));

for (const [i, row] of rows.entries()) {
  const at = `instances/${names[i]}`;
  for (const [file, wanted] of Object.entries(recorded.files(row))) {
    same(`${at}/${file}`, read(`${at}/${file}`), wanted);
    const s = fs.statSync(path.join(mount, at, file));
    same(`${at}/${file} size`, s.size, Buffer.byteLength(wanted));
  }
  const history = read(`${at}/history`);
  same(`${at}/history size`, fs.statSync(path.join(mount, at, "history")).size, Buffer.byteLength(history));
  const columns = history.split("\n").filter(Boolean).map((l) => l.split("\t"));
  same(`${at}/history`, columns.map((c) => c.slice(0, 4).join("\t")).join("\n"), recorded.historyColumns(row).join("\n"));
  for (const c of columns) {
    same(`${at}/history has five columns`, c.length, 5);
    if (c[4] !== "") {
      compared++;
      try {
        JSON.parse(c[4]);
      } catch {
        problems.push(`${at}/history: detail is not JSON: ${c[4].slice(0, 200)}`);
      }
    }
  }
  const jsonl = read(`${at}/history.jsonl`).split("\n").filter(Boolean).map((l) => JSON.parse(l));
  const events = recorded.events(row);
  same(`${at}/history.jsonl length`, jsonl.length, events.length);
  for (const [n, e] of events.entries())
    for (const column of ["EventType", "EventId", "Name", "TaskScheduledId", "TimerId", "_Timestamp"])
      same(`${at}/history.jsonl ${n} ${column}`, jsonl[n]?.[column], e[column]);
  same(`${at}/history.json`, JSON.stringify(JSON.parse(read(`${at}/history.json`))), JSON.stringify(jsonl));
  const status = JSON.parse(read(`${at}/status.json`));
  same(`${at}/status.json instanceId`, status.instanceId, unescapeKey(row.PartitionKey));
  same(`${at}/status.json runtimeStatus`, status.runtimeStatus, row.RuntimeStatus);
  same(`${at}/status.json executionId`, status.executionId, row.ExecutionId);
  same(`by-status of ${at}`, fs.existsSync(path.join(mount, "by-status", row.RuntimeStatus, names[i])), true);
  same(`by-name of ${at}`, fs.existsSync(path.join(mount, "by-name", fileName(row.Name), names[i])), true);
  same(`by-created of ${at}`, fs.existsSync(path.join(mount, "by-created", row.CreatedTime.slice(0, 10), names[i])), true);
  const finished = ["Completed", "Failed", "Terminated", "Canceled"].includes(row.RuntimeStatus);
  const listed = fs.readdirSync(path.join(mount, at));
  same(`${at} offers terminate`, listed.includes("terminate"), !finished);
  same(`${at} offers failure`, listed.includes("failure"), row.RuntimeStatus === "Failed");
}

// What the engine's own client listed: status, name, id, CreatedTime, custom status.
const view = { "4-client-ops": "list.txt", "5-final": "list-final.txt" }[stage];
if (view) {
  for (const text of fs.readFileSync(path.join(dir, line, "client-view", view), "utf8").split("\n").filter(Boolean)) {
    if (text.startsWith("--")) continue;
    const [runtimeStatus, name, id, created, custom] = text.split("\t");
    if (id.startsWith("@")) continue;
    const at = `instances/${fileName(id)}`;
    const keys = Object.fromEntries(read(`${at}/status`).split("\n").map((l) => l.split(":\t")));
    same(`client: ${id}`, `${keys.RuntimeStatus} ${keys.Name}`, `${runtimeStatus} ${name}`);
    same(`client: ${id} created`, keys.CreatedTime.replace(/\.?0*Z$/, "Z"), created.replace(/\.?0*Z$/, "Z"));
    if (custom !== undefined)
      same(`client: ${id} custom status`, read(`${at}/custom-status`).trimEnd(), custom === "null" ? "" : custom);
  }
}

for (const p of problems.slice(0, 25)) console.log(p);
console.log(`${rows.length} instances, ${compared} comparisons, ${problems.length} different`);
process.exitCode = problems.length ? 1 : 0;
